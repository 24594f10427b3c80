"""Lines of logs with a cursor: it follows the end until a person moves it, and then counts what comes below."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from ingest_tui.tui.widgets.columns import fit
from ingest_tui.tui.widgets.cursor_keys import CursorKeys
from ingest_tui.tui.widgets.text import TextLines


class LogLines(CursorKeys, TextLines):
    """A cursor is on one of the lines that were given, however many lines of the screen that one takes."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"log--cursor"}
    DEFAULT_CSS = """
    LogLines {
        & > .log--cursor { background: $surface; text-style: bold; }
        &:focus > .log--cursor { background: $primary-muted; text-style: bold; }
        &:ansi > .log--cursor { text-style: reverse; }
        &:ansi > .text--bad { color: ansi_red; }
        &:ansi > .text--warn { color: ansi_yellow; }
        &:ansi > .text--quiet { color: ansi_bright_black; }
    }
    """

    cells_before = 1

    class Moved(Message):
        """The cursor is on another line, or more has come below it."""

    class Opened(Message):
        """A line was chosen with the mouse."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(follow=True, id=id)
        self.cursor = 0
        self._starts: list[int] = []  # of each line: its first line on the screen
        self._end = 0

    @property
    def is_at_end(self) -> bool:
        """Whether the cursor is on the last line."""
        return self.cursor >= len(self._source) - 1

    def show(self, lines: Iterable[str | tuple[str, str]]) -> None:
        """Show other lines; the cursor goes to the last one if it followed, else it stays where it was."""
        before, follows = self.cursor, self.follow and self.is_at_end
        self._source, self._lines, self._starts, self._end = [], [], [], 0
        self.append(lines)
        self.unseen = 0
        self.refresh()
        last = max(0, len(self._source) - 1)
        self.cursor = last if follows else min(before, last)
        self._show_cursor()

    def append(self, lines: Iterable[str | tuple[str, str]]) -> None:
        """Add lines below."""
        added = list(lines)
        was_at_end, before, unseen = self.is_at_end, len(self._source), self.unseen
        left = self._rows_of(self.cursor)
        super().append(added)
        dropped = before + len(added) - len(self._source)
        if self.follow and was_at_end:
            self.cursor, self.unseen = max(0, len(self._source) - 1), 0
        else:
            self.cursor, self.unseen = max(0, self.cursor - dropped), unseen + len(added)
        self._show_cursor()
        self._repaint(left)
        self.post_message(self.Moved())

    def set_follow(self, follow: bool) -> None:
        """Go to the end and stay there, or hold still."""
        self.follow = follow
        if follow:
            self.move_to_end(first=False)

    def move(self, steps: int) -> None:
        """Move the cursor by so many lines. Away from the end it holds still; back at the end it follows again."""
        before = self._rows_of(self.cursor)
        self.cursor = max(0, min(self.cursor + steps, len(self._source) - 1))
        if self.is_at_end:
            self.unseen = 0
        self._show_cursor()
        self._repaint([*before, *self._rows_of(self.cursor)])
        self.post_message(self.Moved())

    def move_to_end(self, *, first: bool) -> None:
        """Move the cursor to the first or the last line."""
        self.move(-len(self._source) if first else len(self._source))

    def _repaint(self, rows: Iterable[int]) -> None:
        for row in rows:
            self.refresh(Region(0, row - self.scroll_offset.y, self.size.width, 1))

    def _rows_of(self, position: int) -> range:
        if not 0 <= position < len(self._starts):
            return range(0)
        end = self._starts[position + 1] if position + 1 < len(self._starts) else self._end
        return range(self._starts[position], end)

    def _show_cursor(self) -> None:
        rows = self._rows_of(self.cursor)
        if not rows or self.size.height <= 0:
            return
        top = self.scroll_offset.y
        if rows.stop > top + self.size.height:
            top = rows.stop - self.size.height
        top = min(top, rows.start)
        if top != self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, immediate=True)

    def on_resize(self) -> None:
        """Keep the cursor in view once the lines are wrapped for the new width."""
        self.call_after_refresh(self._show_cursor)

    def toggle_wrap(self) -> None:
        """Wrap long lines, or cut them; the cursor stays on its line."""
        super().toggle_wrap()
        self._show_cursor()

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the line, and open it on a double click."""
        position = bisect_right(self._starts, event.y + self.scroll_offset.y) - 1
        if event.y + self.scroll_offset.y < self._end:
            self.move(position - self.cursor)
            if event.chain > 1:
                self.post_message(self.Opened())

    def _wrap_all(self) -> None:
        self._starts, self._end = [], 0
        super()._wrap_all()

    def _wrapped(self, lines: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        wrapped: list[tuple[str, str]] = []
        for line in lines:
            pieces = super()._wrapped([line])
            self._starts.append(self._end)
            self._end += len(pieces)
            wrapped += pieces
        return wrapped

    def render_line(self, y: int) -> Strip:
        """Return one line in view; a ``>`` marks the cursor where there is no colour."""
        row = y + self.scroll_offset.y
        at_cursor = row in self._rows_of(self.cursor)
        text, tone = self._lines[row] if row < len(self._lines) else ("", "")
        style = self.get_component_rich_style("log--cursor") if at_cursor else self.rich_style
        if tone:
            style += self.get_component_rich_style(f"text--{tone}", partial=True)
            style = style.without_color if at_cursor and self.app.native_ansi_color else style
        gutter = ">" if row in self._rows_of(self.cursor)[:1] else " "
        return Strip([Segment(fit(gutter + text, self.line_width), style)], self.line_width)
