"""Documents of Hangul and of Apple's iWork, packed as zip."""

from __future__ import annotations

import pytest

from ingest_tui.extraction.parse import extract, extract_text
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from tests.made_files import pdf_of, pdf_pages, zip_bytes

SPACES = 'xmlns:hp="http://www.hancom.co.kr/hwpml/2011/paragraph" xmlns:hs="http://www.hancom.co.kr/hwpml/2011/section"'


def hangul(*sections: str, **more: str) -> bytes:
    parts = {
        f"Contents/section{number}.xml": f"<hs:sec {SPACES}>{text}</hs:sec>" for number, text in enumerate(sections)
    }
    return zip_bytes({"mimetype": "application/hwp+zip", "Contents/content.hpf": "<x/>", **parts, **more})


def paragraph(*inner: str) -> str:
    return "<hp:p>" + "".join(f"<hp:run>{one}</hp:run>" for one in inner) + "</hp:p>"


def words(text: str) -> str:
    return f"<hp:t>{text}</hp:t>"


def test_runs_are_not_cut_and_breaks_are_kept() -> None:
    """A word over two runs is one word; tabs, line breaks and wide spaces are elements."""
    content = hangul(paragraph(words("ap"), words("ples"), words("a<hp:lineBreak/>b<hp:fwSpace/>c<hp:markpenEnd/>d")))
    assert extract_text(content, ".hwpx") == "applesa\nb cd\n"


def test_sections_are_in_the_order_of_their_numbers() -> None:
    """The eleventh section comes after the second."""
    content = hangul(*(paragraph(words(f"part{number}")) for number in range(12)))
    assert extract_text(content, ".hwpx").split() == [f"part{number}" for number in range(12)]


def test_notes_boxes_and_headers_are_read_after_their_paragraph() -> None:
    """What is anchored in a paragraph does not cut its sentence."""
    note = f"<hp:ctrl><hp:footNote><hp:subList>{paragraph(words('the note'))}</hp:subList></hp:footNote></hp:ctrl>"
    box = f"<hp:rect><hp:drawText><hp:subList>{paragraph(words('the box'))}</hp:subList></hp:drawText></hp:rect>"
    text = extract_text(hangul(paragraph(words("before "), note, box, words("after"))), ".hwpx")
    assert text == "before after\n\nthe note\n\nthe box\n"


def test_merged_and_nested_cells_keep_their_columns() -> None:
    """A cell below a merged one is in its own column; a table in a cell is text of that cell."""

    def cell(text: str, column: int) -> str:
        return f'<hp:tc><hp:subList>{text}</hp:subList><hp:cellAddr colAddr="{column}"/></hp:tc>'

    def row(*cells: str) -> str:
        return f"<hp:tr>{''.join(cells)}</hp:tr>"

    inner = f"<hp:tbl>{row(cell(paragraph(words('x')), 0), cell(paragraph(words('y')), 1))}</hp:tbl>"
    first = row(cell(paragraph(words("a")), 0), cell(paragraph(words("b")), 1))
    table = f"<hp:tbl>{first}{row(cell(paragraph(words('c'), inner), 1))}</hp:tbl>"
    assert extract_text(hangul(paragraph(table)), ".hwpx") == "| a | b |\n| --- | --- |\n|  | c x y |\n"


def test_a_broken_section_does_not_lose_the_others() -> None:
    """The other sections are read, and the damage is a finding; without any section it is an error."""
    found = extract(hangul("<hp:p>", paragraph(words("words"))), file_name="a.hwpx")
    assert (found.markdown, [one.code for one in found.validation]) == ("words\n", ["section_unreadable"])
    with pytest.raises(ProcessingError):
        extract(hangul("<hp:p>"), file_name="a.hwpx")
    with pytest.raises(ProcessingError):
        extract(hangul(), file_name="a.hwpx")


def test_deep_nesting_and_far_columns_end() -> None:
    """Boxes within boxes are read to a depth and flat from there; a column far away is not believed."""
    deep = paragraph(words("core"))
    for _ in range(200):
        deep = paragraph(f"<hp:subList>{deep}</hp:subList>")
    far = f'<hp:tbl><hp:tr><hp:tc>{paragraph(words("far"))}<hp:cellAddr colAddr="99999"/></hp:tc></hp:tr></hp:tbl>'
    text = extract_text(hangul(deep + paragraph(far)), ".hwpx")
    assert text == "core\n\n| far |\n| --- |\n"


def test_an_encrypted_document_is_refused_as_such() -> None:
    """The manifest of a document behind a password says so."""
    parts = {"META-INF/manifest.xml": "<m><encryption-data/></m>"}
    with pytest.raises(ItemRejectedError) as caught:
        extract(hangul("", **parts), file_name="a.hwpx")
    assert caught.value.reason == "encrypted"


def test_links_and_titles_are_kept() -> None:
    """The target of a link is a parameter of its field."""
    field = '<hp:ctrl><hp:fieldBegin type="HYPERLINK"><hp:parameters><hp:stringParam name="Path">https://example.org/h</hp:stringParam></hp:parameters></hp:fieldBegin></hp:ctrl>'
    described = "<p><title>The title</title><language>ko</language></p>"
    found = extract(hangul(paragraph(field, words("site")), **{"Contents/content.hpf": described}), file_name="a.hwpx")
    assert ([one.target for one in found.links], found.title, found.language) == (
        ["https://example.org/h"],
        "The title",
        "ko",
    )


@pytest.mark.parametrize(
    "parts",
    [
        {"Index/Document.iwa": b"x"},
        {"Index.zip": b"x"},
        {"index.apxl": b"x"},
        {"index.xml": b"<x/>", "buildVersionHistory.plist": b"x"},
    ],
)
def test_a_document_of_apple_is_read_by_its_preview_or_refused_by_name(parts: dict[str, bytes | str]) -> None:
    """The text of the preview is found and marked as such; without one the refusal names the programs."""
    preview = {"QuickLook/Preview.pdf": pdf_of(pdf_pages("ripe apples"))}
    found = extract(zip_bytes({**parts, **preview}), file_name="a.key")
    assert "ripe apples" in found.markdown
    assert [one.code for one in found.validation] == ["preview_only"]
    with pytest.raises(ItemRejectedError, match="Pages, Numbers or Keynote") as caught:
        extract(zip_bytes(parts), file_name="a.numbers")
    assert caught.value.reason == "unsupported_type"


def test_a_document_of_apple_behind_a_password_is_encrypted() -> None:
    """It has a part with a hint or a check of the password."""
    with pytest.raises(ItemRejectedError) as caught:
        extract(zip_bytes({"Index/Document.iwa": b"x", ".iwpv2": b"x"}), file_name="a.pages")
    assert caught.value.reason == "encrypted"


def test_a_key_is_text() -> None:
    """The ending of Keynote is also that of keys."""
    assert "ssh-rsa" in extract_text(b"ssh-rsa AAAA me\n", "id.key")
