"""What a deep verification finds in the files that vector search reads."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui.services.verify.vector_checks import check_vector_logs
from ingest_tui.store import vector_log
from ingest_tui.store.vector_log import VectorLog, VectorRow
from ingest_tui.store.vector_rows import STATE, VECTORS
from tests.unit.pipeline.embed.embedding_lab import EmbeddingLab


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddingLab]:
    """A workspace whose few vectors have a graph."""
    monkeypatch.setattr(vector_log, "EXACT_BELOW", 1)
    monkeypatch.setattr(vector_log, "_FEW_UNINDEXED", 1)
    made = EmbeddingLab(tmp_path)
    for name in ("fox", "rain", "leave"):
        made.put(name, f"# {name}\n\nThe quick {name}.\n")
    made.embed()
    yield made
    made.workspace.close()


def changed_as_by_a_disk(path: Path) -> None:
    """Change a bit, and no time of the file that a program could set."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("name", [VECTORS, "graph-*.usearch"])
def test_a_changed_bit_is_found_by_a_deep_look(lab: EmbeddingLab, name: str) -> None:
    """In the rows and in the graph; what is whole is no finding."""
    assert list(check_vector_logs(lab.workspace, deep=True)) == []
    [path] = lab.folder.glob(name)
    changed_as_by_a_disk(path)
    assert list(check_vector_logs(lab.workspace)) == []
    [found] = check_vector_logs(lab.workspace, deep=True)
    assert (found.code, "not what was written" in found.message) == ("vector_index_damaged", True)


def test_rows_that_cannot_be_read_are_found(lab: EmbeddingLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that cannot read them is no end of the verification."""

    def unreadable(*_given: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("ingest_tui.services.verify.vector_checks.count_damaged", unreadable)
    [found] = check_vector_logs(lab.workspace, deep=True)
    assert "Input/output error" in found.message


def test_a_log_that_a_crash_left_in_its_first_batch_is_no_damage(lab: EmbeddingLab) -> None:
    """Its rows do not count, and it says so; rows whose state is lost are damage, a torn temporary file is none."""
    rows = lab.rows()
    assert rows is not None
    digest = rows.entries[0]["digest"].tobytes()
    row = VectorRow(rows.document_ids[0].decode(), 1, 0, digest, rows.vectors[0].copy())
    del rows
    shutil.rmtree(lab.folder)
    log = VectorLog(lab.folder, lab.space)
    log.append([row])
    log.close()
    assert (lab.folder / VECTORS).stat().st_size
    assert list(check_vector_logs(lab.workspace, deep=True)) == []
    (lab.folder / STATE).unlink()
    [found] = check_vector_logs(lab.workspace)
    assert found.message == "its state cannot be read"
    shutil.rmtree(lab.folder)
    lab.folder.mkdir()
    (lab.folder / ".tmp.state").write_bytes(b"{")
    assert list(check_vector_logs(lab.workspace)) == []
