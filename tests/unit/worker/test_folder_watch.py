"""Watching folders when the system does not help: no events, a folder that goes and comes back."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import watchfiles

from ingest_tui import open_workspace
from ingest_tui.services.sources.sources import edit_source
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker import watch as watch_module
from ingest_tui.worker.supervision import Supervisor
from ingest_tui.worker.watch import SourceWatch
from tests.waiting import wait_until


class Watching:
    """A watch over the folder ``docs`` that counts its looks."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        self.workspace, self.folder = workspace, folder
        self.looks: list[bool] = []
        self.reports: list[tuple[str, dict[str, Any]]] = []
        self.supervisor = Supervisor(lambda *told: self.reports.append(told))
        self.watch = SourceWatch(
            workspace, lambda _source: self.looks.append(folder.is_dir()), lambda *_told: None, self.supervisor
        )


@pytest.fixture
def watching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watching]:
    monkeypatch.setattr(watch_module, "_SOURCES_SECONDS", 0.05)
    folder = tmp_path / "docs"
    folder.mkdir()
    with open_workspace(tmp_path / "workspace") as handle:
        handle.add_source("docs", path=str(folder))
        edit_source(handle.workspace, "docs", watch=True)
        handle.workspace.settings.stable_seconds = 0.05
        handle.workspace.settings.rescan_seconds = 600
        watching = Watching(handle.workspace, folder)
        yield watching
        watching.watch.close()


@pytest.mark.parametrize(
    "failure",
    [
        OSError("OS file watch limit reached."),
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EMFILE, "Too many open files"),
        RuntimeError("error in underlying watcher"),
    ],
)
def test_without_events_the_folder_is_looked_at_when_it_is_time(
    watching: Watching, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    """A system that sends no events costs speed only: that is a warning, gone when events come again."""
    watching.workspace.settings.rescan_seconds = 0.3

    def refusing(*_arguments: Any, **_options: Any) -> Iterator[Any]:
        raise failure

    started = time.monotonic()
    with monkeypatch.context() as broken_for_a_while:
        broken_for_a_while.setattr(watchfiles, "watch", refusing)
        watching.watch.refresh()
        wait_until(lambda: len(watching.looks) >= 4)
        assert time.monotonic() - started >= 0.9  # no busy looking
        [issue] = watching.supervisor.issues
        assert (issue.task, issue.level, issue.source_id) == ("events of docs", "warning", "docs")
    wait_until(lambda: not watching.supervisor.issues)
    assert [message for message, _ in watching.reports] == ["events of docs failed", "events of docs works again"]


def test_folder_that_is_made_again_is_looked_at_at_once(watching: Watching) -> None:
    """A watched folder that is removed and made again is watched again, long before the next rescan."""
    watching.watch.refresh()
    wait_until(lambda: watching.looks)
    shutil.rmtree(watching.folder)
    wait_until(lambda: not watching.looks[-1])
    watching.folder.mkdir()
    wait_until(lambda: watching.looks[-1])
    seen = len(watching.looks)

    written_at = float("-inf")

    def is_seen() -> bool:
        nonlocal written_at
        if time.monotonic() - written_at > 0.5:  # long enough for it to be at rest in between
            written_at = time.monotonic()
            (watching.folder / "new.md").write_text(str(written_at))
        return len(watching.looks) > seen

    wait_until(is_seen)  # until the new folder is watched, a file may be made before that


def test_another_folder_of_the_same_name_is_noticed(watching: Watching, tmp_path: Path) -> None:
    """A folder that is replaced by another one in one step is looked at, although the old one sends no event."""
    watching.watch.refresh()
    wait_until(lambda: watching.looks)
    seen = len(watching.looks)
    (tmp_path / "other").mkdir()
    watching.folder.rename(tmp_path / "old")
    (tmp_path / "other").rename(watching.folder)
    wait_until(lambda: len(watching.looks) > seen)


def test_a_file_in_the_place_of_the_folder_is_waited_out(watching: Watching) -> None:
    """Where a file has the name of the folder nobody looks again and again; a folder there is looked at."""
    watching.watch.refresh()
    wait_until(lambda: watching.looks)
    shutil.rmtree(watching.folder)
    watching.folder.write_text("a file")
    wait_until(lambda: not watching.looks[-1])
    seen = len(watching.looks)
    watching.folder.unlink()
    watching.folder.mkdir()
    wait_until(lambda: watching.looks[-1])
    assert len(watching.looks) <= seen + 3
