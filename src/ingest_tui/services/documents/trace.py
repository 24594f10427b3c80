"""Where a document came from: its versions with their jobs, manifests and hashes, its places, and its audit lines.

From a document forwards; from a job or a hash back to the documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ingest_tui.model.document import Document
from ingest_tui.model.errors import IngestError, NotFoundError
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.safe_text import safe_display
from ingest_tui.services.documents.documents import get_document
from ingest_tui.services.jobs.audit_trail import searchable
from ingest_tui.store.catalogue import queries
from ingest_tui.store.catalogue.consistency import versions_with
from ingest_tui.store.catalogue.rows import VersionRow
from ingest_tui.store.workspace import Workspace

__all__ = ["Trace", "TracedVersion", "trace"]

_HASH = re.compile(r"[0-9a-f]{64}")
_JOB = re.compile(r"\d{8}-\d{6}-.+")


@dataclass(frozen=True, slots=True)
class TracedVersion:
    """A version, the folder it is in, and the manifest and state of the job that made it; empty where it is gone."""

    row: VersionRow
    folder: str
    manifest: str
    job_state: str
    requested_by: str

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            **self.row._asdict(),
            "folder": self.folder,
            "manifest": self.manifest or None,
            "job_state": self.job_state or None,
            "requested_by": self.requested_by or None,
        }


@dataclass(frozen=True, slots=True)
class Trace:
    """All that leads to a document. ``audit``: the lines about it, its places and its jobs, oldest first."""

    document: Document
    versions: list[TracedVersion]
    places: list[KnownPlace]
    audit: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "document": self.document.as_dict(),
            "versions": [one.as_dict() for one in self.versions],
            "places": [one._asdict() for one in self.places],
            "audit": self.audit,
        }


def trace(workspace: Workspace, target: str) -> Iterator[Trace]:
    """Yield where documents came from: the one of a name as of `get_document`, or those of a job or of a hash.

    A hash is a ``raw_sha256`` or a ``content_hash``. Raises `NotFoundError` where there is none.
    """
    documents = _documents(workspace, target)
    lines = list(workspace.audit.entries())
    for document in documents:
        yield _trace(workspace, document, lines)


def _documents(workspace: Workspace, target: str) -> list[Document]:
    catalogue = workspace.reading
    if _HASH.fullmatch(target):
        found = {
            row[1] for column in ("raw_sha256", "content_hash") for row in versions_with(catalogue, column, target)
        }
    elif _JOB.fullmatch(target) or target == "last":
        try:
            job_id = workspace.jobs.resolve(target)
        except NotFoundError:  # its folder was pruned: the documents remember it
            job_id = target
        found = set(queries.documents_of_job(catalogue, job_id))
    else:
        return [get_document(workspace, target)]
    if not found:
        hint = "'ingest-tui doc list' shows what there is"
        raise NotFoundError(f"no version of a document is of {safe_display(target, limit=200)}", hint=hint)
    return sorted(catalogue.documents(found).values(), key=lambda one: one.uri)


def _trace(workspace: Workspace, document: Document, lines: list[dict[str, Any]]) -> Trace:
    catalogue = workspace.reading
    rows = queries.versions_of(catalogue, document.document_id)
    places = catalogue.locations_of(document.document_id)
    jobs = {row.job_id for row in rows}
    names = {document.document_id, document.uri, *(place.uri for place in places)}
    return Trace(
        document,
        [_version(workspace, document, row) for row in rows],
        places,
        [line for line in lines if line.get("target") in jobs | names or document.document_id in searchable(line)],
    )


def _version(workspace: Workspace, document: Document, row: VersionRow) -> TracedVersion:
    is_retired = document.state == "retired"
    folder = workspace.document_store.folder(
        document.collection_id, document.document_id, row.version, retired=is_retired
    )
    manifest, state, by = "", "", ""
    try:
        job = workspace.jobs.load(row.job_id)
        manifest = str(workspace.jobs.paths(row.job_id).manifest.relative_to(workspace.root))
        state, by = job.state.value, job.requested_by
    except IngestError:  # it was pruned, or no job made the version
        pass
    return TracedVersion(row, str(folder.relative_to(workspace.root)), manifest, state, by)
