"""Version folders: built in a job's staging folder, moved into place by one rename, retired to the trash by another."""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ingest_tui.model.document import Document, shown_version
from ingest_tui.model.errors import IngestError, NotFoundError, SchemaVersionError, StoreError
from ingest_tui.model.identifiers import check_identifier
from ingest_tui.model.place import KnownPlace
from ingest_tui.store.fs.atomic import (
    TEMPORARY_PREFIX,
    make_inner_folder,
    make_one_folder,
    refuse_linked_folder,
    remove_tree,
    sweep_temporaries,
    sync_filesystem,
    umask_is_odd,
    write_new,
)
from ingest_tui.store.fs.encoding import encode_json
from ingest_tui.store.layout import DOCUMENT, INGESTION, NORMALIZED, RAW_STEM, RETIRED, Layout, version_name
from ingest_tui.store.records.json_files import read_json

SCHEMA_VERSION = 1
SET_ASIDE = ".incomplete."
"""In the name of a version folder that was not whole when another version was placed there."""


class DocumentStore:
    """The folders of all documents. Callers hold the commit lock while they move folders."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._base = str(layout.documents)
        self._fix_modes = umask_is_odd()

    def write_ingestion(self, folder: Path | str, record: dict[str, Any]) -> None:
        """Complete a version folder under construction with its ingestion record. Not durable by itself."""
        data = encode_json({"schema_version": SCHEMA_VERSION, **record}, indent=True)
        path = f"{folder}/{INGESTION}"
        try:
            write_new(path, data)
        except FileExistsError:  # an earlier attempt came this far
            os.unlink(path)  # noqa: PTH108
            write_new(path, data)

    def free_place(self, collection_id: str, document_id: str, version: int) -> None:
        """See to it that nothing is where a version is about to be placed.

        A folder without a readable record of its own was never whole, or is damaged, so that no rebuild can take it: it
        is kept under another name. A whole version that the catalogue does not know raises `StoreError`: it is neither
        replaced nor doubled.
        """
        # Strings instead of paths, here and below: this is called for every document.
        target = self._version_folder(collection_id, document_id, version)
        if not os.path.lexists(target):
            return
        if self._is_whole(Path(target), document_id, version):
            raise StoreError(
                f"the catalogue does not know documents that are on disk ({document_id} {shown_version(version)})",
                hint="run 'ingest-tui rebuild', then sync again",
                code="unknown_documents",
            )
        os.rename(target, f"{target}{SET_ASIDE}{uuid.uuid4().hex[:8]}")  # noqa: PTH104

    def _is_whole(self, folder: Path, document_id: str, version: int) -> bool:
        try:
            record = self.ingestion(folder)
        except SchemaVersionError:  # of a newer program, which knows what it is
            return True
        except (NotFoundError, StoreError, OSError):
            return False
        return (record.get("document_id"), record.get("version")) == (document_id, version)

    def place(
        self, folder: Path | str, collection_id: str, document_id: str, version: int, *, seen: set[str] | None = None
    ) -> None:
        """Move a complete version folder to where it belongs, which `free_place` has seen to be free.

        ``seen`` are folders of many documents that this change has found to be no links.
        """
        target = self._version_folder(collection_id, document_id, version)
        document_folder = target.rpartition("/")[0]
        folder_of_many = document_folder.rpartition("/")[0]
        if seen is None or folder_of_many not in seen:
            refuse_linked_folder(folder_of_many)
            if seen is not None:
                seen.add(folder_of_many)
        try:
            make_one_folder(document_folder, fix_mode=self._fix_modes)
        except FileExistsError:
            refuse_linked_folder(document_folder)
        except FileNotFoundError:
            make_inner_folder(Path(document_folder))
        os.rename(folder, target)  # noqa: PTH104

    def _version_folder(self, collection_id: str, document_id: str, version: int) -> str:
        return f"{self._base}/{_document_path(collection_id, document_id)}/{version_name(version)}"

    def sync(self) -> None:
        """Make every folder and file written so far durable."""
        sync_filesystem(self._layout.root)

    def take_back(self, collection_id: str, document_id: str, version: int, folder: Path) -> bool:
        """Move a version that was placed but never committed back to where it was built; returns whether it is there.

        False, and nothing is moved, where that is taken or gone with its job. The folder of a document that has no
        other version goes.
        """
        placed = self._placed(collection_id, document_id, version)
        if placed is not None:
            if folder.exists() or not folder.parent.is_dir():
                return False
            placed.rename(folder)
        self._drop_without_versions(self._layout.document(collection_id, document_id))
        return folder.exists()

    def is_placed(self, collection_id: str, document_id: str, version: int) -> bool:
        """Whether a version is in documents/ or in the trash, whatever is in its folder."""
        return self._placed(collection_id, document_id, version) is not None

    def _placed(self, collection_id: str, document_id: str, version: int) -> Path | None:
        folders = (self.folder(collection_id, document_id, version, retired=retired) for retired in (False, True))
        return next((folder for folder in folders if folder.exists()), None)

    def _drop_without_versions(self, folder: Path) -> None:
        """Remove the folder of a document that holds nothing but notes; any folder in it keeps it."""
        if not folder.exists() or any(path.is_dir() for path in folder.iterdir()):
            return
        for path in (*folder.glob(f"{TEMPORARY_PREFIX}*"), folder / DOCUMENT, folder / RETIRED):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # something of somebody else is in it
            folder.rmdir()

    def note_locations(self, notes: Iterable[tuple[Document, Iterable[KnownPlace]]]) -> None:
        """Write ``document.json`` of documents that moved, have duplicates or were touched: their place and all places.

        For many at once: all are durable under temporary names before the first is renamed. The renames are not.
        """
        renames: list[tuple[Path, Path]] = []
        for document, locations in notes:
            folder = self._layout.document(document.collection_id, document.document_id)
            temporary = folder / f"{TEMPORARY_PREFIX}{DOCUMENT}"
            temporary.unlink(missing_ok=True)  # a crash may have left it; nobody else writes under the commit lock
            write_new(temporary, places_note(document, locations))
            renames.append((temporary, folder / DOCUMENT))
        if renames:
            self.sync()
            for temporary, target in renames:
                temporary.rename(target)

    @staticmethod
    def noted_version(note: Mapping[str, Any]) -> int:
        """Return the version that was current when a ``document.json`` was written; a newer one has its own place.

        A place names the version that was last seen there, which need not be the current one.
        """
        version = note.get("version")
        if isinstance(version, int):
            return version
        return max((place.get("version") or 0 for place in note.get("locations", ())), default=0)

    def has_folder(self, document_id: str) -> bool:
        """Whether some collection has a folder of that document, here or in the trash, with a version in it."""
        try:
            check_identifier(document_id)
        except IngestError:
            return False
        folders = [
            *(collection / document_id[:2] / document_id for collection in _subfolders(self._layout.documents)),
            *(collection / document_id for collection in _subfolders(self._layout.trash)),
        ]
        return any(self.versions(folder) for folder in folders)

    def has_note(self, document: Document) -> bool:
        """Whether a document has a ``document.json``, renamed into place or not yet."""
        folder = self._layout.document(document.collection_id, document.document_id)
        return any((folder / name).exists() for name in (DOCUMENT, f"{TEMPORARY_PREFIX}{DOCUMENT}"))

    def note_retirement(
        self, collection_id: str, document_id: str, note: dict[str, Any], *, replace: bool = True
    ) -> None:
        """Write into a document's folder why it is about to be moved to the trash. Not durable by itself.

        Without ``replace`` a note that is there stays. Nothing happens when the document is in the trash already.
        """
        folder = self._layout.document(collection_id, document_id)
        if not folder.exists():
            return
        list(sweep_temporaries(folder))
        make_inner_folder(self._layout.trashed(collection_id, document_id).parent)
        if replace:
            (folder / RETIRED).unlink(missing_ok=True)
        with contextlib.suppress(FileExistsError):
            write_new(folder / RETIRED, encode_json({"schema_version": SCHEMA_VERSION, **note}, indent=True))

    def note_trashed(self, collection_id: str, document_id: str, note: dict[str, Any]) -> None:
        """Write why a document was retired that is in the trash and lost its note. Not durable by itself."""
        folder = self._layout.trashed(collection_id, document_id)
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            write_new(folder / RETIRED, encode_json({"schema_version": SCHEMA_VERSION, **note}, indent=True))

    def move_to_trash(self, collection_id: str, document_id: str) -> None:
        """Move a document with all its versions to the trash; nothing happens when it is there already.

        Not durable by itself. What the trash has of another document of that id stays next to it.
        """
        folder = self._layout.document(collection_id, document_id)
        target = self._layout.trashed(collection_id, document_id)
        if not folder.exists():
            return
        if target.exists():
            self._join(target, folder)
        folder.rename(target)

    def _join(self, older: Path, folder: Path) -> None:
        """Move the versions of an older folder of the same id into ``folder``, under names that are free there."""
        for path in _subfolders(older):
            free = folder / path.name
            path.rename(free.with_name(f"{path.name}.older.{uuid.uuid4().hex[:8]}") if free.exists() else free)
        remove_tree(older)

    def bring_back(self, collection_id: str, document_id: str) -> bool:
        """Move a document out of the trash; returns whether it was there. Not durable by itself.

        The note of its retirement stays until `clear_retirement`, when the catalogue knows that it is back.
        """
        folder = self._layout.document(collection_id, document_id)
        source = self._layout.trashed(collection_id, document_id)
        if not source.exists() or folder.exists():
            return False
        make_inner_folder(folder.parent)
        source.rename(folder)
        return True

    def clear_retirement(self, collection_id: str, document_id: str) -> None:
        """Remove the note of a retirement from a document that is not, or no longer, in the trash."""
        (self._layout.document(collection_id, document_id) / RETIRED).unlink(missing_ok=True)

    def purge(self, collection_id: str, document_id: str) -> None:
        """Delete a document that is in the trash, for good. Only this and `prune` delete a whole version.

        It is renamed first, so that what a kill leaves of it is no damaged document.
        """
        folder = self._layout.trashed(collection_id, document_id)
        doomed = folder.with_name(f"{TEMPORARY_PREFIX}purged.{document_id}")
        remove_tree(doomed)
        with contextlib.suppress(FileNotFoundError):
            folder.rename(doomed)
        remove_tree(doomed)

    def prune(self, collection_id: str, document_id: str, version: int) -> None:
        """Delete an earlier version of a document that is here, for good; renamed first, as by `purge`."""
        folder = self._layout.version(collection_id, document_id, version)
        doomed = folder.with_name(f"{TEMPORARY_PREFIX}pruned.{folder.name}")
        remove_tree(doomed)
        with contextlib.suppress(FileNotFoundError):
            folder.rename(doomed)
        remove_tree(doomed)

    def folder(self, collection_id: str, document_id: str, version: int, *, retired: bool = False) -> Path:
        """Return the folder of a version."""
        if retired:
            return self._layout.trashed(collection_id, document_id) / version_name(version)
        return self._layout.version(collection_id, document_id, version)

    def normalized(self, folder: Path) -> str:
        """Return the normalised text of a version."""
        return self.normalized_path(folder).read_text(encoding="utf-8", errors="replace")

    def normalized_path(self, folder: Path) -> Path:
        """Return where the normalised text of a version is."""
        return folder / NORMALIZED

    def ingestion(self, folder: Path) -> dict[str, Any]:
        """Return the ingestion record of a version; raises `NotFoundError`."""
        return read_json(folder / INGESTION, newest=SCHEMA_VERSION, what="the ingestion record")

    def raw(self, folder: Path) -> Path | None:
        """Return the path of the raw file of a version, or None."""
        return next((path for path in folder.iterdir() if path.name.startswith(f"{RAW_STEM}.")), None)

    def holds(self, folder: Path, raw_sha256: str, content_hash: str) -> bool:
        """Whether the files of a version are those that were committed; reads both."""
        from ingest_tui.store.version_chunks import TextFile  # with it all that cuts texts, for one seldom question

        try:
            raw = self.raw(folder)
            if raw is None or TextFile(self.normalized_path(folder)).content_hash() != content_hash:
                return False
            with raw.open("rb") as opened:
                return hashlib.file_digest(opened, "sha256").hexdigest() == raw_sha256
        except OSError:
            return False

    def walk(self, *, retired: bool = False) -> Iterator[tuple[str, str, Path]]:
        """Yield ``(collection_id, document_id, folder)`` of every document on disk, in a fixed order."""
        base = self._layout.trash if retired else self._layout.documents
        for collection in _subfolders(base):
            shards = [collection] if retired else _subfolders(collection)
            for shard in shards:
                for folder in _subfolders(shard):
                    yield collection.name, folder.name, folder

    def versions(self, folder: Path) -> list[tuple[int, Path]]:
        """Return the complete versions in a document folder, oldest first."""
        return [(number, path) for number, path in self.version_folders(folder) if (path / INGESTION).exists()]

    def version_folders(self, folder: Path) -> list[tuple[int, Path]]:
        """Return all version folders in a document folder, oldest first, whatever is in them."""
        names = (path for path in _subfolders(folder) if path.name.startswith("v") and path.name[1:].isdigit())
        return sorted((int(path.name[1:]), path) for path in names)

    def set_aside(self, folder: Path) -> list[Path]:
        """Return the folders in a document folder that were not whole when a version was placed there."""
        return [path for path in _subfolders(folder) if SET_ASIDE in path.name]

    def highest_version(self, folder: Path) -> int:
        """Return the number of the newest version folder, whatever is in it; 0 where there is none."""
        return max((number for number, _path in self.version_folders(folder)), default=0)


def places_note(document: Document, locations: Iterable[KnownPlace]) -> bytes:
    """Return what ``document.json`` says of a document that is in these places."""
    record = {
        "schema_version": SCHEMA_VERSION,
        "document_id": document.document_id,
        "collection_id": document.collection_id,
        "updated_at": document.updated_at,
        "version": document.version,
        "primary": {"source_id": document.source_id, "key": document.key},
        "locations": [location._asdict() for location in locations],
    }
    return encode_json(record, indent=True)


def title_of_record(record: Mapping[str, Any], file_name: str) -> str:
    """Return the title that a record gives its document: one without a title of its own has its file name of today."""
    return str(record["title"]) if record["title"] != record["file_name"] else file_name


@lru_cache(2048)
def _document_path(collection_id: str, document_id: str) -> str:
    """Return the path of a document below documents/. Asked for twice for each document of a batch."""
    collection, document = check_identifier(collection_id), check_identifier(document_id)
    return f"{collection}/{document[:2]}/{document}"


def _subfolders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [
                entry.name
                for entry in entries
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(TEMPORARY_PREFIX)
            ]
    except FileNotFoundError:
        return []
    return [folder / name for name in sorted(names)]
