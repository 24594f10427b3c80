"""Syncs that schedules ask for: queued when they are due, by whichever worker watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from ingest_tui.model.clock import rfc3339, utc_now
from ingest_tui.model.schedule import ScheduleLook, look_at_schedule
from ingest_tui.model.source import Source
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.submit import request_sync
from ingest_tui.worker.supervision import EventReport


class ScheduledRun(NamedTuple):
    """The next run of the schedule of a source."""

    source_id: str
    at: datetime

    def as_dict(self) -> dict[str, str]:
        """Return the JSON form."""
        return {"source_id": self.source_id, "at": rfc3339(self.at)}


class Schedules:
    """Looks at the schedules of all enabled sources. Several workers may do so: they ask for the same sync."""

    def __init__(self, workspace: Workspace, report: EventReport, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._workspace = workspace
        self._report = report
        self._clock = clock

    def step(self) -> None:
        """Queue what is due. Called every few seconds; one source that cannot be queued keeps no other from it."""
        failures: list[Exception] = []
        for source in self._workspace.sources.all():
            if source.enabled and source.schedule is not None:
                try:
                    self._look_at(source)
                except Exception as error:  # noqa: BLE001 - the first is raised for the supervisor, after all others
                    failures.append(error)
        if failures:
            raise failures[0]

    def _look_at(self, source: Source) -> None:
        before = self._workspace.schedule_marks.get(source.source_id)
        look = _look_at(self._workspace, source, self._clock())
        if look.is_due:
            # Before the mark: a worker that dies in between asks again, and joins what waits.
            requested = request_sync(self._workspace, source, trigger="schedule", by="schedule")
            if requested.is_new:
                fields = {"source": source.source_id, "job": requested.manifest.job_id, "trigger": "schedule"}
                self._report("sync queued", fields)
        if look.mark != before:
            self._workspace.schedule_marks.save(source.source_id, look.mark)


def _look_at(workspace: Workspace, source: Source, now: datetime) -> ScheduleLook:
    if source.schedule is None:
        raise ValueError(source.source_id)
    mark = workspace.schedule_marks.get(source.source_id)
    return look_at_schedule(source.schedule, mark, now, seed=source.source_id)


def next_run(workspace: Workspace, source: Source, *, now: datetime | None = None) -> datetime | None:
    """Return when the schedule of a source starts its next sync, now for one that is due; None without a schedule."""
    if source.schedule is None or not source.enabled:
        return None
    moment = now or utc_now()
    look = _look_at(workspace, source, moment)
    return moment if look.is_due else look.next_at


def next_runs(workspace: Workspace) -> Iterator[ScheduledRun]:
    """Yield the next run of each enabled source that has a schedule."""
    for source in workspace.sources.all():
        at = next_run(workspace, source)
        if at is not None:
            yield ScheduledRun(source.source_id, at)
