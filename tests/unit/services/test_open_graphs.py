"""Graphs that stay mapped: the one of a log that its state names, and no more than some."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ingest_tui.index.vectors import Graph, build_graph
from ingest_tui.services import open_graphs
from ingest_tui.services.open_graphs import OpenGraphs
from ingest_tui.store.graph_file import GraphFile, graph_file

DIMENSIONS = 8


def _made(folder: Path, rows: int) -> GraphFile:
    folder.mkdir(exist_ok=True)
    vectors = np.random.default_rng(rows).normal(size=(rows, DIMENSIONS)).astype(np.float16)
    assert build_graph(vectors, folder / f"graph-{rows}")
    return graph_file(folder / f"graph-{rows}", rows)


def test_a_graph_is_mapped_once_until_a_newer_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked again it is the same; a newer one replaces it; beyond the most the one that was asked longest ago goes."""
    monkeypatch.setattr(open_graphs, "_MOST", 2)
    opened: list[str] = []
    original = Graph.open

    def counted(path: Path, rows: int, dimensions: int) -> Graph | None:
        opened.append(f"{path.parent.name}/{path.name}")
        return original(path, rows, dimensions)

    monkeypatch.setattr(Graph, "open", counted)
    graphs = OpenGraphs()
    older, newer = _made(tmp_path / "one", 20), _made(tmp_path / "one", 30)
    for file in (older, older, newer, newer):
        graph = graphs.opened(tmp_path / "one", file, DIMENSIONS)
        assert graph is not None
        assert graph.rows == file.rows
    for name in ("two", "one", "three", "one", "two"):
        file = newer if name == "one" else _made(tmp_path / name, 20)
        assert graphs.opened(tmp_path / name, file, DIMENSIONS) is not None
    assert opened == ["one/graph-20", "one/graph-30", "two/graph-20", "three/graph-20", "two/graph-20"]


def test_a_graph_that_cannot_be_used_is_none(tmp_path: Path) -> None:
    """As when it is opened: the search compares all rows then."""
    file = _made(tmp_path / "one", 20)
    assert OpenGraphs().opened(tmp_path / "one", file, DIMENSIONS + 1) is None


def test_a_graph_that_could_not_be_opened_is_tried_again(tmp_path: Path) -> None:
    """What hindered it, as too many open files do, passes; an older graph does not stay in its place meanwhile."""
    older, newer = _made(tmp_path / "one", 20), _made(tmp_path / "one", 30)
    graphs = OpenGraphs()
    assert graphs.opened(tmp_path / "one", older, DIMENSIONS) is not None
    hidden = (tmp_path / "one" / newer.file).rename(tmp_path / "hidden")
    assert graphs.opened(tmp_path / "one", newer, DIMENSIONS) is None
    hidden.rename(tmp_path / "one" / newer.file)
    graph = graphs.opened(tmp_path / "one", newer, DIMENSIONS)
    assert graph is not None
    assert graph.rows == newer.rows
