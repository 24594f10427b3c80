"""Reading order, tables and headings of PDFs: python benchmarks/pdf_structure.py [FOLDER…]

Without a folder: on PDFs that it draws itself, of which it knows what they hold. In a folder: each PDF with a file of
the same name that ends in .md, which is what is expected of it. Next to ours the backends of the extras where they are
installed. The scores are from 0 to 1, after those of opendataloader-bench:

- order: how much of the expected words comes in the expected order.
- tables: tree edit distance of tables, rows and cells (TEDS; Zhong, ShafieiBavani and Jimeno Yepes, 2020), here by
  aligning rows and then cells. Mean over the documents with tables; one with a table where none is expected has 0.
- headings: the same of the list of headings with the text between them, headings only being like headings.
- extra headings: those that none is expected for.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple, TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ingest_tui.extraction.backends import BACKENDS
from ingest_tui.extraction.parse import extract
from ingest_tui.model.errors import IngestError
from ingest_tui.model.markdown_blocks import split_blocks
from tests.made_pdfs import DrawnPage, drawn_pdf

READERS = ("pdf", "opendataloader", "docling")
Table = list[list[str]]
Item = TypeVar("Item")

_WORD = re.compile(r"\w+")
_VOCABULARY = """
    pump valve seal oil grease bearing shaft motor check clean replace tighten monthly yearly before after every part
    number pressure level water filter hose clamp screw wrench manual service interval safety switch power cable
"""
_WORDS = _VOCABULARY.split()


class Case(NamedTuple):
    """A PDF and what is expected of it."""

    name: str
    content: bytes
    markdown: str


# --- Documents --------------------------------------------------------------------------------------------------------


def sentence(seed: int, words: int = 9) -> str:
    """Return a line of words that is the same for the same number."""
    chosen = [_WORDS[(seed * 7 + at * (3 + seed % 5)) % len(_WORDS)] for at in range(words)]
    return " ".join(chosen).capitalize() + "."


def table_of(seed: int, rows: int, columns: int) -> Table:
    """Return a table with names in its first row and column."""
    head = [_WORDS[(seed + at) % len(_WORDS)].capitalize() for at in range(columns)]
    return [head] + [
        [_WORDS[(seed * 3 + row) % len(_WORDS)], *(f"{(seed + row) * (at + 3) % 97}.{at}" for at in range(columns - 1))]
        for row in range(rows)
    ]


def markdown_of(table: Table) -> str:
    """Return a table as markdown."""
    rows = ["| " + " | ".join(row) + " |" for row in table]
    return "\n".join([rows[0], "|" + " --- |" * len(table[0]), *rows[1:]])


def report(seed: int) -> Case:
    """Return a text of some pages with headings on three levels, running headers and page numbers."""
    pages, parts = [], []
    for number in range(5):
        page = DrawnPage().text(72, 760, "Manual of the pump").text(300, 30, f"Page {number + 1} of 5")
        y = 720
        if number == 0:
            page.text(72, y, "The pump and its care", size=22)
            parts += ["Manual of the pump", "Page 1 of 5", "# The pump and its care"]
            y -= 40
        for section in range(2):
            size, mark = ((15, "##"), (12, "###"))[section]
            title = f"{number + 1}{'.1' if section else ''} {sentence(seed + number * 2 + section, 4)[:-1]}"
            page.text(72, y, title, size=size, font="bold")
            lines = [sentence(seed + number * 10 + section * 5 + at) for at in range(8)]
            page.lines(72, y - 24, *lines)
            parts += [f"{mark} {title}", " ".join(lines)]
            y -= 160
        pages.append(page)
    return Case("report", drawn_pdf(*pages), "\n\n".join(parts))


def paper(seed: int) -> Case:
    """Return a page in two columns, with a table over its rules in one of them."""
    page = DrawnPage().text(150, 740, "On the care of pumps", size=18)
    parts = ["# On the care of pumps"]
    table = table_of(seed, 4, 4)
    for column, x in enumerate((60, 320)):
        for section in range(2):
            y = 690 - section * 300
            title = f"{column * 2 + section + 1} {sentence(seed + column + section, 3)[:-1]}"
            page.text(x, y, title, size=11, font="bold")
            lines = [sentence(seed + column * 40 + section * 20 + at, 6) for at in range(9)]
            page.lines(x, y - 20, *lines, size=9)
            parts += [f"## {title}", " ".join(lines)]
            if section and column:
                for at in (y - 140, y - 156, y - 220):
                    page.line(x, at, x + 230, at)
                page.rows((x, x + 80, x + 140, x + 190), y - 152, *table, size=9)
                parts.append(markdown_of(table))
    return Case("paper", drawn_pdf(page), "\n\n".join(parts))


def ruled(seed: int, *, by_column: bool) -> Case:
    """Return a page with a table in drawn cells, some of two lines; drawn by rows or by columns."""
    table = table_of(seed, 6, 4)
    for row in table[1::2]:
        row[-1] = f"{row[-1]} {_WORDS[seed % 9]} and {_WORDS[seed % 7]}"
    page = DrawnPage().prose(740, 4)
    xs, height = (72, 190, 270, 350, 440), 30
    ys = [640 - at * height for at in range(len(table) + 1)]
    page.grid(xs, ys)
    cells = [(row, column) for row in range(len(table)) for column in range(4)]
    for row, column in sorted(cells, key=lambda one: one[::-1]) if by_column else cells:
        words = table[row][column].split()
        lines = [" ".join(words[:2]), " ".join(words[2:])] if len(words) > 2 else [table[row][column]]
        page.lines(xs[column] + 4, ys[row] - 11, *lines)
    page.prose(400, 4)
    prose = " ".join(f"This is line {at} of a paragraph that says little more." for at in range(4))
    name = "ruled, drawn by columns" if by_column else "ruled"
    return Case(name, drawn_pdf(page), "\n\n".join((prose, markdown_of(table), prose)))


def unruled(seed: int) -> Case:
    """Return a page with a table whose columns are aligned, its numbers at the right."""
    table = table_of(seed, 8, 5)
    page = DrawnPage().text(72, 740, "Intervals", size=16).prose(710, 3)
    for number, row in enumerate(table):
        for column, cell in enumerate(row):
            x = 72 + column * 90 if not column or not number else 72 + column * 90 + 40 - len(cell) * 5
            page.text(x, 640 - number * 15, cell)
    page.prose(480, 3)
    prose = " ".join(f"This is line {at} of a paragraph that says little more." for at in range(3))
    return Case("unruled", drawn_pdf(page), "\n\n".join(("# Intervals", prose, markdown_of(table), prose)))


def plain(seed: int) -> Case:
    """Return what has neither headings nor tables: a letter with an address, a list, a note in bold, and code."""
    page = DrawnPage().lines(72, 740, "Jane Roe", "Pump Street 4", "10115 Berlin").text(400, 740, "1 May 2026")
    lines = [sentence(seed + at) for at in range(6)]
    page.lines(72, 660, *lines).text(72, 560, "Note: check the oil first.", font="bold")
    items = [sentence(seed + 30 + at, 5) for at in range(4)]
    page.rows((72, 90), 530, *(("•", item) for item in items))
    page.lines(72, 440, "# clean the pump", "pump --clean   all", "pump --check   oil", font="fixed")
    expected = ["Jane Roe Pump Street 4 10115 Berlin 1 May 2026", " ".join(lines), "Note: check the oil first."]
    code = "clean the pump pump --clean all pump --check oil"
    return Case("plain", drawn_pdf(page), "\n\n".join((*expected, *(f"- {item}" for item in items), code)))


def made_cases() -> list[Case]:
    """Return the PDFs that are drawn here."""
    kinds: Sequence[Callable[[int], Case]] = (
        report,
        paper,
        lambda seed: ruled(seed, by_column=False),
        lambda seed: ruled(seed, by_column=True),
        unruled,
        plain,
    )
    return [kind(seed) for kind in kinds for seed in (3, 11, 17)]


def cases_in(folder: Path) -> list[Case]:
    """Return the PDFs of a folder that have a markdown of their name next to them."""
    found = [(path, path.with_suffix(".md")) for path in sorted(folder.rglob("*.pdf"))]
    return [
        Case(path.name, path.read_bytes(), expected.read_text("utf-8")) for path, expected in found if expected.exists()
    ]


# --- Scores -----------------------------------------------------------------------------------------------------------


class Scores(NamedTuple):
    """The scores of one document; None where there is nothing to score."""

    order: float
    tables: float | None
    headings: float | None
    extra_headings: int


def words(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return _WORD.findall(text.lower())


def likeness(one: str, other: str) -> float:
    """Return how much of two texts is the same, in the same order."""
    return SequenceMatcher(None, words(one), words(other), autojunk=False).ratio()


def distance(
    one: Sequence[Item], other: Sequence[Item], cost: Callable[[Item, Item], float], size: Callable[[Item], int]
) -> float:
    """Return the least cost of making one list the other: to leave out or add an item costs its size."""
    above = [0.0]
    for item in other:
        above.append(above[-1] + size(item))
    for item in one:
        row = [above[0] + size(item)]
        for at, wanted in enumerate(other):
            row.append(min(above[at] + cost(item, wanted), above[at + 1] + size(item), row[at] + size(wanted)))
        above = row
    return above[-1]


def table_likeness(one: Table, other: Table) -> float:
    """Return the likeness of two tables by their tree edit distance."""
    most = 1 + max(sum(1 + len(row) for row in table) for table in (one, other))
    by_cells = distance(one, other, row_distance, lambda row: 1 + len(row))
    return 1 - by_cells / most


def row_distance(one: list[str], other: list[str]) -> float:
    """Return what it costs to make one row the other."""
    return distance(
        one, other, lambda cell, wanted: 0 if words(cell) == words(wanted) else 1 - likeness(cell, wanted), lambda _: 1
    )


def tables_of(markdown: str) -> list[Table]:
    """Return the tables of a markdown."""
    found = []
    for block in split_blocks(markdown):
        if block.kind == "table":
            head, _, *rows = block.text.split("\n")
            cut = [re.split(r"(?<!\\)\|", row.strip().strip("|")) for row in (head, *rows)]
            found.append([[cell.strip() for cell in row] for row in cut])
    return found


def score_tables(found: list[Table], expected: list[Table]) -> float | None:
    """Return the mean over the expected tables of the likeness of that found table which is most like it."""
    if not expected:
        return 0 if found else None
    left = list(found)
    total = 0.0
    for table in expected:
        best = max(left, key=lambda one: table_likeness(one, table), default=None)
        if best is not None:
            total += table_likeness(best, table)
            left.remove(best)
    return total / max(len(expected), len(found))


def sections_of(markdown: str) -> list[tuple[bool, str]]:
    """Return the headings (True) and the text between them (False)."""
    sections: list[tuple[bool, str]] = []
    for block in split_blocks(markdown):
        if block.kind == "heading":
            sections.append((True, block.name))
        elif sections and not sections[-1][0]:
            sections[-1] = (False, f"{sections[-1][1]} {block.text}")
        else:
            sections.append((False, block.text))
    return sections


def score(found: str, expected: str) -> Scores:
    """Return the scores of a document."""
    got, wanted = sections_of(found), sections_of(expected)
    headings = None
    if any(is_heading for is_heading, _ in wanted):
        cost = distance(got, wanted, lambda a, b: 1 - likeness(a[1], b[1]) if a[0] == b[0] else 2, lambda _: 1)
        headings = 1 - cost / max(len(got), len(wanted))
    titles = [words(text) for is_heading, text in wanted if is_heading]
    extra = sum(is_heading and words(text) not in titles for is_heading, text in got)
    return Scores(likeness(found, expected), score_tables(tables_of(found), tables_of(expected)), headings, extra)


def mean(values: Iterator[float | None]) -> str:
    """Return the mean of those that are there, as text."""
    there = [value for value in values if value is not None]
    return f"{sum(there) / len(there):.3f}" if there else "-"


def main() -> None:
    """Print a line for each backend, and with --each one for each document."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--each", action="store_true", help="print the scores of each document too")
    options = parser.parse_args()
    cases = [case for folder in options.folders for case in cases_in(folder)] if options.folders else made_cases()
    if not cases:
        sys.exit("error: no PDF with a .md next to it")
    print(f"{len(cases)} PDFs\n{'backend':16} order  tables  headings  extra headings  seconds")
    for name in READERS:
        if not BACKENDS[name].is_available():
            print(f"{name:16} not installed")
            continue
        scores, began = [], time.perf_counter()
        for case in cases:
            try:
                found = extract(
                    case.content, file_name="a.pdf", backends_by_type={"pdf": name}, with_elements=False
                ).markdown
            except IngestError as error:
                print(f"  {case.name}: {error.message}")
                found = ""
            scores.append(score(found, case.markdown))
            if options.each:
                print(f"  {case.name:24} {scores[-1]}")
        seconds = time.perf_counter() - began
        row = [mean(iter(column)) for column in list(zip(*scores, strict=True))[:3]]
        extra = sum(one.extra_headings for one in scores)
        print(f"{name:16} {row[0]}  {row[1]}   {row[2]}     {extra:14}  {seconds:7.1f}")


if __name__ == "__main__":
    main()
