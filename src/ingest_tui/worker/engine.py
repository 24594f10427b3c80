"""Runs claimed jobs side by side, over one pool of parser processes."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from ingest_tui.connectors.registry import get_connector
from ingest_tui.extraction.sandbox import ParserPool
from ingest_tui.model.errors import IngestError
from ingest_tui.model.extraction import ParseLimits
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.model.source import UPLOAD_SOURCE, Source
from ingest_tui.pipeline.job_run import JobRun
from ingest_tui.pipeline.run_job import run_job
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.queue import Claim, claim_next

_GC_THRESHOLD = 50_000
Listener = Callable[[Manifest], None]


class Engine:
    """Claims jobs and runs each in a thread. Parser processes are shared and start with the first job."""

    def __init__(
        self, workspace: Workspace, *, on_start: Listener | None = None, on_end: Listener | None = None
    ) -> None:
        self._workspace = workspace
        self._on_start = on_start or (lambda _manifest: None)
        self._on_end = on_end or (lambda _manifest: None)
        self._pool: ParserPool | None = None
        self._running: dict[str, threading.Thread] = {}
        self._stopping = threading.Event()

    def __enter__(self) -> Self:
        # Very many short-lived values, few cycles: looking for cycles less often saves a tenth of the time.
        gc.freeze()
        gc.set_threshold(_GC_THRESHOLD, 20, 50)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    @property
    def running(self) -> int:
        """How many jobs run in this process."""
        self._running = {job_id: thread for job_id, thread in self._running.items() if thread.is_alive()}
        return len(self._running)

    def start_ready_jobs(self, *, only_source: str | None = None) -> int:
        """Claim and start what can run now; returns how many jobs were started."""
        started = 0
        while self.running < self._workspace.settings.max_running_jobs:
            claim = claim_next(self._workspace, only_source=only_source)
            if claim is None:
                break
            job_id = claim.manifest.job_id
            thread = threading.Thread(target=self._run, args=(claim,), name=f"job-{job_id}")
            self._running[job_id] = thread
            thread.start()
            started += 1
        return started

    def stop(self) -> None:
        """End politely: running jobs stop where they are and stay for the next worker."""
        self._stopping.set()
        for thread in list(self._running.values()):
            thread.join()
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def wait(self, seconds: float) -> None:
        """Wait until some job of this process ended, or for ``seconds``."""
        for thread in list(self._running.values()):
            thread.join(seconds)
            return

    def _parsers(self) -> ParserPool:
        if self._pool is None:
            settings = self._workspace.settings
            limits = ParseLimits(
                memory_bytes=int(settings.parser_memory),
                silence_seconds=settings.parser_silence_seconds,
                total_seconds=settings.parser_total_seconds,
            )
            self._pool = ParserPool(settings.parser_processes or os.cpu_count() or 1, limits)
        return self._pool

    def _run(self, claim: Claim) -> None:
        manifest = claim.manifest
        try:
            job = self._prepare(manifest)
            if job is not None:
                self._on_start(manifest)
                run_job(job)
        finally:
            claim.release()
            self._on_end(manifest)

    def _prepare(self, manifest: Manifest) -> JobRun | None:
        """Return the job ready to run; one whose source is gone or wrong fails at once, with the reason."""
        try:
            source = source_of(self._workspace, manifest)
            connector = None
            if not manifest.options.get("staged"):
                connector = get_connector(source.source_type, source.source_config, max_size=int(source.max_size))
        except (IngestError, ValueError) as error:
            problem = error if isinstance(error, IngestError) else IngestError(str(error), hint="edit the source")
            job = JobRun(
                self._workspace, manifest, _placeholder(manifest), None, self._parsers(), stopping=self._stopping
            )
            job.begin()
            job.end(JobState.FAILED, problem)
            job.close()
            return None
        return JobRun(self._workspace, manifest, source, connector, self._parsers(), stopping=self._stopping)


def source_of(workspace: Workspace, manifest: Manifest) -> Source:
    """Return the source of a job; uploads have one that stands in no file."""
    if manifest.source_id == UPLOAD_SOURCE:
        return Source(
            source_id=UPLOAD_SOURCE, name="Uploads", source_type="upload", collection_id=manifest.collection_id
        )
    return workspace.sources.get(manifest.source_id)


def _placeholder(manifest: Manifest) -> Source:
    return Source(
        source_id=manifest.source_id,
        name=manifest.source_id,
        source_type="unknown",
        collection_id=manifest.collection_id,
    )
