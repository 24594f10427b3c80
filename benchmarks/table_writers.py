"""Tables written by the libraries that most programs write them with. Used by table_cells.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

ODS_ROWS = 200
"""odfpy takes seconds for more."""


def frame_of(path: Path, rows: int) -> Any:
    """Return the data frame of a CSV with the types that its columns have."""
    import pandas as pd

    try:
        frame = pd.read_csv(path, nrows=rows)
    except UnicodeDecodeError:
        frame = pd.read_csv(path, nrows=rows, encoding="latin-1")
    for name in frame.columns:
        if not pd.api.types.is_numeric_dtype(frame[name]):
            try:
                frame[name] = pd.to_datetime(frame[name], format="%Y-%m-%d")
            except (ValueError, TypeError):
                continue
    return frame


def write_xlsx(frame: Any, path: Path) -> None:
    engine = "openpyxl" if len(frame) % 2 else "xlsxwriter"
    frame.to_excel(path, index=False, engine=engine)


def write_ods(frame: Any, path: Path) -> None:
    frame.head(ODS_ROWS).to_excel(path, index=False, engine="odf")


def write_xls(frame: Any, path: Path) -> None:
    import pandas as pd
    import xlwt

    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("Sheet1")
    day = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    for column, name in enumerate(list(frame.columns)[:256]):
        sheet.write(0, column, str(name))
        for row, value in enumerate(frame[name], 1):
            if pd.isna(value):
                continue
            if isinstance(value, pd.Timestamp):
                sheet.write(row, column, value.to_pydatetime(), day)
            else:
                sheet.write(row, column, value.item() if hasattr(value, "item") else value)
    book.save(str(path))


def write_xlsb(frame: Any, path: Path) -> None:
    import pandas as pd
    from pyxlsbwriter import XlsbWriter

    rows = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    plain = [[cell.to_pydatetime() if isinstance(cell, pd.Timestamp) else cell for cell in row] for row in rows]
    with XlsbWriter(str(path)) as writer:
        writer.add_sheet("Sheet1")
        writer.write_sheet([[str(name) for name in frame.columns], *plain])


def write_parquet(frame: Any, path: Path) -> None:
    frame.to_parquet(path, index=False)


def write_feather(frame: Any, path: Path) -> None:
    frame.to_feather(path)


def write_tsv(frame: Any, path: Path) -> None:
    frame.to_csv(path, sep="\t", index=False)


WRITERS: dict[str, Callable[[Any, Path], None]] = {
    "tsv": write_tsv,
    "xlsx": write_xlsx,
    "xls": write_xls,
    "xlsb": write_xlsb,
    "ods": write_ods,
    "parquet": write_parquet,
    "feather": write_feather,
}
