"""What the columns of a table hold: types, examples, how many values are distinct and how many cells are empty."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import filterfalse, islice, zip_longest
from typing import Any

from ingest_tui.extraction.tables.value_types import ColumnType, common_type, is_absent, type_of, unusual

MOST_DISTINCT = 10_000
"""Distinct values that are counted in a column; beyond, the number is a lower bound."""
_MOST_KEPT = 1_000_000
"""Distinct values that are kept of all columns of a table together."""
_SAMPLES = 3
_SAMPLE_CHARACTERS = 80
_LONGEST_KEY = 100


class TableProfile:
    """Counts what is in the columns of a table, rows after rows, in memory that does not grow with them."""

    def __init__(self) -> None:
        self.rows = 0
        self._columns: list[_ColumnProfile] = []

    def add(self, rows: Sequence[Sequence[str]], longest: int = sys.maxsize) -> None:
        """Count rows of stripped texts, of which some may be short. No cell has more characters than ``longest``."""
        for at, cells in enumerate(zip_longest(*rows, fillvalue="")):
            if at == len(self._columns):
                self._columns.append(_ColumnProfile(self.rows))
            self._columns[at].add(cells, are_short=longest <= _LONGEST_KEY)
        self.rows += len(rows)
        for column in self._columns:
            column.blank += self.rows - column.rows
            column.rows = self.rows
        self._release()

    def _release(self) -> None:
        if sum(len(column.values) for column in self._columns) > _MOST_KEPT:
            most = _MOST_KEPT // len(self._columns)
            for column in self._columns:
                column.most = min(column.most, most)

    def is_filled(self, at: int) -> bool:
        """Whether a column has a value."""
        return at < len(self._columns) and self._columns[at].blank < self.rows

    @property
    def width(self) -> int:
        """How many columns the longest row has."""
        return len(self._columns)

    def describe(self, at: int, name: str) -> dict[str, Any]:
        """Return what is known of a column, as ingestion.json keeps it."""
        column = self._columns[at] if at < len(self._columns) else _ColumnProfile(self.rows)
        return {"name": name, **column.describe()}


class _ColumnProfile:
    """One column. ``values`` are distinct ones, as many as are counted."""

    __slots__ = ("blank", "marks", "most", "rows", "type", "values")

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.blank = rows
        self.values: dict[str, None] = {}
        self.most = MOST_DISTINCT
        self.type: ColumnType = "empty"
        self.marks: Counter[str] = Counter()

    def add(self, cells: Sequence[str], *, are_short: bool) -> None:
        self.rows += len(cells)
        self.blank += cells.count("")
        if len(self.values) > self.most:  # most are distinct: looking for those that are not would cost more
            self._find_type(cells, cells)
            return
        distinct = dict.fromkeys(cells)
        distinct.pop("", None)
        self._find_type(distinct, cells)
        self.values |= distinct if are_short else _keys_of(distinct)

    def _find_type(self, texts: Collection[str], cells: Sequence[str]) -> None:
        """Find the type of a column in which there are texts, of which ``cells`` repeats some."""
        if self.type == "empty":  # the first value says which form the others are compared with
            self.type = next((type_of(text) for text in texts if not is_absent(text)), "empty")
        if self.type == "string":
            return
        for text in unusual(texts, self.type):
            if not text or text in self.values:
                continue
            if is_absent(text):
                self.marks[text] += 0
                continue
            self.type = common_type(self.type, type_of(text))
            if self.type == "string":
                return
        for mark in self.marks:
            self.marks[mark] += cells.count(mark)

    def describe(self) -> dict[str, Any]:
        absent = self.blank
        kind = self.type
        if kind == "empty" and self.values:
            kind = "string"  # nothing but marks of absence: they are all that it says
        marks: Collection[str] = ()
        if kind != "string":
            marks = [mark for mark in self.marks if mark in self.values]
            absent += self.marks.total()
        is_exact = len(self.values) <= self.most
        return {
            "type": kind,
            "nulls": absent,
            "null_share": round(absent / self.rows, 4) if self.rows else 0.0,
            "distinct": len(self.values) - len(marks) if is_exact else self.most,
            "distinct_is_exact": is_exact,
            "samples": [_shortened(text) for text in islice(filterfalse(marks.__contains__, self.values), _SAMPLES)],
        }


def _keys_of(texts: dict[str, None]) -> dict[str, None]:
    """Return what stands for values where they are counted: themselves, and of long ones the beginning and a hash."""
    if not texts or max(map(len, texts)) <= _LONGEST_KEY:
        return texts
    return {
        text if len(text) <= _LONGEST_KEY else f"{text[:_SAMPLE_CHARACTERS]}…\0{hash(text)}": None for text in texts
    }


def _shortened(text: str) -> str:
    text = " ".join(text.partition("\0")[0].split())
    return text if len(text) <= _SAMPLE_CHARACTERS else f"{text[: _SAMPLE_CHARACTERS - 1]}…"
