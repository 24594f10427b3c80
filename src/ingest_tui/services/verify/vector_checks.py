"""What vector search reads: whether the rows are there that its state names, of generations that are known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ingest_tui.model.errors import IngestError
from ingest_tui.model.generation import Generation
from ingest_tui.model.inconsistency import Inconsistency
from ingest_tui.pipeline.embed.generations import known_generations
from ingest_tui.store.vector_log import STATE, has_rows, read_rows, read_state
from ingest_tui.store.workspace import Workspace


def check_vector_logs(workspace: Workspace) -> Iterator[Inconsistency]:
    """Yield the logs of vectors that cannot be searched. They are made again from the vectors of the documents."""
    layout = workspace.layout
    for folder in sorted(layout.vectors.iterdir()) if layout.vectors.is_dir() else ():
        try:
            generations = known_generations(workspace, folder.name).generations
        except IngestError:
            continue  # its record is damaged, which is reported as such
        for generation in generations:
            fault = _fault_of(folder / generation.key, generation)
            if fault:
                yield Inconsistency("vector_index_damaged", f"vectors/{folder.name}/{generation.key}", fault)


def _fault_of(folder: Path, generation: Generation) -> str:
    if not folder.is_dir():
        return ""  # it may be removed at any time, and is due then
    state = read_state(folder, generation.space)
    if state is None:
        has_any = any(path.stat().st_size for path in folder.iterdir() if path.name != STATE)
        return "its state cannot be read" if (folder / STATE).exists() or has_any else ""
    if not has_rows(folder, state):
        return "rows are missing that its state names"
    if state.rows and read_rows(folder, generation.space) is None:
        return "its rows name documents that it does not have"
    if state.graph is not None and not (folder / state.graph.file).is_file():
        return "its graph is missing"
    return ""
