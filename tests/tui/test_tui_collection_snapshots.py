"""Pictures of collections: the page of one at three sizes; what it shows is the same on every machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.model.collection import Collection, CollectionPreferences
from ingest_tui.model.embedder import Embedder, VectorSpace
from ingest_tui.model.generation import Generation, GenerationState
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.services.client import Client
from ingest_tui.services.collections.collections import CollectionSummary
from ingest_tui.services.collections.page import CollectionPage, SourceOfCollection
from ingest_tui.tui.app import IngestApp
from ingest_tui.tui.views.collections.collection_screen import CollectionScreen
from tests.tui.stories import NOW, at_rest, let_answer, until
from tests.tui.test_tui_snapshots import shelf_client

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="pictures are pinned to one Python"),
]
AT = "2026-11-21T10:00:00.000Z"


def _generation(number: int, name: str, state: GenerationState, **values: Any) -> Generation:
    space = VectorSpace(backend="static", model=name, revision="1", dimensions=8)
    embedder = Embedder(embedder_id=name, name=name, backend="static", settings={}, space=space)
    key = f"{space.space_id}-{number}"
    return Generation(number=number, key=key, embedder=embedder, state=state, created_at=AT, **values)


def collection_page(_collection_id: str) -> CollectionPage:
    """Return a collection with sources, two generations and a job that runs."""
    preferences = CollectionPreferences(embedder="tiny", reranker="cross", chunk_size=1200, keep_versions=5)
    collection = Collection(
        collection_id="default", name="Annual reports", description="what was said \x1b[31m[/] each year",
        preferences=preferences, created_at=AT, updated_at=AT,
    )  # fmt: skip
    job = Manifest(job_id="20261121-115800-embed-7k3q", kind="embed", source_id="embedding", collection_id="default",
                   created_at=AT, updated_at=AT, state=JobState.RUNNING)  # fmt: skip
    job.progress.percent = 62.0
    sources = (
        SourceOfCollection("handbook", 1204, "succeeded", "running"),
        SourceOfCollection("b[/]\x1b[31m", 12, "failed", "queued"),
        SourceOfCollection("upload", 3, "succeeded", "succeeded"),
    )
    generations = (
        _generation(1, "tiny", GenerationState.ANSWERING),
        _generation(2, "large", GenerationState.BUILDING, sources=("handbook",), based_on="x"),
    )
    summary = CollectionSummary(collection, 1219, 9310, 4, ("handbook", "b[/]\x1b[31m"), (job.job_id,), True)
    return CollectionPage(summary, 12, sources, generations, (job,))


def picture_client(root: Path) -> Client:
    """Return a client whose collection and documents are always the same."""
    client = shelf_client(root)
    let_answer(client.collections, page=collection_page)
    states = {"contract.pdf": "running", "copy.md": "succeeded", "日本語[/].txt": "queued", "\x1b[31m.csv": "failed"}
    let_answer(client.vectors, states=lambda _rows, **_how: states)
    return client


@pytest.mark.parametrize("size", [(80, 24), (120, 35), (200, 50)], ids=["small", "broad", "large"])
def test_the_page_of_a_collection(root: Path, snap_compare: Any, size: tuple[int, int]) -> None:
    """Sources and documents with states, two generations, a job that runs, names that act on terminals."""
    app: Any = IngestApp(root, client=picture_client(root), now=lambda: NOW)

    async def settle(pilot: Any) -> None:
        await until(pilot, lambda: app.model.complete and app.knows_workers)
        app.open_collection_here("default")
        await until(pilot, lambda: isinstance(app.screen, CollectionScreen) and app.screen._page is not None)
        await until(pilot, lambda: len(app.screen.board("documents").rows) == 4)
        await at_rest(pilot)

    assert snap_compare(app, terminal_size=size, run_before=settle)
