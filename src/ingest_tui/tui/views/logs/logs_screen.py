"""Logs: what the worker and all jobs say, as it comes. Only the ends of the logs are read."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from ingest_tui.model.log import LEVELS, is_at_least
from ingest_tui.model.matching import matches
from ingest_tui.tui import wording
from ingest_tui.tui.actions.actions import bindings_of
from ingest_tui.tui.views.base.finding import FindingScreen
from ingest_tui.tui.views.base.following_screen import FollowingScreen
from ingest_tui.tui.views.logs.log_lines import LogLines
from ingest_tui.tui.widgets.drawings import with_drawing

if TYPE_CHECKING:
    from ingest_tui.services.jobs.logs import LogFollower

MOST_RECORDS = 5000
_SPARE = 1000  # so many more may be shown before the oldest are dropped, which lays all lines out again
_TONES = {"error": "bad", "warning": "warn", "debug": "quiet"}
_TOLD = {"at", "level", "message", "job", "source"}


class LogsScreen(FindingScreen, FollowingScreen):
    """The lines of all logs, the newest below."""

    view = "logs"
    heading = "Logs"
    look_seconds = 1.0
    CSS_PATH = "logs_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("logs")]

    def __init__(self) -> None:
        super().__init__()
        self.level = "info"
        self.timestamps = True
        self._records: deque[dict[str, Any]] = deque(maxlen=MOST_RECORDS)
        self._shown: list[dict[str, Any]] = []
        self._follower: LogFollower | None = None
        self._has_read = False

    def compose_body(self) -> ComposeResult:
        """The lines."""
        yield LogLines(id="logs-lines")

    @property
    def main_id(self) -> str:
        """The lines have the focus."""
        return "logs-lines"

    @property
    def lines(self) -> LogLines:
        """The lines."""
        return self.query_one("#logs-lines", LogLines)

    @property
    def current(self) -> dict[str, Any] | None:
        """The record of the line under the cursor."""
        return self._shown[self.lines.cursor] if self.lines.cursor < len(self._shown) else None

    def place(self) -> str:
        """Where we are."""
        return f"Logs > {self.words or f'{self.level} and above'}"

    def state_to_remember(self) -> dict[str, object]:
        """Level and times too."""
        return super().state_to_remember() | {"level": self.level, "timestamps": self.timestamps}

    def take_up(self, state: Mapping[str, Any]) -> None:
        """Level and times too."""
        super().take_up(state)
        self.level = state["level"] if state.get("level") in LEVELS else self.level
        self.timestamps = state.get("timestamps") is not False

    # What is shown

    def reading(self) -> Callable[[], tuple[LogFollower, list[dict[str, Any]]]]:
        """Return what reads the lines that have come since."""
        client, follower = self.ingest.client, self._follower

        def work() -> tuple[LogFollower, list[dict[str, Any]]]:
            reader = follower or client.jobs.follow_logs()
            return reader, reader.read()

        return work

    def take(self, answer: tuple[LogFollower, list[dict[str, Any]]]) -> None:
        """Show what has come, below the rest where that is possible."""
        self._follower, records = answer
        if not records and self._has_read:
            return
        self._records.extend(records)
        if not self._has_read or not self._shown or len(self._shown) + len(records) > MOST_RECORDS + _SPARE:
            self._has_read = True
            self.show_lines()
            return
        shown = [record for record in records if self._is_wanted(record)]
        self._shown += shown
        if shown:
            self.lines.append([self._line(record) for record in shown])

    def show_lines(self) -> None:
        """Show the lines that pass the filter."""
        self._shown = [record for record in self._records if self._is_wanted(record)]
        self.lines.shows_cursor = bool(self._shown)
        self.lines.show([self._line(record) for record in self._shown] or [(line, "") for line in self._empty()])
        self.mark_found(go=False)
        self._say()
        self.say_header()

    # Finding

    @property
    def lines_searched(self) -> LogLines:
        """The lines."""
        return self.lines

    def words_of_filter(self) -> list[str]:
        """The words that lines have to have."""
        return [word for word in self.words.split() if not word.startswith("!")]

    def _is_wanted(self, record: dict[str, Any]) -> bool:
        if not is_at_least(record.get("level"), self.level):
            return False
        return not self.words or matches(_text(record, timestamps=True).lower(), self.words)

    def _line(self, record: dict[str, Any]) -> tuple[str, str]:
        return _text(record, timestamps=self.timestamps), _TONES.get(str(record.get("level")), "")

    def _empty(self) -> list[str]:
        if not self._has_read:
            return self.why_unread or ["reading …"]
        if self._records:
            return ["No line matches: L changes the level, esc clears the filter."]
        return with_drawing(
            "logs",
            "No lines yet.",
            "",
            "Jobs and the worker report here what they do.",
            "2 shows the sources; s there syncs one.",
        )

    @on(LogLines.Moved)
    def _say(self) -> None:
        lines = self.lines
        state = "following" if lines.follow and lines.is_at_end else "f follows"
        unseen = f" · {lines.unseen:,} new below" if lines.unseen and not lines.is_at_end else ""
        words = f"&{self.words} · " if self.words else ""
        found = f"{lines.found_words} · " if self.looked_for else ""
        self.say_panel(
            wording.plural(len(self._shown), "line"), f"{found}{words}{self.level} and above · {state}{unseen}"
        )
        record = self.current
        self.say_hint("" if record is None else "  ".join(_about(record)))

    # Actions

    def command_values(self) -> dict[str, str]:
        """What the line under the cursor is about."""
        record = self.current or {}
        values = {name: str(record.get(name) or "") for name in ("job", "source", "document")}
        return values | {"level": self.level}

    def shown_commands(self) -> dict[str, str]:
        """The lines of the level that is shown; words have no option."""
        return {} if self.words else {"log.level": f"ingest-tui job logs --level {self.level}"}

    def copies(self) -> dict[str, str]:
        """What the line is about, and the line."""
        values = {name: value for name, value in self.command_values().items() if value and name != "level"}
        return values | ({"line": _text(self.current, timestamps=True)} if self.current else {})

    @on(LogLines.Opened)
    def open_selected(self) -> None:
        """Open the job that says this, or what became of the document."""
        record = self.current or {}
        if record.get("document"):
            self.explain()
        elif record.get("job"):
            self.ingest.open_job_here(str(record["job"]))
        else:
            self.show_notice("this line is about no job")

    def explain(self) -> None:
        """Say what became of the document that the line is about."""
        document = (self.current or {}).get("document")
        if document:
            self.ingest.explain(str(document))
        else:
            self.show_notice("this line is about no document")

    def toggle_follow(self) -> None:
        """Follow the end, or hold still."""
        self.lines.set_follow(not (self.lines.follow and self.lines.is_at_end))
        self._say()

    def toggle_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.lines.toggle_wrap()

    def toggle_timestamps(self) -> None:
        """Show the times, or leave them out."""
        self.timestamps = not self.timestamps
        self.show_lines()

    def choose_level(self, level: str = "") -> None:
        """Show the lines from a level on."""
        from ingest_tui.tui.dialogs.dialogs import Choose

        if level in LEVELS:
            self._use_level(level)
        elif level:
            self.show_notice(f"there is no level {level}", f"there are {', '.join(LEVELS)}", bad=True)
        else:
            offered = [(name, f"{name} and above") for name in LEVELS]
            self.app.push_screen(Choose("Show", offered), lambda chosen: self._use_level(chosen) if chosen else None)

    def _use_level(self, level: str) -> None:
        self.level = level
        self.show_lines()


def _text(record: dict[str, Any], *, timestamps: bool) -> str:
    """Return a record as one line: time, level, job, message, and the rest as ``name=value``."""
    at = f"{str(record.get('at', ''))[5:19].replace('T', ' '):14} " if timestamps else ""
    rest = " ".join(wording.named(name, value) for name, value in record.items() if name not in _TOLD)
    who = str(record.get("source") or str(record.get("job") or "")[-4:] or "worker")[:14]
    return f"{at}{str(record.get('level', '')).upper():7} {who:14} {record.get('message', '')} {rest}".rstrip()


def _about(record: dict[str, Any]) -> list[str]:
    """Return what a line is about and what Enter does with it."""
    if record.get("document"):
        return [str(record.get("job", "")), "enter: what became of the document"]
    return [str(record["job"]), "enter: the job"] if record.get("job") else ["worker.log"]
