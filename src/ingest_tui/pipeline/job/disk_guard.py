"""A disk that runs full makes a job wait, never fail: how much an item needs, and waiting until there is room."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import apsw

from ingest_tui.model.errors import IngestError
from ingest_tui.pipeline.job.controls import TICK_SECONDS, JobControls
from ingest_tui.pipeline.job.manifest_keeper import ManifestKeeper
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.records.job_log import JobLog
from ingest_tui.store.workspace import Workspace

BYTES_ON_DISK = 6
"""What a byte of a document takes at most while it is committed: itself, its text, and what finds it, twice."""
_LONGEST_WAIT_FOR_SPACE = 30.0


class DiskGuard:
    """Knows the room that a job needs and waits for it. Used by the job's thread."""

    def __init__(
        self, workspace: Workspace, keeper: ManifestKeeper, controls: JobControls, log: JobLog, reading: Catalogue
    ) -> None:
        self._workspace = workspace
        self._keeper = keeper
        self._controls = controls
        self._log = log
        self._reading = reading
        self._factor = BYTES_ON_DISK
        self._times_full = 0

    def needed_for(self, size: int) -> int:
        """Return the bytes that a document of ``size`` bytes takes at most while it is committed."""
        return self._factor * size

    def expect_more(self) -> None:
        """Count on twice as much for each document: what was thought to fit did not."""
        self._factor *= 2

    def allocate_reserve(self) -> None:
        """Make the reserve file where there is room for it."""
        if self._workspace.room().has(0):
            self._workspace.reserve_file.allocate()

    def await_room(self, size: int, *, unless: Callable[[], bool] = lambda: False) -> None:
        """Wait, paused, while ``size`` more bytes would leave less than the reserve; ``unless`` ends the wait too."""
        if self._workspace.room().has(size):
            return
        with contextlib.suppress(IngestError, apsw.Error):  # the log of the database may hold as much as it
            self._reading.empty_log()
        if self._workspace.room().has(size):
            return
        self.pause_until_there_is_room(size, unless=unless)

    def pause_until_there_is_room(self, size: int = 0, *, unless: Callable[[], bool] = lambda: False) -> None:
        """Be ``paused`` with reason ``disk_full`` until there is room; raises `JobCancelled` to end the job."""
        room = self._workspace.room()
        self._keeper.wait_for_space()
        self._log.event("warning", "paused: the disk is full", free=room.free, reserve=room.reserve, needed=size)
        # What was refused although there seems to be room (a quota) is tried again ever less often.
        self._times_full += 1
        shortest = min(_LONGEST_WAIT_FOR_SPACE, 0.1 * 2**self._times_full)
        deadline = time.monotonic() + shortest
        while not unless():
            self._controls.raise_if_ending()
            with contextlib.suppress(IngestError, OSError):
                self._workspace.take_up_reserve()
            if time.monotonic() >= deadline and self._workspace.room().has(size):
                break
            self._controls.cancelled.wait(TICK_SECONDS)
        self._workspace.reserve_file.allocate()
        self._keeper.resume_with_space()
        self._log.event("info", "resumed: there is room again")
