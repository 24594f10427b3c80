"""The log that vector search reads: what counts after a crash, and what is made again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest_tui.model.embedder import VectorSpace, text_digest
from ingest_tui.model.errors import RefusedError
from ingest_tui.model.hashing import short_digest
from ingest_tui.store.vector_log import VectorLog, VectorRow
from ingest_tui.store.vector_rows import DOCUMENTS, ENTRIES, STATE, SUMS, VECTORS, LogRows, read_rows

SPACE = VectorSpace(backend="static", model="tiny", revision="1", dimensions=4)


def entry(document: int, ordinal: int = 0, version: int = 1, text: str = "") -> VectorRow:
    """Return an entry whose vector says which it is."""
    vector = np.array([document, ordinal, version, 1], dtype=np.float32)
    digest = text_digest(text or f"{document}.{ordinal}.{version}")
    return VectorRow(short_digest(str(document)), version, ordinal, digest, vector)


def logged(folder: Path, *entries: VectorRow, commits: bool = True, sequence: int = 1) -> int:
    """Append entries as a job does; returns how many were new."""
    log = VectorLog(folder, SPACE)
    try:
        added = log.append(entries)
        if commits:
            log.commit(epoch="e", sequence=sequence)
    finally:
        log.close()
    return added


def shown(rows: LogRows | None) -> list[tuple[str, int, int, list[float]]]:
    """Return what rows say, in plain values."""
    if rows is None:
        return []
    return [
        (
            rows.document_ids[one["document"]].decode(),
            int(one["version"]),
            int(one["ordinal"]),
            vector.astype(float).tolist(),
        )
        for one, vector in zip(rows.entries, rows.vectors, strict=True)
    ]


def of(one: VectorRow) -> tuple[str, int, int, list[Any]]:
    """Return what the row of an entry says."""
    return (one.document_id, one.version, one.ordinal, [float(value) for value in one.vector])


def test_rows_are_read_as_they_were_appended(tmp_path: Path) -> None:
    """Over several openings; what is there already is not appended again, another version or text is."""
    assert read_rows(tmp_path, SPACE) is None
    first = [entry(1), entry(1, 1), entry(2)]
    assert logged(tmp_path, *first) == 3
    assert logged(tmp_path, *first) == 0
    more = [entry(1, 1, version=2), entry(3), entry(2, text="chunked in another way")]
    assert logged(tmp_path, *more, sequence=7) == 3
    rows = read_rows(tmp_path, SPACE)
    assert shown(rows) == [of(one) for one in (*first, *more)]
    assert rows is not None
    assert (rows.state.epoch, rows.state.sequence, rows.state.documents) == ("e", 7, 3)


def test_what_was_not_committed_never_counts(tmp_path: Path) -> None:
    """Rows of a job that died are not searched, and are cut off by the next one: its own rows follow what counts."""
    logged(tmp_path, entry(1))
    logged(tmp_path, entry(2), entry(2, 1), commits=False)
    assert shown(read_rows(tmp_path, SPACE)) == [of(entry(1))]
    logged(tmp_path, entry(3))
    assert shown(read_rows(tmp_path, SPACE)) == [of(entry(1)), of(entry(3))]


@pytest.mark.parametrize("name", [VECTORS, ENTRIES, DOCUMENTS, SUMS])
@pytest.mark.parametrize("more", [0, 1, 3, 11])
def test_a_crash_at_any_byte_of_an_append_leaves_what_was_committed(tmp_path: Path, name: str, more: int) -> None:
    """A file may end anywhere behind what counts."""
    logged(tmp_path, entry(1), entry(2))
    with (tmp_path / name).open("ab") as torn:
        torn.write(b"x" * more)
    assert shown(read_rows(tmp_path, SPACE)) == [of(entry(1)), of(entry(2))]
    logged(tmp_path, entry(3))
    assert shown(read_rows(tmp_path, SPACE)) == [of(entry(1)), of(entry(2)), of(entry(3))]


@pytest.mark.parametrize("name", [VECTORS, ENTRIES, DOCUMENTS, SUMS, STATE])
def test_what_is_lost_or_cut_is_made_again(tmp_path: Path, name: str) -> None:
    """A file that is gone or too short is no error: the log begins again, and the feed is followed from the start."""
    harms: list[Callable[[Path], object]] = [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-2])]
    for harm in harms:
        logged(tmp_path, entry(1), entry(2), sequence=9)
        harm(tmp_path / name)
        assert read_rows(tmp_path, SPACE) is None
        log = VectorLog(tmp_path, SPACE)
        assert (log.state.rows, log.state.sequence) == (0, 0)
        log.close()
        logged(tmp_path, entry(3))
        assert shown(read_rows(tmp_path, SPACE)) == [of(entry(3))]


def test_rows_of_another_space_do_not_count(tmp_path: Path) -> None:
    """A log in the wrong folder is no log of this space, and is begun again rather than mixed."""
    other = SPACE.model_copy(update={"revision": "2"})
    logged(tmp_path, entry(1))
    assert read_rows(tmp_path, other) is None
    VectorLog(tmp_path, other).close()
    assert read_rows(tmp_path, other) is None
    assert (tmp_path / VECTORS).stat().st_size == 0


def test_entries_of_documents_that_are_not_there_do_not_count(tmp_path: Path) -> None:
    """A damaged entry makes the log one that is made again, never an error of who searches."""
    logged(tmp_path, entry(1), entry(2))
    path = tmp_path / ENTRIES
    path.write_bytes(b"\xff" * 4 + path.read_bytes()[4:])
    assert read_rows(tmp_path, SPACE) is None
    logged(tmp_path, entry(3))
    assert shown(read_rows(tmp_path, SPACE)) == [of(entry(3))]


@pytest.mark.parametrize("above", [0, 1])
def test_a_link_in_the_place_of_a_folder_is_refused(tmp_path: Path, above: int) -> None:
    """Neither the folder of the space nor that of the collection may lead elsewhere."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = tmp_path / "collection" / "space"
    linked = [folder, folder.parent][above]
    linked.parent.mkdir(exist_ok=True)
    linked.symlink_to(elsewhere)
    with pytest.raises(RefusedError):
        VectorLog(folder, SPACE)
    assert list(elsewhere.iterdir()) == []


def test_a_link_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    """Nothing is written through a planted link."""
    folder = tmp_path / "log"
    logged(folder, entry(1))
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (folder / VECTORS).unlink()
    (folder / VECTORS).symlink_to(victim)
    with pytest.raises(RefusedError):
        logged(folder, entry(2))
    assert victim.read_bytes() == b"precious"
