"""The file of a schema: what it must be, and what its digest stands for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingest_tui.extraction.schemas.schema_file import MAX_SCHEMA_BYTES, absolute_schema_path, schema_of
from ingest_tui.model.errors import ValidationError
from ingest_tui.model.source import Source


def source_with(path: Path, violations: str = "report") -> Source:
    return Source(
        source_id="docs", name="docs", source_type="local", schema_file=str(path), schema_violations=violations
    )


def test_a_source_without_a_schema_reads_no_file() -> None:
    """Most sources have none."""
    assert schema_of(Source(source_id="docs", name="docs", source_type="local")) is None


def test_the_digest_is_of_text_and_choice(tmp_path: Path) -> None:
    """Another text or another choice is another schema; another file of the same text is not."""
    path = tmp_path / "a.json"
    path.write_bytes(b'\xef\xbb\xbf{"type": "object"}')
    (tmp_path / "b.json").write_text('{"type": "object"}')
    first, second = schema_of(source_with(path)), schema_of(source_with(tmp_path / "b.json"))
    rejecting = schema_of(source_with(path, "reject"))
    path.write_text('{"type": "array"}')
    third = schema_of(source_with(path))
    assert first
    assert second
    assert rejecting
    assert third
    assert first.digest == second.digest
    assert len({first.digest, rejecting.digest, third.digest}) == 3


def test_what_is_no_usable_file_says_why(tmp_path: Path) -> None:
    """A missing, large, binary or special file is an error about the schema, with what to do; none keeps it waiting."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b" " * (MAX_SCHEMA_BYTES + 1))
    (tmp_path / "binary").write_bytes(b'{"type": "\xff"}')
    (tmp_path / "damaged").write_text('{"type": ')
    expected = {
        "missing": "No such file", "pipe": "it is no file", ".": "Is a directory|it is no file",
        "large": "it is larger than 256 KB", "binary": "it is not UTF-8", "damaged": "it is not valid JSON",
    }  # fmt: skip
    for name, why in expected.items():
        with pytest.raises(ValidationError, match=f"cannot be used: ({why})") as raised:
            schema_of(source_with(tmp_path / name))
        assert (raised.value.reason, raised.value.context["setting"]) == ("schema_unusable", "schema_file")
        assert "--schema" in raised.value.hint


def test_a_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker elsewhere finds the file that was named; a name that no file can have is refused."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    assert absolute_schema_path("a.json") == str(tmp_path / "a.json")
    assert absolute_schema_path("~/a.json") == "/home/me/a.json"
    assert absolute_schema_path("") == ""
    for path in ("a\0b", "a\udcff"):
        with pytest.raises(ValidationError):
            absolute_schema_path(path)
