"""Tables whose head is several rows: one row names the columns, in every format that says which rows are its head."""

from __future__ import annotations

import pytest

from ingest_tui.extraction.markup.table_heads import HEAD_MARK, MOST_HEAD_ROWS, with_joined_heads, with_marked_heads
from ingest_tui.extraction.parse import extract_text
from ingest_tui.model.chunking import split_into_chunks
from tests.made_files import zip_bytes

HEAD = "| Town | People men | People women |\n| --- | --- | --- |\n"
ROWS = 200
HTML_HEAD = "<tr><th rowspan=2>Town<th colspan=2>People<tr><th>men<th>women"
HTML_ROWS = "<tr><td>Aa<td>1<td>2" * ROWS
RST_HEAD = """\
+------+-----------+
| Town | People    |
|      +-----+-----+
|      | men |women|
+======+=====+=====+
"""
RST_SIMPLE = """\
===== ====== ======
Town  People
----- -------------
\\     men    women
===== ====== ======
"""
CALS_HEAD = """
<colspec colname="a"/><colspec colname="b"/><colspec colname="c"/><spanspec spanname="s" namest="b" nameend="c"/>
<thead><row><entry morerows="7">Town</entry><entry spanname="s">People</entry></row>
<row><entry>men</entry><entry>women</entry></row></thead>"""
OFFICE = "urn:oasis:names:tc:opendocument:xmlns"


def word(head: str) -> bytes:
    def row(*cells: str, of_head: str = "") -> str:
        return f"<w:tr>{of_head}{''.join(f'<w:tc>{cell}</w:tc>' for cell in cells)}</w:tr>"

    def text(words: str) -> str:
        return f"<w:p><w:pPr/><w:r><w:t>{words}</w:t></w:r></w:p>"

    spans = '<w:tcPr><w:vMerge w:val="restart"/></w:tcPr>', '<w:tcPr><w:gridSpan w:val="2"/></w:tcPr>'
    rows = [
        row(spans[0] + text("Town"), spans[1] + text("People"), of_head=head),
        row("<w:tcPr><w:vMerge/></w:tcPr><w:p/>", text("men"), text("women"), of_head=head),
        *[row(text("Aa"), text("1"), text("2"))] * ROWS,
    ]
    namespace = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = f'<w:document xmlns:w="{namespace}"><w:body><w:tbl>{"".join(rows)}</w:tbl></w:body></w:document>'
    return zip_bytes({"[Content_Types].xml": "<Types/>", "word/document.xml": body})


def opendocument() -> bytes:
    def row(*cells: str) -> str:
        inner = "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in cells)
        return f"<table:table-row>{inner}</table:table-row>"

    heads = f"<table:table-header-rows>{row('Town', 'People', '')}{row('', 'men', 'women')}</table:table-header-rows>"
    return (
        f'<office:document xmlns:office="{OFFICE}:office:1.0" xmlns:table="{OFFICE}:table:1.0"'
        f' xmlns:text="{OFFICE}:text:1.0"'
        f' office:mimetype="application/vnd.oasis.opendocument.text"><office:body><office:text><table:table>{heads}'
        f"{row('Aa', '1', '2') * ROWS}</table:table></office:text></office:body></office:document>"
    ).encode()


MADE: dict[str, bytes | str] = {
    "thead.html": f"<table><thead>{HTML_HEAD}</thead><tbody>{HTML_ROWS}</table>",
    "th.html": f"<table>{HTML_HEAD}{HTML_ROWS}</table>",
    "grid.rst": RST_HEAD + "| Aa   | 1   | 2   |\n+------+-----+-----+\n" * ROWS,
    "simple.rst": RST_SIMPLE + "Aa    1      2\n" * ROWS + "===== ====== ======\n",
    "list.rst": ".. list-table::\n   :header-rows: 2\n\n"
    "   * - Town\n     - People\n     -\n   * -\n     - men\n     - women\n" + "   * - Aa\n     - 1\n     - 2\n" * ROWS,
    "csv.rst": ".. csv-table::\n   :header: Town,People,\n   :header-rows: 1\n\n   ,men,women\n" + "   Aa,1,2\n" * ROWS,
    "a.org": "| Town | People | |\n| | men | women |\n|---+---+---|\n" + "| Aa | 1 | 2 |\n" * ROWS,
    "a.xml": f"<article><table><tgroup>{CALS_HEAD}<tbody>"
    + "<row><entry>Aa</entry><entry>1</entry><entry>2</entry></row>" * ROWS
    + "</tbody></tgroup></table></article>",
    "a.rtf": r"{\rtf1 \trowd\trhdr\cellx1\cellx2\cellx3 Town\cell People\cell\cell\row"
    r"\trowd\trhdr\cellx1\cellx2\cellx3\cell men\cell women\cell\row"
    + r"\trowd\cellx1\cellx2\cellx3 Aa\cell 1\cell 2\cell\row" * ROWS
    + r"\pard after\par}",
    "a.docx": word("<w:trPr><w:tblHeader/></w:trPr>"),
    "a.fodt": opendocument(),
}


@pytest.mark.parametrize("name", MADE)
def test_a_head_of_two_rows_names_the_columns_in_each_piece(name: str) -> None:
    """What is above several columns is in the name of each, and each piece of a long table begins with all names."""
    chunks = split_into_chunks(extract_text(MADE[name], name))
    pieces = [chunk.text for chunk in chunks if "| Aa | 1 | 2 |" in chunk.text]
    assert len(pieces) > 1
    assert all(HEAD in piece for piece in pieces)
    assert sum(piece.count("| Aa | 1 | 2 |") for piece in pieces) == ROWS


def test_rows_that_only_look_like_a_head_stay_rows() -> None:
    """Rows that begin with a heading of their own, tables of headings alone, and heads that are switched off."""
    for rows in ("<tr><th>a<td>1<tr><th>b<td>2", "<tr><th>a<th>b<tr><th>c<th>d", "<tr><th>a<th>b<tr><th>c<td>2"):
        page = f"<table>{rows}</table>"
        assert with_marked_heads(page) == page
    assert "| Town | People |  |\n" in extract_text(word('<w:trPr><w:tblHeader w:val="0"/></w:trPr>'), ".docx")


def test_heads_in_quotations_and_lists_are_joined_where_they_are() -> None:
    """The marks of what a table is in stay before its rows."""
    table = f"<table><thead>{HTML_HEAD}</thead><tr><td>Aa<td>1<td>2</table>"
    quoted = extract_text(f"<blockquote>{table}</blockquote><ul><li>one{table}</ul>", ".html")
    assert "> | Town | People men | People women |\n> | --- | --- | --- |\n> | Aa | 1 | 2 |" in quoted
    assert "  | Town | People men | People women |\n" in quoted
    assert HEAD_MARK not in quoted


TWO_HEADS = "<table><thead><tr><th>k<th>v<tr><th>kk<th>vv</thead><tr><td>1<td>2</table>"


def test_a_row_with_a_table_in_a_cell_is_no_head() -> None:
    """The head of the table within is the text of a cell, and the first row is data, in pages and in Word."""
    for first in ("<td>Alpha", "<td>Left<h2>Title</h2>"):
        page = f"<table><tr><th>Name<th>Detail<tr>{first}<td>{TWO_HEADS}<tr><td>Beta<td>plain</table>"
        lines = [line for line in extract_text(page, ".html").split("\n") if line]
        assert lines[:2] == ["| Name | Detail |", "| --- | --- |"]
        assert lines[2].endswith("k v kk vv 1 2 |")
        assert HEAD_MARK not in "".join(lines)


@pytest.mark.parametrize("section", ["<th colspan=2>Pumps", "<th>Pumps<th>", "<th>Pumps<th>&nbsp;<!-- x -->"])
@pytest.mark.parametrize("part", ["", "<tbody>"])
def test_a_section_right_below_the_head_is_a_row(section: str, part: str) -> None:
    """A row of headings with one text alone names a part of the table, and no columns."""
    page = f"<table>{part}<tr><th>Part</th><th>Qty</th></tr><tr>{section}</tr><tr><td>P1<td>1</table>"
    text = extract_text(page, ".html")
    assert "| Part | Qty |\n| --- | --- |\n| Pumps |" in text
    assert with_marked_heads(page) == page


def test_a_title_of_an_infobox_is_not_one_with_the_section_below() -> None:
    """Two rows of one heading each are a title and a section."""
    page = "<table><tr><th colspan=2>Paris<tr><th colspan=2>Geography<tr><th>Area<td>105 km2</table>"
    assert with_marked_heads(page) == page


def test_a_row_of_fields_in_a_head_is_no_head() -> None:
    """Fields that filter a table, and what is below them, name no columns."""
    filters = "<tr><th><input placeholder=f><th><select><option>All</select>"
    page = f"<table><thead><tr><th>A<th>B{filters}</thead><tr><td>1<td>2</table>"
    assert with_marked_heads(page) == page


def test_one_heading_below_others_that_reach_down_is_a_head() -> None:
    """A row with one text of its own is a head where the cells beside it began above."""
    page = "<table><tr><th rowspan=2>A<th>B<tr><th>C<tr><td>1<td>2</table>"
    assert "| A | B C |\n" in extract_text(page, ".html")


def test_a_rule_of_org_below_values_ends_no_head() -> None:
    """Rows with numbers above the first rule are rows."""
    text = extract_text("| Item | Price |\n| Pump | 10 |\n|---+---|\n| Sum | 10 |\n", "a.org")
    assert text.strip() == "| Item | Price |\n| --- | --- |\n| Pump | 10 |\n| Sum | 10 |"


def test_a_sign_of_equality_in_a_cell_of_a_grid_ends_no_head() -> None:
    """A rule of ``=`` is one over all columns; beside a cell that reaches down there may be a text with the sign."""
    grid = "+---+-----+\n| A | B   |\n+===+=====+\n| x | 1   |\n|   +-----+\n| = | 2   |\n+---+-----+\n"
    part = grid.replace("| x | 1   |\n|   +-----+\n| = | 2   |", "| x | 1   |\n| = +-----+\n| y | 2   |")
    rule = grid.replace("|   +-----+\n| = |", "|   +=====+\n| y |")
    for drawn in (part, rule):
        assert extract_text(drawn, "a.rst").startswith("| A | B |\n| --- | --- |\n| x")


def test_marks_that_a_page_has_itself_make_no_endless_head() -> None:
    """No more rows are joined than a head may have."""
    rows = "".join(f"\n| {HEAD_MARK}b{at} |" for at in range(9))
    names, _, *data = with_joined_heads(f"| a |\n| --- |{rows}").split("\n")
    assert names == "| a b0 b1 b2 |"
    assert data == [f"| b{at} |" for at in range(MOST_HEAD_ROWS - 1, 9)]
