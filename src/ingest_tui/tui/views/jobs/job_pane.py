"""One job: its state, its phases, its counters, what became of each document, its errors by reason, its log."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

from ingest_tui.model.counted import counted
from ingest_tui.model.job import Manifest, ParsingItem
from ingest_tui.model.log import is_at_least
from ingest_tui.model.matching import matches
from ingest_tui.model.outcome import Outcome
from ingest_tui.model.reasons import ReasonGroup, Reasons
from ingest_tui.model.safe_text import safe_display
from ingest_tui.tui import wording
from ingest_tui.tui.background.questions import Asking
from ingest_tui.tui.views.jobs import job_words
from ingest_tui.tui.views.jobs.job_items import OUTCOME_COLUMNS, SORTS, JobItems, Only, OutcomeRow, arrange
from ingest_tui.tui.views.jobs.phases import PhaseBars
from ingest_tui.tui.views.logs.log_lines import LogLines
from ingest_tui.tui.widgets.line import Line
from ingest_tui.tui.widgets.panel import title_panel
from ingest_tui.tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from ingest_tui.tui.application import Application

Read = TypeVar("Read")

MOST_LOG_RECORDS = 20_000
OUTCOME_SLICE = 2000
LOG_SLICE = 1000
_ARRANGE_SECONDS, _ARRANGE_MANY_SECONDS, _MANY = 0.3, 1.5, 10_000


class SearchedLog(LogLines):
    """The log of a job. ``n`` and ``N`` go on to what is found in it, whatever they mean elsewhere."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "find_again(1)", "next", id="log.next"),
        Binding("N", "find_again(-1)", "previous", id="log.previous"),
    ]

    def action_find_again(self, steps: int) -> None:
        """Go on to the next line, or back to the one before; where there is none, say so and do nothing else."""
        if not self.find_again(steps):
            cast("Asking", self.screen).show_notice(*wording.NOTHING_FOUND)


class JobPane(Asking, Vertical):
    """Follows one job. Call `follow` with an id, and `refresh_job` when the feed has news of it.

    It shows the outcomes; with the class ``-log`` or ``-reasons`` those instead, with ``-both`` the log below, with
    ``-wide`` reasons and log on the right.
    """

    DEFAULT_CSS = """
    JobPane {
        height: 1fr;
        #job-rate, #job-parsing, #job-issue, #job-parsers { display: none; }
        #job-rate.-shown, #job-parsing.-shown, #job-issue.-shown { display: block; }
        #job-counters { color: $text-muted; }
        #job-issue { color: $text-warning; }
        #job-panes { height: 1fr; layout: vertical; }
        #job-items { height: 1fr; }
        #job-side { height: 1fr; display: none; }
        #job-reasons { display: none; }
    }
    JobPane.-log, JobPane.-reasons { #job-side { display: block; } #job-items { display: none; } }
    JobPane.-reasons { #job-log { display: none; } #job-reasons { display: block; } }
    JobPane.-both {
        #job-side { display: block; } #job-items { display: block; }
        #job-log { display: block; }
    }
    JobPane.-both.-reasons { #job-items { display: none; } }
    JobPane.-wide {
        #job-panes { layout: horizontal; }
        #job-items { display: block; width: 1fr; }
        #job-side { display: block; width: 1fr; }
        #job-log, #job-reasons { display: block; }
        #job-log { height: 2fr; }
        #job-parsing.-shown { display: none; }
        #job-parsers.-shown { display: block; height: 7; }
    }
    """

    class ItemsShown(Message):
        """Other outcomes are shown than before."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.job_id = ""
        self.manifest: Manifest | None = None
        self.words = ""
        self.sort = next(iter(SORTS))
        self.reversed = False
        self.only = Only()
        self.level = "debug"
        self.timestamps = True
        self.log_said = ""
        """What the border of the log says of it."""
        self._why_unread: list[str] = []
        self.outcomes = JobItems()
        self._reasons = Reasons()
        self._records: deque[dict[str, Any]] = deque(maxlen=MOST_LOG_RECORDS)
        self._items_end = self._log_end = 0
        self._arranging: Timer | None = None
        self._busy = self._again = self._has_read_all = False

    @property
    def _app(self) -> Application:
        return cast("Application", self.app)

    def compose(self) -> ComposeResult:
        """State, phases, rate, counters and issue; below them outcomes, reasons and log."""
        yield Line(id="job-state")
        yield Line(id="job-times")
        yield PhaseBars()
        yield Line(id="job-rate")
        yield Line(id="job-parsing")
        yield Line(id="job-counters")
        yield Line(id="job-issue")
        with Container(id="job-panes"):
            yield VirtualTable(OUTCOME_COLUMNS, lambda row: row.key, id="job-items")
            with Vertical(id="job-side"):
                columns = job_words.parsing_columns(self._app.now)
                yield VirtualTable(columns, lambda item: f"{item.pid} {item.key}", id="job-parsers")
                yield VirtualTable(job_words.REASON_COLUMNS, job_words.reason_key, id="job-reasons")
                yield SearchedLog(id="job-log")

    def on_mount(self) -> None:
        """Put borders around the parts."""
        titled: list[tuple[Widget, str]] = [
            (self.items, "Outcomes"),
            (self.parsers, "Parsing now"),
            (self.reasons, "Errors by reason"),
            (self.log_lines, "Log"),
        ]
        self.parsers.hides_cursor = True
        for widget, title in titled:
            title_panel(widget.add_class("panel"), title)

    def on_resize(self) -> None:
        """Draw again what depends on the width: it may have been drawn before there was any."""
        self.show_state()

    @property
    def items(self) -> VirtualTable[OutcomeRow]:
        """The table of outcomes."""
        return cast("VirtualTable[OutcomeRow]", self.query_one("#job-items", VirtualTable))

    @property
    def parsers(self) -> VirtualTable[ParsingItem]:
        """The table of what is being parsed."""
        return cast("VirtualTable[ParsingItem]", self.query_one("#job-parsers", VirtualTable))

    @property
    def reasons(self) -> VirtualTable[ReasonGroup]:
        """The table of errors by reason."""
        return cast("VirtualTable[ReasonGroup]", self.query_one("#job-reasons", VirtualTable))

    @property
    def log_lines(self) -> LogLines:
        """The log."""
        return self.query_one("#job-log", LogLines)

    @property
    def number_of_items(self) -> int:
        """How many outcomes are held."""
        return len(self.outcomes.rows)

    # Reading

    def follow(self, job_id: str) -> None:
        """Show another job."""
        if job_id == self.job_id:
            return
        self.job_id = job_id
        self.manifest = None
        self._why_unread = []
        self.only = Only()
        self.outcomes, self._reasons = JobItems(), Reasons()
        self._records.clear()
        self._items_end = self._log_end = 0
        self._busy = self._has_read_all = False
        self.items.show_again("", 0)
        self.show_log()
        self.show_items()
        self.refresh_job()

    def refresh_job(self) -> None:
        """Read what is new of the job: its manifest, and the journals from where they were read to."""
        job_id, client = self.job_id, self._app.client
        if not job_id:
            return
        self.ask(lambda: client.jobs.get(job_id), self._show_manifest, group="manifest", otherwise=self._show_failure)
        if self._busy:
            self._again = True
            return
        self._busy, self._again = True, False
        items_end, log_end = self._items_end, self._log_end

        def journals() -> Any:
            for outcomes, end in _slices(client.jobs.items(job_id, offset=items_end), OUTCOME_SLICE):
                yield job_id, "items", outcomes, end
            for records, end in _slices(client.jobs.log(job_id, log_end), LOG_SLICE):
                yield job_id, "log", records, end
            yield job_id, "end", [], 0

        self.ask_many(journals, self._take, group="journals", otherwise=self._show_journal_failure)

    def _take(self, answer: tuple[str, str, list[Any], int]) -> None:
        job_id, what, records, end = answer
        if job_id != self.job_id:
            return
        if what == "end":
            is_first, self._busy, self._has_read_all = not self._has_read_all, False, True
            self._show_what_came()
            if is_first and not self.outcomes.rows:
                self.show_items()
            if self._again:
                self.refresh_job()
        elif what == "items":
            self._items_end = end
            self._add_items(records)
        else:
            self._log_end = end
            self._add_log(records)

    def _show_journal_failure(self, message: str, hint: str) -> None:
        self._busy = False
        self._show_failure(message, hint)

    # Outcomes and reasons

    def _add_items(self, outcomes: list[Outcome]) -> None:
        self.outcomes.add(outcomes)
        for outcome in outcomes:
            self._reasons.add(outcome)
        if self._arranging is None:  # of a long journal many slices come in a second
            shown = len(self.items.rows)
            wait = 0.01 if not shown else _ARRANGE_SECONDS if shown < _MANY else _ARRANGE_MANY_SECONDS
            self._arranging = self.set_timer(wait, self._show_what_came)

    def _show_what_came(self) -> None:
        if self._arranging is not None:
            self._arranging.stop()
            self._arranging = None
            self.show_items()

    def show_items(self) -> None:
        """Show the outcomes that pass the filter, in the chosen order; found out in a thread, as there may be many."""
        rows, only, words = tuple(self.outcomes.rows), self.only, self.words
        sort, backwards = self.sort, self.reversed
        passes = (lambda text: matches(text, words)) if words else None
        self._show_reasons()
        job_id = self.job_id
        if not rows:
            self._show_rows((job_id, []))
            return
        self.ask(
            lambda: (job_id, arrange(rows, only, passes=passes, sort=sort, backwards=backwards)),
            self._show_rows,
            group="arrange",
        )

    def _show_rows(self, answer: tuple[str, list[OutcomeRow]]) -> None:
        job_id, rows = answer
        if job_id != self.job_id:
            return
        is_narrowed = bool(self.words or self.only.outcome)
        words = job_words.no_outcome(self.manifest, is_narrowed=is_narrowed, has_read_all=self._has_read_all)
        empty = self._why_unread or [words]
        self.items.show(rows, empty=empty, from_top=not self._has_read_all)
        self.post_message(self.ItemsShown())

    def _show_reasons(self) -> None:
        self.reasons.show(self._reasons.groups(), empty=["no errors"])

    # The log

    def _add_log(self, records: list[dict[str, Any]]) -> None:
        self._records.extend(records)
        wanted = [job_words.log_line(one, timestamps=self.timestamps) for one in records if self._is_wanted(one)]
        if wanted:
            self.log_lines.append(wanted)
        self.say_log()

    def _is_wanted(self, record: dict[str, Any]) -> bool:
        return is_at_least(record.get("level"), self.level)

    def show_log(self) -> None:
        """Show the lines of the chosen level and above."""
        shown = [job_words.log_line(one, timestamps=self.timestamps) for one in self._records if self._is_wanted(one)]
        self.log_lines.show(shown)
        self.say_log()

    @property
    def line_of_log(self) -> str:
        """The line under the cursor of the log."""
        lines = self.log_lines.lines
        return lines[self.log_lines.cursor].text if lines else ""

    @property
    def document_of_line(self) -> str:
        """The address of the document that the line under the cursor of the log is about; empty where it is of none."""
        shown = [one for one in self._records if self._is_wanted(one)]
        from_end = len(self.log_lines.lines) - self.log_lines.cursor  # the oldest lines may be gone
        return str(shown[-from_end].get("document") or "") if 0 < from_end <= len(shown) else ""

    def on_log_lines_moved(self) -> None:
        """The cursor of the log has moved, or more has come below it."""
        self.say_log()

    def say_log(self) -> None:
        """Say whether the log is followed, from which level on, and how much is below what is seen."""
        log = self.log_lines
        follows = log.follow and log.is_at_end
        unseen = f" · {log.unseen:,} new below" if log.unseen and not log.is_at_end else ""
        level = "" if self.level == "debug" else f" · {self.level} and above"
        state = "following" if follows else "f follows"
        found = f"{log.found_words} · n N go on · " if log.found_words else ""
        self.log_said = f"{found}{state}{level}{unseen}"
        title_panel(log, "Log", self.log_said)

    # The lines above

    def _show_manifest(self, manifest: Manifest) -> None:
        if manifest.job_id != self.job_id:
            return
        if self.manifest is None or self.manifest.errors_total != manifest.errors_total:
            self._reasons.take_job_errors(manifest.errors)
            self._show_reasons()
        self._why_unread = []
        before, self.manifest = self.manifest, manifest
        self.show_state()
        if not self.outcomes.rows and (before is None or before.ended != manifest.ended):
            self.show_items()

    def show_state(self) -> None:
        """Say the state of the job."""
        manifest = self.manifest
        if manifest is None:
            return
        model, now = self._app.model, self._app.now()
        self.query_one("#job-state", Line).say(job_words.state_line(manifest, model.queue_position(manifest.job_id)))
        self.query_one("#job-times", Line).say(job_words.times_line(manifest, now))
        self.query_one(PhaseBars).show(manifest, now)
        rate = job_words.rate_line(manifest, model.rates.get(manifest.job_id, ()))
        self._say_if_any("#job-rate", rate)
        self._say_if_any("#job-parsing", job_words.parsing_line(manifest, now, self.size.width))
        self.parsers.set_class(job_words.is_parsing(manifest), "-shown")
        self.parsers.show(manifest.parsing, empty=["nothing is being parsed"])
        self.query_one("#job-counters", Line).say(job_words.counters_line(manifest.counters, ended=manifest.ended))
        issue = job_words.issue_line(manifest)
        if self.outcomes.left_out:
            issue += (
                f"   {counted(self.outcomes.left_out, 'outcome is', 'outcomes are')} not shown: ingest-tui job "
                f"items {manifest.job_id}"
            )
        self._show_issue(issue)

    def _say_if_any(self, line_id: str, text: Content | None) -> None:
        line = self.query_one(line_id, Line)
        line.set_class(text is not None, "-shown")
        line.say(text or "")

    def _show_failure(self, message: str, hint: str) -> None:
        self._show_issue(f"{message}  {hint}")
        if self.manifest is None and not self.outcomes.rows:
            self._why_unread = [f"! {message}", f"  {hint}"]
            self._show_rows((self.job_id, []))

    def _show_issue(self, text: str) -> None:
        line = self.query_one("#job-issue", Line)
        line.set_class(bool(text), "-shown")
        line.say(f" {safe_display(text)}")


def _slices(records: Iterator[tuple[Read, int]], length: int) -> Iterator[tuple[list[Read], int]]:
    batch: list[Read] = []
    end = 0
    for record, end in records:
        batch.append(record)
        if len(batch) == length:
            yield batch, end
            batch = []
    if batch:
        yield batch, end
