"""Spreadsheets with python-calamine: one markdown table per sheet, formulas as their last values."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.tabular import build_table
from ingest_tui.extraction.validators.workbook import check_formulas, check_sheets, holds_cells
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from ingest_tui.model.extraction import MAX_FINDING_CHARACTERS, Element, Finding

_MAX_CELLS = 20_000_000
"""Cells between the first and the last used one: a lone cell in the far corner makes a table of 17 billion."""


def parse(material: ParseInput) -> Parsed:
    """Return every sheet that holds something under a heading ``## name``.

    Raises `ItemRejectedError` (``encrypted``, ``too_large``) and `ProcessingError` (``malformed``).
    """
    workbook = _open(material.content)
    parts: list[str] = []
    elements: list[Element] = []
    columns: list[dict[str, Any]] = []
    sheets = list(workbook.sheets_metadata)
    findings = check_sheets(sheets)
    unreadable: list[Finding] = []
    for sheet in sheets:
        name = sheet.name
        rows = _rows(workbook, sheet, unreadable)
        material.tick()
        table = build_table(name, rows)
        if table is None:
            continue
        findings += [Finding(one.severity, one.code, f"{name}: {one.message}") for one in table.findings]
        parts.append(f"## {' '.join(name.split())}\n\n{table.markdown}\n")
        columns.append(table.describe())
        elements.append(
            Element(table.markdown, {"category": "Table", "sheet": name, "columns": table.columns, "rows": table.rows})
        )
    workbook.close()
    if unreadable and not parts:
        raise ProcessingError(
            f"no sheet can be read: {unreadable[0].message}"[:300],
            code="malformed",
            hint="open it with its program and save it again",
        )
    findings += [*unreadable, *check_formulas(material.content, material.format)]
    return Parsed("\n".join(parts), elements, pages=len(sheets), columns=columns, findings=findings)


def _open(content: bytes) -> Any:
    import python_calamine

    try:
        return python_calamine.CalamineWorkbook.from_filelike(BytesIO(content))
    except Exception as error:
        message = str(error)
        if isinstance(error, python_calamine.PasswordError) or "password" in message.lower():
            raise ItemRejectedError(
                "the workbook is protected by a password",
                code="encrypted",
                hint="remove the password and put the file in place again",
            ) from error
        raise ProcessingError(
            f"the workbook cannot be read: {message}"[:300],
            code="malformed",
            hint="open it with its program and save it again",
        ) from error


def _rows(workbook: Any, described: Any, unreadable: list[Finding]) -> list[list[Any]]:
    name = described.name
    try:
        sheet = workbook.get_sheet_by_name(name)
    except Exception as error:  # noqa: BLE001 charts and macro sheets have no cells; the other sheets are still good
        if holds_cells(described):
            message = f"the sheet {name[:60]!r} cannot be read: {error}"[:MAX_FINDING_CHARACTERS]
            unreadable.append(Finding("error", "sheet_unreadable", message))
        return []
    if sheet.total_height * sheet.total_width > _MAX_CELLS:
        raise ItemRejectedError(
            f"the sheet {name[:60]!r} spans {sheet.total_height:,} rows by {sheet.total_width:,} columns",
            code="too_large",
            hint="delete the far-off cells and save it again",
        )
    rows: list[list[Any]] = sheet.to_python(skip_empty_area=True)
    for row in rows:
        for at, cell in enumerate(row):
            if type(cell) is float and not cell.is_integer():
                row[at] = _as_stored(cell)
    return rows


def _as_stored(number: float) -> float:
    """Return a number with the 15 digits that spreadsheet programs keep; the rest is noise of its binary form."""
    return float(f"{number:.15g}")
