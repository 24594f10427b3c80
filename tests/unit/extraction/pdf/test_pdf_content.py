"""What is seen on a page of a PDF besides its own text, and text whose fonts lie."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import pypdfium2.raw
import pytest

from ingest_tui.extraction.backends import pdf
from ingest_tui.extraction.intake.validation import EmptyDocumentError
from ingest_tui.extraction.parse import extract, extract_text
from ingest_tui.extraction.pdf import turned_lines
from ingest_tui.extraction.pdf.page_text import is_noise, tidy_page
from ingest_tui.model.chunking import split_into_chunks
from tests.made_files import pdf_of, pdf_pages, stream

FONT = b"/Resources << /Font << /F1 3 0 R >> >>"


def page_with(annotations: Sequence[bytes], *more: bytes, text: str = "") -> bytes:
    """Return a PDF of one page with these annotations, all fields of its form; ``more`` are objects 6 and up."""
    first = 6 + len(more)
    numbers = b" ".join(b"%d 0 R" % (first + at) for at in range(len(annotations)))
    form = b"/AcroForm << /Fields [%s] /DA (/F1 12 Tf) /DR << /Font << /F1 3 0 R >> >> >>" % numbers
    objects = pdf_pages(text, catalogue=form, more=(*more, *annotations))
    objects[3] = objects[3].replace(b"/Contents", b"/Annots [%s] /Contents" % numbers)
    return pdf_of(objects)


def field(kind: bytes, name: bytes, *rest: bytes) -> bytes:
    widget = b"<< /Type /Annot /Subtype /Widget /F 4 /Rect [72 600 300 620] /DA (/F1 12 Tf)"
    return b" ".join((widget, b"/FT /%s /T (%s)" % (kind, name), *rest, b">>"))


def appearance(text: bytes) -> bytes:
    drawn = b"/Tx BMC BT /F1 12 Tf 2 4 Td (%s) Tj ET EMC" % text
    return stream(drawn, b"/Type /XObject /Subtype /Form /BBox [0 0 228 20] " + FONT)


def test_the_values_of_a_form_are_text() -> None:
    """What was typed, chosen and ticked is read with the name of its field, by its tooltip where there is one."""
    mark = stream(b"0 0 10 10 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 10 10]")
    boxes = b"/AP << /N << /Yes 6 0 R /Off 6 0 R >> >>"
    text = extract_text(
        page_with(
            [
                field(b"Tx", b"a1", b"/TU (Full name) /V (Jane Roe 4711)"),
                field(b"Tx", b"empty"),
                field(b"Ch", b"colour", b"/Ff 131072 /Opt [(red) (blue)] /V (blue)"),
                field(b"Btn", b"agree", b"/V /Yes /AS /Yes", boxes),
                field(b"Btn", b"refuse", b"/V /Off /AS /Off", boxes),
            ],
            mark,
            text="Application",
        ),
        ".pdf",
    )
    assert "Application" in text
    assert "- Full name: Jane Roe 4711" in text
    assert "- colour: blue" in text
    assert "- [x] agree" in text
    assert "empty" not in text
    assert "refuse" not in text


def test_what_was_chosen_is_named_as_it_is_shown() -> None:
    """Of lists each chosen line, by its label; of boxes what they stand for, unless that only says that they are on."""
    mark = stream(b"0 0 10 10 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 10 10]")
    ticked = b"/V /%s /AS /%s /AP << /N << /%s 6 0 R /Off 6 0 R >> >>"
    text = extract_text(
        page_with(
            [
                field(
                    b"Ch", b"many", b"/Ff 2097152 /Opt [[(r) (Red)] [(g) (Green)] [(b) (Blue)]] /V [(r) (b)] /I [0 2]"
                ),
                field(b"Ch", b"one", b"/Ff 131072 /Opt [[(r) (Red)] [(g) (Green)]] /V (g)"),
                field(b"Ch", b"own", b"/Ff 393216 /Opt [(a)] /V (typed here)"),
                field(b"Btn", b"plan", ticked % (b"Gold", b"Gold", b"Gold")),
                field(b"Btn", b"agree", ticked % (b"On", b"On", b"On")),
                field(b"Btn", b"sex", b"/Opt [(female) (male)]", ticked % (b"0", b"0", b"0")),
            ],
            mark,
        ),
        ".pdf",
    )
    for line in ("many: Red, Blue", "one: Green", "own: typed here", "[x] plan: Gold", "[x] agree", "[x] sex: female"):
        assert f"- {line}\n" in text


def test_a_password_in_a_form_is_not_read() -> None:
    """A person sees dots where it was typed."""
    text = extract_text(page_with([field(b"Tx", b"key", b"/Ff 8192 /V (hunter2)")], text="Form"), ".pdf")
    assert "hunter2" not in text


def test_a_free_text_may_have_its_words_in_the_rich_form_only() -> None:
    """Some programs write them as XHTML alone."""
    rich = b"/Subtype /FreeText /DA (/F1 12 Tf) /RC (<body><p>seen &amp; read</p><p>twice</p></body>) >>"
    text = extract_text(page_with([b"<< /Type /Annot /F 4 /Rect [72 500 300 520] " + rich], text="Form"), ".pdf")
    assert "seen & read\ntwice" in text


def test_what_a_field_shows_is_read_where_it_differs_from_its_value() -> None:
    """A person sees the appearance of a field; both are found."""
    shown = b"/V (kept value) /AP << /N 6 0 R >>"
    text = extract_text(page_with([field(b"Tx", b"name", shown)], appearance(b"shown value")), ".pdf")
    assert "shown value" in text
    assert "kept value" in text


def test_two_filled_forms_are_two_documents() -> None:
    """Forms that differ in their values alone have different texts."""
    forms = [page_with([field(b"Tx", b"name", b"/V (%s)" % who)], text="Form") for who in (b"Jane", b"Max")]
    assert len({extract_text(form, ".pdf") for form in forms}) == 2


def test_free_texts_and_notes_are_text() -> None:
    """A text box that a reader typed is text, also without an appearance; a note that opens on a click is marked."""
    box = b"<< /Type /Annot /Subtype /FreeText /F 4 /Rect [0 0 99 99] /DA (/F1 9 Tf) /Contents (typed on the page) >>"
    note = b"<< /Type /Annot /Subtype /Text /F 4 /Rect [0 0 9 9] /Contents (check this) >>"
    hidden = b"<< /Type /Annot /Subtype /Text /F 2 /Rect [0 0 9 9] /Contents (hidden) >>"
    popup = b"<< /Type /Annot /Subtype /Popup /Rect [0 0 9 9] /Contents (again) >>"
    text = extract_text(page_with([box, note, hidden, popup]), ".pdf")
    assert text.split("\n\n") == ["typed on the page", "> Note: check this\n"]


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (page_with([field(b"Tx", b"name")]), "nobody has filled in"),
        (pdf_of(pdf_pages("")), "blank"),
    ],
)
def test_the_hint_of_an_empty_document_fits_it(content: bytes, hint: str) -> None:
    """An empty form and a blank page do not ask for OCR."""
    with pytest.raises(EmptyDocumentError) as caught:
        extract(content, file_name="a.pdf")
    assert hint in caught.value.hint


def test_cells_of_one_character_stay_apart() -> None:
    """The columns of a table whose cells are short are not joined into words that nobody wrote."""
    objects = pdf_pages("x")
    cells = (
        (72, 700, "Bolt"),
        (200, 700, "5"),
        (300, 700, "1.20"),
        (72, 680, "Nut"),
        (200, 680, "7"),
        (300, 680, "0.80"),
    )
    drawn = "".join(f"BT /F1 12 Tf {x} {y} Td ({text}) Tj ET " for x, y, text in cells)
    objects[4] = stream(drawn.encode())
    assert extract_text(pdf_of(objects), ".pdf").split() == ["Bolt", "5", "1.20", "Nut", "7", "0.80"]


def test_the_words_of_a_turned_line_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where PDFium ends the line at each space of a turned text, words that are close come together again."""
    text = "No\r\nof\r\ncopy\r\nup"
    tops = {1: 20, 4: 21, 5: 31, 8: 80}  # by character: "No" ends at 20, "of" is from 21 to 31, "copy" from 80

    class Page:
        raw = None

        def count_chars(self) -> int:
            return len(text)

    monkeypatch.setattr(
        pypdfium2.raw, "FPDFText_GetCharAngle", lambda _page, index: 0.0 if index == len(text) - 2 else 4.71
    )
    monkeypatch.setattr(
        turned_lines,
        "_box",
        lambda _page, index: SimpleNamespace(left=0, right=12, bottom=tops.get(index, 0), top=tops.get(index, 0)),
    )
    ranges = turned_lines.line_ranges(Page(), text)
    assert [text[start:end] for start, end in ranges] == ["No\r\nof", "copy", "up"]


@pytest.mark.parametrize(
    ("text", "noise"),
    [
        ("\ue012\ue034\ue0aa\uf8ff\ue001\ue002\ue003\ue004", True),
        ("\x01\x02\x03 \x04\x05\x06\x07\x08\x0e", True),
        ("plain text \uf0b7 with a private bullet", False),
        ("", False),
    ],
)
def test_text_without_letters_is_noise(text: str, noise: bool) -> None:
    """Control and private characters in place of letters are noise; a bullet now and then is not."""
    assert is_noise(text) is noise


def test_utf8_in_place_of_utf16_is_put_right() -> None:
    """Fonts whose table of letters holds UTF-8 give Hangul in place of Cyrillic; real Korean stays."""
    broken = "Подпись и дата № 5".encode()
    text = "".join(
        bytes(pair).decode("utf-16-be") if pair[0] in range(0xC2, 0xE0) else chr(pair[0]) for pair in _pairs(broken)
    )
    assert tidy_page(text).startswith("Подпись и дата")
    assert tidy_page("펌프 점검이 끝났고 보고서는 내일 저녁에") == "펌프 점검이 끝났고 보고서는 내일 저녁에"


def _pairs(content: bytes) -> list[bytes]:
    pairs: list[bytes] = []
    at = 0
    while at < len(content):
        size = 2 if 0xC2 <= content[at] < 0xE0 else 1
        pairs.append(content[at : at + size])
        at += size
    return pairs


@pytest.mark.parametrize("step", ["find_blocks", "pages_as_markdown"])
def test_a_layout_that_cannot_be_read_costs_no_text(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Whatever goes wrong where the layout is looked at, the text is kept as it is."""

    def fail(*_arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(pdf, step, fail)
    assert extract_text(pdf_of(pdf_pages("first words", "second words")), ".pdf") == "first words\n\nsecond words\n"


def test_files_attached_to_pages_are_named_there_and_read_once() -> None:
    """The name and the note of a file are on the page that holds it; its text is below the pages, once."""
    file = stream(b"# Plan\n\nThe bridge opens in May.\n", b"/Type /EmbeddedFile")
    held = b"<< /Type /Filespec /F (plan.md) /UF (plan.md) /EF << /F 6 0 R >> >>"
    pin = b"<< /Type /Annot /Subtype /FileAttachment /Rect [10 10 30 30] /FS 7 0 R /Contents (The new plan) >>"
    extraction = extract(page_with([pin, pin], file, held, text="See the pin"), file_name="a.pdf")
    page, below = extraction.markdown.split("## Attachments")
    assert page.split("\n\n", maxsplit=1)[1].strip() == "> Attached: plan.md\n> Note: The new plan"
    assert below.count("The bridge opens in May.") == 1
    noted = [element for element in extraction.elements if "Attached: plan.md" in element.text]
    assert [element.metadata["page_number"] for element in noted] == [1]
    chunks = split_into_chunks(extraction.markdown, extraction.page_starts)
    assert {(chunk.page, "May" in chunk.text) for chunk in chunks} == {(1, False), (None, False), (None, True)}


def test_what_is_chosen_in_large_letters_is_no_heading() -> None:
    """A program makes values as large as their fields; that says nothing of what they are."""
    country = field(b"Ch", b"country", b"/Ff 131072 /Opt [[(de) (Germany)] [(fr) (France)]] /V (fr)")
    choices = field(b"Ch", b"number", b"/Ff 2097152 /Opt [(One) (Two) (Three)] /V [(One) (Three)]")
    fields = [country, choices.replace(b"600 300 620", b"500 300 560")]
    fields = [one.replace(b"/F1 12 Tf", b"/F1 0 Tf") for one in fields]
    pdf = page_with(fields, text="Application form").replace(b"/F1 18 Tf", b"/F1 12 Tf")
    lines = extract(pdf, file_name="a.pdf").markdown.split("\n")
    assert {"France", "One", "Three"} <= set(lines)


@pytest.mark.parametrize("shown", [b"/F 4", b"/F 4 /AP << /N 6 0 R >>"])
def test_a_heading_that_says_what_a_field_says_stays_one(shown: bytes) -> None:
    """Only the line in the place of the field is what somebody typed, whether or not the field shows it."""
    body = "".join(
        f") Tj ET BT /F1 11 Tf 72 {at} Td (words of the body that go on and on" for at in range(690, 630, -15)
    )
    country = field(b"Tx", b"country", b"/V (France)").replace(b"/F 4", shown).replace(b"12 Tf", b"18 Tf")
    nothing = stream(b"", b"/Type /XObject /Subtype /Form /BBox [0 0 228 20]")
    lines = extract(page_with([country], nothing, text=f"France{body}"), file_name="a.pdf").markdown.split("\n")
    assert [line for line in lines if line.startswith("#")] == ["# France"]
