"""What connectors remember of their listings: the same in a file and in memory, and never more than a cache."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui.connectors.base import ListingMemory
from ingest_tui.connectors.memory import VolatileMemory
from ingest_tui.model.errors import StoreError
from ingest_tui.model.source import Source
from ingest_tui.services.workspaces import init
from ingest_tui.store.records.listing_cache import StoredMemory


@pytest.fixture(params=["file", "process"])
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ListingMemory]:
    """Either memory."""
    if request.param == "process":
        yield VolatileMemory()
        return
    stored = StoredMemory(tmp_path / "memory.db")
    yield stored
    stored.close()


def test_entries_and_notes_come_back(memory: ListingMemory) -> None:
    """What was put is there, ordered, by prefix; what was removed is not."""
    memory.apply(put=[("b/2", "two"), ("a/1", "one"), ("a%/x", "odd")], notes={"delta:a": "token"})
    assert list(memory.entries()) == [("a%/x", "odd"), ("a/1", "one"), ("b/2", "two")]
    assert list(memory.entries("a/")) == [("a/1", "one")]
    assert (memory.entry("b/2"), memory.entry("c")) == ("two", None)
    memory.apply(put=[("a/1", "again")], remove=["b/2"], notes={"delta:a": None})
    assert list(memory.entries()) == [("a%/x", "odd"), ("a/1", "again")]
    assert memory.note("delta:a") is None


def test_a_prefix_is_replaced_at_once(memory: ListingMemory) -> None:
    """Removing a prefix comes before putting, and leaves what only looks like it."""
    memory.apply(put=[("a/1", "old"), ("a/2", "old"), ("ab", "kept")])
    memory.apply(remove_prefix="a/", put=[("a/3", "new")])
    assert list(memory.entries()) == [("a/3", "new"), ("ab", "kept")]


@pytest.mark.parametrize("prefix", ["a", "a/", "a\ud7ff", "a\U0010ffff", "\U0010ffff", "\U0010ffff\U0010ffff", ""])
def test_a_prefix_means_what_begins_with_it(memory: ListingMemory, prefix: str) -> None:
    """Whatever the last character of a prefix is, exactly the ids that begin with it are found and removed."""
    ids = sorted(
        start + end
        for start in (
            "",
            "a",
            "a.",
            "a/",
            "a0",
            "a\ud7ff",
            "a\ue000",
            "a\U0010ffff",
            "b",
            "\U0010ffff",
            "\U0010ffff" * 2,
        )
        for end in ("", "1", "\U0010ffff")
    )
    memory.apply(put=[(entry_id, "") for entry_id in ids])
    expected = sorted({entry_id for entry_id in ids if entry_id.startswith(prefix)})
    assert [entry_id for entry_id, _ in memory.entries(prefix)] == expected
    memory.apply(remove_prefix=prefix)
    assert [entry_id for entry_id, _ in memory.entries()] == sorted(set(ids) - set(expected))


def test_a_prefix_is_looked_for_in_its_stretch_alone(tmp_path: Path) -> None:
    """A scan ends where the ids of the prefix end: it costs the same however much comes behind them."""
    memory = StoredMemory(tmp_path / "memory.db")
    memory.apply(put=((f"{name}/{number}", "") for name in "ab" for number in range(20_000)))
    steps: list[int] = []

    def count() -> bool:
        steps.append(1)
        return False

    memory._connection.set_progress_handler(count, 100)
    assert list(memory.entries("a/19999")) == [("a/19999", "")]
    memory.apply(remove_prefix="a/19998")
    assert len(steps) < 10
    memory.close()


def test_a_second_connection_leaves_the_locks_of_the_first(tmp_path: Path) -> None:
    """Opening a memory that the process has open already takes no lock from it."""
    path = tmp_path / "memory.db"
    first = StoredMemory(path)
    inode = path.stat().st_ino

    def locks() -> list[str]:
        lines = Path("/proc/locks").read_text().splitlines()
        return [line.partition(":")[2] for line in lines if f":{inode} " in line]  # before it stands a running number

    held = locks()
    assert held
    second = StoredMemory(path)
    assert locks() == held
    second.close()
    assert locks() == held
    first.close()


def test_a_memory_is_no_link(tmp_path: Path) -> None:
    """A link planted at its name is refused, and nothing is made where it points to."""
    (tmp_path / "memory.db").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="symbolic link"):
        StoredMemory(tmp_path / "memory.db")
    assert not (tmp_path / "elsewhere").exists()


def test_a_page_is_remembered_whole_or_not_at_all(tmp_path: Path) -> None:
    """An interrupted change leaves entries and notes as they were."""
    memory = StoredMemory(tmp_path / "memory.db")

    def breaks() -> Iterator[tuple[str, str]]:
        yield "a", "one"
        raise InterruptedError

    with pytest.raises(InterruptedError):
        memory.apply(put=breaks(), notes={"delta": "next"})
    assert list(memory.entries()) == []
    assert memory.note("delta") is None
    memory.close()


def test_a_damaged_memory_is_made_again(tmp_path: Path) -> None:
    """It is a cache: losing it costs a full listing, nothing else."""
    path = tmp_path / "memory.db"
    path.write_bytes(b"no database at all" * 300)
    memory = StoredMemory(path)
    assert list(memory.entries()) == []
    memory.close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_other_settings_forget_what_was_remembered(tmp_path: Path) -> None:
    """Editing the settings of a source or removing it discards its memory; editing its name does not."""
    workspace, _ = init(tmp_path / "ws")
    source = workspace.sources.add(
        Source(source_id="far", name="Far", source_type="far", source_config={"site": "one"})
    )
    path = workspace.layout.listing_memory("far")
    StoredMemory(path).close()
    source = workspace.sources.save(source.model_copy(update={"name": "Farther"}))
    assert path.exists()
    workspace.sources.save(source.model_copy(update={"source_config": {"site": "two"}}))
    assert not path.exists()
    StoredMemory(path).close()
    workspace.sources.remove("far")
    assert not path.exists()
