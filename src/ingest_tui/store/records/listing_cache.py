"""What a connector remembers of its listings from job to job, in a small database of its own: a cache of the source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import apsw

from ingest_tui.model.errors import StoreError
from ingest_tui.store.fs.atomic import FILE_MODE, make_inner_folder, make_private

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (id TEXT PRIMARY KEY, entry TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_LAST_CHARACTER = "\U0010ffff"
_FIRST_SURROGATE, _AFTER_SURROGATES = 0xD800, 0xE000


class StoredMemory:
    """`ListingMemory` of one source. Used by the one job that works on the source; a damaged file is made again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        make_inner_folder(path.parent)
        try:
            self._open()
        except (apsw.NotADBError, apsw.CorruptError):
            self.discard(path)
            self._open()

    def _open(self) -> None:
        if self._path.is_symlink():
            raise StoreError("the memory of a source is a symbolic link", hint=f"remove {self._path.name}")
        make_private(self._path)
        self._connection = apsw.Connection(str(self._path))
        # By name, as in catalogue.py: closing a descriptor of the file would drop the locks of other connections.
        self._path.chmod(FILE_MODE)
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "temp_store = FILE", "cache_size = -16000"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute(_SCHEMA)

    @staticmethod
    def discard(path: Path) -> None:
        """Forget everything: the next listing is a full one."""
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)

    def copy_to(self, path: Path) -> None:
        """Write a copy to ``path``, which must not exist: for a look that leaves no trace."""
        make_private(path)
        copy = apsw.Connection(str(path))
        try:
            with copy.backup("main", self._connection, "main") as backup:
                backup.step()
        finally:
            copy.close()

    def note(self, name: str) -> str | None:
        """Return a note."""
        return self._first("SELECT value FROM notes WHERE name = ?", name)

    def entry(self, entry_id: str) -> str | None:
        """Return one entry."""
        return self._first("SELECT entry FROM entries WHERE id = ?", entry_id)

    def _first(self, sql: str, value: str) -> str | None:
        rows = list(self._connection.execute(sql, (value,)))
        return str(rows[0][0]) if rows else None

    def entries(self, prefix: str = "") -> Iterator[tuple[str, str]]:
        """Yield ``(id, entry)`` ordered by id, those whose id begins with ``prefix``; streams."""
        sql = "SELECT id, entry FROM entries WHERE id >= ? AND id < ? ORDER BY id"
        for row in self._connection.execute(sql, (prefix, _end_of(prefix))):
            yield str(row[0]), str(row[1])

    def apply(
        self,
        *,
        put: Iterable[tuple[str, str]] = (),
        remove: Iterable[str] = (),
        remove_prefix: str | None = None,
        notes: Mapping[str, str | None] | None = None,
    ) -> None:
        """Change entries and notes, all or none of it, also when the process is killed meanwhile."""
        with self._connection:
            if remove_prefix is not None:
                between = (remove_prefix, _end_of(remove_prefix))
                self._connection.execute("DELETE FROM entries WHERE id >= ? AND id < ?", between)
            self._connection.executemany("DELETE FROM entries WHERE id = ?", ((entry_id,) for entry_id in remove))
            self._connection.executemany("REPLACE INTO entries VALUES (?, ?)", put)
            for name, value in (notes or {}).items():
                if value is None:
                    self._connection.execute("DELETE FROM notes WHERE name = ?", (name,))
                else:
                    self._connection.execute("REPLACE INTO notes VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Close the database."""
        self._connection.close(True)


def _end_of(prefix: str) -> str | bytes:
    """Return what comes right after all ids that begin with ``prefix``, so that a scan ends there."""
    stem = prefix.rstrip(_LAST_CHARACTER)
    if not stem:
        return b""  # SQLite orders every text before every blob
    following = ord(stem[-1]) + 1
    return stem[:-1] + chr(_AFTER_SURROGATES if following == _FIRST_SURROGATE else following)
