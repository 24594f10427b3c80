"""Deleting earlier versions of documents for good: those that a person chose, or that an upload replaces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ingest_tui.model.batching import batches
from ingest_tui.model.clock import rfc3339_now, utc_now
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import IngestError
from ingest_tui.model.outcome import Outcome
from ingest_tui.model.preferences_in_force import preferences_in_force
from ingest_tui.model.retention import RetentionPolicy, VersionAge, versions_to_drop
from ingest_tui.store.catalogue.queries import versions_of
from ingest_tui.store.catalogue.rows import VersionRow
from ingest_tui.store.change import EarlierVersion, StoreChange
from ingest_tui.store.layout import NORMALIZED
from ingest_tui.store.records.journal import read_journal
from ingest_tui.store.users import requester
from ingest_tui.store.workspace import Workspace

if TYPE_CHECKING:
    from ingest_tui.pipeline.job.context import JobContext

_BATCH = 200
VERSIONS_DELETED = "earlier versions deleted"
"""The line of a job's log that names the ``versions`` of a document that it deleted for good."""


def prune_versions(
    workspace: Workspace, versions: Iterable[EarlierVersion], *, by: str, job_id: str | None = None
) -> list[EarlierVersion]:
    """Delete versions in batches, each whole or not at all; returns those that were deleted.

    One that is current meanwhile, or of a document that is in the trash, stays. The audit log names what was deleted,
    and the job that did so.
    """
    pruned: list[EarlierVersion] = []
    for batch in batches(versions, _BATCH):
        at = rfc3339_now()
        with workspace.committing() as writer:
            known = writer.catalogue.documents({earlier.document_id for earlier in batch})
            active = {name: row.version for name, row in known.items() if row.state == "active"}
            earlier = [
                one
                for one in batch
                if one.version < active.get(one.document_id, 0)
                and writer.catalogue.has_version(one.document_id, one.version)
            ]
            writer.carry_out(StoreChange(at=at, by=by, pruned=earlier))
        if earlier:
            details: dict[str, Any] = {"versions": [f"{one.document_id} v{one.version}" for one in earlier]}
            details |= {"job_id": job_id} if job_id else {}
            workspace.audit.add(
                at=at, by=by, action="document.prune_versions", target=counted(len(earlier), "version"), **details
            )
        pruned += earlier
    return pruned


def prune_earlier(job: JobContext) -> None:
    """Delete versions before those that a job has made: as the upload was asked to, or as the collection keeps them.

    A resumed job does the rest. The job counts them, and its log names them.
    """
    replaces, policy = bool(job.manifest.options.get("replace")), _policy_of(job)
    if not replaces and (policy is None or not policy.limits_versions):
        return
    outcomes = (Outcome.from_dict(record) for record in read_journal(job.paths.outcomes))
    changed = (one for one in outcomes if one.outcome == "ingested" and one.document_id and one.version)
    collection_id, now = job.source.collection_id, utc_now()
    earlier = (
        EarlierVersion(collection_id, one.document_id or "", number)
        for one in changed
        for number in _beyond(job, versions_of(job.reading, one.document_id or ""), None if replaces else policy, now)
        if number < (one.version or 0)
    )
    by = job.manifest.requested_by or requester()
    deleted = prune_versions(job.workspace, earlier, by=by, job_id=job.manifest.job_id)
    job.manifest.counters.versions_deleted += len(deleted)
    for batch in batches(deleted, _BATCH):
        documents = job.reading.documents({one.document_id for one in batch})
        for document_id, document in documents.items():
            versions = [one.version for one in batch if one.document_id == document_id]
            job.log.event("info", VERSIONS_DELETED, document=document.uri, key=document.key, versions=versions)


def _beyond(job: JobContext, rows: list[VersionRow], policy: RetentionPolicy | None, now: datetime) -> list[int]:
    """Return the versions to delete; without a policy all that are not current."""
    if policy is None:
        return [row.version for row in rows[1:]]
    return versions_let_go(job.workspace, job.source.collection_id, rows, policy, now)


def _policy_of(job: JobContext) -> RetentionPolicy | None:
    try:
        preferences = job.workspace.collections.get(job.source.collection_id).preferences
        preferences = preferences_in_force(preferences, job.source.overriding)
    except IngestError:  # a record that cannot be read says nothing of what may go
        return None
    return job.workspace.settings.retention.of_collection(preferences)


def versions_let_go(
    workspace: Workspace, collection_id: str, rows: Sequence[VersionRow], policy: RetentionPolicy, now: datetime
) -> list[int]:
    """Return which versions of a document may go by a policy; ``rows`` are all of them, newest first.

    None where the files of the newest are not there: an earlier one is then the last good version. What the newest was
    made from by going back, and what was left then, stay: the way back leads to them.
    """
    numbers = versions_to_drop([VersionAge(row.version, row.raw_sha256, row.ingested_at) for row in rows], policy, now)
    if not numbers:
        return []
    newest = workspace.layout.version(collection_id, rows[0].document_id, rows[0].version)
    if not (newest / NORMALIZED).is_file():
        return []
    try:
        rolled_back = workspace.document_store.ingestion(newest).get("rolled_back") or {}
    except (IngestError, OSError):
        return []
    return [number for number in numbers if number not in rolled_back.values()]
