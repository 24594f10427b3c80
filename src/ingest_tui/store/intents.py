"""The intent journal: what an unfinished change of catalogue and folders touches, and how it is finished or undone.

``intents.jsonl`` is written, durably, before a change moves the first folder, and emptied after the last. It names
documents, not steps: the transaction of the catalogue is the point at which a change counts, and repair makes the
folders of the named documents agree with the catalogue. Repairing twice, or what is whole already, changes nothing.

Whoever takes the commit lock repairs first what the last holder left, if it died or failed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest_tui.model.document import Document
from ingest_tui.model.safe_text import safe_display
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.fs.atomic import remove_tree, sweep_temporaries
from ingest_tui.store.layout import Layout, version_name
from ingest_tui.store.records.journal import Journal, read_journal

IntentLine = dict[str, Any]


def placing(collection_id: str, document_id: str, version: int, built_in: str) -> IntentLine:
    """Return the intent to place a version; ``built_in`` is its folder until then, relative to the workspace."""
    return {
        "intent": "place",
        "collection_id": collection_id,
        "document_id": document_id,
        "version": version,
        "built_in": built_in,
    }


def settling(document_id: str, *, note: IntentLine) -> IntentLine:
    """Return the intent to change where a document is, or whether it is retired; ``note``: for retired.json."""
    return {"intent": "settle", "document_id": document_id, "note": note}


def purging(collection_id: str, document_id: str) -> IntentLine:
    """Return the intent to delete a document that is in the trash."""
    return {"intent": "purge", "collection_id": collection_id, "document_id": document_id}


def pruning(collection_id: str, document_id: str, version: int) -> IntentLine:
    """Return the intent to delete an earlier version of a document."""
    return {"intent": "prune", "collection_id": collection_id, "document_id": document_id, "version": version}


@dataclass
class RepairReport:
    """What a repair has found: how many documents an unfinished change had named, and what it could not put right."""

    documents: int = 0
    kept: list[str] = field(default_factory=list)


class IntentJournal:
    """The journal of a workspace. Only the holder of the commit lock writes it."""

    def __init__(self, layout: Layout) -> None:
        self._path = layout.intents

    def is_pending(self) -> bool:
        """Whether a change is unfinished: under way, or left by a holder of the lock that died or failed."""
        try:
            return self._path.stat().st_size > 0
        except FileNotFoundError:
            return False

    def announce(self, lines: Iterable[IntentLine]) -> None:
        """Write what is about to be touched. Durable with the next sync of the file system, before anything moves."""
        with Journal(self._path) as journal:
            journal.append(lines, durable=False)

    def read(self) -> list[IntentLine]:
        """Return what was announced. A torn line is of a change that had not moved anything yet."""
        return list(read_journal(self._path))

    def clear(self) -> None:
        """Forget what is finished."""
        with Journal(self._path) as journal:
            journal.clear()


class Repair:
    """Finishes or undoes what the intents name. For the holder of the commit lock.

    ``is_rebuilt``: the catalogue was made from the folders, since the one that the change was made in is lost. What is
    in the folders counts then, and no version is taken out of them.
    """

    def __init__(self, layout: Layout, catalogue: Catalogue, store: DocumentStore, *, is_rebuilt: bool = False) -> None:
        self._layout = layout
        self._is_rebuilt = is_rebuilt
        self._catalogue = catalogue
        self._store = store
        self._intents = IntentJournal(layout)

    def run(self) -> RepairReport:
        """Make folders and catalogue agree, durably, and empty the journal; nothing happens where it is empty.

        Raises what the disk raises: the intents then stay for the next who tries.
        """
        report = RepairReport()
        if not self._intents.is_pending():
            return report
        lines = self._intents.read()
        for line in lines:
            if line["intent"] == "place":
                self._take_back_uncommitted(line, report)
        known = self._catalogue.documents({line["document_id"] for line in lines})
        self._agree(known, {line["document_id"]: line["note"] for line in lines if line["intent"] == "settle"}, report)
        for line in lines:
            if line["intent"] == "purge" and line["document_id"] not in known:
                self._store.purge(line["collection_id"], line["document_id"])
            elif line["intent"] == "prune" and not self._catalogue.has_version(line["document_id"], line["version"]):
                self._store.prune(line["collection_id"], line["document_id"], line["version"])
        self._store.sync()
        self._intents.clear()
        report.documents = len(known)
        return report

    def _take_back_uncommitted(self, line: IntentLine, report: RepairReport) -> None:
        """Bring a version that the catalogue does not know back to the job that built it, if that will continue."""
        collection_id, document_id, version = line["collection_id"], line["document_id"], line["version"]
        if self._catalogue.has_version(document_id, version):
            return
        built_in = self._layout.building_place(line["built_in"])
        if self._is_rebuilt and self._store.is_placed(collection_id, document_id, version):
            return  # it is damaged, and listed as that
        if built_in is None:
            report.kept.append(f"{safe_display(str(line['built_in']))} is no folder where versions are built")
        elif not self._store.take_back(collection_id, document_id, version, built_in):
            folder = self._layout.version(collection_id, document_id, version)
            if folder.exists():
                report.kept.append(f"{folder.relative_to(self._layout.root)} is not in the catalogue")
        elif not self._is_wanted(built_in):
            remove_tree(built_in)

    def _is_wanted(self, built_in: Path) -> bool:
        """Whether somebody will continue with what is built there: a job that has not ended."""
        job = built_in.relative_to(self._layout.root).parts[1]
        return built_in != self._layout.registering and self._layout.queue_entry(job).exists()

    def _agree(self, known: dict[str, Document], notes: dict[str, IntentLine], report: RepairReport) -> None:
        """Bring each document to where its state says that it is."""
        active = [document for document in known.values() if document.state == "active"]
        retired = [document for document in known.values() if document.state != "active"]
        for document in active:
            self._store.bring_back(document.collection_id, document.document_id)
            self._store.clear_retirement(document.collection_id, document.document_id)
            self._check(document, report)
        self._note_places(active)
        for document in retired:
            note = {"retired_at": document.updated_at, "reason": "repaired", "by": ""}
            note |= notes.get(document.document_id, {})
            self._store.note_retirement(document.collection_id, document.document_id, note, replace=False)
        self._store.sync()
        for document in retired:
            self._store.move_to_trash(document.collection_id, document.document_id)

    def _note_places(self, documents: Iterable[Document]) -> None:
        """Write document.json again where there is one, renamed into place or not yet: it may be ahead or behind."""
        noted = [document for document in documents if self._store.has_note(document)]
        for document in noted:
            list(sweep_temporaries(self._folder(document)))
        self._store.note_locations((document, self._catalogue.locations_of(document.document_id)) for document in noted)

    def _check(self, document: Document, report: RepairReport) -> None:
        if not (self._folder(document) / version_name(document.version)).exists():
            report.kept.append(f"the folder of document {document.document_id} is missing")

    def _folder(self, document: Document) -> Path:
        return self._layout.document(document.collection_id, document.document_id)
