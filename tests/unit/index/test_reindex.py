"""The full text of an old catalogue, made again while the old one answers."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from ingest_tui.model.search_query import parse_query
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.queries import search_text
from tests.unit.store.catalogue_rows import document, put

CHUNKS = 60
OLD = 'CREATE VIRTUAL TABLE chunks_fts USING fts5(heading, text, content="chunks", content_rowid="id")'
FILL_OLD = "INSERT INTO chunks_fts (rowid, heading, text) SELECT id, heading, text FROM chunks"
STEP = """
import sys
from pathlib import Path
from ingest_tui.store.catalogue.catalogue import Catalogue
catalogue = Catalogue(Path(sys.argv[1]))
print("ready", flush=True)
for line in sys.stdin:
    with catalogue.transaction():
        catalogue.full_text.continue_reindex(7)
        print("in a transaction", flush=True)
        if line.strip() == "wait":
            sys.stdin.readline()
    print("done", flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A catalogue as an older program left it: with the old full text only."""
    path = tmp_path / "catalogue.db"
    with contextlib.closing(Catalogue(path, create=True)) as catalogue:
        for number in range(CHUNKS):
            put(catalogue, document(f"d{number:02}"), f"the gauges of station number{number}", language="")
        with catalogue.transaction():
            catalogue.execute("DELETE FROM words")
            catalogue.execute("DELETE FROM word_languages")
            catalogue.execute(OLD)
            catalogue.execute(FILL_OLD)
    return path


def found(catalogue: Catalogue, query: str) -> int:
    return len(search_text(catalogue, query, limit=-1))


def finish(catalogue: Catalogue) -> None:
    while catalogue.full_text.is_incomplete:
        with catalogue.transaction():
            catalogue.full_text.continue_reindex(7)


def test_the_old_full_text_answers_until_the_new_one_is_whole(path: Path) -> None:
    """At each step all documents are found, at the end also by what only the new full text knows."""
    with contextlib.closing(Catalogue(path)) as catalogue:
        while catalogue.full_text.is_incomplete:
            assert found(catalogue, "gauges") == CHUNKS
            assert catalogue.full_text.differences() == []
            with catalogue.transaction():
                catalogue.full_text.continue_reindex(25)
        assert found(catalogue, "gauge") == found(catalogue, "gauges") == CHUNKS
        assert catalogue.full_text.differences() == []
        assert catalogue.execute("SELECT DISTINCT language FROM chunks") == [("en",)]
        assert catalogue.full_text.continue_reindex(1) is False


def test_what_is_excluded_is_looked_for_where_words_are_stemmed(path: Path) -> None:
    """The old full text, which knows no stems, is not asked for them: who has the word in the new one is left out."""
    with contextlib.closing(Catalogue(path)) as catalogue:
        with catalogue.transaction():
            catalogue.full_text.continue_reindex(20)
        assert catalogue.full_text.is_incomplete
        made = catalogue.value("SELECT count(*) FROM words_docsize")
        every = {f"d{number:02}" for number in range(CHUNKS)}
        for query in ("type:md -gauges", "type:md -gauge"):
            having = catalogue.full_text.having(parse_query(query), every)
            assert len(having) == CHUNKS - made
            assert having == {hit.document_id for hit in search_text(catalogue, query, limit=-1)}
        assert catalogue.full_text.having(parse_query("+number3 -gauge"), every) == set()
        assert catalogue.full_text.having(parse_query("+number3 -hail"), every) == {"d03"}


@pytest.fixture
def analysed_earlier(tmp_path: Path) -> Path:
    """A catalogue of schema 9: one of its documents was analysed as it is no more."""
    path = tmp_path / "catalogue.db"
    with contextlib.closing(Catalogue(path, create=True)) as catalogue:
        put(catalogue, document("persian"), "کتاب")
        for number in range(CHUNKS):
            put(catalogue, document(f"d{number:02}"), f"the gauges of station number{number}")
        with catalogue.transaction():
            catalogue.execute("DELETE FROM words WHERE rowid = 1")
            catalogue.execute("INSERT INTO words (rowid, name, heading, text, forms) VALUES (1, '', '', 'کتاب', '')")
            catalogue.execute("PRAGMA user_version = 9")
    return path


def test_words_of_an_earlier_analyser_are_made_again(analysed_earlier: Path) -> None:
    """What is the same in both is found at each step, the rest at the end; what is written meanwhile stays right."""
    with contextlib.closing(Catalogue(analysed_earlier)) as catalogue:
        assert catalogue.full_text.is_incomplete
        assert found(catalogue, "كتاب") == 0
        put(catalogue, document("new"), "snow on the gauges")
        put(catalogue, document("d50", version=2), "now about hail")
        while catalogue.full_text.is_incomplete:
            assert found(catalogue, "gauge") == CHUNKS
            assert catalogue.full_text.differences() == []
            with catalogue.transaction():
                catalogue.full_text.continue_reindex(25)
        assert [found(catalogue, query) for query in ("كتاب", "کتاب", "snow", "hail", "number50")] == [1, 1, 1, 1, 0]
        assert catalogue.full_text.differences() == []
        assert catalogue.full_text.continue_reindex(1) is False


def test_what_is_written_meanwhile_is_in_both(path: Path) -> None:
    """Documents that are added, changed or removed while the new full text is made are right before and after."""
    with contextlib.closing(Catalogue(path)) as catalogue:
        with catalogue.transaction():
            catalogue.full_text.continue_reindex(20)
        put(catalogue, document("new"), "snow on the gauges")
        put(catalogue, document("d05", version=2), "now about hail")
        put(catalogue, document("d50", version=2), "now about hail")
        with catalogue.transaction():
            catalogue.full_text.remove(["d59", "d06"])
            catalogue.full_text.rename(["d51"])
        for _ in range(2):
            assert found(catalogue, "snow") == 1
            assert found(catalogue, "hail") == 2
            assert found(catalogue, "gauges") == CHUNKS - 3
            assert catalogue.full_text.differences() == []
            finish(catalogue)
        assert found(catalogue, "number5") == 0


def test_a_process_that_is_killed_loses_nothing(path: Path) -> None:
    """Ended between two steps or within one, the next process continues where the last whole step ended."""
    for answers, word in ((5, b"go\n"), (1, b"wait\n")):
        process = subprocess.Popen(
            [sys.executable, "-c", STEP, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(word * 2)
        process.stdin.flush()
        for _ in range(min(answers, 4) + 1 if word == b"go\n" else 2):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with contextlib.closing(Catalogue(path)) as catalogue:
            assert found(catalogue, "gauges") == CHUNKS
            assert catalogue.full_text.differences() == []
            made = catalogue.value("SELECT count(*) FROM words_docsize")
            assert 0 < made < CHUNKS
            assert made % 7 == 0
    with contextlib.closing(Catalogue(path)) as catalogue:
        finish(catalogue)
        assert found(catalogue, "gauge") == CHUNKS
        with pytest.raises(apsw.SQLError):
            catalogue.execute("SELECT 1 FROM chunks_fts")
