"""Many lines of text: the log of a job, the text of a document. Draws the lines in view, finds words in all."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ingest_tui.tui.widgets.columns import fit
from ingest_tui.tui.widgets.text_lines import (
    BETWEEN,
    Row,
    TonedLine,
    best_line,
    column_widths,
    found_in,
    line_of,
    pattern_of,
    rows_of,
    toned_parts,
)

Lines = Iterable[str | tuple[str, str] | TonedLine]

MOST_LINES = 20_000
"""So many lines are held of what grows at its end."""


class TextLines(ScrollView, can_focus=True):
    """Lines with wrapping, and with following: new lines pull the view along until a person scrolls up."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "text--good",
        "text--bad",
        "text--warn",
        "text--running",
        "text--quiet",
        "text--hit",
        "text--head",
        "text--bold",
        "text--italic",
        "text--code",
        "text--changed",
        "text--found",
    }
    DEFAULT_CSS = """
    TextLines {
        height: 1fr; background: $background; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1;
        & > .text--good { color: $text-success; }
        & > .text--bad { color: $text-error; }
        & > .text--warn { color: $text-warning; }
        & > .text--running { color: $text-primary; }
        & > .text--quiet { color: $text-muted; }
        & > .text--hit { text-style: bold reverse; }
        & > .text--head { text-style: bold; color: $text-accent; }
        & > .text--bold { text-style: bold; }
        & > .text--italic { text-style: italic; }
        & > .text--code { color: $text-accent; }
        & > .text--changed { text-style: bold underline; }
        & > .text--found { text-style: bold reverse; color: $text-accent; }
    }
    """

    cursor_cells: ClassVar[int] = 0  # cells that a subclass puts before each line

    class Moved(Message):
        """Other lines are in sight, or what was looked for is on another one."""

        def __init__(self, text: TextLines) -> None:
            super().__init__()
            self.text = text

        @property
        def control(self) -> TextLines:
            """The lines, for ``@on`` with a selector."""
            return self.text

    def __init__(self, *, follow: bool = False, numbers: bool = False, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.follow = follow
        self.numbers = numbers
        self.wrap = True
        self.unseen = 0
        self.lines: list[TonedLine] = []
        self._rows: list[Row] = []
        self._starts: list[int] = []  # of each line: its first row
        self._wrapped_at = 0
        self._pattern = pattern_of([])
        self._found: list[int] = []  # the lines that have what is looked for
        self._found_at = -1

    # What is shown

    @property
    def line_width(self) -> int:
        """The cells of a line, without the scrollbar."""
        return int(self.scrollable_content_region.width)

    @property
    def _number_cells(self) -> int:
        return len(f"{len(self.lines):,}") + 1 if self.numbers else 0

    @property
    def _cells_before(self) -> int:
        return self.cursor_cells + self._number_cells

    def show(self, lines: Lines, *, stay: bool = False) -> None:
        """Show other lines; ``stay``: they are another state of the same text, which is shown at the same place."""
        top = self.scroll_offset.y if stay else 0
        self._clear()
        self.append(lines)
        self.unseen = 0
        self._search()
        self.refresh()  # fewer lines than before leave room that has to be cleared
        if not self.follow:
            self._go_to_row(top)
        self._post_moved()

    def _clear(self) -> None:
        self.lines, self._rows, self._starts = [], [], []

    def append(self, lines: Lines) -> None:
        """Add lines below."""
        added = [line_of(line) for line in lines]
        at_end, top, known, cells = (
            self.scroll_offset.y >= self.max_scroll_y, self.scroll_offset.y, len(self._rows), self._number_cells
        )  # fmt: skip
        first = len(self.lines)
        self.lines += added
        if self.follow and len(self.lines) > MOST_LINES:
            self.lines = self.lines[-MOST_LINES:]
            self._wrap_all()
            self._search()
            known = 0
        elif self._number_cells != cells:
            self._wrap_all()
            known = 0
        else:
            self._wrap(added, first)
        if self._pattern is not None and known:
            self._found += [first + at for at, line in enumerate(added) if self._pattern.search(line.text)]
        self._grow()
        if self.follow and at_end:
            self.unseen = 0
            self.scroll_end(animate=False, immediate=True)
        else:
            self.unseen += len(added)
        if self.scroll_offset.y == top:
            self.refresh(Region(0, known - top, self.size.width, max(0, len(self._rows) - known)))
        else:
            self.refresh()

    def _grow(self) -> None:
        """Take the new height without a new layout, which would repaint the whole screen for each line that comes."""
        self.set_reactive(TextLines.virtual_size, Size(self.line_width, len(self._rows)))
        self.vertical_scrollbar.window_virtual_size = max(len(self._rows), self.size.height)

    @property
    def plain(self) -> str:
        """The text that is held, for people who look for something in it."""
        return "\n".join(line.text for line in self.lines)

    # Moving

    def move(self, lines: int) -> None:
        """Scroll by so many lines."""
        self._go_to_row(self.scroll_offset.y + lines)

    def move_page(self, pages: int) -> None:
        """Scroll by screenfuls."""
        self.move(pages * max(1, self.size.height - 1))

    def move_to_end(self, *, first: bool) -> None:
        """Scroll to the beginning or to the end."""
        self._go_to_row(0 if first else self.max_scroll_y)

    def move_to_line(self, number: int) -> None:
        """Bring a line into sight, with some of what is before it."""
        if 0 <= number < len(self._starts):
            self._go_to_row(max(0, self._starts[number] - self.size.height // 4))

    def _go_to_row(self, row: float) -> None:
        self.scroll_to(y=row, animate=False, immediate=True)

    @property
    def current_line(self) -> int:
        """The number of the line that one reads, from 0: the first in sight."""
        row = int(self.scroll_offset.y)
        return self._rows[row].line if row < len(self._rows) else 0

    @property
    def shows_all(self) -> bool:
        """Whether all lines are in sight, and nothing is looked for."""
        return self._pattern is None and len(self._rows) <= self.size.height

    @property
    def position(self) -> str:
        """Where one reads: ``line 120 of 4,312 · 3 %``, and what is looked for: ``2 of 17 lines``."""
        rows, seen = len(self._rows), min(len(self._rows), int(self.scroll_offset.y) + self.size.height)
        where = f"line {self.current_line + 1:,} of {len(self.lines):,} · {100 * seen // max(1, rows)} %"
        return " · ".join(filter(None, (where, self.found_words)))

    @property
    def found_words(self) -> str:
        """What is found of what is looked for: ``found: 2 of 17 lines``; empty where nothing is."""
        if self._pattern is None:
            return ""
        at, number = f"{self._found_at + 1:,} of " if self._found_at >= 0 else "", len(self._found)
        return f"found: {at}{number:,} {'line' if number == 1 else 'lines'}" if number else "not found"

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Report that other lines are in sight."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._post_moved()

    def _post_moved(self) -> None:
        self.post_message(self.Moved(self).set_sender(self))

    # Finding

    def find(self, needles: Sequence[str], *, go: bool = True) -> None:
        """Set off what is found of any of the texts; none of them: nothing. ``go``: to the first from here on."""
        self._pattern = pattern_of(needles)
        self._search()
        if go and self._found:
            self._go_to_found(bisect_left(self._found, self.current_line) % len(self._found))
        self.refresh()
        self._post_moved()

    def show_passage(self, words: Sequence[str], lines: Sequence[str]) -> None:
        """Set words off, and go to the passage of these lines, else to the first that has one."""
        self.find(words, go=False)
        line = best_line(self.lines, words, near=lines)
        if line is None:
            return
        if self._found:
            self._go_to_found(bisect_left(self._found, line))
        else:
            self.move_to_line(line)
        self._post_moved()

    def find_again(self, steps: int) -> bool:
        """Go on to the next line (1) or the one before (-1) that has it, around the ends; False: there is none."""
        if not self._found:
            return False
        here = bisect_right(self._found, self.current_line) - (1 if steps > 0 else 0)
        at = self._found_at if self._found_at >= 0 else here
        self._go_to_found((at + steps) % len(self._found))
        self.refresh()
        self._post_moved()
        return True

    def _search(self) -> None:
        pattern = self._pattern
        self._found_at = -1
        self._found = [] if pattern is None else [at for at, one in enumerate(self.lines) if pattern.search(one.text)]

    def _go_to_found(self, at: int) -> None:
        self._found_at = at
        self.move_to_line(self._found[at])

    # Wrapping

    def toggle_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.wrap = not self.wrap
        self._lay_out()

    def toggle_numbers(self) -> None:
        """Number the lines, or do not."""
        self.numbers = not self.numbers
        self._lay_out()

    def _lay_out(self) -> None:
        """Wrap all lines again; the first in sight stays that."""
        line = self.current_line
        self._wrap_all()
        self.virtual_size = Size(self.line_width, len(self._rows))
        if line < len(self._starts):
            self._go_to_row(self._starts[line])
        self.refresh()
        self._post_moved()

    def on_resize(self) -> None:
        """Wrap for the new width."""
        if self.line_width != self._wrapped_at:
            self._wrap_all()
        self.virtual_size = Size(self.line_width, len(self._rows))
        if self.follow:
            self.scroll_end(animate=False, immediate=True)
        self._post_moved()

    def _wrap_all(self) -> None:
        self._wrapped_at = self.line_width
        self._rows, self._starts = [], []
        self._wrap(self.lines, 0)

    def _wrap(self, lines: Sequence[TonedLine], first: int) -> None:
        width = self.line_width - self._cells_before if self.wrap else 0
        for number, line in enumerate(lines, first):
            self._starts.append(len(self._rows))
            self._rows += rows_of(number, line, width)

    def rows_of_line(self, number: int) -> range:
        """Return the rows of a line."""
        if not 0 <= number < len(self._starts):
            return range(0)
        end = self._starts[number + 1] if number + 1 < len(self._starts) else len(self._rows)
        return range(self._starts[number], end)

    # Drawing

    def render_line(self, y: int) -> Strip:
        """Return one line in view."""
        width, position = self.line_width, y + int(self.scroll_offset.y)
        if position >= len(self._rows):
            return Strip([Segment(" " * width, self.rich_style)], width)
        row = self._rows[position]
        base, left = self.style_of_row(position), max(0, width - self._cells_before)
        segments = [Segment(text, self.toned(base, [tone], position)) for text, tone in self.cells_before(position)]
        if row.beside is None:
            segments += self._segments(row, left, position)
        else:
            widths = column_widths(left)
            segments += self._segments(row, widths[0], position)
            segments.append(Segment(BETWEEN, self.toned(base, ["quiet"], position)))
            segments += self._segments(row.beside, widths[1], position)
        return Strip(segments).simplify().crop(0, width)

    def _segments(self, row: Row, width: int, position: int) -> Iterator[Segment]:
        line, base = self.lines[row.line], self.style_of_row(position)
        spans = [*line.spans, *found_in(line.text, self._pattern, "found")]
        for part, tones in toned_parts(row, fit(row.text, width), spans):
            yield Segment(part, self.toned(base, [line.tone, *tones], position))

    def cells_before(self, position: int) -> list[tuple[str, str]]:
        """Return what is before the text of a row, with its tones: the number of a line, on its first row."""
        if not self.numbers:
            return []
        row, cells = self._rows[position], self._number_cells
        number = f"{row.line + 1:,}" if row.start == 0 else ""
        return [(f"{number:>{cells - 1}} ", "quiet")]

    def style_of_row(self, position: int) -> Style:
        """Return the style of a row, on which the tones of its parts are put."""
        del position
        return self.rich_style

    def toned(self, base: Style, tones: Iterable[str], position: int) -> Style:
        """Return the style of a part of a row that has these tones."""
        del position
        for tone in filter(None, tones):
            base += self.get_component_rich_style(f"text--{tone}", partial=True)
        return base
