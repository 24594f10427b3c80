"""Going back to an earlier version of a document: it becomes the newest one again, the others stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.document import Document, shown_version
from ingest_tui.model.errors import DiskFullError, IngestError, NotFoundError, UsageError
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.plan import ROLLED_BACK
from ingest_tui.model.version_label import label_of_copy
from ingest_tui.services.documents.documents import get_document
from ingest_tui.services.documents.stored_version import StoredVersion, limits_of_document, read_stored_version
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.queries import versions_of
from ingest_tui.store.catalogue.rows import VersionRow
from ingest_tui.store.change import PlacedVersion, StoreChange, StoreWriter
from ingest_tui.store.documents import title_of_record
from ingest_tui.store.fs.atomic import TEMPORARY_PREFIX, make_inner_folder, remove_tree, write_pieces_durably
from ingest_tui.store.layout import INGESTION, RAW_STEM
from ingest_tui.store.users import requester
from ingest_tui.store.version_chunks import VersionChunks
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.submit import queue_embedding

_PIECE = 1 << 20


class _Plan(NamedTuple):
    """What a rollback makes: the document as it will be, its chunks, and the version that it is made from."""

    document: Document
    chunks: VersionChunks
    source: Path
    stored: StoredVersion
    left: Document
    """The document as it was until then."""

    @property
    def made_from(self) -> int:
        """The number of the version that it is made from."""
        return int(self.source.name[1:])


def roll_back_document(workspace: Workspace, target: str, version: int | None = None) -> Document:
    """Make the newest version of a document from an earlier one, and return the document.

    ``target`` is as of `get_document`. Without ``version`` it is the newest one with other content.

    It is searchable at once. What its source has does not undo that: its places stay with the earlier version until
    other content comes there, or somebody asks (a forced sync, an upload). Raises `UsageError` for a document in the
    trash, for the current version, and where the content is here already as another document; `NotFoundError` for a
    version that is not there, or not whole.
    """
    document_id = get_document(workspace, target).document_id
    at, by = rfc3339_now(), requester()
    with workspace.committing() as writer:
        plan = _plan(workspace, writer.catalogue, document_id, version, at)
        _commit(workspace, writer, plan, at=at, by=by)
    workspace.audit.add(
        at=at, by=by, action="document.rollback", target=document_id, uri=plan.document.uri,
        left=plan.left.version, to=plan.made_from, version=plan.document.version,
    )  # fmt: skip
    queue_embedding(workspace, plan.document.collection_id, by=by)
    return plan.document


def planned_rollback(workspace: Workspace, target: str, version: int | None = None) -> tuple[Document, int]:
    """Return the document as `roll_back_document` would make it, and from which version; it changes nothing.

    Raises what that raises, but for a disk without room.
    """
    document_id = get_document(workspace, target).document_id
    plan = _plan(workspace, workspace.catalogue, document_id, version, rfc3339_now())
    return plan.document, plan.made_from


def _checked(document_id: str, document: Document | None) -> Document:
    if document is None:
        raise NotFoundError(f"there is no document {document_id!r}", hint="'ingest-tui doc list' shows what there is")
    if document.state != "active":
        hint = f"'ingest-tui doc restore {document_id}' brings it back first"
        raise UsageError(f"document {document_id} is in the trash", hint=hint)
    return document


def _version_before(catalogue: Catalogue, document: Document) -> int:
    """Return the newest version with other content: a version may be there because texts are cut otherwise."""
    earlier = [row for row in versions_of(catalogue, document.document_id) if row.version < document.version]
    current = (document.raw_sha256, document.content_hash)
    for row in earlier:
        if (row.raw_sha256, row.content_hash) != current:
            return row.version
    if not earlier:
        message = f"document {document.document_id} has one version only"
        raise UsageError(message, hint="there is nothing to go back to")
    raise UsageError(
        f"all earlier versions of document {document.document_id} have the content that it has now",
        hint=f"'ingest-tui doc versions {document.document_id}' shows them",
    )


def _plan(workspace: Workspace, catalogue: Catalogue, document_id: str, version: int | None, at: str) -> _Plan:
    document = _checked(document_id, catalogue.documents([document_id]).get(document_id))
    number = _version_before(catalogue, document) if version is None else version
    shown = f"'ingest-tui doc versions {document_id}' shows them"
    if number == document.version:
        raise UsageError(f"{shown_version(number)} is the current version of document {document_id}", hint=shown)
    folder = workspace.document_store.folder(document.collection_id, document_id, number)
    if not catalogue.has_version(document_id, number) or not folder.exists():
        raise NotFoundError(f"document {document_id} has no version {shown_version(number)}", hint=shown)
    stored = _read(workspace, folder, document_id, number)
    record = stored.record
    _refuse_twin(catalogue, document, record["raw_sha256"], record["content_hash"])
    limits = limits_of_document(workspace, document, record)
    chunks = stored.chunks_as(document_id, document.version + 1, limits)
    again = document._replace(
        title=title_of_record(record, document.file_name),
        media_type=record["mime_type"],
        version=document.version + 1,
        raw_sha256=record["raw_sha256"],
        content_hash=record["content_hash"],
        bytes=record["file_size"],
        chunks=len(chunks),
        backend=f"{record['backend']} {record['backend_version']}".strip(),
        updated_at=at,
        job_id="rollback",
    )
    return _Plan(again, chunks, folder, stored, document)


def _read(workspace: Workspace, folder: Path, document_id: str, number: int) -> StoredVersion:
    """Return what a version holds; raises `NotFoundError` where that is not what was committed."""
    try:
        stored = read_stored_version(workspace, folder)
        if stored.text.content_hash() == stored.record["content_hash"]:
            return stored
    except (IngestError, OSError, KeyError):
        pass
    raise _damaged(document_id, number)


def _damaged(document_id: str, number: int) -> NotFoundError:
    return NotFoundError(
        f"version {shown_version(number)} of document {document_id} is damaged",
        hint="nothing was changed; 'ingest-tui rebuild' lists what is damaged",
    )


def _refuse_twin(catalogue: Catalogue, document: Document, raw_sha256: str, content_hash: str) -> None:
    """Each content is once in a collection, also when it comes back."""
    for column, value in (("raw_sha256", raw_sha256), ("content_hash", content_hash)):
        for twin in catalogue.documents_matching(document.collection_id, column, [value]):
            if twin.document_id != document.document_id:
                raise UsageError(
                    f"the content of that version is here already, as document {twin.document_id}",
                    hint=f"'ingest-tui doc show {twin.document_id}' shows it",
                    code="content_is_here",
                )


def _commit(workspace: Workspace, writer: StoreWriter, plan: _Plan, *, at: str, by: str) -> None:
    folder, document = workspace.layout.registering, plan.document
    change = StoreChange(at=at, by=by)
    change.placed.append(PlacedVersion(folder, document))
    change.documents[document.document_id] = document
    change.versions.append(VersionRow.of_current(document))
    change.rechunked.add(document.document_id)
    change.chunks[document.document_id] = plan.chunks
    change.noted.add(document.document_id)
    for place in writer.catalogue.locations_of(document.document_id):
        change.put_location(_as_left(place, plan, at))
    try:
        _build(workspace, plan, folder)
        writer.carry_out(change)
    finally:
        remove_tree(folder)


def _as_left(place: KnownPlace, plan: _Plan, at: str) -> KnownPlace:
    """Return a place that keeps what was seen there, so that it does not come back until it is something else."""
    raw, text = place.removed_sha256, place.removed_content_hash
    if not raw:  # else it was left before, and nothing else has come since
        raw, text = plan.left.raw_sha256, plan.left.content_hash
    if raw == plan.document.raw_sha256:
        raw = text = ""
    detail = f"a person went back from {shown_version(plan.left.version)} to {shown_version(plan.made_from)}"
    return place._replace(reason=ROLLED_BACK, detail=detail, at=at, removed_sha256=raw, removed_content_hash=text)


def _build(workspace: Workspace, plan: _Plan, folder: Path) -> None:
    """Fill a folder with the new version: the files of the earlier one, its vectors too, and a record of its own."""
    files = [path for path in plan.source.iterdir() if path.is_file() and not path.name.startswith(TEMPORARY_PREFIX)]
    if not workspace.room().has(sum(path.stat().st_size for path in files)):
        raise DiskFullError(
            "there is no room for another version on the disk of the workspace",
            hint="free some space, or lower disk_reserve in workspace.json; nothing was changed",
        )
    remove_tree(folder)
    make_inner_folder(folder)
    for path in files:
        if path.name == INGESTION:
            continue
        digest = sha256()
        write_pieces_durably(folder / path.name, _pieces(path, digest.update))
        if path.name.startswith(f"{RAW_STEM}.") and digest.hexdigest() != plan.document.raw_sha256:
            raise _damaged(plan.document.document_id, plan.made_from)
    workspace.document_store.write_ingestion(folder, _record(workspace, plan))


def _pieces(path: Path, see: Callable[[bytes], None]) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            see(piece)
            yield piece


def _record(workspace: Workspace, plan: _Plan) -> dict[str, object]:
    document = plan.document
    copied = {name: value for name, value in plan.stored.record.items() if name != "rechunked_from"}
    return copied | {
        "source_id": document.source_id,
        "source_type": document.source_type,
        "uri": document.uri,
        "key": document.key,
        "version": document.version,
        "version_label": label_of_copy(plan.stored.record, document.file_name, document.version),
        "rolled_back": {"from": plan.left.version, "to": plan.made_from},
        "job_id": document.job_id,
        "file_name": document.file_name,
        "title": document.title,
        "chunks": document.chunks,
        "chunking": limits_of_document(workspace, document, plan.stored.record).rules.as_dict(),
        "created_at": document.created_at,
        "ingested_at": document.updated_at,
    }
