"""SpreadsheetML 2003: a workbook of Excel 2002 and later in one XML file."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from ingest_tui.extraction.office.ooxml import attribute, local, parse_xml
from ingest_tui.extraction.workbooks.number_formats import NumberFormat, compile_format
from ingest_tui.extraction.workbooks.sheets import CellAddress, Sheet, SheetDescription, check_size

_MAX_REPEATS = 2**20
_NAMED_FORMATS = {
    "Fixed": "0.00",
    "Standard": "#,##0.00",
    "Percent": "0.00%",
    "Scientific": "0.00E+00",
    "Currency": '"$"#,##0.00',
    "Euro Currency": '"€"#,##0.00',
    "Yes/No": '"Yes";"Yes";"No"',
    "True/False": '"True";"True";"False"',
    "On/Off": '"On";"On";"Off"',
}


class SpreadsheetmlReader:
    """Reads a whole workbook. Raises one of `BROKEN_PART`, or `ItemRejectedError` (``unsafe_xml``)."""

    damage = ""

    def __init__(self, content: bytes) -> None:
        root = parse_xml(content)
        formats = [(attribute(one, "ID"), _format_of(one)) for one in root.iter() if local(one) == "Style"]
        self._formats = {name: shown_as for name, shown_as in formats if shown_as is not None}
        self._tables: dict[str, ET.Element] = {}
        self.sheets: list[SheetDescription] = []
        for one in root:
            if local(one) != "Worksheet":
                continue
            name = attribute(one, "Name")
            visible = next((node.text or "" for node in one.iter() if local(node) == "Visible"), "Visible")
            self._tables[name] = one
            self.sheets.append(SheetDescription(name, visible=visible.replace("Sheet", "") or "Visible"))

    def read(self, name: str, *, everything: bool = True) -> Sheet:
        """Return a sheet with all of its cells."""
        del everything
        sheet = Sheet(name)
        row = -1
        for one in self._tables[name].iter():
            if local(one) != "Row":
                continue
            row = _index(one, row)
            column = -1
            for cell in one:
                if local(cell) == "Cell":
                    column = self._read_cell(sheet, (row, _index(cell, column)), cell)
            row += _number(one, "Span")
        return sheet

    def _read_cell(self, sheet: Sheet, place: CellAddress, cell: ET.Element) -> int:
        """Add a cell; return the last column that it covers."""
        for part in cell:
            if local(part) == "Data":
                sheet.cells[place] = self._shown(part, attribute(cell, "StyleID"))
            elif local(part) == "Comment":
                sheet.add_notes(place, ["".join(part.itertext())])
        last = place[1] + _number(cell, "MergeAcross")
        if last > place[1]:
            sheet.merged.append((place, (place[0], last)))
        check_size(sheet.name, 1, last)
        return last

    def _shown(self, data: ET.Element, style: str) -> Any:
        text = "".join(data.itertext())
        kind = attribute(data, "Type")
        if kind == "Number":
            try:
                number = float(text)
            except ValueError:
                return text
            shown_as = self._formats.get(style)
            return (shown_as.show(number) if shown_as else None) or float(f"{number:.15g}")
        if kind == "DateTime":
            return text.replace("T", " ").removesuffix(".000").removesuffix(" 00:00:00")
        return text.strip() == "1" if kind == "Boolean" else text


def _format_of(style: ET.Element) -> NumberFormat | None:
    code = next((attribute(one, "Format") for one in style if local(one) == "NumberFormat"), "")
    shown_as = compile_format(_NAMED_FORMATS.get(code, code))
    return shown_as if shown_as.changes_numbers else None


def _index(element: ET.Element, last: int) -> int:
    """Return where a row or a cell is: where it says so, else after the last one."""
    stated = _number(element, "Index")
    return stated - 1 if stated else last + 1


def _number(element: ET.Element, name: str) -> int:
    value = attribute(element, name)
    return min(int(value), _MAX_REPEATS) if value.isdigit() else 0
