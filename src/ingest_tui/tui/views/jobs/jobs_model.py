"""A job as the lists show it: what one line needs of a manifest, read without validating ten thousand of them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ingest_tui.model.clock import seconds_since_epoch
from ingest_tui.model.job_order import job_order
from ingest_tui.model.keys import name_in_address
from ingest_tui.model.outcome import COUNTER_OF
from ingest_tui.tui.wording import UNREADABLE, is_ended

RATES_KEPT = 120
MOST_RATES = 50
_DONE_COUNTERS = [name for outcome, name in COUNTER_OF.items() if outcome != "retired"]


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job in a list."""

    job_id: str
    state: str
    source_id: str = ""
    collection_id: str = ""
    kind: str = ""
    phase: str = ""
    done: int = 0
    total: int = 0
    percent: float = 0.0
    rate: float = 0.0
    eta_seconds: float | None = None
    errors_total: int = 0
    last_error: str = ""
    created_at: str = ""
    started_at: str = ""
    finished_at: str = ""
    updated_at: str = ""
    bytes: int = 0
    held: int = 0
    priority: int = 100

    @property
    def ended(self) -> bool:
        """Whether the job will not resume by itself."""
        return is_ended(self.state)

    def seconds_taken(self, now: float) -> float | None:
        """Return for how long the job has been at work, or was; None for one that has not begun."""
        started = seconds_since_epoch(self.started_at)
        if started is None:
            return None
        return (seconds_since_epoch(self.finished_at) or now) - started

    @property
    def searchable(self) -> str:
        """What the filter of the list looks into."""
        return f"{self.job_id} {self.source_id} {self.collection_id} {self.state} {self.kind}".lower()


def parse_row(job_id: str, data: bytes) -> JobRow:
    """Return the row of a manifest; damage of any kind gives a row that says so, never an exception."""
    import orjson

    try:
        record = orjson.loads(data)
        return _row(job_id, record)
    except (orjson.JSONDecodeError, AttributeError, TypeError, ValueError, KeyError):
        return JobRow(job_id, UNREADABLE)


def _row(job_id: str, record: dict[str, Any]) -> JobRow:
    counters = record.get("counters") or {}
    progress = record.get("progress") or {}
    errors = record.get("errors") or []
    held = record.get("held") or {}
    eta = progress.get("eta_seconds")
    return JobRow(
        job_id=job_id,
        state=str(record["state"]),
        source_id=str(record.get("source_id", "")),
        collection_id=str(record.get("collection_id", "")),
        kind=str(record.get("kind", "")),
        phase=_current_phase(record.get("phases") or {}),
        done=sum(int(counters.get(name, 0)) for name in _DONE_COUNTERS),
        total=int(counters.get("descriptors_listed", 0)),
        percent=float(progress.get("percent", 0.0)),
        rate=float(progress.get("items_per_second", 0.0)),
        eta_seconds=None if eta is None else float(eta),
        errors_total=int(record.get("errors_total", 0)),
        last_error=_error_line(errors[-1]) if errors else "",
        created_at=str(record.get("created_at", "")),
        started_at=str(record.get("started_at") or ""),
        finished_at=str(record.get("finished_at") or ""),
        updated_at=str(record.get("updated_at", "")),
        bytes=int(counters.get("bytes_fetched", 0)),
        held=0 if held.get("answered_by_job") or held.get("refused_by") else int(held.get("documents", 0)),
        priority=int(record.get("priority", 100)),
    )


def _current_phase(phases: dict[str, Any]) -> str:
    running = [str(name) for name, phase in phases.items() if phase.get("state") == "running"]
    return running[-1] if running else ""


def _error_line(error: dict[str, Any]) -> str:
    uri = str(error.get("uri") or "")
    name = name_in_address(uri)
    message = str(error.get("message") or error.get("code") or "")
    return f"{message} ({name})" if name else message


def _running_order(row: JobRow) -> tuple[int, str, tuple[str, str, str]]:
    return row.priority, row.created_at, job_order(row.job_id)


class JobsModel:
    """The jobs of a workspace as far as they are known, and how many are in each state."""

    def __init__(self) -> None:
        self.rows: dict[str, JobRow] = {}
        self.states: Counter[str] = Counter()
        self.complete = False
        self.rates: dict[str, deque[float]] = {}
        self._queue: dict[str, int] | None = None

    def merge(self, changed: Iterable[JobRow], removed: Iterable[str]) -> None:
        """Take in what the feed has seen."""
        for row in changed:
            known = self.rows.get(row.job_id)
            if row.state == "queued" or (known is not None and known.state == "queued"):
                self._queue = None
            if row.state == "running":
                self._note_rate(row)
            if known is not None:
                self.states[known.state] -= 1
            self.rows[row.job_id] = row
            self.states[row.state] += 1
        for job_id in removed:
            known = self.rows.pop(job_id, None)
            if known is not None:
                self.states[known.state] -= 1
                self._queue = None

    def _note_rate(self, row: JobRow) -> None:
        """Keep how fast a job was, a point for each update: the history that its detail shows."""
        if row.job_id not in self.rates:
            while len(self.rates) >= MOST_RATES:
                del self.rates[next(iter(self.rates))]
            self.rates[row.job_id] = deque(maxlen=RATES_KEPT)
        self.rates[row.job_id].append(row.rate)

    def queue_position(self, job_id: str) -> int | None:
        """Return 1 for the next job to run; None for one that does not wait."""
        if self._queue is None:  # put in order once for all rows of a screen, and only after the queue has changed
            waiting = sorted((row for row in self.rows.values() if row.state == "queued"), key=_running_order)
            self._queue = {row.job_id: position for position, row in enumerate(waiting, 1)}
        return self._queue.get(job_id)

    def number(self, *states: str) -> int:
        """Return how many jobs are in one of the states."""
        return sum(self.states[state] for state in states)
