"""The Python API: `open_workspace` and what hangs on it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from ingest_tui.model.argument_types import Given, Result, checks_types
from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.collection import CollectionPreferences
from ingest_tui.model.document import Document, IngestedDocument, SearchHit
from ingest_tui.model.errors import UsageError, ValidationError
from ingest_tui.model.foreign_errors import as_database_error
from ingest_tui.model.job import Manifest
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.source import Source
from ingest_tui.services import workers, workspaces
from ingest_tui.services.collections.collections import collection_in_use
from ingest_tui.services.collections.preferences import plan_preferences, save_preferences
from ingest_tui.services.documents import documents, search
from ingest_tui.services.documents.registration import register_document
from ingest_tui.services.documents.search_modes import SearchMode
from ingest_tui.services.jobs import jobs
from ingest_tui.services.name_lookup import collection_id_of, source_id_of
from ingest_tui.services.sources import sources
from ingest_tui.store.workspace import Workspace

ProgressCallback = Callable[[Manifest], None]


_LARGEST_VERSION = 2**63 - 1


def _ignore(_manifest: Manifest) -> None:
    """Do nothing with the progress of a job."""


def explained(method: Callable[Given, Result]) -> Callable[Given, Result]:
    """Let a method raise an `IngestError` with what to do where the catalogue is why it failed, as the commands do."""

    @functools.wraps(method)
    def called(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        try:
            return method(*args, **kwargs)
        except Exception as error:
            handle = cast(WorkspaceHandle, args[0])
            cause = workspaces.failure_of_catalogue(handle.workspace, error) or as_database_error(error)
            if cause is None:
                raise
            raise cause from error

    return called


class WorkspaceHandle:
    """A workspace for scripts: sources, jobs, documents, search, and `register`.

    Threads may share it: each has its own connection to the catalogue. Close it when none uses it any more.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the catalogue."""
        self.workspace.close()

    @property
    @explained
    def sources(self) -> list[Source]:
        """The sources, by identifier."""
        return self.workspace.sources.all()

    @property
    @explained
    def jobs(self) -> list[Manifest]:
        """The jobs, newest first."""
        return jobs.list_jobs(self.workspace)

    @property
    @explained
    def documents(self) -> list[Document]:
        """The searchable documents, by address."""
        return documents.list_documents(self.workspace, limit=-1)

    @checks_types
    @explained
    def add_source(
        self,
        name: str,
        source_type: str = "local",
        *,
        collection: str = "default",
        preferences: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> Source:
        """Add a source; ``settings`` are those of its connector, e.g. ``path``.

        ``preferences`` are those that it chooses in place of its collection, e.g. ``{"chunk_size": 800}``.

        Raises `UsageError` for a taken name, `ValidationError` for wrong settings, `NotFoundError` for an unknown
        collection.
        """
        collection_id = collection_id_of(self.workspace, collection)
        return sources.add_source(
            self.workspace,
            source_type=source_type,
            name=name,
            config=settings,
            collection_id=collection_id,
            preferences=preferences,
        )

    @checks_types
    @explained
    def preferences(self, collection: str = "default") -> CollectionPreferences:
        """Return what was chosen for a collection, by identifier or name; raises `NotFoundError`."""
        return self.workspace.collections.get(collection_id_of(self.workspace, collection)).preferences

    @checks_types
    @explained
    def set_preferences(
        self,
        collection: str = "default",
        *,
        unset: Sequence[str] = (),
        progress: ProgressCallback | None = None,
        **values: Any,
    ) -> CollectionPreferences:
        """Choose preferences of a collection, and wait until its documents are cut by them; returns all of them.

        ``unset`` are keys that are as usual again. Raises `ValidationError` for an unknown key and for a value that
        cannot be; then nothing is changed.
        """
        change = plan_preferences(self.workspace, collection_id_of(self.workspace, collection), values, unset)
        saved = save_preferences(self.workspace, change)
        if saved.job is not None:
            workers.follow_job(self.workspace, saved.job.job_id, progress or _ignore, run_here=True)
        return saved.collection.preferences

    @checks_types
    @explained
    def sync(self, source: str, *, force: bool = False, progress: ProgressCallback | None = None) -> Manifest:
        """Sync a source, by identifier or name, and wait for the end; returns the job.

        ``progress`` is called in this thread with the state of the job, several times a second while it runs and once
        when it has ended. What it raises leaves the job interrupted, to be resumed by the next sync.
        """
        source_id = source_id_of(self.workspace, source)
        manifest = jobs.enqueue_sync(self.workspace, source_id, trigger="api", force=force)
        return workers.follow_job(self.workspace, manifest.job_id, progress or _ignore, run_here=True)

    @checks_types
    @explained
    def search(
        self,
        query: str,
        mode: str | None = None,
        limit: int = 20,
        *,
        collection_id: str | None = None,
        all_chunks: bool = False,
        rerank: bool | str | None = None,
    ) -> list[SearchHit]:
        """Return the best hits for a query, one for each document; with ``all_chunks`` one for each chunk.

        ``mode``: by words (``text``), by meaning (``vector``) or by both (``hybrid``, usual where there are vectors).
        ``rerank``: whether the reranker of the collection ranks the best hits again (None: where it has one), or the
        name of another one. Raises `UsageError` for a query without a word, and for a mode that needs vectors where
        there are none.
        """
        return search.search(
            self.workspace,
            query,
            mode=cast("SearchMode | None", mode),
            collection_id=collection_id,
            limit=limit,
            all_chunks=all_chunks,
            rerank=rerank,
        )

    @checks_types
    @explained
    def similar(
        self, document_id: str | None = None, *, text: str = "", limit: int = 20, collection_id: str | None = None
    ) -> list[SearchHit]:
        """Return the documents that are nearest by meaning to a document, or to a text: the best chunk of each.

        Raises `UsageError` unless one of both is given, and where there are no vectors.
        """
        from ingest_tui.services import similar  # with what works on vectors

        if (document_id is None) == (not text):
            raise UsageError("give a document or a text", hint='similar("DOCUMENT") or similar(text="some words")')
        if document_id is None:
            return similar.similar_to_text(self.workspace, text, limit=limit, collection_id=collection_id)
        return similar.similar_to_document(self.workspace, document_id, limit=limit, collection_id=collection_id)

    @checks_types
    @explained
    def text(self, document_id: str, version: int | None = None) -> str:
        """Return the normalised text of a document."""
        if version is not None and not 0 < version <= _LARGEST_VERSION:
            shown = safe_display(repr(version), limit=40)
            raise ValidationError(f"no version has the number {shown}", hint="leave it out for the current one")
        return documents.document_text(self.workspace, document_id, version)

    @checks_types
    @explained
    def upload(
        self,
        *files: str | Path,
        collection: str | None = None,
        name: str | None = None,
        content: bytes | None = None,
        label: str = "",
        replace: bool = False,
        preferences: Mapping[str, Any] | None = None,
        progress: ProgressCallback | None = None,
    ) -> Manifest:
        """Add files by hand, or ``content`` under a ``name``, and wait for the end; returns the job.

        They go to the collection that is in use where ``collection`` names none, as on the command line.
        A file of a name that the collection has becomes its next version, called ``label`` if that is given; with
        ``replace`` the versions before it are deleted then. ``preferences`` hold for these versions in place of
        those of the collection. All files are read before anything is stored. Raises `UsageError` or `NotFoundError`
        naming each that is missing, too large, empty, encrypted, damaged or of no known type; then none is uploaded.
        ``progress`` is as of `sync`.
        """
        from ingest_tui.services.documents import uploads

        collection_id = collection_id_of(self.workspace, collection or collection_in_use(self.workspace))
        manifest = uploads.upload_files(
            self.workspace, uploads.chosen_files(files, name, content),
            collection_id=collection_id, label=label, replace=replace, overrides=preferences,
        )  # fmt: skip
        return workers.follow_job(self.workspace, manifest.job_id, progress or _ignore, run_here=True)

    @checks_types
    @explained
    def prune_versions(self, document_id: str, *, keep: int | None = None) -> int:
        """Delete the versions of a document but for the newest ``keep``, for good; returns how many.

        Without ``keep`` so many stay as the preferences of its collection say, and `UsageError` where they keep all.
        """
        from ingest_tui.services.documents.pruning import prune_documents, versions_to_prune

        return len(prune_documents(self.workspace, versions_to_prune(self.workspace, [document_id], keep=keep)))

    @checks_types
    @explained
    def versions(self, document_id: str) -> list[dict[str, Any]]:
        """Return the versions of a document, newest first."""
        return documents.document_versions(self.workspace, document_id)

    @checks_types
    @explained
    def roll_back(self, document_id: str, version: int | None = None) -> Document:
        """Make the newest version of a document from an earlier one, by default the one before; returns the document.

        Raises `NotFoundError` for a version that is not there, `UsageError` where its content is here already.
        """
        from ingest_tui.services.documents.rollback import roll_back_document

        return roll_back_document(self.workspace, document_id, version)

    @checks_types
    @explained
    def register(self, collection_id: str, ingested: IngestedDocument, source_id: str | None = None) -> dict[str, Any]:
        """Register a document: ``{"is_new", "document_id", "file_size"}``.

        Idempotent, also under races: the same content in the same collection gives the existing id and
        ``is_new: False``. Raises `NotFoundError` for an unknown collection, `UsageError` where ``source_id`` has it in
        another one.
        """
        at = rfc3339_now()
        return register_document(self.workspace, collection_id, ingested, source_id=source_id, at=at)


@checks_types
def open_workspace(path: str | Path = "workspace", *, credentials: str | Path | None = None) -> WorkspaceHandle:
    """Open the workspace in ``path``, making it when the folder is empty or missing.

    ``credentials`` is the credentials file: by default what INGEST_TUI_CREDENTIALS names, or ``credentials.json``
    next to the workspace.
    """
    workspace, _ = workspaces.init(Path(path), Path(credentials) if credentials else None)
    return WorkspaceHandle(workspace)
