"""One job while it runs: what its steps share, and how its manifest is kept up to date."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import cached_property
from typing import TypeVar

import apsw

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.connectors.resilience import ResilientConnector
from ingest_tui.execution.extractor import Extractor
from ingest_tui.model.clock import rfc3339
from ingest_tui.model.errors import IngestError, SourceAccessError, StaleWriterError
from ingest_tui.model.job import DISK_FULL, JobError, JobState, Manifest, WorkerMark, end_state
from ingest_tui.model.outcome import Outcome
from ingest_tui.model.source import Source
from ingest_tui.pipeline.job.progress import ProgressMeter
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.rebuild_progress import RebuildProgress
from ingest_tui.store.change import StoreWriter
from ingest_tui.store.fs.atomic import make_inner_folder
from ingest_tui.store.fs.disk import means_disk_full
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.records.job_log import JobLog
from ingest_tui.store.records.journal import Journal
from ingest_tui.store.staging import StagingArea
from ingest_tui.store.workspace import Workspace

_TICK_SECONDS = 0.25
_VALUES_BETWEEN_CHECKPOINTS = 2000
_LONGEST_WAIT_FOR_SPACE = 30.0
_LOCK_SECONDS = 120.0
_LOCK_POLL_SECONDS = 0.02
BYTES_ON_DISK = 6
"""What a byte of a document takes at most while it is committed: itself, its text, and what finds it, twice."""
_Result = TypeVar("_Result")


class JobCancelled(Exception):  # noqa: N818 - not an error: somebody asked for it
    """Raised inside a step when the job is to stop."""


class JobRun:
    """The owner of a running job. The caller holds the job's lock; several threads use one instance."""

    def __init__(
        self,
        workspace: Workspace,
        manifest: Manifest,
        source: Source,
        connector: BaseConnector | None,
        extractor: Extractor,
        *,
        stopping: threading.Event | None = None,
    ) -> None:
        self.workspace = workspace
        self.manifest = manifest
        self.source = source
        calls_at_once = workspace.settings.calls_per_credential
        self.connector = (
            ResilientConnector(connector, sleep=self.sleep, calls_at_once=calls_at_once) if connector else None
        )
        self.source_failure: SourceAccessError | None = None
        self.bytes_on_disk = BYTES_ON_DISK
        self.extractor = extractor
        self.paths = workspace.jobs.paths(manifest.job_id)
        make_inner_folder(self.paths.staging)
        self.staging = StagingArea(self.paths.staging)
        self.log = JobLog(self.paths.log, job=manifest.job_id, source=source.source_id)
        self.outcomes = Journal(self.paths.outcomes)
        self.reading = workspace.open_catalogue(self._log_rebuild)
        self.meter = ProgressMeter(manifest)
        self.listing_complete = True
        self.superseded_by = ""
        """The job of the same source whose plan is newer than the one that is gone on with; empty for most."""
        self.cancelled = threading.Event()
        if manifest.cancel_requested_by:
            self.cancelled.set()  # its last worker was asked and died before it could
        self._resumed = threading.Event()
        self._resumed.set()
        self._stopping = stopping or threading.Event()
        self._sleepers = 0
        self._times_full = 0
        self._ended = threading.Event()
        self._manifest_lock = threading.RLock()
        self._ticker = threading.Thread(target=self._tick_until_ended, name=f"ticker-{manifest.job_id}", daemon=True)
        self._by = f"worker {os.getpid()}@{socket.gethostname()}"

    def _log_rebuild(self, progress: RebuildProgress) -> None:
        if progress.ended or progress.documents == 0:
            self.log.event("warning", progress.in_words())

    # From the outside in

    def begin(self) -> None:
        """Mark the job as running and start to answer requests."""
        with self._manifest_lock:
            if self.manifest.state in {JobState.RUNNING, JobState.PAUSED}:
                self.manifest.move_to(JobState.INTERRUPTED, at=now(), by=self._by, reason="its worker died")
            if self.manifest.state is JobState.INTERRUPTED:
                self.manifest.attempt += 1
            self.manifest.move_to(JobState.RUNNING, at=now(), by=self._by)
            self._save_if_there_is_room()
        if self.workspace.room().has(0):
            self.workspace.ballast.allocate()
        self.log.event("info", "job started", attempt=self.manifest.attempt, kind=self.manifest.kind)
        with contextlib.suppress(OSError), self._manifest_lock:  # without room the ticker tries again
            self._answer_requests()  # one may wait since before anybody owned the job: a cancelled job does nothing
        self._ticker.start()

    def end(self, state: JobState | None = None, error: IngestError | None = None) -> None:
        """Record how the job ended and take it out of the queue; raises `OSError` when that cannot be recorded."""
        self._ended.set()
        if self._ticker.is_alive():
            self._ticker.join()
        with self._manifest_lock:
            if error is not None:
                self.note_error(error)
            final = state or end_state(self.manifest, listing_complete=self.listing_complete)
            self.meter.finish(final)
            reason = error.message if error is not None else ""
            self.manifest.move_to(final, at=now(), by=self._by, reason=reason)
            self._save_the_end()
        try:
            self.workspace.jobs.leave_queue(self.manifest.job_id)
        except OSError as trouble:
            self.log.event("warning", f"the next worker clears up: {trouble.strerror}")
        counters = self.manifest.counters.model_dump()
        self.log.event("info", f"job {final}", counters=counters, errors=self.manifest.errors_total)

    def close(self) -> None:
        """Close the files of the job; its state stays as it is."""
        self._ended.set()
        if self._ticker.is_alive():
            self._ticker.join()
        self.outcomes.close()
        self.reading.close()
        self.log.close()

    def stop_politely(self) -> None:
        """Leave the job for the next worker; an attempt that ends so is none that failed."""
        with self._manifest_lock:
            self.manifest.attempts_without_progress = max(0, self.manifest.attempts_without_progress - 1)
            self._save_if_there_is_room()

    # For the steps

    def checkpoint(self) -> None:
        """Called between items by every step: waits while the job is paused, raises `JobCancelled` to end it."""
        self.hold_while_paused()
        if self.cancelled.is_set() or self._stopping.is_set():
            raise JobCancelled

    def is_to_end(self) -> bool:
        """Whether the next `checkpoint` ends the job; asked by what cannot be left in the middle by an exception."""
        return self.cancelled.is_set() or self._stopping.is_set()

    def between_checkpoints(self, values: Iterable[_Result]) -> Iterator[_Result]:
        """Yield ``values``, which may be very many, with a `checkpoint` now and then."""
        for number, value in enumerate(values):
            if number % _VALUES_BETWEEN_CHECKPOINTS == 0:
                self.checkpoint()
            yield value

    def hold_while_paused(self) -> None:
        """Wait while the job is paused, unless it is cancelled or the worker is about to end."""
        while not self._resumed.is_set():
            if self.cancelled.is_set() or self._stopping.is_set():
                return
            self._resumed.wait(_TICK_SECONDS)

    def committing(self, catalogue: Catalogue) -> AbstractContextManager[StoreWriter]:
        """Hold the commit lock; a job that is cancelled or paused does not wait for it any longer.

        ``catalogue`` is the connection of the calling thread. Raises `JobCancelled`, and `BusyError` when another
        process has the lock for too long.
        """
        return self.workspace.committing(catalogue, wait=self._wait_for_commits)

    def _wait_for_commits(self, lock: FileLock) -> None:
        waited = 0.0  # without the time that the job was paused
        while waited < _LOCK_SECONDS and not lock.try_acquire():
            self.checkpoint()
            time.sleep(_LOCK_POLL_SECONDS)
            waited += _LOCK_POLL_SECONDS
        if not lock.held:
            lock.acquire(0, what="the catalogue")

    def sleep(self, seconds: float) -> None:
        """Wait for the source, counted as time lost to it; raises `JobCancelled` when the job is to stop."""
        deadline = time.monotonic() + seconds
        self._sleepers += 1
        try:
            while True:
                if self.cancelled.is_set() or self._stopping.is_set():
                    raise JobCancelled
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return
                self.cancelled.wait(min(remaining, _TICK_SECONDS))
        finally:
            self._sleepers -= 1

    def interruptibly(self, call: Callable[[], _Result]) -> _Result:
        """Return what ``call`` returns; a job that is cancelled does not wait for a network that is silent.

        Only for connectors that declare ``remote``. An abandoned call ends by its own time limit.
        """
        if self.connector is None or not self.connector.capabilities.remote:
            return call()
        return self.in_a_thread(call)

    def in_a_thread(self, call: Callable[[], _Result]) -> _Result:
        """Return what ``call`` returns; when the job is to end meanwhile it is abandoned, and `JobCancelled` raised."""
        outcome: list[_Result] = []
        failure: list[BaseException] = []

        def run() -> None:
            try:
                outcome.append(call())
            except BaseException as error:  # noqa: BLE001 - carried to the job's thread, which raises it
                failure.append(error)

        thread = threading.Thread(target=run, name=f"source-{self.manifest.job_id}", daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(_TICK_SECONDS)
            if thread.is_alive():
                self.checkpoint()
        if failure:
            raise failure[0]
        return outcome[0]

    # When the disk is full

    def await_room(self, size: int, *, unless: Callable[[], bool] = lambda: False) -> None:
        """Wait, paused, while ``size`` more bytes would leave less than the reserve; ``unless`` ends the wait too."""
        if self.workspace.room().has(size):
            return
        with contextlib.suppress(IngestError, apsw.Error):  # the log of the database may hold as much as it
            self.reading.empty_log()
        if self.workspace.room().has(size):
            return
        self.pause_until_there_is_room(size, unless=unless)

    def pause_until_there_is_room(self, size: int = 0, *, unless: Callable[[], bool] = lambda: False) -> None:
        """Be ``paused`` with reason ``disk_full`` until there is room; raises `JobCancelled` to end the job."""
        room = self.workspace.room()
        self._change_for_disk(JobState.PAUSED, DISK_FULL)
        self.log.event("warning", "paused: the disk is full", free=room.free, reserve=room.reserve, needed=size)
        # What was refused although there seems to be room (a quota) is tried again ever less often.
        self._times_full += 1
        shortest = min(_LONGEST_WAIT_FOR_SPACE, 0.1 * 2**self._times_full)
        deadline = time.monotonic() + shortest
        while not unless():
            if self.cancelled.is_set() or self._stopping.is_set():
                raise JobCancelled
            if time.monotonic() >= deadline and self.workspace.room().has(size):
                break
            self.cancelled.wait(_TICK_SECONDS)
        self.workspace.ballast.allocate()
        self._change_for_disk(JobState.RUNNING, "there is room again")
        self.log.event("info", "goes on: there is room again")

    def _change_for_disk(self, state: JobState, reason: str) -> None:
        with self._manifest_lock:
            is_ours = self.manifest.state is JobState.RUNNING or self.manifest.waits_for_space
            if is_ours and self.manifest.state is not state:
                self.manifest.move_to(state, at=now(), by=self._by, reason=reason)
                self._save_if_there_is_room()

    def _save_if_there_is_room(self) -> None:
        """Write the manifest; without room even for that, the ticker writes it as soon as there is."""
        try:
            self.workspace.ballast.makes_room_for(lambda: self._save(durable=True))
        except OSError as error:
            if not means_disk_full(error, self.workspace.root):
                raise

    def _save_the_end(self) -> None:
        """Write the last manifest, waiting for room if need be: what is done must not be done again for that."""
        while True:
            try:
                return self._save(durable=True)
            except OSError as error:
                if not means_disk_full(error, self.workspace.root) or self._stopping.is_set():
                    raise
                time.sleep(_TICK_SECONDS)

    @cached_property
    def forced(self) -> bool:
        """Whether everything is to be read and extracted again."""
        return bool(self.manifest.options.get("force"))

    @cached_property
    def collection_has_documents(self) -> bool:
        """Whether the collection had documents when the job began to extract; a first sync has nothing to compare."""
        return self.reading.has_documents(self.source.collection_id)

    @property
    def stopping(self) -> bool:
        """Whether the worker is about to end; the job then stays for the next one."""
        return self._stopping.is_set()

    def note_error(self, error: IngestError, *, phase: str | None = None) -> None:
        """Keep an error of the whole job in the manifest."""
        self.manifest.add_error(
            JobError(
                code=error.reason,
                message=error.message,
                hint=error.hint,
                uri=error.context.get("uri"),
                phase=phase or error.context.get("phase"),
                at=now(),
                retryable=error.retryable,
            )
        )
        self.log.event("error", error.message, code=error.reason, hint=error.hint, **_place_of(error, phase))

    def record(self, outcomes: list[Outcome]) -> None:
        """Write outcomes to the journal, durable in one go, and count them."""
        outcomes = [outcome.redacted() for outcome in outcomes]
        self.outcomes.append(outcome.as_dict() for outcome in outcomes)
        self.count(outcomes)

    def count(self, outcomes: list[Outcome]) -> None:
        """Count outcomes that stand in the journal."""
        for outcome in outcomes:
            self.manifest.counters.count(outcome.outcome)
            self.manifest.counters.items_with_warnings += bool(outcome.warnings)
            if outcome.outcome == "failed":
                self.manifest.add_error(
                    JobError(
                        code=outcome.reason,
                        message=outcome.detail or outcome.reason,
                        hint=outcome.hint,
                        uri=outcome.uri,
                        phase=outcome.phase,
                        at=outcome.at,
                    )
                )
                self.log.event(
                    "warning", outcome.detail, document=outcome.uri, reason=outcome.reason, phase=outcome.phase
                )

    # Keeping the manifest

    def save_state(self) -> None:
        """Write the manifest durably: at state and phase changes."""
        with self._manifest_lock:
            self._save(durable=True)

    def _save(self, *, durable: bool) -> None:
        moment = now()
        self.manifest.updated_at = moment
        self.manifest.worker = WorkerMark(host=socket.gethostname(), pid=os.getpid(), heartbeat_at=moment)
        self.workspace.jobs.save(self.manifest, durable=durable)

    def _tick_until_ended(self) -> None:
        while not self._ended.wait(_TICK_SECONDS):
            try:
                with self._manifest_lock:
                    self._answer_requests()
                    self.meter.tick(waiting=self._sleepers > 0)
                    self._save(durable=False)
            except StaleWriterError:
                self.cancelled.set()
                return
            except OSError as error:
                self.log.event("warning", f"progress could not be written: {error.strerror}")
            except Exception as error:  # noqa: BLE001 - without it nobody would answer requests any more
                self.log.event("error", "progress could not be written", kind=type(error).__name__)

    def _answer_requests(self) -> None:
        for request in self.workspace.jobs.take_requests(self.manifest.job_id):
            kind = request.get("request")
            by = str(request.get("by", ""))
            if kind == "cancel":
                self.manifest.cancel_requested_by = by or "somebody"
                self.cancelled.set()
            elif kind == "priority":
                self.manifest.priority = int(request.get("priority", self.manifest.priority))
            elif kind == "pause" and (self.manifest.state is JobState.RUNNING or self.manifest.waits_for_space):
                if self.manifest.waits_for_space:  # paused by a person from now on, room or not
                    self.manifest.move_to(JobState.RUNNING, at=now(), by=by, reason="asked for")
                self._resumed.clear()
                self.manifest.move_to(JobState.PAUSED, at=now(), by=by, reason="asked for")
            elif kind == "resume" and self.manifest.state is JobState.PAUSED and not self.manifest.waits_for_space:
                self.manifest.move_to(JobState.RUNNING, at=now(), by=by, reason="asked for")
                self._resumed.set()
            else:
                continue
            self.log.event("info", f"request: {kind}", by=by)
            self._save(durable=True)


def _place_of(error: IngestError, phase: str | None) -> dict[str, str]:
    place = {"document": error.context.get("uri"), "phase": phase or error.context.get("phase")}
    return {name: value for name, value in place.items() if value}


def now() -> str:
    """Return the time of day as it is written."""
    return rfc3339(datetime.now(UTC))
