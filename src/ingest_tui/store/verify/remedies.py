"""What a repair can do about a document that lacks something: decided from what the catalogue and the folders have."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ingest_tui.model.errors import IngestError
from ingest_tui.model.inconsistency import Remedy
from ingest_tui.model.source import RESERVED_SOURCES
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.consistency import KnownDocument, versions_with
from ingest_tui.store.catalogue.rows import VersionRow
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.fs.file_hash import hash_of
from ingest_tui.store.layout import RAW_STEM, Layout


def source_of(known: KnownDocument) -> str:
    """Return a source that lists a document; empty where none does."""
    return next((row.source_id for row in known.places if row.source_id not in RESERVED_SOURCES), "")


def remedy_of_lost(known: KnownDocument, number: int, *, is_on_disk: bool) -> Remedy:
    """Return what becomes of a version that nothing here has whole."""
    if number != known.document.version:
        return Remedy.QUARANTINE if is_on_disk else Remedy.REMOVE
    return Remedy.SOURCE if source_of(known) else Remedy.PERSON


def remedy_of_damaged(
    store: DocumentStore, catalogue: Catalogue, known: KnownDocument, row: VersionRow, folder: Path, recorded: str
) -> Remedy:
    """Return what becomes of a version whose files are not as they must be.

    ``recorded`` is the hash of its raw bytes by its record. With them, here or in another version, all is made again.
    """
    wanted = {row.raw_sha256, recorded}
    is_whole = any(_hash_or_none(path) in wanted for path in _raw_files(folder))
    if is_whole or any(raw_copy(store, catalogue, row, digest) for digest in wanted if digest):
        return Remedy.DERIVE
    return remedy_of_lost(known, row.version, is_on_disk=True)


def remedy_of_missing_folder(known: KnownDocument, other: Path, trash: Path) -> Remedy:
    """Return what becomes of a document without a folder; ``other`` is where it would be in its other state."""
    if other.is_dir():
        return Remedy.DERIVE
    if known.document.state != "retired":
        return remedy_of_lost(known, known.document.version, is_on_disk=False)
    # An empty trash may be a disk that is not mounted.
    return Remedy.REMOVE if any(path.is_dir() for path in trash.glob("*/*")) else Remedy.PERSON


def remedy_of_unknown_folder(layout: Layout, catalogue: Catalogue, folder: Path) -> Remedy:
    """Return what becomes of the folder of a document that the catalogue does not know there."""
    owner = owner_of(DocumentStore(layout), folder)
    document = catalogue.documents([owner]).get(owner)
    if document is None:
        return Remedy.DERIVE if owner == folder.name else Remedy.QUARANTINE
    active = layout.document(document.collection_id, owner)
    retired = layout.trashed(document.collection_id, owner)
    right = retired if document.state == "retired" else active
    wanted = {right} - {folder} if folder in {active, retired} else {active, retired}
    is_elsewhere = any(path.is_dir() and not path.is_symlink() for path in wanted)
    return Remedy.QUARANTINE if is_elsewhere else Remedy.DERIVE


def owner_of(store: DocumentStore, folder: Path) -> str:
    """Return the document that the newest readable record in a folder is of; empty where there is none."""
    for _number, path in reversed(store.version_folders(folder)):
        try:
            return str(store.ingestion(path)["document_id"])
        except (IngestError, OSError, KeyError, TypeError):
            continue
    return ""


def raw_copy(store: DocumentStore, catalogue: Catalogue, row: VersionRow, raw_sha256: str) -> Path | None:
    """Return the raw file of another version that has the wanted bytes, if there is one."""
    for collection_id, document_id, version, state in versions_with(catalogue, "raw_sha256", raw_sha256):
        if (document_id, version) != (row.document_id, row.version):
            folder = store.folder(collection_id, document_id, version, retired=state == "retired")
            copy = next((path for path in _raw_files(folder) if _hash_or_none(path) == raw_sha256), None)
            if copy is not None:
                return copy
    return None


def _raw_files(folder: Path) -> Iterable[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.name.startswith(f"{RAW_STEM}."))
    except OSError:
        return ()


def _hash_or_none(path: Path) -> str:
    try:
        return hash_of(path) if path.is_file() and not path.is_symlink() else ""
    except OSError:
        return ""
