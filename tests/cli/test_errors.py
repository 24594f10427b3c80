"""errors, job refuse, doc diff: the same power on the command line as in the TUI."""

from __future__ import annotations

import pytest

from tests.cli.running import Cli

pytestmark = pytest.mark.slow


def a_source_with_errors(cli: Cli) -> None:
    """Sync a folder with a good and two empty documents."""
    cli.run("init")
    cli.write("good.md", "# Good\n\nText.\n")
    cli.write("void.txt", " \n")
    cli.write("hollow.txt", "\n")
    cli.run("source", "add", "local", "docs", "--path", "docs")
    cli.run("sync", "docs")


def test_errors_are_listed_ignored_and_retried(cli: Cli) -> None:
    """From the list to nothing left: one is ignored, one is fixed and retried."""
    a_source_with_errors(cli)
    assert [one["key"] for one in cli.run("errors", "list", "--json").json] == ["hollow.txt", "void.txt"]
    assert "hint:" in cli.run("errors", "list", "--by-reason").out
    cli.run("errors", "ignore", "void.txt")
    assert [one["key"] for one in cli.run("errors", "list", "--json").json] == ["hollow.txt"]
    assert [one["key"] for one in cli.run("errors", "list", "--ignored", "--json").json] == ["void.txt"]
    cli.write("hollow.txt", "not any more\n")
    report = cli.run("errors", "retry", "--all", "--json").json
    assert (len(report["jobs"]), report["items"]) == (1, 1)
    assert cli.run("errors", "list").out == "no errors\n"
    cli.run("errors", "unignore", "--all")
    assert "void.txt" in cli.run("errors", "list").out


def test_wrong_uses_name_the_way(cli: Cli) -> None:
    """Choosing nothing, choosing twice, an unknown item, and retrying nothing are distinguished."""
    a_source_with_errors(cli)
    assert cli.run("errors", "retry", code=2, timeout=40).err.startswith("error: name items")
    cli.run("errors", "ignore", "void.txt", "--all", code=2)
    assert cli.run("errors", "ignore", "good.md", "--json", code=4).error["code"] == "not_found"
    cli.run("errors", "retry", "--kind", "failed", code=2)


def test_documents_are_chosen_compared_and_exported(cli: Cli) -> None:
    """List, search and export take the same choice; the versions of a document are compared."""
    a_source_with_errors(cli)
    cli.write("good.md", "# Good\n\nOther text.\n")
    cli.write("other.txt", "Plain text.\n")
    cli.run("sync", "docs")
    (good,) = cli.run("doc", "list", "--contains", "good", "--json").json
    assert [one["key"] for one in cli.run("doc", "list", "--type", "text/plain", "--json").json] == ["other.txt"]
    assert cli.run("doc", "list", "--until", "2001-01-01", "--json").json == []
    assert len(cli.run("search", "text", "--type", "text/plain", "--json").json) == 1
    diff = cli.run("doc", "diff", good["document_id"]).out.splitlines()
    assert "-Text." in diff
    assert "+Other text." in diff
    (chunk,) = cli.run("doc", "chunks", good["document_id"], "--json").json
    (hit,) = cli.run("search", "other", "--type", "text/markdown", "--json").json
    assert chunk["chunk_id"] == hit["chunk_id"] == f"{good['document_id']}:2:0"
    assert chunk["heading"] == "Good"
    lines = cli.run("export", "--document", good["document_id"]).lines
    assert [line["document"]["key"] for line in lines] == ["good.md"]
    assert cli.run("doc", "diff", "docs/other.txt", code=2).err.startswith("error: document")


def test_held_deletions_are_refused(cli: Cli) -> None:
    """`job refuse` keeps the documents and is told by `job show`."""
    a_source_with_errors(cli)
    (cli.docs / "good.md").unlink()
    for name in ("void.txt", "hollow.txt"):
        (cli.docs / name).unlink()
    cli.run("sync", "docs", code=6)
    cli.run("job", "refuse", "last")
    assert "refused by" in cli.run("job", "show", "last").out
    cli.run("job", "approve", "last", code=2)
    assert len(cli.run("doc", "list", "--json").json) == 1
