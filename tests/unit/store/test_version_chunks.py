"""The text of a version read in parts: the same lines, hash and chunks as of the whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest_tui.model.chunk_limits import ChunkLimits, ChunkRules
from ingest_tui.model.chunking import chunks_of_version, split_into_chunks
from ingest_tui.model.hashing import compute_content_hash
from ingest_tui.model.language import detect_language
from ingest_tui.store import version_chunks
from ingest_tui.store.version_chunks import TextFile, VersionChunks


def text_file(folder: Path, content: bytes) -> TextFile:
    path = folder / "normalized.md"
    path.write_bytes(content)
    return TextFile(path)


@given(st.one_of(st.text("ab\r\n\u2028é\0").map(str.encode), st.binary(max_size=30)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_text_read_in_parts_is_the_whole(tmp_path: Path, content: bytes) -> None:
    """Lines, hash and language are those of the text as one, whatever the line ends and the bytes."""
    file = text_file(tmp_path, content)
    whole = file.path.read_text(encoding="utf-8", errors="replace")
    assert list(file.lines()) == whole.split("\n")
    assert file.content_hash() == compute_content_hash(whole)
    assert file.language() == detect_language(whole)


def test_a_hash_is_made_of_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text of several pieces, in which a character may lie across two, has the hash of the whole."""
    monkeypatch.setattr(version_chunks, "_PIECE_CHARACTERS", 3)
    assert text_file(tmp_path, "über\nGröße".encode()).content_hash() == compute_content_hash("über\nGröße")


@pytest.mark.parametrize("kept_below", [0, 1 << 20])
def test_chunks_of_a_version_may_be_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept_below: int
) -> None:
    """Whether they are kept or cut again, they are those of the text, and may be read from where it is moved to."""
    monkeypatch.setattr(version_chunks, "_KEPT_BELOW_BYTES", kept_below)
    text = "# Rain\n\n" + "Rain fell on the town. " * 100
    limits = ChunkLimits(ChunkRules(size=300, overlap=50))
    expected = list(chunks_of_version("aa", 2, split_into_chunks(text, limits=limits), "en", limits.rules))
    file = text_file(tmp_path, text.encode())
    moved = TextFile(tmp_path / "moved.md")
    chunks = VersionChunks("aa", 2, file, (), "en", limits).moved_to(moved)
    file.path.rename(moved.path)
    assert len(chunks) == len(expected) > 5
    assert list(chunks) == list(chunks) == expected
