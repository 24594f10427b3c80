"""The checksums of the rows that vector search reads: a changed bit anywhere is found."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from ingest_tui.store import vector_rows
from ingest_tui.store.vector_log import VectorLog, begin_again
from ingest_tui.store.vector_rows import DOCUMENTS, ENTRIES, STATE, SUMS, VECTORS, LogState, count_damaged, read_state
from tests.unit.store.test_vector_log import SPACE, entry, logged


def whole(folder: Path) -> LogState:
    """Return the state of a log, which can be read."""
    state = read_state(folder, SPACE)
    assert state is not None
    return state


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log of several appends and openings, which is read two rows at once."""
    monkeypatch.setattr(vector_rows, "_ROWS_AT_ONCE", 2)
    logged(tmp_path, entry(1), entry(1, 1), entry(2))
    logged(tmp_path, entry(3), entry(2, version=2))
    return tmp_path


@pytest.mark.parametrize("name", [VECTORS, ENTRIES, DOCUMENTS, SUMS])
def test_a_changed_bit_anywhere_in_a_file_is_found(folder: Path, name: str) -> None:
    """Of the vectors, of what they are of, of the ids of documents, and of the checksums themselves."""
    state = whole(folder)
    assert (state.rows, count_damaged(folder, state)) == (5, 0)
    data = (folder / name).read_bytes()
    for position in range(len(data)):
        (folder / name).write_bytes(data[:position] + bytes([data[position] ^ 4]) + data[position + 1 :])
        assert count_damaged(folder, state) > 0, position
    (folder / name).write_bytes(data)
    assert count_damaged(folder, state) == 0


@pytest.mark.parametrize(("field", "value"), [("rows", 4), ("documents", 2), ("sequence", 99), ("epoch", "f")])
def test_a_state_that_says_something_else_does_not_count(folder: Path, field: str, value: object) -> None:
    """Rows that are left out, or changes that are skipped, would be missed for ever."""
    record = orjson.loads((folder / STATE).read_bytes())
    assert record[field] != value
    (folder / STATE).write_bytes(orjson.dumps(record | {field: value}))
    assert read_state(folder, SPACE) is None


def as_before(folder: Path) -> None:
    """Make a log what programs without checksums have written."""
    record = orjson.loads((folder / STATE).read_bytes())
    del record["has_sums"], record["checksum"]
    (folder / STATE).write_bytes(orjson.dumps(record))
    (folder / SUMS).unlink()


def test_rows_of_a_program_of_before_are_searched_and_get_checksums(folder: Path) -> None:
    """They are whole as they are, nothing is appended to them before, and a crash leaves them as they were."""
    as_before(folder)
    assert count_damaged(folder, whole(folder)) == 0
    for _attempt in range(2):  # the first one dies before its rows count
        log = VectorLog(folder, SPACE)
        assert log.lacks_sums
        with pytest.raises(AssertionError):
            log.append([entry(9)])
        log.add_sums()
        assert log.append([entry(9)]) == 1
        if _attempt:
            log.commit(epoch="e", sequence=3)
        log.close()
        assert count_damaged(folder, whole(folder)) == 0
    assert (whole(folder).rows, whole(folder).has_sums) == (6, True)


def test_a_log_that_begins_again_knows_its_model(folder: Path) -> None:
    """What is known of the model outlives the rows, so that another one is still noticed."""
    log = VectorLog(folder, SPACE)
    log.commit(epoch="e", sequence=3, probe=(0.5, 0.5))
    log.close()
    begin_again(folder, SPACE)
    state = whole(folder)
    assert (state.rows, state.epoch, state.sequence, state.probe) == (0, "", 0, (0.5, 0.5))
