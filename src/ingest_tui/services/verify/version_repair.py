"""One version made whole again: its raw bytes from a copy, its text from them, its record from catalogue and text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ingest_tui.model.chunk_limits import ChunkRules
from ingest_tui.model.clock import rfc3339_from_ns
from ingest_tui.model.document import Document
from ingest_tui.model.errors import IngestError
from ingest_tui.model.hashing import compute_content_hash
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.version_label import usual_label
from ingest_tui.services.verify.extraction_again import TextAgain
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.consistency import versions_with
from ingest_tui.store.catalogue.rows import VersionRow
from ingest_tui.store.documents import SCHEMA_VERSION
from ingest_tui.store.fs.atomic import write_durably
from ingest_tui.store.fs.encoding import encode_json
from ingest_tui.store.fs.file_hash import hash_of
from ingest_tui.store.layout import INGESTION, NORMALIZED, RAW_STEM
from ingest_tui.store.quarantine import QuarantineFolder
from ingest_tui.store.verify.document_check import missing_members, text_hash_of
from ingest_tui.store.verify.remedies import raw_copy
from ingest_tui.store.workspace import Workspace


class VersionFiles(NamedTuple):
    """What is in the folder of a version: its raw files, the hashes of the first and of the text, and its record."""

    raw: list[Path]
    raw_sha256: str
    content_hash: str
    record: dict[str, Any] | None

    @property
    def is_whole(self) -> bool:
        """Whether the files are those that the record names."""
        record = self.record
        return (
            record is not None
            and len(self.raw) == 1
            and (self.raw_sha256, self.content_hash) == (record["raw_sha256"], record["content_hash"])
        )


def files_of(workspace: Workspace, folder: Path, document_id: str, number: int) -> VersionFiles:
    """Return what is in a version folder; a record of another version, or that lacks something, is none."""
    raw = sorted(path for path in folder.iterdir() if path.name.startswith(f"{RAW_STEM}."))
    text = folder / NORMALIZED
    record = None
    try:
        read = workspace.document_store.ingestion(folder)
        if not missing_members(read) and (read["document_id"], read["version"]) == (document_id, number):
            record = read
    except (IngestError, OSError, TypeError, AttributeError):
        pass
    return VersionFiles(raw, _hash_or_none(raw[0]) if raw else "", _text_hash_or_none(text), record)


def _hash_or_none(path: Path) -> str:
    try:
        return hash_of(path) if path.is_file() and not path.is_symlink() else ""
    except OSError:
        return ""


def _text_hash_or_none(path: Path) -> str:
    try:
        return text_hash_of(path) if path.is_file() and not path.is_symlink() else ""
    except OSError:
        return ""


class VersionRepair:
    """Repairs version folders. For the holder of the commit lock."""

    def __init__(self, workspace: Workspace, quarantine: QuarantineFolder) -> None:
        self._workspace = workspace
        self._quarantine = quarantine

    def repair(
        self,
        catalogue: Catalogue,
        folder: Path,
        row: VersionRow,
        document: Document,
        place: KnownPlace | None,
        again: TextAgain | None,
    ) -> Iterator[str]:
        """Yield what was done to have a version whole; whether it is, the caller looks at again."""
        document_id, number = document.document_id, row.version
        yield from self._one_raw(folder, row)
        files = files_of(self._workspace, folder, document_id, number)
        if files.is_whole:
            return
        row = _believed(files, row)
        if files.raw_sha256 != row.raw_sha256:
            yield from self._raw_from_copy(catalogue, folder, row, files)
            files = files_of(self._workspace, folder, document_id, number)
        if files.content_hash != row.content_hash:
            text = self._text(catalogue, row, files, again)
            if text is None:
                return
            yield from self._write_text(folder, text)
            row = row._replace(content_hash=compute_content_hash(text))
            files = files_of(self._workspace, folder, document_id, number)
        recorded = files.record and (files.record["raw_sha256"], files.record["content_hash"])
        if recorded != (row.raw_sha256, row.content_hash):
            yield from self._write_record(folder, row, document, place, files.record, again)

    def _one_raw(self, folder: Path, row: VersionRow) -> Iterator[str]:
        """Keep one raw file: the one that was fetched, if it is among them."""
        found = sorted(path for path in folder.iterdir() if path.name.startswith(f"{RAW_STEM}."))
        odd = [path for path in found if path.is_symlink() or not path.is_file()]
        regular = [path for path in found if path not in odd]
        chosen = next((path for path in regular if hash_of(path) == row.raw_sha256), regular[0] if regular else None)
        for path in (*odd, *(one for one in regular if one != chosen)):
            yield self._moved(path, "a version has one raw file, and this is not the one that was fetched")

    def _raw_from_copy(self, catalogue: Catalogue, folder: Path, row: VersionRow, files: VersionFiles) -> Iterator[str]:
        copy = raw_copy(self._workspace.document_store, catalogue, row, row.raw_sha256)
        if copy is None:
            return
        for path in files.raw:
            yield self._moved(path, "the raw file was not what was fetched")
        write_durably(folder / copy.name, copy.read_bytes())
        yield f"the raw file is copied from {self._below(copy.parent)}, which has the same bytes"

    def _copy_of_text(self, catalogue: Catalogue, row: VersionRow) -> Path | None:
        """Return the text of another version that is the one wanted, if there is one that is whole."""
        store = self._workspace.document_store
        for collection_id, document_id, version, state in versions_with(catalogue, "content_hash", row.content_hash):
            if (document_id, version) == (row.document_id, row.version):
                continue
            folder = store.folder(collection_id, document_id, version, retired=state == "retired")
            if not folder.is_dir():
                continue
            files = files_of(self._workspace, folder, document_id, version)
            if files.content_hash == row.content_hash:
                return folder / NORMALIZED
        return None

    def _text(self, catalogue: Catalogue, row: VersionRow, files: VersionFiles, again: TextAgain | None) -> str | None:
        """Return the text of a version: the one that was read then, or what is read of its raw bytes now."""
        if files.raw_sha256 != row.raw_sha256:
            again = None
        for text in (_as_text(files), again.text if again else None):
            if text is not None and compute_content_hash(text) == row.content_hash:
                return text
        copy = self._copy_of_text(catalogue, row)
        if copy is not None:
            return self._workspace.document_store.normalized(copy.parent)
        return again.text if again is not None else None

    def _write_text(self, folder: Path, text: str) -> Iterator[str]:
        path = folder / NORMALIZED
        if path.is_symlink() or path.exists():
            yield self._moved(path, "the text was not what was read")
        write_durably(path, text.encode("utf-8", "replace"))
        yield f"{NORMALIZED} is made again"

    def _write_record(
        self,
        folder: Path,
        row: VersionRow,
        document: Document,
        place: KnownPlace | None,
        before: dict[str, Any] | None,
        again: TextAgain | None,
    ) -> Iterator[str]:
        path = folder / INGESTION
        if path.is_symlink() or path.exists():
            yield self._moved(path, "the record was not that of the version")
        known = before if before is not None else record_from_rows(row, document, place)
        found = _found_again(again) if again is not None else {}
        hashes = {"raw_sha256": row.raw_sha256, "content_hash": row.content_hash}
        record = {**found, **known, **hashes} if before is not None else {**known, **found, **hashes}
        write_durably(path, encode_json({"schema_version": SCHEMA_VERSION, **record}, indent=True))
        yield f"{INGESTION} is made again"

    def _moved(self, path: Path, why: str) -> str:
        name = self._below(path)
        return f"{name} is moved to {self._quarantine.take(path, why)}"

    def _below(self, path: Path) -> str:
        return str(path.relative_to(self._workspace.root))


def _believed(files: VersionFiles, row: VersionRow) -> VersionRow:
    """Return the hashes that count: those of the record where its bytes are here and those of the row are not."""
    record = files.record
    if record is None or files.raw_sha256 == row.raw_sha256:
        return row
    if files.raw_sha256 == record["raw_sha256"] or files.content_hash == record["content_hash"] != row.content_hash:
        return row._replace(raw_sha256=record["raw_sha256"], content_hash=record["content_hash"])
    return row


def _as_text(files: VersionFiles) -> str | None:
    """Return raw bytes as the text that they are: of what a script registered both are the same."""
    try:
        return files.raw[0].read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, IndexError):
        return None


def record_from_rows(row: VersionRow, document: Document, place: KnownPlace | None) -> dict[str, Any]:
    """Return the ingestion record of a version whose own is lost, from what the catalogue has."""
    backend, _, backend_version = row.backend.partition(" ")
    member = {"container": place.container} if place is not None and place.container else {}
    modified_ns = place.modified_ns if place is not None else None
    return {
        "document_id": document.document_id,
        "collection_id": document.collection_id,
        "source_id": document.source_id,
        "source_type": document.source_type,
        "uri": row.uri,
        "key": document.key,
        "version": row.version,
        "version_label": usual_label(document.file_name, row.version),
        "job_id": row.job_id,
        "origin": {
            "fingerprint": place.fingerprint if place is not None and place.version == row.version else "",
            "size": place.size if place is not None else row.bytes,
            "modified": rfc3339_from_ns(modified_ns),
            "modified_ns": modified_ns,
            "etag": None,
            "metadata": {},
        },
        "file_name": document.file_name,
        "file_size": row.bytes,
        "mime_type": row.media_type,
        "raw_sha256": row.raw_sha256,
        "content_hash": row.content_hash,
        "title": document.title,
        "language": None,
        "backend": backend,
        "backend_version": backend_version,
        "pages": None,
        "page_starts": [],
        "columns": [],
        "links": [],
        "chunks": document.chunks,
        "chunking": ChunkRules().as_dict(),
        "warnings": ["the record of this version was lost, and made again by a repair"],
        "validation": [],
        "created_at": document.created_at,
        "ingested_at": row.ingested_at,
        **member,
    }


def _found_again(again: TextAgain) -> dict[str, Any]:
    result = again.result
    return {
        "language": result.language,
        "pages": result.pages,
        "page_starts": result.page_starts,
        "columns": result.columns,
        "links": [link.as_dict() for link in result.links],
        "validation": [finding.as_dict() for finding in result.validation],
    }
