"""What validators find: shown by the job, kept with the document."""

from __future__ import annotations

import json

import pytest

from tests.cli.running import Cli

pytestmark = pytest.mark.slow

BROKEN_JSON = b'{"fruit": "apples",\n "amount" 12}'


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A workspace with a valid text, broken JSON and a table with every fault."""
    cli = Cli(tmp_path_factory.mktemp("findings"))
    cli.write("sound.txt", "nothing to say against pears")
    cli.write("broken.json", BROKEN_JSON)
    cli.write("faulty.csv", b'a,,a\n1,2,3\n4\n\xff,"never\nclosed\n')
    cli.init()
    return cli


@pytest.fixture(scope="module")
def told_at_the_end(synced: Cli) -> str:
    """What the sync says at its end, on stderr."""
    return synced.run("sync", "docs").err


def test_the_end_of_a_sync_names_the_command(synced: Cli, told_at_the_end: str) -> None:
    """At its end a sync says in how many items something is wrong, and how to see which."""
    [line] = [line for line in told_at_the_end.splitlines() if "with warnings" in line]
    number, _, command = line.partition(" with warnings: ingest-tui ")
    assert number == "2"
    listed = synced.run(*command.split())
    assert "broken.json" in listed.out
    assert "faulty.csv" in listed.out
    assert "sound.txt" not in listed.out


@pytest.mark.usefixtures("told_at_the_end")
def test_the_job_counts_them_next_to_what_adds_up(synced: Cli) -> None:
    """Items with warnings are counted, shown by `job show`, and are ingested all the same."""
    counters = synced.run("job", "show", "last", "--json").json["counters"]
    assert (counters["items_with_warnings"], counters["items_ingested"], counters["descriptors_listed"]) == (2, 3, 3)
    assert "warnings   2 with warnings: ingest-tui job items" in synced.run("job", "show", "last").out


@pytest.mark.usefixtures("told_at_the_end")
def test_outcomes_stay_small(synced: Cli) -> None:
    """An outcome has at most three short messages, one without findings an empty list."""
    lines = {line["key"]: line for line in synced.run("job", "items", "last", "--json").lines}
    assert lines["sound.txt"]["warnings"] == []
    assert len(lines["faulty.csv"]["warnings"]) == 3
    assert lines["faulty.csv"]["warnings"][-1].startswith("and ")
    assert all(len(message) <= 160 for message in lines["faulty.csv"]["warnings"])
    only = synced.run("job", "items", "last", "--warnings", "--json").lines
    assert {line["key"] for line in only} == {"broken.json", "faulty.csv"}


@pytest.mark.usefixtures("told_at_the_end")
def test_findings_are_kept_with_the_document(synced: Cli) -> None:
    """ingestion.json has every finding with severity, code and message; the text is there; `doc` commands tell it."""
    shown = synced.run("doc", "show", "docs/broken.json", "--json").json["ingestion"]
    [finding] = shown["validation"]
    assert (finding["severity"], finding["code"]) == ("error", "json_syntax")
    assert "line 2 column 11" in finding["message"]
    assert shown["warnings"] == [finding["message"]]
    [record] = [path for path in synced.workspace.glob("documents/*/*/*/v0001/ingestion.json")
                if json.loads(path.read_bytes())["key"] == "broken.json"]  # fmt: skip
    assert json.loads(record.read_bytes())["validation"] == [finding]
    assert f"{finding['message']} (json_syntax)" in synced.run("doc", "show", "docs/broken.json").out
    assert f"error      {finding['message']}" in synced.run("doc", "explain", "docs/broken.json").out
    assert "apples" in synced.run("doc", "text", "docs/broken.json").out
    assert synced.run("doc", "show", "docs/sound.txt", "--json").json["ingestion"]["validation"] == []
