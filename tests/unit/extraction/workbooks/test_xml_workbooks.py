"""OpenDocument spreadsheets, packaged and flat, and SpreadsheetML: cells as shown, notes, shapes, damage."""

from __future__ import annotations

import pytest

from ingest_tui.extraction.intake.sniffing import sniff
from ingest_tui.extraction.parse import extract
from ingest_tui.model.errors import ItemRejectedError
from ingest_tui.model.extraction import Extraction
from tests.made_files import zip_bytes

_NAMES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
    for short, long in (
        ("office", "office"),
        ("text", "text"),
        ("table", "table"),
        ("draw", "drawing"),
        ("style", "style"),
        ("chart", "chart"),
    )
)
_NAMES += ' xmlns:xlink="http://www.w3.org/1999/xlink"'
_KIND = "application/vnd.oasis.opendocument.spreadsheet"


def ods(tables: str, styles: str = "", more: dict[str, bytes] | None = None) -> bytes:
    body = f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
    content = f"<office:document-content {_NAMES}>{styles}{body}</office:document-content>"
    return zip_bytes({"mimetype": _KIND, "content.xml": content, **(more or {})})


def read(content: bytes, file_name: str = "a.ods") -> Extraction:
    return extract(content, file_name=file_name)


def cell(shown: str, kind: str = "string", more: str = "") -> str:
    return f'<table:table-cell office:value-type="{kind}" {more}><text:p>{shown}</text:p></table:table-cell>'


def table(*rows: str, name: str = "Stock") -> str:
    return (
        f'<table:table table:name="{name}">'
        + "".join(f"<table:table-row>{row}</table:table-row>\n" for row in rows)
        + "</table:table>"
    )


def test_cells_are_shown_as_in_the_program() -> None:
    """Numbers have their format, errors stay, dates are in ISO form, repeated and covered cells keep the columns."""
    first = cell("00420", "float", 'office:value="420"') + cell("12,5 %", "percentage", 'office:value="0.125"')
    second = cell("#N/A") + cell("19.02.14", "date", 'office:date-value="2014-02-19T14:30:00"')
    third = (
        cell("same", more='table:number-columns-repeated="2"')
        + "<table:covered-table-cell/>"
        + cell("x<text:s text:c='2'/>y")
    )
    fourth = '<table:table-cell office:value-type="float" office:value="7"/>\n'
    fourth += '<table:table-cell table:number-columns-repeated="16000"/>'
    lines = read(ods(table(first, second, third, fourth))).markdown.splitlines()
    assert [line.replace(" ", "") for line in lines[2:]] == [
        "|00420|12,5%||",
        "|---|---|---|",
        "|#N/A|2014-02-1914:30:00||",
        "|same|same|xy|",
        "|7|||",
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ('office:value-type="float" office:value="0.0"', "0"),
        ('office:value-type="float" office:value="-12.50"', "-12.50"),
        ('office:value-type="float" office:value="12345678901234567890.0"', "12345678901234567890"),
        ('office:value-type="time" office:time-value="PT26H00M05S"', "26:00:05"),
        ('office:value-type="time" office:time-value="PT1H"', "1:00:00"),
        ('office:value-type="boolean" office:boolean-value="false"', "false"),
        ('office:value-type="string" office:string-value="1.0"', "1.0"),
    ],
)
def test_values_without_a_text_are_shown_like_those_of_other_sheets(value: str, shown: str) -> None:
    """Programs that write sheets leave the text of a cell out: whole numbers have no point, spans are no codes."""
    read_table = read(ods(table(cell("name") + cell("value"), cell("a") + f"<table:table-cell {value}/>"))).markdown
    assert read_table.splitlines()[-1] == f"| a | {shown} |"


def test_notes_shapes_and_chart_titles_are_read() -> None:
    """Comments come with their cell, text of shapes and charts after the table, and deleted cells not at all."""
    note = "<office:annotation><text:p>check</text:p></office:annotation>"
    noted = f"<table:table-cell>{note}<text:p>Name</text:p></table:table-cell>"
    shapes = (
        "<table:shapes><draw:custom-shape><text:p>Read me</text:p></draw:custom-shape>"
        '<draw:frame><draw:object xlink:href="./Object 1"/></draw:frame></table:shapes>'
    )
    deleted = f"<table:tracked-changes>{cell('secret')}</table:tracked-changes>"
    chart = b"<c><chart:title><text:p>Apples &amp; <text:span>pears</text:span></text:p></chart:title></c>"
    content = ods(
        deleted + table(noted).replace("<table:table-row>", shapes + "<table:table-row>", 1),
        more={"Object 1/content.xml": chart},
    )
    markdown = read(content).markdown
    assert "- A1: check" in markdown
    assert "Read me\n\nApples & pears" in markdown
    assert "secret" not in markdown


def test_hidden_sheets_are_named() -> None:
    """A sheet whose style hides it is taken all the same, with a finding."""
    styles = '<style:style style:name="ta2"><style:table-properties table:display="false"/></style:style>'
    hidden = table(cell("pears"), name="Secret").replace("table:name", 'table:style-name="ta2" table:name')
    extraction = read(ods(table(cell("apples")) + hidden, styles))
    assert [one.code for one in extraction.validation] == ["sheet_hidden"]
    assert "pears" in extraction.markdown


def test_spreadsheet_cut_short_is_read_as_far_as_it_goes() -> None:
    """What comes before broken XML is kept, and a finding says so."""
    extraction = read(ods(table(cell("apples")) + "<table:table><broken"))
    assert "apples" in extraction.markdown
    assert [(one.severity, one.code) for one in extraction.validation] == [("error", "sheet_unreadable")]


def test_endless_repeats_are_refused() -> None:
    """A row of filled cells that is repeated beyond the limit of a sheet is refused before it is written out."""
    filled = cell("x", more='table:number-columns-repeated="16384"')
    row = f'<table:table-row table:number-rows-repeated="1048576">{filled}</table:table-row>'
    with pytest.raises(ItemRejectedError) as caught:
        read(ods(f'<table:table table:name="a">{row}</table:table>'))
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("spreadsheet", "fods"), ("text", "fodt"), ("presentation", "fodp"), ("graphics", "fodg")],
)
def test_flat_documents_are_recognised_by_their_bytes(kind: str, expected: str) -> None:
    """A flat OpenDocument is one under the name of any XML file too, and that name is no wrong one."""
    names = " ".join(f'xmlns:n{at}="urn:some:long:name:of:a:namespace:{at}"' for at in range(200))
    flat = (
        f'<?xml version="1.0"?>\n<office:document {names} office:mimetype="application/vnd.oasis.opendocument.{kind}">'
    )
    assert [(one.format.name, one.findings) for one in [sniff(flat.encode(), "xml")]] == [(expected, [])]


def test_spreadsheetml_is_read_by_its_formats() -> None:
    """Places, formats, errors, dates, merged headers and comments of a workbook of Excel 2003 are read."""
    row = (
        '<Row ss:Index="3"><Cell ss:StyleID="s1"><Data ss:Type="Number">420</Data></Cell>'
        '<Cell ss:Index="3" ss:StyleID="s2"><Data ss:Type="Number">0.125</Data></Cell>'
        '<Cell><Data ss:Type="Error">#N/A</Data><Comment><Data>why<B>?</B></Data></Comment></Cell>'
        '<Cell><Data ss:Type="DateTime">2014-02-19T14:30:00.000</Data></Cell></Row>'
    )
    merged = '<Cell ss:MergeAcross="1"><Data ss:Type="String">Sum</Data></Cell>'
    header = f'<Row><Cell><Data ss:Type="String">Name</Data></Cell>{merged}</Row>'
    styles = (
        '<Styles><Style ss:ID="s1"><NumberFormat ss:Format="00000"/></Style>'
        '<Style ss:ID="s2"><NumberFormat ss:Format="Percent"/></Style></Styles>'
    )
    name = "urn:schemas-microsoft-com:office:spreadsheet"
    sheet = f'<Worksheet ss:Name="Stock"><Table>{header}{row}</Table></Worksheet>'
    content = f'<?xml version="1.0"?>\n<Workbook xmlns="{name}" xmlns:ss="{name}">{styles}{sheet}</Workbook>'
    extraction = read(content.encode(), "a.xls")
    assert extraction.markdown.splitlines()[2:] == [
        "| Name | Sum | Sum |  |  |",
        "| --- | --- | --- | --- | --- |",
        "| 00420 |  | 12.50% | #N/A | 2014-02-19 14:30:00 |",
        "",
        "### Comments",
        "",
        "- D3: why?",
    ]


def test_declared_entities_are_refused() -> None:
    """A spreadsheet that declares entities is refused, packaged, flat or of Excel 2003."""
    declared = '<!DOCTYPE x [<!ENTITY a "b">]>'
    for content in (
        zip_bytes({"mimetype": _KIND, "content.xml": f"{declared}<a/>"}),
        f'<?xml version="1.0"?>{declared}<office:document office:mimetype="{_KIND}"/>'.encode(),
        f'<?xml version="1.0"?>{declared}<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>'.encode(),
    ):
        with pytest.raises(ItemRejectedError) as caught:
            read(content, "a.xml")
        assert caught.value.reason == "unsafe_xml"
