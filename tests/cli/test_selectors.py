"""Documents and error items are selected by source, collection, type, path and age, by the same options everywhere."""

from __future__ import annotations

import pytest

from tests.cli.running import Cli

pytestmark = pytest.mark.slow


@pytest.fixture
def full(cli: Cli) -> Cli:
    """A workspace of documents in two folders, and two that failed."""
    for name in ("old/a.txt", "old/b.md", "new/c.txt"):
        cli.write(name, name)
    for name in ("old/broken.docx", "new/broken.docx"):
        cli.write(name, b"no document")
    cli.init()
    cli.sync(code=None)
    return cli


def keys(cli: Cli, *more: str) -> list[str]:
    """Return the keys of the documents that are listed."""
    return [one["key"] for one in cli.run("doc", "list", *more, "--json").json]


def test_selected_documents_go_and_come_back(full: Cli) -> None:
    """A dry run shows what is meant, the question counts, and what went is selected for its return in the same way."""
    for options, meant in (
        (["--path", "old/*"], {"old/a.txt", "old/b.md"}),
        (["--type", "txt"], {"old/a.txt", "new/c.txt"}),
        (["--path", "old/*", "--type", "txt"], {"old/a.txt"}),
        (["--source", "docs", "--older-than", "0d"], {"old/a.txt", "old/b.md", "new/c.txt"}),
    ):
        planned = full.run("doc", "remove", *options, "-n", "--json").json
        assert {one["key"] for one in planned["documents"]} == meant, options
    assert "Retire 2 documents" in full.run("doc", "remove", "--path", "old/*", code=6).err
    full.run("doc", "remove", "--path", "old/*", "--yes")
    assert keys(full) == ["new/c.txt"]
    assert "would restore 1 document\n" in full.run("doc", "restore", "--type", "md", "-n").out
    assert "would restore 1 document\n" in full.run("trash", "restore", "--type", "md", "-n").out
    full.run("trash", "restore", "--path", "old/*")
    assert len(keys(full)) == 3
    full.run("doc", "purge", "--collection", "default", "--type", "txt", "--yes")
    assert keys(full) == ["old/b.md"]


def test_what_selects_nothing_or_everything_by_mistake_is_refused(full: Cli) -> None:
    """Neither names nor options, both, an empty pattern, an age that is none, or nothing that is like that."""
    for command in (["doc", "remove"], ["doc", "restore"], ["trash", "restore"], ["doc", "purge"]):
        assert "select them by options" in full.run(*command, code=2).err
        assert "select them by options" in full.run(*command, "a.txt", "--type", "txt", code=2).err
        assert "would mean everything" in full.run(*command, "--path", "", code=2).err
        assert "no age: write 90m" in full.run(*command, "--older-than", "old", code=2).err
        assert "no document is like that" in full.run(*command, "--path", "nowhere/*", code=4).err
        assert "did you mean 'docs'" in full.run(*command, "--source", "dcs", code=4).err
    assert len(keys(full)) == 3


def test_errors_are_selected_in_the_same_way(full: Cli) -> None:
    """List, retry and ignore take the options of documents; a dry run retries and ignores nothing."""
    assert len(full.run("errors", "list", "--type", "docx", "--json").json) == 2
    [one] = full.run("errors", "list", "--path", "old/*", "--json").json
    assert one["key"] == "old/broken.docx"
    assert full.run("errors", "list", "--older-than", "1d", "--json").json == []
    assert "would retry 1 item\n" in full.run("errors", "retry", "--path", "old/*", "-n").out
    assert "would ignore 1 item\n" in full.run("errors", "ignore", "--path", "old/*", "-n").out
    assert len(full.run("errors", "list", "--json").json) == 2
    full.run("errors", "ignore", "--path", "old/*")
    assert [one["key"] for one in full.run("errors", "list", "--json").json] == ["new/broken.docx"]
