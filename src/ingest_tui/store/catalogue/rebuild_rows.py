"""The rows of a catalogue that is being made again: what folders say, and what only the old catalogue knows."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

import apsw

from ingest_tui.model.errors import StoreError
from ingest_tui.model.place import KnownPlace, PlaceKey
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.contradictions import as_written
from ingest_tui.store.catalogue.found_documents import FolderProblem, FoundDocument
from ingest_tui.store.layout import Layout

_PLACES = ", ".join(KnownPlace._fields)
# What every folder says, of each document for itself: a document that is forgotten leaves its places to whom they are
# then, in whatever order folders are read.
_CLAIMS = """
CREATE TEMP TABLE claims AS SELECT '' AS claimed_by, * FROM locations WHERE false;
CREATE INDEX temp.claims_by_place ON claims (source_id, key);
CREATE INDEX temp.claims_by_claimant ON claims (claimed_by);
"""
_CLAIM = f"INSERT INTO claims (claimed_by, {_PLACES}) VALUES (?{', ?' * len(KnownPlace._fields)})"
# Of two documents at one place the one that came later has it; a document has it before what is known of its absence.
_SETTLE_PLACE = (
    f"REPLACE INTO locations ({_PLACES}) SELECT {_PLACES} FROM claims WHERE source_id = ? AND key = ?"
    " ORDER BY document_id IS NULL, at DESC, document_id DESC LIMIT 1"
)
# The catalogue in force knows better than the times whose a place is.
_KNOWN_PLACES = (
    f"REPLACE INTO locations ({_PLACES}) SELECT {', '.join(f'c.{name}' for name in KnownPlace._fields)}"
    " FROM old.locations o JOIN locations l USING (source_id, key) JOIN claims c USING (source_id, key)"
    " WHERE c.document_id = o.document_id AND l.document_id <> o.document_id"
)
# A place that a document has stays that of the document.
_ABSENT_PLACES = (
    f"INSERT OR IGNORE INTO locations ({_PLACES}) SELECT {_PLACES} FROM old.locations WHERE document_id IS NULL"
    f" AND {as_written('locations')}"
)
_UNREAD_PLACES = (
    f"REPLACE INTO locations ({_PLACES}) SELECT {', '.join(f'o.{name}' for name in KnownPlace._fields)}"
    " FROM old.locations o JOIN locations l USING (source_id, key, document_id)"
    f" WHERE o.outcome IN ('failed', 'rejected', 'empty') AND o.at > l.at AND {as_written('locations', 'o')}"
)
_FORGET_REMOVAL = "DELETE FROM locations WHERE source_id = ? AND key = ? AND document_id IS NULL"
_ADD_REMOVAL = f"INSERT OR IGNORE INTO locations ({_PLACES}) VALUES (?{', ?' * (len(KnownPlace._fields) - 1)})"
_KILLS = f"INSERT OR IGNORE INTO kills SELECT * FROM old.kills WHERE {as_written('kills')}"
_CARRY_OVER = (_ABSENT_PLACES, _UNREAD_PLACES, _KILLS)


class RebuiltRows:
    """The catalogue that is being built, as a set of documents that can be added and forgotten again."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        for statement in filter(str.strip, _CLAIMS.split(";")):
            catalogue.execute(statement)

    def add(self, found: FoundDocument) -> None:
        """Within a transaction: add what was found in the folder of a document."""
        if found.document is None:
            return
        self.catalogue.put_documents([found.document])
        self.catalogue.put_versions(found.versions)
        connection = self.catalogue.connection
        connection.executemany(_CLAIM, [(found.document.document_id, *place) for place in found.places])
        connection.executemany(_SETTLE_PLACE, [place.place_key for place in found.places])
        self.catalogue.full_text.replace((), found.chunks)

    def forget(self, document_id: str) -> None:
        """Within a transaction: take a document out again."""
        self.catalogue.full_text.remove([document_id])
        for table in ("versions", "documents"):
            self.catalogue.execute(f"DELETE FROM {table} WHERE document_id = ?", (document_id,))
        claimed = "DELETE FROM claims WHERE claimed_by = ? RETURNING source_id, key"
        for place in self.catalogue.execute(claimed, (document_id,)):
            self.catalogue.execute("DELETE FROM locations WHERE source_id = ? AND key = ?", place)
            self.catalogue.execute(_SETTLE_PLACE, place)

    def add_removals(self, removals: Mapping[PlaceKey, KnownPlace | None]) -> None:
        """Add the places that people removed documents from, where no document is; None: no removal holds there."""
        with self.catalogue.transaction():
            for place, row in removals.items():
                self.catalogue.execute(_FORGET_REMOVAL, place)
                if row is not None:
                    self.catalogue.execute(_ADD_REMOVAL, row)

    def carry_over(self, old: Path, *, trusted: bool) -> None:
        """Take over what no folder can say from the catalogue that was in force; nothing where it cannot be read.

        These are the places that no document came of (rejected, empty, failed, removed by a person), why the newest
        bytes of a place could not be read, and what kills parsers. With ``trusted`` they are all there are: what the
        trash says of removals is older.
        """
        connection = self.catalogue.connection
        connection.execute("ATTACH ? AS old", (str(old),))
        try:
            # It was removed in this moment, and what is attached is a new file without tables: SQLError.
            with contextlib.suppress(StoreError, apsw.SQLError), self.catalogue.transaction():
                self._carry_over(trusted=trusted)
        finally:
            connection.execute("DETACH old")

    def _carry_over(self, *, trusted: bool) -> None:
        if trusted:
            self.catalogue.execute(_KNOWN_PLACES)
            self.catalogue.execute("DELETE FROM locations WHERE document_id IS NULL")
        for statement in _CARRY_OVER:
            self.catalogue.execute(statement)

    def end(self, *, previous_epoch: str) -> None:
        """Begin a new epoch: who follows the change feed compares what it has with what is here."""
        with self.catalogue.transaction():
            self.catalogue.execute("DELETE FROM changes")
            self.catalogue.execute("REPLACE INTO meta VALUES ('previous_epoch', ?)", (previous_epoch,))
        self.catalogue.empty_log()

    def counts(self) -> tuple[int, int]:
        """Return the numbers of documents and of their versions."""
        return (
            int(self.catalogue.value("SELECT count(*) FROM documents")),
            int(self.catalogue.value("SELECT count(*) FROM versions")),
        )

    def problems(self, layout: Layout) -> list[FolderProblem]:
        """Return the documents whose places all belong to documents that came there later."""
        sql = (
            "SELECT collection_id, document_id FROM documents d WHERE state = 'active'"
            " AND NOT EXISTS (SELECT 1 FROM locations l WHERE l.document_id = d.document_id)"
        )
        return [
            FolderProblem(
                str(layout.document(row[0], row[1]).relative_to(layout.root)),
                "another document came to its place later; it is kept, and searchable",
            )
            for row in self.catalogue.execute(sql)
        ]

    def close(self) -> None:
        """Close the catalogue as one file, with nothing next to it."""
        self.catalogue.execute("PRAGMA journal_mode = DELETE")
        self.catalogue.close()
