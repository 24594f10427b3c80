"""Backups made by somebody who knows the format: what makes no workspace is refused, by a check as by a restore."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.model.errors import IngestError
from ingest_tui.services.backup import check_backup, restore_backup, stream_backup
from ingest_tui.store.backup.archive import ArchiveReader, ArchiveWriter
from ingest_tui.store.backup.contents import Content, ContentsWriter, read_contents

SETTINGS = "workspace/workspace.json"
CREDENTIALS = "credentials.json"
Files = list[tuple[str, bytes]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The files of a backup, but for its list of contents."""
    stream = io.BytesIO()
    with open_workspace(tmp_path_factory.mktemp("backup") / "workspace") as opened:
        opened.register("default", IngestedDocument("words", "script:1", "script"))
        stream_backup(opened.workspace, stream)
    reader = ArchiveReader(io.BytesIO(stream.getvalue()))
    return [(member.name, b"".join(reader.pieces())) for member in reader.members()][:-1]


def made(files: Files, scratch: Path) -> bytes:
    """Return a backup of these files, with a list of contents that agrees with them."""
    backup_id = json.loads(files[0][1])["backup_id"]
    stream, contents = io.BytesIO(), scratch / "contents.jsonl"
    archive = ArchiveWriter(stream)
    with ContentsWriter(contents) as listed:
        for name, data in files:
            one = archive.add(name, io.BytesIO(data), size=len(data))
            folder, _, path = name.partition("/")
            if folder == "workspace":
                listed.add(Content(path, one.size, one.sha256, backup_id, path))
        listed.end()
    data = contents.read_bytes()
    contents.unlink()
    archive.add("contents.jsonl", io.BytesIO(data), size=len(data))
    archive.close()
    return stream.getvalue()


def with_settings(files: Files, settings: bytes) -> Files:
    return [(name, settings if name == SETTINGS else data) for name, data in files]


def hostile(files: Files) -> Iterator[tuple[str, Files]]:
    """Yield what is wrong, and the files."""
    yield "missing or not readable", [one for one in files if one[0] != SETTINGS]
    yield "missing or not readable", with_settings(files, b"\x1b[31m no JSON")
    yield "missing or not readable", with_settings(files, b"[]")
    yield "names no schema_version", with_settings(files, b"{}")
    yield "newer ingest-tui", with_settings(files, b'{"schema_version": 99}')
    yield "too large", with_settings(files, b" " * (17 << 20))
    yield "belongs to no workspace", [*files[:-1], (f"{SETTINGS}/below", b"")]
    yield "belongs to no workspace", [*files, ("workspace/.tmp.restore.settings", b"")]
    yield "twice", [*files, (CREDENTIALS, b"{}"), (CREDENTIALS, b"{}")]
    yield "too large", [*files, (CREDENTIALS, b" " * (17 << 20))]


def test_the_files_make_a_backup(files: Files, tmp_path: Path) -> None:
    """Without anything hostile in it, what this test makes is restored."""
    restore_backup(io.BytesIO(made(files, tmp_path)), tmp_path / "there")
    with open_workspace(tmp_path / "there") as opened:
        assert len(list(opened.documents)) == 1


def test_what_makes_no_workspace_is_refused(files: Files, tmp_path: Path) -> None:
    """A check finds what a restore would find, and a restore leaves nothing."""
    for wrong, hostile_files in hostile(files):
        stream = made(hostile_files, tmp_path)
        with pytest.raises(IngestError, match=wrong) as checked:
            check_backup(io.BytesIO(stream))
        with pytest.raises(IngestError, match=wrong):
            restore_backup(io.BytesIO(stream), tmp_path / "there")
        assert checked.value.hint
        assert list(tmp_path.iterdir()) == [], wrong


def test_a_line_without_end_in_the_list_is_no_list(tmp_path: Path) -> None:
    """It is not read into memory as a whole."""
    contents = tmp_path / "contents.jsonl"
    contents.write_bytes(b'{"path": "' + b"x" * (40 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(IngestError, match="list of contents"):
            list(read_contents(contents))
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_what_cannot_be_written_leaves_nothing(files: Files, tmp_path: Path) -> None:
    """A folder where the program needs a file: an error, and no workspace."""
    kept = [one for one in files if not one[0].startswith("workspace/audit.jsonl")]
    with pytest.raises((IngestError, OSError)):
        restore_backup(io.BytesIO(made([*kept, ("workspace/audit.jsonl/below", b"")], tmp_path)), tmp_path / "there")
    assert list(tmp_path.iterdir()) == []
