"""Bringing a document back from the trash, on a person's word."""

from __future__ import annotations

from collections.abc import Iterable

from ingest_tui.model.address import names_one_thing
from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.document import Document
from ingest_tui.model.errors import UsageError
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.plan import RESTORED
from ingest_tui.services.documents.stored_version import limits_of_document, read_stored_version
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.change import StoreChange
from ingest_tui.store.kept_places import as_kept
from ingest_tui.store.users import requester
from ingest_tui.store.version_chunks import TextFile
from ingest_tui.store.workspace import Workspace


def restore_retired(workspace: Workspace, document: Document) -> Document:
    """Bring a retired document back from the trash, searchable as it was, to all places that a person removed it from.

    Returns it, or the document that has the same content meanwhile and gets these places. Raises `UsageError` when it
    cannot be restored: it is not in the trash, its content is here already, or its place has another document.
    """
    with workspace.committing() as writer:
        catalogue = writer.catalogue
        document = catalogue.documents([document.document_id]).get(document.document_id, document)
        _check_is_in_trash(workspace, document)
        change = StoreChange(at=rfc3339_now(), by=requester())
        twin = _same_content(catalogue, document)
        places = _removed_places(catalogue, document, besides=twin)
        if twin is not None and not places:
            raise UsageError(
                f"the content of document {document.document_id} is here already, as document {twin.document_id}",
                hint=f"'ingest-tui doc show {twin.document_id}' shows it",
                code="content_is_here",
            )
        restored = twin or document._replace(state="active", updated_at=change.at)
        outcome = "ingested" if twin is None else "duplicate"
        for place in places or [_last_place(catalogue, document, _container_of(workspace, document))]:
            place_again = _restored_place(place, restored, change.at, outcome=outcome)
            change.put_location(place_again)
        change.noted.add(restored.document_id)
        if twin is None:
            restored = _at_one_of(restored, list(change.locations.values()))
            _bring_back(workspace, restored, change)
        writer.carry_out(change)
    return restored


def _check_is_in_trash(workspace: Workspace, document: Document) -> None:
    if document.state != "retired":
        raise UsageError(
            f"document {document.document_id} is not in the trash", hint="'ingest-tui doc list --retired' shows what is"
        )
    store = workspace.document_store
    if not store.folder(document.collection_id, document.document_id, document.version, retired=True).exists():
        raise UsageError(
            f"document {document.document_id} is no longer in the trash", hint="its grace is over; sync its source"
        )


def _container_of(workspace: Workspace, document: Document) -> str:
    store = workspace.document_store
    folder = store.folder(document.collection_id, document.document_id, document.version, retired=True)
    return str(store.ingestion(folder).get("container") or "")


def _same_content(catalogue: Catalogue, document: Document) -> Document | None:
    for column in ("raw_sha256", "content_hash"):
        found = catalogue.documents_matching(document.collection_id, column, [getattr(document, column)])
        if found:
            return found[0]
    return None


def _removed_places(catalogue: Catalogue, document: Document, *, besides: Document | None) -> list[KnownPlace]:
    """Return the places that this content was removed from, but for addresses that another document has meanwhile."""
    removed = catalogue.removed_contents(document.collection_id, [document.raw_sha256], [document.content_hash])
    taken = _taken(catalogue, document.collection_id, (row.uri for row in removed))
    mine = besides.document_id if besides else None
    return [row for row in removed if row.document_id is None and taken.get(row.uri, mine) == mine]


def _taken(catalogue: Catalogue, collection_id: str, uris: Iterable[str]) -> dict[str, str]:
    """Return the documents that addresses which name one thing belong to."""
    rows = catalogue.places_at(collection_id, [uri for uri in uris if names_one_thing(uri)])
    return {row.uri: row.document_id for row in rows if row.document_id}


def _last_place(catalogue: Catalogue, document: Document, container: str) -> KnownPlace:
    """Return where a document was last. What its source no longer lists is kept by the person who restores it.

    ``container``: the key of the listed item that it was in.
    """
    place = catalogue.locations(document.source_id, [document.key]).get(document.key)
    taken = _taken(catalogue, document.collection_id, [document.uri])
    holder = taken.get(document.uri) or (place.document_id if place is not None else None)
    if holder is not None:
        raise UsageError(
            f"its place has another document meanwhile: {holder}",
            hint=f"'ingest-tui doc text {document.document_id}' prints the one in the trash;"
            f" to have it back, remove the other one with 'ingest-tui doc remove {holder}' first",
            code="place_is_taken",
        )
    if place is not None:
        return place
    gone = KnownPlace(
        document.source_id, document.key, document.uri, document.collection_id, document.document_id, "",
        document.bytes, None, "retired", "not_listed", "", "", document.job_id, document.updated_at, document.version,
        container=container,
    )  # fmt: skip
    return as_kept(gone)


def _restored_place(place: KnownPlace, document: Document, at: str, *, outcome: str) -> KnownPlace:
    """Return a place as one of a document again. The next sync looks at it: it may be gone, or have other content."""
    return place._replace(
        document_id=document.document_id,
        version=document.version,
        fingerprint="",
        outcome=outcome,
        reason=RESTORED,
        detail="",
        job_id=document.job_id,
        at=at,
        removed_sha256="",
        removed_content_hash="",
    )


def _at_one_of(document: Document, places: list[KnownPlace]) -> Document:
    """Return a document at the place that it was primarily at, or else at the first of its places."""
    own = next((row for row in places if row.place_key == (document.source_id, document.key)), places[0])
    return document._replace(source_id=own.source_id, key=own.key, uri=own.uri)


def _bring_back(workspace: Workspace, document: Document, change: StoreChange) -> None:
    store = workspace.document_store
    folder = store.folder(document.collection_id, document.document_id, document.version, retired=True)
    stored = read_stored_version(workspace, folder)
    limits = limits_of_document(workspace, document, stored.record)
    chunks = stored.chunks_as(document.document_id, document.version, limits)
    change.documents[document.document_id] = document._replace(chunks=len(chunks))
    change.returned.add(document.document_id)
    back = store.folder(document.collection_id, document.document_id, document.version)
    change.chunks[document.document_id] = chunks.moved_to(TextFile(store.normalized_path(back)))
