"""The graphs that were asked last, kept mapped: to map one takes 80 ms for a million rows."""

from __future__ import annotations

import threading
from pathlib import Path

from ingest_tui.index.vectors import Graph
from ingest_tui.store.graph_file import GraphFile

_MOST = 8


class OpenGraphs:
    """Keeps some graphs of a process, one of each log: the file of an older one is let go once a newer one is asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._graphs: dict[Path, tuple[GraphFile, Graph]] = {}

    def opened(self, folder: Path, file: GraphFile, dimensions: int) -> Graph | None:
        """Return the graph of a log, None where it cannot be used: see `Graph.open`. The caller checks its file."""
        with self._lock:
            known = self._graphs.pop(folder, None)
            if known is not None and known[0] == file:
                graph: Graph | None = known[1]
            else:
                graph = Graph.open(folder / file.file, file.rows, dimensions)
            if graph is not None:  # one that cannot be opened now, as without a free descriptor, may be later
                self._graphs[folder] = file, graph
            while len(self._graphs) > _MOST:
                del self._graphs[next(iter(self._graphs))]
            return graph
