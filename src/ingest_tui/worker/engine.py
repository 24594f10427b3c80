"""Runs claimed jobs side by side, over one pool of parser processes."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import apsw

from ingest_tui.execution.extractor import Extractor
from ingest_tui.execution.local import local_parsers
from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.errors import BusyError, DiskFullError, IngestError, StoreError
from ingest_tui.model.foreign_errors import as_ingest_error, text_of
from ingest_tui.model.job import JobError, JobState, Manifest
from ingest_tui.model.source import Source
from ingest_tui.pipeline.connecting import connect, with_preferences
from ingest_tui.pipeline.job.context import JobContext, open_job
from ingest_tui.pipeline.job.end_audit import audit_ending
from ingest_tui.pipeline.job.ocr import folders_for_ocr, ocr_of
from ingest_tui.pipeline.job.parse_limits import limits_of, works_through_programs
from ingest_tui.pipeline.job.run import run_job
from ingest_tui.store.fs.disk import means_disk_full
from ingest_tui.store.job_notices import leave_queue
from ingest_tui.store.records.settings import Settings
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.queue import Claim, claim_next
from ingest_tui.worker.submit import queue_embedding_after, queue_rechunking_after, source_as_stored
from ingest_tui.worker.supervision import origin_of

_GC_THRESHOLD = 50_000
_WITHOUT_ROOM_SECONDS = 1.0
Listener = Callable[[Manifest], None]


@dataclass
class _RunningJob:
    """A job in a thread of this process.

    Its end is an event: a Ctrl-C that interrupts ``Thread.join`` makes Python 3.11 take a thread that runs for one that
    has ended, and the parsers would be closed under the job, which fails then.
    """

    ended: threading.Event = field(default_factory=threading.Event)
    extractor: Extractor | None = None
    _ownership: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> bool:
        """Take the job on, once: its thread when it begins, or who started that when a Ctrl-C came in between."""
        return self._ownership.acquire(blocking=False)


class Engine:
    """Claims jobs and runs each in a thread. Parser processes are shared and start with the first job."""

    def __init__(
        self, workspace: Workspace, *, on_start: Listener | None = None, on_end: Listener | None = None
    ) -> None:
        self._workspace = workspace
        self._on_start = on_start or (lambda _manifest: None)
        self._on_end = on_end or (lambda _manifest: None)
        self._extractors: dict[tuple[bool, bool], Extractor] = {}
        """By whether their processes may run programs, which some backends work through, and whether they use OCR."""
        self._replaced: list[Extractor] = []
        """With limits of settings that are no longer in force; they go when no job uses them."""
        self._guard = threading.Lock()
        """Guards which parsers there are, and which job uses which."""
        self._running: dict[str, _RunningJob] = {}
        self._stopping = threading.Event()
        self._not_before = 0.0
        self._ended_jobs = False
        self._failure: IngestError | OSError | None = None
        self._looked_for_cycles = gc.get_threshold()

    def __enter__(self) -> Self:
        # Very many short-lived values, few cycles: looking for cycles less often saves a tenth of the time.
        self._looked_for_cycles = gc.get_threshold()
        gc.freeze()
        gc.set_threshold(_GC_THRESHOLD, 20, 50)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()
        # A program that goes on, as one that calls us may: what is in cycles by then (open files, too) can go again.
        gc.unfreeze()
        gc.set_threshold(*self._looked_for_cycles)

    @property
    def running(self) -> int:
        """How many jobs run in this process."""
        self._running = {job_id: job for job_id, job in self._running.items() if not job.ended.is_set()}
        return len(self._running)

    def settings_changed(self) -> None:
        """Have jobs that start from now on use parsers by the settings of now; running ones keep theirs."""
        with self._guard:
            self._replaced += self._extractors.values()
            self._extractors = {}

    def start_ready_jobs(self, *, only_lane: str | None = None) -> int:
        """Claim and start what can run now; returns how many jobs were started."""
        started = 0
        self._close_unused_parsers()
        if time.monotonic() < self._not_before:
            return 0
        settings = self._workspace.settings
        while self.running < settings.max_running_jobs + settings.max_embedding_jobs:
            try:
                claim = claim_next(self._workspace, only_lane=only_lane)
            except OSError as error:
                if not means_disk_full(error, self._workspace.root):
                    raise
                self._try_later_with_less()
                break
            if claim is None:
                break
            job_id = claim.manifest.job_id
            job = self._running[job_id] = _RunningJob()
            try:
                threading.Thread(target=self._run, args=(job, claim), name=f"job-{job_id}").start()
            except BaseException:  # no more threads, or a Ctrl-C: the job is free unless its thread has begun
                if job.take():
                    claim.release()
                    job.ended.set()
                raise
            started += 1
        return started

    def _try_later_with_less(self) -> None:
        """Make the little room that a job needs to say that it waits for more."""
        self._workspace.reserve_file.release()
        self._not_before = time.monotonic() + _WITHOUT_ROOM_SECONDS

    def stop(self) -> None:
        """End: running jobs stop where they are and stay for the next worker."""
        self._stopping.set()
        for job in self._running.values():
            job.ended.wait()
        self.settings_changed()  # so that none is in use
        self._close_unused_parsers()

    def _close_unused_parsers(self) -> None:
        with self._guard:
            used = [job.extractor for job in self._running.values() if not job.ended.is_set()]
            unused = [extractor for extractor in self._replaced if extractor not in used]
            self._replaced = [extractor for extractor in self._replaced if extractor in used]
        for extractor in unused:
            if extractor.failure is None:
                extractor.close()

    def has_ended_jobs(self) -> bool:
        """Return, once, whether jobs have ended since this was asked last."""
        ended, self._ended_jobs = self._ended_jobs, False
        return ended

    def take_failure(self) -> IngestError | OSError | None:
        """Return, once, why the end of a job could not be written; the job waits for the next attempt."""
        failure, self._failure = self._failure, None
        return failure

    def wait(self, seconds: float) -> None:
        """Wait until some job of this process ended, or for ``seconds``."""
        for job in self._running.values():
            job.ended.wait(seconds)
            return

    def _extractor(self, source: Source, settings: Settings) -> Extractor:
        """Return the parsers for a source: confined to what it needs, which differs for backends that run programs."""
        may_run, ocr = works_through_programs(source.extraction), ocr_of(source, settings)
        extractor = self._extractors.get((may_run, ocr.is_on))
        if extractor is None or extractor.failure is not None:  # one that failed has ended, processes and all
            layout = self._workspace.layout
            self._extractors[may_run, ocr.is_on] = local_parsers(
                settings.parser_processes,
                limits_of(settings, source.extraction),
                readable=[layout.jobs, *folders_for_ocr(ocr, layout)],
                scratch=layout.parsers,
                may_run_programs=may_run,
            )
        return self._extractors[may_run, ocr.is_on]

    def _run(self, job: _RunningJob, claim: Claim) -> None:
        if job.take():
            try:
                self._run_claimed(job, claim)
            finally:
                job.ended.set()

    def _run_claimed(self, running: _RunningJob, claim: Claim) -> None:
        manifest = claim.manifest
        try:
            job = self._prepare(running, manifest)
            if job is not None:
                self._on_start(manifest)
                run_job(job)
                queue_rechunking_after(self._workspace, manifest, job.chunking.rules)
                queue_embedding_after(self._workspace, manifest)
        except (IngestError, OSError) as error:  # not even its end can be written
            self._fail(error)
        except BaseException as error:  # noqa: BLE001 - or nobody would know why the job stays as it is
            unforeseen = f"a job has stopped: unexpected {type(error).__name__}"
            bug = IngestError(unforeseen, hint="report this as a bug", **origin_of(error))
            self._fail(as_ingest_error(error) or bug)
        finally:
            claim.release()
            self._ended_jobs = self._ended_jobs or manifest.ended
            self._on_end(manifest)

    def _fail(self, error: IngestError | OSError) -> None:
        self._not_before = time.monotonic() + _WITHOUT_ROOM_SECONDS
        self._failure = error

    def _prepare(self, running: _RunningJob, manifest: Manifest) -> JobContext | None:
        """Return the job ready to run; one that cannot even begin fails at once, with the reason."""
        try:
            return self._opened(running, manifest)
        except BaseException as error:  # noqa: BLE001 - or the job would be claimed again four times a second
            if not self._stopping.is_set():  # else perhaps only because this process ends: the next worker finds out
                self._note_that_it_cannot_begin(manifest, error)
            return None

    def _opened(self, running: _RunningJob, manifest: Manifest) -> JobContext:
        workspace = self._workspace.with_fixed_settings()
        source = source_of(workspace, manifest)
        connector = None
        if not manifest.options.get("staged") and not manifest.works_on_collection:
            connector = connect(workspace, source)
        with self._guard:
            running.extractor = extractor = self._extractor(source, workspace.settings)
        return open_job(workspace, manifest, source, connector, extractor, stopping=self._stopping)

    def _note_that_it_cannot_begin(self, manifest: Manifest, error: BaseException) -> None:
        if isinstance(error, DiskFullError):
            self._try_later_with_less()
        elif isinstance(error, (StoreError, BusyError)) and manifest.options.get("staged"):
            self._fail(error)  # its files are nowhere else: it waits until the workspace is repaired
        elif isinstance(error, IngestError):
            fail_before_it_began(self._workspace, manifest, error)
        elif isinstance(error, (ValueError, OSError, apsw.Error)):
            if means_disk_full(error, self._workspace.root):
                self._try_later_with_less()  # not even its files can be opened: it stays as it is, to be claimed again
                return
            problem = IngestError(
                f"the job cannot begin: {text_of(error)}", hint="'ingest-tui doctor' may show what is wrong"
            )
            fail_before_it_began(self._workspace, manifest, problem)
        else:
            problem = as_ingest_error(error) or IngestError(
                f"the job cannot begin: unexpected {type(error).__name__}", hint="report this as a bug"
            )
            fail_before_it_began(self._workspace, manifest, problem)


def fail_before_it_began(workspace: Workspace, manifest: Manifest, error: IngestError) -> None:
    """Record that a claimed job cannot run: its source is gone or wrong, or the catalogue is damaged."""
    at = rfc3339_now()
    if manifest.state is JobState.RUNNING:
        manifest.move_to(JobState.INTERRUPTED, at=at, by="worker", reason="its worker died")
    if manifest.state is JobState.QUEUED:
        manifest.move_to(JobState.RUNNING, at=at, by="worker")
    manifest.add_error(JobError(code=error.reason, message=error.message, hint=error.hint, at=at))
    manifest.move_to(JobState.FAILED, at=at, by="worker", reason=error.message)
    workspace.jobs.save(manifest)
    leave_queue(workspace, manifest)
    audit_ending(workspace, manifest)


def source_of(workspace: Workspace, manifest: Manifest) -> Source:
    """Return the source of a job; uploads, and jobs that work on a collection, have one that is in no file."""
    source = source_as_stored(workspace, manifest)
    if manifest.works_on_collection:
        return source
    return with_preferences(workspace, source)
