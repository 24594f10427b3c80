"""Lines of text that look like markdown, in every format whose text is no markup: they stay text where they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from email.message import EmailMessage
from html import escape

import pytest

from ingest_tui.connectors.confluence.document import file_of
from ingest_tui.extraction.parse import extract
from ingest_tui.model.chunking import split_into_chunks
from ingest_tui.model.markdown_blocks import split_blocks
from tests.made_books import fictionbook, glyphs, hwp, hwp_paragraph, mobi, visio, xps
from tests.made_files import tnef, zip_bytes
from tests.made_ole_files import doc, ole_tree, ppt, ppt_sheet, ppt_text
from tests.made_pdfs import DrawnPage, drawn_pdf
from tests.unit.extraction.backends.test_outlook import mail as outlook_mail
from tests.unit.extraction.backends.test_packages import hangul, words
from tests.unit.extraction.backends.test_packages import paragraph as hangul_paragraph
from tests.unit.extraction.backends.test_slides import paragraph as slide_paragraph
from tests.unit.extraction.backends.test_slides import presentation, shape, sheet
from tests.unit.extraction.office.test_opendocument import odf
from tests.unit.extraction.office.test_word import document, paragraph, part, run

LINES = {
    "heading": ("# pumps checked",),
    "small heading": ("## pumps checked",),
    "fence": ("```", "pumps checked"),
    "tildes": ("~~~", "pumps checked"),
    "double rule": ("pumps checked", "==="),
    "rule": ("pumps checked", "---"),
    "quote": ("> pumps checked",),
    "row": ("| pumps | checked |", "|---|---|"),
    "open row": ("pumps | checked", "--- | ---"),
    "comment": ("<!-- pumps checked",),
    "preformatted": ("<pre> pumps checked",),
    "raw html": ("<div> pumps checked",),
}
PLAIN = ("pumps checked",)


def _odt(lines: Sequence[str]) -> bytes:
    first, *others = (f"<text:p>{escape(line)}</text:p>" for line in lines)
    broken = f"<text:p>{'<text:line-break/>'.join(map(escape, lines))}</text:p>"
    return odf("text", f"{_H}{first}{''.join(others)}{broken}{_AFTER}")


_H = '<text:h text:outline-level="1">First</text:h>'
_AFTER = '<text:p>between</text:p><text:h text:outline-level="1">Second</text:h><text:p>after</text:p>'


def _odp(lines: Sequence[str]) -> bytes:
    box = "".join(f"<text:p>{escape(line)}</text:p>" for line in lines)
    pages = (box + "<text:p>between</text:p>", "<text:p>after</text:p>")
    return odf(
        "presentation",
        "".join(
            f"<draw:page><draw:frame><draw:text-box>{one}</draw:text-box></draw:frame></draw:page>" for one in pages
        ),
    )


def _docx(lines: Sequence[str]) -> bytes:
    def titled(name: str) -> str:
        return f'<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr>{run(name)}</w:p>'

    body = [paragraph(run(escape(line[:1])), run(escape(line[1:]))) for line in lines]
    listed = [
        f'<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr>{run(escape(line))}</w:p>'
        for line in lines
    ]
    style = '<w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/></w:style>'
    return document(
        titled("First"), *body, *listed, paragraph(run("between")), titled("Second"), paragraph(run("after")),
        related=[("styles", "styles.xml"), ("header", "header1.xml")],
        more={
            "word/styles.xml": part("styles", style),
            "word/header1.xml": part("hdr", "".join(paragraph(run(escape(line))) for line in lines)),
        },
    )  # fmt: skip


def _rtf(lines: Sequence[str]) -> bytes:
    body = r"\par ".join([*lines, "between"])
    first, second = (rf"{{\outlinelevel0 {name}\par}}\pard " for name in ("First", "Second"))
    return rf"{{\rtf1\ansi {first}{body}\par {second}after\par}}".encode()


def _doc(lines: Sequence[str]) -> bytes:
    return doc("\r".join([*lines, "between", "after", ""]))


def _eml(lines: Sequence[str]) -> bytes:
    forwarded = EmailMessage()
    forwarded["Subject"], forwarded["From"] = "Second", "bo@example.org"
    forwarded.set_content("after\n")
    message = EmailMessage()
    message["Subject"], message["From"] = "First", "ann@example.org"
    message.set_content("\n".join([*lines, "between", *(f"> {line}" for line in lines), ""]))
    message.add_attachment(forwarded)
    return message.as_bytes()


def _mbox(lines: Sequence[str]) -> bytes:
    mails = (("First", (*lines, "between")), ("Second", ("after",)))
    return "".join(
        f"From a@example.org Mon Nov  2 10:00:00 2026\nFrom: a@example.org\nSubject: {subject}\n\n"
        + "\n".join(body)
        + "\n\n"
        for subject, body in mails
    ).encode()


def _msg(lines: Sequence[str]) -> bytes:
    body = "\r\n".join([*lines, "between", "after"])
    return ole_tree(outlook_mail({"0037001F": "First".encode("utf-16-le"), "1000001F": body.encode("utf-16-le")}))


def _winmail(lines: Sequence[str]) -> bytes:
    return tnef("\r\n".join([*lines, "between", "after"]).encode(), ("a.txt", b"attached"))


def _pptx(lines: Sequence[str]) -> bytes:
    def slide(title: str, *texts: str) -> str:
        return sheet(shape(slide_paragraph(title), kind="title"), shape(*(slide_paragraph(escape(t)) for t in texts)))

    notes = sheet(shape(*(slide_paragraph(escape(line)) for line in lines), kind="body"), root="notes")
    return presentation(
        [slide("First", *lines, "between"), slide("Second", "after")],
        related={1: [("notesSlide", "../notesSlides/n1.xml")]},
        more={"ppt/notesSlides/n1.xml": notes},
    )


def _ppt(lines: Sequence[str]) -> bytes:
    slides = [
        ppt_sheet(ppt_text("First", 0), ppt_text("\r".join([*lines, "between"])), notes=1),
        ppt_sheet(ppt_text("Second", 0), ppt_text("after")),
    ]
    return ppt(slides, notes={1: ppt_sheet(ppt_text("\r".join(lines), 2), kind=1008)})


def _page(lines: Sequence[str]) -> str:
    apart = "".join(f"<p>{escape(line)}</p>" for line in lines)
    broken = "<br/>".join(map(escape, lines))
    return f"<h1>First</h1>{apart}<p>{broken}</p><p>between</p><h1>Second</h1><p>after</p>"


def _html(lines: Sequence[str]) -> bytes:
    return f"<html><body>{_page(lines)}</body></html>".encode()


def _epub(lines: Sequence[str]) -> bytes:
    chapter = f'<html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body>{_page(lines)}</body></html>'
    container = '<container><rootfiles><rootfile full-path="p.opf"/></rootfiles></container>'
    item = '<item id="c" href="c.xhtml" media-type="application/xhtml+xml"/>'
    return zip_bytes(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "p.opf": f'<package><manifest>{item}</manifest><spine><itemref idref="c"/></spine></package>',
            "c.xhtml": chapter,
        }
    )


def _fb2(lines: Sequence[str]) -> bytes:
    apart = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return fictionbook(
        f"<section><title><p>First</p></title>{apart}<p>between</p></section>"
        "<section><title><p>Second</p></title><p>after</p></section>"
    )


def _docbook(lines: Sequence[str]) -> bytes:
    apart = "".join(f"<para>{escape(line)}</para>" for line in lines)
    return (
        f"<article><section><title>First</title>{apart}<para>between</para></section>"
        "<section><title>Second</title><para>after</para></section></article>"
    ).encode()


def _hwp(lines: Sequence[str]) -> bytes:
    texts = ("First", *lines, "between", "Second", "after")
    paragraphs = b"".join(hwp_paragraph(text, int(text in ("First", "Second"))) for text in texts)
    return hwp(paragraphs, styles=[("", "Normal"), ("", "Outline 1")])


def _hwpx(lines: Sequence[str]) -> bytes:
    return hangul("".join(hangul_paragraph(words(escape(line))) for line in (*lines, "between", "after")))


def _vsdx(lines: Sequence[str]) -> bytes:
    shapes = "".join(f"<Shape><Text>{escape(line)}</Text></Shape>" for line in (*lines, "between"))
    return visio(("First", shapes), ("Second", "<Shape><Text>after</Text></Shape>"))


def _xps(lines: Sequence[str]) -> bytes:
    return xps(
        "".join(
            glyphs(escape(line, quote=True), 50, 50 + 12 * at) for at, line in enumerate([*lines, "between", "after"])
        )
    )


def _ics(lines: Sequence[str]) -> bytes:
    def event(name: str, texts: Sequence[str]) -> str:
        told = "\\n".join(texts).replace(",", "\\,").replace(";", "\\;")
        return f"BEGIN:VEVENT\r\nSUMMARY:{name}\r\nDESCRIPTION:{told}\r\nEND:VEVENT\r\n"

    events = event("First", [*lines, "between"]) + event("Second", ["after"])
    return f"BEGIN:VCALENDAR\r\n{events}END:VCALENDAR\r\n".encode()


def _vcf(lines: Sequence[str]) -> bytes:
    def card(name: str, texts: Sequence[str]) -> str:
        note = "\\n".join(texts).replace(",", "\\,")
        return f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{name}\r\nNOTE:{note}\r\nEND:VCARD\r\n"

    return (card("First", [*lines, "between"]) + card("Second", ["after"])).encode()


def _pdf(lines: Sequence[str]) -> bytes:
    first = DrawnPage().text(72, 740, "First", size=20).lines(72, 700, *lines, "between").prose(500, 12)
    second = DrawnPage().text(72, 740, "Second", size=20).lines(72, 700, "after").prose(500, 12)
    return drawn_pdf(first, second)


BUILDERS: dict[str, Callable[[Sequence[str]], bytes]] = {
    "a.odt": _odt,
    "a.odp": _odp,
    "a.docx": _docx,
    "a.rtf": _rtf,
    "a.doc": _doc,
    "a.eml": _eml,
    "a.mbox": _mbox,
    "a.msg": _msg,
    "winmail.dat": _winmail,
    "a.pptx": _pptx,
    "a.ppt": _ppt,
    "a.html": _html,
    "a.epub": _epub,
    "a.mobi": lambda lines: mobi(_page(lines).encode()),
    "a.fb2": _fb2,
    "a.confluence": lambda lines: file_of(_page(lines), {"kind": "page"}),
    "a.xml": _docbook,
    "a.hwp": _hwp,
    "a.hwpx": _hwpx,
    "a.vsdx": _vsdx,
    "a.xps": _xps,
    "a.ics": _ics,
    "a.vcf": _vcf,
    "a.pdf": _pdf,
    "a.rst": lambda lines: "\n".join(
        ["First", "*****", "", *lines, "", "between", "", "Second", "******", "", "after"]
    ).encode(),
    "a.adoc": lambda lines: "\n\n".join(["= First", *lines, "between", "= Second", "after"]).encode(),
    "a.org": lambda lines: "\n".join(["* First", *lines, "between", "* Second", "after", ""]).encode(),
}
THEIR_OWN = {
    "a.rst": ("double rule", "rule"),
    "a.adoc": ("heading", "small heading", "fence", "row"),
    "a.org": (),
}
"""Lines that are marks in the format itself."""
MARKS_OF_TABLES = {"a.org": ("row",)}


def paths(content: bytes, name: str) -> dict[str, tuple[str, ...]]:
    """Return the headings above three words of a document, by its chunks."""
    extraction = extract(content, file_name=name)
    chunks = split_into_chunks(extraction.markdown, extraction.page_starts)
    kinds = {block.kind for block in split_blocks(extraction.markdown)}
    assert kinds <= {"text", "heading"}, extraction.markdown
    return {
        word: next(chunk.heading_path for chunk in chunks if word in chunk.text)
        for word in ("checked", "between", "after")
    }


@pytest.mark.parametrize("name", BUILDERS)
def test_lines_that_look_like_markdown_are_text(name: str) -> None:
    """Whatever a line begins with, what follows is below the headings of the document, in no fence and no table."""
    expected = paths(BUILDERS[name](PLAIN), name)
    for kind, lines in LINES.items():
        if kind not in THEIR_OWN.get(name, ()) and kind not in MARKS_OF_TABLES.get(name, ()):
            assert paths(BUILDERS[name](lines), name) == expected, kind


def test_the_matrix_sees_headings() -> None:
    """In formats with headings the words are below different ones: else the matrix would prove nothing."""
    for name in ("a.odt", "a.docx", "a.eml", "a.mbox", "a.pptx", "a.html", "a.xml", "a.pdf", "a.ics", "a.rst"):
        found = paths(BUILDERS[name](PLAIN), name)
        assert (found["between"][-1], found["after"][-1]) == ("First", "Second"), name
