"""One document repaired: folder, versions, rows and notes. What is in the folder counts; no only copy is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingest_tui.model.chunk_limits import DEFAULT_LIMITS, ChunkLimits
from ingest_tui.model.document import Document
from ingest_tui.model.errors import IngestError
from ingest_tui.services.verify.extraction_again import TextAgain, TextExtraction
from ingest_tui.services.verify.version_repair import VersionRepair, files_of
from ingest_tui.store import intents
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.consistency import (
    KnownDocument,
    forget_document,
    known_documents,
    places_naming,
)
from ingest_tui.store.catalogue.found_documents import FolderReader, FoundDocument
from ingest_tui.store.change import StoreWriter
from ingest_tui.store.document_preferences import DocumentLimits
from ingest_tui.store.fs.atomic import make_inner_folder
from ingest_tui.store.layout import version_name
from ingest_tui.store.quarantine import QuarantineFolder
from ingest_tui.store.verify.document_check import DocumentCheck
from ingest_tui.store.verify.remedies import owner_of
from ingest_tui.store.workspace import Workspace

_OF_ROWS = {
    "place_without_document", "place_in_other_collection", "document_without_place", "primary_place_unknown",
    "current_version_differs", "versions_differ", "chunks_differ", "chunk_text_differs", "unknown_folder",
    "same_content", "same_address", "version_damaged",
}  # fmt: skip
_OF_NOTES = {"retired_note_differs", "note_damaged", "noted_places_differ"}


class DocumentRepair:
    """Repairs documents, one at a time."""

    def __init__(self, workspace: Workspace, quarantine: QuarantineFolder, extraction: TextExtraction) -> None:
        self._workspace = workspace
        self._layout = workspace.layout
        self._store = workspace.document_store
        self._quarantine = quarantine
        self._extraction = extraction
        self._versions = VersionRepair(workspace, quarantine)
        self._check = DocumentCheck(workspace.layout, deep=True)

    def repair(self, document_id: str, codes: set[str]) -> Iterator[str]:
        """Yield what was done about a document; ``codes`` are those of what was found.

        Texts are read again before the commit lock is taken, which is held while files and rows change.
        """
        again = self._texts_again(document_id)
        with self._workspace.committing() as writer:
            known = _known(writer.catalogue, document_id)
            if known is None:
                yield from self._forget(writer.catalogue, document_id)
                return
            yield from self._folder(writer, known)
            known = _known(writer.catalogue, document_id)
            if known is None:
                return
            here = self._folder_of(known.document)
            if here.is_dir():
                yield from self._all_versions(writer, known, here, again)
                yield from self._agree(writer, document_id, codes)
            yield from self._ask_source(writer, document_id)

    def repair_unknown(self, folder: Path) -> Iterator[str]:
        """Yield what was done about the folder of a document that the catalogue does not know, or knows elsewhere."""
        if not folder.is_dir():
            return
        owner = owner_of(self._store, folder)
        known = _known(self._workspace.catalogue, owner) if owner else None
        if known is not None and folder in self._places_of(known.document):
            yield from self.repair(owner, {"unknown_folder"})
            return
        with self._workspace.committing() as writer:
            if known is not None and not self._existing_folder(known.document).exists():
                target = self._folder_of(known.document)
                make_inner_folder(target.parent)
                folder.rename(target)
                yield f"moved to {self._below(target)}, where its document is missed"
                return
            taken: list[str] = []
            if known is None:
                is_retired = folder.is_relative_to(self._layout.trash)
                taken = list(self._take_rows(writer.catalogue, folder.name, folder, retired=is_retired))
            yield from taken
            if not taken:
                yield self._moved(folder, "the folder of a document that nobody knows, or that is elsewhere")

    def _places_of(self, document: Document) -> tuple[Path, Path]:
        names = (document.collection_id, document.document_id)
        return self._layout.document(*names), self._layout.trashed(*names)

    # Texts, without the lock

    def _texts_again(self, document_id: str) -> dict[int, TextAgain]:
        """Return what the parsers make of versions whose text or record is lost, by number."""
        known = _known(self._workspace.catalogue, document_id)
        if known is None:
            return {}
        found = {}
        folder = self._existing_folder(known.document)
        for row in known.versions:
            path = folder / version_name(row.version)
            if not path.is_dir():
                continue
            files = files_of(self._workspace, path, document_id, row.version)
            if files.is_whole:
                continue
            raw = next((one for one in files.raw if one.is_file() and not one.is_symlink()), None)
            text = self._extraction.of(known.document, raw) if raw is not None else None
            if text is not None:
                found[row.version] = text
        return found

    # Where the folder is

    def _folder_of(self, document: Document) -> Path:
        active, retired = self._places_of(document)
        return retired if document.state == "retired" else active

    def _existing_folder(self, document: Document) -> Path:
        places = [self._folder_of(document), *self._places_of(document)]
        return next((path for path in places if path.is_dir()), places[0])

    def _folder(self, writer: StoreWriter, known: KnownDocument) -> Iterator[str]:
        """See to it that a document is in documents/ or in the trash, as it should be."""
        document = known.document
        active, retired = self._places_of(document)
        is_found = bool(known.places) or bool(writer.catalogue.full_text.chunks_of(document.document_id))
        is_retired = document.state == "retired"
        here, other = (retired, active) if is_retired else (active, retired)
        if here.is_dir():
            if other.is_dir():
                yield self._moved(other, "a second folder of a document, where it is not")
            return
        if not other.is_dir():
            if is_retired and self._trash_holds_any():
                with writer.catalogue.transaction():
                    writer.catalogue.purge_documents([document.document_id])
                yield "it was in the trash, and is gone: the catalogue forgets it"
            return
        if is_found == is_retired:  # its row has the wrong state, says all the rest
            yield from self._take_rows(writer.catalogue, document.document_id, other, retired=not is_retired)
            return
        self._settle(writer, document.document_id)
        yield f"its folder is moved to {self._below(here)}"

    def _trash_holds_any(self) -> bool:
        """Whether a document is in the trash: an empty or missing one may be a disk that is not mounted."""
        return any(path.is_dir() for path in self._layout.trash.glob("*/*"))

    def _forget(self, catalogue: Catalogue, document_id: str) -> Iterator[str]:
        with catalogue.transaction():
            catalogue.full_text.remove([document_id])
            forget_document(catalogue, document_id)
            for source_id, key in places_naming(catalogue, document_id):
                catalogue.forget_locations(source_id, [key])
        yield "rows without a document are removed"

    # Versions

    def _all_versions(
        self, writer: StoreWriter, known: KnownDocument, here: Path, again: dict[int, TextAgain]
    ) -> Iterator[str]:
        document, rows = known.document, {row.version: row for row in known.versions}
        on_disk = dict(self._store.version_folders(here))
        place = next(
            (row for row in known.places if (row.source_id, row.key) == (document.source_id, document.key)), None
        )
        for number, path in on_disk.items():
            files = files_of(self._workspace, path, document.document_id, number)
            if files.is_whole:
                continue
            row = rows.get(number)
            if row is not None:
                yield from self._versions.repair(writer.catalogue, path, row, document, place, again.get(number))
                if files_of(self._workspace, path, document.document_id, number).is_whole:
                    continue
            if row is None or number != document.version:
                yield self._moved(path, "a version that is not whole, and not the current one")
                yield from self._forget_version(writer.catalogue, document.document_id, number)
        for number in rows.keys() - on_disk.keys() - {document.version}:
            yield from self._forget_version(writer.catalogue, document.document_id, number)

    def _forget_version(self, catalogue: Catalogue, document_id: str, number: int) -> Iterator[str]:
        if catalogue.has_version(document_id, number):
            with catalogue.transaction():
                catalogue.forget_versions([(document_id, number)])
            yield f"the catalogue forgets {version_name(number)}, which is not in its folder"

    # Rows and notes

    def _agree(self, writer: StoreWriter, document_id: str, codes: set[str]) -> Iterator[str]:
        """Make rows and notes agree with what is in the folder now."""
        known = _known(writer.catalogue, document_id)
        if known is None:
            return
        here = self._folder_of(known.document)
        found = {one.code for one in self._check.of(writer.catalogue, known)} | (codes & _OF_ROWS)
        newest = here / version_name(self._store.highest_version(here))
        is_whole = newest.is_dir() and files_of(self._workspace, newest, document_id, _number(newest)).is_whole
        if found & _OF_ROWS and is_whole and _number(newest) >= known.document.version:
            is_retired = known.document.state == "retired"
            yield from self._take_rows(writer.catalogue, document_id, here, retired=is_retired)
        known = _known(writer.catalogue, document_id)
        if known is not None and {one.code for one in self._check.of(writer.catalogue, known)} & _OF_NOTES:
            yield from self._write_notes(writer, known, here)

    def _write_notes(self, writer: StoreWriter, known: KnownDocument, here: Path) -> Iterator[str]:
        for one in self._check.of(writer.catalogue, known):
            if one.code == "retired_note_differs" and (here / "retired.json").exists():
                yield self._moved(here / "retired.json", "the note of a retirement that cannot be used")
            elif one.code == "note_damaged":
                yield self._moved(here / "document.json", "a note of places that cannot be read")
        document = known.document
        self._settle(writer, document.document_id)
        if document.state == "retired":
            note = {"retired_at": document.updated_at, "reason": "repaired", "by": ""}
            self._store.note_trashed(document.collection_id, document.document_id, note)
        else:
            self._store.note_locations([(document, writer.catalogue.locations_of(document.document_id))])
        self._store.sync()
        yield "its notes are written again from the catalogue"

    def _settle(self, writer: StoreWriter, document_id: str) -> None:
        writer.undo([intents.settling(document_id, note={})])

    def _take_rows(self, catalogue: Catalogue, document_id: str, folder: Path, *, retired: bool) -> Iterator[str]:
        """Write the rows of a document again from its folder; nothing where that is not its folder."""
        reader = FolderReader(self._layout.root, self._store, self._limits_of)
        collection_id = folder.parent.name if retired else folder.parent.parent.name
        found = reader.read(collection_id, document_id, folder, retired=retired)
        if found.document is None or not found.document.raw_sha256:
            return
        before = _known(catalogue, document_id)
        with catalogue.transaction():
            self._put(catalogue, found, before)
        yield "its rows are written again from its folder"

    def _put(self, catalogue: Catalogue, found: FoundDocument, before: KnownDocument | None) -> None:
        document = found.document
        if document is None:
            return
        document_id = document.document_id
        places = {(row.source_id, row.key): row for row in found.places}
        for row in before.places if before is not None and not _is_retired(document) else ():
            if row.collection_id == document.collection_id and (row.source_id, row.key) not in places:
                places[row.source_id, row.key] = row
        for source_id, key in places_naming(catalogue, document_id):
            known = catalogue.locations(source_id, [key]).get(key)
            if known is not None and (source_id, key) in places and known.collection_id == document.collection_id:
                places[source_id, key] = known._replace(uri=places[source_id, key].uri)
            catalogue.forget_locations(source_id, [key])
        for place, row in list(places.items()):
            holder = catalogue.locations(place[0], [place[1]]).get(place[1])
            if row.document_id and holder is not None and holder.document_id and _lives(catalogue, holder.document_id):
                del places[place]
        catalogue.put_documents([document])
        forget_document(catalogue, document_id)
        catalogue.put_versions(found.versions)
        catalogue.put_locations(places.values())
        catalogue.full_text.replace([document_id], found.chunks)

    def _limits_of(self, collection_id: str, source_id: str, record: dict[str, Any]) -> ChunkLimits:
        try:
            return DocumentLimits(self._layout).of(collection_id, source_id, record)
        except IngestError:
            return DEFAULT_LIMITS

    # What is not here

    def _ask_source(self, writer: StoreWriter, document_id: str) -> Iterator[str]:
        """Have the next sync fetch a document again whose current version is not whole; what is found stays found."""
        catalogue = writer.catalogue
        known = _known(catalogue, document_id)
        if known is None or known.document.raw_sha256 == "":
            return
        document = known.document
        path = self._folder_of(document) / version_name(document.version)
        if path.is_dir() and files_of(self._workspace, path, document_id, document.version).is_whole:
            return
        containers = [
            row for place in known.places if place.container
            for row in catalogue.locations(place.source_id, [place.container]).values()
        ]  # fmt: skip
        with catalogue.transaction():
            catalogue.put_documents([document._replace(raw_sha256="", content_hash="")])
            catalogue.put_locations([row._replace(fingerprint="") for row in (*known.places, *containers)])
        yield f"{version_name(document.version)} is not whole, and nothing here has it: it is asked for again"

    def _moved(self, path: Path, why: str) -> str:
        name = self._below(path)
        return f"{name} is moved to {self._quarantine.take(path, why)}"

    def _below(self, path: Path) -> str:
        return str(path.relative_to(self._layout.root))


def _known(catalogue: Catalogue, document_id: str) -> KnownDocument | None:
    return next(iter(known_documents(catalogue, [document_id])), None)


def _number(version_folder: Path) -> int:
    return int(version_folder.name[1:]) if version_folder.name[1:].isdigit() else 0


def _is_retired(document: Document) -> bool:
    return document.state == "retired"


def _lives(catalogue: Catalogue, document_id: str) -> bool:
    found = catalogue.documents([document_id]).get(document_id)
    return found is not None and found.state == "active"
