"""The catalogue: what is known of every document, in SQLite. Made again from ``documents/`` when it is lost.

apsw brings its own SQLite: Python 3.11 bundles 3.40, whose WAL mode could corrupt a database shared by processes
(fixed in 3.51.3). Writers commit in batches with ``synchronous=FULL``; readers never wait for them.
"""

from __future__ import annotations

import contextlib
import ctypes
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import orjson

from ingest_tui.model.errors import BusyError, SchemaVersionError, StoreError
from ingest_tui.model.hashing import short_digest
from ingest_tui.model.naming import file_name_of
from ingest_tui.store.atomic import FILE_MODE, sync_filesystem, temporary_beside
from ingest_tui.store.mark import Mark, discredit, read_marks, write_mark
from ingest_tui.store.schema import SCHEMA, SCHEMA_VERSION, UPGRADES
from ingest_tui.store.sqlite_access import (
    DAMAGED,
    REBUILD_HINT,
    UnlockedFiles,
    open_to_read,
    put_temporary_files_in,
    reported_errors,
)

_PAGES_AT_ONCE = 10_000
_BUSY_MILLISECONDS = 10_000
_STEPS_BETWEEN_QUESTIONS = 20_000
_AGAIN_SECONDS = 0.01

MISSING, LOST, IS_FOLDER = "catalogue_missing", "catalogue_lost", "catalogue_is_folder"
# RETURNING gives both parts of the mark.
_COUNT_TRANSACTION = (
    "INSERT INTO meta VALUES ('transactions', '1') ON CONFLICT (name) DO UPDATE SET value = value + 1"
    " RETURNING (SELECT value FROM meta WHERE name = 'epoch'), value"
)


class KillRow(NamedTuple):
    """How often a document, as it is now, killed the parsers as they are now. What succeeds has no row."""

    source_id: str
    key: str
    fingerprint: str
    reason: str
    kills: int
    parsers: str


class LocationRow(NamedTuple):
    """What is known of one key of one source; ``document_id`` is None where no document came of it.

    ``removed_sha256`` and ``removed_content_hash``: bytes and text that a person removed from there, which are not
    taken in again unasked.
    """

    source_id: str
    key: str
    uri: str
    collection_id: str
    document_id: str | None
    fingerprint: str
    size: int | None
    modified_ns: int | None
    outcome: str
    reason: str
    detail: str
    ruleset: str
    job_id: str
    at: str
    version: int | None
    parsers: str = ""
    removed_sha256: str = ""
    removed_content_hash: str = ""


class DocumentRow(NamedTuple):
    """A row of ``documents``: the current version of a document."""

    document_id: str
    collection_id: str
    source_id: str
    source_type: str
    uri: str
    key: str
    title: str
    file_name: str
    media_type: str
    version: int
    raw_sha256: str
    content_hash: str
    bytes: int
    chunks: int
    backend: str
    state: str
    created_at: str
    updated_at: str
    job_id: str


class VersionRow(NamedTuple):
    """A row of ``versions``."""

    document_id: str
    version: int
    raw_sha256: str
    content_hash: str
    bytes: int
    media_type: str
    backend: str
    uri: str
    job_id: str
    ingested_at: str


class Catalogue:
    """One connection. For one thread; open another for each.

    Made only with ``create``: a catalogue that is missing is not one without documents. `StoreError` then has the code
    ``catalogue_missing``, for one that is no database, or cut, ``catalogue_damaged``. Each transaction is noted in its
    mark, unless it is not ``marked``: one that nobody uses yet. With ``read_only`` nothing is written, so that a full
    or a read-only disk is no obstacle; one of an older schema is upgraded with ``upgrades``, else a copy of it is.
    """

    def __init__(
        self,
        path: Path,
        *,
        create: bool = False,
        marked: bool = True,
        read_only: bool = False,
        upgrades: bool = True,
    ) -> None:
        self.path = path
        self._is_in_force = marked
        self._marked = marked and not read_only
        self._unlocked: UnlockedFiles | None = None
        put_temporary_files_in(path.parent)
        if read_only:
            self._open_to_read(upgrades=upgrades)
        else:
            self._open(create=create)

    def _refuse_link(self) -> None:
        if self.path.is_symlink():
            raise StoreError(
                "the catalogue is a symbolic link", hint=f"remove {self.path.name}, then 'ingest-tui rebuild'"
            )
        if self.path.is_dir():
            raise StoreError(
                "the catalogue is a folder",
                hint=f"move {self.path.name} away, then 'ingest-tui rebuild'",
                code=IS_FOLDER,
            )

    def _refuse_missing(self) -> None:
        if self.path.parent.is_dir() and not self.path.exists():
            raise StoreError("the catalogue is missing", hint=REBUILD_HINT, code=MISSING)

    def _open_to_read(self, *, upgrades: bool) -> None:
        self._refuse_link()
        self._refuse_missing()
        self._connect_to_read()
        try:
            self._refuse_unknown_schema(create=False)
            if self.value("PRAGMA user_version") < SCHEMA_VERSION:
                self._read_upgraded(in_place=upgrades)
            self.execute("PRAGMA cache_size = -16000")
        except BaseException:
            self.close()
            raise

    def _connect_to_read(self) -> None:
        try:
            with reported_errors(self.path.parent):
                self.connection, self._unlocked = open_to_read(self.path)
        except apsw.FullError:
            raise StoreError(
                "the catalogue cannot be read while its disk is full", hint="free some space, then try again"
            ) from None

    def _read_upgraded(self, *, in_place: bool) -> None:
        """Upgrade a catalogue of an older schema; where it cannot be written, a copy that ends with the connection."""
        if in_place:
            try:
                Catalogue(self.path).close()
            except (apsw.Error, OSError, StoreError):
                pass  # nothing can be written here
            else:
                self.close()
                self._connect_to_read()
                return
        copy = apsw.Connection("")
        with copy.backup("main", self.connection, "main") as backup:
            backup.step()
        self._refuse_if_changed()
        self.close()
        self.connection, self._unlocked = copy, None
        self._make_schema(keep_backup=False)

    def file_to_join(self, copy: Path) -> Path:
        """Return the file with what is read here, for another connection: the catalogue, or a copy made for that.

        A copy is needed where nothing can be written and this connection reads without locks, or what it upgraded.
        """
        if self._unlocked is None and self.connection.filename:
            return self.path
        with (
            contextlib.closing(apsw.Connection(str(copy))) as target,
            target.backup("main", self.connection, "main") as backup,
        ):
            while not backup.done:
                backup.step(_PAGES_AT_ONCE)
        self._refuse_if_changed()
        return copy

    def _open(self, *, create: bool) -> None:
        path = self.path
        self._refuse_link()
        flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if create else 0)
        try:
            self.connection = apsw.Connection(str(path), flags=flags)
        except apsw.CantOpenError:
            self._refuse_missing()
            raise StoreError(
                "the catalogue cannot be opened", hint="check that the workspace is there and can be written"
            ) from None
        try:
            self._prepare(create=create)
        except BaseException:
            self.close()
            raise

    def _prepare(self, *, create: bool) -> None:
        # SQLite gives its side files the mode of the main one. It must be set by name: whoever closes a descriptor of
        # the file drops the locks of all connections of its process (sqlite.org/howtocorrupt.html, 2.2).
        if stat.S_IMODE(self.path.stat().st_mode) != FILE_MODE:
            self.path.chmod(FILE_MODE)
        self.connection.set_busy_timeout(_BUSY_MILLISECONDS)
        self._refuse_unknown_schema(create=create)
        self._use_write_ahead_log()
        self.execute("PRAGMA synchronous = FULL")
        self.execute("PRAGMA cache_size = -16000")
        self.execute("PRAGMA temp_store = FILE")
        self._make_schema()

    def _refuse_unknown_schema(self, *, create: bool) -> None:
        version = self.value("PRAGMA user_version")
        if version == 0 and not create:
            raise StoreError("the catalogue is empty", hint=REBUILD_HINT, code=MISSING)
        if version > SCHEMA_VERSION:
            raise SchemaVersionError(
                f"the catalogue was written by a newer ingest-tui (schema {version}); left untouched",
                hint="upgrade ingest-tui",
            )

    def _use_write_ahead_log(self) -> None:
        """Set the journal mode; processes that open a new catalogue at once get in each other's way for a moment.

        SQLite does not wait here, as both would hold a read lock that the other one waits for.
        """
        deadline = time.monotonic() + _BUSY_MILLISECONDS / 1000
        while True:
            try:
                self.execute("PRAGMA journal_mode = WAL")
            except BusyError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_AGAIN_SECONDS)
            else:
                return

    def _make_schema(self, *, keep_backup: bool = True) -> None:
        before = self.value("PRAGMA user_version")
        if before == SCHEMA_VERSION:
            return
        if before and keep_backup:
            self._keep_backup(before)
        with self.transaction():
            version = self.value("PRAGMA user_version")
            if version == 0:
                self.connection.execute(SCHEMA)
            else:
                for older in range(version, SCHEMA_VERSION):
                    self.connection.execute(UPGRADES[older])
            self.connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _keep_backup(self, version: int) -> None:
        """Copy the catalogue as it is before an upgrade, next to it: ``catalogue.schema-2.db``.

        Whole or absent, and never replaced: where several processes upgrade at once, the last one would copy what the
        first has upgraded already.
        """
        backup = self.path.with_name(f"{self.path.stem}.schema-{version}{self.path.suffix}")
        if backup.exists():
            return
        temporary = temporary_beside(self.path)
        try:
            self.execute("VACUUM INTO ?", (str(temporary),))
            temporary.chmod(FILE_MODE)
            sync_filesystem(self.path.parent)
            with contextlib.suppress(FileExistsError):
                backup.hardlink_to(temporary)
        finally:
            temporary.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def execute(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        """Run one statement and return its rows."""
        try:
            with reported_errors(self.path.parent):
                rows = list(self.connection.execute(sql, values))
        except StoreError as error:
            self._note_damage(error)
            raise
        self._refuse_if_changed()
        return rows

    def _note_damage(self, error: StoreError) -> None:
        """Have the next who opens a damaged catalogue make it again, as nobody can use what is left of it."""
        if error.reason == DAMAGED and self._is_in_force and self._unlocked is None:
            discredit(self.path)

    def _refuse_if_changed(self) -> None:
        if self._unlocked is not None:
            self._unlocked.refuse_if_changed()

    @contextmanager
    def giving_up_when(self, given_up: Callable[[], bool] | None) -> Iterator[None]:
        """End statements with `GivenUpError` once ``given_up`` says yes; it is asked every few milliseconds."""
        if given_up is not None:
            self.connection.set_progress_handler(given_up, _STEPS_BETWEEN_QUESTIONS)
        try:
            yield
        finally:
            self.connection.set_progress_handler(None)

    def stream(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> Iterator[Any]:
        """Run one statement and yield its rows as they come."""
        try:
            with reported_errors(self.path.parent):
                for row in self.connection.execute(sql, values):
                    self._refuse_if_changed()
                    yield row
        except StoreError as error:
            self._note_damage(error)
            raise

    def value(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Return the first column of the first row, or None."""
        rows = self.execute(sql, values)
        return rows[0][0] if rows else None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all or nothing. Takes the write lock at once, so that it never fails halfway for being busy."""
        self.follow_the_file()
        with self._statement_journals_in_memory():
            yield from self._transaction()

    @contextlib.contextmanager
    def _statement_journals_in_memory(self) -> Iterator[None]:
        """Keep what the change of one row would need to be undone out of temporary files.

        The triggers of the change feed make it necessary: some 15 pages for each document. What sorts much is asked
        outside of transactions, and stays in files.
        """
        if not self._is_in_force:  # temporary tables, which a change of the setting would drop
            yield
            return
        self.execute("PRAGMA temp_store = MEMORY")
        try:
            yield
        finally:
            with contextlib.suppress(apsw.Error):  # why it failed is on its way already
                self.connection.execute("PRAGMA temp_store = FILE")

    def _transaction(self) -> Iterator[None]:
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            mark = Mark(*self.execute(_COUNT_TRANSACTION)[0])
            self.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:  # SQLite ends it itself after some errors of the disk
                self.connection.execute("ROLLBACK")
            raise
        if self._marked:
            write_mark(self.path, mark._replace(transactions=int(mark.transactions)))

    def write_mark(self) -> None:
        """Note that this catalogue, as it is now, is the one in force."""
        write_mark(self.path, self._mark_and_previous_epoch()[0])

    def _mark_and_previous_epoch(self) -> tuple[Mark, str]:
        """Return which catalogue this is, and which one was rebuilt to it; raises `StoreError` where that is lost."""
        try:
            meta = dict(self.execute("SELECT name, value FROM meta"))
            return Mark(str(meta["epoch"]), int(meta.get("transactions", 0))), str(meta.get("previous_epoch", ""))
        except (KeyError, ValueError, TypeError, apsw.SQLError):
            raise StoreError("the catalogue has lost what it says of itself", hint=REBUILD_HINT, code=LOST) from None

    @property
    def was_marked(self) -> bool:
        """Whether transactions of this catalogue were noted next to it; those of a new one were not yet."""
        return self._mark_and_previous_epoch()[0].transactions > 1

    def loss_since(self, *marks: Mark | None) -> str:
        """Return how this catalogue is not the one that ``marks`` were written for; empty when it is, or newer."""
        mine, previous_epoch = self._mark_and_previous_epoch()
        return next(filter(None, (_loss_since(mark, mine, previous_epoch) for mark in marks)), "")

    @property
    def is_replaced(self) -> bool:
        """Whether another file, or none, is at the path by now: what is written here would be lost."""
        moved = ctypes.c_int()
        self.connection.file_control("main", apsw.SQLITE_FCNTL_HAS_MOVED, ctypes.addressof(moved))
        return bool(moved.value)

    def follow_the_file(self) -> None:
        """Open the file that is at the path now, when it is another one: somebody made the catalogue again."""
        if not self.is_replaced:
            return
        marks, replaced = read_marks(self.path), self.connection
        try:
            self._open(create=False)
        except BaseException:
            self.connection = replaced  # it can still be read, and the file may come back
            raise
        replaced.close()
        loss = self.loss_since(*marks)
        if loss:
            raise StoreError(f"the catalogue {loss}", hint=REBUILD_HINT, code=LOST)

    # What is known

    def locations(self, source_id: str, keys: Iterable[str]) -> dict[str, LocationRow]:
        """Return what is known of the given keys of a source."""
        rows = self.execute(
            "SELECT * FROM locations WHERE source_id = ? AND key IN (SELECT value FROM json_each(?))",
            (source_id, orjson.dumps(list(keys)).decode()),
        )
        return {row[1]: LocationRow(*row) for row in rows}

    def locations_of(self, document_id: str) -> list[LocationRow]:
        """Return all places where a document is, in a fixed order."""
        sql = "SELECT * FROM locations WHERE document_id = ? ORDER BY source_id, key"
        return [LocationRow(*row) for row in self.execute(sql, (document_id,))]

    def places_at(self, collection_id: str, uris: Iterable[str]) -> list[LocationRow]:
        """Return what is known in a collection of the given addresses, by whatever source."""
        sql = (
            "SELECT * FROM locations WHERE uri IN (SELECT value FROM json_each(?)) AND collection_id = ?"
            " ORDER BY source_id, key"
        )
        return [LocationRow(*row) for row in self.execute(sql, (orjson.dumps(list(uris)).decode(), collection_id))]

    def removed_contents(
        self, collection_id: str, raw_sha256: Iterable[str], content_hash: Iterable[str] = ()
    ) -> list[LocationRow]:
        """Return the places of a collection from which a person removed one of the given bytes or texts."""
        found: dict[tuple[str, str], LocationRow] = {}
        for column, hashes in (("removed_sha256", raw_sha256), ("removed_content_hash", content_hash)):
            sql = (
                f"SELECT * FROM locations WHERE collection_id = ? AND {column} <> ''"
                f" AND {column} IN (SELECT value FROM json_each(?))"
            )
            rows = self.execute(sql, (collection_id, orjson.dumps(list(hashes)).decode()))
            found |= {row[:2]: LocationRow(*row) for row in rows}
        return [found[place] for place in sorted(found)]

    def kills(self, source_id: str, keys: Iterable[str]) -> dict[str, KillRow]:
        """Return which of the given keys killed their parser, and how often."""
        rows = self.execute(
            "SELECT * FROM kills WHERE source_id = ? AND key IN (SELECT value FROM json_each(?))",
            (source_id, orjson.dumps(list(keys)).decode()),
        )
        return {row[1]: KillRow(*row) for row in rows}

    def documents_matching(self, collection_id: str, column: str, values: Iterable[str]) -> list[DocumentRow]:
        """Return all active documents whose ``raw_sha256`` or ``content_hash`` is among ``values``, oldest first."""
        if column not in {"raw_sha256", "content_hash"}:
            raise ValueError(column)
        rows = self.execute(
            f"SELECT * FROM documents WHERE collection_id = ? AND {column} IN (SELECT value FROM json_each(?))"
            " AND state = 'active' ORDER BY created_at, document_id",
            (collection_id, orjson.dumps(list(values)).decode()),
        )
        return [DocumentRow(*row) for row in rows]

    def documents(self, document_ids: Iterable[str]) -> dict[str, DocumentRow]:
        """Return documents by id, retired ones too."""
        rows = self.execute(
            "SELECT * FROM documents WHERE document_id IN (SELECT value FROM json_each(?))",
            (orjson.dumps(list(document_ids)).decode(),),
        )
        return {row[0]: DocumentRow(*row) for row in rows}

    def retired_at(self, source_id: str, keys: Iterable[str]) -> dict[str, DocumentRow]:
        """Return the retired documents that were last known under the given keys."""
        rows = self.execute(
            "SELECT * FROM documents WHERE source_id = ? AND state = 'retired'"
            " AND key IN (SELECT value FROM json_each(?)) ORDER BY updated_at",
            (source_id, orjson.dumps(list(keys)).decode()),
        )
        return {row[5]: DocumentRow(*row) for row in rows}

    def new_document_id(self, collection_id: str, source_id: str, key: str, *, taken: set[str]) -> str:
        """Return the id for a new document: the same for the same place, unless that id is in use."""
        generation = 0
        while True:
            document_id = short_digest(collection_id, source_id, key, str(generation))
            if document_id not in taken and not self.execute(
                "SELECT 1 FROM documents WHERE document_id = ?", (document_id,)
            ):
                taken.add(document_id)
                return document_id
            generation += 1

    # What is written; all within a transaction of the caller

    def put_documents(self, rows: Iterable[DocumentRow]) -> None:
        """Insert or replace documents. What changes by it is appended to the change feed by the schema's triggers."""
        self.connection.executemany(_PUT_DOCUMENT, rows)

    def purge_documents(self, document_ids: Iterable[str]) -> None:
        """Delete all that is known of retired documents."""
        ids = [(document_id,) for document_id in document_ids]
        self.remove_chunks(document_id for (document_id,) in ids)
        for table in ("locations", "versions", "documents"):
            self.connection.executemany(f"DELETE FROM {table} WHERE document_id = ?", ids)

    def put_versions(self, rows: Iterable[VersionRow]) -> None:
        """Insert or replace versions."""
        self.connection.executemany(f"REPLACE INTO versions VALUES ({_marks(VersionRow)})", rows)

    def put_locations(self, rows: Iterable[LocationRow]) -> None:
        """Insert or replace locations."""
        self.connection.executemany(f"REPLACE INTO locations VALUES ({_marks(LocationRow)})", rows)

    def renew_fingerprints(self, source_id: str, renewed: Iterable[tuple[str, str, str]]) -> None:
        """Write fingerprints in a new form: ``(key, old, new)``; a place that changed meanwhile keeps its own."""
        self.connection.executemany(
            "UPDATE locations SET fingerprint = ? WHERE source_id = ? AND key = ? AND fingerprint = ?",
            ((new, source_id, key, old) for key, old, new in renewed),
        )

    def put_kills(self, rows: Iterable[KillRow]) -> None:
        """Insert or replace what is known of documents that kill parsers."""
        self.connection.executemany(f"REPLACE INTO kills VALUES ({_marks(KillRow)})", rows)

    def forget_kills(self, source_id: str, keys: Iterable[str]) -> None:
        """Forget what killed parsers and does no more."""
        self.connection.executemany(
            "DELETE FROM kills WHERE source_id = ? AND key = ?", ((source_id, key) for key in keys)
        )

    def forget_locations(self, source_id: str, keys: Iterable[str]) -> None:
        """Delete what is known of keys."""
        pairs = [(source_id, key) for key in keys]
        self.connection.executemany("DELETE FROM locations WHERE source_id = ? AND key = ?", pairs)
        self.connection.executemany("DELETE FROM kills WHERE source_id = ? AND key = ?", pairs)

    def remove_chunks(self, document_ids: Iterable[str]) -> None:
        """Take documents out of the full text."""
        for document_id in document_ids:
            old = self.execute("SELECT id, heading, text FROM chunks WHERE document_id = ?", (document_id,))
            if old:
                self.connection.executemany(
                    "INSERT INTO chunks_fts (chunks_fts, rowid, heading, text) VALUES ('delete', ?, ?, ?)", old
                )
                self.connection.execute("DELETE FROM chunks WHERE document_id = ?", (document_id,))

    def add_chunks(self, rows: Iterable[tuple[str, int, str, str]]) -> None:
        """Add ``(document_id, ordinal, heading path, text)`` to the chunks and to the full text."""
        first = (self.value("SELECT max(id) FROM chunks") or 0) + 1
        numbered = [(number, *row) for number, row in enumerate(rows, first)]
        self.connection.executemany("INSERT INTO chunks VALUES (?, ?, ?, ?, ?)", numbered)
        self.connection.executemany(
            "INSERT INTO chunks_fts (rowid, heading, text) VALUES (?, ?, ?)",
            ((row[0], row[3], row[4]) for row in numbered),
        )


def _loss_since(mark: Mark | None, mine: Mark, previous_epoch: str) -> str:
    if mark is None or mark.epoch == previous_epoch:  # a rebuild ended just before its mark
        return ""
    if mark.epoch != mine.epoch:
        return "is not the one that the documents were committed to"
    return "" if mark.transactions <= mine.transactions else "lacks what was committed last"


def placed_at(document: DocumentRow, source_id: str, key: str, uri: str, at: str) -> DocumentRow:
    """Return a document with another primary place; a title that was the old file name becomes the new one."""
    name = file_name_of(key)
    title = name if document.title == document.file_name else document.title
    return document._replace(source_id=source_id, key=key, uri=uri, file_name=name, title=title, updated_at=at)


def chunk_id(document_id: str, ordinal: int) -> str:
    """Return the public id of a chunk of the current version."""
    return f"{document_id}:{ordinal}"


def _marks(row: type[tuple[Any, ...]]) -> str:
    return ", ".join("?" * len(row._fields))  # type: ignore[attr-defined]


# An upsert, not REPLACE: the triggers of the change feed compare the row before with the row after.
_PUT_DOCUMENT = (
    f"INSERT INTO documents VALUES ({_marks(DocumentRow)}) ON CONFLICT (document_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in DocumentRow._fields[1:])
)
