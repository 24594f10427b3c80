"""Version folders: built in a job's staging folder, moved into place by one rename, retired to the trash by another."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ingest_tui.model.naming import check_identifier
from ingest_tui.store.atomic import (
    TEMPORARY_PREFIX,
    make_folder,
    make_one_folder,
    remove_tree,
    sweep_temporaries,
    sync_filesystem,
    sync_folder,
    umask_is_odd,
    write_durably,
    write_new,
)
from ingest_tui.store.catalogue import DocumentRow, LocationRow
from ingest_tui.store.encoding import encode_json
from ingest_tui.store.layout import DOCUMENT, INGESTION, NORMALIZED, RAW_STEM, RETIRED, Layout, version_name
from ingest_tui.store.records import read_json

SCHEMA_VERSION = 1


class DocumentStore:
    """The folders of all documents. Callers hold the commit lock while they move folders."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._made: set[str] = set()
        self._mend_modes = umask_is_odd()

    def write_ingestion(self, folder: Path | str, record: dict[str, Any]) -> None:
        """Complete a version folder under construction with its ingestion record. Not durable by itself."""
        data = encode_json({"schema_version": SCHEMA_VERSION, **record}, indent=True)
        path = f"{folder}/{INGESTION}"
        try:
            write_new(path, data)
        except FileExistsError:  # an earlier attempt came this far
            os.unlink(path)  # noqa: PTH108
            write_new(path, data)

    def place(self, folder: Path | str, collection_id: str, document_id: str, version: int) -> None:
        """Move a complete version folder to where it belongs.

        A folder already there is what a crash left before the catalogue knew of it: it makes way.
        """
        # Strings instead of paths: this is called for every document.
        shard = f"{self._layout.documents}/{check_identifier(collection_id)}/{document_id[:2]}"
        if shard not in self._made:
            make_folder(Path(shard))
            self._made.add(shard)
        document_folder = f"{shard}/{check_identifier(document_id)}"
        with contextlib.suppress(FileExistsError):
            make_one_folder(document_folder, mend_mode=self._mend_modes)
        target = f"{document_folder}/{version_name(version)}"
        try:
            os.rename(folder, target)  # noqa: PTH104
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                raise
            remove_tree(Path(target))
            os.rename(folder, target)  # noqa: PTH104

    def sync(self) -> None:
        """Make every folder and file written so far durable."""
        sync_filesystem(self._layout.root)

    def drop_version(self, collection_id: str, document_id: str, version: int) -> None:
        """Remove a version folder that was never committed, and its document folder when nothing else is in it."""
        target = self._layout.version(collection_id, document_id, version)
        remove_tree(target)
        try:
            target.parent.rmdir()
        except OSError:
            return

    def take_back(self, collection_id: str, document_id: str, version: int, staging: str) -> None:
        """Move a version folder that was never committed back to staging, for an item with no other copy."""
        target = self._layout.version(collection_id, document_id, version)
        if target.exists() and not Path(staging).exists():
            os.rename(target, staging)  # noqa: PTH104
            for name in (INGESTION, NORMALIZED):
                Path(staging, name).unlink(missing_ok=True)

    def note_locations(self, notes: Iterable[tuple[DocumentRow, Iterable[LocationRow]]]) -> None:
        """Write ``document.json`` of documents that moved, have duplicates or were touched: their place and all places.

        For many at once: all are durable under temporary names before the first is renamed, and again afterwards.
        """
        renames: list[tuple[Path, Path]] = []
        for document, locations in notes:
            folder = self._layout.document(document.collection_id, document.document_id)
            record = {
                "schema_version": SCHEMA_VERSION,
                "document_id": document.document_id,
                "collection_id": document.collection_id,
                "updated_at": document.updated_at,
                "primary": {"source_id": document.source_id, "key": document.key},
                "locations": [location._asdict() for location in locations],
            }
            temporary = folder / f"{TEMPORARY_PREFIX}{DOCUMENT}"
            temporary.unlink(missing_ok=True)  # a crash may have left it; nobody else writes under the commit lock
            write_new(temporary, encode_json(record, indent=True))
            renames.append((temporary, folder / DOCUMENT))
        if renames:
            self.sync()
            for temporary, target in renames:
                temporary.rename(target)
            self.sync()

    def retire(self, collection_id: str, document_id: str, *, reason: str, at: str, by: str) -> None:
        """Move a document to the trash with a note of why; nothing happens when it is there already."""
        folder = self._layout.document(collection_id, document_id)
        target = self._layout.trashed(collection_id, document_id)
        if not folder.exists():
            return
        list(sweep_temporaries(folder))
        note = {"schema_version": SCHEMA_VERSION, "retired_at": at, "reason": reason, "by": by}
        write_durably(folder / RETIRED, encode_json(note, indent=True))
        make_folder(target.parent)
        remove_tree(target)
        os.rename(folder, target)  # noqa: PTH104
        sync_folder(target.parent)
        sync_folder(folder.parent)

    def bring_back(self, collection_id: str, document_id: str) -> bool:
        """Move a document out of the trash; returns whether it was there."""
        folder = self._layout.document(collection_id, document_id)
        source = self._layout.trashed(collection_id, document_id)
        was_there = source.exists()
        if was_there:
            make_folder(folder.parent)
            os.rename(source, folder)  # noqa: PTH104
            sync_folder(folder.parent)
            sync_folder(source.parent)
        (folder / RETIRED).unlink(missing_ok=True)  # a crash may have left it in a folder that is back
        return was_there

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

    def highest_version(self, folder: Path) -> int:
        """Return the number of the newest version folder, whatever is in it; 0 where there is none."""
        return max((number for number, _path in self.version_folders(folder)), default=0)


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
