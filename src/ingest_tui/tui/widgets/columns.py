"""The columns of a table: what their cells say, and how they share the width there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from rich.cells import cell_len, set_cell_size

Row = TypeVar("Row")


class Cell(NamedTuple):
    """Text of one cell, and how it is coloured: ``good``, ``warn``, ``bad``, ``running``, ``quiet`` or nothing.

    With ``hits`` what is between « and » is set off.
    """

    text: str
    tone: str = ""


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A column. ``width`` 0 takes what is left; it is shown from a table of ``from_width`` cells on."""

    name: str
    title: str
    width: int
    cell: Callable[[Row], Cell]
    from_width: int = 0
    right: bool = False


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Return ``text`` in exactly ``width`` cells, cut with an ellipsis where it is too long."""
    cells = cell_len(text)
    if cells > width:
        return set_cell_size(text, width - 1) + "…" if width > 0 else ""
    padding = " " * (width - cells)
    return padding + text if right else text + padding


def lay_out(columns: Iterable[Column[Row]], width: int, *, gutter: int) -> list[tuple[Column[Row], int]]:
    """Return the columns that are shown in ``width`` cells, each with its own; those without a width share the rest."""
    shown = [column for column in columns if column.from_width <= width]
    fixed = sum(column.width + 1 for column in shown)
    flexible = sum(1 for column in shown if not column.width)
    share, extra = divmod(max(0, width - gutter - fixed), flexible) if flexible else (0, 0)
    laid_out = []
    for column in shown:
        laid_out.append((column, column.width or share + (1 if extra > 0 else 0)))
        extra -= not column.width
    return laid_out
