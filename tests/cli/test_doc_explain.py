"""`doc explain`: why a document or a path is here or not, with evidence."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.running import SAMPLES, Cli

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A workspace in which files have met every fate."""
    cli = Cli(tmp_path_factory.mktemp("explain"))
    cli.write("present.txt", "present")
    cli.write("twin-one.txt", "twins")
    cli.write("old-name.txt", "moving")
    cli.write("deleted.txt", "deleted")
    cli.write("removed.txt", "removed")
    cli.write("empty.txt", "")
    cli.write("blob.bin", bytes(range(256)) * 8)
    cli.write("broken.docx", (SAMPLES / "special-cases" / "broken.docx").read_bytes())
    cli.write(".hidden.txt", "hidden")
    cli.write("drafts/excluded.txt", "excluded")
    cli.init("--exclude", "drafts/")
    cli.sync(code=3)
    cli.write("twin-two.txt", "twins")
    (cli.docs / "old-name.txt").rename(cli.docs / "new-name.txt")
    (cli.docs / "deleted.txt").unlink()
    cli.run("doc", "remove", "docs/removed.txt", "--yes")
    cli.sync()  # what cannot be read is known, and alone makes no job partial
    cli.write("unseen.txt", "not yet synced")
    cli.write("present-too.txt", "also present")
    (cli.docs / "link.txt").symlink_to("present.txt")
    return cli


CASES: dict[str, tuple[str, bool, str]] = {
    "present": ("docs/present.txt", True, "version 1"),
    "duplicate": ("docs/twin-two.txt", True, "duplicate of"),
    "moved": ("docs/new-name.txt", True, "version 1"),
    "the old name of a moved one": ("docs/old-name.txt", False, "moved"),
    "retired": ("docs/deleted.txt", False, "trash"),
    "removed by a person": ("docs/removed.txt", False, "removed"),
    "rejected": ("docs/blob.bin", False, "unsupported_type"),
    "empty": ("docs/empty.txt", False, "empty"),
    "failed": ("docs/broken.docx", False, "malformed"),
    "hidden": ("docs/.hidden.txt", False, "hidden"),
    "excluded": ("docs/drafts/excluded.txt", False, "drafts is excluded"),
    "not covered": ("elsewhere.txt", False, "no source covers it"),
    "not yet synced": ("docs/unseen.txt", False, "no sync has seen it yet"),
    "never there": ("docs/never.txt", False, "no such file"),
    "a symbolic link": ("docs/link.txt", False, "symbolic link, which source 'docs' does not follow"),
    "a folder": ("docs/drafts", False, "its folder drafts is excluded"),
    "the root": ("docs", True, "the folder of source 'docs'"),
    "a bare name": ("present.txt", True, "version 1"),
}


@pytest.mark.parametrize("case", CASES)
def test_explain_shows_the_fate(told: Cli, case: str) -> None:
    """For every fate the first line says whether it is here and why, and JSON says the same."""
    target, here, words = CASES[case]
    text = told.run("doc", "explain", target).out
    assert text.startswith("here: " if here else "not here: ")
    assert words in text.splitlines()[0], text
    story: dict[str, Any] = told.run("doc", "explain", target, "--json").json
    assert (story["here"], story["target"]) == (here, target)
    assert words in story["verdict"]
    if not here:
        assert story["hint"], "what is not here needs a hint"


def test_explain_shows_the_steps_with_evidence(told: Cli) -> None:
    """The story of a file names each plan and outcome with its job, its hash and what read it, oldest first."""
    story = told.run("doc", "explain", "docs/present.txt", "--json").json
    assert [event["what"] for event in story["events"]] == [
        "planned: ingest", "commit: ingested", "list: unchanged",
    ]  # fmt: skip
    assert "sha256" in story["events"][1]["detail"]
    assert [event["at"] for event in story["events"]] == sorted(event["at"] for event in story["events"])
    assert story["ingestion"]["backend"] == "plain"


def test_explain_takes_paths_addresses_and_ids(told: Cli) -> None:
    """A document can be named by relative and absolute path, by address, by id and by the beginning of its id."""
    document = told.run("doc", "show", "docs/present.txt", "--json").json["document"]
    absolute = str(told.docs / "present.txt")
    for target in (absolute, document["uri"], document["document_id"], document["document_id"][:12], document["key"]):
        assert told.run("doc", "explain", target, "--json").json["document"]["document_id"] == document["document_id"]


def test_hints_of_explain_can_be_followed(told: Cli) -> None:
    """The command in the hint for a retired document works as it is."""
    hint = told.run("doc", "explain", "docs/deleted.txt", "--json").json["hint"]
    command = hint.partition("'ingest-tui ")[2].partition("'")[0]
    told.run(*command.split())
    assert told.found("deleted") == {"deleted.txt"}
