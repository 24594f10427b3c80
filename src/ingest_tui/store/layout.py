"""Every path of a workspace, from one root. Nothing else joins workspace paths."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ingest_tui.model.identifiers import check_identifier

_STAGED_PARTS = 4  # jobs/<job>/staging/<item>
RAW_STEM = "raw"
NORMALIZED = "normalized.md"
INGESTION = "ingestion.json"
DOCUMENT = "document.json"
RETIRED = "retired.json"
REMOVED_COLLECTION = ".removed."
"""Before the identifier in the name of what the trash keeps of a collection: no identifier begins with a dot."""

RESTORE_MARK = ".tmp.restore"
SETTINGS = "workspace.json"


_VECTORS, _VECTORS_SUFFIX = "vectors-", ".safetensors"


def vectors_name(key: str) -> str:
    """Return the file name of a version's vectors of one generation, whose key begins with the id of its space."""
    return f"{_VECTORS}{check_identifier(key)}{_VECTORS_SUFFIX}"


def is_vectors_name(name: str) -> bool:
    """Return whether a file of a version has that name because it holds vectors, see `vectors_name`."""
    return name.startswith(_VECTORS) and name.endswith(_VECTORS_SUFFIX)


def version_name(version: int) -> str:
    """Return the folder name of a version: ``v0001``."""
    return f"v{version:04d}"


@dataclass(frozen=True, slots=True)
class JobLayout:
    """The paths of one job."""

    folder: Path

    @property
    def manifest(self) -> Path:
        return self.folder / "manifest.json"

    @property
    def plan(self) -> Path:
        return self.folder / "plan.jsonl"

    @property
    def plan_in_part(self) -> Path:
        """The plan while it is being written."""
        return self.folder / "plan.tmp"

    @property
    def damaged_plan(self) -> Path:
        """A plan that was found damaged, for whoever wants to know how."""
        return self.folder / "plan.damaged"

    @property
    def outcomes(self) -> Path:
        return self.folder / "outcomes.jsonl"

    @property
    def commits(self) -> Path:
        """Written by programs of workspace schema 1: version folders that were about to be moved into place."""
        return self.folder / "commits.jsonl"

    @property
    def listing(self) -> Path:
        """Scratch database of the listing; gone once the plan is on disk."""
        return self.folder / "listing.db"

    @property
    def log(self) -> Path:
        return self.folder / "log.jsonl"

    @property
    def requests(self) -> Path:
        return self.folder / "requests"

    @property
    def staging(self) -> Path:
        return self.folder / "staging"

    @property
    def lock(self) -> Path:
        return self.folder / "lock"

    @property
    def being_made(self) -> Path:
        """There until the first manifest is: a job without this and without a manifest has lost its manifest."""
        return self.folder / "being-made"


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of a workspace."""

    root: Path

    @property
    def settings(self) -> Path:
        return self.root / SETTINGS

    @property
    def restore_mark(self) -> Path:
        """There while a backup is restored to the folder, or after that was killed: it is no workspace yet."""
        return self.root / RESTORE_MARK

    @property
    def sources(self) -> Path:
        return self.root / "sources"

    @property
    def collections(self) -> Path:
        return self.root / "collections"

    @property
    def embedders(self) -> Path:
        """One small file for each embedder; made with the first one."""
        return self.root / "embedders"

    @property
    def rerankers(self) -> Path:
        """One small file for each reranker; made with the first one."""
        return self.root / "rerankers"

    @property
    def generations(self) -> Path:
        """One small file for each collection that has vectors; made with the first one."""
        return self.root / "generations"

    @property
    def vectors(self) -> Path:
        """What vector search reads: made from the vectors next to the documents, and may be removed at any time."""
        return self.root / "vectors"

    @property
    def jobs(self) -> Path:
        return self.root / "jobs"

    @property
    def queue(self) -> Path:
        """One empty file for each job that has not ended, so that nobody has to read every manifest."""
        return self.root / "queue"

    @property
    def notices(self) -> Path:
        """One small file for each ended job that hooks are still to be told of."""
        return self.root / "notices"

    @property
    def documents(self) -> Path:
        return self.root / "documents"

    @property
    def trash(self) -> Path:
        return self.root / "trash"

    @property
    def quarantine(self) -> Path:
        """What a repair could not judge, each with a note; nothing reads it, and nothing removes it."""
        return self.root / "quarantine"

    @property
    def workers(self) -> Path:
        """One file for each worker process, locked while it lives."""
        return self.root / "workers"

    @property
    def locks(self) -> Path:
        return self.root / "locks"

    @property
    def catalogue(self) -> Path:
        return self.root / "catalogue.db"

    @property
    def rebuilt_catalogue(self) -> Path:
        """A catalogue that is being made again, until it takes the place of the one in force."""
        return self.root / "catalogue.rebuild.db"

    @property
    def trash_clock(self) -> Path:
        """When the trash was last looked at, so that a clock that jumps does not empty it."""
        return self.root / "trash.json"

    @property
    def prune_note(self) -> Path:
        """When a worker pruned the workspace last, and what came of it."""
        return self.root / "prune.json"

    @property
    def removals(self) -> Path:
        """Which places people removed documents from."""
        return self.root / "removals.jsonl"

    @property
    def intents(self) -> Path:
        """What an unfinished change of catalogue and folders touches; empty at rest."""
        return self.root / "intents.jsonl"

    @property
    def parsers(self) -> Path:
        """One folder for each living parser process, in which it writes the texts it makes."""
        return self.root / "parsers"

    @property
    def ocr_pages(self) -> Path:
        """The texts of pages that OCR has read, by what stands for their pictures: a cache, which may be removed."""
        return self.root / "ocr-pages"

    @property
    def registering(self) -> Path:
        """Where a version is built that a script registers: one at a time, under the commit lock."""
        return self.documents / ".tmp.registered"

    def building_place(self, relative: str) -> Path | None:
        """Return the folder of that name below the root if versions are built there, else None.

        It was read from a journal; nothing outside of these places is to be moved or removed for what one says.
        """
        path = self.root / relative
        parts = Path(relative).parts
        is_staged = len(parts) == _STAGED_PARTS and (parts[0], parts[2]) == ("jobs", "staging")
        if path != self.registering and not (is_staged and not set(parts) & {"..", "/"}):
            return None
        return path if path.parent.resolve().is_relative_to(self.root.resolve()) else None

    @property
    def audit(self) -> Path:
        return self.root / "audit.jsonl"

    @property
    def audit_head(self) -> Path:
        """Where the audit ended when its last line was written."""
        return self.locks / "audit.head"

    @property
    def ignored(self) -> Path:
        """What people have said to ignore among the errors."""
        return self.root / "ignored.jsonl"

    @property
    def reserve_file(self) -> Path:
        """Room that is given back when the disk is full, so that this can be written down."""
        return self.root / "ballast"

    @property
    def access_tokens(self) -> Path:
        """The tokens of the HTTP server, without their secrets; made with the first one."""
        return self.root / "server-tokens.json"

    @property
    def server_answers(self) -> Path:
        """Answers of the HTTP server that it gives again for a day; may be removed at any time."""
        return self.root / "server-answers"

    @property
    def view_state(self) -> Path:
        """What the TUI remembers of its views."""
        return self.root / "tui.json"

    @property
    def worker_log(self) -> Path:
        """What workers say that were started detached; files that were put aside are next to it."""
        return self.root / "worker.log"

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that every workspace has."""
        return (
            self.sources,
            self.collections,
            self.jobs,
            self.queue,
            self.documents,
            self.trash,
            self.workers,
            self.locks,
        )

    @property
    def folders_made_when_needed(self) -> tuple[Path, ...]:
        """The folders that a workspace has once something needs them."""
        return (
            self.embedders,
            self.rerankers,
            self.generations,
            self.vectors,
            self.notices,
            self.root / "listings",
            self.root / "looks",
            self.root / "schedules",
            self.parsers,
            self.ocr_pages,
            self.server_answers,
            self.locks / "embedding",
            self.locks / "rechunking",
            self.locks / "source",
        )

    def source(self, source_id: str) -> Path:
        return self.sources / f"{check_identifier(source_id)}.json"

    def collection(self, collection_id: str) -> Path:
        return self.collections / f"{check_identifier(collection_id)}.json"

    def removed_collection(self, collection_id: str) -> Path:
        """What the trash keeps of a collection that was removed."""
        return self.trash / f"{REMOVED_COLLECTION}{check_identifier(collection_id)}.json"

    def generation_record(self, collection_id: str) -> Path:
        return self.generations / f"{check_identifier(collection_id)}.json"

    def vector_logs(self, collection_id: str) -> Path:
        return self.vectors / check_identifier(collection_id)

    def vector_log(self, collection_id: str, key: str) -> Path:
        """What vector search reads of a generation."""
        return self.vector_logs(collection_id) / check_identifier(key)

    def job(self, job_id: str) -> JobLayout:
        return JobLayout(self.jobs / check_identifier(job_id))

    def queue_entry(self, job_id: str) -> Path:
        return self.queue / check_identifier(job_id)

    def notice(self, job_id: str) -> Path:
        return self.notices / f"{check_identifier(job_id)}.json"

    def lock(self, name: str) -> Path:
        return self.locks / f"{check_identifier(name)}.lock"

    def source_lock(self, source_id: str) -> Path:
        """Held by the job that works on a source: one at a time."""
        return self.locks / "source" / f"{check_identifier(source_id)}.lock"

    def embedding_lock(self, collection_id: str) -> Path:
        """Held by the job that embeds a collection: one at a time."""
        return self.locks / "embedding" / f"{check_identifier(collection_id)}.lock"

    def building_lock(self, collection_id: str) -> Path:
        """Held by the job that builds the next generation of a collection. No identifier has the sign in it."""
        return self.locks / "embedding" / f"{check_identifier(collection_id)}@next.lock"

    def vector_log_lock(self, collection_id: str, key: str) -> Path:
        """Held by whoever writes what vector search reads of a generation."""
        return self.locks / "embedding" / f"{check_identifier(collection_id)}@{check_identifier(key)}.lock"

    def rechunking_lock(self, collection_id: str) -> Path:
        """Held by the job that cuts the texts of a collection again: one at a time."""
        return self.locks / "rechunking" / f"{check_identifier(collection_id)}.lock"

    def listing_memory(self, source_id: str) -> Path:
        """What the connector of a source remembers of its listings; may be removed at any time."""
        return self.root / "listings" / f"{check_identifier(source_id)}.db"

    def kept_files(self, source_id: str) -> Path:
        """What the connector of a source keeps of what it fetched; may be removed at any time."""
        return self.root / "listings" / f"{check_identifier(source_id)}.files"

    def look(self, source_id: str) -> Path:
        """What is known of the last look at a source; without it deletions are held for a person."""
        return self.root / "looks" / f"{check_identifier(source_id)}.json"

    def schedule_mark(self, source_id: str) -> Path:
        """What is remembered of the schedule of a source."""
        return self.root / "schedules" / f"{check_identifier(source_id)}.json"

    def document(self, collection_id: str, document_id: str) -> Path:
        """The folder of a document: its versions, and ``document.json`` where it has moved or has duplicates."""
        return self.documents / check_identifier(collection_id) / document_id[:2] / check_identifier(document_id)

    def version(self, collection_id: str, document_id: str, version: int) -> Path:
        return self.document(collection_id, document_id) / version_name(version)

    def trashed(self, collection_id: str, document_id: str) -> Path:
        return self.trash / check_identifier(collection_id) / check_identifier(document_id)
