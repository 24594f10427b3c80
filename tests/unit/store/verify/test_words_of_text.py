"""Chunks compared with a text of which a part is in memory."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.model.chunk_limits import ChunkLimits, ChunkRules
from ingest_tui.model.document import Chunk
from ingest_tui.store.verify import words_of_text
from ingest_tui.store.verify.words_of_text import WordsOfText
from ingest_tui.store.version_chunks import TextFile, VersionChunks

TABLE = "| town | people |\n| --- | --- |\n" + "".join(f"| town{row} | {row} |\n" for row in range(200))
TEXT = f"# Towns\n\nIntroduction, in words.\n\n{TABLE}\n# Rain\n\n{TABLE.replace('people', 'rain')}\nThe end."


@pytest.fixture(params=[50, 1 << 20])
def file(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TextFile:
    """A text, of which so many characters are kept."""
    monkeypatch.setattr(words_of_text, "_KEPT_CHARACTERS", request.param)
    path = tmp_path / "normalized.md"
    path.write_text(TEXT)
    return TextFile(path)


def chunks_of(file: TextFile) -> list[Chunk]:
    return list(VersionChunks("aa", 1, file, (), None, ChunkLimits(ChunkRules(size=300, overlap=20))))


def test_chunks_of_a_text_are_those_of_it(file: TextFile) -> None:
    """Heads of tables that pieces repeat are found, in any order of the chunks, also where no place is known."""
    chunks = chunks_of(file)
    words = WordsOfText(file)
    assert all(map(words.are_those_of, chunks))
    assert all(map(words.are_those_of, reversed(chunks)))
    assert all(map(WordsOfText(file).are_those_of, [one._replace(start=None, end=None) for one in chunks]))


@pytest.mark.parametrize("number", [0, 1, 5, -1])
def test_another_word_or_none_is_noticed(file: TextFile, number: int) -> None:
    """A word that the text has nowhere, and a chunk that has lost its words; whether its place is known or not."""
    words, chunk = WordsOfText(file), chunks_of(file)[number]
    assert not words.are_those_of(chunk._replace(text=f"{chunk.text} swordfish"))
    assert not words.are_those_of(chunk._replace(text=f"{chunk.text} swordfish", start=None, end=None))
    assert not words.are_those_of(chunk._replace(text=" "))
    assert words.are_those_of(chunk)


@pytest.mark.parametrize("rows_are_texts", [False, True])
def test_the_shortened_head_of_a_table_is_of_the_text(tmp_path: Path, rows_are_texts: bool) -> None:
    """A head that is too large is cut in the middle of a word; another word before an ellipsis is noticed."""
    head = "/".join(f"folder{number}" for number in range(200))
    rows = "".join(f"| {'rain ' * 20}| {'wind ' * 60}|\n" for _ in range(4))
    path = tmp_path / "normalized.md"
    path.write_text(f"| {head} | note |\n| --- | --- |\n{rows}")
    file = TextFile(path)
    columns: dict[str, Any] = {"text_columns": ("note",), "context_columns": (head,)} if rows_are_texts else {}
    chunks = list(VersionChunks("aa", 1, file, (), None, ChunkLimits(ChunkRules(size=301, overlap=20, **columns))))
    shortened = next(one for one in chunks if "…" in one.text)
    assert re.search(r"fold(er)?…", shortened.text)
    words = WordsOfText(file)
    assert all(map(words.are_those_of, chunks))
    assert not words.are_those_of(shortened._replace(text=shortened.text.replace("…", " swordfish…")))
    assert not words.are_those_of(shortened._replace(text=f"{shortened.text} folde"))
