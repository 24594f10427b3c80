"""What the screens ask of the services about documents; part of the `Gateway`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest_tui.tui.client.source_calls import Opening

if TYPE_CHECKING:
    from ingest_tui.model.document import Document, DocumentChunk, SearchHit
    from ingest_tui.services.documents.documents import DocumentChoice
    from ingest_tui.services.documents.export import ExportFormat, ExportReport


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """A stretch of the list of documents, and how many there are in all."""

    rows: list[Document]
    total: int


@dataclass(frozen=True, slots=True)
class DocumentQuery:
    """Which documents to list. ``contains`` is looked for in names and addresses; None and nothing choose all."""

    contains: str = ""
    collection_id: str | None = None
    source_id: str | None = None
    media_type: str | None = None
    outcome: str | None = None
    since: str | None = None
    state: str = "active"
    order: str = "address"
    backwards: bool = False

    def as_choice(self) -> DocumentChoice:
        """Return the keyword arguments of the services."""
        return {
            "contains": self.contains,
            "collection_id": self.collection_id,
            "source_id": self.source_id,
            "media_type": self.media_type,
            "outcome": self.outcome,
            "since": self.since,
            "state": self.state,
        }

    @property
    def is_narrowed(self) -> bool:
        """Whether a filter is set, besides the words."""
        return bool(self.collection_id or self.source_id or self.media_type or self.outcome or self.since)

    def widened(self) -> DocumentQuery:
        """Return the same without filters."""
        return replace(self, collection_id=None, source_id=None, media_type=None, outcome=None, since=None)


class DocumentCalls(Opening):
    """The calls about documents."""

    def documents(self, query: DocumentQuery, *, limit: int, offset: int) -> DocumentPage:
        """Return a stretch of the documents."""
        from ingest_tui.services.documents import documents

        with self._workspace() as workspace:
            choice = query.as_choice()
            rows = documents.list_documents(
                workspace, **choice, order=query.order, backwards=query.backwards, limit=limit, offset=offset
            )
            return DocumentPage(rows, documents.count_documents(workspace, **choice))

    def search(
        self, words: str, query: DocumentQuery, *, limit: int, given_up: Callable[[], bool] | None = None
    ) -> list[SearchHit]:
        """Return what the full text finds among the documents of a query."""
        from ingest_tui.services.documents import search

        with self._workspace() as workspace:
            return search.search(workspace, words, limit=limit, given_up=given_up, **query.as_choice())

    def choices(self, what: str) -> list[tuple[str, str]]:
        """Return what a filter can be set to, each with its words: ``collection``, ``source`` or ``type``."""
        from ingest_tui.services import workspaces
        from ingest_tui.services.documents import documents
        from ingest_tui.services.sources import sources

        with self._workspace() as workspace:
            if what == "collection":
                found = workspaces.list_collections(workspace)
                return [(item.collection_id, f"{item.collection_id}  {number:,}") for item, number in found]
            if what == "source":
                return [(one.source.source_id, one.source.source_id) for one in sources.list_sources(workspace)]
            return [(name, f"{name}  {number:,}") for name, number in documents.media_types(workspace)]

    def document(self, document_id: str) -> Document:
        """Return what the catalogue knows of a document."""
        from ingest_tui.services.documents import documents

        with self._workspace() as workspace:
            return documents.get_document(workspace, document_id)

    def document_text(self, document_id: str, version: int | None = None) -> str:
        """Return the normalised text of a version, the current one by default."""
        from ingest_tui.services.documents import documents

        with self._workspace() as workspace:
            return documents.document_text(workspace, document_id, version)

    def document_record(self, document_id: str) -> dict[str, Any]:
        """Return ingestion.json of the current version."""
        from ingest_tui.services.documents import documents

        with self._workspace() as workspace:
            return documents.ingestion_record(workspace, document_id)

    def document_remarks(self, document_id: str) -> list[tuple[str, str]]:
        """Return what is wrong or odd with the current version: ``error``, ``warning`` or ``note``, and text."""
        from ingest_tui.services.documents import documents

        return documents.remarks_of(self.document_record(document_id))

    def document_chunks(self, document_id: str) -> list[DocumentChunk]:
        """Return the chunks by which a document is found."""
        from ingest_tui.services.documents import documents

        with self._workspace() as workspace:
            return documents.document_chunks(workspace, document_id)

    def document_versions(self, document_id: str) -> list[dict[str, Any]]:
        """Return the versions, newest first."""
        from ingest_tui.services.documents import documents

        with self._workspace() as workspace:
            return documents.document_versions(workspace, document_id)

    def document_diff(self, document_id: str, older: int, newer: int) -> list[str]:
        """Return what changed in the text between two versions, as a unified diff."""
        from ingest_tui.services.documents import documents

        with self._workspace() as workspace:
            return documents.document_diff(workspace, document_id, older, newer)

    def explain(self, target: str) -> list[str]:
        """Return why a document is here, or why it is not."""
        from ingest_tui.services.documents.explain import explain

        with self._workspace() as workspace:
            return explain(workspace, target).lines()

    def original(self, document_id: str) -> Path | None:
        """Return where the original lies on this machine, None when it lies elsewhere."""
        from ingest_tui.services.documents import documents

        with self._workspace() as workspace:
            return documents.original_path(documents.get_document(workspace, document_id))

    def remove_documents(self, document_ids: list[str]) -> int:
        """Retire documents; returns how many."""
        from ingest_tui.services.documents import documents

        with self._changing() as workspace:
            return documents.remove_documents(workspace, document_ids)

    def restore_document(self, document_id: str) -> Document:
        """Bring a document back from the trash."""
        from ingest_tui.services.documents import documents

        with self._changing() as workspace:
            return documents.restore_document(workspace, document_id)

    def export(
        self,
        query: DocumentQuery,
        document_ids: Sequence[str] | None,
        form: ExportFormat,
        target: Path,
        tell: Callable[[int, int], None],
    ) -> ExportReport:
        """Write documents, those of a query or the named ones, to a place; ``tell`` hears how many are done of all."""
        from ingest_tui.services.documents.export import Export

        with self._changing() as workspace:
            choice = query.as_choice()
            choice["document_ids"] = document_ids
            return Export(workspace, form=form, progress=tell, **choice).write(target)
