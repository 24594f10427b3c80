"""Keeps the tasks of a worker going: what fails is reported, shown to people, and tried again ever less often."""

from __future__ import annotations

import contextlib
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.errors import IngestError
from ingest_tui.model.foreign_errors import as_ingest_error

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
EventReport = Callable[[str, dict[str, Any]], None]
"""Takes what a worker says: the name of the event, and what it is about."""


@dataclass(frozen=True, slots=True)
class WorkerIssue:
    """A task of a worker that fails right now. ``level``: ``error``, or ``warning`` where only speed is lost.

    ``failures`` counts the attempts since it last succeeded; ``source_id`` is empty for what concerns no single source.
    """

    task: str
    message: str
    level: str
    since: str
    failures: int = 1
    source_id: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


class Supervisor:
    """What fails among the tasks of one worker. Used by all its threads; no method raises."""

    def __init__(self, report: EventReport) -> None:
        self._report = report
        self._lock = threading.Lock()
        self._issues: dict[str, WorkerIssue] = {}
        self._not_before: dict[str, float] = {}

    @property
    def issues(self) -> tuple[WorkerIssue, ...]:
        """What does not succeed right now, the oldest first."""
        with self._lock:
            return tuple(self._issues.values())

    def failed(self, task: str, error: BaseException | str, *, level: str = "error", source_id: str = "") -> float:
        """Note that a task has failed and report it; returns after how many seconds to try again."""
        message = error if isinstance(error, str) else in_few_words(error)
        with self._lock:
            before = self._issues.get(task)
            if before is None:
                at = rfc3339_now()
                issue = WorkerIssue(task, message, level, at, source_id=source_id)
            else:
                issue = replace(before, message=message, level=level, failures=before.failures + 1)
            self._issues[task] = issue
            pause: float = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(issue.failures - 1, 10))
            self._not_before[task] = time.monotonic() + pause
        if before is None or before.message != message or level == "error":
            fields = {"level": level, "error": message, "failures": issue.failures, "again_in_seconds": pause}
            fields |= {"source": source_id} if source_id else {}
            self._say(f"{task} failed", fields | ({} if isinstance(error, str) else origin_of(error)))
        return pause

    def succeeded(self, task: str) -> None:
        """Note that a task does what it should."""
        with self._lock:
            issue = self._issues.pop(task, None)
            self._not_before.pop(task, None)
        if issue is not None:
            self._say(f"{task} works again", {"source": issue.source_id} if issue.source_id else {})

    def forget(self, task: str) -> None:
        """Forget a task that there is no longer."""
        with self._lock:
            self._issues.pop(task, None)
            self._not_before.pop(task, None)

    def attempt(self, task: str, call: Callable[[], object]) -> None:
        """Do a task of the main loop once, unless it failed a moment ago and its pause is not over."""
        if time.monotonic() < self._not_before.get(task, 0.0):
            return
        try:
            call()
        except Exception as error:  # noqa: BLE001 - whatever it is, the worker continues with its other tasks
            self.failed(task, error)
        else:
            self.succeeded(task)

    def repeat(self, task: str, turn: Callable[[], object], stop: threading.Event, *, source_id: str = "") -> None:
        """Call ``turn`` again and again until ``stop`` is set; the body of a thread. A turn notes itself that it works.

        After a failure of any kind it is called again, after a second first, at last after a minute.
        """
        while not stop.is_set():
            try:
                turn()
            except BaseException as error:  # noqa: BLE001 - a panic of a library in Rust is no Exception
                stop.wait(self.failed(task, error, source_id=source_id))

    def _say(self, message: str, fields: dict[str, Any]) -> None:
        with contextlib.suppress(Exception):  # a log on a full disk is no reason to stop watching
            self._report(message, fields)


def origin_of(error: BaseException) -> dict[str, Any]:
    """Return the kind of an unforeseen error and where it came from, without the data that tracebacks quote."""
    if isinstance(error, IngestError):
        return {name: error.context[name] for name in ("kind", "places") if name in error.context}
    if as_ingest_error(error) is not None:
        return {}
    places = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    return {"kind": type(error).__name__, "places": places}


def in_few_words(error: BaseException) -> str:
    """Return what an error means to a person; of one that nobody foresaw only the kind: its text may quote data."""
    if isinstance(error, IngestError):
        return error.message
    known = as_ingest_error(error)
    return known.message if known is not None else f"unexpected {type(error).__name__}"
