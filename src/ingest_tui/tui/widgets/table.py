"""A table over a plain list: draws only the lines in view, and repaints only the line that changed.

Measured: five million rows cost the same as a screenful, and one changed row about 200 bytes of output at 80 columns,
where `DataTable` sends the whole table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Generic

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ingest_tui.model.safe_text import safe_display
from ingest_tui.tui.widgets.columns import Column, Row, fit, lay_out
from ingest_tui.tui.widgets.cursor_keys import CursorKeys
from ingest_tui.tui.widgets.row_marks import RowMarks

GUTTER = 2


class TableMessage(Message):
    """What a table reports, and the key of the row that it is about."""

    def __init__(self, table: VirtualTable[Any], key: str = "") -> None:
        super().__init__()
        self.table = table
        self.key = key

    @property
    def control(self) -> VirtualTable[Any]:
        """The table, for ``@on`` with a selector."""
        return self.table


class VirtualTable(CursorKeys, ScrollView, Generic[Row], can_focus=True):
    """Rows with a cursor and marks. Give it rows with `show`; change one in place with `change`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--head",
        "table--cursor",
        "table--mark",
        "table--good",
        "table--warn",
        "table--bad",
        "table--running",
        "table--quiet",
        "table--accent",
    }
    DEFAULT_CSS = """
    VirtualTable {
        height: 1fr; background: $background; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1;
        & > .table--head { text-style: bold; color: $text-muted; background: $background; }
        & > .table--cursor { background: $surface; text-style: bold; }
        &:focus > .table--cursor { background: $primary-muted; text-style: bold; }
        & > .table--mark { color: $text-accent; text-style: bold; }
        & > .table--good { color: $text-success; }
        & > .table--warn { color: $text-warning; }
        & > .table--bad { color: $text-error; }
        & > .table--running { color: $text-primary; }
        & > .table--accent { color: $text-accent; }
        & > .table--quiet { color: $text-muted; }
        &:ansi > .table--cursor { text-style: reverse; }
        &:ansi:focus > .table--cursor { text-style: reverse; }
        &:ansi > .table--good { color: ansi_green; }
        &:ansi > .table--warn { color: ansi_yellow; }
        &:ansi > .table--bad { color: ansi_red; }
        &:ansi > .table--running { color: ansi_cyan; }
        &:ansi > .table--quiet { color: ansi_bright_black; }
        &:ansi > .table--mark { color: ansi_green; }
        &:ansi > .table--accent { color: ansi_cyan; }
    }
    """
    cursor: reactive[int] = reactive(0, repaint=False)

    class Moved(TableMessage):
        """The cursor is on another row; ``key`` is empty when there is none."""

    class Scrolled(TableMessage):
        """Other rows are in sight, whoever has scrolled: the cursor, the wheel or the scrollbar."""

    class Opened(TableMessage):
        """A row was chosen with the mouse."""

    class HeadClicked(TableMessage):
        """The head of a column was clicked; ``key`` is the name of the column."""

    def __init__(
        self,
        columns: Sequence[Column[Row]],
        key: Callable[[Row], str],
        *,
        id: str | None = None,  # noqa: A002
        can_mark: Callable[[Row], bool] = lambda _row: True,
    ) -> None:
        super().__init__(id=id)
        self.columns = list(columns)
        self.rows: list[Row] = []
        self._marks = RowMarks()
        self.empty: list[str] = []
        self.hides_cursor = False
        """Show the cursor only while the table has the focus: where several are next to each other."""
        self._key = key
        self._can_mark = can_mark
        self._positions: dict[str, int] = {}
        self._drawn: dict[int, list[Segment]] = {}
        self._layout: tuple[int, list[tuple[Column[Row], int]]] | None = None
        self._moved_by_hand = False
        self._starts_over = False
        self._wanted_key = ""
        self._wanted_top = 0

    # What is shown

    @property
    def line_width(self) -> int:
        """The cells of a line, without the scrollbar."""
        return int(self.scrollable_content_region.width)

    def show(self, rows: Sequence[Row], *, empty: Sequence[str] = (), from_top: bool = False) -> None:
        """Show other rows. The cursor stays on its row, else near where it was; marks of rows that are gone fall.

        ``from_top``: these are an answer to what is being typed, or not all rows yet. Until a person moves, the cursor
        waits on the first.
        """
        current, top, before = self.current_key, self.scroll_offset.y, len(self.rows)
        self.rows = list(rows)
        self.empty = list(empty)
        self._positions = {self._key(row): position for position, row in enumerate(self.rows)}
        self._marks.keep(self._positions.keys())
        self._grow()
        starts_over = self._starts_over or (from_top and not self._moved_by_hand)
        self._starts_over = self._starts_over and not self.rows
        self._move_to(0 if starts_over else self._positions.get(current, self.cursor))
        if self._wanted_key in self._positions:
            if self._wanted_top:
                self.scroll_to(y=self._wanted_top, animate=False, immediate=True)
                self._wanted_top = 0
            self.select(self._wanted_key)
        if before and self.rows and self.scroll_offset.y == top:
            self._refresh_changed(before)
        else:
            self.refresh()
        if self.current_key != current:
            self._post_cursor_moved()

    def _grow(self) -> None:
        """Take the new height without a new layout, which would repaint the whole screen for rows out of sight."""
        self.set_reactive(VirtualTable.virtual_size, Size(self.line_width, len(self.rows) + 1))
        self.vertical_scrollbar.window_virtual_size = max(len(self.rows) + 1, self.size.height)
        if self.scroll_offset.y > self.max_scroll_y:
            self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)

    def _refresh_changed(self, rows_before: int) -> None:
        """Repaint the lines in sight that read differently than they were drawn, and those that lost their row."""
        top = self.scroll_offset.y
        for position in range(top, min(top + self.size.height, max(len(self.rows), rows_before))):
            if position >= len(self.rows):
                self._drawn.pop(position, None)
                self._refresh_row(position)
            elif self._drawn.get(position) != self._segments(position):
                self._refresh_row(position)

    def _post_cursor_moved(self) -> None:
        # Textual stops a message at the parent when the parent's handler made it; rows mostly come from there.
        self.post_message(self.Moved(self, self.current_key).set_sender(self))

    def change(self, row: Row) -> bool:
        """Replace the row of the same key and repaint its line if it is in view; False when there is none."""
        position = self._positions.get(self._key(row))
        if position is None:
            return False
        self.rows[position] = row
        self._refresh_row(position)
        return True

    def __contains__(self, key: object) -> bool:
        return key in self._positions

    def set_columns(self, columns: Sequence[Column[Row]]) -> None:
        """Show other columns."""
        self.columns = list(columns)
        self._layout = None
        self.refresh()

    def redraw_changed(self) -> None:
        """Repaint the lines in view that would read differently now: ages grow without any news."""
        for position, drawn in list(self._drawn.items()):
            if position >= len(self.rows) or not self._in_view(position):
                del self._drawn[position]
            elif self._segments(position) != drawn:
                self._refresh_row(position)

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if 0 <= self.cursor < len(self.rows) else None

    @property
    def current_key(self) -> str:
        """The key of the row under the cursor, or nothing."""
        row = self.current
        return "" if row is None else self._key(row)

    @property
    def marks(self) -> set[str]:
        """The keys of the marked rows."""
        return self._marks.keys

    @property
    def chosen_keys(self) -> list[str]:
        """The keys of the marked rows in their order, or of the row under the cursor when none is marked."""
        if self.marks:
            return sorted(self.marks, key=lambda key: self._positions[key])
        return [self.current_key] if self.current_key else []

    def rows_near(self, margin: int) -> list[Row]:
        """Return the rows in sight, and so many before and after them."""
        top = int(self.scroll_offset.y)
        return self.rows[max(0, top - margin) : top + self.size.height + margin]

    @property
    def last_in_sight(self) -> int:
        """The position of the last row in sight."""
        return min(len(self.rows), int(self.scroll_offset.y) + self.size.height - 1) - 1

    # Moving and marking

    def move(self, steps: int) -> None:
        """Move the cursor by so many rows."""
        self._moved_by_hand, self._starts_over = True, False
        self._wanted_key = ""
        self._move_to(self.cursor + steps)

    def move_page(self, pages: int) -> None:
        """Move the cursor by screenfuls."""
        self.move(pages * max(1, self.size.height - 2))

    def move_to_end(self, *, first: bool) -> None:
        """Move the cursor to the first or the last row."""
        self.move(-len(self.rows) if first else len(self.rows))

    def select(self, key: str) -> None:
        """Put the cursor on the row of a key: now, or as soon as there is one. A move by hand calls it off."""
        position = self._positions.get(key)
        if position is None:
            self._wanted_key = key
        else:
            self.move(position - self.cursor)

    def keep_row(self) -> None:
        """Keep the cursor on its row from now on, also while rows are still coming: a person has chosen it."""
        self._moved_by_hand = True

    def show_again(self, key: str, top: int) -> None:
        """Show other rows next, from the start; with the cursor on ``key`` and ``top`` the first in sight, if they are.

        They may be: a row that is not there any more leaves the cursor on the first.
        """
        self._wanted_key, self._wanted_top, self._moved_by_hand, self._starts_over = key, top, False, True

    def start_over(self) -> None:
        """Show the next rows from the first, unless a person has moved the cursor: they have asked for others."""
        self._starts_over = self._starts_over or not self._moved_by_hand

    def mark_when_here(self, keys: Iterable[str]) -> None:
        """Mark the rows of these keys as soon as they are shown."""
        self._marks.await_rows(keys)

    def toggle_range(self) -> bool:
        """Begin to mark every row that the cursor passes from here on, or end that; returns whether it has begun."""
        if self._marks.anchor or not self.current_key:
            self._marks.end_range()
            return False
        self._marks.begin_range(self.current_key)
        self._mark_range()
        return True

    def _mark_range(self) -> None:
        anchor = self._positions.get(self._marks.anchor)
        if anchor is None:
            self._marks.end_range()
            return
        first, last = sorted((anchor, self.cursor))
        passed = {self._key(row) for row in self.rows[first : last + 1] if self._can_mark(row)}
        for key in self._marks.reach(passed) & self._positions.keys():
            self._refresh_row(self._positions[key])

    def toggle_mark(self) -> None:
        """Mark the row under the cursor or take the mark away, where it can be marked, and move to the next row."""
        row = self.current
        if row is not None:
            if self._can_mark(row):
                self._marks.toggle(self._key(row))
            self._refresh_row(self.cursor)
            self.move(1)

    def mark_all(self) -> None:
        """Mark every row that can be."""
        self._marks.keys = {self._key(row) for row in self.rows if self._can_mark(row)}
        self.refresh()

    def clear_marks(self) -> None:
        """Take all marks away."""
        self._marks.clear()
        self.refresh()

    def _move_to(self, position: int) -> None:
        self.cursor = max(0, min(position, len(self.rows) - 1))
        height = self.size.height - 1
        if height <= 0:
            return
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, immediate=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, immediate=True)

    def watch_cursor(self, before: int, after: int) -> None:
        """Repaint the two lines the cursor moved between."""
        self._refresh_row(before)
        self._refresh_row(after)
        self._mark_range()
        self._post_cursor_moved()

    def on_focus(self) -> None:
        """Show where the cursor is."""
        self._refresh_row(self.cursor)

    def on_blur(self) -> None:
        """Hide it again, where it is hidden."""
        self._refresh_row(self.cursor)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Report that other rows are in sight."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.Scrolled(self).set_sender(self))

    def on_resize(self) -> None:
        """Lay the columns out for the new width."""
        self.virtual_size = Size(self.line_width, len(self.rows) + 1)
        self._move_to(self.cursor)
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the line, and open it on a double click; on a head, say which."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if (head := self._head_at(offset)) is not None:
            self.post_message(self.HeadClicked(self, head))
        elif (position := self._row_at(offset)) is not None:
            self.move(position - self.cursor)
            if event.chain > 1:
                self.post_message(self.Opened(self, self.current_key))

    def what_is_at(self, place: Offset) -> str | None:
        """Return the key of the row at a place, or the name of the head: what a click there is for."""
        position = self._row_at(place)
        return self._head_at(place) if position is None else self._key(self.rows[position])

    def _row_at(self, place: Offset) -> int | None:
        position = place.y - 1 + int(self.scroll_offset.y)
        return position if place.y > 0 and position < len(self.rows) else None

    def _head_at(self, place: Offset) -> str | None:
        start = GUTTER
        for column, cells in self._laid_out() if self.rows and place.y == 0 else ():
            if start <= place.x < start + cells:
                return column.name
            start += cells + 1
        return None

    # Drawing

    def _in_view(self, position: int) -> bool:
        return 0 < position - self.scroll_offset.y + 1 < self.size.height

    def _refresh_row(self, position: int) -> None:
        if self._in_view(position):
            self.refresh(Region(0, position - self.scroll_offset.y + 1, self.line_width, 1))

    def render_line(self, y: int) -> Strip:
        """Return one line: the head, a row, or the words for an empty table."""
        width = self.line_width
        if y == 0:
            return self._head(width)
        position = y - 1 + self.scroll_offset.y
        if position < len(self.rows):
            segments = self._segments(position)
            self._drawn[position] = segments
            return Strip(segments, width)
        text = self.empty[y - 1] if not self.rows and y <= len(self.empty) else ""
        return Strip([Segment(fit(f"  {safe_display(text)}", width), self.rich_style)], width)

    def _head(self, width: int) -> Strip:
        if not self.rows:  # heads over nothing say nothing
            return Strip([Segment(" " * width, self.rich_style)], width)
        style = self.get_component_rich_style("table--head")
        parts = ["  ", *(fit(column.title, cells, right=column.right) + " " for column, cells in self._laid_out())]
        return Strip([Segment(fit("".join(parts), width), style)], width)

    def _segments(self, position: int) -> list[Segment]:
        row = self.rows[position]
        at_cursor = position == self.cursor and (self.has_focus or not self.hides_cursor)
        base = self.get_component_rich_style("table--cursor") if at_cursor else self.rich_style
        marked = self._key(row) in self.marks
        gutter = (">" if at_cursor else " ") + ("*" if marked else " ")
        mark_style = base + self.get_component_rich_style("table--mark", partial=True) if marked else base
        segments = [Segment(gutter, mark_style)]
        for column, cells in self._laid_out():
            text, tone = column.cell(row)
            style = base
            if tone == "hits":
                segments += self._with_hits(fit(safe_display(text), cells) + " ", base)
                continue
            if tone:
                style = base + self.get_component_rich_style(f"table--{tone}", partial=True)
                style = style.without_color + base if at_cursor and self.app.native_ansi_color else style
            segments.append(
                Segment(fit(safe_display(text), cells, right=column.right, is_path=column.is_path) + " ", style)
            )
        used = GUTTER + sum(cells + 1 for _column, cells in self._laid_out())
        rest = self.line_width - used
        return [*segments, Segment(" " * rest, base)] if rest > 0 else segments

    def _with_hits(self, text: str, base: Style) -> list[Segment]:
        hit = base + self.get_component_rich_style("table--mark", partial=True)
        parts = re.split("(«[^»]*»?)", text)
        return [Segment(part, hit if part.startswith("«") else base) for part in parts if part]

    def _laid_out(self) -> list[tuple[Column[Row], int]]:
        """Return the columns that fit this width, each with its cells."""
        if self._layout is None or self._layout[0] != self.line_width:
            self._layout = self.line_width, lay_out(self.columns, self.line_width, gutter=GUTTER)
        return self._layout[1]
