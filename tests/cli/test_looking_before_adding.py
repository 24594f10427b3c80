"""Looking before adding: test, preview and browse of settings that are no source yet."""

from __future__ import annotations

import pytest

from tests.cli.running import Cli

pytestmark = pytest.mark.slow


def test_settings_are_tested_and_previewed_before_they_are_saved(cli: Cli) -> None:
    """`--type` with the settings of the type stands where the name of a source would; exit codes as for a source."""
    cli.run("init")
    docs = cli.home / "docs"
    docs.mkdir()
    for name in ("a.md", "b.txt"):
        (docs / name).write_text("words")
    settings = ("--type", "local", "--path", str(docs))
    assert [step["step"] for step in cli.run("source", "test", *settings, "--json").lines] == ["reach", "list", "read"]
    cli.run("source", "test", "--type", "local", "--path", str(docs / "nowhere"), code=1)
    items = cli.run("source", "preview", *settings, "--exclude", "*.txt", "--json").lines
    assert [(item["key"], item["taken"], item["reason"]) for item in items] == [
        ("a.md", True, ""), ("b.txt", False, "left_out")
    ]  # fmt: skip
    assert cli.run("source", "list", "--json").json == []
    cli.run("source", "preview", code=2)


def test_what_is_taken_can_be_narrowed_before_it_is_saved(cli: Cli) -> None:
    """Types, size and day narrow a trial as they do a source; those given go before those of a source."""
    cli.init("--allow-type", "md")
    docs = cli.home / "trial"
    docs.mkdir()
    (docs / "a.md").write_text("words")
    (docs / "b.txt").write_text("many words " * 99)

    def left_out(*options: str) -> set[str]:
        items = cli.run("source", "preview", *options, "--json").lines
        return {item["key"] for item in items if not item["taken"]}

    trial = ("--type", "local", "--path", str(docs))
    assert left_out(*trial) == set()
    assert left_out(*trial, "--max-size", "100B") == {"b.txt"}
    assert left_out(*trial, "--allow-type", "txt") == {"a.md"}
    assert left_out(*trial, "--deny-type", "txt") == {"b.txt"}
    assert left_out(*trial, "--since", "2999-01-31") == {"a.md", "b.txt"}
    assert left_out("docs", "--path", str(docs), "--allow-type", "txt") == {"a.md"}
    cli.run("source", "test", *trial, "--since", "2020-01-31")


def test_a_source_is_previewed_with_other_patterns(cli: Cli) -> None:
    """Settings that are given go before those of the source, for this look."""
    cli.run("init")
    docs = cli.home / "docs"
    docs.mkdir()
    (docs / "a.md").write_text("words")
    cli.run("source", "add", "local", "docs", "--path", str(docs))
    assert "1 would be taken, 0 left out" in cli.run("source", "preview", "docs").out
    assert "leave  a.md  it does not match" in cli.run("source", "preview", "docs", "--include", "*.txt").out
    chosen = cli.run("source", "browse", "--type", "local", "--choose", "--path", str(docs), "--json").lines
    assert [place["path"] for place in chosen] == [str(docs.parent), str(docs / "a.md")]


def test_the_list_shows_health_and_what_starts_the_next_sync(cli: Cli) -> None:
    """After a good sync a source is ok; before, nothing is known."""
    cli.run("init")
    docs = cli.home / "docs"
    docs.mkdir()
    (docs / "a.md").write_text("words")
    cli.run("source", "add", "local", "docs", "--path", str(docs), "--watch")
    before = cli.run("source", "list", "--json").json[0]
    assert (before["health"], before["next_run"], before["failing_since"]) == (None, "on change", None)
    cli.run("sync", "docs")
    assert cli.run("source", "list", "--json").json[0]["health"] == "ok"
    assert "HEALTH" in cli.run("source", "list").out
