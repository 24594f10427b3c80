"""Where fetched bytes wait: one folder for each item, named by id, which becomes its version folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ingest_tui.model.hashing import new_hasher
from ingest_tui.store.atomic import FILE_MODE, make_one_folder, remove_tree, umask_is_odd, write_all
from ingest_tui.store.layout import INGESTION, NORMALIZED, RAW_STEM

_SMALL = 1 << 16


class StagingArea:
    """The staging folder of one job."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._mend_modes = umask_is_odd()

    def folder(self, item_id: str) -> str:
        """Return the folder of an item. A string: this is called for every item, several times."""
        return f"{self._folder}/{item_id}"

    def normalized(self, item_id: str) -> str:
        """Return where the parser is to write the text of an item."""
        return f"{self._folder}/{item_id}/{NORMALIZED}"

    def receive(self, item_id: str, extension: str, pieces: Iterable[bytes]) -> tuple[str, int, str]:
        """Write the pieces of an item as its raw file; returns its path, its size and its SHA-256.

        What an earlier attempt left of the item is removed first. Not durable: the commit sees to that.
        """
        folder = f"{self._folder}/{item_id}"
        try:
            make_one_folder(folder, mend_mode=self._mend_modes)
        except FileExistsError:
            remove_tree(Path(folder))
            make_one_folder(folder, mend_mode=self._mend_modes)
        path = f"{folder}/{RAW_STEM}.{extension}"
        hasher = new_hasher()
        size = 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, FILE_MODE)
        if self._mend_modes:
            os.fchmod(descriptor, FILE_MODE)
        try:
            for piece in pieces:
                hasher.update(piece)
                write_all(descriptor, piece)
                size += len(piece)
        finally:
            os.close(descriptor)
        return path, size, hasher.hexdigest()

    def keep_raw_only(self, item_id: str) -> None:
        """Remove what an earlier attempt made of an item's raw file."""
        for name in (NORMALIZED, INGESTION):
            Path(self.folder(item_id), name).unlink(missing_ok=True)

    def drop(self, item_id: str) -> None:
        """Remove what is staged of an item."""
        remove_tree(Path(self.folder(item_id)))

    def clear(self) -> None:
        """Remove everything that is staged."""
        remove_tree(Path(self._folder))
        Path(self._folder).mkdir(mode=0o700)
