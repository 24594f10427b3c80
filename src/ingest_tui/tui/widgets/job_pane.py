"""One job: where it stands, its phases, its counters, what became of each document, and its log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from ingest_tui.model.clock import seconds_since_epoch
from ingest_tui.model.job import Manifest
from ingest_tui.model.naming import safe_display
from ingest_tui.model.outcome import Outcome
from ingest_tui.tui import wording
from ingest_tui.tui.asking import Asking
from ingest_tui.tui.widgets.line import Line
from ingest_tui.tui.widgets.phases import PhaseBars
from ingest_tui.tui.widgets.table import Cell, Column, VirtualTable
from ingest_tui.tui.widgets.text import TextLines

if TYPE_CHECKING:
    from ingest_tui.tui.app import IngestApp

MOST_OUTCOMES = 20_000
_PROBLEMS = {"failed": 0, "rejected": 1, "empty": 2}
SORTS = {"problems first": "Problems first", "newest": "Newest first", "name": "By name", "slowest": "Slowest first"}


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """An outcome and its number within the job, which is its key in the table."""

    number: int
    outcome: Outcome

    @property
    def key(self) -> str:
        """The key of the row."""
        return str(self.number)


def _name(row: OutcomeRow) -> Cell:
    return Cell(row.outcome.key or row.outcome.uri)


def _outcome(row: OutcomeRow) -> Cell:
    return Cell(wording.state_word(row.outcome.outcome), wording.tone(row.outcome.outcome))


OUTCOME_COLUMNS: list[Column[OutcomeRow]] = [
    Column("name", "DOCUMENT", 0, _name),
    Column("outcome", "OUTCOME", 11, _outcome),
    Column("reason", "REASON", 16, lambda row: Cell(row.outcome.reason), from_width=50),
    Column("detail", "DETAIL", 0, lambda row: Cell(row.outcome.detail, "quiet"), from_width=100),
    Column("size", "SIZE", 9, lambda row: Cell(wording.size(row.outcome.bytes)), from_width=70, right=True),
    Column("ms", "MS", 6, lambda row: Cell(str(row.outcome.milliseconds or "-")), from_width=78, right=True),
]


class JobPane(Asking, Vertical):
    """Follows one job. Call `follow` with an id, and `refresh_job` when the feed has news of it."""

    DEFAULT_CSS = """
    JobPane {
        height: 1fr;
        #job-counters { height: auto; max-height: 3; color: $text-muted; }
        #job-trouble { display: none; color: $text-warning; }
        #job-trouble.-shown { display: block; }
        #job-log { display: none; }
        #job-log-title { display: none; text-style: bold; }
    }
    JobPane.-log { #job-log, #job-log-title { display: block; } #job-items { display: none; } }
    JobPane.-both { #job-log, #job-log-title { display: block; } #job-items { display: block; } }
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
        self._items: list[OutcomeRow] = []
        self._left_out = 0
        self._items_end = 0
        self._log_end = 0
        self._busy = False
        self._again = False

    @property
    def _app(self) -> IngestApp:
        return cast("IngestApp", self.app)

    def compose(self) -> ComposeResult:
        """State, phases, counters, trouble, outcomes and log."""
        yield Line(id="job-state")
        yield Line(id="job-times")
        yield PhaseBars()
        yield Line(id="job-counters")
        yield Line(id="job-trouble")
        yield VirtualTable(OUTCOME_COLUMNS, lambda row: row.key, id="job-items")
        yield Line(" Log", id="job-log-title")
        yield TextLines(follow=True, id="job-log")

    @property
    def items(self) -> VirtualTable[OutcomeRow]:
        """The table of outcomes."""
        return cast("VirtualTable[OutcomeRow]", self.query_one("#job-items", VirtualTable))

    @property
    def log_lines(self) -> TextLines:
        """The log."""
        return self.query_one("#job-log", TextLines)

    @property
    def number_of_items(self) -> int:
        """How many outcomes are held."""
        return len(self._items)

    def follow(self, job_id: str) -> None:
        """Show another job."""
        if job_id == self.job_id:
            return
        self.job_id = job_id
        self.manifest = None
        self._items, self._left_out, self._items_end, self._log_end = [], 0, 0, 0
        self._busy = False
        self.log_lines.show([])
        self.show_items()
        self.refresh_job()

    def refresh_job(self) -> None:
        """Read what is new of the job: its manifest, and the journals from where they were read to."""
        job_id, gateway = self.job_id, self._app.gateway
        if not job_id:
            return
        self.ask(lambda: gateway.job(job_id), self._show_manifest, group="manifest", otherwise=self._say_trouble)
        if self._busy:
            self._again = True
            return
        self._busy, self._again = True, False
        items_end, log_end = self._items_end, self._log_end

        def journals() -> Any:
            for outcomes, end in gateway.outcomes(job_id, items_end):
                yield job_id, "items", outcomes, end
            for records, end in gateway.log(job_id, log_end):
                yield job_id, "log", records, end
            yield job_id, "end", [], 0

        self.ask_many(journals, self._take, group="journals", otherwise=self._journal_trouble)

    def _take(self, answer: tuple[str, str, list[Any], int]) -> None:
        job_id, what, records, end = answer
        if job_id != self.job_id:
            return
        if what == "end":
            self._busy = False
            if self._again:
                self.refresh_job()
        elif what == "items":
            self._items_end = end
            self._add_items(records)
        else:
            self._log_end = end
            self.log_lines.append([_log_line(record) for record in records])
            self.say_log()

    def _journal_trouble(self, message: str, hint: str) -> None:
        self._busy = False
        self._say_trouble(message, hint)

    def _add_items(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            if len(self._items) < MOST_OUTCOMES or outcome.outcome in _PROBLEMS:
                self._items.append(OutcomeRow(len(self._items), outcome))
            else:
                self._left_out += 1
        self.show_items()

    def say_log(self) -> None:
        """Say whether the log is followed, and how much stands below what is seen."""
        log = self.log_lines
        unseen = f"   {log.unseen:,} new below" if log.unseen else ""
        self.query_one("#job-log-title", Line).say(f" Log   {'following' if log.follow else 'f follows'}{unseen}")

    def show_items(self) -> None:
        """Show the outcomes that pass the filter, in the chosen order."""
        from ingest_tui.tui.screens.base import matches

        rows = [row for row in self._items if not self.words or matches(_searchable(row), self.words)]
        if self.sort == "problems first":
            rows.sort(key=lambda row: _PROBLEMS.get(row.outcome.outcome, 9))
        elif self.sort == "newest":
            rows.reverse()
        elif self.sort == "name":
            rows.sort(key=lambda row: row.outcome.key)
        else:
            rows.sort(key=lambda row: -(row.outcome.milliseconds or 0))
        if self.reversed:
            rows.reverse()
        empty = ["no outcome matches the filter"] if self.words else ["no document is finished yet"]
        self.items.show(rows, empty=empty)
        self.post_message(self.ItemsShown())

    # The lines above

    def _show_manifest(self, manifest: Manifest) -> None:
        if manifest.job_id != self.job_id:
            return
        self.manifest = manifest
        self.show_state()

    def show_state(self) -> None:
        """Say where the job stands now."""
        manifest = self.manifest
        if manifest is None:
            return
        now = self._app.now()
        self.query_one("#job-state", Line).say(_state_line(manifest))
        self.query_one("#job-times", Line).say(_times_line(manifest, now))
        self.query_one(PhaseBars).show(manifest, now)
        self.query_one("#job-counters", Line).say(_counters(manifest))
        trouble = _trouble(manifest)
        if self._left_out:
            trouble += f"   {self._left_out:,} outcomes are not shown: ingest-tui job items {manifest.job_id}"
        self._show_trouble(trouble)

    def _say_trouble(self, message: str, hint: str) -> None:
        self._show_trouble(f"{message}  {hint}")

    def _show_trouble(self, text: str) -> None:
        line = self.query_one("#job-trouble", Line)
        line.set_class(bool(text), "-shown")
        line.say(f" {safe_display(text)}")


def _searchable(row: OutcomeRow) -> str:
    outcome = row.outcome
    return f"{outcome.key} {outcome.outcome} {outcome.reason} {outcome.detail}".lower()


def _state_line(manifest: Manifest) -> Content:
    state = manifest.state.value
    colour = {"good": "$text-success", "bad": "$text-error", "warn": "$text-warning", "running": "$text-primary"}
    parts = [f"{manifest.progress.percent:.0f}%"]
    if not manifest.ended:
        parts.append(f"eta {wording.duration(manifest.progress.eta_seconds)}")
        parts.append(f"{manifest.progress.items_per_second:.0f}/s")
        parts.append(f"{wording.size(manifest.progress.bytes_per_second)}/s")
    return Content.assemble(
        (f" {safe_display(manifest.job_id)}  ", "bold"),
        (wording.state_word(state), colour.get(wording.tone(state), "$text-muted")),
        "  " + "  ".join(parts),
    )


def _times_line(manifest: Manifest, now: float) -> str:
    started = seconds_since_epoch(manifest.started_at)
    ended = seconds_since_epoch(manifest.finished_at)
    took = None if started is None else (ended or now) - started
    worker = f"pid {manifest.worker.pid}" if manifest.worker and not manifest.ended else ""
    parts = [
        f"source {manifest.source_id}",
        manifest.kind,
        f"{manifest.trigger} by {manifest.requested_by or 'nobody'}",
        f"took {wording.duration(took)}" if ended else f"for {wording.duration(took)}",
        worker,
    ]
    if manifest.attempt > 1:
        parts.append(f"attempt {manifest.attempt}")
    return " " + safe_display("  ".join(part for part in parts if part))


def _counters(manifest: Manifest) -> str:
    counters = manifest.counters
    known = [
        ("listed", counters.descriptors_listed),
        ("ingested", counters.items_ingested),
        ("unchanged", counters.items_skipped_incremental),
        ("duplicate", counters.items_duplicate),
        ("moved", counters.items_moved),
        ("retired", counters.items_retired),
        ("empty", counters.items_empty),
        ("rejected", counters.items_rejected),
        ("failed", counters.items_failed),
        ("with warnings", counters.items_with_warnings),
        ("chunks", counters.chunks_written),
    ]
    always = {"listed", "ingested", "failed"}
    return " " + "  ".join(f"{number:,} {name}" for name, number in known if number or name in always)


def _trouble(manifest: Manifest) -> str:
    if manifest.held and manifest.held.documents and not manifest.held.answered_by_job:
        return f"{wording.plural(manifest.held.documents, 'deletion')} wait for a person: A approves, x for more"
    if manifest.errors:
        last = manifest.errors[-1]
        return f"{wording.plural(manifest.errors_total, 'error')}; last: {last.message}" + (
            f" ({last.hint})" if last.hint else ""
        )
    return manifest.warnings[-1] if manifest.warnings else ""


def _log_line(record: dict[str, Any]) -> tuple[str, str]:
    level = str(record.get("level", "info"))
    known = {"at", "level", "message", "job", "source", "job_id", "source_id"}
    rest = " ".join(f"{name}={value}" for name, value in record.items() if name not in known)
    at = str(record.get("at", ""))[11:19]
    tone = {"error": "bad", "warning": "warn", "debug": "quiet"}.get(level, "")
    return f" {at} {level.upper():7} {record.get('message', '')} {rest}".rstrip(), tone
