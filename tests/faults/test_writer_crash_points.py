"""The durable writer, with an error or a death at each of its steps."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ingest_tui.store.fs import atomic
from ingest_tui.store.fs.atomic import sweep_temporaries, write_durably
from tests.faults.writer_lab import (
    NEW,
    OLD,
    RECIPE,
    SteppingOs,
    check_every_death,
    check_every_moment,
    check_every_power_cut,
    die_at,
    fail_at,
    steps_of,
)

pytestmark = pytest.mark.slow

RENAMED_AT = RECIPE.index("rename")


def test_recipe_is_the_durable_one(tmp_path: Path) -> None:
    """The file is synced before it is renamed, and its folder after that: the order that survives a power cut."""
    assert steps_of(write_durably, tmp_path) == RECIPE


def test_reader_between_any_two_steps_sees_whole_content(tmp_path: Path) -> None:
    """Whoever reads while a file is being replaced sees the old or the new content, never a mixture, never nothing."""
    check_every_moment(write_durably, tmp_path)


def test_power_cut_at_any_step_leaves_whole_content(tmp_path: Path) -> None:
    """No name ever stands for content that a power cut may take, and what is reported as written stays written."""
    check_every_power_cut(write_durably, tmp_path)


def test_death_at_any_step_leaves_whole_content(tmp_path: Path) -> None:
    """A writer killed anywhere leaves the old content or the new."""
    check_every_death(write_durably, tmp_path)


@pytest.mark.parametrize("step", range(len(RECIPE)))
def test_death_at_a_step_leaves_nothing_that_a_sweep_does_not_find(tmp_path: Path, step: int) -> None:
    """What a killed writer leaves next to the target is removed by the owner's next sweep."""
    target = die_at(write_durably, tmp_path, step)
    assert target.read_bytes() == (OLD if step <= RENAMED_AT else NEW)
    list(sweep_temporaries(tmp_path))
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("step", range(len(RECIPE)))
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_error_at_a_step_is_raised_and_leaves_whole_content(tmp_path: Path, step: int, number: int) -> None:
    """A full disk or a failing one is reported, the target stays whole, and no temporary file is left."""
    target = fail_at(write_durably, tmp_path, step, OSError(number, os.strerror(number)))
    assert target.read_bytes() == (OLD if step <= RENAMED_AT else NEW)
    assert list(tmp_path.iterdir()) == [target]


def test_failed_sync_is_not_tried_again_on_the_same_file(tmp_path: Path) -> None:
    """After a failed fsync the kernel may have dropped the pages, so the writer gives up instead of trying again."""
    calls: list[str] = []

    def on_step(_number: int, name: str) -> None:
        calls.append(name)
        if name == "fsync":
            raise OSError(errno.EIO, "broken")

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(atomic, "os", SteppingOs(on_step))
        with pytest.raises(OSError, match="broken"):
            write_durably(tmp_path / "record.json", NEW)
    assert calls.count("fsync") == 1
    assert "rename" not in calls


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system call that writes three bytes at a time still leaves all of them."""

    class Stingy(SteppingOs):
        def __getattr__(self, name: str) -> object:
            if name == "write":
                return lambda descriptor, data: os.write(descriptor, bytes(data[:3]))
            return super().__getattr__(name)

    monkeypatch.setattr(atomic, "os", Stingy(lambda _number, _name: None))
    write_durably(tmp_path / "record.json", NEW)
    assert (tmp_path / "record.json").read_bytes() == NEW
