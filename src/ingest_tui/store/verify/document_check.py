"""One document: whether its folder, its versions and its notes are what the catalogue says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ingest_tui.model.document import Document
from ingest_tui.model.errors import IngestError
from ingest_tui.model.hashing import compute_content_hash
from ingest_tui.model.inconsistency import Inconsistency, Remedy
from ingest_tui.model.place import KnownPlace
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.consistency import KnownDocument
from ingest_tui.store.catalogue.rows import VersionRow
from ingest_tui.store.documents import DocumentStore, title_of_record
from ingest_tui.store.fs.atomic import TEMPORARY_PREFIX
from ingest_tui.store.fs.file_hash import hash_of
from ingest_tui.store.layout import (
    DOCUMENT,
    INGESTION,
    NORMALIZED,
    RAW_STEM,
    RETIRED,
    Layout,
    is_vectors_name,
    version_name,
)
from ingest_tui.store.records.json_files import read_json
from ingest_tui.store.vector_files import fault_of_head, fault_of_vectors
from ingest_tui.store.verify.remedies import remedy_of_damaged, remedy_of_lost, remedy_of_missing_folder, source_of
from ingest_tui.store.verify.words_of_text import WordsOfText
from ingest_tui.store.version_chunks import TextFile

_UNREADABLE = (IngestError, KeyError, TypeError, AttributeError, OSError)
_OF_BOTH_ROWS = ("raw_sha256", "content_hash", "bytes", "media_type", "backend", "job_id")
"""What the row of a document says of its current version, as the row of that version does."""


class _VersionFolder(NamedTuple):
    """A version on disk: what is in its folder, by name, and its record, or why that cannot be read."""

    path: Path
    entries: dict[str, os.DirEntry[str]]
    record: dict[str, Any] | None
    fault: str = ""
    is_listed: bool = True

    @property
    def vectors(self) -> list[Path]:
        """The files with vectors, of whatever space."""
        return [self.path / name for name in sorted(self.entries) if is_vectors_name(name)]

    @property
    def raw_sha256(self) -> str:
        """The hash of the raw bytes by the record; empty where there is none."""
        return str((self.record or {}).get("raw_sha256", ""))

    def is_of(self, number: int) -> bool:
        """Whether the record is that of a version of this number."""
        return self.record is not None and self.record.get("version") == number


class DocumentCheck:
    """Checks documents. ``deep``: hashes files, and compares the text of chunks with that of their document."""

    def __init__(self, layout: Layout, *, deep: bool) -> None:
        self._layout = layout
        self._store = DocumentStore(layout)
        self._deep = deep

    def of(self, catalogue: Catalogue, known: KnownDocument) -> Iterator[Inconsistency]:
        """Yield what is wrong with a document that the catalogue has."""
        document = known.document
        document_id = document.document_id
        is_retired = document.state == "retired"
        here = self._folder(document, is_retired=is_retired)
        if not here.is_dir() or here.is_symlink():
            yield self._without_folder(known, self._folder(document, is_retired=not is_retired))
            return
        waits = False
        folders = {number: self._read(path) for number, path in self._store.version_folders(here)}
        for found in self._versions(catalogue, known, folders):
            if document.raw_sha256 == "" and found.version == document.version:
                waits = True
                continue
            yield found
        if waits:
            yield awaiting(known, f"its {version_name(document.version)} is damaged")
        elif document.raw_sha256 == "":
            yield Inconsistency("current_version_differs", document_id, "its row has no hashes")
        elif self._deep and not is_retired:
            yield from self._chunks(catalogue, document, here)
        current = folders.get(document.version)
        if current is not None and current.record is not None and document.raw_sha256:
            yield from _row_against(current.record, document)
        yield from self._notes(here, document, known.places, current.record if current is not None else None)

    def _read(self, path: Path) -> _VersionFolder:
        try:
            entries = _entries(path)
        except OSError as error:
            return _VersionFolder(path, {}, None, str(error.strerror), is_listed=False)
        try:
            return _VersionFolder(path, entries, self._store.ingestion(path))
        except IngestError as error:
            return _VersionFolder(path, entries, None, error.message)
        except OSError as error:
            return _VersionFolder(path, entries, None, str(error.strerror))

    def _folder(self, document: Document, *, is_retired: bool) -> Path:
        place_of = self._layout.trashed if is_retired else self._layout.document
        return place_of(document.collection_id, document.document_id)

    def _without_folder(self, known: KnownDocument, other: Path) -> Inconsistency:
        document = known.document
        if document.raw_sha256 == "" and document.state == "active" and not other.exists():
            return awaiting(known, "its folder is missing")
        where = "trash" if document.state == "retired" else "documents"
        elsewhere = f"; it is in {other.relative_to(self._layout.root)}" if other.is_dir() else ""
        message = f"{document.state}, but it has no folder in {where}/{elsewhere}"
        remedy = remedy_of_missing_folder(known, other, self._layout.trash)
        return Inconsistency("folder_missing", document.document_id, message, own_remedy=remedy)

    # Versions

    def _versions(
        self, catalogue: Catalogue, known: KnownDocument, on_disk: dict[int, _VersionFolder]
    ) -> Iterator[Inconsistency]:
        document = known.document
        rows = {row.version: row for row in known.versions}
        for number in sorted(on_disk.keys() - rows.keys()):
            message = f"{version_name(number)} is on disk, and not in the catalogue"
            remedy = Remedy.DERIVE if on_disk[number].is_of(number) else Remedy.QUARANTINE
            yield Inconsistency("versions_differ", document.document_id, message, own_remedy=remedy)
        for number in sorted(rows.keys() - on_disk.keys()):
            message = f"{version_name(number)} is in the catalogue, and not on disk"
            remedy = remedy_of_lost(known, number, is_on_disk=False)
            yield Inconsistency("versions_differ", document.document_id, message, number, remedy)
        if document.version != max(rows, default=0):
            message = f"current is {document.version}, and the newest that the catalogue has is {max(rows, default=0)}"
            yield Inconsistency("versions_differ", document.document_id, message)
        current = rows.get(document.version)
        if current is not None and document.raw_sha256 and _differ(document, current):
            message = "its row and that of its version differ"
            yield Inconsistency("current_version_differs", document.document_id, message)
        for number in sorted(on_disk.keys() & rows.keys()):
            folder, row = on_disk[number], rows[number]
            for message in self._faults_of_version(folder, row):
                named = f"{version_name(number)}: {message}"
                remedy = remedy_of_damaged(self._store, catalogue, known, row, folder.path, folder.raw_sha256)
                yield Inconsistency("version_damaged", document.document_id, named, number, remedy)
            for path in folder.vectors:
                fault = fault_of_vectors(path) if self._deep else fault_of_head(path)
                if fault:
                    yield Inconsistency("vectors_damaged", document.document_id, fault, number)

    def _faults_of_version(self, folder: _VersionFolder, row: VersionRow) -> Iterator[str]:
        """Yield how a version folder is not what was committed."""
        if not folder.is_listed:
            yield f"its folder cannot be read ({folder.fault})"
            return
        if folder.record is None:
            yield f"{INGESTION} cannot be read ({folder.fault})"
        else:
            yield from _faults_of_record(folder.record, row)
        yield from self._faults_of_raw(folder, row)
        yield from self._faults_of_text(folder, row)

    def _faults_of_raw(self, folder: _VersionFolder, row: VersionRow) -> Iterator[str]:
        files = [entry for name, entry in folder.entries.items() if name.startswith(f"{RAW_STEM}.")]
        try:
            if not files:
                yield "there is no raw file"
            elif len(files) > 1:
                yield "there is more than one raw file"
            elif not files[0].is_file(follow_symlinks=False):
                yield "the raw file is no regular file"
            elif files[0].stat().st_size != row.bytes or (self._deep and hash_of(Path(files[0])) != row.raw_sha256):
                yield "the raw file is not what was fetched"
        except OSError as error:
            yield f"the raw file cannot be read ({error.strerror})"

    def _faults_of_text(self, folder: _VersionFolder, row: VersionRow) -> Iterator[str]:
        text = folder.entries.get(NORMALIZED)
        try:
            if text is None or not text.is_file(follow_symlinks=False):
                yield f"there is no {NORMALIZED}"
            elif not text.stat().st_size and row.content_hash != compute_content_hash(""):
                yield f"{NORMALIZED} is empty"
            elif self._deep and text_hash_of(Path(text)) != row.content_hash:
                yield f"{NORMALIZED} is not what was read"
        except OSError as error:
            yield f"{NORMALIZED} cannot be read ({error.strerror})"

    def _chunks(self, catalogue: Catalogue, document: Document, folder: Path) -> Iterator[Inconsistency]:
        """The words of chunks are words of their document, whichever version of the program has cut it."""
        text = TextFile(folder / version_name(document.version) / NORMALIZED)
        try:
            if text.content_hash() != document.content_hash:
                return
            words = WordsOfText(text)
            for chunk in catalogue.full_text.stream_chunks_of(document.document_id):
                if not words.are_those_of(chunk):
                    message = f"the text of chunk {chunk.ordinal} is not of the document"
                    yield Inconsistency("chunk_text_differs", document.document_id, message)
                    return
        except OSError:
            return  # reported as such

    # Notes

    def _notes(
        self, folder: Path, document: Document, places: list[KnownPlace], record: dict[str, Any] | None
    ) -> Iterator[Inconsistency]:
        """What a rebuild would believe of the places is what the catalogue has, and nothing half written is left."""
        document_id, names = document.document_id, _entries(folder)
        for name in names:
            if name.startswith(TEMPORARY_PREFIX):
                path = str((folder / name).relative_to(self._layout.root))
                yield Inconsistency("leftover", path, "a write that was not ended")
        is_retired = document.state == "retired"
        if (RETIRED in names) != is_retired:
            yield Inconsistency("retired_note_differs", document_id, f"{RETIRED} and its state differ")
        elif is_retired:
            yield from _retirement(folder, document_id)
        if not is_retired and document.raw_sha256:  # the places of one that waits for its source are asked again
            yield from _places(folder, document, places, record)


def _entries(folder: Path) -> dict[str, os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return {entry.name: entry for entry in entries}


def _differ(document: Document, current: VersionRow) -> bool:
    return any(getattr(document, name) != getattr(current, name) for name in _OF_BOTH_ROWS)


def _row_against(record: dict[str, Any], document: Document) -> Iterator[Inconsistency]:
    """Yield how the row of a document differs from the record of its current version, beyond what a version row has."""
    if missing_members(record) or record["version"] != document.version:
        return  # which is reported as such
    derived = {name: record[name] for name in ("source_type", "created_at")} | {
        "title": title_of_record(record, document.file_name)
    }
    if differing := [name for name, value in derived.items() if getattr(document, name) != value]:
        message = f"its row and {INGESTION} differ in {', '.join(differing)}"
        yield Inconsistency("current_version_differs", document.document_id, message)


def _faults_of_record(record: dict[str, Any], row: VersionRow) -> Iterator[str]:
    """Yield how the record of a version is not what the catalogue has, or not enough for a rebuild."""
    if missing := missing_members(record):
        yield f"{INGESTION} has no usable {', '.join(missing)}"
    elif differing := [name for name in VersionRow.of_record(record).differing(row) if name != "uri"]:
        # The address in a row may be a later one: that of a document that has moved before it was cut again.
        yield f"{INGESTION} and the catalogue differ in {', '.join(differing)}"


def _retirement(folder: Path, document_id: str) -> Iterator[Inconsistency]:
    try:
        read_json(folder / RETIRED, newest=1, what="the note of its retirement")
    except IngestError as error:
        yield Inconsistency("retired_note_differs", document_id, f"{RETIRED} cannot be read ({error.message})")


def _places(
    folder: Path, document: Document, places: list[KnownPlace], record: dict[str, Any] | None
) -> Iterator[Inconsistency]:
    try:
        noted = _noted_places(folder)
        is_newer = document.version > noted.version
    except _UNREADABLE as error:
        yield Inconsistency("note_damaged", document.document_id, f"{DOCUMENT} cannot be read ({error})")
        return
    if record is None or missing_members(record) or record["version"] != document.version:
        return  # which is reported as such
    if is_newer:
        noted.places.add((record["source_id"], record["key"]))
    if noted.places != {place.place_key for place in places}:
        yield Inconsistency("noted_places_differ", document.document_id, "a rebuild would give it other places")


class _Noted(NamedTuple):
    places: set[tuple[str, str]]
    version: int


def _noted_places(folder: Path) -> _Noted:
    path = folder / DOCUMENT
    note = read_json(path, newest=1, what="the note of its places") if path.exists() else {"locations": []}
    return _Noted(
        {(place["source_id"], place["key"]) for place in note["locations"]}, DocumentStore.noted_version(note)
    )


def awaiting(known: KnownDocument, why: str) -> Inconsistency:
    """Return that a document waits for its source, or where none lists it for a person."""
    document = known.document
    source_id = source_of(known)
    if source_id:
        return Inconsistency("awaits_source", document.document_id, f"{why}; 'ingest-tui sync {source_id}' fetches it")
    message = f"{why}, and no source has {document.uri}: upload it again, or restore it from a backup"
    return Inconsistency("awaits_person", document.document_id, message)


_NUMBERS = ("version", "file_size")
_TEXTS = (
    "document_id", "collection_id", "source_id", "source_type", "uri", "key", "job_id", "file_name", "mime_type",
    "raw_sha256", "content_hash", "title", "backend", "backend_version", "created_at", "ingested_at",
)  # fmt: skip
_TYPES_OF_ORIGIN: dict[str, tuple[type, ...]] = {
    "fingerprint": (str,),
    "size": (int, type(None)),
    "modified_ns": (int, type(None)),
}


def missing_members(record: dict[str, Any]) -> list[str]:
    """Return what a rebuild needs of a record and is not in it, or is of another type."""
    missing = [name for name in _TEXTS if type(record.get(name)) is not str]
    missing += [name for name in _NUMBERS if type(record.get(name)) is not int]  # true is a number to isinstance
    if type(record.get("container", "")) is not str:
        missing.append("container")
    origin = record.get("origin")
    if not isinstance(origin, dict):
        return [*missing, "origin"]
    return missing + [
        name for name, types in _TYPES_OF_ORIGIN.items() if name not in origin or type(origin[name]) not in types
    ]


def text_hash_of(path: Path) -> str:
    """Return the content hash of a text."""
    return TextFile(path).content_hash()
