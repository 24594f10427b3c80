"""What vector search reads of a collection in one space: files of rows, and a state that says how many of these count.

``vectors.f16`` has the vectors one after the other, ``entries.bin`` says which chunk each is of, ``documents.bin`` has
the ids of the documents, ``sums.bin`` a checksum for each row, and ``state.json`` how much of these counts, and up to
where the change feed was followed. Nothing here is needed: it is made again from the vectors next to the documents.

The checksum of a row is the CRC-32 of all that it says: the id of its document, its entry and its vector. A search
does not look at it; `count_damaged` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from ingest_tui.model.embedder import VectorSpace
from ingest_tui.model.errors import IngestError, NotFoundError
from ingest_tui.store.graph_file import GraphFile
from ingest_tui.store.records.json_files import read_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCHEMA_VERSION = 1
DOCUMENT_BYTES = 26
VECTORS, ENTRIES, DOCUMENTS, SUMS, STATE = "vectors.f16", "entries.bin", "documents.bin", "sums.bin", "state.json"
ROW_FILES = (VECTORS, ENTRIES, DOCUMENTS, SUMS)
ENTRY_FIELDS = [("document", "<u4"), ("version", "<u4"), ("ordinal", "<u4"), ("digest", "u1", (16,))]
_ENTRY_BYTES, _SUM_BYTES = 28, 4
_ROWS_AT_ONCE = 8_192


class LogState(BaseModel):
    """How much of the files counts. ``epoch`` and ``sequence``: up to where the change feed was followed.

    ``has_sums``: whether its rows have checksums, and the state one of itself; those of programs of before have none.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: int = SCHEMA_VERSION
    space: VectorSpace
    probe: tuple[float, ...] = ()
    rows: int = Field(default=0, ge=0)
    documents: int = Field(default=0, ge=0)
    has_sums: bool = False
    epoch: str = ""
    sequence: int = Field(default=0, ge=0)
    graph: GraphFile | None = None
    checksum: int = 0

    def checked(self) -> LogState:
        """Return it with the checksum of what counts in it."""
        return self.model_copy(update={"checksum": self._checksum()})

    @property
    def is_as_written(self) -> bool:
        """Whether what counts in it is what was written, where that can be said."""
        return not self.has_sums or self.checksum == self._checksum()

    def _checksum(self) -> int:
        return crc32(f"{self.rows} {self.documents} {self.epoch} {self.sequence}".encode())


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
        return all((folder / name).stat().st_size >= size for name, size in wanted_sizes(state).items() if size)
    except OSError:
        return False


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
    return state if state.space == space and state.is_as_written else None


def wanted_sizes(state: LogState) -> dict[str, int]:
    """Return how many bytes of each file count."""
    return {
        VECTORS: state.rows * state.space.dimensions * 2,
        ENTRIES: state.rows * _ENTRY_BYTES,
        DOCUMENTS: state.documents * DOCUMENT_BYTES,
        SUMS: state.rows * _SUM_BYTES if state.has_sums else 0,
    }


def row_sums(document_ids: Sequence[bytes], entries: bytes, vectors: bytes) -> NDArray[np.uint32]:
    """Return the checksums of rows. ``document_ids``: of each row; entries and vectors: as they are on disk."""
    import numpy as np

    count = len(document_ids)
    entry_bytes, vector_bytes = len(entries) // count, len(vectors) // count
    of_entries, of_vectors = memoryview(entries), memoryview(vectors)
    sums = (
        crc32(
            of_vectors[row * vector_bytes : (row + 1) * vector_bytes],
            crc32(of_entries[row * entry_bytes : (row + 1) * entry_bytes], crc32(document_id)),
        )
        for row, document_id in enumerate(document_ids)
    )
    return np.fromiter(sums, np.dtype("<u4"), count)


def sums_of_files(folder: Path, state: LogState) -> Iterator[NDArray[np.uint32]]:
    """Yield the checksums that the rows on disk have, some thousand at once. The files have all that the state names.

    They are read rather than mapped: a disk that cannot read is an `OSError` then.
    """
    import numpy as np

    documents = (folder / DOCUMENTS).read_bytes()[: state.documents * DOCUMENT_BYTES]
    ids = [
        documents[start : start + DOCUMENT_BYTES].rstrip(b"\0") for start in range(0, len(documents), DOCUMENT_BYTES)
    ]
    with ExitStack() as opened:
        vectors, entries = (opened.enter_context((folder / name).open("rb")) for name in (VECTORS, ENTRIES))
        for first in range(0, state.rows, _ROWS_AT_ONCE):
            count = min(_ROWS_AT_ONCE, state.rows - first)
            packed = entries.read(count * _ENTRY_BYTES)
            numbers = np.frombuffer(packed, np.dtype(ENTRY_FIELDS))["document"].tolist()
            of_rows = [ids[number] if number < len(ids) else b"" for number in numbers]
            yield row_sums(of_rows, packed, vectors.read(count * state.space.dimensions * 2))


def count_damaged(folder: Path, state: LogState) -> int:
    """Return how many rows are not what was written; 0 where they have no checksums. Raises `OSError`."""
    import numpy as np

    if not state.has_sums or not state.rows:
        return 0
    damaged = 0
    with (folder / SUMS).open("rb") as kept:
        for sums in sums_of_files(folder, state):
            damaged += int(np.count_nonzero(sums != np.frombuffer(kept.read(sums.nbytes), np.dtype("<u4"))))
    return damaged
