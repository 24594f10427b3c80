"""Overview, the first screen: what needs a person, how sources are doing, what is being done. Each row leads on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.timer import Timer

from ingest_tui.tui import wording
from ingest_tui.tui.actions.actions import bindings_of
from ingest_tui.tui.client.feed import FeedUpdate
from ingest_tui.tui.header import TINY_HEIGHT, TINY_WIDTH, WIDE
from ingest_tui.tui.views.base.board_screen import BoardScreen
from ingest_tui.tui.views.overview import overview_columns as words
from ingest_tui.tui.views.overview.activity import DAY, HOUR, Activity, activity
from ingest_tui.tui.widgets.board import Board
from ingest_tui.tui.widgets.line import Line
from ingest_tui.tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from ingest_tui.services.attention import AttentionItem
    from ingest_tui.services.overview import Overview

BROAD, _ROOMY = 110, 30
"""From so many columns on panels are next to each other; from so many lines on there is room for the timeline."""
_READ_SECONDS, _SHARE_OF_TIME = 2.0, 10
"""Read the workspace again that long after the last time at the earliest, and for a tenth of the time at most."""
_MOST_PARTS, _DAY_SECONDS = 60, 60.0
"""Parts of a history; how long that of a day holds, since it looks at every job of the day."""
_MOST_ATTENTION, _AROUND_ROWS, _OTHER_LINES = 6, 3, 19
"""Rows of the first panel; the lines that its border and its head take, and those that the others need."""


_OF_JOBS = ("overview-running", "overview-timeline")


class OverviewScreen(BoardScreen):
    """The panels of the overview."""

    view = "overview"
    heading = "Overview"
    CSS_PATH = "overview_screen.tcss"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - as the base class declares it
        (0, "-tiny"),
        (TINY_WIDTH, "-narrow"),
        (80, "-normal"),
        (BROAD, "-broad"),
        (WIDE, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (TINY_HEIGHT, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("overview")]

    def __init__(self) -> None:
        super().__init__()
        self._seen: Overview | None = None
        self._failure = ""
        self._states: dict[str, list[str]] = {}
        self._reading: Timer | None = None
        self._asked_at = self._pause = 0.0
        self._day: Activity | None = None
        self._day_at = 0.0

    # Composition

    def compose_body(self) -> ComposeResult:
        """What needs a person above all; below it the sources, and what is being done."""
        now, health = self.ingest.now, self._health_of
        yield Board("Needs you", words.attention_columns(now), lambda item: item.key, id="overview-attention")
        with Container(id="overview-columns"):
            with Vertical(id="overview-left"):
                columns = words.source_columns(now, health)
                yield Board("Sources", columns, lambda one: one.source.source_id, id="overview-sources")
                collections = words.collection_columns()
                yield Board("Collections", collections, lambda one: one.collection_id, id="overview-collections")
            with Vertical(id="overview-right"):
                with Vertical(id="overview-activity", classes="panel") as panel:
                    panel.border_title = "Throughput"
                    for number in range(words.ACTIVITY_LINES):
                        yield Line(id=f"activity-{number}")
                running = words.running_columns(self.ingest.glyphs)
                yield Board("Running", running, lambda row: row.job_id, id="overview-running")
                timeline = words.timeline_columns(now, self.ingest.glyphs)
                yield Board("Timeline", timeline, lambda row: row.job_id, id="overview-timeline")

    @property
    def main_id(self) -> str:
        """What needs a person."""
        return "overview-attention"

    def on_resize(self) -> None:
        """Draw what depends on the width."""
        super().on_resize()
        self.set_class(self.size.height >= _ROOMY, "-roomy")
        if self.is_whole:
            self.call_after_refresh(self._show_activity)
            self._fit_heights()

    # What is shown

    def shows_job(self, job_id: str) -> bool:
        """A job that ends leaves the panel of those that run, which says nothing of how."""
        del job_id
        return False

    def feed_changed(self, update: FeedUpdate) -> None:
        """Show the jobs that run at once, and the rest soon; at the start once all jobs are known."""
        self._show_running()
        if not self.ingest.model.complete:
            return
        if update.removed or update.complete or any(row.ended for row in update.changed):
            self._states = words.last_states(self.ingest.model.rows.values())
            self.board("sources").redraw_changed()
            self._show_timeline()
            self._show_activity()
        if update.is_news:
            self._read_soon()

    def catch_up(self) -> None:
        """Show what is known, and read again."""
        self._states = words.last_states(self.ingest.model.rows.values())
        self._show_running()
        self._show_timeline()
        self._show_seen()
        self._show_activity()
        self._read_soon()

    def redraw_ages(self) -> None:
        """Let ages and histories grow."""
        super().redraw_ages()
        if self.is_current:
            self._show_activity()

    def reload(self) -> None:
        """Look again at once."""
        self._pause = 0.0
        super().reload()

    def _read_soon(self) -> None:
        """Read the workspace, at once where that was not done a moment ago."""
        if self._reading is None:
            wait = self._asked_at + self._pause - time.monotonic()
            self._reading = self.set_timer(max(wait, 0.01), self._read)

    def _read(self) -> None:
        self._asked_at = time.monotonic()
        self.ask(self.ingest.client.maintenance.overview, self._take, group="overview", otherwise=self._failed)

    def _take(self, seen: Overview) -> None:
        self._reading = None
        self._pause = max(_READ_SECONDS, (time.monotonic() - self._asked_at) * _SHARE_OF_TIME)
        self._seen, self._failure = seen, ""
        self._show_seen()

    def _failed(self, message: str, hint: str) -> None:
        self._reading = None
        self._pause = _READ_SECONDS
        self._failure = f"{message} {hint}"
        self.why_unread = [f"! {message}", f"  {hint}"]
        if self._seen is None:
            self._show_seen()
        self.say_current()

    def _show_seen(self) -> None:
        seen = self._seen
        if seen is None:
            self.board("attention").show([], empty=self.why_unread or ["reading …"])
            for name in ("sources", "collections"):
                self.board(name).show([], empty=["cannot be read"] if self.why_unread else ["reading …"])
            return
        self._fill("attention", "Needs you", seen.attention, ["Nothing needs you."])
        no_source = ["No sources yet: a source is a place that documents come from.", "Press 2, then a to add one."]
        self._fill("sources", "Sources", words.by_health(seen.sources), no_source)
        self._fill("collections", "Collections", seen.collections, ["No collections."], words.disk_words(seen))
        self._fit_heights()
        self.say_current()

    def _show_running(self) -> None:
        rows = words.unfinished(self.ingest.model.rows.values())
        board = self.board("running")
        empty = ["Nothing runs, nothing waits." if self.ingest.model.complete else "reading …"]
        if board.empty == empty and [row.job_id for row in rows] == [row.job_id for row in board.rows]:
            for before, row in zip(list(board.rows), rows, strict=True):
                if row != before:
                    board.change(row)
        else:
            self._fill("running", "Running", rows, empty)

    def _show_timeline(self) -> None:
        model = self.ingest.model
        empty = "No job has ended yet." if model.complete else "reading …"
        self._fill("timeline", "Timeline", words.last_ended(model.rows.values()), [empty])

    def _fill(self, name: str, title: str, rows: list[Any], empty: list[str], subtitle: str = "") -> None:
        self.board(name).fill(title, rows, empty, subtitle=subtitle, from_top=not self.ingest.model.complete)

    def _show_activity(self) -> None:
        if not self.query("#activity-0") or not self.query_one("#overview-activity").display:
            return
        model, now = self.ingest.model, self.ingest.now()
        if not model.rows and not model.complete:
            self.query_one("#activity-0", Line).say("reading …")
            return
        cells = min(_MOST_PARTS, max(1, self.query_one("#activity-0").size.width - words.ACTIVITY_WORDS))
        hour = activity(model.rows.values(), now, span=HOUR, parts=cells)
        if self._day is None or len(self._day.queue) != cells or abs(now - self._day_at) >= _DAY_SECONDS:
            self._day = activity(model.rows.values(), now, span=DAY, parts=cells)
            self._day_at = now if model.complete else 0.0  # of the jobs that are read by now only
        lines = words.activity_lines(hour, self._day, self.ingest.glyphs, cells, waiting=model.number("queued"))
        for number, (name, line, value) in enumerate(lines):
            told = Content.assemble((name, "$text-muted"), " ", (line, "$text-primary"), f" {value:>9}")
            self.query_one(f"#activity-{number}", Line).say(told)

    def _fit_heights(self) -> None:
        """Give the first panel the rows that it needs, as far as the others keep room."""
        board = self.board("attention")
        room = max(1, min(_MOST_ATTENTION, self.size.height - _OTHER_LINES))
        height = min(max(len(board.rows), 1), room) + _AROUND_ROWS
        if board.styles.height is None or board.styles.height.value != height:
            board.styles.height = height

    def _health_of(self, source_id: str) -> str:
        return self.ingest.glyphs.health(self._states.get(source_id, ()))

    # The row under the cursor

    def say_current(self) -> None:
        """Say more of the row under the cursor, or what is wrong with all."""
        target, row = self.target, self.current_row
        if self._failure:
            self.say_hint(self._failure, "bad")
        elif row is None:
            self.say_hint(self.ingest.worker_hint, "warn")
        elif target.id == "overview-attention":
            self.say_hint(row.hint, "bad" if row.level == "problem" else "warn")
        elif target.id == "overview-sources":
            self.say_hint(f"{row.source.source_id}  {row.source.place}")
        elif target.id in _OF_JOBS:
            self.say_hint(f"{row.job_id}  {row.phase or row.kind}")
        else:
            self.say_hint(f"{row.collection_id}: {wording.plural(row.documents, 'document')}")

    def command_values(self) -> dict[str, str]:
        """The job and the source under the cursor."""
        target, row = self.target, self.current_row
        if row is None:
            return {}
        if target.id == "overview-collections":
            return {"collection": row.collection_id}
        source = row.source.source_id if target.id == "overview-sources" else row.source_id
        return {"source": source, "job": getattr(row, "job_id", ""), "credential": getattr(row, "credential", "")}

    # Actions

    def toggle_more(self) -> None:
        """Show throughput and collections in place of sources and jobs, or these again; a broad screen has all."""
        self.toggle_class("-more")
        boards = self.boards()
        if self.focused not in boards:
            boards[0].focus()
        self.call_after_refresh(self._show_activity)

    @on(VirtualTable.Opened)
    def open_selected(self) -> None:
        """Open what the row under the cursor speaks of."""
        target, row = self.target, self.current_row
        if row is None:
            return
        if target.id == "overview-attention":
            self._open_attention(row)
        elif target.id == "overview-sources":
            self.ingest.open_source_here(row.source.source_id)
        elif target.id in _OF_JOBS:
            self.ingest.open_job_here(row.job_id)
        else:
            self.ingest.open_collection_here(row.collection_id)

    def _open_attention(self, item: AttentionItem) -> None:
        if item.job_id:
            self.ingest.open_job_here(item.job_id)
        elif item.code in {"documents_quarantined", "documents_failed"}:
            self.ingest.lead_to("errors")
        elif item.credential or item.code == "credentials_unreadable":
            self.ingest.lead_to("credentials", row=item.credential)
        elif item.source_id:
            self.ingest.open_source_here(item.source_id)
        elif item.code == "source_unreadable":
            self.ingest.lead_to("sources")
        else:
            self.ingest.lead_to("logs")
