"""Whether catalogue, full text, documents/ and trash/ say the same. Reads only; what differs is an `Inconsistency`.

The caller keeps others from committing meanwhile, or takes a finding for what it may be: a commit that was half seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ingest_tui.model.address import names_one_thing
from ingest_tui.model.document import Document
from ingest_tui.model.errors import IngestError
from ingest_tui.model.hashing import compute_content_hash, new_hasher
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.contradictions import contradiction_in
from ingest_tui.store.catalogue.rows import LocationRow, VersionRow
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.fs.atomic import TEMPORARY_PREFIX
from ingest_tui.store.layout import DOCUMENT, INGESTION, NORMALIZED, RETIRED, Layout, version_name
from ingest_tui.store.records.json_files import read_json

_PIECE = 1 << 20


class Inconsistency(NamedTuple):
    """Something that is not as it must be: a stable code, the document it is about if any, and words for people."""

    code: str
    document_id: str
    message: str


def verify_store(layout: Layout, catalogue: Catalogue, *, deep: bool = False) -> list[Inconsistency]:
    """Return what is wrong between catalogue, full text and folders; empty when all agree.

    ``deep`` also hashes every raw file and every text, which reads all documents.
    """
    documents = list(catalogue.all_documents())
    places: dict[str, list[LocationRow]] = {}
    for place in catalogue.all_places_with_documents():
        places.setdefault(place.document_id or "", []).append(place)
    return [
        *_written_by_others(catalogue),
        *_places(documents, places),
        *_contents(documents),
        *_addresses(documents, places),
        *_full_text(catalogue, documents),
        *_folders(layout, catalogue, documents, places, deep=deep),
    ]


# The catalogue by itself


def _written_by_others(catalogue: Catalogue) -> Iterator[Inconsistency]:
    """What `doctor` and failing commands look for is nowhere where all is as it should be."""
    found = contradiction_in(catalogue)
    if found:
        yield Inconsistency("contradiction", "", found)


def _places(documents: list[Document], places: dict[str, list[LocationRow]]) -> Iterator[Inconsistency]:
    """Each active document is at its primary place at least, a retired one nowhere."""
    known = {document.document_id: document for document in documents}
    for document_id, rows in places.items():
        holder = known.get(document_id)
        if holder is None or holder.state != "active":
            state = "not in the catalogue" if holder is None else holder.state
            yield Inconsistency(
                "place_without_document", document_id, f"{rows[0].key!r} is a place of it, but it is {state}"
            )
        elif any(row.collection_id != holder.collection_id for row in rows):
            yield Inconsistency("place_in_other_collection", document_id, "a place of it is in another collection")
    for document in documents:
        if document.state != "active":
            continue
        own = places.get(document.document_id, [])
        if not own:
            yield Inconsistency("document_without_place", document.document_id, "it is searchable, but has no place")
        elif (document.source_id, document.key, document.uri) not in {(row.source_id, row.key, row.uri) for row in own}:
            yield Inconsistency("primary_place_unknown", document.document_id, f"{document.key!r} is no place of it")


def _contents(documents: list[Document]) -> Iterator[Inconsistency]:
    """Each content is there once in a collection: neither the same bytes nor the same text twice."""
    for column in ("raw_sha256", "content_hash"):
        first: dict[tuple[str, str], str] = {}
        for document in documents:
            if document.state != "active":
                continue
            content = (document.collection_id, getattr(document, column))
            other = first.setdefault(content, document.document_id)
            if other != document.document_id:
                yield Inconsistency("same_content", document.document_id, f"the same {column} as document {other}")


def _addresses(documents: list[Document], places: dict[str, list[LocationRow]]) -> Iterator[Inconsistency]:
    """An address that names one thing wherever it is seen belongs to one document of a collection."""
    first: dict[tuple[str, str], str] = {}
    active = {document.document_id for document in documents if document.state == "active"}
    for document_id, rows in places.items():
        for row in rows:
            if document_id in active and names_one_thing(row.uri):
                other = first.setdefault((row.collection_id, row.uri), document_id)
                if other != document_id:
                    yield Inconsistency("same_address", document_id, f"{row.uri} is a place of document {other} too")


def _full_text(catalogue: Catalogue, documents: list[Document]) -> Iterator[Inconsistency]:
    """Exactly the active documents can be found, with all their chunks."""
    numbers = catalogue.full_text.numbers_of_chunks()
    for document in documents:
        found = numbers.pop(document.document_id, (0, 0))
        expected = document.chunks if document.state == "active" else 0
        if found != (expected, expected):
            yield Inconsistency("chunks_differ", document.document_id, f"has {found[0]} chunks instead of {expected}")
    for document_id in numbers:
        yield Inconsistency("chunks_without_document", document_id, "it has chunks, but is not in the catalogue")
    for difference in catalogue.full_text.differences():
        yield Inconsistency("full_text_differs", "", difference)


# The folders


def _folders(
    layout: Layout,
    catalogue: Catalogue,
    documents: list[Document],
    places: dict[str, list[LocationRow]],
    *,
    deep: bool,
) -> Iterator[Inconsistency]:
    """documents/ holds exactly the active documents, trash/ exactly the retired ones, each with its versions."""
    store = DocumentStore(layout)
    versions: dict[str, list[VersionRow]] = {}
    for row in catalogue.all_versions():
        versions.setdefault(row.document_id, []).append(row)
    for base, state, retired in ((layout.documents, "active", False), (layout.trash, "retired", True)):
        known = {document.document_id: document for document in documents if document.state == state}
        for collection_id, document_id, folder in store.walk(retired=retired):
            document = known.get(document_id)
            if document is None or document.collection_id != collection_id:
                yield Inconsistency("unknown_folder", document_id, f"a folder in {base.name}/, but no {state} document")
                continue
            del known[document_id]
            yield from _versions(store, folder, document, versions.get(document_id, []), deep=deep)
            yield from _notes(folder, document, places.get(document_id, []))
        for document_id in known:
            yield Inconsistency("folder_missing", document_id, f"{state}, but it has no folder in {base.name}/")
    for document_id in versions.keys() - {document.document_id for document in documents}:
        yield Inconsistency("version_without_document", document_id, "it has versions, but is not in the catalogue")


def _versions(
    store: DocumentStore, folder: Path, document: Document, rows: list[VersionRow], *, deep: bool
) -> Iterator[Inconsistency]:
    on_disk = dict(store.versions(folder))
    in_catalogue = {row.version: row for row in rows}
    if on_disk.keys() != in_catalogue.keys() or document.version != max(in_catalogue, default=0):
        found = f"folders {sorted(on_disk)}, catalogue {sorted(in_catalogue)}, current {document.version}"
        yield Inconsistency("versions_differ", document.document_id, found)
        return
    current = in_catalogue[document.version]
    if (current.raw_sha256, current.content_hash) != (document.raw_sha256, document.content_hash):
        yield Inconsistency("current_version_differs", document.document_id, "its row and that of its version differ")
    for number, path in on_disk.items():
        for message in _faults_of_version(store, path, document, in_catalogue[number], deep=deep):
            yield Inconsistency("version_damaged", document.document_id, f"{path.name}: {message}")


def _faults_of_version(
    store: DocumentStore, path: Path, document: Document, row: VersionRow, *, deep: bool
) -> Iterator[str]:
    try:
        record = store.ingestion(path)
    except IngestError as error:
        yield f"{INGESTION} cannot be read ({error.message})"
        return
    told = (record.get("document_id"), record.get("version"), record.get("raw_sha256"), record.get("content_hash"))
    if told != (document.document_id, row.version, row.raw_sha256, row.content_hash):
        yield f"{INGESTION} and the catalogue differ"
    try:
        raw, text = store.raw(path), store.normalized_path(path)
        if raw is None:
            yield "there is no raw file"
        elif deep and _hash_of(raw) != row.raw_sha256:
            yield "the raw file is not what was fetched"
        if not text.is_file():
            yield f"there is no {NORMALIZED}"
        elif deep and compute_content_hash(text.read_text(encoding="utf-8", errors="replace")) != row.content_hash:
            yield f"{NORMALIZED} is not what was read"
    except OSError as error:
        yield f"cannot be read ({error.strerror})"


def _hash_of(path: Path) -> str:
    digest = new_hasher()
    with path.open("rb") as raw:
        while piece := raw.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _notes(folder: Path, document: Document, places: list[LocationRow]) -> Iterator[Inconsistency]:
    """What a rebuild would believe of the places is what the catalogue says, and nothing half written is left."""
    for path in folder.iterdir():
        if path.name.startswith(TEMPORARY_PREFIX):
            yield Inconsistency("leftover", document.document_id, f"{path.name} is left in its folder")
    if (folder / RETIRED).exists() != (document.state == "retired"):
        yield Inconsistency("retired_note_differs", document.document_id, f"{RETIRED} and its state differ")
    if document.state != "active":
        return
    try:
        noted = _noted_places(folder, document)
    except (IngestError, KeyError, TypeError) as error:
        yield Inconsistency("note_damaged", document.document_id, f"{DOCUMENT} cannot be read ({error})")
        return
    if noted != {(place.source_id, place.key) for place in places}:
        yield Inconsistency("noted_places_differ", document.document_id, "a rebuild would give it other places")


def _noted_places(folder: Path, document: Document) -> set[tuple[str, str]]:
    newest = read_json(folder / version_name(document.version) / INGESTION, newest=1, what="the ingestion record")
    path = folder / DOCUMENT
    note = read_json(path, newest=1, what="the note of its places") if path.exists() else {"locations": []}
    places = {(place["source_id"], place["key"]) for place in note["locations"]}
    if newest["version"] > DocumentStore.noted_version(note):
        places.add((newest["source_id"], newest["key"]))
    return places
