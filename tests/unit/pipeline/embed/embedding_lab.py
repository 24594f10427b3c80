"""A workspace whose documents are embedded with a tiny model, in this process."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.embedder import embedding_text, text_digest
from ingest_tui.model.job import Manifest
from ingest_tui.services.documents.registration import register_document
from ingest_tui.services.embedders import add_embedder
from ingest_tui.services.embedding import choose_embedder, enqueue_embedding
from ingest_tui.store.vector_files import read_vectors
from ingest_tui.store.vector_rows import LogRows, read_rows
from ingest_tui.store.workspace import Workspace, init_workspace
from ingest_tui.worker.engine import Engine
from tests.made_models import make_static_model


class EmbeddingLab:
    """One workspace with one collection; documents are registered, as a script does."""

    def __init__(self, root: Path, *, model: Path | None = None, is_automatic: bool = True) -> None:
        self.root = root
        self.workspace: Workspace = init_workspace(root / "workspace")[0]
        self.model = model or make_static_model(root / "tiny")
        add_embedder(self.workspace, backend="static", name="tiny", settings={"path": str(self.model)})
        choose_embedder(self.workspace, "default", "tiny", is_automatic=is_automatic)
        self.space = self.workspace.embedders.get("tiny").space
        self.key = self.space.space_id
        self.folder = self.workspace.layout.vector_log("default", self.key)

    def put(self, name: str, text: str) -> str:
        """Register a document; returns its id."""
        from ingest_tui import IngestedDocument

        document = IngestedDocument(content=text, unique_id=name, source_type="script")
        at = rfc3339_now()
        return str(register_document(self.workspace, "default", document, source_id=None, at=at)["document_id"])

    def embed(self, *, everything: bool = False, stop: threading.Event | None = None) -> Manifest:
        """Queue a job that embeds and run it to its end."""
        manifest = enqueue_embedding(self.workspace, "default", everything=everything)
        return self.run(manifest.job_id)

    def run(self, job_id: str) -> Manifest:
        """Run what is queued until a job has ended."""
        with Engine(self.workspace) as engine:
            while True:
                manifest = self.workspace.jobs.load(job_id)
                if manifest.ended:
                    return manifest
                engine.start_ready_jobs()
                engine.wait(0.1)
                failure = engine.take_failure()
                if failure is not None:
                    raise failure

    def chunks(self, document_ids: Iterable[str] | None = None) -> dict[bytes, tuple[str, int, int]]:
        """Return the digests of the chunks that should have a vector, each with the document, version and number."""
        found = {}
        for document in self.workspace.catalogue.all_documents():
            if document.state == "active" and (document_ids is None or document.document_id in document_ids):
                for chunk in self.workspace.catalogue.full_text.chunks_of(document.document_id):
                    digest = text_digest(embedding_text(chunk.heading, chunk.text))
                    found[digest] = (document.document_id, document.version, chunk.ordinal)
        return found

    def digests_on_disk(self) -> set[bytes]:
        """Return the digests of the vectors next to the current versions of active documents."""
        found: set[bytes] = set()
        for document in self.workspace.catalogue.all_documents():
            if document.state == "active":
                folder = self.workspace.layout.version("default", document.document_id, document.version)
                stored = read_vectors(folder, self.space, self.key)
                found |= set(stored.by_digest()) if stored is not None else set()
        return found

    def rows(self) -> LogRows | None:
        """Return what search reads."""
        return read_rows(self.folder, self.space)

    def digests_in_rows(self) -> list[bytes]:
        """Return the digests of the rows that search reads."""
        rows = self.rows()
        return [] if rows is None else [entry["digest"].tobytes() for entry in rows.entries]

    def assert_whole(self) -> None:
        """Check that every chunk has its vector, next to its document and for search, and that none is there twice."""
        wanted = set(self.chunks())
        assert self.digests_on_disk() == wanted
        rows = self.rows()
        assert rows is not None
        assert wanted <= set(self.digests_in_rows())
        assert len({entry.tobytes() for entry in rows.entries}) == len(rows.entries)
