"""``quarantine/``: what a repair could not judge, moved there whole, each with a note of where it was and why."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest_tui.model.clock import rfc3339
from ingest_tui.model.errors import IngestError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.store.fs.atomic import (
    make_inner_folder,
    make_one_folder,
    remove_tree,
    sync_filesystem,
    sync_folder,
    write_new,
)
from ingest_tui.store.fs.encoding import encode_json
from ingest_tui.store.fs.file_hash import hash_of
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.json_files import read_json

NOTE = "note.json"
SCHEMA_VERSION = 1


class QuarantineFolder:
    """Moves things out of the way. Nothing is read of them again, and nothing deleted but what a person erases."""

    def __init__(self, layout: Layout, now: datetime) -> None:
        self._layout = layout
        self._at = rfc3339(now)
        self._prefix = f"{now:%Y%m%d-%H%M%S}"

    def take(self, path: Path, why: str) -> str:
        """Move a file, a link or a folder of the workspace, durably; returns where it is, below the workspace."""
        entry = self._entry(path, why)
        path.rename(entry / _name(path))
        sync_folder(entry)
        sync_folder(path.parent)
        return str(entry.relative_to(self._layout.root))

    def copy(self, path: Path, why: str) -> str:
        """Keep a copy of a file that is about to be written again; returns where it is, below the workspace."""
        entry = self._entry(path, why)
        target = entry / _name(path)
        shutil.copyfile(path, target)
        target.chmod(0o600)
        sync_filesystem(entry)
        return str(entry.relative_to(self._layout.root))

    def erase(self, document_ids: Collection[str], hashes: Collection[str]) -> list[str]:
        """Delete what was of these documents: the entries that come from their folders, and files with these hashes.

        Hashes are those of raw files and texts. Returns the entries left that are catalogues, below the workspace: such
        a copy has the texts of all documents, and may be the only one that has them.
        """
        catalogues = []
        for entry in sorted(_folders_in(self._layout.quarantine)):
            origin = _origin(entry)
            if not origin.isdisjoint(document_ids):
                remove_tree(entry)
            elif any(name.startswith(self._layout.catalogue.name) for name in origin):
                catalogues.append(str(entry.relative_to(self._layout.root)))
            else:
                for path in [one for one in entry.rglob("*") if one.is_file() and not one.is_symlink()]:
                    if hash_of(path) in hashes:
                        path.unlink(missing_ok=True)
                        sync_folder(path.parent)
        if self._layout.quarantine.is_dir():
            sync_folder(self._layout.quarantine)
        return catalogues

    def _entry(self, path: Path, why: str) -> Path:
        make_inner_folder(self._layout.quarantine)
        entry = self._free_folder()
        note = {
            "schema_version": SCHEMA_VERSION,
            "at": self._at,
            "from": safe_display(str(path.relative_to(self._layout.root))),
            "why": why,
        }
        write_new(entry / NOTE, encode_json(note, indent=True), sync=True)
        sync_folder(self._layout.quarantine)
        return entry

    def _free_folder(self) -> Path:
        number = 1
        while True:
            entry = self._layout.quarantine / f"{self._prefix}-{number:04d}"
            try:
                make_one_folder(str(entry), fix_mode=True)
            except FileExistsError:
                number += 1
            else:
                return entry


def paths_in_quarantine(layout: Layout) -> frozenset[str]:
    """Return where the things were that are in the quarantine, below the workspace."""
    return frozenset(str(_note(entry).get("from")) for entry in _folders_in(layout.quarantine))


def _folders_in(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()] if folder.is_dir() else []


def _origin(entry: Path) -> frozenset[str]:
    """Return the names in the path that something had before; none where its note cannot be read."""
    return frozenset(Path(str(_note(entry).get("from", ""))).parts)


def _note(entry: Path) -> dict[str, Any]:
    try:
        return read_json(entry / NOTE, newest=SCHEMA_VERSION, what="the note of what was moved away")
    except (IngestError, OSError):
        return {}


def _name(path: Path) -> str:
    """Return the name that something has in its entry; the note has that of its own."""
    return f"{path.name}.was" if path.name == NOTE else path.name
