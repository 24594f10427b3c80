"""How far a job is: phases, rates over the last seconds, and what remains."""

from __future__ import annotations

import time
from collections import deque

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.job import JobState, Manifest, Phase
from ingest_tui.pipeline.job.workload import Workload

_WINDOW_SECONDS = 10.0


class ProgressMeter:
    """Counts what the steps do and keeps `Manifest.progress`. Each phase is advanced by one thread only."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._samples: deque[tuple[float, int, int, float]] = deque()
        self._ticked_at = time.monotonic()
        self.workload = Workload()

    def start(self, name: str, *, total: int | None = None, bytes_total: int | None = None) -> None:
        """Begin a phase, or resume it after a restart."""
        phase = self._manifest.phases[name]
        phase.state = "running"
        phase.started_at = phase.started_at or rfc3339_now()
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
        phase.finished_at = rfc3339_now()

    def tick(self, *, waiting: bool = False) -> None:
        """Take a sample and renew the rates. Called a few times a second; ``waiting``: the source makes us wait."""
        commit = self._leading_phase
        progress = self._manifest.progress
        moment = time.monotonic()
        if waiting:
            progress.throttled_seconds = round(progress.throttled_seconds + moment - self._ticked_at, 1)
        self._ticked_at = moment
        self._samples.append((moment, commit.done, commit.bytes, self.workload.spent))
        while moment - self._samples[0][0] > _WINDOW_SECONDS:
            self._samples.popleft()
        start, items, size, spent = self._samples[0]
        elapsed = moment - start
        if elapsed > 0:
            progress.items_per_second = round(max(0.0, (commit.done - items) / elapsed), 1)
            progress.bytes_per_second = max(0, round((commit.bytes - size) / elapsed))
            progress.eta_seconds = self._eta((self.workload.spent - spent) / elapsed, (commit.done - items) / elapsed)
        if commit.total:
            progress.percent = round(self._share() * 100, 1)

    def _share(self) -> float:
        """Return what part of the work is done; items count where nothing has to be parsed."""
        commit = self._leading_phase
        spent, remaining = self.workload.spent, self.workload.remaining
        if spent + remaining > 0:
            return min(1.0, spent / (spent + remaining))
        return min(1.0, commit.done / commit.total) if commit.total else 0.0

    @property
    def _leading_phase(self) -> Phase:
        """The phase whose end is the end of the work."""
        return self._manifest.phases[self._manifest.phase_names[-1]]

    def _eta(self, milliseconds_a_second: float, items_a_second: float) -> float | None:
        """Return the seconds left at the pace of the last seconds, or None while nobody can say."""
        commit = self._leading_phase
        if commit.total is None or commit.done == 0:
            return None
        if self._manifest.works_on_collection:  # its items are alike, and are counted instead of weighed
            return round((commit.total - commit.done) / items_a_second, 1) if items_a_second > 0 else None
        if milliseconds_a_second <= 0:
            return None
        return round(self.workload.remaining / milliseconds_a_second, 1)

    def finish(self, state: JobState) -> None:
        """Leave the progress as people expect to see it after the end."""
        progress = self._manifest.progress
        progress.eta_seconds = None
        if state in {JobState.SUCCEEDED, JobState.PARTIAL}:
            progress.percent = 100.0
