"""Whether rows of tables become the texts that a reference reader leads one to expect: a line for each filled cell.

Takes tables as `table_cells.py` does, and cuts each with its first named column as context, so that all others are
text: once with chunks as large as can be, whose texts are compared row by row and value by value with the reference,
and once with the usual size, whose values are compared as words. Sheets whose names of columns are not those of the
reference's first row (a title above, several lines of names) are counted, and left out.

    pip install pandas openpyxl xlsxwriter xlrd xlwt odfpy pyxlsb2 pyxlsbwriter
        (in an environment next to the program's own)
    python benchmarks/table_rows.py [--rows 2000] [--tables 200] [--show 5] FOLDER…
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import re
import shutil
import tempfile
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from measure import markdown_table
from table_cells import FORMATS, found_files, made_files, path_format
from table_references import Cell, difference, reference_sheets

from ingest_tui.extraction.parse import extract
from ingest_tui.model.chunk_limits import ChunkLimits, ChunkRules
from ingest_tui.model.chunking import TextChunk, split_into_chunks
from ingest_tui.model.errors import IngestError

HEADER = ("Format", "Files", "Rows", "Values", "Different", "Other names")
LARGEST = 100_000
WORD = re.compile(r"\w+")
Row = list[tuple[str, Cell]]


@dataclass(slots=True)
class Tally:
    """What was compared of one format; ``differences`` by kind, ``examples`` a few of each."""

    files: int = 0
    rows: int = 0
    values: int = 0
    other_names: int = 0
    differences: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, kind: str, example: str) -> None:
        """Count a difference."""
        self.differences[kind] += 1
        self.examples[kind].append(example)


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
    folder = Path(tempfile.mkdtemp(prefix="ingest-tui-rows-"))
    tallies: dict[str, Tally] = defaultdict(Tally)
    try:
        found = list(found_files(arguments.folders))
        made = made_files(folder, found, arguments.tables, arguments.rows, formats)
        for path in itertools.chain(found, made):
            if (form := path_format(path)) in formats:
                compare_file(path, form, tallies[form])
    finally:
        shutil.rmtree(folder)
    report(tallies, arguments.show)


def compare_file(path: Path, form: str, tally: Tally) -> None:
    """Compare the texts of the rows of a file; one that either side does not read is left out."""
    content = path.read_bytes()
    content = gzip.decompress(content) if path.suffix == ".gz" else content
    try:
        sheets = reference_sheets(content, form)
        read = extract(content, file_name=path.name.removesuffix(".gz"), with_elements=False)
    except Exception as error:  # noqa: BLE001 a reference that cannot read it says nothing of ours
        if isinstance(error, IngestError):
            tally.add("refused", f"{path}: {error.message}")
        return
    tally.files += 1
    tables = {" ".join(str(one["table"]).split()): one["columns"] for one in read.columns}
    for sheet, cells in sheets.items():
        filled = [row for row in cells if any(cell.text.strip() for cell in row)]
        columns = tables.get(" ".join(sheet.split()), [])
        names = names_of(filled[0]) if filled else []
        if not columns or [name for name in names if name] != columns:
            tally.other_names += bool(filled)
            continue
        context = next(name for name in names if name)
        expected = list(expected_rows(names, context, filled[1:]))
        compare_rows(f"{path.name} {sheet}", expected, texts_of(read.markdown, context, sheet, LARGEST), tally)
        compare_words(f"{path.name} {sheet}", texts_of(read.markdown, context, sheet, LARGEST), tally,
                      texts_of(read.markdown, context, sheet, ChunkRules().size))  # fmt: skip


def names_of(header: Iterable[Cell]) -> list[str]:
    """Return the names that columns are chosen by: a repeated one has a number."""
    names: list[str] = []
    for cell in header:
        base = name = " ".join(cell.text.split())
        number = 1
        while name and name in names:
            number += 1
            name = f"{base}_{number}"
        names.append(name)
    return names


def expected_rows(names: list[str], context: str, rows: Iterable[list[Cell]]) -> Iterator[Row]:
    """Yield the filled cells of each row with their names, the context first; none for a row of context alone."""
    for row in rows:
        cells = [(name, cell) for name, cell in zip(names, row, strict=False) if name and cell.text.strip()]
        above = [one for one in cells if one[0] == context]
        if len(cells) > len(above):
            yield [*above, *(one for one in cells if one[0] != context)]


def texts_of(markdown: str, context: str, sheet: str, size: int) -> list[str]:
    """Return the texts of the rows of a sheet, as chunks of that size have them."""
    limits = ChunkLimits(ChunkRules(size=size, context_columns=(context,)))
    chunks = split_into_chunks(markdown, limits=limits)
    return [text for chunk in chunks if is_of(chunk, sheet) for text in chunk.text.split("\n\n")]


def is_of(chunk: TextChunk, sheet: str) -> bool:
    return not chunk.heading_path or chunk.heading_path[-1] == " ".join(sheet.split())


def compare_rows(name: str, expected: list[Row], texts: list[str], tally: Tally) -> None:
    tally.rows += len(expected)
    if not expected and len(texts) <= 1:  # nothing but context: all that is left is the name of the sheet
        return
    if len(texts) != len(expected):
        tally.add("number of rows", f"{name}: {len(texts)}, not {len(expected)}")
        return
    for number, (row, text) in enumerate(zip(expected, texts, strict=True)):
        lines = text.split("\n")
        tally.values += len(row)
        if len(lines) != len(row):
            tally.add("lines of a row", f"{name} {number}: {len(lines)}, not {len(row)}: {text!r}")
            continue
        for (column, cell), line in zip(row, lines, strict=True):
            if not line.startswith(f"{column}: "):
                tally.add("name", f"{name} {number}: {line!r}, not {column!r}")
            elif kind := difference(cell, line[len(column) + 2 :]):
                tally.add(kind, f"{name} {number}: {line!r}, not {cell.text!r} {cell.format!r}")


def compare_words(name: str, texts: list[str], tally: Tally, cut: list[str]) -> None:
    """A row that is cut has all of its words in some piece, each of which has its context above."""
    whole, found = (set(WORD.findall("\n".join(some))) for some in (texts, cut))
    if lost := {word for word in whole - found if not any(word.startswith(part) for part in found if len(part) > 20)}:
        tally.add("words lost in a cut", f"{name}: {sorted(lost)[:5]}")


def report(tallies: dict[str, Tally], examples: int) -> None:
    rows = [
        (form, f"{one.files:,}", f"{one.rows:,}", f"{one.values:,}", f"{one.differences.total():,}",
         str(one.other_names))
        for form, one in tallies.items()
    ]  # fmt: skip
    for line in markdown_table(HEADER, rows):
        print(line)
    for form, one in tallies.items():
        for kind, number in one.differences.most_common():
            print(f"\n{form}: {kind}: {number:,}")
            for example in one.examples[kind][:examples]:
                print(f"  {example}"[:300])


if __name__ == "__main__":
    main()
