"""Deleting earlier versions on a person's word, and what a job has deleted of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ingest_tui.model.clock import utc_now
from ingest_tui.model.document import Document
from ingest_tui.model.errors import UsageError
from ingest_tui.pipeline.version_prune import VERSIONS_DELETED, prune_versions, versions_let_go
from ingest_tui.services.documents.documents import get_document, ingestion_record
from ingest_tui.services.jobs.jobs import job_log
from ingest_tui.store.catalogue.queries import versions_of
from ingest_tui.store.catalogue.rows import VersionRow
from ingest_tui.store.change import EarlierVersion
from ingest_tui.store.document_preferences import document_preferences
from ingest_tui.store.users import requester
from ingest_tui.store.workspace import Workspace


def versions_to_prune(workspace: Workspace, targets: Sequence[str], *, keep: int | None = None) -> list[EarlierVersion]:
    """Return the versions of documents but for the newest ``keep``, the current one among them.

    Without ``keep`` those stay that the retention in force for a document keeps. Raises `UsageError` where none limits
    them: without a limit all would go, the way back too.
    """
    if keep is not None and keep < 1:
        raise UsageError("the current version is always kept", hint="keep at least 1")
    found: list[EarlierVersion] = []
    for target in dict.fromkeys(targets):
        document = get_document(workspace, target)
        if document.state != "active":
            raise UsageError(
                f"document {document.document_id} is in the trash",
                hint="'ingest-tui trash empty' deletes all of it",
            )
        rows = versions_of(workspace.reading, document.document_id)
        numbers = [row.version for row in rows[keep:]] if keep else _beyond_policy(workspace, document, rows)
        found += [EarlierVersion(document.collection_id, document.document_id, number) for number in numbers]
    return list(dict.fromkeys(found))


def _beyond_policy(workspace: Workspace, document: Document, rows: Sequence[VersionRow]) -> list[int]:
    if len(rows) == 1:
        return []
    record = ingestion_record(workspace, document.document_id)
    where = document.collection_id, document.source_id
    policy = workspace.settings.retention.of_collection(document_preferences(workspace.layout, *where, record))
    if not policy.limits_versions:
        raise UsageError(
            f"collection {document.collection_id!r} keeps all versions, so nothing says which ones may go",
            hint="--keep N leaves the newest N, --all-old the current one alone",
        )
    return versions_let_go(workspace, document.collection_id, rows, policy, utc_now())


def prune_documents(workspace: Workspace, versions: Sequence[EarlierVersion]) -> list[EarlierVersion]:
    """Delete versions that `versions_to_prune` has chosen, for good; returns those that were deleted."""
    return prune_versions(workspace, versions, by=requester())


def versions_deleted_by(workspace: Workspace, job_id: str) -> Iterator[tuple[str, list[int]]]:
    """Yield the key of each document of which a job deleted earlier versions for good, with their numbers."""
    return deleted_in(record for record, _end in job_log(workspace, job_id))


def deleted_in(records: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, list[int]]]:
    """Yield what the records of a log say of versions that were deleted for good."""
    for record in records:
        if record.get("message") == VERSIONS_DELETED:
            yield str(record.get("key", "")), [int(number) for number in record.get("versions", ())]
