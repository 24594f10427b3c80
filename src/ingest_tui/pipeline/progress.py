"""How far a job is: phases, rates over the last seconds, and what remains."""

from __future__ import annotations

import time
from collections import deque
from datetime import UTC, datetime

from ingest_tui.model.clock import rfc3339
from ingest_tui.model.job import JobState, Manifest

_WINDOW_SECONDS = 10.0


class ProgressMeter:
    """Counts what the steps do and keeps `Manifest.progress`. Each phase is advanced by one thread only."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._samples: deque[tuple[float, int, int]] = deque()

    def start(self, name: str, *, total: int | None = None, bytes_total: int | None = None) -> None:
        """Begin a phase, or go on with it after a restart."""
        phase = self._manifest.phases[name]
        phase.state = "running"
        phase.started_at = phase.started_at or rfc3339(datetime.now(UTC))
        phase.finished_at = None
        if total is not None:
            phase.total = total
        if bytes_total is not None:
            phase.bytes_total = bytes_total

    def advance(self, name: str, items: int = 1, size: int = 0) -> None:
        """Count finished items and bytes of a phase."""
        phase = self._manifest.phases[name]
        phase.done += items
        phase.bytes += size

    def done(self, name: str) -> None:
        """End a phase."""
        phase = self._manifest.phases[name]
        phase.state = "done"
        phase.total = phase.done
        phase.finished_at = rfc3339(datetime.now(UTC))

    def tick(self) -> None:
        """Take a sample and renew the rates. Called a few times a second."""
        commit = self._manifest.phases["commit"]
        progress = self._manifest.progress
        moment = time.monotonic()
        self._samples.append((moment, commit.done, commit.bytes))
        while moment - self._samples[0][0] > _WINDOW_SECONDS:
            self._samples.popleft()
        start, items, size = self._samples[0]
        elapsed = moment - start
        if elapsed > 0:
            progress.items_per_second = round((commit.done - items) / elapsed, 1)
            progress.bytes_per_second = round((commit.bytes - size) / elapsed)
        if commit.total:
            progress.percent = round(self._share() * 100, 1)
        progress.eta_seconds = self._eta()

    def _share(self) -> float:
        commit = self._manifest.phases["commit"]
        by_items = commit.done / commit.total if commit.total else 0.0
        by_bytes = commit.bytes / commit.bytes_total if commit.bytes_total else by_items
        # Small files cost by the piece, large ones by the byte: between the two.
        return min(1.0, (by_items + by_bytes) / 2)

    def _eta(self) -> float | None:
        commit = self._manifest.phases["commit"]
        progress = self._manifest.progress
        if commit.total is None or commit.done == 0 or progress.items_per_second <= 0:
            return None
        by_items = (commit.total - commit.done) / progress.items_per_second
        if commit.bytes_total and progress.bytes_per_second > 0:
            by_bytes = (commit.bytes_total - commit.bytes) / progress.bytes_per_second
            return round(max(0.0, (by_items + by_bytes) / 2), 1)
        return round(max(0.0, by_items), 1)

    def finish(self, state: JobState) -> None:
        """Leave the progress as people expect to see it after the end."""
        progress = self._manifest.progress
        progress.eta_seconds = None
        if state in {JobState.SUCCEEDED, JobState.PARTIAL}:
            progress.percent = 100.0
