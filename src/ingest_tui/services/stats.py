"""How a workspace is doing in figures: for people, for monitors, and for Prometheus."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from ingest_tui.credentials.credential_registry import CredentialRegistry
from ingest_tui.model.clock import rfc3339, utc_now
from ingest_tui.model.errors import IngestError
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.services.embedding_states import embeds_anything
from ingest_tui.services.jobs.jobs import as_it_is
from ingest_tui.services.sources.health import next_run_at
from ingest_tui.store.catalogue import queries
from ingest_tui.store.vector_rows import read_state
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.living_workers import living_workers

_ENDED_WELL = frozenset({JobState.SUCCEEDED, JobState.PARTIAL})


@dataclass(frozen=True, slots=True)
class JobFigures:
    """What an ended job leaves in the figures. ``items`` by outcome.

    ``seconds``: from its start to its end. ``phase_seconds``: of each phase likewise; phases overlap, and have no sum.
    """

    job_id: str
    source_id: str
    kind: str
    state: str
    finished_at: str
    items: dict[str, int]
    bytes_fetched: int
    seconds: float | None
    phase_seconds: dict[str, float]
    ended_well: bool

    @classmethod
    def of(cls, manifest: Manifest) -> JobFigures:
        """Return the figures of a job that has ended."""
        counters = manifest.counters.model_dump(exclude={"members"})
        items = {name.removeprefix("items_"): number for name, number in counters.items() if name.startswith("items_")}
        phases = manifest.phases.items()
        seconds = {name: _seconds(phase.started_at, phase.finished_at) for name, phase in phases}
        return cls(
            manifest.job_id,
            manifest.source_id,
            manifest.kind,
            str(manifest.state),
            manifest.finished_at or manifest.updated_at,
            items,
            manifest.counters.bytes_fetched,
            _seconds(manifest.started_at, manifest.finished_at),
            {name: taken for name, taken in seconds.items() if taken is not None},
            manifest.state in _ENDED_WELL,
        )


@dataclass(frozen=True, slots=True)
class SourceFigures:
    """A source: its documents, its newest ended job, when one ended well last, and how many deletions wait."""

    source_id: str
    enabled: bool
    documents: int
    last_job: JobFigures | None
    last_success_at: str | None
    success_age_seconds: float | None
    held_deletions: int
    next_run_at: str | None


@dataclass(frozen=True, slots=True)
class Stats:
    """The figures of a workspace at ``at``. Sizes in bytes, ages in seconds, credentials by the days that are left.

    ``jobs`` counts the kept jobs by state. ``index_lag`` counts, by collection that has vectors, the documents whose
    vectors are still to be made.
    """

    at: str
    documents: dict[str, int]
    jobs: dict[str, int]
    queue_length: int
    oldest_queued_seconds: float | None
    paused_for_disk: int
    sources: tuple[SourceFigures, ...]
    credentials: dict[str, int]
    index_lag: dict[str, int]
    disk_free: int
    disk_total: int
    disk_reserve: int
    workers: dict[str, int]
    worker_issues: int

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


class StatsReader:
    """Reads the figures again and again: a job that has ended is read once. Not for two threads at once.

    ``on_ended`` is called with each job that has ended since the first reading.
    """

    def __init__(self, workspace: Workspace, on_ended: Callable[[JobFigures], None] = lambda _figures: None) -> None:
        self._workspace = workspace
        self._on_ended = on_ended
        self._ended: dict[str, JobFigures] | None = None
        self._held: dict[str, int] = {}

    def read(self, now: datetime | None = None) -> Stats:
        """Return the figures of now."""
        moment, workspace = now or utc_now(), self._workspace
        unfinished = self._read_jobs()
        ended = (self._ended or {}).values()
        queued = [job for job in unfinished if job.state is JobState.QUEUED]
        oldest = min((job.created_at for job in queued), default=None)
        disk, room = shutil.disk_usage(workspace.root), workspace.room()
        living = living_workers(workspace)
        return Stats(
            at=rfc3339(moment),
            documents=dict(queries.documents_by_collection(workspace.reading)),
            jobs=dict(Counter([*(job.state for job in ended), *(str(job.state) for job in unfinished)])),
            queue_length=len(queued),
            oldest_queued_seconds=_age(oldest, moment),
            paused_for_disk=sum(job.waits_for_space for job in unfinished),
            sources=tuple(self._sources(ended, moment)),
            credentials=_days_left(workspace, moment),
            index_lag=_index_lag(workspace),
            disk_free=room.free,
            disk_total=disk.total,
            disk_reserve=room.reserve,
            workers=dict(Counter(worker.mode for worker in living)),
            worker_issues=sum(len(worker.issues) for worker in living),
        )

    def _read_jobs(self) -> list[Manifest]:
        """Bring what is known of ended jobs up to date; returns the jobs that have not ended."""
        jobs = self._workspace.jobs
        ids = jobs.ids()
        is_first, known = self._ended is None, self._ended or {}
        self._ended = {job_id: known[job_id] for job_id in reversed(ids) if job_id in known}
        unfinished = []
        for manifest in jobs.readable(job_id for job_id in ids if job_id not in known):
            shown = as_it_is(self._workspace, manifest)
            if not shown.ended:
                unfinished.append(shown)
                continue
            figures = self._ended[shown.job_id] = JobFigures.of(shown)
            if shown.held is not None:
                self._held[shown.job_id] = shown.held.documents
            if not is_first:
                self._on_ended(figures)
        return unfinished

    def _sources(self, ended: Iterable[JobFigures], now: datetime) -> Iterable[SourceFigures]:
        counts = queries.documents_by_source(self._workspace.reading)
        newest: dict[str, JobFigures] = {}
        last_well: dict[str, str] = {}
        for figures in sorted(ended, key=lambda one: one.finished_at):
            if figures.kind != "sync":
                continue
            newest[figures.source_id] = figures
            if figures.ended_well:
                last_well[figures.source_id] = figures.finished_at
        for source in self._workspace.sources.all():
            name = source.source_id
            success = last_well.get(name)
            yield SourceFigures(
                name,
                source.enabled,
                int(counts.get(name, 0)),
                newest.get(name),
                success,
                _age(success, now),
                self._held_deletions(newest.get(name)),
                next_run_at(self._workspace, source),
            )

    def _held_deletions(self, newest: JobFigures | None) -> int:
        """Return how many deletions of a job wait for an answer, which it may have had since it ended."""
        if newest is None or not self._held.get(newest.job_id):
            return 0
        for manifest in self._workspace.jobs.readable([newest.job_id]):
            held = as_it_is(self._workspace, manifest).held
            return held.documents if held is not None and held.waits else 0
        return 0


def workspace_stats(workspace: Workspace) -> Stats:
    """Return the figures of a workspace."""
    return StatsReader(workspace).read()


def _seconds(started: str | None, finished: str | None) -> float | None:
    if not started or not finished:
        return None
    return max(0.0, (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds())


def _age(moment: str | None, now: datetime) -> float | None:
    return None if moment is None else max(0.0, (now - datetime.fromisoformat(moment)).total_seconds())


def _days_left(workspace: Workspace, now: datetime) -> dict[str, int]:
    """Return the days until the credentials end that say when; none where their file cannot be read."""
    if not workspace.credentials_path.exists():
        return {}
    try:
        entries = CredentialRegistry(workspace.credentials_path).entries()
    except (IngestError, OSError):
        return {}
    return {entry.name: (entry.expires - now.date()).days for entry in entries if entry.expires is not None}


def _index_lag(workspace: Workspace) -> dict[str, int]:
    if not embeds_anything(workspace):
        return {}
    from ingest_tui.pipeline.embed.due import due_documents
    from ingest_tui.pipeline.embed.generations import known_generations  # only where there are vectors

    documents = queries.documents_by_collection(workspace.reading)
    lag: dict[str, int] = {}
    for collection in workspace.collections.all():
        try:
            generation = known_generations(workspace, collection.collection_id).answering
        except IngestError:
            continue
        if generation is None:
            continue
        state = read_state(workspace.layout.vector_log(collection.collection_id, generation.key), generation.space)
        due = None
        if state is not None:
            due = due_documents(workspace.reading, collection.collection_id, state, everything=False).document_ids
        lag[collection.collection_id] = documents.get(collection.collection_id, 0) if due is None else len(due)
    return lag
