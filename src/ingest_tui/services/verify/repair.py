"""`verify --repair`: brings back what can be derived, asks the source for the rest, moves away what nobody can judge.

No only copy is deleted. It is done in rounds, each on what a verification has found, until nothing more can be done.
What was done is in the audit, line by line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from ingest_tui.model.clock import rfc3339_now, utc_now
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import BusyError, IngestError
from ingest_tui.model.inconsistency import FOLDERS_MADE_AGAIN, Inconsistency, Part
from ingest_tui.pipeline.embed.generations import known_generations
from ingest_tui.services.embedding import enqueue_embedding, waiting_embedding
from ingest_tui.services.verify.document_repair import DocumentRepair
from ingest_tui.services.verify.extraction_again import TextExtraction
from ingest_tui.services.verify.job_repair import JobRepair, rewrite_journal
from ingest_tui.services.verify.verify import VerifyProgress, VerifyScope, no_progress, verify
from ingest_tui.store.catalogue.consistency import begin_epoch
from ingest_tui.store.catalogue.contradictions import contradiction_in
from ingest_tui.store.catalogue.known_good import open_known_good_to_read
from ingest_tui.store.catalogue.rebuild import rebuild_catalogue
from ingest_tui.store.fs.atomic import FILE_MODE, FOLDER_MODE, make_folder, remove_tree
from ingest_tui.store.fs.leftovers import scratch_folder
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.quarantine import QuarantineFolder
from ingest_tui.store.removals import note_lost_removals
from ingest_tui.store.users import requester
from ingest_tui.store.vector_files import fault_of_vectors, vector_files
from ingest_tui.store.vector_log import begin_again, forget_rows
from ingest_tui.store.workspace import Workspace

_MOST_ROUNDS = 4
_LOCK_SECONDS = 30.0
_WITHOUT_DOCUMENT = {"unknown_file", "vectors_damaged", "leftover"}
_DOCUMENT_PARTS = {Part.CATALOGUE, Part.FULL_TEXT, Part.DOCUMENTS, Part.TRASH}


class Repaired(NamedTuple):
    """What was done about a subject, in words."""

    subject: str
    codes: tuple[str, ...]
    done: str

    def as_dict(self) -> dict[str, object]:
        """Return the JSON form."""
        return {"subject": self.subject, "codes": list(self.codes), "done": self.done}


def verify_and_repair(
    workspace: Workspace, scope: VerifyScope, on_progress: VerifyProgress = no_progress
) -> Iterator[Repaired | Inconsistency]:
    """Yield what was done, round by round, and last what is still not as it must be."""
    found = list(verify(workspace, scope, on_progress))
    before: set[tuple[str, str, int]] = set()
    for _round in range(_MOST_ROUNDS):
        identities = {one.identity for one in found}
        if identities == before:
            break
        done = list(_repair(workspace, found))
        yield from done
        if not done:
            break
        before = identities
        found = list(verify(workspace, scope, on_progress))
    yield from found


def _repair(workspace: Workspace, found: list[Inconsistency]) -> Iterator[Repaired]:
    with scratch_folder(workspace) as scratch, closing(TextExtraction(workspace, scratch)) as extraction:
        for one in _Round(workspace, extraction).repair(found):
            details: dict[str, Any] = {"codes": list(one.codes), "did": one.done}
            workspace.audit.add(at=rfc3339_now(), by=requester(), action="verify.repair", target=one.subject, **details)
            yield one


class _Round:
    """Repairs what one verification has found, in the order in which one thing rests on another."""

    def __init__(self, workspace: Workspace, extraction: TextExtraction) -> None:
        self._workspace = workspace
        self._layout = workspace.layout
        self._quarantine = QuarantineFolder(workspace.layout, utc_now())
        self._documents = DocumentRepair(workspace, self._quarantine, extraction)
        self._jobs = JobRepair(workspace, self._quarantine)

    def repair(self, found: list[Inconsistency]) -> Iterator[Repaired]:
        """Yield what was done."""
        yield from self._files(found)
        if any(one.code == "catalogue_damaged" for one in found):
            yield self._rebuild("catalogue_damaged")
            return
        yield from self._catalogue(found)
        yield from self._each_document(found)
        yield from self._full_text_and_feed(found)
        yield from self._each_job(found)
        yield from self._journals(found)
        yield from self._vectors(found)

    # Files

    def _files(self, found: Iterable[Inconsistency]) -> Iterator[Repaired]:
        for one in found:
            path = self._layout.root / one.subject
            if one.code == "too_open" and not path.is_symlink():
                path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)
                yield Repaired(one.subject, (one.code,), "only its owner has access again")
            elif one.code in {"planted_link", "unknown_file", "remembered_damaged"} and _is_there(path):
                place = self._quarantine.take(path, one.message)
                yield Repaired(one.subject, (one.code,), f"moved to {place}")
            elif one.code == "leftover" and _is_there(path):
                yield from self._leftover(one, path)
            elif one.code == "folder_of_workspace_missing" and one.subject in FOLDERS_MADE_AGAIN:
                make_folder(path, durable=True)
                yield Repaired(one.subject, (one.code,), "the folder is made again")

    def _leftover(self, one: Inconsistency, path: Path) -> Iterator[Repaired]:
        if path.parent == self._layout.jobs:
            self._workspace.jobs.sweep_half_made(path.name)
        elif path.is_dir():
            remove_tree(path)
        else:
            path.unlink(missing_ok=True)
        done = f"moved to {self._quarantine.take(path, one.message)}" if path.exists() else "removed"
        yield Repaired(one.subject, (one.code,), done)

    # The catalogue

    def _rebuild(self, code: str) -> Repaired:
        """Make the catalogue again; the old one is kept, since it may know texts that no folder has."""
        kept = [
            self._quarantine.copy(path, "the catalogue before it was made again")
            for path in sorted(self._layout.root.glob(f"{self._layout.catalogue.name}*"))
            if path.is_file() and path.stat().st_size
        ]
        report = rebuild_catalogue(self._layout)
        where = f"; the old one is in {kept[0]}" if kept else ""
        done = f"made again from {counted(report.documents, 'document')}{where}"
        return Repaired(self._layout.catalogue.name, (code,), done)

    def _catalogue(self, found: Iterable[Inconsistency]) -> Iterator[Repaired]:
        if any(one.code == "unfinished_change" for one in found):
            with self._workspace.committing():
                pass
            yield Repaired("", ("unfinished_change",), "the change is finished or undone")

    def _full_text_and_feed(self, found: Iterable[Inconsistency]) -> Iterator[Repaired]:
        codes = {one.code for one in found}
        if "full_text_differs" in codes:
            with self._workspace.committing() as writer, writer.catalogue.transaction():
                writer.catalogue.full_text.restore_words()
            yield Repaired("", ("full_text_differs",), "words and chunks agree again")
        if codes & {"feed_differs", "feed_has_gaps"} and "feed_not_written" not in codes:
            with self._workspace.committing() as writer:
                begin_epoch(writer.catalogue)
            yield Repaired("", ("feed_differs",), "the change feed begins again; its followers compare all documents")
        with closing(open_known_good_to_read(self._layout)) as catalogue:
            still_contradicts = "contradiction" in codes and bool(contradiction_in(catalogue))
        if "feed_not_written" in codes or still_contradicts:
            yield self._rebuild("contradiction" if still_contradicts else "feed_not_written")

    # Documents

    def _each_document(self, found: Iterable[Inconsistency]) -> Iterator[Repaired]:
        codes: dict[str, set[str]] = {}
        for one in found:
            is_of_document = one.kind.part in _DOCUMENT_PARTS and one.code not in _WITHOUT_DOCUMENT and one.subject
            if one.code == "unknown_folder":
                yield from self._done(one.subject, {one.code}, self._documents.repair_unknown(self._path(one)))
            elif is_of_document:
                codes.setdefault(one.subject, set()).add(one.code)
        for document_id, of_document in codes.items():
            if not of_document <= {"awaits_source", "awaits_person"}:
                yield from self._done(document_id, of_document, self._documents.repair(document_id, of_document))

    def _done(self, subject: str, codes: set[str], doing: Iterator[str]) -> Iterator[Repaired]:
        """Yield what is done; one document that cannot be repaired does not keep the others from it."""
        named = tuple(sorted(codes))
        try:
            yield from (Repaired(subject, named, done) for done in doing)
        except BusyError:
            raise
        except (IngestError, OSError) as error:
            yield Repaired(subject, named, f"could not be repaired: {error}")
        except (KeyError, TypeError, AttributeError) as error:  # values that nothing expects
            yield Repaired(subject, named, f"could not be repaired: {type(error).__name__}: {error}")

    def _path(self, one: Inconsistency) -> Path:
        return self._layout.root / one.subject

    # Jobs and journals

    def _each_job(self, found: Iterable[Inconsistency]) -> Iterator[Repaired]:
        for one in found:
            if one.kind.part in {Part.JOBS, Part.QUEUE}:
                for done in self._jobs.repair(one.subject, one.code):
                    yield Repaired(one.subject, (one.code,), done)

    def _journals(self, found: Iterable[Inconsistency]) -> Iterator[Repaired]:
        for one in found:
            path = self._layout.root / one.subject
            if one.code in {"journal_damaged", "log_damaged"}:
                with self._workspace.committing():  # whoever removes documents writes one of them
                    for done in rewrite_journal(self._quarantine, path) if path.is_file() else ():
                        yield Repaired(one.subject, (one.code,), done)
            if path == self._layout.removals:
                yield from self._removals(one)
            if one.code == "audit_head_damaged":
                self._workspace.audit.note_end()
                yield Repaired(one.subject, (one.code,), "where the audit ends is noted again")
        if any(one.code == "audit_chain_broken" for one in found):
            breaks = list(self._workspace.audit.breaks())
            self._workspace.audit.acknowledge(breaks, at=rfc3339_now(), by=requester())
            done = "its breaks are acknowledged in it; no line is changed"
            yield Repaired(self._layout.audit.name, ("audit_chain_broken",), done)

    def _removals(self, one: Inconsistency) -> Iterator[Repaired]:
        with self._workspace.committing() as writer:
            lost = note_lost_removals(self._layout, writer.catalogue)
        if lost:
            done = f"{counted(lost, 'removal is', 'removals are')} noted again from the catalogue"
            yield Repaired(one.subject, (one.code,), done)

    # Vectors

    def _vectors(self, found: Iterable[Inconsistency]) -> Iterator[Repaired]:
        due: dict[str, bool] = {}
        for one in found:
            if one.code == "vectors_damaged":
                for collection_id, done in self._vector_files(one):
                    due[collection_id] = True
                    yield Repaired(one.subject, (one.code,), done)
            elif one.code == "vector_index_damaged":
                _vectors, collection_id, key = one.subject.split("/")
                lock = FileLock(self._layout.vector_log_lock(collection_id, key))
                lock.acquire(_LOCK_SECONDS, what="the vectors of the collection")
                with lock:
                    self._begin_rows_again(collection_id, key)
                due.setdefault(collection_id, False)
                yield Repaired(one.subject, (one.code,), "removed; it is made again from the vectors of the documents")
        for collection_id, everything in due.items():
            with suppress(IngestError):  # it has no embedder any more
                waiting = waiting_embedding(self._workspace, collection_id)
                if waiting is None or (everything and not waiting.options.get("all")):
                    job = enqueue_embedding(self._workspace, collection_id, everything=everything)
                    yield Repaired(collection_id, ("vectors_damaged",), f"queued as {job.job_id}")

    def _begin_rows_again(self, collection_id: str, key: str) -> None:
        folder = self._layout.vector_log(collection_id, key)
        known = known_generations(self._workspace, collection_id).generations
        space = next((one.space for one in known if one.key == key), None)
        if space is None:
            forget_rows(folder)
        else:
            begin_again(folder, space)

    def _vector_files(self, one: Inconsistency) -> Iterator[tuple[str, str]]:
        with self._workspace.committing() as writer:
            document = writer.catalogue.documents([one.subject]).get(one.subject)
            if document is None:
                return
            is_retired = document.state == "retired"
            folder = self._workspace.document_store.folder(
                document.collection_id, one.subject, one.version, retired=is_retired
            )
            for path in vector_files(folder):
                if fault_of_vectors(path):
                    yield document.collection_id, f"{path.name} is moved to {self._quarantine.take(path, one.message)}"


def _is_there(path: Path) -> bool:
    return path.is_symlink() or path.exists()
