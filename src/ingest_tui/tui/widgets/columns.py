"""The columns of a table: what their cells say, and how they share the width there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil
from typing import Generic, NamedTuple, TypeVar

from rich.cells import cell_len, set_cell_size

Row = TypeVar("Row")
_LEAST_PATH = 12


class Cell(NamedTuple):
    """Text of one cell, and how it is coloured: ``good``, ``warn``, ``bad``, ``running``, ``quiet`` or nothing.

    With ``hits`` what is between « and » is set off.
    """

    text: str
    tone: str = ""


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A column. ``width`` 0 takes what is left; it is shown from a table of ``from_width`` cells on.

    ``is_path``: what is too long is cut in the middle, so that the name at its end stays. ``share``: how much it gets
    of what is left, in proportion to the others.
    """

    name: str
    title: str
    width: int
    cell: Callable[[Row], Cell]
    from_width: int = 0
    right: bool = False
    is_path: bool = False
    share: int = 1


def fit(text: str, width: int, *, right: bool = False, is_path: bool = False) -> str:
    """Return ``text`` in exactly ``width`` cells, cut with an ellipsis where it is too long: a path in its middle."""
    cells = cell_len(text)
    if cells > width:
        if is_path and width >= _LEAST_PATH:
            text = cut_path(text, width)
            return text + " " * (width - cell_len(text))
        return set_cell_size(text, width - 1) + "…" if width > 0 else ""
    padding = " " * (width - cells)
    return padding + text if right else text + padding


def cut_path(path: str, width: int) -> str:
    """Return a path in at most ``width`` cells: its beginning, an ellipsis, and its name, as far as there is room.

    A third is kept for the beginning, which tells apart what has the same name. What has no folder is a name.
    """
    name = path[max(path.rstrip("/").rfind("/"), 0) :]
    head_width = max((width - 1) // 3, width - 1 - cell_len(name))
    head = set_cell_size(path, head_width)
    tail, room = "", width - 1 - head_width
    for letter in reversed(path):
        room -= cell_len(letter)
        if room < 0:
            break
        tail = letter + tail
    return f"{head}…{tail}"


def lay_out(columns: Iterable[Column[Row]], width: int, *, gutter: int) -> list[tuple[Column[Row], int]]:
    """Return the columns that are shown in ``width`` cells, each with its own; those without a width share the rest."""
    shown = [column for column in columns if column.from_width <= width]
    fixed = sum(column.width + 1 for column in shown)
    rest, shares = max(0, width - gutter - fixed), sum(column.share for column in shown if not column.width)
    laid_out = []
    for column in shown:
        cells = column.width
        if not cells:
            cells = ceil(rest * column.share / shares)
            rest, shares = rest - cells, shares - column.share
        laid_out.append((column, cells))
    return laid_out
