"""What vector search reads of a collection in one space: rows that are only appended, and a state that names them.

``vectors.f16`` has the vectors one after the other, ``entries.bin`` says which chunk each is of, ``documents.bin`` has
the ids of the documents, and ``state.json`` how much of these counts, and up to where the change feed was followed. It
is written last, so that after a crash what is after its numbers is cut off. Nothing here is needed: it is made again
from the vectors next to the documents. Rows of chunks that are no more stay until the log begins again; who searches
asks the catalogue which chunks there are.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from ingest_tui.index.vectors import EXACT_BELOW, build_graph
from ingest_tui.model.embedder import VectorSpace
from ingest_tui.model.errors import IngestError, NotFoundError
from ingest_tui.store.fs.atomic import (
    FILE_MODE,
    make_inner_folder,
    open_to_append,
    remove_tree,
    sync_filesystem,
    sync_folder,
    temporary_path_for,
    write_all,
)
from ingest_tui.store.graph_file import GraphFile, checked, graph_file
from ingest_tui.store.records.json_files import read_json, write_record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCHEMA_VERSION = 1
DOCUMENT_BYTES = 26
VECTORS, ENTRIES, DOCUMENTS, STATE = "vectors.f16", "entries.bin", "documents.bin", "state.json"
ENTRY_FIELDS = [("document", "<u4"), ("version", "<u4"), ("ordinal", "<u4"), ("digest", "u1", (16,))]
_ENTRY_BYTES = 28
_FEW_UNINDEXED = 1_000


class LogState(BaseModel):
    """How much of the files counts. ``epoch`` and ``sequence``: up to where the change feed was followed."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: int = SCHEMA_VERSION
    space: VectorSpace
    probe: tuple[float, ...] = ()
    rows: int = Field(default=0, ge=0)
    documents: int = Field(default=0, ge=0)
    epoch: str = ""
    sequence: int = Field(default=0, ge=0)
    graph: GraphFile | None = None


class VectorRow(NamedTuple):
    """A vector that is appended: the chunk that it is of, the digest of its text, and the vector."""

    document_id: str
    version: int
    ordinal: int
    digest: bytes
    vector: Any


class LogRows(NamedTuple):
    """The rows that count, mapped into memory: nothing is read before it is looked at."""

    state: LogState
    folder: Path
    document_ids: NDArray[np.bytes_]
    entries: NDArray[np.void]
    vectors: NDArray[np.float16]


def read_rows(folder: Path, space: VectorSpace) -> LogRows | None:
    """Return what may be searched; None where there is nothing, or where it cannot be read and is to be made again."""
    import numpy as np

    state = read_state(folder, space)
    if state is None or not state.rows:
        return None
    if not has_rows(folder, state):
        return None
    vectors = np.memmap(folder / VECTORS, np.float16, "r", shape=(state.rows, space.dimensions))
    entries = np.memmap(folder / ENTRIES, np.dtype(ENTRY_FIELDS), "r", shape=(state.rows,))
    document_ids = np.memmap(folder / DOCUMENTS, f"S{DOCUMENT_BYTES}", "r", shape=(state.documents,))
    if int(entries["document"].max()) >= state.documents:
        return None
    return LogRows(state, folder, document_ids, entries, vectors)


def has_rows(folder: Path, state: LogState) -> bool:
    """Whether all the rows are there that a state names."""
    try:
        sizes = [(folder / name).stat().st_size for name in (VECTORS, ENTRIES, DOCUMENTS)]
    except OSError:
        return not state.rows
    return all(size >= wanted for size, wanted in zip(sizes, _wanted(state), strict=True))


def read_state(folder: Path, space: VectorSpace) -> LogState | None:
    """Return the state of a log; None where there is none, or none of this space that can be read."""
    try:
        state = LogState.model_validate(
            read_json(folder / STATE, newest=SCHEMA_VERSION, what="the state of the vector index")
        )
    except NotFoundError:
        return None
    except (IngestError, pydantic.ValidationError):
        return None
    return state if state.space == space else None


def _wanted(state: LogState) -> tuple[int, int, int]:
    """Return how many bytes of each file count."""
    return state.rows * state.space.dimensions * 2, state.rows * _ENTRY_BYTES, state.documents * DOCUMENT_BYTES


class VectorLog:
    """Appends rows. Only for the holder of the collection's embedding lock."""

    def __init__(self, folder: Path, space: VectorSpace) -> None:
        self.folder = folder
        for part in (folder.parent, folder):  # a link in the place of either would have rows written elsewhere
            make_inner_folder(part)
        rows = read_rows(folder, space)
        state = read_state(folder, space)
        self.state = state if state is not None and (rows is not None or not state.rows) else _fresh(state, space)
        self.state = self.state.model_copy(update={"graph": checked(folder, self.state.graph)})
        self._numbers: dict[bytes, int] = {}
        self._known: dict[int, set[bytes]] = {}
        if rows is not None:
            self._numbers = {document_id: number for number, document_id in enumerate(rows.document_ids.tolist())}
            for entry in rows.entries:
                self._known.setdefault(int(entry["document"]), set()).add(_key(entry))
        self._cut()
        self._files = [open_to_append(folder / name) for name in (VECTORS, ENTRIES, DOCUMENTS)]
        self._rows, self._documents = self.state.rows, self.state.documents

    def close(self) -> None:
        """Close the files; what was not committed is cut off by the next who opens them."""
        for descriptor in self._files:
            os.close(descriptor)
        self._files = []

    def append(self, entries: Iterable[VectorRow]) -> int:
        """Append what is not there yet; returns how many rows that were. They count from the next `commit` on."""
        import numpy as np

        added, records = [], []
        for entry in entries:
            number = self._number_of(entry.document_id)
            key = _packed(entry.version, entry.ordinal, entry.digest)
            known = self._known.setdefault(number, set())
            if key not in known:
                known.add(key)
                records.append((number, entry.version, entry.ordinal, np.frombuffer(entry.digest, np.uint8)))
                added.append(np.asarray(entry.vector, dtype=np.float16))
        if records:
            write_all(self._files[0], np.stack(added).tobytes())
            write_all(self._files[1], np.array(records, dtype=np.dtype(ENTRY_FIELDS)).tobytes())
            self._rows += len(records)
        return len(records)

    def commit(self, *, epoch: str, sequence: int, probe: tuple[float, ...] = ()) -> None:
        """Let all that was appended count, durably, with how far the change feed was followed."""
        for descriptor in self._files:
            os.fsync(descriptor)
        self.state = self.state.model_copy(
            update={
                "rows": self._rows,
                "documents": self._documents,
                "epoch": epoch,
                "sequence": sequence,
                "probe": probe or self.state.probe,
            }
        )
        write_record(self.folder / STATE, self.state)

    def grow_graph(self) -> None:
        """Let the graph follow the rows that count, where there are many; the state names it from the next `commit` on.

        Rows after it are compared exactly, so it need not follow each of them.
        """
        import numpy as np

        rows, graph = self.state.rows, self.state.graph
        covered = graph.rows if graph else 0
        if rows < EXACT_BELOW or rows - covered <= max(_FEW_UNINDEXED, rows // 10):
            return
        temporary = temporary_path_for(self.folder / STATE)
        vectors = np.memmap(self.folder / VECTORS, np.float16, "r", shape=(rows, self.state.space.dimensions))
        older = (self.folder / graph.file, graph.rows) if graph else None
        if build_graph(vectors, temporary, older):
            temporary.chmod(FILE_MODE)
            name = f"graph-{rows}.usearch"
            temporary.rename(self.folder / name)
            sync_filesystem(self.folder)
            self.state = self.state.model_copy(update={"graph": graph_file(self.folder / name, rows)})

    def _number_of(self, document_id: str) -> int:
        name = document_id.encode("ascii")
        if name not in self._numbers:
            write_all(self._files[2], name.ljust(DOCUMENT_BYTES, b"\0"))
            self._numbers[name] = self._documents
            self._documents += 1
        return self._numbers[name]

    def _cut(self) -> None:
        """Cut off what a crash left after the rows that count, and drop indexes that nobody names."""
        named = self.state.graph.file if self.state.graph else None
        for name, size in zip((VECTORS, ENTRIES, DOCUMENTS), _wanted(self.state), strict=True):
            os.close(open_to_append(self.folder / name))
            os.truncate(self.folder / name, size)
        for path in self.folder.iterdir():
            if path.name not in {VECTORS, ENTRIES, DOCUMENTS, STATE, named}:
                path.unlink(missing_ok=True)
        sync_folder(self.folder)


def _fresh(state: LogState | None, space: VectorSpace) -> LogState:
    """Return the state of a log without rows: the feed is followed from the start; what is known of the model stays."""
    return LogState(space=space, probe=state.probe if state else ())


def _key(entry: Any) -> bytes:
    return _packed(int(entry["version"]), int(entry["ordinal"]), entry["digest"].tobytes())


def _packed(version: int, ordinal: int, digest: bytes) -> bytes:
    return version.to_bytes(4, "little") + ordinal.to_bytes(4, "little") + digest


def forget_rows(folder: Path) -> None:
    """Remove what vector search reads in a space; it is made again from the vectors next to the documents."""
    with suppress(FileNotFoundError):
        (folder / STATE).unlink()  # first: nothing else counts without it
    remove_tree(folder)
