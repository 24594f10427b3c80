"""What the terminal shows, cell by cell: of an update only what looks different is sent.

Textual paints a line again for a digit, and the whole screen for a new layout: 27 kB at 200x50. Most of that is there
already. This is what curses does; here it takes Textual's updates as they come.
"""

from __future__ import annotations

import curses
import os
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

_MOVE_CELLS = 6
"""So many unchanged cells are sent again rather than jumped over, which takes about as many bytes."""
_LEAST_ERASED = 12
"""So many blanks are erased rather than written."""
_LINED = frozenset({"4", "7", "9", "21", "51", "52", "53"})
_BACKGROUNDS = frozenset({*map(str, range(40, 49)), *map(str, range(100, 108))})
"""SGR parameters: those with which a blank is not blank, and those that choose a background."""
_DRAWN_WITH = range(0x2500, 0x25A0)
"""Lines and blocks: one cell wide for every terminal, as ASCII is."""


class ShownCell(NamedTuple):
    """A character, with what belongs to it; empty for the second cell of a wide one. ``codes``: its SGR parameters."""

    text: str
    codes: str


class Painting:
    """What the terminal shows, as far as it is known. `changes` keeps it; called by the thread of the application."""

    def __init__(self) -> None:
        self._lines: dict[int, list[ShownCell | None]] = {}
        self._erases_in_colour: bool | None = None
        self._width, self._height = sys.maxsize, sys.maxsize

    def forget(self) -> None:
        """Know nothing any more: something else has written to the terminal."""
        self._lines.clear()

    def resized(self, width: int, height: int) -> None:
        """Know nothing any more, and send nothing for beyond that: the terminal has so many columns and lines now.

        Until there is a layout for it Textual goes on to paint that of another size, and what is sent for a place
        that a terminal does not have ends up in its last column or line.
        """
        self.forget()
        self._width, self._height = width, height

    def only_changes(self, update: CompositorUpdate) -> CompositorUpdate:
        """Return an update that sends of ``update`` what looks different by then; other kinds as they are."""
        return _Changes(self, update) if isinstance(update, LayoutUpdate | ChopsUpdate) else update

    def changes(self, update: LayoutUpdate | ChopsUpdate, console: Console) -> str:
        """Return what makes the terminal look like that, and take it for done."""
        colours = console._color_system or ColorSystem.TRUECOLOR  # noqa: SLF001 - as Textual's own updates ask
        before: dict[int, list[ShownCell | None]] = {}
        for x, y, strip in _pieces(update):
            if x >= self._width or y >= self._height:
                continue
            line = self._lines.setdefault(y, [])
            before.setdefault(y, line.copy())
            cells = _cells(strip, colours)
            _put(line, x, _cropped(cells, self._width - x))
        pen = _Pen(erases_in_colour=self._can_erase_in_colour())
        for y, shown in sorted(before.items()):
            line = self._lines[y]
            for start, end in _changed_runs(shown, line):
                pen.write(start, y, line[start:end], is_end=end == len(line))
        return pen.sent()

    def _can_erase_in_colour(self) -> bool:
        if self._erases_in_colour is None:
            self._erases_in_colour = _terminal_erases_in_colour()
        return self._erases_in_colour


class _Changes(CompositorUpdate):
    """An update, of which only what looks different is sent once it is."""

    def __init__(self, painting: Painting, update: LayoutUpdate | ChopsUpdate) -> None:
        self._painting = painting
        self._update = update

    def render_segments(self, console: Console) -> str:
        return self._painting.changes(self._update, console)


class _Pen:
    """Collects what is sent: where it writes and in which colours is said only when it changes."""

    def __init__(self, *, erases_in_colour: bool) -> None:
        self._erases_in_colour = erases_in_colour
        self._parts: list[str] = []
        self._codes = ""

    def write(self, x: int, y: int, cells: Iterable[ShownCell | None], *, is_end: bool) -> None:
        """Write cells from a place on; ``is_end``: the last of them is the last of the line."""
        self._parts.append(f"\x1b[{y + 1};{x + 1}H")
        same = [(cell, len(list(run))) for cell, run in groupby(cells) if cell is not None]
        for number, (cell, length) in enumerate(same, 1):
            self._use(cell.codes)
            if cell.text != " " or length < _LEAST_ERASED or not self._can_erase(cell.codes):
                self._parts.append(cell.text * length)
            elif number < len(same):
                self._parts.append(f"\x1b[{length}X\x1b[{length}C")
            else:
                self._parts.append("\x1b[K" if is_end else f"\x1b[{length}X")

    def _can_erase(self, codes: str) -> bool:
        """Whether blanks in these colours may be erased instead: with lines through or below them they may not."""
        return _is_plain(codes) and (self._erases_in_colour or not _has_background(codes))

    def _use(self, codes: str) -> None:
        if codes != self._codes:
            self._parts.append(f"\x1b[0;{codes}m" if codes else "\x1b[0m")
            self._codes = codes

    def sent(self) -> str:
        """Return all of it, the colours as they were before."""
        self._use("")
        return "".join(self._parts)


def _pieces(update: LayoutUpdate | ChopsUpdate) -> Iterator[tuple[int, int, Strip]]:
    """Yield what an update paints: column, line and strip."""
    if isinstance(update, LayoutUpdate):
        for y, strips in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in strips:
                yield x, y, strip
                x += strip.cell_length
        return
    for y, first, last in update.spans:
        for end, (x, chop) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if chop is not None and x <= last and end > first:
                whole = last > x >= first and end <= last
                yield x, y, chop if whole else chop.crop(0, min(end, last) - x)


def _put(line: list[ShownCell | None], x: int, cells: list[ShownCell | None]) -> None:
    """Put cells into a line. What is left of a wide character that they half cover, nobody knows."""
    end = x + len(cells)
    line.extend([None] * (end - len(line)))
    if cells and x and _is_second_half(line[x]):
        line[x - 1] = None
    if cells and end < len(line) and _is_second_half(line[end]):
        line[end] = None
    line[x:end] = cells


def _cropped(cells: list[ShownCell | None], width: int) -> list[ShownCell | None]:
    """Return the cells that there is room for; for the first half of a wide character a blank."""
    if len(cells) > width and _is_second_half(cells[width]) and (half := cells[width - 1]) is not None:
        return [*cells[: width - 1], ShownCell(" ", half.codes)]
    return cells[:width]


def _is_second_half(cell: ShownCell | None) -> bool:
    return cell is not None and not cell.text


def _cells(strip: Strip, colours: ColorSystem) -> list[ShownCell | None]:
    cells: list[ShownCell | None] = []
    for text, style, control in strip:
        if control:
            continue
        codes = _codes_of(style, colours) if style is not None else ""
        if text.isascii():
            cells += [ShownCell(letter, codes) for letter in text]
        else:
            _add_wide(cells, text, codes)
    return cells


def _add_wide(cells: list[ShownCell | None], text: str, codes: str) -> None:
    for letter in text:
        width = cell_len(letter)
        if width:
            cells.append(ShownCell(letter, codes))
            cells += [ShownCell("", codes)] * (width - 1)
        elif cells:
            place = len(cells) - 1
            while place > 0 and (one := cells[place]) is not None and not one.text:
                place -= 1
            base = cells[place]
            cells[place] = ShownCell((base.text if base else "") + letter, codes)


@lru_cache(4096)
def _codes_of(style: Style, colours: ColorSystem) -> str:
    return Strip.render_ansi(style, colours)


def _changed_runs(before: list[ShownCell | None], now: list[ShownCell | None]) -> list[tuple[int, int]]:
    """Return where two lines differ, as ranges of cells that are known.

    Of a line with characters that terminals may give another width than we do, all from the first of them on.
    """
    known = len(before)
    changed = [x for x, cell in enumerate(now) if cell is not None and (x >= known or before[x] != cell)]
    if not changed:
        return []
    doubtful = min(_first_doubtful(before), _first_doubtful(now))
    runs: list[tuple[int, int]] = []
    for x in changed:
        if x >= doubtful:
            break
        if runs and x - runs[-1][1] <= _MOVE_CELLS and None not in now[runs[-1][1] : x]:
            runs[-1] = runs[-1][0], x + 1
        else:
            runs.append((x, x + 1))
    if changed[-1] >= doubtful:
        runs += _known_ranges(now, doubtful)
    return runs


def _known_ranges(line: list[ShownCell | None], start: int) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for x in range(start, len(line)):
        if line[x] is None:
            continue
        if ranges and ranges[-1][1] == x:
            ranges[-1] = ranges[-1][0], x + 1
        else:
            ranges.append((x, x + 1))
    return ranges


def _first_doubtful(line: list[ShownCell | None]) -> int:
    for x, cell in enumerate(line):
        if cell is not None and not cell.text.isascii() and not (len(cell.text) == 1 and ord(cell.text) in _DRAWN_WITH):
            return x
    return len(line)


@lru_cache(1024)
def _is_plain(codes: str) -> bool:
    """Whether a blank in these colours is nothing but its background: not underlined, crossed out or reversed."""
    return _LINED.isdisjoint(_parameters(codes))


@lru_cache(1024)
def _has_background(codes: str) -> bool:
    return not _BACKGROUNDS.isdisjoint(_parameters(codes))


def _parameters(codes: str) -> Iterator[str]:
    """Yield the parameters of SGR codes; of a colour given in figures the first, which says what it is for."""
    parts = iter(codes.split(";"))
    for part in parts:
        yield part
        if part in {"38", "48", "58"}:
            for _figure in range(3 if next(parts, "") == "2" else 1):
                next(parts, "")


def _terminal_erases_in_colour() -> bool:
    """Ask terminfo whether what is erased gets the background that was chosen last."""
    try:
        curses.setupterm(os.environ.get("TERM", "dumb"), 1)
        return curses.tigetflag("bce") == 1
    except (curses.error, OSError):
        return False
