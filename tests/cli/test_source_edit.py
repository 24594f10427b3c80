"""`source edit`: what a tightened filter will do is said beforehand; a source that cannot be read is named."""

from __future__ import annotations

import shutil
import zipfile

import pytest

from tests.cli.running import Cli

pytestmark = pytest.mark.slow


@pytest.fixture
def cli(cli: Cli) -> Cli:
    """A workspace with two documents."""
    cli.write("a.txt")
    cli.write("b.md", "other words")
    cli.init()
    cli.sync()
    return cli


@pytest.mark.parametrize(
    "options",
    [
        ("--exclude", "*.txt"),
        ("--include", "*.md"),
        ("--max-size", "20"),
        ("--since", "2990-01-01"),
        ("--deny-type", "text"),
        ("--allow-type", "markdown"),
    ],
)
def test_what_a_tightened_filter_excludes_is_said_and_held(cli: Cli, options: tuple[str, str]) -> None:
    """Whatever kind of filter it is: said by `edit`, shown by `plan` as hold, held by `sync` until it is approved."""
    said, planned = cli.run_each(("source", "edit", "docs", *options), ("plan", "docs"))
    assert "stay searchable until a person approves" in said.out
    assert "next: ingest-tui plan docs" in said.out
    held = next(line for line in planned.out.splitlines() if "a.txt" in line)
    assert held.split()[0] == "hold"
    assert cli.sync(code=6)["held"]["documents"] >= 1
    assert "a.txt" in cli.found("words")
    cli.run("job", "approve", "last")
    assert "a.txt" not in cli.found("words")


def test_refusing_archives_keeps_what_is_here_until_it_is_excluded(cli: Cli) -> None:
    """The command says so: what was taken of an archive stays, and excluding the archive holds it."""
    with zipfile.ZipFile(cli.docs / "more.zip", "w") as archive:
        archive.writestr("inner.txt", "words within")
    cli.sync()
    said = cli.run("source", "edit", "docs", "--containers", "refuse")
    assert "what is here of archives stays" in said.out
    cli.sync()
    assert "more.zip!inner.txt" in cli.found("within")
    cli.run("source", "edit", "docs", "--exclude", "*.zip")
    assert cli.sync(code=6)["held"]["documents"] == 1
    cli.run("job", "approve", "last")
    assert "more.zip!inner.txt" not in cli.found("within")


def test_json_says_beforehand_what_people_read(cli: Cli) -> None:
    """With ``--json`` an edit says too whether documents may be held; the settings are there as ever."""
    tight, none = cli.run_each(
        ("source", "edit", "docs", "--max-size", "20", "--json"),
        ("source", "edit", "docs", "--priority", "5", "--json"),
    )
    assert (tight.json["may_hold_documents"], none.json["may_hold_documents"]) == (True, False)
    assert (tight.json["source_id"], none.json["priority"]) == ("docs", 5)


def test_an_edit_that_chooses_nothing_says_nothing(cli: Cli) -> None:
    """A priority holds no documents, nor does a filter that is set to what it was."""
    for result in cli.run_each(("source", "edit", "docs", "--priority", "5"), ("source", "edit", "docs", "--watch")):
        assert result.out == "changed source docs\n"


def test_a_source_gets_another_name_and_keeps_its_identifier(cli: Cli) -> None:
    """Commands find it by either; no name is refused, and one that another source has or is."""
    cli.run("source", "add", "local", "more", "--path", str(cli.docs))
    edited, shown = cli.run_each(
        ("source", "edit", "docs", "--name", " Our Docs ", "--json"), ("source", "show", "Our Docs", "--json")
    )
    assert (edited.json["source_id"], edited.json["name"], shown.json["source_id"]) == ("docs", "Our Docs", "docs")
    assert "its identifier stays 'docs'" in cli.run("source", "edit", "docs", "--name", " ", code=2).err
    for source, taken in (("docs", "more"), ("more", "Our Docs")):
        refused = cli.run("source", "edit", source, "--name", taken, code=2)
        assert f"a source named '{taken}' is already there" in refused.err


def test_a_source_whose_record_is_missing_or_damaged_is_named(cli: Cli) -> None:
    """Its own options are not known then, and that is not what is wrong; nor with a name that is no source's."""
    record = cli.workspace / "sources" / "docs.json"
    backup = record.read_bytes()
    calls = [("source", "edit", "docs", "--exclude", "x"), ("source", "preview", "--exclude", "x", "docs")]
    record.unlink()
    for result in cli.run_each(*calls, code=1):
        assert "the file of source 'docs' is missing" in result.err
    record.write_text("{")
    for result in cli.run_each(*calls, code=1):
        assert "source 'docs' cannot be read" in result.err
    record.write_bytes(backup)
    assert "there is no source 'dosc'" in cli.run("source", "edit", "dosc", "--exclude", "x", code=4).err
    assert "No such option" in cli.run("source", "edit", "docs", "--bucket", "x", code=2).err


def test_a_missing_folder_of_records_is_named(cli: Cli) -> None:
    """Not the temporary file that could not be made in it."""
    shutil.rmtree(cli.workspace / "sources")
    shutil.rmtree(cli.workspace / "collections")
    calls = [("source", "add", "local", "more", "--path", str(cli.docs)), ("collection", "add", "more")]
    for what, result in zip(("sources", "collections"), cli.run_each(*calls, code=1), strict=True):
        assert ".tmp." not in result.err
        assert "is missing" in result.err
        assert what in result.err or what == "sources"


def test_an_edit_that_changes_nothing_says_so(cli: Cli) -> None:
    """The folder that it has already, however it is written: nothing is changed, nor audited."""
    before = cli.run("source", "show", "docs", "--json").json["revision"]
    said = cli.run("source", "edit", "docs", "--path", "docs")
    assert said.out == "nothing to change: source docs is so already\n"
    assert cli.run("source", "edit", "docs", "--path", str(cli.docs), "--json").json["revision"] == before
    assert "source.edit" not in cli.run("audit").out
    assert cli.run("source", "edit", "docs", "--watch").out.startswith("changed source docs")
