"""XLSX: what a person sees in and around the cells, and workbooks that are damaged in part."""

from __future__ import annotations

import time

import pytest

from ingest_tui.extraction.parse import extract
from ingest_tui.model.extraction import Extraction
from tests.made_files import relations, sheet_row, workbook

SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
CODES = ["General", "00000", "0.0%", "[$€-407] #,##0.00", "[<1]0%;yyyy\\-mm\\-dd", "yyyy\\-mm\\-dd", ";;;"]


def read(content: bytes) -> Extraction:
    return extract(content, file_name="a.xlsx")


def styled(rows: str, codes: list[str]) -> bytes:
    """Return a workbook of one sheet whose cell styles have these format codes."""
    formats = "".join(f'<numFmt numFmtId="{200 + at}" formatCode="{_quoted(code)}"/>' for at, code in enumerate(codes))
    styles = "".join(f'<xf numFmtId="{200 + at}"/>' for at in range(len(codes)))
    xml = f'<styleSheet xmlns="{SHEETS}"><numFmts>{formats}</numFmts><cellXfs>{styles}</cellXfs></styleSheet>'
    related = relations(("worksheet", "worksheets/sheet1.xml"), ("styles", "styles.xml"))
    return workbook({"Stock": rows}, more={"xl/styles.xml": xml.encode(), "xl/_rels/workbook.xml.rels": related})


def _quoted(code: str) -> str:
    return code.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def number(reference: str, style: int, value: str, formula: str = "") -> str:
    return f'<c r="{reference}" s="{style}">{formula}<v>{value}</v></c>'


def test_error_values_stay() -> None:
    """An error is what the cell shows: neither blank nor left out, with a formula or not, alone in its sheet too."""
    errors = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A")
    rows = "".join(
        f'<row r="{at}"><c r="A{at}" t="e"><f>1/0</f><v>{error}</v></c><c r="B{at}" t="e"><v>{error}</v></c></row>'
        for at, error in enumerate(errors, 1)
    )
    lines = read(workbook({"Stock": rows})).markdown.splitlines()
    assert [line for line in lines if "#" in line and "Stock" not in line] == [f"| {one} | {one} |" for one in errors]


def test_numbers_are_shown_as_formatted() -> None:
    """Leading zeros, percent, currencies and conditional dates are what a person sees; hidden numbers are kept."""
    values = ("420.5", "420", "0.125", "1234.5", "45000", "45000", "7")
    cells = "".join(number(f"{chr(65 + at)}2", at, value) for at, value in enumerate(values))
    header = sheet_row(1, *(f"c{at}" for at in range(len(values))))
    line = read(styled(f'{header}<row r="2">{cells}</row>', CODES)).markdown.splitlines()[-1]
    assert line == "| 420.5 | 00420 | 12.5% | € 1,234.50 | 2023-03-15 | 2023-03-15 | 7 |"


def test_formatted_formula_and_prefixed_tags() -> None:
    """A formula's value is shown by its format, whatever prefix and order of attributes a program writes."""
    rows = f'<row r="1">{number("A1", 1, "7", "<f>3+4</f>")}<c s="2" t="n" r="B1"><v>0.5</v></c></row>'
    assert "| 00007 | 50.0% |" in read(styled(rows, CODES)).markdown


def test_cells_that_do_not_say_where_they_are() -> None:
    """Cells and rows without a reference follow one another; what they show is shown."""
    rows = '<row><c t="inlineStr"><is><t>Name</t></is></c><c s="1"><v>7</v></c></row>'
    rows += '<row><c/><c t="e"><v>#N/A</v></c></row>'
    assert read(styled(rows, CODES)).markdown.splitlines()[2::2] == ["| Name | 00007 |", "|  | #N/A |"]


def test_notes_and_threads_are_read_once() -> None:
    """Comments come with their cell; the copy of a thread for older programs is left out."""
    copy = "[Threaded comment] Your version of Excel allows you to read this threaded comment; Comment: ripe?"
    notes = (
        f'<comments xmlns="{SHEETS}"><commentList><comment ref="A1"><text><r><t>check </t></r><r><t>this</t></r></text>'
        f'</comment><comment ref="B2"><text><t>{copy}</t></text></comment></commentList></comments>'
    )
    threads = '<ThreadedComments><threadedComment ref="B2"><text>ripe?</text></threadedComment></ThreadedComments>'
    more = {
        "xl/notes.xml": notes.encode(),
        "xl/threads.xml": threads.encode(),
        "xl/worksheets/_rels/sheet1.xml.rels": relations(
            ("comments", "../notes.xml"), ("threadedComment", "/xl/threads.xml")
        ),
    }
    markdown = read(workbook({"Stock": sheet_row(1, "Name", "Amount")}, more=more)).markdown
    assert "- A1: check this" in markdown
    assert markdown.count("ripe?") == 1
    assert "Your version of Excel" not in markdown


def test_text_boxes_charts_and_headers_are_read() -> None:
    """Text boxes, titles of charts and page headers are read, also those of a sheet without cells."""
    paragraph = f'<a:p xmlns:a="{DRAWING}"><a:r><a:t>{{}}</a:t></a:r><a:r><a:t>{{}}</a:t></a:r></a:p>'
    box = f"<d><sp><txBody>{paragraph.format('Read ', 'me')}</txBody></sp></d>"
    chart = f"<c><chart><title>{paragraph.format('Apples by', ' year')}</title></chart></c>"
    sheet = (
        f'<worksheet xmlns="{SHEETS}"><sheetData/><headerFooter><oddHeader>&amp;L&amp;"Arial"&amp;8Secret plan'
        "</oddHeader><oddFooter>&amp;P</oddFooter></headerFooter></worksheet>"
    )
    more = {
        "xl/worksheets/sheet1.xml": sheet.encode(),
        "xl/worksheets/_rels/sheet1.xml.rels": relations(("drawing", "../drawings/d.xml")),
        "xl/drawings/d.xml": box.encode(),
        "xl/drawings/_rels/d.xml.rels": relations(("chart", "../charts/c.xml"), ("diagramData", "../diagrams/d.xml")),
        "xl/diagrams/d.xml": f"<m><pt><t>{paragraph.format('First', ' step')}</t></pt></m>".encode(),
        "xl/charts/c.xml": chart.encode(),
    }
    markdown = read(workbook({"Stock": ""}, more=more)).markdown
    assert markdown == "## Stock\n\n### Other text\n\nSecret plan\n\nRead me\n\nApples by year\n\nFirst step\n"


def test_merged_headers_are_repeated() -> None:
    """A heading over several columns is the heading of each; a title alone in its row is written once."""
    rows = (
        sheet_row(1, "Harvest")
        + '<row r="2"><c r="A2" t="inlineStr"><is><t>Name</t></is></c><c r="B2" t="inlineStr"><is><t>2025</t></is></c>'
        '<c r="D2" t="inlineStr"><is><t>2026</t></is></c><c r="E2"/></row>'
        + sheet_row(3, "", "kg", "tons", "kg", "tons")
    )
    merged = '<mergeCells><mergeCell ref="A1:E1"/><mergeCell ref="B2:C2"/><mergeCell ref="D2:E2"/></mergeCells>'
    sheet = f'<worksheet xmlns="{SHEETS}"><sheetData>{rows}</sheetData>{merged}</worksheet>'
    lines = read(workbook({"Stock": ""}, more={"xl/worksheets/sheet1.xml": sheet.encode()})).markdown.splitlines()
    assert lines[2:] == [
        "Harvest",
        "",
        "| Name | 2025 | 2025 | 2026 | 2026 |",
        "| --- | --- | --- | --- | --- |",
        "|  | kg | tons | kg | tons |",
    ]


def test_sheet_cut_short_is_read_as_far_as_it_goes() -> None:
    """The rows before the damage are kept, and a finding names the sheet; the other sheets are whole."""
    whole = sheet_row(1, "Name", "Amount") + sheet_row(2, "apples", "12")
    extraction = read(workbook({"Stock": whole, "Broken": whole + '<row r="3"><c r="A3"><v>5</v></row>'}))
    assert extraction.markdown.count("| apples | 12 |") == 2
    assert "| 5 |" in extraction.markdown
    assert [one.code for one in extraction.validation] == ["sheet_unreadable"]


@pytest.mark.parametrize("kind", ["xlMacrosheet", "xlIntlMacrosheet"])
def test_macro_sheet_does_not_lose_the_workbook(kind: str) -> None:
    """An Excel 4 macro sheet, which the library knows nothing of, leaves the other sheets readable."""
    related = relations(("worksheet", "worksheets/sheet1.xml"), (kind, "macrosheets/sheet1.xml"))
    more = {"xl/_rels/workbook.xml.rels": related, "xl/macrosheets/sheet1.xml": b"<xm:macrosheet/>"}
    strings = '<row r="1"><c t="b"><v>1</v></c><c t="str"><v>a&amp;b</v></c><c><v>4232.240000000001</v></c></row>'
    extraction = read(workbook({"Stock": strings, "Macro": ""}, more=more))
    assert "| true | a&b | 4232.24 |" in extraction.markdown
    assert "macros_present" in [one.code for one in extraction.validation]


@pytest.mark.slow
def test_patterns_take_linear_time() -> None:
    """Tags without an end do not make the passes over a sheet slow."""
    for start in (b'<c r="A1" t="e"', b'<c r="A1" t="e"><f>', b"<c ", b"<row ", b'<mergeCell ref="', b"<oddHeader>"):
        started = time.process_time()
        part = b"<worksheet><sheetData>" + start * 200_000
        with pytest.raises(Exception, match=r"no sheet can be read|holds no text"):
            read(workbook({"Stock": ""}, more={"xl/worksheets/sheet1.xml": part}))
        assert time.process_time() - started < 5
