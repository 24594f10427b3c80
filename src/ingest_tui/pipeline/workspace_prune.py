"""Pruning a workspace: what its retention lets go, found first, then deleted while nothing else has to be done."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final, Literal

from ingest_tui.model.batching import batches
from ingest_tui.model.clock import rfc3339_now, utc_now
from ingest_tui.model.counted import counted
from ingest_tui.model.document import Document
from ingest_tui.model.errors import BusyError, IngestError
from ingest_tui.model.job import Manifest
from ingest_tui.model.retention import (
    EndedJob,
    RetentionPolicy,
    jobs_to_drop,
    logs_to_drop,
)
from ingest_tui.model.trash_grace import is_overdue
from ingest_tui.pipeline.purge import purge_documents, retired_at, retired_until
from ingest_tui.pipeline.version_prune import prune_versions, versions_let_go
from ingest_tui.store.catalogue.version_history import histories
from ingest_tui.store.change import EarlierVersion
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.pruned_jobs import JobPruner
from ingest_tui.store.records.looks import why_hold_is_closed
from ingest_tui.store.records.rotated_log import files_of
from ingest_tui.store.retention_policies import RetentionPolicies
from ingest_tui.store.users import requester
from ingest_tui.store.workspace import Workspace

PruneKind = Literal["trash", "versions", "jobs", "logs", "staging"]
PRUNE_KINDS: Final[tuple[PruneKind, ...]] = ("trash", "versions", "jobs", "logs", "staging")
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Prunable:
    """Something that may go, and the space that it takes. ``target`` is what it is in the store."""

    kind: PruneKind
    name: str
    bytes: int
    target: Document | EarlierVersion | Manifest

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"kind": self.kind, "name": self.name, "bytes": self.bytes}


@dataclass(slots=True)
class PruneReport:
    """How many things of each kind, and how much space. ``is_complete``: none was put off."""

    items: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PRUNE_KINDS, 0))
    bytes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PRUNE_KINDS, 0))
    is_complete: bool = True

    @classmethod
    def of(cls, found: Iterable[Prunable]) -> PruneReport:
        """Return what all of these come to."""
        report = cls()
        for one in found:
            report.add(one)
        return report

    def add(self, one: Prunable) -> None:
        """Count one."""
        self.items[one.kind] += 1
        self.bytes[one.kind] += one.bytes

    @property
    def total_items(self) -> int:
        """How many things."""
        return sum(self.items.values())

    @property
    def total_bytes(self) -> int:
        """How much space."""
        return sum(self.bytes.values())


# What may go


def find_prunable(
    workspace: Workspace, *, kinds: Iterable[PruneKind] = PRUNE_KINDS, now: datetime | None = None
) -> Iterator[Prunable]:
    """Yield what the retention of a workspace lets go now. Changes nothing; reads every manifest."""
    moment, policies = now or utc_now(), RetentionPolicies(workspace)
    wanted = set(kinds)
    if "trash" in wanted:
        yield from _overdue_documents(workspace, policies, moment)
    if "versions" in wanted:
        for collection in workspace.collections.all():
            for earlier in overdue_versions(workspace, collection.collection_id, policies, moment):
                size = _size(workspace.layout.version(*earlier))
                yield Prunable("versions", f"{earlier.document_id} v{earlier.version}", size, earlier)
    if wanted & {"jobs", "logs", "staging"}:
        yield from (one for one in _left_by_jobs(workspace, policies.usual, moment) if one.kind in wanted)


def _overdue_documents(workspace: Workspace, policies: RetentionPolicies, now: datetime) -> Iterator[Prunable]:
    for document in retired_until(workspace):
        grace, since = policies.grace_of(document.collection_id, document.source_id), retired_at(workspace, document)
        if grace is not None and since is not None and is_overdue(since, now, grace):
            folder = workspace.layout.trashed(document.collection_id, document.document_id)
            yield Prunable("trash", document.document_id, _size(folder), document)


def overdue_versions(
    workspace: Workspace, collection_id: str, policies: RetentionPolicies, now: datetime
) -> Iterator[EarlierVersion]:
    """Yield the earlier versions of the documents of a collection that the policy of each lets go."""
    for rows in histories(workspace.reading, collection_id):
        document = workspace.reading.documents([rows[0].document_id]).get(rows[0].document_id)
        policy = policies.of_document(document) if document is not None else None
        if policy is not None:
            for number in versions_let_go(workspace, collection_id, rows, policy, now):
                yield EarlierVersion(collection_id, rows[0].document_id, number)


def _left_by_jobs(workspace: Workspace, policy: RetentionPolicy, now: datetime) -> Iterator[Prunable]:
    manifests: dict[str, Manifest] = {}
    for manifest in workspace.jobs.readable(workspace.jobs.ids()):
        if manifest.held is not None and manifest.held.waits:
            manifest.held.closed = why_hold_is_closed(workspace.layout, manifest.source_id, manifest.job_id)
        manifests[manifest.job_id] = manifest
    jobs = [EndedJob.of(manifest) for manifest in manifests.values()]
    overdue = jobs_to_drop(jobs, policy, now, pinned=_jobs_in_use(workspace))
    for job_id in overdue:
        yield Prunable("jobs", job_id, _size(workspace.jobs.paths(job_id).folder), manifests[job_id])
    gone = set(overdue)
    kept = [job for job in jobs if job.job_id not in gone]
    for job_id in logs_to_drop(kept, policy, now):
        logs = files_of(workspace.jobs.paths(job_id).log)
        if logs:
            yield Prunable("logs", job_id, sum(map(_size, logs)), manifests[job_id])
    for job in kept:
        staging = workspace.jobs.paths(job.job_id).staging
        is_queued = workspace.layout.queue_entry(job.job_id).exists()
        if job.finished_at is not None and not job.keeps_files and not is_queued and _has_entries(staging):
            yield Prunable("staging", job.job_id, _size(staging), manifests[job.job_id])


def _jobs_in_use(workspace: Workspace) -> set[str]:
    """Return the jobs of the last looks, from which the next ones are planned, and those that build generations."""
    names = {workspace.looks.get(source.source_id).job_id for source in workspace.sources.all()}
    for collection_id in workspace.generations.collection_ids():
        try:
            known = workspace.generations.get(collection_id)
        except IngestError:  # who needs it reports it
            continue
        names |= {generation.job_id for generation in known.generations}
    return names


def _has_entries(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(True for _entry in entries)
    except FileNotFoundError:
        return False


def _size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; what vanishes meanwhile has none."""
    try:
        if not path.is_dir():
            return path.stat().st_size
        with os.scandir(path) as entries:
            return sum(
                _size(Path(entry.path))
                if entry.is_dir(follow_symlinks=False)
                else entry.stat(follow_symlinks=False).st_size
                for entry in entries
            )
    except FileNotFoundError:
        return 0


# Letting it go


def prune(
    workspace: Workspace, chosen: Iterable[Prunable], *, by: str = "", should_stop: Callable[[], bool] = lambda: False
) -> PruneReport:
    """Delete what `find_prunable` has found and is still as it was then; returns what is gone.

    ``should_stop`` is asked between small batches: what is left then waits for the next time. One prune runs at a time:
    raises `BusyError` while another does. The audit log names what was deleted.
    """
    report, by = PruneReport(), by or requester()
    lock = FileLock(workspace.layout.lock("prune"))
    if not lock.try_acquire():
        raise BusyError("another prune is running", hint="try again when it is done")
    with lock:
        JobPruner(workspace.layout, workspace.jobs).sweep()
        for kind, group in groupby(chosen, key=lambda one: one.kind):
            for batch in batches(group, _BATCH):
                if should_stop():
                    report.is_complete = False
                    return report
                for one in _DELETE[kind](workspace, batch, by):
                    report.add(one)
    return report


def _delete_documents(workspace: Workspace, batch: list[Prunable], _by: str) -> list[Prunable]:
    purge_documents(workspace, (_document(one) for one in batch), reason="prune")
    left = workspace.reading.documents(one.name for one in batch)
    return [one for one in batch if one.name not in left]


def _document(one: Prunable) -> Document:
    if not isinstance(one.target, Document):
        raise TypeError(one.kind)
    return one.target


def _delete_versions(workspace: Workspace, batch: list[Prunable], by: str) -> list[Prunable]:
    deleted = set(
        prune_versions(workspace, [one.target for one in batch if isinstance(one.target, EarlierVersion)], by=by)
    )
    return [one for one in batch if one.target in deleted]


def _delete_jobs(workspace: Workspace, batch: list[Prunable], by: str) -> list[Prunable]:
    pruner = JobPruner(workspace.layout, workspace.jobs)
    # Before the first of them: without its folder nothing else says that there was such a job.
    names = [one.name for one in batch]
    workspace.audit.add(at=rfc3339_now(), by=by, action="job.prune", target=counted(len(names), "job"), jobs=names)
    return [one for one in batch if pruner.delete(_manifest(one))]


def _delete_logs(workspace: Workspace, batch: list[Prunable], _by: str) -> list[Prunable]:
    pruner = JobPruner(workspace.layout, workspace.jobs)
    return [one for one in batch if pruner.delete_log(_manifest(one))]


def _delete_staging(workspace: Workspace, batch: list[Prunable], _by: str) -> list[Prunable]:
    pruner = JobPruner(workspace.layout, workspace.jobs)
    return [one for one in batch if pruner.delete_staging(_manifest(one))]


def _manifest(one: Prunable) -> Manifest:
    if not isinstance(one.target, Manifest):
        raise TypeError(one.kind)
    return one.target


_Delete = Callable[[Workspace, list[Prunable], str], list[Prunable]]
_DELETE: Final[Mapping[PruneKind, _Delete]] = {
    "trash": _delete_documents,
    "versions": _delete_versions,
    "jobs": _delete_jobs,
    "logs": _delete_logs,
    "staging": _delete_staging,
}
