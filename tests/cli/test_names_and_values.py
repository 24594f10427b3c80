"""What people call things is found again, and values that cannot be are refused with what can."""

from __future__ import annotations

import pytest

from ingest_tui.cli.diagnostics import worst_exit_code
from ingest_tui.cli.job import JOB_STATES
from ingest_tui.model.job import JobState
from tests.cli.running import Cli

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["A", "Team Handbook (2026)", "資料", "資料 2026", "Łódź"])
def test_source_is_found_by_the_name_it_was_added_under(name: str, cli: Cli) -> None:
    """`sync`, `source show` and `job list --source` understand the name that `source add` was given."""
    cli.write("a.txt", "alpha")
    cli.run("init")
    added = cli.run("source", "add", "local", name, "--path", cli.docs, "--json").json["source_id"]
    assert cli.run("sync", name, "--json").json["source_id"] == added
    assert cli.run("source", "show", name, "--json").json["name"] == name
    assert len(cli.run("job", "list", "--source", name, "--json").json) == 1
    assert len(cli.run("doc", "list", "--source", name, "--json").json) == 1


def test_names_that_differ_in_another_script_only_stay_apart(cli: Cli) -> None:
    """Two names whose Latin part is the same make two sources."""
    cli.write("a.txt", "alpha")
    cli.run("init")
    ids = {
        cli.run("source", "add", "local", name, "--path", cli.docs, "--json").json["source_id"]
        for name in ("会議 2026", "報告 2026")
    }
    assert len(ids) == 2


def test_collection_is_found_by_the_name_it_was_added_under(cli: Cli) -> None:
    """`source add --collection`, `upload` and `search` understand the name of a collection."""
    cli.write("a.txt", "alpha")
    cli.run("init")
    cli.run("collection", "add", "Our Papers")
    cli.run("upload", cli.docs / "a.txt", "--collection", "Our Papers")
    found = cli.run("doc", "list", "--collection", "Our Papers", "--json").json
    assert [item["collection_id"] for item in found] == ["our-papers"]


def test_name_without_any_letter_is_refused_with_the_rule(cli: Cli) -> None:
    """A name of punctuation alone is refused, with what a name may be made of."""
    cli.run("init")
    refused = cli.run("source", "add", "local", "***", "--path", cli.home, code=2)
    assert "letters and digits" in refused.err


def test_no_number_is_too_large(cli: Cli) -> None:
    """A limit beyond all numbers means all, or is refused; it is nothing unexpected."""
    cli.run("init")
    (cli.home / "a.md").write_text("# A\n\nrain\n")
    cli.run("source", "add", "local", "s", "--path", cli.home, "--include", "a.md")
    number = str(10**30)
    cli.run("job", "list", "--limit", number)
    assert "a.md" in cli.run("source", "preview", "s", "--limit", number).out
    assert "too large" in cli.run("doc", "list", "--limit", number, code=2).err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["job", "list", "--state", "foo"], "'queued', 'running'"),
        (["job", "list", "--since", "yesterday"], "2026-11-21"),
        (["source", "add", "local", "a", "--path", ".", "--max-size", "big"], "error: --max-size: a size is written"),
        (
            ["source", "add", "local", "a", "--path", ".", "--hold-share", "7"],
            "error: --hold-share: must be at most 1, not",
        ),
        (["source", "add", "local", "a", "--path", ""], "error: local source: --path: this is needed"),
        (["audit", "--since", "yesterday"], "2026-11-21"),
        (["audit", "--since", "20261121"], "2026-11-21"),
        (["source", "add", "local", "b", "--path", ".", "--since", "yesterday"], "2026-01-31"),
        (["source", "add", "local", "b", "--path", ".", "--max-size", "99999999TB"], "from 1B to 9PB"),
        (["source", "add", "local", "b", "--path", ".", "--max-size", "0"], "from 1B to 9PB"),
        (["source", "add", "local", "b", "--path", ".", "--max-size", "much"], "written as 50MB"),
        (["doc", "list", "--since", "2026-02-30"], "2026-11-21"),
        (["doc", "list", "--until", "yesterday"], "2026-11-21"),
        (["credential", "add", "c", "--type", "basic", "--expires", "soon"], "2026-11-21"),
    ],
)
def test_value_that_cannot_be_is_refused(arguments: list[str], named: str, cli: Cli) -> None:
    """A state, day or size that cannot be ends with 2 and says what can."""
    cli.run("init")
    assert named in cli.run(*arguments, code=2).err


def test_folder_that_is_not_there_is_no_reason_to_edit_a_source_that_is_not_there(cli: Cli) -> None:
    """The hint for a folder that somebody has just named does not name a command for a source that was never added."""
    cli.run("init")
    refused = cli.run("source", "add", "local", "new", "--path", cli.home / "nowhere", code=1).err
    assert "does not exist" in refused
    assert "source edit" not in refused


def test_an_empty_answer_to_a_narrow_question_does_not_say_that_there_is_nothing(cli: Cli) -> None:
    """Jobs, errors, items and documents in the trash that are not asked for are there all the same."""
    cli.write("a.txt", "alpha")
    cli.write("blank.txt")
    cli.init()
    cli.run("source", "add", "local", "Other One", "--path", cli.home / "docs")
    (cli.docs / "blank.txt").write_text("")
    cli.sync()
    cli.run("doc", "remove", "a.txt", "--yes")
    assert "a.txt" in cli.run("trash", "list", "--source", "docs").out
    for narrow in (
        ["trash", "list", "--source", "Other One"],
        ["job", "list", "--state", "failed"],
        ["job", "list", "--source", "Other One"],
        ["errors", "list", "--reason", "encrypted"],
        ["errors", "list", "--source", "Other One", "--by-reason"],
        ["job", "items", "last", "--outcome", "failed"],
    ):
        assert cli.run(*narrow).out.startswith("nothing is like that; 'ingest-tui " + " ".join(narrow[:2])), narrow


def test_documents_of_a_removed_source_are_found_by_its_name(cli: Cli) -> None:
    """As long as they are in the trash they can be listed; a name that no document has is refused."""
    cli.write("a.txt", "alpha")
    cli.init()
    cli.sync()
    cli.run("source", "remove", "docs", "--yes")
    for command in (["doc", "list", "--retired"], ["trash", "list"], ["trash", "empty", "--dry-run"]):
        assert "a.txt" in cli.run(*command, "--source", "docs").out
    cli.run("trash", "empty", "--yes")
    assert "no source 'docs'" in cli.run("trash", "list", "--source", "docs", code=4).err


def test_states_are_those_of_the_model() -> None:
    """The choices of `job list --state` are the states there are."""
    assert tuple(JobState) == JOB_STATES


@pytest.mark.parametrize(
    ("codes", "worst"), [([], 0), ([0, 3], 3), ([3, 1], 1), ([1, 3, 6], 1), ([6, 3, 0], 6), ([0, 0], 0)]
)
def test_worst_result_wins_by_meaning(codes: list[int], worst: int) -> None:
    """A failed job outweighs deletions that wait, and those outweigh failed items, whatever their numbers are."""
    assert worst_exit_code(codes) == worst


def test_sync_of_all_reports_a_damaged_source_and_does_the_others(cli: Cli) -> None:
    """A source whose file is damaged is a failure with its name, and the other sources are synced."""
    cli.write("a.txt", "alpha")
    cli.init()
    (cli.workspace / "sources" / "broken.json").write_text("{")
    result = cli.run("sync", "--all", "--json", code=1)
    assert "broken" in result.err
    assert [item["state"] for item in result.json if "state" in item] == ["succeeded"]
    assert [item["source_id"] for item in result.json if "error" in item] == ["broken"]


def test_sync_of_all_prints_a_list_however_many_there_are(cli: Cli) -> None:
    """`sync --all --json` is a list with one source as with two; `sync NAME --json` is that job."""
    cli.write("a.txt", "alpha")
    cli.init()
    assert [item["source_id"] for item in cli.run("sync", "--all", "--json").json] == ["docs"]
    assert cli.run("sync", "docs", "--json").json["source_id"] == "docs"
    cli.run("source", "add", "local", "more", "--path", cli.docs)
    assert len(cli.run("sync", "--all", "--json").json) == 2
