"""Documents of Word: what a person sees in the text, around it and in the parts that it refers to."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from html import escape
from io import BytesIO

import pytest

from ingest_tui.extraction.office.symbol_fonts import decode_symbols
from ingest_tui.extraction.office.text_boxes import with_boxes_below
from ingest_tui.extraction.parse import extract, extract_text
from ingest_tui.model.errors import ItemError
from ingest_tui.model.markdown_blocks import split_blocks
from tests.made_files import office_file, zip_bytes

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
C = "http://schemas.openxmlformats.org/drawingml/2006/chart"
NAMESPACES = f'xmlns:w="{W}" xmlns:r="{R}" xmlns:a="{A}" xmlns:c="{C}" xmlns:v="urn:schemas-microsoft-com:vml"'


def run(text: str, properties: str = "") -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t xml:space='preserve'>{text}</w:t></w:r>"


def paragraph(*runs: str) -> str:
    return f"<w:p>{''.join(runs)}</w:p>"


def part(root: str, inside: str) -> str:
    return f"<w:{root} {NAMESPACES}>{inside}</w:{root}>"


def document(
    *blocks: str,
    related: Sequence[tuple[str, str]] = (),
    more: Mapping[str, str | bytes] | None = None,
    main: str = "word/document.xml",
    types: str = "",
) -> bytes:
    body = part("document", f"<w:body>{''.join(blocks)}</w:body>")
    return office_file({main: body, **(more or {})}, {"": [("officeDocument", main)], main: related}, types=types)


def rewritten(content: bytes, change: Mapping[bytes, bytes]) -> bytes:
    """Return a package with every part changed so."""
    parts: dict[str, bytes | str] = {}
    with zipfile.ZipFile(BytesIO(content)) as archive:
        for name in archive.namelist():
            made = archive.read(name)
            for old, new in change.items():
                made = made.replace(old, new)
            parts[name] = made
    return zip_bytes(parts)


def field(definition: str, name: str) -> str:
    """Return a field of a form as Word writes it."""
    begin, end = (f'<w:r><w:fldChar w:fldCharType="{kind}"' for kind in ("begin", "end"))
    code = f"<w:r><w:instrText>{name}</w:instrText></w:r>"
    return f"{begin}><w:ffData>{definition}</w:ffData></w:fldChar></w:r>{code}{end}/></w:r>"


@pytest.mark.parametrize(
    ("definition", "shown"),
    [
        ('<w:ddList><w:result w:val="1"/><w:listEntry w:val="a"/><w:listEntry w:val="b &amp; c"/></w:ddList>', "b & c"),
        ('<w:ddList><w:listEntry w:val="red"/><w:listEntry w:val="blue"/></w:ddList>', "red"),
        ('<w:ddList><w:result w:val="7"/><w:listEntry w:val="red"/></w:ddList>', ""),
        ('<w:checkBox><w:sizeAuto/><w:default w:val="0"/><w:checked/></w:checkBox>', "☒"),
        ('<w:checkBox><w:default w:val="1"/><w:checked w:val="0"/></w:checkBox>', "☐"),
        ('<w:checkBox><w:default w:val="1"/></w:checkBox>', "☒"),
    ],
)  # fmt: skip
def test_fields_of_forms_show_what_is_chosen(definition: str, shown: str) -> None:
    """What is chosen in a drop-down list and whether a box is ticked are no texts of the body, and seen."""
    text = extract_text(document(paragraph(run("Colour: "), field(definition, "FORM"), run(" end"))), ".docx")
    assert text.split() == ["Colour:", *shown.split(), "end"]


def test_words_are_not_cut_where_their_format_changes() -> None:
    """Emphasis within a word has no marks; that of whole words stays, and so do powers of numbers."""
    text = extract_text(
        document(
            paragraph(run("Pro"), run("ject", "<w:b/>"), run("X")),
            paragraph(run("a "), run("whole", "<w:b/>"), run(" word")),
            paragraph(run("CO"), run("2", '<w:vertAlign w:val="subscript"/>')),
            paragraph(run("10"), run("6", '<w:vertAlign w:val="superscript"/>')),
            paragraph(run("1"), run("st", '<w:vertAlign w:val="superscript"/>'), run(" of May")),
            paragraph(run("ab", "<w:i/>"), '<w:proofErr w:type="spellStart"/>', run("sorb", "<w:i/><w:u/>")),
        ),
        ".docx",
    )
    assert [line for line in text.split("\n") if line] == [
        *("ProjectX", "a **whole** word", "CO2", "10^6^", "1st of May", "absorb"),
    ]


def test_headers_footers_and_comments_follow_the_text() -> None:
    """Each is under a heading of its own, once; what the text has is not repeated; comments have authors."""
    field = "<w:r><w:instrText>PAGE</w:instrText></w:r>"
    watermark = '<w:r><w:pict><v:shape><v:textpath string="DRAFT"/></v:shape></w:pict></w:r>'
    comment = f'<w:comment w:id="0" w:author="Ann">{paragraph(run("too "), run("long"))}</w:comment>'
    marks = (
        '<w:commentRangeStart w:id="0"/>',
        '<w:commentRangeEnd w:id="0"/>',
        '<w:r><w:commentReference w:id="0"/></w:r>',
    )
    text = extract_text(
        document(
            paragraph(run("com"), marks[0], run("ment"), *marks[1:], run("ed on page one")),
            related=[("header", "header1.xml"), ("header", "header2.xml"), ("footer", "f.xml"), ("comments", "c.xml")],
            more={
                "word/header1.xml": part("hdr", paragraph(run("Con"), run("tract 7", "<w:b/>")) + paragraph(watermark)),
                "word/header2.xml": part("hdr", paragraph(run("Contract 7")) + paragraph(run("page one"))),
                "word/f.xml": part("ftr", paragraph(field, run("Page 1"))),
                "word/c.xml": part("comments", comment),
            },
        ),
        ".docx",
    )
    assert text.split("\n\n") == [
        "commented on page one",
        *("## Header", "Contract 7", "DRAFT", "## Footer", "Page 1", "## Comments", "- Ann: too long\n"),
    ]


def test_a_document_that_has_only_a_header_is_not_empty() -> None:
    """Its header is its text, and its title is not the word Header."""
    content = document(
        paragraph(), related=[("header", "h.xml")], more={"word/h.xml": part("hdr", paragraph(run("Letter of Ann")))}
    )
    extraction = extract(content, file_name="a.docx")
    assert "Letter of Ann" in extraction.markdown
    assert extraction.title is None


def test_marks_of_notes_match_their_notes() -> None:
    """Notes are numbered as they are referred to, footnotes and endnotes apart; rules above notes are none."""

    def notes(kind: str, **texts: str) -> str:
        made = "".join(f'<w:{kind} w:id="{key[1:]}">{paragraph(run(text))}</w:{kind}>' for key, text in texts.items())
        rule = f'<w:{kind} w:id="0" w:type="separator">{paragraph(run("rule"))}</w:{kind}>'
        return part(f"{kind}s", rule + made)

    text = extract_text(
        document(
            paragraph(run("one"), '<w:r><w:footnoteReference w:id="5"/></w:r>'),
            paragraph(
                run("two"), '<w:r><w:footnoteReference w:id="2"/></w:r>', '<w:r><w:endnoteReference w:id="5"/></w:r>'
            ),
            related=[("footnotes", "footnotes.xml"), ("endnotes", "endnotes.xml")],
            more={
                "word/footnotes.xml": notes("footnote", _2="second note", _5="first note"),
                "word/endnotes.xml": notes("endnote", _5="at the end"),
            },
        ),
        ".docx",
    )
    assert text.split("\n\n") == [
        *("one[^1]", "two[^2][^e1]", "[^1]: first note", "[^2]: second note", "[^e1]: at the end\n"),
    ]


def test_what_was_moved_is_read_where_it_is_now() -> None:
    """A text that a tracked change moved is there once."""
    text = extract_text(
        document(
            paragraph('<w:moveFrom w:id="1">', run("carried"), "</w:moveFrom>", run("stays")),
            paragraph('<w:moveTo w:id="2">', run("carried"), "</w:moveTo>"),
        ),
        ".docx",
    )
    assert [line for line in text.split("\n") if line] == ["stays", "carried"]


@pytest.mark.parametrize(
    "between",
    [
        '<w:br w:type="page"/>',
        '<w:br w:type="column"/>',
        "<w:br/>",
        "<w:cr/>",
        "<w:tab/>",
        '<w:ptab w:relativeTo="margin"/>',
    ],
)
def test_breaks_and_tabs_keep_words_apart(between: str) -> None:
    """What is apart on the page is not one word."""
    text = extract_text(document(paragraph(f"<w:r><w:t>one</w:t>{between}<w:t>two</w:t></w:r>")), ".docx")
    assert text.split() == ["one", "two"]


def test_readings_and_word_art_are_read() -> None:
    """A reading follows what it is of; the words of WordArt are an attribute of its picture."""
    reading = f"<w:ruby><w:rt>{run('ruby')}</w:rt><w:rubyBase>{run('base')}</w:rubyBase></w:ruby>"
    art = '<w:pict><v:shape><v:textpath style="x" string="Big &amp; bold"/></v:shape></w:pict>'
    text = extract_text(
        document(paragraph(f"<w:r>{reading}</w:r>"), paragraph(f"<w:r>{art}</w:r>", run(" words"))), ".docx"
    )
    assert text == "base (ruby)\n\nBig & bold words\n"


def test_letters_of_symbol_fonts_are_what_they_show() -> None:
    """Symbols by their code, and text set in a symbol font, private characters of Word among it."""
    symbol = '<w:rFonts w:ascii="Symbol" w:hAnsi="Symbol"/>'
    text = extract_text(
        document(
            paragraph(
                run("angle "), '<w:r><w:sym w:font="Symbol" w:char="F061"/></w:r>', run(" + "), run("b&lt;c", symbol)
            ),
            paragraph('<w:r><w:sym w:font="Wingdings" w:char="F0FC"/></w:r>', run(" done"), run("\uf067", symbol)),
            paragraph(run("abc", '<w:rFonts w:ascii="Arial"/>')),
        ),
        ".docx",
    )
    assert [line.replace("\\", "") for line in text.split("\n") if line] == ["angle α + β<χ", "✓ doneγ", "abc"]
    assert decode_symbols("a", "Arial") == "a"


@pytest.mark.parametrize(
    ("name", "inserted"),
    [
        ("chunk.html", b"<html><body><p>taken in</p></body></html>"),
        ("chunk.rtf", rb"{\rtf1\ansi taken in\par}"),
        ("chunk.docx", document(paragraph(run("taken in")))),
    ],
)
def test_inserted_documents_are_read_where_they_stand(name: str, inserted: bytes) -> None:
    """Word shows an inserted document (altChunk) as part of the text."""
    content = document(
        paragraph(run("before")),
        '<w:altChunk r:id="rId1"><w:altChunkPr/></w:altChunk>',
        paragraph(run("after")),
        related=[("aFChunk", name)],
        more={f"word/{name}": inserted},
    )
    assert [line for line in extract_text(content, ".docx").split("\n") if line] == ["before", "taken in", "after"]


def test_charts_are_read_where_they_stand() -> None:
    """The title of a chart follows the paragraph that holds it; in a cell it stays in its row."""
    drawing = '<w:r><w:drawing><a:graphic><c:chart r:id="rId1"/></a:graphic></w:drawing></w:r>'
    chart = f"<c:chartSpace {NAMESPACES}><c:title><a:p><a:r><a:t>Sales</a:t></a:r></a:p></c:title></c:chartSpace>"
    cell = f"<w:tc>{paragraph(run('cell '), drawing)}</w:tc>"
    text = extract_text(
        document(
            paragraph(run("see"), drawing),
            f"<w:tbl><w:tr>{cell}</w:tr></w:tbl>",
            related=[("chart", "charts/chart1.xml")],
            more={"word/charts/chart1.xml": chart},
        ),
        ".docx",
    )
    assert "see\n\nSales\n" in text
    assert "| cell Sales |" in text


def test_parts_are_found_whatever_they_are_called() -> None:
    """The main part may have any name, in any folder, and names of parts may have backslashes."""
    for main in ("word/document22.xml", "content/text.xml"):
        types = (
            f'<Override PartName="/{main}" ContentType="application/vnd.openxmlformats-officedocument'
            '.wordprocessingml.document.main+xml"/>'
        )
        assert extract_text(document(paragraph(run("found")), main=main, types=types), ".docx") == "found\n"
    with zipfile.ZipFile(BytesIO(document(paragraph(run("found"))))) as archive:
        parts: dict[str, bytes | str] = {name.replace("/", "\\"): archive.read(name) for name in archive.namelist()}
    assert extract_text(zip_bytes(parts), ".docx") == "found\n"


@pytest.mark.parametrize(
    "change",
    [
        {
            b"http://schemas.openxmlformats.org/wordprocessingml/2006/main": b"http://purl.oclc.org/ooxml/wordprocessingml/main"
        },
        {b"<w:": b"<ns0:", b"</w:": b"</ns0:", b" w:": b" ns0:", b"xmlns:w=": b"xmlns:ns0="},
        {b"<w:": b"<", b"</w:": b"</", b"xmlns:w=": b"xmlns="},
    ],
    ids=["strict", "other prefix", "no prefix"],
)
def test_any_way_to_write_the_namespace_is_read(change: Mapping[bytes, bytes]) -> None:
    """Strict documents, and those of programs that choose their own prefixes."""
    content = rewritten(document(paragraph(run("found")), paragraph(run("w: kept"))), change)
    assert [line for line in extract_text(content, ".docx").split("\n") if line] == ["found", "w: kept"]


def test_utf16_is_read() -> None:
    """XML may be in UTF-16."""
    body = '<?xml version="1.0" encoding="UTF-16"?>' + part("document", f"<w:body>{paragraph(run('found ö'))}</w:body>")
    content = document(more={"word/document.xml": body.encode("utf-16")})
    assert extract_text(content, ".docx") == "found ö\n"


def test_entities_are_refused_in_every_part() -> None:
    """Declared entities are refused in the body and in what is around it."""
    bomb = '<!DOCTYPE x [<!ENTITY a "aa">]>' + part("hdr", paragraph(run("&a;")))
    for content in (
        document(more={"word/document.xml": bomb}),
        document(paragraph(run("text")), related=[("header", "h.xml")], more={"word/h.xml": bomb}),
    ):
        with pytest.raises(ItemError) as refused:
            extract(content, file_name="a.docx")
        assert refused.value.reason == "unsafe_xml"


def test_a_damaged_part_does_not_lose_the_text() -> None:
    """A header or a chart that cannot be read is named in a finding."""
    content = document(paragraph(run("whole")), related=[("header", "h.xml")], more={"word/h.xml": "<w:hdr"})
    extraction = extract(content, file_name="a.docx")
    assert extraction.markdown == "whole\n"
    assert [finding.code for finding in extraction.validation] == ["part_missing"]


def alternatives(choice: str, fallback: str) -> str:
    return (
        '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
        f'<mc:Choice Requires="wps">{choice}</mc:Choice><mc:Fallback>{fallback}</mc:Fallback></mc:AlternateContent>'
    )


def test_of_alternative_paragraphs_one_is_shown() -> None:
    """Of whole paragraphs the first alternative is read, the other where that one is blank; nested ones as well."""
    text = extract_text(
        document(
            paragraph(run("before")),
            alternatives(paragraph(run("new")), paragraph(run("old"))),
            alternatives(paragraph(), paragraph(run("only"))),
            alternatives(alternatives(paragraph(run("inner")), paragraph(run("lost"))), paragraph(run("outer"))),
            paragraph(run("after")),
        ),
        ".docx",
    )
    assert text.split() == ["before", "new", "only", "inner", "after"]


@pytest.mark.parametrize(
    "written",
    [
        *(
            r"C:\temp, \\server\share, \*, \!",
            "Hello! a<b> `c` ~d~ x&y &amp;",
            "1. typed",
            "+ plus",
            "a! b.",
            r"\1. x\.y",
        ),
        *("http://a_b.example/~u/", "see <http://a.example>"),
    ],
)
def test_texts_read_as_they_are_written(written: str) -> None:
    """No sign within a line has a backslash before it that the document has not, in emphasis and cells as well."""
    shown = written.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    content = document(
        paragraph(run(shown)), paragraph(run(f"x {shown}", "<w:b/>")), table("A", "B", f"x {shown}", r"a\\|b | c")
    )
    assert re.split(r"\n{2,}", extract_text(content, ".docx").strip()) == [
        written, f"**x {written}**", f"| A | B |\n| --- | --- |\n| x {written} | a\\\\\\\\\\|b \\| c |",
    ]  # fmt: skip


def test_texts_that_look_like_structure_stay_texts() -> None:
    """Also where they are after a number that somebody typed; names of headings keep angle brackets."""
    fences = (paragraph(run("1. ```")), paragraph(run("text")), paragraph(run("2. ```")))
    name = run(r"Use &lt;b&gt; now! C:\x")
    heading = f'<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr>{name}</w:p>'
    extraction = extract(document(heading, *fences, paragraph(run("&lt;pre&gt;"))), file_name="a.docx")
    assert {block.kind for block in split_blocks(extraction.markdown)} == {"heading", "text"}
    assert extraction.title == "Use <b> now! C:\\x"


def link(text: str) -> str:
    return f'<w:hyperlink r:id="site">{run(text)}</w:hyperlink>'


BOLD, LIST_ITEM = "<w:b/>", '<w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr>'
QUOTE, HEADING = (f'<w:pPr><w:pStyle w:val="{name}"/></w:pPr>' for name in ("Quote", "Heading1"))


def lines_of(*blocks: str) -> list[str]:
    """Return the lines of a document whose links go to ``s:x``."""
    related = f'<Relationship Id="site" Type="{R}/hyperlink" Target="s:x" TargetMode="External"/></Relationships>'
    content = document(*blocks, related=[("styles", "styles.xml")])
    content = rewritten(content, {b"</Relationships>": related.encode()})
    return [line for line in extract_text(content, ".docx").split("\n") if line and line != "| --- |"]


@pytest.mark.parametrize(
    ("runs", "shown"),
    [
        ((run("Look!"), link("site")), r"Look\![site](s:x)"),
        ((run("\\!"), link("site")), r"\\\![site](s:x)"),
        ((run("see ![x](y)"),), r"see \![x](y)"),
        ((run("C:\\dir\\"), link("site")), r"C:\dir\\[site](s:x)"),
    ],
)
def test_signs_before_a_link_do_not_take_it(runs: Sequence[str], shown: str) -> None:
    """It becomes no image and loses no bracket, in a cell as well."""
    cell = f"<w:tbl><w:tr><w:tc>{paragraph(*runs)}</w:tc></w:tr></w:tbl>"
    assert lines_of(paragraph(*runs), cell) == [shown, f"| {shown} |"]


@pytest.mark.parametrize(
    ("runs", "shown"),
    [
        ((run("C:\\"), run("bold", BOLD)), r"C:\\**bold**"),
        ((run("C:\\\\"), run("in", "<w:i/>")), r"C:\\\\*in*"),
        ((run("C:\\", BOLD), run(" x")), r"**C:\\** x"),
        ((run("C:\\"), run("gone", "<w:strike/>")), r"C:\\~~gone~~"),
        ((link("C:\\"), run(" x")), r"[C:\\](s:x) x"),
        ((run(r"\*x\* \[0-9\] \_ \("),), r"\*x\* \[0-9\] \_ \("),
    ],
)
def test_a_backslash_at_the_end_of_a_text_takes_no_mark(runs: Sequence[str], shown: str) -> None:
    """It is doubled only where a mark of emphasis or of a link is after it."""
    assert lines_of(paragraph(*runs)) == [shown]


@pytest.mark.parametrize(
    "line",
    [
        "<?php echo 1",
        "<![CDATA[ x",
        "<!DOCTYPE html>",
        "<div>",
        "</td> x",
        "<table><tr>",
        '<x-y a="b>c">',
        "<script>",
        "<!-- x",
    ],
)
def test_a_line_that_begins_raw_html_is_text(line: str) -> None:
    """Also in a list and in a quote; what is within a line stays."""
    shown = run(escape(line))
    blocks = (paragraph(shown), paragraph(LIST_ITEM, shown), paragraph(QUOTE, shown))
    assert lines_of(*blocks, paragraph(run("x "), shown)) == [f"\\{line}", f"- \\{line}", f"> \\{line}", f"x {line}"]


@pytest.mark.parametrize("line", ["<http://a.example>", "<b>bold</b> text", "<a@b.example> wrote", "< 5"])
def test_a_line_that_begins_no_raw_html_has_no_backslash(line: str) -> None:
    """Addresses and tags within a text begin no block."""
    assert lines_of(paragraph(run(escape(line)))) == [line]


def test_texts_of_quotes_are_no_structure() -> None:
    """A fence or a heading in a quote would be one; the quote stays."""
    texts = ("```", "# x", "> x", "words")
    blocks = [paragraph(QUOTE, run(escape(text))) for text in texts]
    assert lines_of(*blocks) == ["> \\```", "> \\# x", "> \\> x", "> words"]


def test_items_of_lists_keep_their_first_words() -> None:
    """A number or a dash that is typed at the start of an item is no mark of the list."""
    texts = ("2024. a year", "1. in item", "3) three", "- dashed", "* star", "|---|---|")
    items = [paragraph(LIST_ITEM, run(text)) for text in texts]
    split = paragraph(LIST_ITEM, run("2025"), run(". next"))
    assert lines_of(*items, split) == [*(f"- {text}" for text in texts[:-1]), "- \\|---|---|", "- 2025. next"]


def test_a_heading_keeps_the_sign_at_its_end() -> None:
    """``#`` there would close the heading."""
    content = document(paragraph(HEADING, run("Learning C #")), paragraph(run("words")))
    assert extract(content, file_name="a.docx").title == "Learning C #"


def test_paragraphs_in_bold_are_paragraphs() -> None:
    """However many follow each other."""
    names = ("Chapter one", "Chapter two", "# three")
    assert lines_of(*(paragraph(run(name, BOLD)) for name in names)) == [f"**{name}**" for name in names]


def test_hidden_text_is_left_out() -> None:
    """Runs that are formatted as hidden are neither shown nor printed; one that says it is not hidden is."""
    hidden = "<w:b/><w:vanish/>"
    text = extract_text(
        document(
            paragraph(run("shown "), run("secret", hidden), run("too", '<w:vanish w:val="0"/>')),
            f"<w:p><w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr>{run('mark')}</w:p>",
            paragraph(run("secret", '<w:vanish w:val="true"/>'), run("end")),
        ),
        ".docx",
    )
    assert text == "shown too\n\nmark\n\nend\n"


def test_hidden_text_of_headers_is_left_out() -> None:
    """Headers and notes hide what the body would hide."""
    header = part("hdr", paragraph(run("Company "), run("secret", "<w:vanish/>")))
    content = document(paragraph(run("body")), related=[("header", "header1.xml")], more={"word/header1.xml": header})
    assert extract_text(content, ".docx") == "body\n\n## Header\n\nCompany\n"


def table(*cells: str) -> str:
    """Return a table of two rows and two columns; a cell is a text or blocks."""
    made = [f"<w:tc>{cell if cell.startswith('<') else paragraph(run(cell))}</w:tc>" for cell in cells]
    return f"<w:tbl><w:tr>{''.join(made[:2])}</w:tr><w:tr>{''.join(made[2:])}</w:tr></w:tbl>"


def box(inside: str) -> str:
    return f"<w:r><w:pict><v:textbox><w:txbxContent>{inside}</w:txbxContent></v:textbox></w:pict></w:r>"


def test_cells_of_headers_span_their_columns() -> None:
    """A cell over two columns of a header leaves the next one in its own."""
    wide = f'<w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr>{paragraph(run("A"))}</w:tc>'
    cells = [f"<w:tc>{paragraph(run(cell))}</w:tc>" for cell in "B123"]
    rows = f"<w:tbl><w:tr>{wide}{cells[0]}</w:tr><w:tr>{''.join(cells[1:])}</w:tr></w:tbl>"
    content = document(paragraph(run("b")), related=[("header", "h.xml")], more={"word/h.xml": part("hdr", rows)})
    assert extract_text(content, ".docx").endswith("| A |  | B |\n| --- | --- | --- |\n| 1 | 2 | 3 |\n")


def test_text_boxes_are_below_their_paragraphs() -> None:
    """Their paragraphs and tables are apart, boxes in boxes as well, alternatives once, deleted ones not at all."""
    rows = table("A", "B", "1", "2")
    inside = paragraph(run("one")) + paragraph(run("two"), box(rows))
    drawn = f"<w:drawing><w:txbxContent>{inside}</w:txbxContent></w:drawing>"
    older = box(inside).removeprefix("<w:r>").removesuffix("</w:r>")
    deleted = f'<w:del w:id="1" w:author="Ann">{box(paragraph(run("gone")))}</w:del>'
    content = document(
        paragraph(run("before "), f"<w:r>{alternatives(drawn, older)}</w:r>", deleted, run("it")),
        rows,
        table("X", "Y", paragraph(run("cell"), box(rows)), "Z"),
    )
    assert re.split(r"\n{2,}", extract_text(content, ".docx").strip()) == [
        "before it", "one", "two", "| A | B |\n| --- | --- |\n| 1 | 2 |", "| A | B |\n| --- | --- |\n| 1 | 2 |",
        "| X | Y |\n| --- | --- |\n| cell A B 1 2 | Z |",
    ]  # fmt: skip


def test_text_boxes_whose_marks_do_not_match_lose_no_word() -> None:
    """A body that is cut short is read as far as it goes."""
    assert with_boxes_below("<w:p>a<w:txbxContent><w:p>b</w:p>") == "<w:p>a<w:txbxContent><w:p>b</w:p>"
    assert with_boxes_below("<w:p>a</w:txbxContent></w:p>") == "<w:p>a</w:txbxContent></w:p>"
    assert with_boxes_below("a<w:txbxContent>b</w:txbxContent>c") == "a<w:txbxContent></w:txbxContent>cb"


def test_tables_around_the_text_are_tables() -> None:
    """In comments, notes, headers and boxes in them a table is one, with what is above and below it apart."""
    comments = (
        f'<w:comment w:id="0" w:author="Ann">{paragraph(run("see"))}{table("A", "# B", "1", "2")}'
        f'{paragraph(run("end"))}</w:comment><w:comment w:id="1" w:author="Bo">{paragraph(run("next"))}</w:comment>'
    )
    below = paragraph(run("below"))
    note = f'<w:footnote w:id="2">{paragraph(run("note"))}{table("C", "D", "3", "4")}{below}</w:footnote>'
    mark = '<w:r><w:footnoteReference w:id="2"/></w:r>'
    text = extract_text(
        document(
            paragraph(run("body"), mark),
            related=[("comments", "c.xml"), ("footnotes", "n.xml"), ("header", "h.xml")],
            more={
                "word/c.xml": part("comments", comments),
                "word/n.xml": part("footnotes", note),
                "word/h.xml": part("hdr", paragraph(box(table("E", "F", "5", "6")))),
            },
        ),
        ".docx",
    )
    assert re.split(r"\n{2,}", text.strip()) == [
        "body[^1]", "[^1]: note", "    | C | D |\n    | --- | --- |\n    | 3 | 4 |", "    below", "## Header",
        "| E | F |\n| --- | --- |\n| 5 | 6 |", "## Comments", "- Ann: see",
        "  | A | # B |\n  | --- | --- |\n  | 1 | 2 |", "  end\n- Bo: next",
    ]  # fmt: skip
