"""The manifest of a running job: changed under one lock, written at state changes and a few times a second."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.errors import IngestError
from ingest_tui.model.job import DISK_FULL, JobError, JobState, Manifest, WorkerMark
from ingest_tui.pipeline.job.parsing import ParsingItems
from ingest_tui.pipeline.job.progress import ProgressMeter
from ingest_tui.store.fs.disk import means_disk_full
from ingest_tui.store.records.job_log import JobLog
from ingest_tui.store.workspace import Workspace

_RETRY_SECONDS = 0.25


class ManifestKeeper:
    """Keeps the manifest of a job whose lock the caller holds. Several threads use one instance."""

    def __init__(self, workspace: Workspace, manifest: Manifest, log: JobLog, parsing: ParsingItems) -> None:
        self.manifest = manifest
        self.meter = ProgressMeter(manifest)
        self.lock = threading.RLock()
        """Held while the state is changed or the manifest is written."""
        self._workspace = workspace
        self._log = log
        self._parsing = parsing
        self._by = f"worker {os.getpid()}@{socket.gethostname()}"

    def begin(self) -> None:
        """Mark the job as running: an attempt of its own where an earlier one was interrupted."""
        with self.lock:
            if self.manifest.state in {JobState.RUNNING, JobState.PAUSED}:
                self.move_to(JobState.INTERRUPTED, reason="its worker died")
            if self.manifest.state is JobState.INTERRUPTED:
                self.manifest.attempt += 1
            self.move_to(JobState.RUNNING)
            self.save_if_there_is_room()

    def end(self, state: JobState, error: IngestError | None, *, gives_up: Callable[[], bool]) -> None:
        """Record how the job ended, waiting for room if need be, until ``gives_up``.

        Raises `OSError` when it cannot be recorded.
        """
        with self.lock:
            if error is not None:
                self.note_error(error)
            self.meter.finish(state)
            self.move_to(state, reason=error.message if error is not None else "")
            self._save_the_end(gives_up)

    def yield_to_next_worker(self) -> None:
        """Leave the job for the next worker; an attempt that ends so is none that failed."""
        with self.lock:
            self.manifest.attempts_without_progress = max(0, self.manifest.attempts_without_progress - 1)
            self.manifest.parsing = []
            self.save_if_there_is_room()

    def wait_for_space(self) -> None:
        """Be ``paused`` because the disk is full, unless the job is paused already."""
        self._change_for_disk(JobState.PAUSED, DISK_FULL)

    def resume_with_space(self) -> None:
        """Be ``running`` again after `wait_for_space`, unless a person has paused the job meanwhile."""
        self._change_for_disk(JobState.RUNNING, "there is room again")

    def _change_for_disk(self, state: JobState, reason: str) -> None:
        with self.lock:
            is_ours = self.manifest.state is JobState.RUNNING or self.manifest.waits_for_space
            if is_ours and self.manifest.state is not state:
                self.move_to(state, reason=reason)
                self.save_if_there_is_room()

    def move_to(self, state: JobState, *, by: str | None = None, reason: str = "") -> None:
        """Change the state, without writing it; ``by`` is this worker where nobody else is named."""
        self.manifest.move_to(state, at=rfc3339_now(), by=self._by if by is None else by, reason=reason)

    def note_error(self, error: IngestError, *, phase: str | None = None) -> None:
        """Keep an error of the whole job in the manifest and the log."""
        uri, phase = error.context.get("uri"), phase or error.context.get("phase")
        self.manifest.add_error(
            JobError(
                code=error.reason,
                message=error.message,
                hint=error.hint,
                uri=uri,
                phase=phase,
                at=rfc3339_now(),
                retryable=error.retryable,
            )
        )
        place = {name: value for name, value in (("document", uri), ("phase", phase)) if value}
        self._log.event("error", error.message, code=error.reason, hint=error.hint, **place)

    def save_state(self) -> None:
        """Write the manifest durably: at state and phase changes."""
        with self.lock:
            self._save(durable=True)

    def save_progress(self, *, waiting: bool) -> None:
        """Write how far the job is; ``waiting``: the source makes it wait. A power cut may lose this."""
        with self.lock:
            self.meter.tick(waiting=waiting)
            self.manifest.parsing = self._parsing.now()
            self._save(durable=False)

    def save_if_there_is_room(self) -> None:
        """Write the manifest durably; without room even for that, the ticker writes it as soon as there is."""
        try:
            self._workspace.reserve_file.makes_room_for(lambda: self._save(durable=True))
        except OSError as error:
            if not means_disk_full(error, self._workspace.root):
                raise

    def _save_the_end(self, gives_up: Callable[[], bool]) -> None:
        """Write the last manifest: what is done must not be done again for want of room."""
        while True:
            try:
                return self._save(durable=True)
            except OSError as error:
                if not means_disk_full(error, self._workspace.root) or gives_up():
                    raise
                time.sleep(_RETRY_SECONDS)

    def _save(self, *, durable: bool) -> None:
        moment = rfc3339_now()
        self.manifest.updated_at = moment
        self.manifest.worker = WorkerMark(host=socket.gethostname(), pid=os.getpid(), heartbeat_at=moment)
        self._workspace.jobs.save(self.manifest, durable=durable)
