"""The one way to change catalogue and folders together: a `StoreChange`, carried out by the holder of the commit lock.

The order is what makes a crash harmless: (1) what is to be placed and the intents are durable, (2) folders are moved
into documents/, durably, (3) notes are written into the folders of documents that move to the trash, durably, (4) the
catalogue commits, (5) folders are moved to the trash, and last the intents are cleared. Before (4) repair undoes,
after it repair finishes. What needs room on the disk is written before (4).
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import NamedTuple, Protocol

import apsw

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.document import Chunk, Document
from ingest_tui.model.errors import IngestError
from ingest_tui.model.place import KnownPlace, PlaceKey
from ingest_tui.store import intents
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.rows import KillRow, VersionRow
from ingest_tui.store.commit_lock import FOR_A_COMMAND, CommitLock
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.intents import IntentJournal, Repair
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.audit import AuditLog
from ingest_tui.store.removals import note_removals

_REINDEXED_AT_ONCE = 500
"""Chunks of an old catalogue that each writer brings into the new full text: some 50 ms."""


class Chunks(Protocol):
    """The chunks of a document: their number, and they themselves."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Chunk]: ...


class PlacedVersion(NamedTuple):
    """A complete version folder, on the file system of the workspace, and the document whose version it becomes."""

    folder: Path | str
    document: Document


class EarlierVersion(NamedTuple):
    """A version that is not the current one of its document."""

    collection_id: str
    document_id: str
    version: int


class Settled(NamedTuple):
    """What became of the documents that had lost a place: retired, or kept at another one."""

    retired: list[Document]
    kept: list[Document]


@dataclass(slots=True)
class StoreChange:
    """What a change will write, gathered before anything is touched.

    ``documents`` are rows to put; one whose ``state`` is retired goes to the trash, one that is in ``returned`` comes
    out of it. ``left`` are documents that lose a place: retired when it was their last. ``noted`` are documents whose
    places change. ``forgotten`` places are deleted before ``locations`` are put. ``rechunked`` documents lose their
    chunks before ``chunks`` are added, which are asked for when the placed versions are where they belong. ``purged``
    documents are in the trash, and are deleted with all that is known. ``pruned`` versions are deleted; their documents
    are active and have a later one.
    ``at``, ``by`` and ``reason`` are noted in what is retired, with the places in ``remembered`` if any; ``reasons``
    are those of documents that are retired for another one.
    """

    at: str
    by: str
    reason: str = "replaced"
    placed: list[PlacedVersion] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)
    versions: list[VersionRow] = field(default_factory=list)
    locations: dict[PlaceKey, KnownPlace] = field(default_factory=dict)
    forgotten: set[PlaceKey] = field(default_factory=set)
    chunks: dict[str, Chunks] = field(default_factory=dict)
    rechunked: set[str] = field(default_factory=set)
    noted: set[str] = field(default_factory=set)
    returned: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    purged: list[Document] = field(default_factory=list)
    pruned: list[EarlierVersion] = field(default_factory=list)
    kills: list[KillRow] = field(default_factory=list)
    cleared_kills: set[PlaceKey] = field(default_factory=set)
    remembered: dict[str, list[KnownPlace]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def renamed(self) -> set[str]:
        """Return the documents that may have another name, and whose chunks stay as they are."""
        active = {name for name, document in self.documents.items() if document.state == "active"}
        return active - self.chunks.keys()

    def put_location(self, row: KnownPlace) -> None:
        """Add what is known of a place from now on."""
        self.locations[row.source_id, row.key] = row

    def retirement_note(self, document_id: str) -> dict[str, object]:
        """Return what retired.json says of a document that this change retires."""
        reason = self.reasons.get(document_id, self.reason)
        note: dict[str, object] = {"retired_at": self.at, "reason": reason, "by": self.by}
        if places := self.remembered.get(document_id):
            note["locations"] = [place._asdict() for place in places]
        return note


@contextlib.contextmanager
def committing(
    layout: Layout,
    catalogue: Catalogue,
    store: DocumentStore,
    *,
    seconds: float = FOR_A_COMMAND,
    between_tries: Callable[[], None] = lambda: None,
) -> Iterator[StoreWriter]:
    """Hold the commit lock, as `CommitLock.held`, with what an earlier holder left unfinished repaired."""
    with CommitLock(layout).held(seconds=seconds, between_tries=between_tries):
        catalogue.follow_the_file()  # it may have been made again while the lock was waited for
        writer = StoreWriter(layout, catalogue, store)
        writer.repair()
        yield writer


def repair_if_free(layout: Layout, open_catalogue: Callable[[], Catalogue], store: DocumentStore) -> None:
    """Repair what a holder of the commit lock left, unless somebody holds it or nothing can be written."""
    if not IntentJournal(layout).is_pending():
        return
    # Whatever is in the way, whoever commits next meets it and reports it.
    with (
        contextlib.suppress(Exception),
        contextlib.closing(open_catalogue()) as catalogue,
        CommitLock(layout).held_if_free() as is_ours,
    ):
        if is_ours:
            StoreWriter(layout, catalogue, store).repair()


class StoreWriter:
    """Changes catalogue and folders. Exists only while its maker holds the commit lock; see `committing`."""

    def __init__(self, layout: Layout, catalogue: Catalogue, store: DocumentStore) -> None:
        self.catalogue = catalogue
        self._layout = layout
        self._store = store
        self._intents = IntentJournal(layout)

    def repair(self, *, is_rebuilt: bool = False) -> None:
        """Finish or undo an unfinished change; what could not be put right is kept, and noted in the audit.

        ``is_rebuilt``: as of `Repair`. A named document whose places all belong to others is retired then.
        """
        if not self._intents.is_pending():
            return
        if is_rebuilt:
            self._retire_without_places({line["document_id"] for line in self._intents.read()})
        report = Repair(self._layout, self.catalogue, self._store, is_rebuilt=is_rebuilt).run()
        if report.kept:
            at = rfc3339_now()
            AuditLog(self._layout).add(at=at, by="repair", action="store.repair", target="", kept=report.kept)

    def _retire_without_places(self, document_ids: set[str]) -> None:
        with self.catalogue.transaction():
            settled = settle_documents_without_places(self.catalogue, document_ids, rfc3339_now())
            self.catalogue.full_text.remove(document.document_id for document in settled.retired)
            self.catalogue.full_text.rename(document.document_id for document in settled.kept)

    def undo(self, lines: list[intents.IntentLine]) -> None:
        """Undo what these intents announced, as far as the catalogue does not know of it."""
        self._intents.announce(lines)
        self.repair()

    def carry_out(self, change: StoreChange) -> Settled:
        """Make a change durable, whole or not at all.

        What fails is undone or finished at once if the disk allows it, else by the next who takes the commit lock.
        """
        self.repair()  # after a change that failed, and whose repair failed too
        for _folder, document in change.placed:
            self._store.free_place(document.collection_id, document.document_id, document.version)
        settled = self._carry_out(change)
        if self.catalogue.full_text.is_incomplete:
            with contextlib.suppress(OSError, apsw.Error, IngestError):  # the change itself is made
                self.continue_reindex()
        return settled

    def continue_reindex(self) -> None:
        """Bring some chunks of an old catalogue into the new full text, in a transaction of their own."""
        with self.catalogue.transaction():
            self.catalogue.full_text.continue_reindex(_REINDEXED_AT_ONCE)

    def _carry_out(self, change: StoreChange) -> Settled:
        lines = self._intents_of(change)
        if not lines:
            return self._write_catalogue(change)
        try:
            self._intents.announce(lines)
            self._move_in(change)
            settled = self._write_catalogue(change)
            self._move_out(change, settled)
            self._intents.clear()
        except BaseException:
            with contextlib.suppress(OSError, apsw.Error, IngestError):
                self.repair()
            raise
        return settled

    def _intents_of(self, change: StoreChange) -> list[intents.IntentLine]:
        root = f"{self._layout.root}/"
        lines = [
            intents.placing(
                document.collection_id, document.document_id, document.version, str(folder).removeprefix(root)
            )
            for folder, document in change.placed
        ]
        settled = change.left | change.noted | change.returned | set(_retired_by(change))
        lines += [intents.settling(name, note=change.retirement_note(name)) for name in sorted(settled)]
        lines += [intents.purging(document.collection_id, document.document_id) for document in change.purged]
        lines += [intents.pruning(*earlier) for earlier in change.pruned]
        return lines

    def _move_in(self, change: StoreChange) -> None:
        """Steps (1) and (2)."""
        if not change.placed and not change.returned:
            return
        self._store.sync()
        for document_id in sorted(change.returned):
            self._store.bring_back(change.documents[document_id].collection_id, document_id)
        seen: set[str] = set()
        for folder, document in change.placed:
            self._store.place(folder, document.collection_id, document.document_id, document.version, seen=seen)
        self._store.sync()

    def _write_catalogue(self, change: StoreChange) -> Settled:
        """Steps (3) and (4)."""
        catalogue = self.catalogue
        note_removals(self._layout, catalogue, change.locations, change.forgotten)
        with catalogue.transaction():
            self._write_rows(change)
            settled = settle_documents_without_places(catalogue, change.left, change.at)
            catalogue.full_text.remove(document.document_id for document in settled.retired)
            catalogue.full_text.rename(document.document_id for document in settled.kept)
            self._note_retirements(change, [*settled.retired, *_retired_by(change).values()])
            # Before the catalogue commits: a note ahead of it is corrected by the repair.
            kept = {document.document_id for document in settled.kept}
            self._note_places(change.noted | kept | self._returned_with_note(change))
        return settled

    def _write_rows(self, change: StoreChange) -> None:
        catalogue = self.catalogue
        catalogue.put_documents(change.documents.values())
        catalogue.put_versions(change.versions)
        for source_id, keys in _by_source(change.forgotten):
            catalogue.forget_locations(source_id, keys)
        catalogue.put_locations(change.locations.values())
        catalogue.full_text.replace(
            [*change.rechunked, *_retired_by(change)], chain.from_iterable(change.chunks.values())
        )
        catalogue.full_text.rename(change.renamed())
        catalogue.put_kills(change.kills)
        for source_id, keys in _by_source(change.cleared_kills):
            catalogue.forget_kills(source_id, keys)
        catalogue.purge_documents(document.document_id for document in change.purged)
        catalogue.forget_versions((earlier.document_id, earlier.version) for earlier in change.pruned)

    def _note_retirements(self, change: StoreChange, retired: list[Document]) -> None:
        for document in retired:
            note = change.retirement_note(document.document_id)
            self._store.note_retirement(document.collection_id, document.document_id, note)
        if retired or change.purged:
            self._store.sync()

    def _note_places(self, document_ids: set[str]) -> None:
        documents = self.catalogue.documents(document_ids).values()
        self._store.note_locations(
            (document, self.catalogue.locations_of(document.document_id))
            for document in documents
            if document.state == "active"
        )

    def _returned_with_note(self, change: StoreChange) -> set[str]:
        """Return the documents that come out of the trash with a note of the places they had before."""
        return {name for name in change.returned if self._store.has_note(change.documents[name])}

    def _move_out(self, change: StoreChange, settled: Settled) -> None:
        """Step (5)."""
        retired = [*settled.retired, *_retired_by(change).values()]
        for document in retired:
            self._store.move_to_trash(document.collection_id, document.document_id)
        for document_id in change.returned:
            self._store.clear_retirement(change.documents[document_id].collection_id, document_id)
        for document in change.purged:
            self._store.purge(document.collection_id, document.document_id)
        for earlier in change.pruned:
            self._store.prune(*earlier)
        if retired or change.noted or change.returned or settled.kept or change.purged or change.pruned:
            self._store.sync()


def _retired_by(change: StoreChange) -> dict[str, Document]:
    """Return the documents that a change retires by name."""
    return {name: document for name, document in change.documents.items() if document.state == "retired"}


def _by_source(places: Iterable[PlaceKey]) -> Iterable[tuple[str, list[str]]]:
    keys = defaultdict(list)
    for source_id, key in places:
        keys[source_id].append(key)
    return keys.items()


def settle_documents_without_places(catalogue: Catalogue, document_ids: set[str], at: str) -> Settled:
    """Within a transaction: retire documents that have no place left, give the others a place they still have."""
    retired, kept = [], []
    for document in catalogue.documents(document_ids).values():
        if document.state != "active":
            continue
        places = catalogue.locations_of(document.document_id)
        if not places:
            retired.append(document._replace(state="retired", updated_at=at))
        elif all(place.place_key != (document.source_id, document.key) for place in places):
            first = places[0]
            is_member = bool(first.container)
            kept.append(document.placed_at(first.source_id, first.key, first.uri, at, is_member=is_member))
        else:
            kept.append(document)
    catalogue.put_documents([*retired, *kept])
    return Settled(retired, kept)
