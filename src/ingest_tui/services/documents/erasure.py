"""Erasing documents for good: what the trash would keep, and what else was made of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ingest_tui.model.clock import rfc3339_now, utc_now
from ingest_tui.model.document import Document
from ingest_tui.model.errors import IngestError
from ingest_tui.pipeline.purge import purge_documents
from ingest_tui.services.documents.documents import get_document, remove_documents
from ingest_tui.services.documents.export import checked_target
from ingest_tui.services.jobs.source_claims import WaitPolicy
from ingest_tui.store.catalogue.queries import versions_of
from ingest_tui.store.catalogue.rows import VersionRow
from ingest_tui.store.fs.atomic import empty_folder, write_pieces_durably
from ingest_tui.store.fs.encoding import encode_json
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.quarantine import QuarantineFolder
from ingest_tui.store.users import requester
from ingest_tui.store.vector_log import forget_rows
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.submit import queue_embedding

_LOCK_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Erasure:
    """A document that is to be erased: what the record of it says, and never what is in it."""

    document: Document
    versions: tuple[VersionRow, ...]
    places: tuple[str, ...]
    was_read_by_ocr: bool

    @property
    def hashes(self) -> set[str]:
        """The hashes of its raw files and its texts."""
        return {digest for row in self.versions for digest in (row.raw_sha256, row.content_hash)}

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form: a line of the record. A title is what a document says of itself, and is not in it."""
        return {
            **{name: value for name, value in self.document.as_dict().items() if name != "title"},
            "places": list(self.places),
            "versions": [row._asdict() for row in self.versions],
        }


class Erased(NamedTuple):
    """The ids of documents that are gone, and which catalogues a repair kept in ``quarantine/`` still have texts."""

    document_ids: list[str]
    catalogues_kept: list[str]


def plan_erasure(workspace: Workspace, targets: Sequence[str]) -> list[Erasure]:
    """Return what erasing documents would take away; they are named as for `get_document`, in the trash too."""
    found = {document.document_id: document for document in (get_document(workspace, name) for name in targets)}
    return [_erasure(workspace, document) for document in found.values()]


def _erasure(workspace: Workspace, document: Document) -> Erasure:
    rows = tuple(versions_of(workspace.reading, document.document_id))
    places = tuple(row.uri for row in workspace.reading.locations_of(document.document_id)) or (document.uri,)
    return Erasure(document, rows, places, any(_was_read_by_ocr(workspace, document, row.version) for row in rows))


def _was_read_by_ocr(workspace: Workspace, document: Document, version: int) -> bool:
    """Whether pages of a version may be in the cache of OCR; also where its record cannot be read."""
    store, is_retired = workspace.document_store, document.state != "active"
    folder = store.folder(document.collection_id, document.document_id, version, retired=is_retired)
    try:
        return bool(store.ingestion(folder).get("ocr"))
    except (IngestError, OSError):
        return True


def erase_documents(
    workspace: Workspace,
    erasures: Sequence[Erasure],
    *,
    record: Path | None = None,
    wait_policy: WaitPolicy | None = None,
) -> Erased:
    """Delete documents with all versions, vectors, cached pages of OCR and what a repair moved away, for good.

    ``record``: a file outside of the workspace that gets a line for each, durably, before anything is deleted. Killed
    in between, a document is here, in the trash, or gone with all the rest; the same call does what is left. The
    removal stays known, so that no sync brings back what was erased. Raises `BusyError` as `remove_documents` does.
    """
    if record is not None:
        place = checked_target(workspace, record.expanduser(), replace=False, is_folder=False)
        at, by = rfc3339_now(), requester()
        write_pieces_durably(place, (encode_json({"at": at, "by": by, **one.as_dict()}) + b"\n" for one in erasures))
    ids = [one.document.document_id for one in erasures]
    known = workspace.reading.documents(ids)
    active = [name for name, document in known.items() if document.state == "active"]
    if active:
        remove_documents(workspace, active, wait_policy=wait_policy)
    retired = [row for row in workspace.reading.documents(ids).values() if row.state != "active"]
    # Before the documents: of what is gone the same call would not find the rest.
    if any(one.was_read_by_ocr for one in erasures) and workspace.layout.ocr_pages.is_dir():
        empty_folder(workspace.layout.ocr_pages)
    hashes = set[str]().union(*(one.hashes for one in erasures))
    catalogues = QuarantineFolder(workspace.layout, utc_now()).erase(ids, hashes)
    purge_documents(workspace, iter(retired), reason="erased")
    for collection_id in {one.document.collection_id for one in erasures}:
        _forget_vectors(workspace, collection_id)
    left = workspace.reading.documents(ids)
    return Erased([name for name in ids if name not in left], catalogues)


def _forget_vectors(workspace: Workspace, collection_id: str) -> None:
    """Let what vector search reads be made again without erased documents.

    That of a kept generation is made again when somebody goes back to it; the job that is queued makes that of the one
    that answers again, which answers meanwhile without them.
    """
    with suppress(IngestError):  # a record that cannot be read: who needs it reports it
        kept = workspace.generations.get(collection_id).kept
        if kept is not None:
            lock = FileLock(workspace.layout.vector_log_lock(collection_id, kept.key))
            lock.acquire(_LOCK_SECONDS, what="the vectors of the collection")
            with lock:
                forget_rows(workspace.layout.vector_log(collection_id, kept.key))
    queue_embedding(workspace, collection_id, by=requester())
