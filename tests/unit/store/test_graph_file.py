"""The file of a vector graph: a damaged one is found before it is searched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest_tui.store.graph_file import GraphFile, checked, graph_file, may_be_searched


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "graph-7.usearch"
    path.write_bytes(bytes(range(256)) * 20)
    return path


def flip(path: Path) -> None:
    """Change one bit, and put the times of the file back."""
    before = path.stat()
    with path.open("r+b") as stream:
        stream.seek(3000)
        (byte,) = stream.read(1)
        stream.seek(3000)
        stream.write(bytes([byte ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def cut(path: Path) -> None:
    os.truncate(path, 100)


@pytest.mark.parametrize("damage", [flip, cut, os.unlink])
def test_a_damaged_file_is_neither_searched_nor_kept(path: Path, damage: Callable[[Path], None]) -> None:
    """One changed bit, a cut file, a missing one: a search compares all, and a job makes the graph again."""
    graph = graph_file(path, 7)
    assert may_be_searched(path.parent, graph)
    damage(path)
    assert not may_be_searched(path.parent, graph)
    assert checked(path.parent, graph) is None


def test_a_copy_is_searched_and_known_from_then_on(path: Path) -> None:
    """A file that came back from a backup has another status and the same bytes: a job notes its status."""
    graph = graph_file(path, 7)
    other = shutil.copy(path, path.with_name("copy"))
    path.unlink()
    Path(other).rename(path)
    assert may_be_searched(path.parent, graph)
    noted = checked(path.parent, graph)
    assert noted is not None
    assert noted.status != graph.status
    assert noted.sha256 == graph.sha256


def test_a_file_of_a_program_of_before_is_searched_until_a_job_makes_it_again(path: Path) -> None:
    """A record without a digest says nothing of the bytes."""
    graph = GraphFile(file=path.name, rows=7)
    assert may_be_searched(path.parent, graph)
    assert checked(path.parent, graph) is None
