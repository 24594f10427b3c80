"""Appending to what vector search reads (`vector_rows`): the rows first, then the state that lets them count.

A log has a state from the start, of no rows: rows without one are damage. After a crash what is after the numbers of
the state is cut off. Rows of chunks that are no more stay until the log begins again; who searches asks the catalogue
which chunks there are.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from ingest_tui.index.vectors import EXACT_BELOW, build_graph
from ingest_tui.model.embedder import VectorSpace
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
from ingest_tui.store.graph_file import checked, graph_file
from ingest_tui.store.records.json_files import write_record
from ingest_tui.store.vector_rows import (
    DOCUMENT_BYTES,
    DOCUMENTS,
    ENTRIES,
    ENTRY_FIELDS,
    ROW_FILES,
    STATE,
    SUMS,
    VECTORS,
    LogState,
    read_rows,
    read_state,
    row_sums,
    sums_of_files,
    wanted_sizes,
)

_FEW_UNINDEXED = 1_000


class VectorRow(NamedTuple):
    """A vector that is appended: the chunk that it is of, the digest of its text, and the vector."""

    document_id: str
    version: int
    ordinal: int
    digest: bytes
    vector: Any


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
        if state is None:
            write_record(self.folder / STATE, self.state.checked())
        self._cut()
        self._files = {name: open_to_append(folder / name) for name in ROW_FILES}
        self._rows, self._documents = self.state.rows, self.state.documents
        self._lacks_sums = bool(self._rows) and not self.state.has_sums

    def close(self) -> None:
        """Close the files; what was not committed is cut off by the next who opens them."""
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files = {}

    @property
    def lacks_sums(self) -> bool:
        """Whether it has rows without checksums: those of a program of before."""
        return self._lacks_sums

    def add_sums(self) -> None:
        """Give the rows of a program of before their checksums, as they are. The caller has compared them."""
        for sums in sums_of_files(self.folder, self.state):
            write_all(self._files[SUMS], sums.tobytes())
        self._lacks_sums = False

    def append(self, entries: Iterable[VectorRow]) -> int:
        """Append what is not there yet; returns how many rows that were. They count from the next `commit` on."""
        import numpy as np

        assert not self._lacks_sums  # noqa: S101 - the checksum of a row is at its place
        added, records, ids = [], [], []
        for entry in entries:
            number = self._number_of(entry.document_id)
            key = _packed(entry.version, entry.ordinal, entry.digest)
            known = self._known.setdefault(number, set())
            if key not in known:
                known.add(key)
                records.append((number, entry.version, entry.ordinal, np.frombuffer(entry.digest, np.uint8)))
                added.append(np.asarray(entry.vector, dtype=np.float16))
                ids.append(entry.document_id.encode("ascii"))
        if records:
            vectors, packed = np.stack(added).tobytes(), np.array(records, dtype=np.dtype(ENTRY_FIELDS)).tobytes()
            for name, data in ((VECTORS, vectors), (ENTRIES, packed), (SUMS, row_sums(ids, packed, vectors).tobytes())):
                write_all(self._files[name], data)
            self._rows += len(records)
        return len(records)

    def commit(self, *, epoch: str, sequence: int, probe: tuple[float, ...] = ()) -> None:
        """Let all that was appended count, durably, with how far the change feed was followed."""
        for descriptor in self._files.values():
            os.fsync(descriptor)
        self.state = self.state.model_copy(
            update={
                "rows": self._rows,
                "documents": self._documents,
                "has_sums": not self._lacks_sums,
                "epoch": epoch,
                "sequence": sequence,
                "probe": probe or self.state.probe,
            }
        ).checked()
        write_record(self.folder / STATE, self.state)

    def grow_graph(self) -> None:
        """Let the graph follow the rows that count, where there are many; the state names it from the next `commit` on.

        Rows after it are compared exactly, so it need not follow each of them.
        """
        import numpy as np

        rows, graph = self.state.rows, self.state.graph
        covered = graph.rows if graph else 0
        if rows < EXACT_BELOW or rows - covered <= max(_FEW_UNINDEXED, min(rows // 10, EXACT_BELOW)):
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
            write_all(self._files[DOCUMENTS], name.ljust(DOCUMENT_BYTES, b"\0"))
            self._numbers[name] = self._documents
            self._documents += 1
        return self._numbers[name]

    def _cut(self) -> None:
        """Cut off what a crash left after the rows that count, and drop indexes that nobody names."""
        named = self.state.graph.file if self.state.graph else None
        for name, size in wanted_sizes(self.state).items():
            os.close(open_to_append(self.folder / name))
            os.truncate(self.folder / name, size)
        for path in self.folder.iterdir():
            if path.name not in {*ROW_FILES, STATE, named}:
                path.unlink(missing_ok=True)
        sync_folder(self.folder)


def _fresh(state: LogState | None, space: VectorSpace) -> LogState:
    """Return the state of a log without rows: the feed is followed from the start; what is known of the model stays."""
    return LogState(space=space, probe=state.probe if state else (), has_sums=True)


def _key(entry: Any) -> bytes:
    return _packed(int(entry["version"]), int(entry["ordinal"]), entry["digest"].tobytes())


def _packed(version: int, ordinal: int, digest: bytes) -> bytes:
    return version.to_bytes(4, "little") + ordinal.to_bytes(4, "little") + digest


def begin_again(folder: Path, space: VectorSpace) -> None:
    """Let a log begin again without rows, from the start of the feed; what is known of its model stays.

    Only for the holder of the collection's embedding lock.
    """
    state = read_state(folder, space)
    forget_rows(folder)
    log = VectorLog(folder, space)
    try:
        log.commit(epoch="", sequence=0, probe=state.probe if state else ())
    finally:
        log.close()


def forget_rows(folder: Path) -> None:
    """Remove what vector search reads in a space; it is made again from the vectors next to the documents."""
    with suppress(FileNotFoundError):
        (folder / STATE).unlink()  # first: nothing else counts without it
    remove_tree(folder)
