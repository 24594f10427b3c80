"""The catalogue: what is known of every document, in SQLite. Made again from ``documents/`` when it is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from ingest_tui.index.full_text import FullText
from ingest_tui.model.document import Document
from ingest_tui.model.hashing import short_digest
from ingest_tui.model.members import keys_below
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.source import KEPT_SOURCE
from ingest_tui.store.catalogue.connection import CatalogueConnection
from ingest_tui.store.catalogue.rows import KillRow, VersionRow


class Catalogue(CatalogueConnection):
    """What a job asks and writes. One connection, for one thread; open another for each."""

    @property
    def full_text(self) -> FullText:
        """What answers a search; it is written in the transactions of this connection."""
        return FullText(self)

    # What is known

    def locations(self, source_id: str, keys: Iterable[str]) -> dict[str, KnownPlace]:
        """Return what is known of the given keys of a source."""
        rows = self.execute(
            "SELECT * FROM locations WHERE source_id = ? AND key IN (SELECT value FROM json_each(?))",
            (source_id, orjson.dumps(list(keys)).decode()),
        )
        return {row[1]: KnownPlace(*row) for row in rows}

    def has_removals(self) -> bool:
        """Whether there is any place that a person removed a document from."""
        return bool(self.value("SELECT EXISTS (SELECT 1 FROM locations WHERE removed_sha256 <> '')"))

    def removals(self) -> Iterator[KnownPlace]:
        """Yield the places that a person removed a document from."""
        sql = "SELECT * FROM locations WHERE removed_sha256 <> '' AND document_id IS NULL"
        return (KnownPlace(*row) for row in self.execute(sql))

    def members_below(self, source_id: str, container_key: str) -> list[KnownPlace]:
        """Return what is known of all members below a container, those of containers within it too."""
        sql = "SELECT * FROM locations WHERE source_id = ? AND key >= ? AND key < ? AND container <> '' ORDER BY key"
        return [KnownPlace(*row) for row in self.execute(sql, (source_id, *keys_below(container_key)))]

    def kept_members(self, collection_id: str, container_uri: str) -> dict[str, list[str]]:
        """Return the keys of the kept places below a container, by their addresses; those with a document first."""
        sql = (
            "SELECT uri, key FROM locations WHERE uri >= ? AND uri < ? AND source_id = ? AND collection_id = ?"
            " ORDER BY document_id IS NULL, key"
        )
        found: dict[str, list[str]] = {}
        for uri, key in self.execute(sql, (*keys_below(container_uri), KEPT_SOURCE, collection_id)):
            found.setdefault(uri, []).append(key)
        return found

    def members_of_job(self, source_id: str, job_id: str) -> Iterator[KnownPlace]:
        """Yield the members of a source of which a job has written last what is known."""
        sql = "SELECT * FROM locations WHERE source_id = ? AND container <> '' AND job_id = ?"
        return (KnownPlace(*row) for row in self.stream(sql, (source_id, job_id)))

    def locations_of(self, document_id: str) -> list[KnownPlace]:
        """Return all places where a document is, in a fixed order."""
        sql = "SELECT * FROM locations WHERE document_id = ? ORDER BY source_id, key"
        return [KnownPlace(*row) for row in self.execute(sql, (document_id,))]

    def places_at(self, collection_id: str, uris: Iterable[str]) -> list[KnownPlace]:
        """Return what is known in a collection of the given addresses, by whatever source."""
        sql = (
            "SELECT * FROM locations WHERE uri IN (SELECT value FROM json_each(?)) AND collection_id = ?"
            " ORDER BY source_id, key"
        )
        return [KnownPlace(*row) for row in self.execute(sql, (orjson.dumps(list(uris)).decode(), collection_id))]

    def removed_contents(
        self, collection_id: str, raw_sha256: Iterable[str], content_hash: Iterable[str] = ()
    ) -> list[KnownPlace]:
        """Return the places of a collection from which a person removed one of the given bytes or texts."""
        found: dict[tuple[str, str], KnownPlace] = {}
        for column, hashes in (("removed_sha256", raw_sha256), ("removed_content_hash", content_hash)):
            sql = (
                f"SELECT * FROM locations WHERE collection_id = ? AND {column} <> '' AND document_id IS NULL"
                f" AND {column} IN (SELECT value FROM json_each(?))"
            )
            rows = self.execute(sql, (collection_id, orjson.dumps(list(hashes)).decode()))
            found |= {row[:2]: KnownPlace(*row) for row in rows}
        return [found[place] for place in sorted(found)]

    def kills(self, source_id: str, keys: Iterable[str]) -> dict[str, KillRow]:
        """Return which of the given keys killed their parser, and how often."""
        rows = self.execute(
            "SELECT * FROM kills WHERE source_id = ? AND key IN (SELECT value FROM json_each(?))",
            (source_id, orjson.dumps(list(keys)).decode()),
        )
        return {row[1]: KillRow(*row) for row in rows}

    def select_documents(self, clauses: str, values: Sequence[Any]) -> list[Document]:
        """Return the documents that SQL after ``FROM documents`` names."""
        return [Document._make(row) for row in self.execute(_SELECT_DOCUMENTS + clauses, values)]

    def stream_documents(self, clauses: str, values: Sequence[Any] = ()) -> Iterator[Document]:
        """Yield the documents that SQL after ``FROM documents`` names, never all of them in memory."""
        return map(Document._make, self.stream(_SELECT_DOCUMENTS + clauses, values))

    def documents_matching(self, collection_id: str, column: str, values: Iterable[str]) -> list[Document]:
        """Return all active documents whose ``raw_sha256`` or ``content_hash`` is among ``values``, oldest first."""
        if column not in {"raw_sha256", "content_hash"}:
            raise ValueError(column)
        return self.select_documents(
            f"WHERE collection_id = ? AND {column} IN (SELECT value FROM json_each(?))"
            " AND state = 'active' ORDER BY created_at, document_id",
            (collection_id, orjson.dumps(list(values)).decode()),
        )

    def documents(self, document_ids: Iterable[str]) -> dict[str, Document]:
        """Return documents by id, retired ones too."""
        found = self.select_documents(
            "WHERE document_id IN (SELECT value FROM json_each(?))", (orjson.dumps(list(document_ids)).decode(),)
        )
        return {document.document_id: document for document in found}

    def retired_at(self, source_id: str, keys: Iterable[str]) -> dict[str, Document]:
        """Return the retired documents that were last known under the given keys."""
        found = self.select_documents(
            "WHERE source_id = ? AND state = 'retired' AND key IN (SELECT value FROM json_each(?)) ORDER BY updated_at",
            (source_id, orjson.dumps(list(keys)).decode()),
        )
        return {document.key: document for document in found}

    def retired_after(self, last: tuple[str, str], *, until: str, limit: int) -> list[Document]:
        """Return the next retired documents, the oldest first: those after ``last``, its time and its id."""
        return self.select_documents(
            "WHERE state = 'retired' AND updated_at <= ? AND (updated_at, document_id) > (?, ?)"
            " ORDER BY updated_at, document_id LIMIT ?",
            (until, *last, limit),
        )

    def has_documents(self, collection_id: str) -> bool:
        """Whether there are documents in a collection, retired ones too."""
        return bool(self.execute("SELECT 1 FROM documents WHERE collection_id = ? LIMIT 1", (collection_id,)))

    def has_bytes(self, collection_id: str, raw_sha256: str) -> bool:
        """Whether an active document of a collection has these bytes."""
        sql = "SELECT 1 FROM documents WHERE collection_id = ? AND raw_sha256 = ? AND state = 'active' LIMIT 1"
        return bool(self.execute(sql, (collection_id, raw_sha256)))

    def document_has_bytes(self, document_id: str, raw_sha256: str) -> bool:
        """Whether a document is active and has these bytes."""
        sql = "SELECT 1 FROM documents WHERE document_id = ? AND raw_sha256 = ? AND state = 'active'"
        return bool(self.execute(sql, (document_id, raw_sha256)))

    def has_version(self, document_id: str, version: int) -> bool:
        """Whether a version was committed."""
        sql = "SELECT 1 FROM versions WHERE document_id = ? AND version = ?"
        return bool(self.execute(sql, (document_id, version)))

    def media_types_by_key(self, source_id: str) -> Iterator[tuple[str, str]]:
        """Yield the places of a source that have an active document: key and media type."""
        sql = (
            "SELECT l.key, d.media_type FROM locations l JOIN documents d USING (document_id)"
            " WHERE l.source_id = ? AND d.state = 'active'"
        )
        return self.stream(sql, (source_id,))

    def count_places_with_documents(self, source_id: str) -> int:
        """Return how many places of a source have a document."""
        sql = "SELECT count(*) FROM locations WHERE source_id = ? AND document_id IS NOT NULL"
        return int(self.value(sql, (source_id,)))

    def active_documents_after(self, collection_id: str, last: str, *, limit: int) -> list[Document]:
        """Return the next active documents of a collection by id: those after ``last``."""
        return self.select_documents(
            "WHERE collection_id = ? AND document_id > ? AND state = 'active' ORDER BY document_id LIMIT ?",
            (collection_id, last, limit),
        )

    def count_chunks_of_collection(self, collection_id: str) -> int:
        """Return how many chunks the active documents of a collection have."""
        sql = "SELECT coalesce(sum(chunks), 0) FROM documents WHERE collection_id = ? AND state = 'active'"
        return int(self.value(sql, (collection_id,)))

    def count_chunks_of_job(self, job_id: str) -> int:
        """Return how many chunks the documents have that a job has written last."""
        return int(self.value("SELECT coalesce(sum(chunks), 0) FROM documents WHERE job_id = ?", (job_id,)))

    # All that is known, a table at a time

    def all_documents(self) -> Iterator[Document]:
        """Yield all documents by id, retired ones too."""
        return self.stream_documents("ORDER BY document_id")

    # What is given next

    def new_document_id(
        self, collection_id: str, source_id: str, key: str, *, taken: set[str], free: Mapping[str, str] | None = None
    ) -> str:
        """Return the id for a new document: the same for the same place, unless that id is in use.

        ``taken`` are ids that will be used, ``free`` what `free_document_ids` has returned for these places.
        """
        document_id = free.get(key) if free else None
        if document_id is not None and document_id not in taken:
            taken.add(document_id)
            return document_id
        generation = 0
        while True:
            document_id = _nth_document_id(collection_id, source_id, key, generation)
            if document_id not in taken and not self.execute(
                "SELECT 1 FROM documents WHERE document_id = ?", (document_id,)
            ):
                taken.add(document_id)
                return document_id
            generation += 1

    def free_document_ids(self, collection_id: str, source_id: str, keys: Iterable[str]) -> dict[str, str]:
        """Return the id that a document at each of these places would get first, where no document has it."""
        ids = {key: _nth_document_id(collection_id, source_id, key, 0) for key in keys}
        sql = "SELECT document_id FROM documents WHERE document_id IN (SELECT value FROM json_each(?))"
        rows = self.execute(sql, (orjson.dumps(list(ids.values())).decode(),))
        in_use = {document_id for (document_id,) in rows}
        return {key: document_id for key, document_id in ids.items() if document_id not in in_use}

    # What is written; all within a transaction of the caller

    def put_documents(self, documents: Iterable[Document]) -> None:
        """Insert or replace documents. What changes by it is appended to the change feed by the schema's triggers."""
        self.connection.executemany(_PUT_DOCUMENT, documents)

    def purge_documents(self, document_ids: Iterable[str]) -> None:
        """Delete all that is known of retired documents."""
        ids = [(document_id,) for document_id in document_ids]
        self.full_text.remove(document_id for (document_id,) in ids)
        for table in ("locations", "versions", "documents"):
            self.connection.executemany(f"DELETE FROM {table} WHERE document_id = ?", ids)

    def forget_versions(self, versions: Iterable[tuple[str, int]]) -> None:
        """Delete versions, by document and number."""
        self.connection.executemany("DELETE FROM versions WHERE document_id = ? AND version = ?", versions)

    def put_versions(self, rows: Iterable[VersionRow]) -> None:
        """Insert or replace versions."""
        self.connection.executemany(f"REPLACE INTO versions VALUES ({_marks(VersionRow)})", rows)

    def put_locations(self, rows: Iterable[KnownPlace]) -> None:
        """Insert or replace locations."""
        self.connection.executemany(f"REPLACE INTO locations VALUES ({_marks(KnownPlace)})", rows)

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


def _nth_document_id(collection_id: str, source_id: str, key: str, generation: int) -> str:
    return short_digest(collection_id, source_id, key, str(generation))


def _marks(row: type[tuple[Any, ...]]) -> str:
    return ", ".join("?" * len(row._fields))  # type: ignore[attr-defined]


# Named columns, so that a row becomes a `Document` by its names, in whatever order a table has them.
_DOCUMENT_COLUMNS = ", ".join(Document._fields)
_SELECT_DOCUMENTS = f"SELECT {_DOCUMENT_COLUMNS} FROM documents "

# An upsert, not REPLACE: the triggers of the change feed compare the row before with the row after.
_PUT_DOCUMENT = (
    f"INSERT INTO documents ({_DOCUMENT_COLUMNS}) VALUES ({_marks(Document)})"
    " ON CONFLICT (document_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in Document._fields[1:])
)
