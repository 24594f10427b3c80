"""The lock that whoever changes catalogue and folders holds: the one place where it is taken."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ingest_tui.model.errors import BusyError
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.layout import Layout

FOR_A_COMMAND = 60.0
FOR_A_JOB = 120.0
"""Seconds of waiting: whoever sits in front of it gives up sooner."""
_POLL_SECONDS = 0.02


class CommitLock:
    """The commit lock of a workspace, for one holder. A process that dies gives it back."""

    def __init__(self, layout: Layout) -> None:
        self._lock = FileLock(layout.lock("commit"))

    @contextmanager
    def held(
        self, *, seconds: float = FOR_A_COMMAND, between_tries: Callable[[], None] = lambda: None
    ) -> Iterator[None]:
        """Wait for the lock and hold it; raises `BusyError` after so many ``seconds``.

        ``between_tries`` is called while it waits: the time that it takes is not counted, what it raises ends the wait.
        """
        waited = 0.0
        while not self._lock.try_acquire():
            if waited >= seconds:
                raise BusyError(
                    "the catalogue is in use by another process", hint="a job is committing; try again in a moment"
                )
            between_tries()
            time.sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
        with self._lock:
            yield

    @contextmanager
    def held_if_free(self) -> Iterator[bool]:
        """Hold the lock if nobody else does; yields whether that is so."""
        is_ours = self._lock.try_acquire()
        try:
            yield is_ours
        finally:
            self._lock.release()
