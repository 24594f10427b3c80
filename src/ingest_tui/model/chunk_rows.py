"""Rows of tables as texts: the columns that a collection chose, with those that are the context of each row. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from ingest_tui.model.chunk_limits import ChunkLimits, ChunkRules
from ingest_tui.model.chunk_pieces import Piece, cells_of_row, text_pieces
from ingest_tui.model.markdown_blocks import Block
from ingest_tui.model.table_columns import name_columns

_ESCAPED_PIPE = re.compile(r"(?<!\\)(\\+)\|")
_LEAST_PART = 8
"""A value is cut so often at most that a piece has this part of the room for one."""


class _Column(NamedTuple):
    at: int
    name: str


class _Columns(NamedTuple):
    context: list[_Column]
    text: list[_Column]


def row_pieces(block: Block, limits: ChunkLimits) -> Iterator[Piece] | None:
    """Return a text for each row of a table, with lines of ``column: value``; None where nothing of it was chosen.

    Its context comes first. Cells that are empty have no line, and a row that is nothing but context has no text. A
    row that is too large is cut between and within its values, and each piece has the context again.
    """
    rules = limits.rules
    if block.kind != "table" or not (rules.text_columns or rules.context_columns):
        return None
    names, marks, *rows = block.text.split("\n")
    if not rows and not block.rest:
        return None
    columns = _chosen([_plain(cell.text) for cell in cells_of_row(names, 0)], rules)
    if columns is None:
        return None
    return _pieces(chain(rows, block.rest), block.start + len(names) + len(marks) + 2, columns, limits)


def _chosen(header: Sequence[str], rules: ChunkRules) -> _Columns | None:
    """Return the columns that were chosen; all that have a name are text where none was chosen for it."""
    named = [_Column(at, name) for at, name in enumerate(name_columns(header)) if name]
    context = [column for column in named if column.name in rules.context_columns]
    others = [column for column in named if column not in context]
    text = [column for column in others if column.name in rules.text_columns]
    if not context and not text:
        return None
    return _Columns(context, text or others)


def _pieces(rows: Iterable[str], offset: int, columns: _Columns, limits: ChunkLimits) -> Iterator[Piece]:
    for row in rows:
        cells = cells_of_row(row, offset)
        context = "\n".join(_lines(columns.context, cells))
        lines = _lines(columns.text, cells)
        if lines:
            whole = "\n".join([context, *lines] if context else lines)
            if limits.measure.reach(whole, 0, limits.largest) >= len(whole):
                yield Piece(whole, offset, offset + len(row))
            else:
                yield from _cut_row(context, columns.text, cells, limits)
        offset += len(row) + 1


def _lines(columns: Sequence[_Column], cells: Sequence[Piece]) -> list[str]:
    return [_line(name, cells[at].text) for at, name in columns if at < len(cells) and cells[at].text]


def _line(name: str, value: str) -> str:
    return f"{name}: {_plain(value)}"


def _plain(cell: str) -> str:
    """Return the text of a cell, in which a pipe is written with a backslash, and backslashes before it twice."""
    return _ESCAPED_PIPE.sub(lambda match: "\\" * (len(match[1]) // 2) + "|", cell)


def _cut_row(context: str, columns: Sequence[_Column], cells: Sequence[Piece], limits: ChunkLimits) -> Iterator[Piece]:
    """Yield the values of a row that is too large, as many to a piece as fit, each piece below the context."""
    context = _shortened(context, limits.largest // 3, limits)
    room = limits.largest - limits.measure.size(f"{context}\n")
    pending: list[str] = []
    size = start = end = 0
    for part in _parts(columns, cells, room, limits):
        part_size = limits.measure.size(part.text) + 1
        if pending and size + part_size > room:
            yield Piece("\n".join(filter(None, [context, *pending])), start, end)
            pending, size = [], 0
        if not pending:
            start = part.start
        pending.append(part.text)
        size += part_size
        end = part.end
    if pending:
        yield Piece("\n".join(filter(None, [context, *pending])), start, end)


def _parts(columns: Sequence[_Column], cells: Sequence[Piece], room: int, limits: ChunkLimits) -> Iterator[Piece]:
    """Yield the lines of a row, each no larger than a piece; a value that is cut has its name again."""
    for at, name in columns:
        if at >= len(cells) or not cells[at].text:
            continue
        cell = cells[at]
        short = _shortened(name, room // 3, limits)
        left = max(room - limits.measure.size(_line(short, "")) - 2, room // _LEAST_PART, 1)
        for part in text_pieces(cell.text, cell.start, limits, max(left * 2 // 3, 1)):
            yield part._replace(text=_line(short, part.text))


def _shortened(text: str, limit: int, limits: ChunkLimits) -> str:
    end = limits.measure.reach(text, 0, limit) if text else 0
    return text if end >= len(text) else f"{text[:end]}…"
