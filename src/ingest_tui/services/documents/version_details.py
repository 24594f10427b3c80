"""What lists and questions say of documents besides their rows: status, label, columns of tables, earlier versions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from ingest_tui.model.counted import counted
from ingest_tui.model.document import Document
from ingest_tui.model.embedding_state import EmbeddingState
from ingest_tui.model.errors import IngestError
from ingest_tui.model.version_label import given_label, usual_label
from ingest_tui.services.embedding_states import states_of_documents
from ingest_tui.store.catalogue import queries
from ingest_tui.store.workspace import Workspace

DocumentStatus = Literal["searchable", "empty", "failed", "in trash"]
"""``empty``: without text. ``failed``: the last look at one of its places failed, and the last good version is kept."""


class VersionDetails(NamedTuple):
    """The label of the current version of a document, the columns of its tables, each once, and how it is doing."""

    version: int
    version_label: str
    columns: list[str]
    status: DocumentStatus
    embedding: EmbeddingState

    @property
    def given_label(self) -> str:
        """The label that a person gave, empty where it is only name and number."""
        return given_label(self.version_label, self.version)


def details_of(workspace: Workspace, documents: Iterable[Document]) -> dict[str, VersionDetails]:
    """Return the details of the current versions, by document; those of a damaged record are its name and number."""
    documents = list(documents)
    embedding = states_of_documents(workspace, documents)
    found = {}
    for document in documents:
        label, columns = _label_and_columns(workspace, document)
        state = embedding[document.document_id]
        found[document.document_id] = VersionDetails(
            document.version, label, columns, _status(workspace, document), state
        )
    return found


def details_by_id(workspace: Workspace, document_ids: Iterable[str]) -> dict[str, VersionDetails]:
    """Return the details of the documents of these ids; one that is gone meanwhile has none."""
    return details_of(workspace, workspace.reading.documents(document_ids).values())


def removal_in_words(workspace: Workspace, documents: Iterable[Document]) -> str:
    """Return what goes when documents are removed, for the question before it: ``1 document with its 3 versions``."""
    ids = {document.document_id for document in documents}
    versions = sum(len(queries.versions_of(workspace.reading, document_id)) for document_id in ids)
    if len(ids) == 1:
        return f"1 document with its {counted(versions, 'version')}" if versions > 1 else "1 document"
    return counted(len(ids), "document") + (f" with all {counted(versions, 'version')}" if versions > len(ids) else "")


def _status(workspace: Workspace, document: Document) -> DocumentStatus:
    if document.state == "retired":
        return "in trash"
    places = workspace.reading.locations_of(document.document_id)
    if any(place.outcome == "failed" for place in places):
        return "failed"
    return "searchable" if document.chunks else "empty"


def _label_and_columns(workspace: Workspace, document: Document) -> tuple[str, list[str]]:
    store, retired = workspace.document_store, document.state == "retired"
    folder = store.folder(document.collection_id, document.document_id, document.version, retired=retired)
    try:
        record = store.ingestion(folder)
        names = dict.fromkeys(str(name) for table in record["columns"] for name in table["columns"])
        return str(record["version_label"]), list(names)
    except (IngestError, OSError, KeyError, TypeError):  # a list is shown all the same
        return usual_label(document.file_name, document.version), []
