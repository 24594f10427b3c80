"""Records of the last look at a source: what is missing or damaged says nothing, what is newer is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_tui.model.errors import SchemaVersionError
from ingest_tui.model.look import Look
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.looks import LookStore
from ingest_tui.store.workspace import init_workspace

LOOK = Look(
    source_id="docs", sequence=7, job_id="a-job", chosen_by="abc", documents=3, volumes={"": "8:1", "mnt": "0:55"}
)


@pytest.fixture
def looks(tmp_path: Path) -> LookStore:
    """The looks of an empty folder."""
    return LookStore(Layout(tmp_path))


def test_a_look_is_read_as_it_was_written(looks: LookStore) -> None:
    """All of a record survives the disk."""
    looks.save(LOOK)
    assert looks.get("docs") == LOOK


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "garbled", "list", "negative", "another"])
def test_a_damaged_look_is_unknown(looks: LookStore, tmp_path: Path, damage: str) -> None:
    """Whatever happened to the file: then nothing is known, above all not what chose the documents."""
    looks.save(LOOK)
    path = Layout(tmp_path).look("docs")
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(
            {
                "empty": b"",
                "cut": whole[: len(whole) // 2],
                "garbled": b"\x00\xff" * 40,
                "list": b"[]",
                "negative": whole.replace(b'"sequence": 7', b'"sequence": -7'),
                "another": whole.replace(b'"docs"', b'"other"'),
            }[damage]
        )
    assert looks.get("docs") == Look.unknown("docs")


def test_a_newer_look_is_refused_and_left_untouched(looks: LookStore, tmp_path: Path) -> None:
    """What a newer program wrote is not guessed at."""
    looks.save(LOOK.model_copy(update={"schema_version": 2}))
    before = Layout(tmp_path).look("docs").read_bytes()
    with pytest.raises(SchemaVersionError):
        looks.get("docs")
    assert Layout(tmp_path).look("docs").read_bytes() == before


def test_a_removed_source_leaves_no_look(tmp_path: Path) -> None:
    """A source of the same name that is added later begins without what was known of the old one."""
    workspace, _ = init_workspace(tmp_path / "ws")
    workspace.looks.save(LOOK)
    workspace.sources.remove("docs")
    assert workspace.looks.get("docs") == Look.unknown("docs")


def test_plans_are_ordered_without_a_clock() -> None:
    """A plan is the newest when the record names it, or when it is the next one and its own record was cut off."""
    assert LOOK.is_newest_plan(7, job_id="a-job", after="an-older-job")
    assert LOOK.is_newest_plan(8, job_id="the-next-job", after="a-job")
    assert not LOOK.is_newest_plan(7, job_id="another-job", after="an-older-job")
    assert not LOOK.is_newest_plan(6, job_id="an-older-job", after="")
    assert not LOOK.is_newest_plan(8, job_id="the-next-job", after="another-job")
    assert not LOOK.is_newest_plan(12, job_id="from-before-the-record-was-lost", after="a-job")
