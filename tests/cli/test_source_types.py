"""The types of sources, and `--allow-type` and `--deny-type` of `source add` and `source edit`."""

from __future__ import annotations

import pytest

from tests.cli.running import Cli

pytestmark = pytest.mark.slow


def test_types_are_chosen_changed_and_cleared(cli: Cli) -> None:
    """Both lists are set, replaced one by one, and cleared; what is not named stays."""
    cli.init("--allow-type", ".PDF", "--allow-type", "text/html", "--deny-type", "docm")

    def lists() -> tuple[list[str], list[str]]:
        shown = cli.run("source", "show", "docs", "--json").json
        return shown["allow_types"], shown["deny_types"]

    assert lists() == (["pdf", "text/html"], ["docm"])
    told = cli.run("source", "edit", "docs", "--allow-type", "markdown").out
    assert "next: ingest-tui sync docs" in told
    assert lists() == (["markdown"], ["docm"])
    cli.run("source", "edit", "docs", "--priority", "7")
    assert lists() == (["markdown"], ["docm"])
    cli.run("source", "edit", "docs", "--allow-type", "")
    assert lists() == ([], ["docm"])
    cli.run("source", "edit", "docs", "--any-type")
    assert lists() == ([], [])


def test_what_is_no_day_is_refused_with_an_example(cli: Cli) -> None:
    """`--since` says what it takes, and names the help of the command that was called."""
    cli.init()
    for call, help_of in (("edit docs", "edit docs"), ("add local more --path docs", "add local")):
        refused = cli.run("source", *call.split(), "--since", "gestern", "--json", code=2).error
        assert refused["message"] == "--since: a day is written as 2026-01-31"
        assert refused["hint"] == f"see 'ingest-tui source {help_of} --help'"


def test_unknown_type_is_refused_and_nothing_saved(cli: Cli) -> None:
    """A misspelt type is refused with the known ones, by `add` and by `edit`."""
    cli.init()
    for call in (("source", "edit", "docs"), ("source", "add", "local", "more", "--path", "docs")):
        refused = cli.run(*call, "--deny-type", "pfd", "--json", code=2)
        assert "parquet" in refused.error["hint"]
    assert [source["source_id"] for source in cli.run("source", "list", "--json").json] == ["docs"]
    assert cli.run("source", "show", "docs", "--json").json["deny_types"] == []


def test_types_of_sources_say_what_they_need(cli: Cli) -> None:
    """Without a workspace; what each names as needed is what `source add` asks for first."""
    listed = {one["name"]: one for one in cli.run("source", "types", "--json").json}
    assert {"git", "local", "rclone", "s3", "sharepoint", "web"} <= listed.keys()
    cli.run("init")
    for name, one in listed.items():
        assert one["summary"]
        assert not one["problem"]
        refused = cli.run("source", "add", name, "some", "--json", code=2).error
        assert refused["message"].startswith(f"{name} source: --{one['needs'][0]}")
    shown = cli.run("source", "types").out
    assert "--site --credential" in shown
    types = {one["name"]: one for one in listed.values()}
    assert types["local"]["aliases"] == ["directory"]
    assert "local, directory" in shown
    assert types["git"]["requires"] == [{"kind": "program", "name": "git", "is_here": True, "is_optional": False}]
    assert [one["name"] for one in types["s3"]["requires"]] == ["s3", "aws"]
