"""Lines of logs with a cursor: it follows the end until a person moves it, and then counts what comes below."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.geometry import Offset, Region
from textual.message import Message

from ingest_tui.tui.widgets.cursor_keys import CursorKeys
from ingest_tui.tui.widgets.text import Lines, TextLines
from ingest_tui.tui.widgets.text_lines import TonedLine


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

    cursor_cells = 1
    shows_cursor = True
    """False while what is shown is no log, but why there is none."""

    class Moved(TextLines.Moved):
        """The cursor is on another line, or more has come below it."""

    class Opened(Message):
        """A line was chosen with the mouse."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(follow=True, id=id)
        self.cursor = 0

    @property
    def is_at_end(self) -> bool:
        """Whether the cursor is on the last line."""
        return self.cursor >= len(self.lines) - 1

    def show(self, lines: Lines, *, stay: bool = False) -> None:
        """Show other lines; the cursor goes to the last one if it followed, else it stays where it was."""
        del stay
        before, follows = self.cursor, self.follow and self.is_at_end
        super().show(lines, stay=True)
        last = max(0, len(self.lines) - 1)
        self.cursor = last if follows else min(before, last)
        self._show_cursor()

    def append(self, lines: Lines) -> None:
        """Add lines below."""
        added = list(lines)
        was_at_end, before, unseen = self.is_at_end, len(self.lines), self.unseen
        left = self.rows_of_line(self.cursor)
        super().append(added)
        dropped = before + len(added) - len(self.lines)
        if self.follow and was_at_end:
            self.cursor, self.unseen = max(0, len(self.lines) - 1), 0
        else:
            self.cursor, self.unseen = max(0, self.cursor - dropped), unseen + len(added)
        self._show_cursor()
        self._repaint(left)
        self._post_moved()

    def set_follow(self, follow: bool) -> None:
        """Go to the end and stay there, or hold still."""
        self.follow = follow
        if follow:
            self.move_to_end(first=False)

    def move(self, steps: int) -> None:
        """Move the cursor by so many lines. Away from the end it holds still; back at the end it follows again."""
        before = self.rows_of_line(self.cursor)
        self.cursor = max(0, min(self.cursor + steps, len(self.lines) - 1))
        if self.is_at_end:
            self.unseen = 0
        self._show_cursor()
        self._repaint([*before, *self.rows_of_line(self.cursor)])
        self._post_moved()

    def move_to_end(self, *, first: bool) -> None:
        """Move the cursor to the first or the last line."""
        self.move(-len(self.lines) if first else len(self.lines))

    def _repaint(self, rows: Iterable[int]) -> None:
        for row in rows:
            self.refresh(Region(0, row - self.scroll_offset.y, self.size.width, 1))

    @property
    def current_line(self) -> int:
        """The number of the line under the cursor, from 0."""
        return self.cursor

    def move_to_line(self, number: int) -> None:
        """Put the cursor on a line."""
        self.move(number - self.cursor)

    def _show_cursor(self) -> None:
        rows = self.rows_of_line(self.cursor)
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
        row = event.y + int(self.scroll_offset.y)
        if row < len(self._rows):
            self.move_to_line(self._rows[row].line)
            if event.chain > 1:
                self.post_message(self.Opened())

    def what_is_at(self, place: Offset) -> TonedLine | None:
        """Return the line at a place."""
        row = place.y + int(self.scroll_offset.y)
        return self.lines[self._rows[row].line] if 0 <= row < len(self._rows) else None

    def cells_before(self, position: int) -> list[tuple[str, str]]:
        """Return the mark of the cursor, which is there where there is no colour, and the number."""
        is_first = self.shows_cursor and position in self.rows_of_line(self.cursor)[:1]
        line = self.lines[self._rows[position].line]
        return [(">" if is_first else " ", line.tone), *super().cells_before(position)]

    def style_of_row(self, position: int) -> Style:
        """Return the style of a row: that of the cursor on its line."""
        at_cursor = self.shows_cursor and position in self.rows_of_line(self.cursor)
        return self.get_component_rich_style("log--cursor") if at_cursor else self.rich_style

    def toned(self, base: Style, tones: Iterable[str], position: int) -> Style:
        """Return the style of a part; where the terminal chooses the colours, the line of the cursor has one."""
        style = super().toned(base, tones, position)
        is_plain = self.shows_cursor and self.app.native_ansi_color and position in self.rows_of_line(self.cursor)
        return style.without_color if is_plain else style
