"""A Git repository as a source, from adding it to losing it, by the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.running import Cli
from tests.conformance.connectors.git_address_site import served
from tests.conformance.connectors.git_site import commit_files, git
from tests.servers.git_server import NAME, PASSWORD

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


def test_from_an_address_to_its_text(cli: Cli, tmp_path: Path) -> None:
    """Add, test, plan and sync with a credential; a plan and a second sync leave what is kept; removing it does not."""
    with served(tmp_path) as server:
        server.asks = True
        folder = server.folder / "handbook.git"
        folder.mkdir()
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main")
        commit_files(folder, {"travel.md": b"# Travel\n\ntrains before planes"})
        cli.run("init")
        cli.run(
            *("credential", "add", "forge", "--type", "basic", "--set", f"username={NAME}"),
            *("--secret", "password=env:FORGE_PASSWORD"),
        )
        cli.environment["FORGE_PASSWORD"] = PASSWORD
        address = f"http://127.0.0.1:{server.port}/handbook.git"
        cli.run("source", "add", "git", "handbook", "--repository", address, "--credential", "forge")
        kept = cli.workspace / "listings" / "handbook.files"
        assert all(step["ok"] for step in cli.run("source", "test", "handbook", "--json").lines)
        assert [line["key"] for line in cli.run("plan", "handbook", "--json").lines] == ["travel.md"]
        assert not kept.exists()
        cli.run("sync", "handbook")
        assert "planes" in cli.run("search", "trains").out
        (found,) = cli.run("doc", "list", "--json").json
        assert found["uri"] == f"git+{address}@HEAD//travel.md"
        packs = sorted(path.name for path in kept.rglob("*.pack"))
        assert len(packs) == 1

        commit_files(folder, {"travel.md": b"# Travel\n\nferries"})
        for only_looks in ((), ("--read-only",)):
            (line,) = cli.run(*only_looks, "plan", "handbook", "--json").lines
            assert (line["key"], line["action"]) == ("travel.md", "ingest")
        assert sorted(path.name for path in kept.rglob("*.pack")) == packs
        assert [place["name"] for place in cli.run("source", "browse", "handbook", "--json").lines] == ["travel.md"]
        assert not list(cli.workspace.glob(".tmp.plan-*"))
        cli.run("sync", "handbook")
        assert "ferries" in cli.run("search", "ferries").out
        cli.run("verify")

        server.password = "another"
        refused = cli.run("sync", "handbook", code=None)
        assert "was refused" in refused.out + refused.err
        assert len(cli.run("doc", "list", "--json").json) == 1, "nothing is proven gone"
        texts = [path.read_bytes() for path in cli.workspace.rglob("*") if path.is_file()]
        assert not [text for text in texts if PASSWORD.encode() in text]
        cli.run("source", "edit", "handbook", "--ref", "main")
        assert not kept.exists()
