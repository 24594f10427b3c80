"""The Python API: `open_workspace` and what hangs on it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from ingest_tui.model.argument_types import Given, Result, checks_types
from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.document import Document, IngestedDocument, SearchHit
from ingest_tui.model.errors import ValidationError
from ingest_tui.model.foreign_errors import as_database_error
from ingest_tui.model.job import Manifest
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.source import Source
from ingest_tui.services import workers, workspaces
from ingest_tui.services.documents import documents, search
from ingest_tui.services.documents.registration import register_document
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
        self, name: str, source_type: str = "local", *, collection: str = "default", **settings: Any
    ) -> Source:
        """Add a source; ``settings`` are those of its connector, e.g. ``path``.

        Raises `UsageError` for a taken name, `ValidationError` for wrong settings, `NotFoundError` for an unknown
        collection.
        """
        collection_id = collection_id_of(self.workspace, collection)
        return sources.add_source(
            self.workspace, source_type=source_type, name=name, config=settings, collection_id=collection_id
        )

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
    def search(self, query: str, *, collection_id: str | None = None, limit: int = 20) -> list[SearchHit]:
        """Return the best chunks for a query."""
        return search.search(self.workspace, query, collection_id=collection_id, limit=limit)

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
    def register(self, collection_id: str, ingested: IngestedDocument, source_id: str | None = None) -> dict[str, Any]:
        """Register a document: ``{"is_new", "document_id", "file_size"}``.

        Idempotent, also under races: the same content in the same collection gives the existing id and
        ``is_new: False``. Raises `NotFoundError` for an unknown collection.
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
