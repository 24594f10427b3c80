"""Where fetched bytes wait: one folder for each item, named by id, which becomes its version folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import orjson

from ingest_tui.model.hashing import new_hasher
from ingest_tui.store.fs.atomic import FILE_MODE, make_one_folder, remove_tree, umask_is_odd, write_all, write_durably
from ingest_tui.store.layout import INGESTION, NORMALIZED, RAW_STEM

KEPT_EVERY_BYTES = 32 * 1024**2
"""A large item can be resumed after each so many bytes of it."""
_PIECE = 1 << 20
_BEGUN = "begun.json"


@dataclass(slots=True)
class Begun:
    """The valid beginning of an item: its size in bytes and its hash so far."""

    size: int
    hasher: hashlib._Hash


class StagingArea:
    """The staging folder of one job."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._fix_modes = umask_is_odd()

    def folder(self, item_id: str) -> str:
        """Return the folder of an item. A string: this is called for every item, several times."""
        return f"{self._folder}/{item_id}"

    def normalized(self, item_id: str) -> str:
        """Return where the parser is to write the text of an item."""
        return f"{self._folder}/{item_id}/{NORMALIZED}"

    def receive(
        self,
        item_id: str,
        extension: str,
        pieces: Iterable[bytes],
        *,
        begun: Begun | None = None,
        fingerprint: str = "",
    ) -> tuple[str, int, str]:
        """Write the pieces of an item as its raw file; returns its path, its size and its SHA-256.

        What an earlier attempt left of the item is removed first, unless ``begun`` says how far that is valid: then
        the pieces are what follows. With a ``fingerprint`` a large item can be resumed after a crash. The whole
        is not durable: the commit sees to that.
        """
        folder = f"{self._folder}/{item_id}"
        path = f"{folder}/{RAW_STEM}.{extension}"
        if begun is None:
            self._make_empty(folder)
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if begun else os.O_EXCL) | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, FILE_MODE)
        if self._fix_modes:
            os.fchmod(descriptor, FILE_MODE)
        hasher = begun.hasher if begun else new_hasher()
        size = kept = begun.size if begun else 0
        try:
            for piece in pieces:
                if fingerprint and size - kept >= KEPT_EVERY_BYTES:
                    # Only with more to come: what is whole is never resumed.
                    kept = size
                    self._keep(folder, descriptor, fingerprint, size, extension)
                hasher.update(piece)
                write_all(descriptor, piece)
                size += len(piece)
        finally:
            os.close(descriptor)
        if kept:
            Path(folder, _BEGUN).unlink(missing_ok=True)
        return path, size, hasher.hexdigest()

    def _make_empty(self, folder: str) -> None:
        try:
            make_one_folder(folder, fix_mode=self._fix_modes)
        except FileExistsError:
            remove_tree(Path(folder))
            make_one_folder(folder, fix_mode=self._fix_modes)

    @staticmethod
    def _keep(folder: str, descriptor: int, fingerprint: str, size: int, extension: str) -> None:
        """Note how far a large item is, once that much of it is durable."""
        os.fdatasync(descriptor)
        record = {"fingerprint": fingerprint, "size": size, "extension": extension}
        write_durably(Path(folder, _BEGUN), orjson.dumps(record))

    def begun(self, item_id: str, fingerprint: str) -> Begun | None:
        """Return what an interrupted attempt has of an item, read and hashed again; None when it must begin again."""
        folder = Path(self.folder(item_id))
        try:
            record = orjson.loads((folder / _BEGUN).read_bytes())
            if record["fingerprint"] != fingerprint:
                return None
            path = folder / f"{RAW_STEM}.{record['extension']}"
            size = int(record["size"])
            os.truncate(path, size)  # what came after the note may be torn
            hasher = new_hasher()
            with path.open("rb") as handle:
                read = 0
                while piece := handle.read(_PIECE):
                    hasher.update(piece)
                    read += len(piece)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return Begun(size, hasher) if read == size else None

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
