"""Pruning by the worker itself: once a day, while no job runs or waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from ingest_tui.model.clock import utc_now
from ingest_tui.model.errors import BusyError
from ingest_tui.pipeline.purge import clock_is_doubted
from ingest_tui.pipeline.workspace_prune import find_prunable, prune
from ingest_tui.store.records.prune_note import PruneNote, read_prune_note, write_prune_note
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.supervision import EventReport

_EVERY = timedelta(days=1)
_LONGEST_DELAY = timedelta(days=2)
_LOOK_SECONDS = 3600.0
_RETRY_SECONDS = 60.0
_STEADY_FOR = timedelta(days=4)
"""So that a gap of two days between looks is no jump of the clock: see `model.trash_grace`."""


class DailyPrune:
    """Prunes when a day has passed since the last time, by whichever worker. ``is_busy``: whether jobs run or wait.

    Jobs put it off for up to two days, also in the middle. What is in the trash has a look of its own, every hour.
    """

    def __init__(self, workspace: Workspace, report: EventReport, is_busy: Callable[[], bool]) -> None:
        self._workspace = workspace
        self._report = report
        self._is_busy = is_busy
        self._next_look = float("-inf")

    def step(self, now: datetime | None = None) -> None:
        """Prune if it is time. Called in each turn of the main loop."""
        if time.monotonic() < self._next_look:
            return
        moment = now or utc_now()
        self._next_look = time.monotonic() + _LOOK_SECONDS
        if clock_is_doubted(self._workspace, moment, _STEADY_FOR):
            return
        last = read_prune_note(self._workspace.layout)
        if last is not None and timedelta() <= moment - last.pruned_at < _EVERY:
            return
        is_late = last is not None and moment - last.pruned_at > _EVERY + _LONGEST_DELAY
        if not self._prune(moment, (lambda: False) if is_late else self._is_busy):
            self._next_look = time.monotonic() + _RETRY_SECONDS

    def _prune(self, now: datetime, should_stop: Callable[[], bool]) -> bool:
        """Return whether everything that is due was done."""
        if should_stop():
            return False
        try:
            found = find_prunable(self._workspace, kinds=("versions", "jobs", "logs", "staging"), now=now)
            pruned = prune(self._workspace, found, by="worker", should_stop=should_stop)
        except BusyError:  # somebody prunes or commits right now
            return False
        if pruned.total_items:
            self._report("pruned", {"items": pruned.total_items, "bytes": pruned.total_bytes})
        if pruned.is_complete:
            write_prune_note(self._workspace.layout, PruneNote(now, pruned.total_items, pruned.total_bytes))
        return pruned.is_complete
