"""What vector search reads: whether the rows are there that its state names, and are what was written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ingest_tui.model.counted import counted
from ingest_tui.model.errors import IngestError
from ingest_tui.model.generation import Generation
from ingest_tui.model.inconsistency import Inconsistency
from ingest_tui.pipeline.embed.generations import known_generations
from ingest_tui.store.graph_file import checked
from ingest_tui.store.vector_rows import ROW_FILES, STATE, LogState, count_damaged, has_rows, read_rows, read_state
from ingest_tui.store.workspace import Workspace


def check_vector_logs(workspace: Workspace, *, deep: bool = False) -> Iterator[Inconsistency]:
    """Yield the logs of vectors that cannot be searched; ``deep``: those too that have other bytes than were written.

    They are made again from the vectors of the documents.
    """
    layout = workspace.layout
    for folder in sorted(layout.vectors.iterdir()) if layout.vectors.is_dir() else ():
        try:
            generations = known_generations(workspace, folder.name).generations
        except IngestError:
            continue  # its record is damaged, which is reported as such
        for generation in generations:
            fault = _fault_of(folder / generation.key, generation, deep=deep)
            if fault:
                yield Inconsistency("vector_index_damaged", f"vectors/{folder.name}/{generation.key}", fault)


def _fault_of(folder: Path, generation: Generation, *, deep: bool) -> str:
    if not folder.is_dir():
        return ""  # it may be removed at any time, and is due then
    state = read_state(folder, generation.space)
    if state is None:
        has_any = any(path.stat().st_size for path in folder.iterdir() if path.name in ROW_FILES)
        return "its state cannot be read" if (folder / STATE).exists() or has_any else ""
    if not has_rows(folder, state):
        return "rows are missing that its state names"
    if state.rows and read_rows(folder, generation.space) is None:
        return "its rows name documents that it does not have"
    if state.graph is not None and not (folder / state.graph.file).is_file():
        return "its graph is missing"
    fault = _fault_of_bytes(folder, state) if deep else ""
    return fault if read_state(folder, generation.space) == state else ""  # a job may have changed them meanwhile


def _fault_of_bytes(folder: Path, state: LogState) -> str:
    try:
        damaged = count_damaged(folder, state)
    except OSError as error:
        return f"its rows cannot be read: {error.strerror}"
    if damaged:
        return f"{damaged} of {counted(state.rows, 'row')} are not what was written"
    if state.graph is not None and state.graph.sha256 and checked(folder, state.graph) is None:
        return "its graph is not what was written"
    return ""
