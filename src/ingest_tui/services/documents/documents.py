"""What a person can do with documents."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Unpack

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.counted import counted
from ingest_tui.model.document import Chunk, Document, shown_version
from ingest_tui.model.errors import BusyError, IngestError, NotFoundError, StoreError, UsageError
from ingest_tui.model.keys import path_of_uri
from ingest_tui.model.members import MARK
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.source import RESERVED_SOURCES, UPLOAD_SOURCE
from ingest_tui.model.textdiff import diff_texts
from ingest_tui.model.version_label import usual_label
from ingest_tui.services.documents.addresses import addresses_of
from ingest_tui.services.documents.named_documents import documents_named
from ingest_tui.services.documents.restore import restore_retired
from ingest_tui.services.documents.retirement import retire_documents
from ingest_tui.services.jobs.source_claims import WaitPolicy, sources_to_oneself
from ingest_tui.store.catalogue import queries
from ingest_tui.store.catalogue.queries import DocumentChoice
from ingest_tui.store.catalogue.sqlite_access import DAMAGED, REBUILD_HINT
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.users import requester
from ingest_tui.store.workspace import Workspace

__all__ = [
    "DocumentChoice",
    "DocumentPage",
    "count_documents",
    "document_chunks",
    "document_diff",
    "document_remarks",
    "document_text",
    "document_versions",
    "get_document",
    "ingestion_record",
    "list_documents",
    "made_by",
    "media_types",
    "original_of",
    "original_path",
    "page_of_documents",
    "remarks_of",
    "remove_documents",
    "restore_document",
]


_DOCUMENTS_NAMED = 5


def list_documents(
    workspace: Workspace,
    *,
    limit: int = 200,
    offset: int = 0,
    order: str = "address",
    backwards: bool = False,
    **choice: Unpack[DocumentChoice],
) -> list[Document]:
    """Return documents in an order. ``state``: ``active`` (default), ``retired`` or None for both."""
    check_choice(workspace, choice)
    page = {"limit": limit, "offset": offset}
    return queries.find_documents(workspace.reading, **page, order=order, backwards=backwards, **choice)


def count_documents(workspace: Workspace, **choice: Unpack[DocumentChoice]) -> int:
    """Return how many documents there are by the same choice."""
    return queries.count_documents(workspace.reading, **choice)


class DocumentPage(NamedTuple):
    """A part of a list of documents, and how many there are in all."""

    rows: list[Document]
    total: int


def page_of_documents(
    workspace: Workspace,
    *,
    limit: int,
    offset: int = 0,
    order: str = "address",
    backwards: bool = False,
    **choice: Unpack[DocumentChoice],
) -> DocumentPage:
    """Return a part of what `list_documents` lists, with the number of all."""
    rows = list_documents(workspace, limit=limit, offset=offset, order=order, backwards=backwards, **choice)
    return DocumentPage(rows, count_documents(workspace, **choice))


def check_choice(workspace: Workspace, choice: DocumentChoice) -> None:
    """Raise `NotFoundError` for a collection or source that does not exist; None is all.

    A source that was removed is one as long as documents of it are here, in the trash too.
    """
    collection_id, source_id = choice.get("collection_id"), choice.get("source_id")
    if collection_id is not None:
        workspace.collections.get(collection_id)
    if source_id is None or source_id in RESERVED_SOURCES:
        return
    if not queries.source_has_documents(workspace.reading, source_id):
        workspace.sources.get(source_id)


def media_types(workspace: Workspace) -> list[tuple[str, int]]:
    """Return the media types of the documents with how many there are of each, the most frequent first."""
    return queries.media_types(workspace.reading)


def document_chunks(workspace: Workspace, document_id: str) -> list[Chunk]:
    """Return the chunks by which a document is found, in order."""
    return workspace.reading.full_text.chunks_of(get_document(workspace, document_id).document_id)


def document_diff(workspace: Workspace, document_id: str, older: int, newer: int) -> list[str]:
    """Return what changed in the text between two versions, as lines of a unified diff; bounded for big texts."""
    document = get_document(workspace, document_id)
    old, new = (document_text(workspace, document.document_id, version) for version in (older, newer))
    return diff_texts(old, new, names=(shown_version(older), shown_version(newer)))


def original_path(document: Document) -> Path | None:
    """Return where the original of a document lies on this machine, None when it lies elsewhere or is gone."""
    path = path_of_uri(document.uri)
    original = None if path is None else Path(os.fsdecode(path))
    return original if original is not None and original.is_file() else None


def original_of(workspace: Workspace, target: str) -> Path | None:
    """Return where the original of a document lies on this machine; see `get_document` and `original_path`."""
    return original_path(get_document(workspace, target))


def get_document(workspace: Workspace, target: str, *, meant_collection: str | None = None) -> Document:
    """Return a document by id, a unique beginning of its id, address, path or file name; raises `NotFoundError`.

    Raises `UsageError` for an address or a name that several documents have, unless one alone is in the collection that
    is meant: nobody knows which one is meant.
    """
    addresses = addresses_of(target)
    found = queries.document_by_id(workspace.reading, addresses[0])
    if found is not None:
        return found
    for how, candidates in _candidates(workspace, target, addresses):
        in_collection = [one for one in candidates if one.collection_id == meant_collection]
        for found_there in (in_collection, candidates):
            if len(found_there) == 1:
                return found_there[0]
        if candidates:
            raise _ambiguous(target, candidates, how)
    if workspace.document_store.has_folder(addresses[0]):
        raise StoreError(
            f"the catalogue does not know document {addresses[0]}, which is on disk", hint=REBUILD_HINT, code=DAMAGED
        )
    shown = safe_display(target, limit=200)
    if members := sum(_members_at(workspace, address) for address in addresses):
        raise NotFoundError(
            f"'{shown}' is no document itself; documents in it: {members}",
            hint=f"'ingest-tui doc list --contains NAME{MARK}' shows them; each has a name of its own",
        )
    raise NotFoundError(
        f"there is no document '{shown}'",
        hint="'ingest-tui doc explain PATH' shows why; 'ingest-tui doc list' shows what there is",
    )


def _members_at(workspace: Workspace, address: str) -> int:
    """Return how many documents are in the archives or mails at an address."""
    places = queries.locations_at(workspace.reading, address)
    return sum(
        member.document_id is not None
        for place in places
        for member in workspace.reading.members_below(place.source_id, place.key)
    )


def _candidates(workspace: Workspace, target: str, addresses: list[str]) -> Iterator[tuple[str, list[Document]]]:
    """Yield the documents that are at each address, then those that are called so; the first that are some count."""
    for address in addresses:
        yield "at", _documents_at(workspace, address)
    yield "called", documents_named(workspace, target)


def _documents_at(workspace: Workspace, address: str) -> list[Document]:
    """Return the documents at an address: those that are there now, else those that came from there."""
    documents = queries.documents_at(workspace.reading, address)
    active = [one for one in documents if one.state == "active"]
    now = {place.document_id for place in queries.locations_at(workspace.reading, address)}
    return [one for one in active if one.document_id in now] or active or documents


def _ambiguous(target: str, documents: list[Document], how: str) -> UsageError:
    named = ", ".join(
        f"{one.document_id} ({safe_display(one.uri, limit=200)}, source {one.source_id},"
        f" collection {one.collection_id})"
        for one in documents[:_DOCUMENTS_NAMED]
    )
    more = f" and {len(documents) - _DOCUMENTS_NAMED} more" if len(documents) > _DOCUMENTS_NAMED else ""
    in_trash = " in the trash" if documents[0].state == "retired" else ""
    return UsageError(
        f"there are {counted(len(documents), 'document')}{in_trash} {how} "
        f"'{safe_display(target, limit=200)}': {named}{more}",
        hint="give the identifier of the one that is meant",
        code="ambiguous",
        document_ids=[one.document_id for one in documents],
    )


def document_folder(workspace: Workspace, document: Document, version: int | None = None) -> Path:
    """Return the folder of a version (default: the current one); raises `NotFoundError`."""
    store = DocumentStore(workspace.layout)
    number = document.version if version is None else version
    folder = store.folder(document.collection_id, document.document_id, number, retired=document.state == "retired")
    if not folder.exists():
        hint = f"'ingest-tui doc versions {document.document_id}' shows them"
        if number == document.version:
            hint = "the catalogue has it, its folder is gone; 'ingest-tui rebuild' takes what is on disk"
        raise NotFoundError(f"document {document.document_id} has no version {shown_version(number)}", hint=hint)
    return folder


def document_text(workspace: Workspace, document_id: str, version: int | None = None) -> str:
    """Return the normalised text of a document; raises `NotFoundError` when it is lost."""
    document = get_document(workspace, document_id)
    folder = document_folder(workspace, document, version)
    try:
        return DocumentStore(workspace.layout).normalized(folder)
    except FileNotFoundError:
        raise lost_content(document, "text", version or document.version) from None


def raw_file(workspace: Workspace, document_id: str, version: int | None = None) -> Path:
    """Return the path of the original bytes of a version as they are kept; raises `NotFoundError` when it is lost."""
    document = get_document(workspace, document_id)
    path = DocumentStore(workspace.layout).raw(document_folder(workspace, document, version))
    if path is None or not path.is_file():
        raise lost_content(document, "raw file", version or document.version)
    return path


def lost_content(document: Document, what: str, version: int) -> NotFoundError:
    """Return the error of a version whose file is lost. A rebuild notices, so that what comes next is read again.

    So does a forced sync, of all that a source has.
    """
    again = "upload it again" if document.source_id == UPLOAD_SOURCE else f"'ingest-tui sync {document.source_id}'"
    is_current = document.state == "active" and version == document.version
    return NotFoundError(
        f"document {document.document_id} has lost its {what} of version {shown_version(version)}",
        hint=f"'ingest-tui rebuild', then {again}, reads it again" if is_current else "restore it from a backup",
    )


def ingestion_record(workspace: Workspace, document_id: str, version: int | None = None) -> dict[str, Any]:
    """Return ingestion.json of a version."""
    folder = document_folder(workspace, get_document(workspace, document_id), version)
    return DocumentStore(workspace.layout).ingestion(folder)


def document_versions(workspace: Workspace, document_id: str) -> list[dict[str, Any]]:
    """Return the versions of a document, newest first."""
    document = get_document(workspace, document_id)
    rows = queries.versions_of(workspace.reading, document.document_id)
    return [
        row._asdict()
        | _named_in_record(workspace, document, row.version)
        | {"current": row.version == document.version and document.state == "active"}
        for row in rows
    ]


def _named_in_record(workspace: Workspace, document: Document, version: int) -> dict[str, Any]:
    """Return the label of a version, the one that a person gave it, else its name and number; and how it was made.

    ``rolled_back``: of one that a person made from an earlier one, ``from`` which version they went back, and ``to``
    which; else None. ``rechunked_from``: of one whose text was only cut again, which version it had before; else None.
    """
    try:
        record = workspace.document_store.ingestion(document_folder(workspace, document, version))
    except (IngestError, OSError):  # its number is known all the same
        record = {}
    label = str(record.get("version_label", usual_label(document.file_name, version)))
    # A version that was cut again keeps what its record says of a rollback, so that the way back to what was left is
    # kept too. A rollback to one that was cut again follows another version than that was cut from.
    before = record.get("rechunked_from")
    is_rechunked = before == version - 1
    return {
        "version_label": label,
        "rolled_back": None if is_rechunked else record.get("rolled_back"),
        "rechunked_from": before if is_rechunked else None,
    }


def made_by(version: Mapping[str, Any]) -> str:
    """Return what made a version of `document_versions`, for people: its job, and the version it was made from."""
    rolled_back, rechunked_from = version.get("rolled_back"), version.get("rechunked_from")
    if isinstance(rolled_back, dict):
        return f"rollback from v{rolled_back.get('from', '?')} to v{rolled_back.get('to', '?')}"
    job = f"job {version['job_id']}"
    return job if rechunked_from is None else f"{job}, v{rechunked_from} cut again"


def remarks_of(record: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what an ingestion record has to say against its document: ``error``, ``warning`` or ``note``, and text.

    A note is a warning of the record that no validator gave a code.
    """
    findings = record.get("validation", [])
    reported = {finding["message"] for finding in findings}
    remarks = [(finding["severity"], f"{finding['message']} ({finding['code']})") for finding in findings]
    return remarks + [("note", message) for message in record.get("warnings", []) if message not in reported]


def document_remarks(workspace: Workspace, document_id: str) -> list[tuple[str, str]]:
    """Return what is wrong or odd with the current version of a document, see `remarks_of`."""
    return remarks_of(ingestion_record(workspace, document_id))


def remove_documents(workspace: Workspace, document_ids: list[str], *, wait_policy: WaitPolicy | None = None) -> int:
    """Retire documents to the trash; returns how many.

    Refused with `BusyError` while a job works on a source that one of them has a place in, or is embedding one of them;
    with ``wait_policy`` that is waited for.
    """
    held = _sources_of(workspace, document_ids)

    def going() -> Iterator[Document]:
        return (get_document(workspace, document_id) for document_id in document_ids)

    with sources_to_oneself(workspace, held, wait_policy=wait_policy, queued_too=False, documents=going):
        if not _sources_of(workspace, document_ids) <= held:
            raise BusyError("the documents have got new places meanwhile", hint="try again")
        # Looked up again: a job that was waited for may have changed or retired them.
        documents = [get_document(workspace, document_id) for document_id in document_ids]
        retired = retire_documents(workspace, [document.document_id for document in documents], reason="removed")
    at = rfc3339_now()
    for document in retired:
        workspace.audit.add(
            at=at, by=requester(), action="document.remove", target=document.document_id, uri=document.uri
        )
    return len(retired)


def _sources_of(workspace: Workspace, document_ids: list[str]) -> set[str]:
    sources = {get_document(workspace, document_id).source_id for document_id in document_ids}
    places = (place for document_id in document_ids for place in workspace.reading.locations_of(document_id))
    return sources | {place.source_id for place in places}


def restore_document(workspace: Workspace, document_id: str) -> Document:
    """Bring a document back from the trash."""
    document = get_document(workspace, document_id)
    restored = restore_retired(workspace, document)
    at = rfc3339_now()
    workspace.audit.add(at=at, by=requester(), action="document.restore", target=document.document_id, uri=document.uri)
    return restored
