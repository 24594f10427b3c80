"""What ends a running job or makes it wait: cancel, pause, the end of its worker, and requests of people."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from ingest_tui.model.errors import StaleWriterError
from ingest_tui.model.job import JobState
from ingest_tui.pipeline.job.manifest_keeper import ManifestKeeper
from ingest_tui.store.jobs import JobStore
from ingest_tui.store.records.job_log import JobLog

TICK_SECONDS = 0.25
_VALUES_BETWEEN_CHECKPOINTS = 2000
_Result = TypeVar("_Result")


class JobCancelled(Exception):  # noqa: N818 - not an error: somebody asked for it
    """Raised inside a step when the job is to stop."""


class JobControls:
    """Answers requests in a thread of its own, the ticker; the steps ask here whether to go on.

    ``stopping`` is set when the worker is about to end; the job then stays for the next one.
    """

    def __init__(self, keeper: ManifestKeeper, jobs: JobStore, log: JobLog, stopping: threading.Event) -> None:
        self.cancelled = threading.Event()
        self._keeper = keeper
        self._manifest = keeper.manifest
        self._jobs = jobs
        self._log = log
        if self._manifest.cancel_requested_by:
            self.cancelled.set()  # its last worker was asked and died before it could
        self._resumed = threading.Event()
        self._resumed.set()
        self._stopping = stopping
        self._sleepers = 0
        self._ended = threading.Event()
        job_id = self._manifest.job_id
        self._ticker = threading.Thread(target=self._tick_until_ended, name=f"ticker-{job_id}", daemon=True)

    def start(self) -> None:
        """Answer the requests that wait since before anybody owned the job, then start the ticker."""
        with contextlib.suppress(OSError):  # without room the ticker tries again
            self._answer_requests()
        self._ticker.start()

    def stop(self) -> None:
        """End the ticker; requests are no longer answered."""
        self._ended.set()
        if self._ticker.is_alive():
            self._ticker.join()

    # For the steps

    @property
    def is_stopping(self) -> bool:
        """Whether the worker is about to end; the job then stays for the next one."""
        return self._stopping.is_set()

    def is_to_end(self) -> bool:
        """Whether the next `checkpoint` ends the job; asked by what cannot be left in the middle by an exception."""
        return self.cancelled.is_set() or self._stopping.is_set()

    def checkpoint(self) -> None:
        """Called between items by every step: waits while the job is paused, raises `JobCancelled` to end it."""
        self.hold_while_paused()
        if self.cancelled.is_set() or self._stopping.is_set():
            raise JobCancelled

    def raise_if_ending(self) -> None:
        """Raise `JobCancelled` when the job is to end, paused or not."""
        if self.is_to_end():
            raise JobCancelled

    def between_checkpoints(self, values: Iterable[_Result]) -> Iterator[_Result]:
        """Yield ``values``, which may be very many, with a `checkpoint` now and then."""
        for number, value in enumerate(values):
            if number % _VALUES_BETWEEN_CHECKPOINTS == 0:
                self.checkpoint()
            yield value

    def hold_while_paused(self) -> None:
        """Wait while the job is paused, unless it is cancelled or the worker is about to end."""
        while not self._resumed.is_set() and not self.is_to_end():
            self._resumed.wait(TICK_SECONDS)

    def sleep(self, seconds: float) -> None:
        """Wait for the source, counted as time lost to it; raises `JobCancelled` when the job is to stop."""
        deadline = time.monotonic() + seconds
        self._sleepers += 1
        try:
            while True:
                self.raise_if_ending()
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return
                self.cancelled.wait(min(remaining, TICK_SECONDS))
        finally:
            self._sleepers -= 1

    def in_a_thread(self, call: Callable[[], _Result]) -> _Result:
        """Return what ``call`` returns; when the job is to end meanwhile it is abandoned, and `JobCancelled` raised."""
        outcome: list[_Result] = []
        failure: list[BaseException] = []

        def run() -> None:
            try:
                outcome.append(call())
            except BaseException as error:  # noqa: BLE001 - carried to the job's thread, which raises it
                failure.append(error)

        thread = threading.Thread(target=run, name=f"source-{self._manifest.job_id}", daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(TICK_SECONDS)
            if thread.is_alive():
                self.checkpoint()
        if failure:
            raise failure[0]
        return outcome[0]

    # The ticker

    def _tick_until_ended(self) -> None:
        is_told = False  # once for each time that nothing can be written: the log needs room too
        while not self._ended.wait(TICK_SECONDS):
            try:
                with self._keeper.lock:
                    self._answer_requests()
                    self._keeper.save_progress(waiting=self._sleepers > 0)
                is_told = False
            except StaleWriterError:
                self.cancelled.set()
                return
            except OSError as error:
                if not is_told:
                    self._log.event("warning", f"progress could not be written: {error.strerror}")
                is_told = True
            except Exception as error:  # noqa: BLE001 - without it nobody would answer requests any more
                self._log.event("error", "progress could not be written", kind=type(error).__name__)

    def _answer_requests(self) -> None:
        with self._keeper.lock:
            for request in self._jobs.take_requests(self._manifest.job_id):
                kind, by = request.get("request"), str(request.get("by", ""))
                if self._answer(request, by):
                    self._log.event("info", f"request: {kind}", by=by)
                    self._keeper.save_state()

    def _answer(self, request: dict[str, Any], by: str) -> bool:
        """Do what a request asks for; returns whether it asks for anything that can be done now."""
        kind, manifest = request.get("request"), self._manifest
        if kind == "cancel":
            manifest.cancel_requested_by = by or "somebody"
            self.cancelled.set()
        elif kind == "priority":
            manifest.priority = int(request.get("priority", manifest.priority))
        elif kind == "pause" and (manifest.state is JobState.RUNNING or manifest.waits_for_space):
            if manifest.waits_for_space:  # paused by a person from now on, room or not
                self._keeper.move_to(JobState.RUNNING, by=by, reason="asked for")
            self._resumed.clear()
            self._keeper.move_to(JobState.PAUSED, by=by, reason="asked for")
        elif kind == "resume" and manifest.state is JobState.PAUSED and not manifest.waits_for_space:
            self._keeper.move_to(JobState.RUNNING, by=by, reason="asked for")
            self._resumed.set()
        else:
            return False
        return True
