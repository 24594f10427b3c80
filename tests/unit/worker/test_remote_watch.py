"""When sources that are no folders are looked at."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui import open_workspace
from ingest_tui.connectors.git.connector import GitConnector
from ingest_tui.connectors.s3.connector import S3Connector
from ingest_tui.model.errors import TransientSourceError
from ingest_tui.services.sources.sources import add_source, edit_source
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.watch import SourceWatch
from tests.conformance.connectors.git_site import commit_files, git
from tests.waiting import wait_until


class Hints:
    """Stands in for the queue of a connector."""

    def __init__(self) -> None:
        self.waiting = threading.Semaphore(0)
        self.asked = 0
        self.error: Exception | None = None

    def wait(self, timeout: float) -> bool | None:
        if self.error is not None:
            raise self.error
        self.asked += 1
        return self.waiting.acquire(timeout=timeout)


@pytest.fixture
def hints(monkeypatch: pytest.MonkeyPatch) -> Hints:
    hints = Hints()
    monkeypatch.setattr(S3Connector, "wait_for_hint", lambda _connector, timeout: hints.wait(timeout))
    return hints


class Watching:
    """A watch over a bucket that nobody reaches; counts how often it is due."""

    def __init__(self, workspace: Workspace) -> None:
        self.looks: list[float] = []
        self.reports: list[tuple[str, dict[str, Any]]] = []
        self.watch = SourceWatch(
            workspace, lambda _source: self.looks.append(time.monotonic()), lambda *told: self.reports.append(told)
        )


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "workspace") as handle:
        handle.add_source("shelf", "s3", bucket="any", anonymous=True)
        edit_source(handle.workspace, "shelf", watch=True)
        handle.workspace.settings.stable_seconds = 0.05
        yield handle.workspace


@pytest.fixture
def watching(workspace: Workspace) -> Iterator[Watching]:
    watching = Watching(workspace)
    yield watching
    watching.watch.close()


def test_remote_source_is_looked_at_again_and_again(workspace: Workspace, watching: Watching) -> None:
    """Without hints a remote source is looked at once for each of its rescans."""
    workspace.settings.remote_rescan_seconds = 0.1
    watching.watch.refresh()
    wait_until(lambda: len(watching.looks) >= 4)
    assert watching.looks[3] - watching.looks[0] >= 0.28


def test_hint_makes_one_look_before_it_is_time(workspace: Workspace, watching: Watching, hints: Hints) -> None:
    """A burst of hints is one look, long before the rescan."""
    workspace.settings.remote_rescan_seconds = 600
    watching.watch.refresh()
    wait_until(lambda: len(watching.looks) == 1)
    hints.waiting.release(3)
    wait_until(lambda: len(watching.looks) >= 2)
    wait_until(lambda: hints.asked >= 5, what="after three hints, quiet and one look it waits for the next hint")
    assert len(watching.looks) == 2


@pytest.mark.parametrize(
    ("error", "told"),
    [(TransientSourceError("the queue fails", code="network"), "the queue fails"), (KeyError("bug"), "KeyError")],
)
def test_failing_hints_are_reported_and_the_rescan_goes_on(
    workspace: Workspace, watching: Watching, hints: Hints, error: Exception, told: str
) -> None:
    """Hints that cannot be had cost nothing but speed."""
    workspace.settings.remote_rescan_seconds = 0.1
    hints.error = error
    watching.watch.refresh()
    wait_until(lambda: len(watching.looks) >= 3)
    assert watching.reports[0] == (
        "the source does not report changes", {"source": "shelf", "error": told},
    )  # fmt: skip


def test_edited_source_is_watched_again_and_stopped_one_is_not(workspace: Workspace, watching: Watching) -> None:
    """Other settings make another watch, with a look at once; no watching makes none."""
    workspace.settings.remote_rescan_seconds = 600
    watching.watch.refresh()
    watching.watch.refresh()
    wait_until(lambda: len(watching.looks) == 1)
    edit_source(workspace, "shelf", config={"prefix": "docs/"})
    watching.watch.refresh()
    wait_until(lambda: len(watching.looks) == 2)
    edit_source(workspace, "shelf", watch=False)
    watching.watch.refresh()
    assert not watching.watch._threads


def test_commit_of_a_watched_repository_makes_a_look(
    workspace: Workspace, watching: Watching, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Git source reports by itself what the branch names, long before the rescan."""
    monkeypatch.setattr("ingest_tui.connectors.git.commit_connector.HINT_SECONDS", 0.05)
    repository = tmp_path / "code.git"
    repository.mkdir()
    git(repository, "init", "--quiet", "--bare", "--initial-branch=main")
    commit_files(repository, {"a.md": b"one"})
    edit_source(workspace, "shelf", watch=False)
    add_source(workspace, source_type="git", name="code", config={"repository": str(repository)}, watch=True)
    workspace.settings.remote_rescan_seconds = 600
    looked_at: list[str] = []
    commit_id = GitConnector._commit_id

    def noting(connector: GitConnector) -> str:
        looked_at.append(commit_id(connector))
        return looked_at[-1]

    monkeypatch.setattr(GitConnector, "_commit_id", noting)
    watching.watch.refresh()
    wait_until(lambda: len(watching.looks) == 1 and looked_at, what="the first look, and the commit that is known")
    commit_files(repository, {"a.md": b"two"})
    wait_until(lambda: len(watching.looks) == 2)
