"""A Git repository as a source, from adding it to losing it, by the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.running import Cli
from tests.conformance.connectors.git_site import commit_files, git

pytestmark = pytest.mark.slow


@pytest.fixture
def repository(cli: Cli, tmp_path: Path) -> Path:
    """A repository beside a workspace."""
    folder = tmp_path / "handbook.git"
    folder.mkdir()
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main")
    commit_files(folder, {"travel.md": b"# Travel\n\ntrains before planes", "pay.md": b"# Pay\n\nnot yet decided"})
    cli.run("init")
    return folder


def test_from_a_repository_to_its_text(cli: Cli, repository: Path) -> None:
    """Add, test, plan and sync; edit, rename, delete and restore files; lose the branch, then all of it."""
    cli.run("source", "add", "git", "handbook", "--repository", str(repository), "--ref", "main")
    assert all(step["ok"] for step in cli.run("source", "test", "handbook", "--json").lines)
    assert {line["key"] for line in cli.run("plan", "handbook", "--json").lines} == {"travel.md", "pay.md"}
    cli.run("sync", "handbook")
    assert "planes" in cli.run("search", "trains").out
    (found,) = (one for one in cli.run("doc", "list", "--json").json if one["key"] == "pay.md")
    commit = git(repository, "rev-parse", "main").strip()
    assert commit in cli.run("doc", "show", found["document_id"], "--json").out

    commit_files(
        repository, {"journeys.md": b"# Travel\n\ntrains before planes", "pay.md": b"# Pay\n\ndecided by lottery"}
    )
    changed = cli.run("sync", "handbook", "--json").json["counters"]
    assert (changed["items_ingested"], changed["items_moved"], changed["items_retired"]) == (1, 1, 0)
    assert "lottery" in cli.run("search", "decided").out

    commit_files(repository, {"journeys.md": b"# Travel\n\ntrains before planes"})
    assert cli.run("sync", "handbook", "--json").json["counters"]["items_retired"] == 1
    assert "no longer listed it" in cli.run("doc", "explain", "pay.md", code=None).out

    git(repository, "branch", "--move", "main", "trunk")
    gone = cli.run("sync", "handbook", code=None)
    assert "there are: trunk" in gone.out + gone.err
    shutil.rmtree(repository)
    cli.run("sync", "handbook", code=None)
    assert [one["key"] for one in cli.run("doc", "list", "--json").json] == ["journeys.md"], "nothing is proven gone"
