"""What working in collections costs: switching, uploads, removals, embedding again.

Switch latency: makes a catalogue of 100,000 documents in two collections (rows only, no files), then switches between
them as the Documents view does: a page of the list in its order with the number of all, from the start, filtered by a
source, and with as many rows as are read again where the cursor was far below. Goal: below 100 ms each.

Upload readiness: from the call until a search finds what the file holds, the worker in this process. Delete
propagation: from the call until no search finds it. Re-embed duration: a whole collection by another static model, from
the call until its vectors answer.

    python benchmarks/working_in_collections.py [--documents 100000] [--files 50] [--repeat 20] [--folder FOLDER]

Not named collections.py: the standard library has a module of that name, which no benchmark would find any more.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from measure import REPOSITORY, markdown_table

from ingest_tui.model.batching import batches
from ingest_tui.model.collection import DEFAULT_COLLECTION
from ingest_tui.model.document import Document
from ingest_tui.services.client import Client
from ingest_tui.services.collections.collections import add_collection
from ingest_tui.services.documents.documents import count_documents, remove_documents, restore_document
from ingest_tui.services.documents.search import search
from ingest_tui.services.documents.uploads import upload_files
from ingest_tui.services.embedders import add_embedder
from ingest_tui.services.embedding import choose_embedder, enqueue_embedding
from ingest_tui.services.generations import list_generations, reembed, scope_of
from ingest_tui.services.workers import follow_job
from ingest_tui.services.workspaces import init
from ingest_tui.store.workspace import Workspace
from ingest_tui.tui.views.documents.document_query import DocumentQuery, read_page

sys.path.insert(0, str(REPOSITORY))

from tests.made_models import make_static_model

PAGE, FAR_BELOW = 500, 5_000
NAMES = ("reports", "letters")
HEADER = ("Switch", "Median ms", "Slowest ms", "CPU ms", "Goal")
AT = "2026-11-01T00:00:00.000Z"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--files", type=int, default=50, help="how many are uploaded and embedded")
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--folder", type=Path, help="where the workspace is made")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ingest-tui-bench-", dir=arguments.folder))
    try:
        make_catalogue(folder / "workspace", arguments.documents)
        for line in markdown_table(HEADER, switch_latency(folder, arguments.repeat)):
            print(line)
        print()
        workspace, _is_new = init(folder / "uploads")
        rows: list[tuple[str, ...]] = [
            *upload_readiness(workspace, folder, arguments.files),
            *delete_propagation(workspace, arguments.repeat),
            reembed_duration(workspace, folder),
        ]
        workspace.close()
        for line in markdown_table(("What", "Documents", "Seconds", "Seconds a document"), rows):
            print(line)
    finally:
        shutil.rmtree(folder)


def make_catalogue(root: Path, documents: int) -> None:
    """Make a workspace whose catalogue has that many documents, half of them in each collection."""
    workspace, _is_new = init(root)
    for name in NAMES:
        add_collection(workspace, name)
    for numbers in batches(range(documents), 5_000):
        with workspace.catalogue.transaction():
            workspace.catalogue.put_documents(document(number) for number in numbers)
    workspace.close()
    print(f"{documents} documents in {len(NAMES)} collections", file=sys.stderr)


def document(number: int) -> Document:
    """Return a made-up document."""
    name = f"{number * 7919 % 1_000_003:07d}.md"
    return Document(
        document_id=f"{number:026x}",
        collection_id=NAMES[number % 2],
        source_id=f"source-{number % 10}",
        source_type="local",
        uri=f"file:///srv/{number % 100:02d}/{name}",
        key=f"{number % 100:02d}/{name}",
        title=f"Document {number}",
        file_name=name,
        media_type="text/markdown",
        version=1,
        raw_sha256=f"{number:064x}",
        content_hash=f"{number:064x}",
        bytes=1_000,
        chunks=1,
        backend="markdown",
        state="active",
        created_at=AT,
        updated_at=AT,
        job_id="made",
    )


def switch_latency(folder: Path, repetitions: int) -> list[tuple[str, ...]]:
    """Return the rows of the table: how long it takes until the rows of the other collection are there."""
    client = Client(folder / "workspace")
    ways = {
        "from the start": (DocumentQuery(), PAGE),
        f"{FAR_BELOW:,} rows below": (DocumentQuery(), FAR_BELOW),
        "newest first": (DocumentQuery(order="newest"), PAGE),
        "words in the names": (DocumentQuery(contains="12"), PAGE),
        "words in no name": (DocumentQuery(contains="heron"), PAGE),
        "words in no name, newest first": (DocumentQuery(contains="heron", order="newest"), PAGE),
        "by title": (DocumentQuery(order="title"), PAGE),
    }
    rows: list[tuple[str, ...]] = []
    for label, (query, limit) in ways.items():
        times, processor = [], []
        for number in range(repetitions + 1):
            started, cpu = time.perf_counter(), time.process_time()
            page = read_page(client, replace_collection(query, NAMES[number % 2]), limit=limit)
            times.append((time.perf_counter() - started) * 1000)
            processor.append((time.process_time() - cpu) * 1000)
            assert page.rows or not page.total
        median, slowest = statistics.median(times[1:]), max(times[1:])
        used = f"{statistics.median(processor[1:]):.1f}"
        rows.append((label, f"{median:.1f}", f"{slowest:.1f}", used, "met" if median < 100 else "MISSED"))
    return rows


def upload_readiness(workspace: Workspace, folder: Path, files: int) -> Iterator[tuple[str, ...]]:
    """Yield the rows of uploads of one file and of many: how long it takes until all of them are found."""
    for number in (1, files):
        paths = [folder / f"{number}-{place}.csv" for place in range(number)]
        for place, path in enumerate(paths):
            rows = "".join(f"town {row},{row * place}\n" for row in range(200))
            path.write_text(f"town,people\n{rows}heron{number}x{place},1\n")
        started = time.perf_counter()
        job = follow_job(workspace, upload_files(workspace, paths).job_id, lambda _manifest: None, run_here=True)
        for place in range(number):
            assert search(workspace, f"heron{number}x{place}", mode="text"), (job.state, place)
        yield _row("upload readiness", number, time.perf_counter() - started)


def delete_propagation(workspace: Workspace, repetitions: int) -> Iterator[tuple[str, ...]]:
    """Yield the row of removals of one document: how long it takes until no search finds it; it is restored after."""
    times = []
    for _ in range(repetitions):
        [hit] = search(workspace, "heron1x0", mode="text")
        started = time.perf_counter()
        remove_documents(workspace, [hit.document_id])
        assert not search(workspace, "heron1x0", mode="text")
        times.append(time.perf_counter() - started)
        restore_document(workspace, hit.document_id)
    yield _row("delete propagation, median", 1, statistics.median(times))


def reembed_duration(workspace: Workspace, folder: Path) -> tuple[str, ...]:
    """Return the row of a collection that is embedded again by another model: until the vectors of that answer."""
    for seed, name in enumerate(("first", "second")):
        model = make_static_model(folder / name, seed=seed)
        add_embedder(workspace, backend="static", name=name, settings={"path": str(model)})
    choose_embedder(workspace, DEFAULT_COLLECTION, "first")
    follow_job(
        workspace, enqueue_embedding(workspace, DEFAULT_COLLECTION).job_id, lambda _manifest: None, run_here=True
    )
    started = time.perf_counter()
    job = reembed(workspace, scope_of(workspace, [DEFAULT_COLLECTION]), embedder_id="second")
    follow_job(workspace, job.job_id, lambda _manifest: None, run_here=True)
    seconds = time.perf_counter() - started
    answering = [one for one in list_generations(workspace, DEFAULT_COLLECTION) if one.state == "answering"]
    assert [one.embedder.embedder_id for one in answering] == ["second"]
    return _row("re-embed duration", count_documents(workspace), seconds)


def _row(what: str, documents: int, seconds: float) -> tuple[str, ...]:
    return what, str(documents), f"{seconds:.2f}", f"{seconds / documents:.3f}"


def replace_collection(query: DocumentQuery, name: str) -> DocumentQuery:
    """Return the same query of another collection."""
    return replace(query, collection_id=name)


if __name__ == "__main__":
    main()
