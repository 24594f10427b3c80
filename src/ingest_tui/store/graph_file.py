"""The file of a vector graph: whether it is still what was written. A damaged one gives wrong answers, or none.

Its library checks nothing of it. The digest of all its bytes is looked at by each job that embeds, which makes the
graph again where it differs, and by a search only where the file is not the one that was written: the same size, times
and inode mean that nobody wrote to it since.
"""

from __future__ import annotations

import functools
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from ingest_tui.model.hashing import new_hasher

_PIECE = 1 << 20


class GraphFile(BaseModel):
    """The index over the first rows, for approximate search. ``rows``: how many it covers.

    ``status`` is what the file system said of the file when it was whole (see `_status_of`). Programs of before wrote
    neither it nor the digest.
    """

    model_config = ConfigDict(frozen=True)

    file: str
    rows: int = Field(ge=0)
    sha256: str = ""
    status: tuple[int, ...] = ()


def graph_file(path: Path, rows: int) -> GraphFile:
    """Return the record of a graph that was just written."""
    return GraphFile(file=path.name, rows=rows, sha256=_digest(path, _status_of(path)), status=_status_of(path))


def may_be_searched(folder: Path, graph: GraphFile) -> bool:
    """Whether a graph is the one that was written; its bytes are read only where its status differs."""
    path = folder / graph.file
    try:
        status = _status_of(path)
        return not graph.sha256 or status == graph.status or _digest(path, status) == graph.sha256
    except OSError:
        return False


def checked(folder: Path, graph: GraphFile | None) -> GraphFile | None:
    """Return the record of a graph whose bytes are those that were written, as its status is now; None for another."""
    if graph is None or not graph.sha256:
        return None
    path = folder / graph.file
    try:
        status = _status_of(path)
        is_whole = _digest.__wrapped__(path, status) == graph.sha256
    except OSError:
        return None
    return graph.model_copy(update={"status": status}) if is_whole else None


def _status_of(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


@functools.lru_cache(maxsize=64)
def _digest(path: Path, _status: tuple[int, ...]) -> str:
    """Return the digest of a file; once for each status that it has."""
    digest = new_hasher()
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
