"""OpenDocument texts and presentations: what a person sees in them, and nothing that only the program shows."""

from __future__ import annotations

from textwrap import indent

import pytest

from ingest_tui.extraction.parse import extract, extract_text
from ingest_tui.model.errors import ItemError
from tests.made_files import zip_bytes

SPACES = {
    "office": "office",
    "text": "text",
    "table": "table",
    "draw": "drawing",
    "presentation": "presentation",
    "style": "style",
    "chart": "chart",
    "form": "form",
}
NAMESPACES = " ".join(
    [
        *(f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for short, name in SPACES.items()),
        'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dc="http://purl.org/dc/elements/1.1/"',
    ]
)


def odf(
    kind: str, body: str, *, styles: str = "", master: str = "", more: dict[str, bytes | str] | None = None
) -> bytes:
    """Return an OpenDocument file. ``styles`` are its automatic ones, ``master`` the inside of its master pages."""
    root = "drawing" if kind == "graphics" else kind
    content = (
        f"<office:document-content {NAMESPACES}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:{root}>{body}</office:{root}></office:body></office:document-content>"
    )
    pages = f"<office:master-styles><style:master-page>{master}</style:master-page></office:master-styles>"
    parts: dict[str, bytes | str] = {
        "mimetype": f"application/vnd.oasis.opendocument.{kind}",
        "content.xml": content,
        "styles.xml": f"<office:document-styles {NAMESPACES}>{pages}</office:document-styles>",
    }
    return zip_bytes(parts | (more or {}))


def test_fields_of_forms_show_what_is_in_them() -> None:
    """What is typed, chosen and ticked is where the field is; passwords and other choices are nowhere."""
    fields = (
        '<form:text form:id="f1" form:current-value="Erika"/><form:password form:id="f2" form:value="secret"/>'
        '<form:textarea form:id="f3"><text:p>two</text:p><text:p>lines</text:p></form:textarea>'
        '<form:checkbox form:id="f4" form:label="Agreed" form:current-state="checked"/>'
        '<form:radio form:id="f5" form:label="By post"/><form:fixed-text form:id="f6" form:label="Your name"/>'
        '<form:listbox form:id="f7"><form:option form:label="red"/>'
        '<form:option form:label="blue" form:selected="true"/></form:listbox>'
        '<form:text form:id="f8" form:current-value="in no place"/>'
    )
    shown = (6, 1, 2, 3, 4, 5, 7, 99)
    places = "".join(f'<text:p><draw:control draw:control="f{number}"/></text:p>' for number in shown)
    body = f"<office:forms><form:form>{fields}</form:form></office:forms>{places}"
    assert blocks(odf("text", body)) == [
        "Your name", "Erika", "two\nlines", "- [x] Agreed", "- [ ] By post", "blue",
    ]  # fmt: skip


def test_drawings_are_read_page_by_page() -> None:
    """A drawing has pages as a presentation has slides: shapes, groups, lines with a text, and a table."""
    cell = "<table:table-cell><text:p>cell</text:p></table:table-cell>"
    table = f"<table:table><table:table-row>{cell}</table:table-row></table:table>"
    pages = (
        "<draw:page><draw:g><draw:ellipse><text:p>valve</text:p></draw:ellipse></draw:g></draw:page>"
        f"<draw:page><draw:connector><text:p>pipe</text:p></draw:connector><draw:frame>{table}</draw:frame></draw:page>"
    )
    extraction = extract(odf("graphics", pages), file_name="plan.odg")
    assert " ".join(extraction.markdown.split()) == "## Page 1 valve ## Page 2 pipe | cell | | --- |"
    assert extraction.pages == 2


def blocks(content: bytes, name: str = ".odt") -> list[str]:
    return [block for block in extract_text(content, name).strip().split("\n\n") if block]


def test_paragraphs_are_read_as_they_are_shown() -> None:
    """Spans do not cut words; white space, tabs and breaks are as OpenDocument defines them; titles are headings."""
    body = (
        '<text:p text:style-name="P1">The <text:span>ti</text:span>tle</text:p>'
        '<text:h text:outline-level="2">Chap<text:span>ter</text:span></text:h>'
        '<text:p>Pro<text:span>ject</text:span>X\n   a<text:s text:c="2"/>b<text:line-break/>c</text:p>'
        '<text:p>see <text:a xlink:href="https://example.org/odt">the si<text:span>te</text:span></text:a></text:p>'
        "<text:tracked-changes><text:deletion><text:p>deleted</text:p></text:deletion></text:tracked-changes>"
    )
    styles = '<style:style style:name="P1" style:parent-style-name="Title"/>'
    assert blocks(odf("text", body, styles=styles)) == [
        "# The title",
        "## Chapter",
        "ProjectX a  b\nc",
        "see [the site](https://example.org/odt)",
    ]


def test_lists_have_their_headers_and_numbers() -> None:
    """A list header has no mark; items of a numbered list have their numbers; inner lists are indented."""
    inner = "<text:list><text:list-item><text:p>within</text:p></text:list-item></text:list>"
    second = "<text:list-item><text:p>two</text:p></text:list-item>"
    items = f"<text:list-item><text:p>one</text:p>{inner}</text:list-item>{second}"
    body = (
        f"<text:list><text:list-header><text:p>what to take:</text:p></text:list-header>{items}</text:list><text:p/>"
        f'<text:list text:style-name="L1">{items}</text:list>'
    )
    styles = (
        '<text:list-style style:name="L1"><text:list-level-style-number text:level="1"/>'
        '<text:list-level-style-bullet text:level="2"/></text:list-style>'
    )
    assert blocks(odf("text", body, styles=styles)) == [
        "what to take:\n- one\n  - within\n- two",
        "1. one\n  - within\n2. two",
    ]


def test_headers_notes_and_comments_are_read() -> None:
    """Notes have marks that match, comments their authors, and headers and footers are under headings."""

    def note(kind: str, text: str) -> str:
        return (
            f'<text:note text:note-class="{kind}"><text:note-citation>9</text:note-citation>'
            f"<text:note-body><text:p>{text}</text:p></text:note-body></text:note>"
        )

    comment = (
        "<office:annotation><dc:creator>Ann</dc:creator><dc:date>2026</dc:date>"
        "<text:p>too long</text:p></office:annotation>"
    )
    body = f"<text:p>one{note('footnote', 'below')} two{note('endnote', 'at the end')} com{comment}mented</text:p>"
    master = (
        "<style:header><text:p>Contract 7</text:p></style:header><style:footer><text:p>page 1</text:p></style:footer>"
    )
    assert blocks(odf("text", body, master=master)) == [
        *("one[^1] two[^e1] commented", "[^1]: below", "[^e1]: at the end"),
        *("## Header", "Contract 7", "## Footer", "page 1", "## Comments", "- Ann: too long"),
    ]


def test_boxes_shapes_tables_and_charts_are_read() -> None:
    """Texts in frames and shapes, cells with repeats, and the words of an embedded chart."""
    chart = (
        f"<office:document-content {NAMESPACES}><office:body><office:chart><chart:chart>"
        "<chart:title><text:p>Sales</text:p></chart:title></chart:chart></office:chart></office:body></office:document-content>"
    )
    body = (
        "<text:p>near<draw:frame><draw:text-box><text:p>in a box</text:p></draw:text-box></draw:frame></text:p>"
        "<text:p><draw:g><draw:custom-shape><text:p>in a shape</text:p></draw:custom-shape></draw:g></text:p>"
        '<draw:frame><draw:object xlink:href="./Object 1"/></draw:frame>'
        "<table:table><table:table-header-rows><table:table-row>"
        '<table:table-cell table:number-columns-repeated="2"><text:p>same</text:p></table:table-cell>'
        "</table:table-row></table:table-header-rows><table:table-row><table:table-cell><text:p>a</text:p><text:p>b</text:p>"
        "</table:table-cell><table:covered-table-cell/></table:table-row></table:table>"
    )
    assert blocks(odf("text", body, more={"Object 1/content.xml": chart})) == [
        *("near", "in a box", "in a shape", "Sales", "| same | same |\n| --- | --- |\n| a b |  |"),
    ]


def test_slides_have_their_shapes_and_notes_but_no_prompts() -> None:
    """Each slide is under its title, with its shapes, notes and comments; prompts of the master are not shown."""

    def frame(kind: str, text: str, more: str = "") -> str:
        box = f"<draw:text-box><text:p>{text}</text:p></draw:text-box>"
        return f'<draw:frame presentation:class="{kind}" {more}>{box}</draw:frame>'

    notes = f"<presentation:notes>{frame('notes', 'say this')}{frame('page-number', '1')}</presentation:notes>"
    comment = "<office:annotation><dc:creator>Ann</dc:creator><text:p>shorter</text:p></office:annotation>"
    prompt = 'presentation:placeholder="true"'
    footer = '<presentation:footer-decl presentation:name="f">for internal use</presentation:footer-decl>'
    body = (
        f'{footer}<draw:page draw:name="page1" presentation:use-footer-name="f">{frame("title", "First")}'
        f"<draw:custom-shape><text:p>in a shape</text:p></draw:custom-shape>{notes}{comment}</draw:page>"
        f'<draw:page presentation:use-footer-name="f">{frame("title", "Click to add", prompt)}'
        f"{frame('outline', 'second')}</draw:page>"
    )
    extraction = extract(odf("presentation", body, master=frame("title", "Click to edit")), file_name="a.odp")
    assert extraction.markdown.strip().split("\n\n") == [
        *("## First", "in a shape", "for internal use", "### Notes", "say this", "### Comments", "- Ann: shorter"),
        *("## Slide 2", "second"),
    ]
    assert extraction.pages == 2
    assert extraction.elements[-1].metadata["page_number"] == 2


def test_damage_next_to_the_text_is_a_finding() -> None:
    """Styles that cannot be read cost the headers, not the text; entities are refused."""
    whole = "<text:p>whole</text:p>"
    extraction = extract(odf("text", whole, more={"styles.xml": "<cut"}), file_name="a.odt")
    assert extraction.markdown == "whole\n"
    assert [finding.code for finding in extraction.validation] == ["part_missing"]
    with pytest.raises(ItemError) as refused:
        extract(odf("text", whole, more={"content.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a/>'}), file_name="a.odt")
    assert refused.value.reason == "unsafe_xml"


def test_tables_in_comments_and_notes_are_tables() -> None:
    """A comment or a note with a table has it below its text; what follows is apart."""
    cells = "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in ("# A", "B"))
    table = f"<table:table><table:table-row>{cells}</table:table-row></table:table>"
    note = f"<text:note><text:note-body><text:p>note</text:p>{table}</text:note-body></text:note>"
    comments = "".join(
        f"<office:annotation><dc:creator>{name}</dc:creator><text:p>see</text:p>{inner}</office:annotation>"
        for name, inner in (("Ann", table), ("Bo", ""))
    )
    found = blocks(odf("text", f"<text:p>body{note}{comments}</text:p>"))
    rows = "  | # A | B |\n  | --- | --- |"
    assert [block.strip("\n") for block in found] == [
        "body[^1]", "[^1]: note", indent(rows, "  "), "## Comments", "- Ann: see", rows, "- Bo: see",
    ]  # fmt: skip


def test_tables_in_cells_are_texts_of_them_and_those_in_lists_tables() -> None:
    """No cell holds the marks of a table, and no item the rows of one in a single line."""

    def table(*cells: str) -> str:
        made = [f"<table:table-cell>{cell}</table:table-cell>" for cell in cells]
        rows = (f"<table:table-row>{''.join(row)}</table:table-row>" for row in (made[:2], made[2:]))
        return f"<table:table>{''.join(rows)}</table:table>"

    inner = table(*(f"<text:p>{cell}</text:p>" for cell in "ABC"), '<text:h text:outline-level="1">D</text:h>')
    outer = table("<text:p>X</text:p>", "<text:p>Y</text:p>", f"<text:p>cell</text:p>{inner}", "<text:p>Z</text:p>")
    items = (
        f"<text:list-item><text:p>{item}</text:p>{more}</text:list-item>"
        for item, more in (("one", inner), ("two", ""))
    )
    assert blocks(odf("text", f"{outer}<text:list>{''.join(items)}</text:list>")) == [
        "| X | Y |\n| --- | --- |\n| cell A B C D | Z |",
        "- one", "  | A | B |\n  | --- | --- |\n  | C | D |", "- two",
    ]  # fmt: skip
