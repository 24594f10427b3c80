"""Whether every cell of a table is read as a reference reader reads it: python benchmarks/table_cells.py FOLDER…

Takes the tables in the folders (csv, tsv, xlsx, xls, xlsb, ods, parquet, feather), and writes each CSV again as TSV,
XLSX (openpyxl and xlsxwriter by turns), XLS (xlwt), XLSB (pyxlsbwriter), ODS (odfpy), Parquet and Feather (pyarrow),
with the types that pandas finds in it; and one table for each format with what is easily read wrongly
(`table_kinds.py`). Then the cells in the markdown are compared with those that csv, openpyxl, xlrd, pyxlsb2, odfpy
and pyarrow read, one by one. A number that is shown by a format (5 %, $ 1,200) must be the value to the places that
are shown; any other must be it to 15 digits, with all of its digits where it is an integer or a decimal.

    pip install pandas openpyxl xlsxwriter xlrd xlwt odfpy pyxlsb2 pyxlsbwriter
        (in an environment next to the program's own)
    python benchmarks/table_cells.py [--rows 2000] [--tables 200] [--show 5] FOLDER…
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import re
import shutil
import sys
import tempfile
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from measure import markdown_table
from table_kinds import write_kinds
from table_references import Cell, difference, reference_sheets
from table_writers import WRITERS, frame_of

from ingest_tui.extraction.parse import extract
from ingest_tui.model.errors import IngestError

FORMATS = ("csv", "tsv", "xlsx", "xls", "xlsb", "ods", "parquet", "feather")
RULE = re.compile(r"\|(?: --- \|)+")
Value = TypeVar("Value")
HEADER = ("Format", "Files", "Cells", "Different", "Refused")


@dataclass(slots=True)
class Tally:
    """What was compared of one format; ``differences`` by kind, ``examples`` a few of each."""

    files: int = 0
    cells: int = 0
    refused: list[str] = field(default_factory=list)
    differences: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--rows", type=int, default=2_000, help="of a CSV, in what is made of it")
    parser.add_argument("--tables", type=int, default=200, help="CSV tables that are written in the other formats")
    parser.add_argument("--show", type=int, default=3, help="examples of each kind of difference")
    parser.add_argument("--format", choices=FORMATS, action="append", help="compare these only")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    formats = arguments.format or FORMATS
    folder = Path(tempfile.mkdtemp(prefix="ingest-tui-cells-"))
    try:
        found = list(found_files(arguments.folders))
        made = made_files(folder, found, arguments.tables, arguments.rows, formats)
        tallies = compared(path for path in itertools.chain(found, made) if path_format(path) in formats)
    finally:
        shutil.rmtree(folder)
    report(tallies, arguments.show)


def path_format(path: Path) -> str:
    """Return the format that a name ends in; nothing for others."""
    name = path.name.removesuffix(".gz")
    return next((one for one in FORMATS if name.lower().endswith(f".{one}")), "")


def found_files(folders: Iterable[Path]) -> Iterator[Path]:
    """Yield the tables in the folders."""
    for folder in folders:
        yield from sorted(path for path in folder.rglob("*") if path_format(path) and path.is_file())


def made_files(folder: Path, found: Iterable[Path], tables: int, rows: int, formats: Iterable[str]) -> Iterator[Path]:
    """Yield files that hold the first CSV tables, and what is easily read wrongly, in every other format."""
    texts = [path for path in found if path_format(path) == "csv"]
    steps = max(len(texts) // max(tables, 1), 1)
    writers = {form: WRITERS[form] for form in formats if form in WRITERS}
    for number, path in enumerate(texts[::steps][:tables]):
        try:
            frame = frame_of(path, rows)
        except (ValueError, OSError) as error:
            print(f"{path}: not read by pandas: {error}", file=sys.stderr)
            continue
        for form, write in writers.items():
            made = folder / f"{number:04d}-{path.stem[:40]}.{form}"
            write(frame, made)
            yield made
    for made in write_kinds(folder):
        yield made


def compared(paths: Iterable[Path]) -> dict[str, Tally]:
    """Return what is found of each format."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    for path in paths:
        tally = tallies[path_format(path)]
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        try:
            expected = reference_sheets(content, path_format(path))
        except Exception as error:  # noqa: BLE001 a reference that cannot read it says nothing of ours
            print(f"{path}: no reference: {error!r}"[:200], file=sys.stderr)
            continue
        try:
            read = extract(content, file_name=path.name.removesuffix(".gz"))
        except IngestError as error:
            tally.refused.append(f"{path}: {error}")
            continue
        tally.files += 1
        compare(path, expected, sheets_of(read.markdown), tally)
    return tallies


def compare(path: Path, expected: dict[str, list[list[Cell]]], ours: dict[str, list[list[str]]], tally: Tally) -> None:
    """Count the cells of a file, and those that are different."""
    for name, cells in expected.items():
        filled = [row for row in cells if any(cell.text.strip() for cell in row)]
        if not filled:
            continue
        body = tidy(ours.get(" ".join(name.split()), []), str.strip)
        # What is above a table is not in its columns.
        grid = tidy(filled[-len(body) :], lambda cell: cell.text.strip())
        tally.cells += sum(map(len, grid))
        if len(body) < len(filled) - 60 or not body:  # names may be in several lines, below a title
            add(tally, "rows missing", f"{path.name} {name}: {len(body)} of {len(filled)}")
            continue
        lines = zip(reversed(grid), reversed(body), strict=False)
        for number, (wanted, found) in enumerate(lines):
            is_head = number >= len(body) - 1
            for at, cell in enumerate(wanted):
                text = found[at] if at < len(found) else ""
                if is_head and cell.text.strip() in text:
                    continue
                kind = difference(cell, text)
                if kind:
                    add(tally, kind, f"{path.name} {name} {at}: {cell.text!r} {cell.format!r}: {text!r}")


def add(tally: Tally, kind: str, example: str) -> None:
    tally.differences[kind] += 1
    tally.examples[kind].append(example)


def tidy(rows: Iterable[list[Value]], text_of: Callable[[Value], str]) -> list[list[Value]]:
    """Return rows without those and the columns in which nothing is."""
    kept = [row for row in rows if any(map(text_of, row))]
    width = max(map(len, kept), default=0)
    filled = [at for at in range(width) if any(at < len(row) and text_of(row[at]) for row in kept)]
    return [[row[at] for at in filled if at < len(row)] for row in kept]


def sheets_of(markdown: str) -> dict[str, list[list[str]]]:
    """Return the rows of the tables in a markdown by the heading above them; lines above a table are rows too."""
    sheets: dict[str, list[list[str]]] = {"": []}
    rows = sheets[""]
    for line in markdown.split("\n"):
        if line.startswith("## "):
            rows = sheets.setdefault(line[3:], [])
        elif line.startswith("|") and not RULE.fullmatch(line):
            rows.append(split_row(line))
    return sheets


def split_row(line: str) -> list[str]:
    """Return the cells of a line of a pipe table."""
    cells, text, at = [], "", 0
    line = line[1:-1]
    while at < len(line):
        backslashes = len(line) - at - len(line[at:].lstrip("\\"))
        after = line[at + backslashes : at + backslashes + 1]
        if backslashes and after == "|":
            text += "\\" * (backslashes // 2) + "|"
            at += backslashes + 1
        elif backslashes:
            text += "\\" * backslashes
            at += backslashes
        elif line[at] == "|":
            cells.append(text.strip())
            text, at = "", at + 1
        else:
            text += line[at]
            at += 1
    return [*cells, text.strip()]


def report(tallies: dict[str, Tally], examples: int) -> None:
    rows = [
        (form, f"{one.files:,}", f"{one.cells:,}", f"{one.differences.total():,}", str(len(one.refused)))
        for form, one in tallies.items()
    ]
    for line in markdown_table(HEADER, rows):
        print(line)
    for form, one in tallies.items():
        for kind, number in one.differences.most_common():
            print(f"\n{form}: {kind}: {number:,}")
            for example in one.examples[kind][:examples]:
                print(f"  {example}"[:300])
        for refused in one.refused[:examples]:
            print(f"\n{form}: refused: {refused}"[:300])


if __name__ == "__main__":
    main()
