"""A listing on its way to a plan: a scratch database next to the job, so that 100,000 items need no memory.

It is not durable against power cuts and need not be: after one it is made again. After ``kill -9`` it still holds every
page whose cursor it names, so a long listing continues from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import apsw
import orjson

from ingest_tui.model.attachments import mark_in, mark_of
from ingest_tui.model.clock import storable_ns
from ingest_tui.model.descriptor import Descriptor, ListingPage
from ingest_tui.model.keys import key_from_bytes
from ingest_tui.model.members import containers_of
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.plan import (
    KILLS_BEFORE_QUARANTINE,
    PlanRules,
    Quarantine,
    pair_moves,
    plan_listed,
    plan_vanished,
    schema_in,
)
from ingest_tui.model.plan_line import PlanLine
from ingest_tui.model.source import KEPT_SOURCE
from ingest_tui.model.unicode import as_unicode
from ingest_tui.store.catalogue.stored_presence import IS_MISSING, StoredPresence
from ingest_tui.store.fs.atomic import make_private
from ingest_tui.store.kept_places import Adoption

_STEPS_BETWEEN_QUESTIONS = 20_000
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SCHEMA = """
CREATE TABLE listed (
    key TEXT PRIMARY KEY, uri TEXT NOT NULL, fingerprint TEXT NOT NULL, size INTEGER, modified_ns INTEGER,
    refusal TEXT, identity TEXT, media_type TEXT, metadata TEXT
) WITHOUT ROWID;
CREATE TABLE progress (name TEXT PRIMARY KEY, value TEXT);
"""
_KNOWN = ", ".join(f"l.{name}" for name in KnownPlace._fields)
# Where the columns of `_KNOWN` begin in the rows of the plan, and where two of them are.
_KNOWN_AT = 10
_DOCUMENT_AT, _OUTCOME_AT = (_KNOWN_AT + KnownPlace._fields.index(name) for name in ("document_id", "outcome"))
_UNCHANGED = (
    "l.fingerprint = d.fingerprint AND d.fingerprint <> '' AND l.uri = d.uri AND d.refusal IS NULL"
    " AND d.metadata IS NULL AND NOT :force"
    " AND substr(l.ruleset, instr(l.ruleset || ':', ':')) = :schema"
    " AND (substr(l.ruleset, 1, instr(l.ruleset, '@')) = :attachments OR NOT may_have_attachments(d.key))"
)
_NOT_TAKEN = {"rejected", "empty", "failed"}
# What a person removed stays known without its item: it must not come back with it.
_VANISHED = (
    "FROM catalogue.locations l WHERE l.source_id = ? AND (l.removed_sha256 = '' OR l.document_id IS NOT NULL)"
    f" AND ({IS_MISSING})"
)
# Within a document, such as a mail: an archive is none. Where attachments are no documents any more, these go as well.
_IS_ATTACHED = (
    "l.container <> '' AND EXISTS (SELECT 1 FROM catalogue.locations p WHERE p.source_id = l.source_id"
    " AND p.key IN (SELECT value FROM json_each(containers_of(l.key, l.container))) AND p.document_id IS NOT NULL)"
)
_VANISHED_OR_ATTACHED = _VANISHED.replace(IS_MISSING, f"{IS_MISSING} OR {_IS_ATTACHED}")
_KNOWN_DOCUMENTS = "SELECT count(*) FROM catalogue.locations WHERE source_id = ? AND document_id IS NOT NULL"
_FAILED_FOR_GOOD = (
    "SELECT EXISTS (SELECT 1 FROM catalogue.locations WHERE source_id = ? AND outcome = 'failed' AND fingerprint <> '')"
)
_LISTED = "d.key, d.uri, d.fingerprint, d.size, d.modified_ns, d.refusal, d.identity, d.media_type, d.metadata"


class ListingScratch:
    """What a listing has named so far, joined with what the catalogue knows."""

    def __init__(self, path: Path, *, resume: bool) -> None:
        self._path = path
        self._attached = False
        self._vanished = _VANISHED
        self.known_documents = 0
        """How many documents the catalogue knew of the source when it was last asked for a plan."""
        if not resume:
            self.discard(path)
        try:
            self._open()
            is_whole = self._progress("boot") == _boot_id()
            self.cursor = self._progress("cursor")
        except (apsw.NotADBError, apsw.CorruptError, apsw.SQLError):
            is_whole = False
        if not is_whole:
            # Written before the machine went down: pages may be lost although their cursor is there.
            self._connection.close(True)
            self.discard(path)
            self._open()
            self.cursor = None

    def _open(self) -> None:
        make_private(self._path)
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
        self._connection = apsw.Connection(f"file:{quote(str(self._path))}", flags=flags)
        self._path.chmod(0o600)
        # The first one first: to choose the log writes to the file, which would be waited for otherwise.
        for pragma in ("synchronous = OFF", "journal_mode = WAL", "temp_store = FILE", "cache_size = -16000"):
            self._connection.execute(f"PRAGMA {pragma}")
        if not list(self._connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'listed'")):
            with self._connection:
                self._connection.execute(_SCHEMA)
                self._connection.execute("REPLACE INTO progress VALUES ('boot', ?)", (_boot_id(),))

    @staticmethod
    def discard(path: Path) -> None:
        """Remove a scratch database."""
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)

    def add(self, page: ListingPage) -> None:
        """Keep a page and its cursor, both or neither. An item named again replaces the earlier one.

        An item whose name is no Unicode is kept under a name that is, and refused: it costs itself and not the job.
        """
        try:
            self._keep(page)
        except (UnicodeEncodeError, TypeError):
            self._keep(page._replace(descriptors=[_in_unicode(descriptor) for descriptor in page.descriptors]))

    def _keep(self, page: ListingPage) -> None:
        with self._connection:
            if page.restarts:
                self._forget_items()
            self._connection.executemany(
                "REPLACE INTO listed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", map(_as_row, page.descriptors)
            )
            if page.cursor is not None:
                self._connection.execute("REPLACE INTO progress VALUES ('cursor', ?)", (page.cursor,))

    def begin(self, chosen_by: str) -> None:
        """Prepare for a listing under settings that ``chosen_by`` stands for.

        What an earlier attempt kept counts only when it can be resumed, and when the same settings chose it.
        """
        if self.cursor is None or self._progress("chosen_by") != chosen_by:
            with self._connection:
                self._forget_items()
                self._connection.execute("REPLACE INTO progress VALUES ('chosen_by', ?)", (chosen_by,))
            self.cursor = None

    def _forget_items(self) -> None:
        self._connection.execute("DELETE FROM listed")
        self._connection.execute("DELETE FROM progress WHERE name = 'cursor'")

    def _progress(self, name: str) -> str | None:
        rows = list(self._connection.execute("SELECT value FROM progress WHERE name = ?", (name,)))
        return rows[0][0] if rows else None

    def give_up_when(self, given_up: Callable[[], bool]) -> None:
        """End a statement with `apsw.InterruptError` once ``given_up`` says yes; asked every few milliseconds."""
        self._connection.set_progress_handler(given_up, _STEPS_BETWEEN_QUESTIONS)

    def count(self) -> int:
        """Return the number of listed items."""
        return int(next(iter(self._connection.execute("SELECT count(*) FROM listed")))[0])

    def presence_at(self, catalogue: Path, source_id: str, key: str) -> StoredPresence:
        """Return what is known at and below a key of the source, and how much of it this listing names."""
        self.join(catalogue)
        return StoredPresence(self._connection, source_id, key)

    def join(self, catalogue: Path) -> None:
        """Compare with this file from now on, whichever is named later: a copy, where the catalogue cannot be.

        It is only read: who could write would also move what is in its side files when it is closed.
        """
        if not self._attached:
            self._connection.execute("ATTACH ? AS catalogue", (f"file:{quote(str(catalogue))}?mode=ro",))
            self._attached = True

    def plan(
        self,
        catalogue: Path,
        source_id: str,
        *,
        complete: bool,
        rules: PlanRules,
        parsers: Callable[[], str] = str,
        is_same: Callable[[KnownPlace, Descriptor], bool] = lambda _known, _descriptor: False,
    ) -> Iterator[PlanLine]:
        """Yield the actions of `plan_actions` for this listing against the catalogue, streaming from disk.

        ``parsers`` returns what stands for the parsers as they are now; called only when something failed by one.
        ``is_same`` is asked whether an item is unchanged although its fingerprint differs from the known one.
        """
        self._prepare(catalogue, rules)
        self.known_documents = int(self._value(_KNOWN_DOCUMENTS, source_id))
        if not rules.force and self._value(_FAILED_FOR_GOOD, source_id):
            rules = replace(rules, parsers=parsers())
        vanished = self._count_vanished(source_id) if complete else 0
        moves = self._pair_moves(source_id) if vanished and not rules.force else {}
        quarantined = {} if rules.force else self._quarantined(source_id, parsers)
        for row in self._listed_and_known(source_id, rules):
            if row[0] and row[_OUTCOME_AT] not in _NOT_TAKEN:
                # What `plan_listed` would say of it, without the detour: nearly all items of most syncs.
                yield PlanLine(
                    "skip", "same_fingerprint", row[1], row[2], "", row[3], row[4], row[5], row[_DOCUMENT_AT]
                )
                continue
            known = KnownPlace(*row[_KNOWN_AT:]) if row[_KNOWN_AT] is not None else None
            descriptor = _as_descriptor(row[1:_KNOWN_AT])
            if known is not None and known.fingerprint and not row[0] and is_same(known, descriptor):
                known = known._replace(fingerprint=descriptor.fingerprint)
            yield plan_listed(
                descriptor,
                known,
                moved_from=moves.get(row[1]),
                rules=rules,
                quarantine=quarantined.get(row[1]),
            )
        if vanished:
            yield from self._plan_vanished(source_id, moves, rules)

    def _prepare(self, catalogue: Path, rules: PlanRules) -> None:
        """Give the statements below what they ask about a key, and say which places are missing by these rules."""
        self.join(catalogue)
        keeps_attachments = mark_in(rules.ruleset) == mark_of("documents")
        self._vanished = _VANISHED if keeps_attachments else _VANISHED_OR_ATTACHED
        may_have_attachments = cast("Any", rules.may_have_attachments)
        self._connection.create_scalar_function("may_have_attachments", may_have_attachments, 1, deterministic=True)
        self._connection.create_scalar_function("containers_of", cast("Any", _containers_of), 2, deterministic=True)

    def _listed_and_known(self, source_id: str, rules: PlanRules) -> Iterator[tuple[Any, ...]]:
        """Yield of each listed item whether it is unchanged, the columns of `_LISTED`, and those of `_KNOWN`."""
        return self._connection.execute(
            f"SELECT {_UNCHANGED}, {_LISTED}, {_KNOWN} FROM listed d LEFT JOIN catalogue.locations l"
            " ON l.source_id = :source AND l.key = d.key AND l.container = '' ORDER BY d.key",
            {
                "source": source_id,
                "force": rules.force,
                "schema": schema_in(rules.ruleset),
                "attachments": mark_in(rules.ruleset),
            },
        )

    def refuse_unchanged(
        self, catalogue: Path, source_id: str, refusals: Iterable[tuple[str, tuple[str, str]]]
    ) -> None:
        """Refuse listed items by key, with reason and detail, if they are what the catalogue knows of the source."""
        self.join(catalogue)
        with self._connection:
            self._connection.executemany(
                "UPDATE listed SET refusal = ?1 WHERE key = ?2 AND refusal IS NULL AND fingerprint <> ''"
                " AND fingerprint ="
                " (SELECT l.fingerprint FROM catalogue.locations l WHERE l.source_id = ?3 AND l.key = listed.key)",
                ((orjson.dumps(refusal).decode(), key, source_id) for key, refusal in refusals),
            )

    def missing_items(self, catalogue: Path, source_id: str, after: str, at_most: int) -> list[tuple[str, str, str]]:
        """Return key, address and fingerprint of known items that are not listed, by key, those after a key."""
        self.join(catalogue)
        sql = f"SELECT l.key, l.uri, l.fingerprint {_VANISHED} AND l.container = '' AND l.key > ?"
        rows = self._connection.execute(f"{sql} ORDER BY l.key LIMIT ?", (source_id, after, at_most))
        return [(str(key), str(uri), str(fingerprint)) for key, uri, fingerprint in rows]

    def kept_places(self, catalogue: Path, collection_id: str) -> list[Adoption]:
        """Return the kept places of a collection whose addresses are listed, those with a document first.

        There are none in most workspaces.
        """
        self.join(catalogue)
        if not list(
            self._connection.execute("SELECT 1 FROM catalogue.locations WHERE source_id = ? LIMIT 1", (KEPT_SOURCE,))
        ):
            return []
        rows = self._connection.execute(
            "SELECT l.key, d.key, d.uri FROM listed d CROSS JOIN catalogue.locations l"
            " WHERE l.uri = d.uri AND l.source_id = ? AND l.collection_id = ?"
            " ORDER BY l.document_id IS NULL, d.key, l.key",
            (KEPT_SOURCE, collection_id),
        )
        return [Adoption(*row) for row in rows]

    def _quarantined(self, source_id: str, parsers: Callable[[], str]) -> dict[str, Quarantine]:
        """Return what kills the parsers as they are now; few, so they are held in memory."""
        sql = "SELECT key, fingerprint, reason, kills, parsers FROM catalogue.kills WHERE source_id = ? AND kills >= ?"
        rows = list(self._connection.execute(sql, (source_id, KILLS_BEFORE_QUARANTINE)))
        if not rows:
            return {}
        now = parsers()
        return {str(row[0]): Quarantine(*row[1:4]) for row in rows if row[4] == now}

    def _count_vanished(self, source_id: str) -> int:
        return int(self._value(f"SELECT count(*) {self._vanished}", source_id))

    def _value(self, sql: str, source_id: str) -> Any:
        return next(iter(self._connection.execute(sql, (source_id,))))[0]

    def _pair_moves(self, source_id: str) -> dict[str, KnownPlace]:
        """Return new keys whose fingerprint is that of a vanished document, each vanished one used once."""
        vanished = self._connection.execute(
            f"SELECT {_KNOWN} {_VANISHED} AND l.document_id IS NOT NULL AND l.container = '' AND l.fingerprint <> ''"
            " AND l.outcome <> 'failed' ORDER BY l.fingerprint, l.key",
            (source_id,),
        )
        fresh = self._connection.execute(
            "SELECT d.fingerprint, d.key FROM listed d WHERE d.refusal IS NULL AND d.fingerprint <> '' AND NOT EXISTS"
            " (SELECT 1 FROM catalogue.locations k WHERE k.source_id = ? AND k.key = d.key)"
            " ORDER BY d.fingerprint, d.key",
            (source_id,),
        )
        return pair_moves((KnownPlace(*row) for row in vanished), fresh)

    def _plan_vanished(self, source_id: str, moves: dict[str, KnownPlace], rules: PlanRules) -> Iterator[PlanLine]:
        moved = {known.key for known in moves.values()}
        gone = f"{self._vanished} AND l.document_id IS NOT NULL"
        documents = self._value(f"SELECT count(*) {gone}", source_id) - len(moved)
        if moved:  # what is attached to a document moves with it
            within = self._connection.execute(
                f"SELECT l.container, count(*) {gone} AND l.container <> '' GROUP BY l.container", (source_id,)
            )
            documents -= sum(int(number) for container, number in within if container in moved)
        rows = self._connection.execute(f"SELECT {_KNOWN} {self._vanished} ORDER BY l.key", (source_id,))
        entries = (KnownPlace(*row) for row in rows)
        yield from plan_vanished(
            (entry for entry in entries if entry.listed_key not in moved),
            known_documents=self.known_documents,
            listed=self.count(),
            rules=rules,
            vanished_documents=documents,
        )

    def close(self) -> None:
        """Close the database, whatever still reads from it; the file stays."""
        self._connection.close(True)


def _containers_of(key: str, listed_key: str) -> str:
    """Return the keys of the containers that a member is in, as JSON."""
    return orjson.dumps(containers_of(key, listed_key)).decode()


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def _in_unicode(descriptor: Descriptor) -> Descriptor:
    """Return a descriptor in which lone surrogates are written out; refused when they were in its key."""
    key, refusal, metadata = descriptor.key, descriptor.refusal, descriptor.metadata
    if as_unicode(key) != key:
        key = key_from_bytes(key.encode("utf-8", "surrogatepass"))
        refusal = ("invalid_name", "its name is not Unicode; this connector cannot ask for it again")
    return descriptor._replace(
        key=key,
        uri=as_unicode(descriptor.uri),
        fingerprint=as_unicode(descriptor.fingerprint),
        refusal=(refusal[0], as_unicode(refusal[1])) if refusal else None,
        identity=as_unicode(descriptor.identity) if descriptor.identity else None,
        metadata={as_unicode(name): as_unicode(value) for name, value in metadata.items()} if metadata else None,
    )


def _as_row(descriptor: Descriptor) -> tuple[object, ...]:
    if storable_ns(descriptor.modified_ns) != descriptor.modified_ns:
        descriptor = descriptor._replace(modified_ns=None)
    if descriptor.refusal is None and descriptor.metadata is None:
        return descriptor
    refusal = orjson.dumps(descriptor.refusal).decode() if descriptor.refusal else None
    metadata = orjson.dumps(descriptor.metadata).decode() if descriptor.metadata else None
    return (*descriptor[:5], refusal, *descriptor[6:8], metadata)


def _as_descriptor(row: tuple[object, ...]) -> Descriptor:
    if row[5] is None and row[8] is None:
        return Descriptor._make(row)
    refusal = tuple(orjson.loads(str(row[5]))) if row[5] else None
    metadata = orjson.loads(str(row[8])) if row[8] else None
    return Descriptor._make((*row[:5], refusal, *row[6:8], metadata))
