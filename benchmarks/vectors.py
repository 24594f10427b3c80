"""Searching by meaning and by both over many chunks: how long queries take with and without filters, and the recall.

The vectors are made up: in groups, as those of texts are, of 32 dimensions turned into 256. The model is a static one
whose words lie in these groups. All documents are in one collection; each query is asked in this process, with other
words each time. Recall is that of the first ten chunks by meaning, against comparing all that may be found.

    python benchmarks/vectors.py                                   100,000 chunks in 25,000 documents
    python benchmarks/vectors.py --chunks 1000000 --workspace a-folder-to-keep-with-6-GB
    python benchmarks/vectors.py --words 120 --by-words           the queries by words of search.py, too
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from measure import markdown_table, percentiles
from safetensors.numpy import save_file
from search import BATCH, CHUNKS_A_DOCUMENT, Words, document, measured
from search import kinds as kinds_by_words
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from ingest_tui.embedding.base import PROBE_TEXT
from ingest_tui.model.chunk_words import analyse_chunk
from ingest_tui.model.document import Chunk, Document, SearchHit
from ingest_tui.model.embedder import embedding_text, text_digest
from ingest_tui.model.search_query import parse_query
from ingest_tui.services import nearest
from ingest_tui.services.documents.search import SearchMode, search
from ingest_tui.services.embedders import add_embedder
from ingest_tui.services.embedding import choose_embedder
from ingest_tui.store.catalogue.queries import chosen_ids
from ingest_tui.store.vector_log import VectorLog, VectorRow
from ingest_tui.store.workspace import Workspace, init_workspace, open_workspace_at

DIMENSIONS, OF_GROUPS, ROWS_A_GROUP = 256, 32, 500
KNOWN_WORDS = 20_000
HITS = 10
TYPES = (("text/markdown", "md"), ("application/pdf", "pdf"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--words", type=int, default=12, help="of each chunk")
    parser.add_argument("--queries", type=int, default=40, help="of each kind")
    parser.add_argument("--workspace", type=Path, help="made there and kept; one that is there already is asked")
    parser.add_argument("--by-words", action="store_true", help="ask the queries of search.py, too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ingest-tui-vectors-") as temporary:
        root = arguments.workspace or Path(temporary) / "workspace"
        made = Vectors(arguments.chunks)
        if not root.exists():
            fill(root, made, arguments.chunks, arguments.words)
        with closing(open_workspace_at(root)) as workspace:
            if arguments.by_words:
                report_by_words(workspace, made.words, arguments.queries)
            report(workspace, made, arguments.queries)


class Vectors:
    """Made-up vectors of chunks and of words, in the same groups; the same ones each time."""

    def __init__(self, chunks: int) -> None:
        self.words = Words(random.Random(13))
        self._random = np.random.default_rng(13)
        self._turn = self._random.normal(size=(OF_GROUPS, DIMENSIONS)).astype(np.float32)
        self._centres = self._random.normal(size=(max(chunks // ROWS_A_GROUP, 10), OF_GROUPS)).astype(np.float32)

    def some(self, count: int) -> Any:
        """Return unit vectors of so many texts."""
        groups = self._centres[self._random.integers(0, len(self._centres), count)]
        spread = self._random.normal(size=(count, OF_GROUPS)).astype(np.float32)
        found = (groups + 0.7 * spread) @ self._turn
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    def write_model(self, folder: Path) -> None:
        """Write a static model that knows the most frequent words."""
        folder.mkdir(parents=True)
        probe = PROBE_TEXT.lower().replace(".", "").split()
        known = dict.fromkeys(("[UNK]", *self.words.words[:KNOWN_WORDS], *probe))
        tokenizer = Tokenizer(models.WordLevel({word: place for place, word in enumerate(known)}, unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.Lowercase()
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        tokenizer.save(str(folder / "tokenizer.json"))
        save_file({"embeddings": self.some(len(known)).astype(np.float32)}, folder / "model.safetensors")
        (folder / "config.json").write_text(json.dumps({"normalize": True}))


def fill(root: Path, made: Vectors, chunks: int, words: int) -> None:
    """Make the workspace: its documents, their chunks, and the rows and the graph that vector search reads."""
    made.write_model(root.with_name("model"))
    with closing(init_workspace(root)[0]) as workspace:
        settings = {"path": str(root.with_name("model"))}
        space = add_embedder(workspace, backend="static", name="made-up", settings=settings).space
        choose_embedder(workspace, "default", "made-up", is_automatic=False)
        folder = workspace.layout.vector_log("default", space.space_id)
        with closing(VectorLog(folder, space)) as log:
            for batch in _batches(made.words, chunks, words):
                ready = [one._replace(words=analyse_chunk(one.heading, one.text, "en")) for one in batch]
                with workspace.catalogue.transaction():
                    names = dict.fromkeys(one.document_id for one in batch)
                    workspace.catalogue.put_documents([_document(name) for name in names])
                    workspace.catalogue.full_text.replace((), ready)
                log.append(_row(*pair) for pair in zip(batch, made.some(len(batch)), strict=True))
                print(f"\r{batch[-1].document_id}", end="", file=sys.stderr)
            log.commit(epoch="", sequence=0)
            started = time.process_time()
            log.grow_graph()
            log.commit(epoch="", sequence=0)
            print(f"\n{chunks:,} chunks, graph in {time.process_time() - started:.0f} s of processor time")
        workspace.catalogue.empty_log()


def _batches(words: Words, chunks: int, count: int) -> Iterator[list[Chunk]]:
    for first in range(0, chunks, BATCH):
        yield [
            Chunk(f"d{number // CHUNKS_A_DOCUMENT:07}", 1, number % CHUNKS_A_DOCUMENT, "", words.text(count))
            for number in range(first, min(first + BATCH, chunks))
        ]


def _row(chunk: Chunk, vector: Any) -> VectorRow:
    digest = text_digest(embedding_text(chunk.heading, chunk.text))
    return VectorRow(chunk.document_id, chunk.version, chunk.ordinal, digest, vector)


def _document(name: str) -> Document:
    """Return a document: of one source of ten, one in a hundred as new as the newest, every other one a PDF."""
    number = int(name[1:])
    media_type, ending = TYPES[number % 2]
    named = f"{name}.{ending}"
    at = f"2026-{11 if number % 100 == 0 else 1 + number % 10:02}-01T00:00:00.000Z"
    return document(name)._replace(
        collection_id="default", source_id=f"s{number % 10}", media_type=media_type, title=named, file_name=named,
        key=named, uri=f"file:///{named}", updated_at=at,
    )  # fmt: skip


def kinds(words: Words) -> dict[str, Callable[[], str]]:
    """Return what makes a query of each kind."""

    def word() -> str:
        return words.words[words.chance.randint(100, KNOWN_WORDS - 1)]

    def frequent() -> str:
        return words.words[words.chance.randint(0, 20)]

    return {
        "no filter": lambda: f"{word()} {word()}",
        "type: half of the documents": lambda: f"{word()} {word()} type:pdf",
        "source: a tenth": lambda: f"{word()} {word()} source:s{words.chance.randint(0, 9)}",
        "two filters: a twentieth": lambda: f"{word()} {word()} type:pdf source:s3",
        "after: one of a hundred": lambda: f"{word()} {word()} after:2026-11",
        "title: ten documents": lambda: f"{word()} {word()} title:d00{words.chance.randint(0, 99):02}00*",
        "without a frequent word": lambda: f"{word()} {word()} NOT {frequent()}",
        "a frequent word required": lambda: f"{word()} +{frequent()}",
        "a rare word required": lambda: f"{frequent()} +{word()}",
    }


def report_by_words(workspace: Workspace, words: Words, queries: int) -> None:
    """Print the figures of search.py: a source is a tenth of the documents here, as a collection is there."""
    chunks = workspace.catalogue.value("SELECT count(*) FROM chunks")
    rows = []
    for kind, ask in kinds_by_words(words, chunks).items():

        def ask_here(ask: Callable[[], str] = ask) -> str:
            return ask().replace("collection:c3", "source:s3")

        rows.append([kind, *measured(workspace.catalogue, ask_here, queries)])
    print("\n".join(markdown_table(("Query", "p50 ms", "p95 ms", "CPU p50 ms", "CPU p95 ms"), rows)))


def report(workspace: Workspace, made: Vectors, queries: int) -> None:
    """Print the figures."""
    rows = []
    for kind, ask in kinds(made.words).items():
        for mode in ("vector", "hybrid"):
            asked = [ask() for _ in range(queries)]
            search(workspace, asked[0], mode=mode, limit=HITS)
            rows.append([kind, mode, *_measured(workspace, asked, mode), _recall(workspace, asked, mode)])
    print(f"load average {os.getloadavg()[0]:.1f}\n")
    print("\n".join(markdown_table(("Query", "Mode", "p50 ms", "p95 ms", "CPU p50 ms", "CPU p95 ms", "recall"), rows)))


def _measured(workspace: Workspace, asked: list[str], mode: SearchMode) -> list[str]:
    taken, worked = [], []
    for query in asked:
        started, processor = time.perf_counter(), time.process_time()
        search(workspace, query, mode=mode, limit=HITS)
        taken.append((time.perf_counter() - started) * 1000)
        worked.append((time.process_time() - processor) * 1000)
    return [*percentiles(taken), *percentiles(worked)]


def _recall(workspace: Workspace, asked: list[str], mode: SearchMode) -> str:
    """Return how many of the nearest chunks a search by meaning finds; nothing where words decide, too."""
    queries = [parse_query(one) for one in asked]
    if mode != "vector" or any(query.excluded or any(clause.required for clause in query.clauses) for query in queries):
        return ""
    searched = nearest.vectors_of(workspace, "default")
    shares = []
    for text, query in zip(asked, queries, strict=True):
        words = " ".join(word.text for clause in query.clauses for word in clause.words)
        scores = np.asarray(searched.rows.vectors, dtype=np.float32) @ nearest.query_vector(workspace, searched, words)
        chosen = chosen_ids(workspace.reading, {"collection_id": "default", "state": "active"}, query.filters)
        names = searched.rows.document_ids[searched.rows.entries["document"]]
        order = (row for row in np.argsort(-scores).tolist() if names[row].decode() in chosen)
        best = [f"{names[row].decode()}:1:{searched.rows.entries['ordinal'][row]}" for row in islice(order, HITS)]
        found: list[SearchHit] = search(workspace, text, mode=mode, limit=HITS, all_chunks=True)
        if best:
            shares.append(len({hit.chunk_id for hit in found} & set(best)) / len(best))
    return f"{np.mean(shares):.3f}"


if __name__ == "__main__":
    main()
