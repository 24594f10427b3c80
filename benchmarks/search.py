"""Full text over many chunks: how long queries take, how large the index is, and how fast it is made.

The chunks have words as language has them (Zipf), so that there are words in one of a hundred thousand chunks and
in nearly all. Each query is asked in this process, on an open catalogue, with other words each time.

    python benchmarks/search.py                        100,000 chunks in 25,000 documents
    python benchmarks/search.py --chunks 1000000 --folder a-folder-with-4-GB
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import accumulate
from pathlib import Path

from measure import markdown_table, percentiles

from ingest_tui.model.chunk_words import analyse_chunk
from ingest_tui.model.document import Chunk, Document
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.queries import search_text

CHUNKS_A_DOCUMENT = 4
WORDS_A_CHUNK = 120
VOCABULARY = 200_000
BATCH = 1000
SYLLABLES = [first + second for first in "bdfghklmnprstvz" for second in ("a", "e", "i", "o", "u", "an", "er", "ist")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=40, help="of each kind")
    parser.add_argument("--folder", type=Path, help="where the catalogue is made")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ingest-tui-search-", dir=arguments.folder) as folder:
        report(Path(folder) / "catalogue.db", arguments.chunks, arguments.queries)


def report(path: Path, chunks: int, queries: int) -> None:
    """Make a catalogue and print the figures."""
    words = Words(random.Random(13))
    with closing(Catalogue(path, create=True)) as catalogue:
        analysed, inserted = fill(catalogue, words, chunks)
        catalogue.empty_log()
        size = path.stat().st_size
        texts = catalogue.value("SELECT sum(length(text)) FROM chunks")
        print(f"{chunks:,} chunks, {texts / 1e6:.0f} MB of text, catalogue {size / 1e6:.0f} MB")
        print(
            f"analysed {chunks / analysed:,.0f} chunks/s (in the parsers), written {chunks / inserted:,.0f} chunks/s\n"
        )
        rows = [[kind, *measured(catalogue, ask, queries)] for kind, ask in kinds(words, chunks).items()]
    print("\n".join(markdown_table(("Query", "p50 ms", "p95 ms", "CPU p50 ms", "CPU p95 ms"), rows)))


def measured(catalogue: Catalogue, ask: Callable[[], str], queries: int) -> list[str]:
    """Return the median and the 95th percentile of the time that queries of a kind take, and of the processor's."""
    taken, worked = [], []
    for _ in range(queries):
        query = ask()
        started, processor = time.perf_counter(), time.process_time()
        search_text(catalogue, query, limit=10)
        taken.append((time.perf_counter() - started) * 1000)
        worked.append((time.process_time() - processor) * 1000)
    return [*percentiles(taken), *percentiles(worked)]


class Words:
    """Made-up words, the frequent ones first."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        made: dict[str, None] = {}
        while len(made) < VOCABULARY:
            made["".join(chance.choices(SYLLABLES, k=chance.randint(2, 4)))] = None
        self.words = list(made)
        self._weights = list(accumulate(1 / (rank + 3) for rank in range(VOCABULARY)))

    def text(self, count: int = WORDS_A_CHUNK) -> str:
        """Return the text of a chunk."""
        return " ".join(self.chance.choices(self.words, cum_weights=self._weights, k=count))

    def found_in(self, low: float, high: float) -> str:
        """Return a word that is in such a share of the chunks."""
        total = self._weights[-1]

        def rank_of(share: float) -> int:
            return int(min(max(WORDS_A_CHUNK / total / share - 3, 0), VOCABULARY - 1))

        return self.words[self.chance.randint(rank_of(high), rank_of(low))]


def kinds(words: Words, chunks: int) -> dict[str, Callable[[], str]]:
    """Return what makes a query of each kind."""
    rare = 20 / chunks
    ten = (*[(0.2, 0.9)] * 4, *[(0.05, 0.2)] * 2, *[(0.008, 0.012)] * 2, *[(0.001, 0.002)] * 2)

    def several(*shares: tuple[float, float]) -> list[str]:
        return [words.found_in(low, high) for low, high in shares]

    return {
        "rare word (below 20 chunks)": lambda: words.found_in(rare / 4, rare),
        "word in 1 %": lambda: words.found_in(0.008, 0.012),
        "word in 5-20 %": lambda: words.found_in(0.05, 0.2),
        "word in more than 20 %": lambda: words.found_in(0.2, 0.9),
        "question of 6 words": lambda: " ".join(
            words.found_in(low, high)
            for low, high in ((0.2, 0.9), (0.2, 0.9), (0.05, 0.2), (0.008, 0.012), (0.001, 0.002), (rare, 10 * rare))
        ),
        "question of 10 words": lambda: " ".join(several(*ten)),
        "question of 10 words, a collection of a tenth": lambda: " ".join(several(*ten)) + " collection:c3",
        "word in 20-90 %, ten documents": lambda: words.found_in(0.2, 0.9) + " title:d000001*",
        "2 words in 5-20 %": lambda: " ".join(several((0.05, 0.2), (0.05, 0.2))),
        "2 words in 5-20 %, both required": lambda: "+{} +{}".format(*several((0.05, 0.2), (0.05, 0.2))),
        "word in 5-20 % without another": lambda: "{} NOT {}".format(*several((0.05, 0.2), (0.05, 0.2))),
        "phrase of 2 words in 20-90 %": lambda: '"{} {}"'.format(*several((0.2, 0.9), (0.2, 0.9))),
        "beginning of 2 letters": lambda: words.found_in(0.001, 0.01)[:2] + "*",
        "beginning of 5 letters": lambda: words.found_in(0.001, 0.01)[:5] + "*",
        "phrase of 2 words in 1 %": lambda: f'"{words.found_in(0.008, 0.012)} {words.found_in(0.008, 0.012)}"',
        "word in 1 %, a collection of a tenth": lambda: words.found_in(0.008, 0.012) + " collection:c3",
        "word in 5-20 %, a collection of a tenth": lambda: words.found_in(0.05, 0.2) + " collection:c3",
        "word in no document": lambda: "xylophone" + str(words.chance.randint(0, 10**6)),
    }


def fill(catalogue: Catalogue, words: Words, chunks: int) -> tuple[float, float]:
    """Write the chunks; returns the seconds for analysing and for writing them."""
    analysed = inserted = 0.0
    for batch in batches(words, chunks):
        started = time.perf_counter()
        ready = [chunk._replace(words=analyse_chunk(chunk.heading, chunk.text, "en")) for chunk in batch]
        analysed += time.perf_counter() - started
        documents = [document(name) for name in dict.fromkeys(chunk.document_id for chunk in batch)]
        started = time.perf_counter()
        with catalogue.transaction():
            catalogue.put_documents(documents)
            catalogue.full_text.replace((), ready)
        inserted += time.perf_counter() - started
        print(f"\r{batch[-1].document_id}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return analysed, inserted


def batches(words: Words, chunks: int) -> Iterator[Sequence[Chunk]]:
    for first in range(0, chunks, BATCH):
        yield [
            Chunk(
                f"d{number // CHUNKS_A_DOCUMENT:07}",
                1,
                number % CHUNKS_A_DOCUMENT,
                words.found_in(0.0001, 0.1),
                words.text(),
            )
            for number in range(first, min(first + BATCH, chunks))
        ]


def document(name: str) -> Document:
    values = dict.fromkeys(Document._fields, "")
    return Document(
        **values
        | {
            "document_id": name,
            "collection_id": f"c{int(name[1:]) % 10}",
            "uri": f"file:///{name}.md",
            "key": f"{name}.md",
            "title": f"{name}.md",
            "file_name": f"{name}.md",
            "media_type": "text/markdown",
            "version": 1,
            "bytes": 1,
            "chunks": CHUNKS_A_DOCUMENT,
            "state": "active",
        }
    )


if __name__ == "__main__":
    main()
