"""Looking twice: what a job is changing right now is no finding."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from ingest_tui.model.inconsistency import Inconsistency
from ingest_tui.store.commit_lock import CommitLock
from ingest_tui.store.workspace import Workspace

_AGAIN_SECONDS = 0.3
Checking = Callable[[], Iterable[Inconsistency]]


class SecondLook:
    """Confirms findings: under the commit lock, or where that cannot be taken by looking again a moment later."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._locks = not workspace.is_read_only

    def confirmed(self, look: Checking, first: Iterable[Inconsistency] | None = None) -> list[Inconsistency]:
        """Return what a look finds twice; ``first`` is what it has found already."""
        before = {one.identity for one in (look() if first is None else first)}
        if not before:
            return []
        with self._undisturbed():
            return [one for one in look() if one.identity in before]

    def confirmed_later(self, look: Checking) -> list[Inconsistency]:
        """Return what a look finds twice where no lock keeps others away: what jobs do with their own folders."""
        before = {one.identity for one in look()}
        if not before:
            return []
        time.sleep(_AGAIN_SECONDS)
        return [one for one in look() if one.identity in before]

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        lock = CommitLock(self._workspace.layout).held()
        if self._locks:
            try:
                lock.__enter__()
            except OSError:  # nothing can be written here
                self._locks = False
        if not self._locks:
            time.sleep(_AGAIN_SECONDS)
            yield
            return
        try:
            yield
        finally:
            lock.__exit__(None, None, None)
