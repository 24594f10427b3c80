"""``-o json|yaml|csv|table``: one mechanism for every command that prints data."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import click
import pytest
import yaml

from ingest_tui.cli import formats, output
from ingest_tui.cli.formats import format_options, wants_json
from ingest_tui.cli.main import cli as program
from ingest_tui.model.safe_text import safe_display
from tests.cli.running import ACTING, Cli

HOSTILE = ("=1+1", "a\x1b[31mred", "b\u202ecod", "zero\u200bwidth", "two\nlines", "tab\there", "@SUM(A1)", "\U000e0041")


def printed(capsys: pytest.CaptureFixture[str], value: object, *arguments: str, lines: bool = False) -> str:
    """Return what a command prints that writes ``value``, or each item of it as a stream."""

    @click.command()
    @format_options
    def command(as_json: bool) -> None:
        assert as_json
        if lines:
            assert isinstance(value, list)
            for item in value:
                output.data_line(item)
        else:
            output.data(value)

    command.main(list(arguments), standalone_mode=False)
    return capsys.readouterr().out


def rows(text: str) -> list[dict[str, str]]:
    """Return the rows of a CSV."""
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("lines", [False, True])
def test_yaml_is_the_value_and_nothing_in_it_acts(capsys: pytest.CaptureFixture[str], lines: bool) -> None:
    """YAML reads back as the very value that JSON has, whatever is in its texts, and no character of it acts."""
    value = [{"name": text, "number": -1.5, "none": None, "inner": {"list": [True, text]}, text: 1} for text in HOSTILE]
    text = printed(capsys, value, "-o", "yaml", lines=lines)
    assert ACTING.search(text) is None
    assert (list(yaml.safe_load_all(text)) if lines else yaml.safe_load(text)) == value


@pytest.mark.parametrize("lines", [False, True])
def test_csv_has_no_formula(capsys: pytest.CaptureFixture[str], lines: bool) -> None:
    """A cell that a spreadsheet would compute begins with an apostrophe; numbers stay numbers; names are cells, too."""
    value = [{"name": text, "number": -1.5, "inner": {"a": text}, f"{text} column": "x"} for text in HOSTILE]
    text = printed(capsys, value, "-o", "csv", lines=lines)
    assert ACTING.search(text) is None
    found = rows(text)
    assert found[0]["name"] == "'=1+1"
    assert {row["number"] for row in found} == {"-1.5"}
    assert json.loads(found[0]["inner"]) == {"a": "=1+1"}
    assert [name for name in found[0] if name.startswith("=")] == []
    for row, given in zip(found, HOSTILE, strict=True):
        assert row["name"].removeprefix("'") == safe_display(given)


@pytest.mark.parametrize("lines", [False, True])
def test_a_csv_has_the_columns_of_all_records(capsys: pytest.CaptureFixture[str], lines: bool) -> None:
    """What only a later record has is a column of its own."""
    found = rows(printed(capsys, [{"a": 1}, {"b": 2}], "-o", "csv", lines=lines))
    assert found == [{"a": "1", "b": ""}, {"a": "", "b": "2"}]


def test_a_long_stream_becomes_a_csv(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Records that no longer fit into memory are kept in a file until the columns are known."""
    monkeypatch.setattr(formats, "_KEPT_IN_MEMORY", 100)
    found = rows(printed(capsys, [{"n": number} for number in range(500)], "-o", "csv", lines=True))
    assert [int(row["n"]) for row in found] == list(range(500))


def test_a_list_that_is_all_an_object_has_becomes_rows(capsys: pytest.CaptureFixture[str]) -> None:
    """``{"checks": [...]}`` is a table of checks; an object of several fields is one row; texts are rows of a cell."""
    assert rows(printed(capsys, {"checks": [{"a": 1}, {"a": 2}]}, "-o", "csv")) == [{"a": "1"}, {"a": "2"}]
    assert rows(printed(capsys, {"a": 1, "list": [1, 2]}, "-o", "csv")) == [{"a": "1", "list": "[1,2]"}]
    assert rows(printed(capsys, ["x", "y"], "-o", "csv")) == [{"value": "x"}, {"value": "y"}]
    assert printed(capsys, [], "-o", "csv") == ""


def test_json_is_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    """``-o json`` and ``--json`` print the same bytes, two spaces for each level, JSON lines for a stream."""
    value = [{"a": 1}]
    for arguments in (["--json"], ["-o", "json"], ["--output=json", "--json"]):
        assert printed(capsys, value, *arguments) == '[\n  {\n    "a": 1\n  }\n]\n'
        assert printed(capsys, value, *arguments, lines=True) == '{"a":1}\n'
        assert wants_json(arguments)
    assert not wants_json(["-o", "yaml"])


def test_two_forms_at_once_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """``--json -o csv`` is a mistake in the call."""
    with pytest.raises(click.UsageError, match="two forms"):
        printed(capsys, [], "--json", "-o", "csv")


def every_command(group: click.Group, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    """Yield all commands below a group with their paths."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, parent=context, info_name=name)
        yield inner.command_path, command
        if isinstance(command, click.Group):
            yield from every_command(command, inner)


def test_every_command_that_prints_json_takes_the_other_forms() -> None:
    """``--json`` comes with ``-o`` everywhere: nobody adds one without the other."""
    found = 0
    for path, command in every_command(program, click.Context(program, info_name="ingest-tui")):
        options = {option for param in command.params for option in param.opts}
        assert ("--json" in options) == ({"-o", "--output"} <= options), path
        found += "--json" in options
    assert found > 70


@pytest.mark.slow
def test_lists_of_a_workspace_in_every_form(cli: Cli) -> None:
    """The same sources, documents, jobs and plan lines in each form; a followed log is no CSV."""
    cli.write("=1+1.txt", "alpha")
    cli.write("b.txt", "beta")
    cli.init()
    cli.sync()
    for command in (["source", "list"], ["doc", "list"], ["job", "list"], ["plan", "docs"], ["job", "items", "last"]):
        as_json, as_yaml, as_csv, table, plain = cli.run_each(
            *([*command, *form] for form in (["--json"], ["-o", "yaml"], ["-o", "csv"], ["-o", "table"], []))
        )
        is_stream = not as_json.out.startswith("[")
        value = as_json.lines if is_stream else as_json.json
        assert (list(yaml.safe_load_all(as_yaml.out)) if is_stream else yaml.safe_load(as_yaml.out)) == value
        assert len(rows(as_csv.out)) == len(value) > 0
        assert table.out == plain.out
    assert "'=1+1.txt" in cli.run("job", "items", "last", "-o", "csv").out
    assert "cannot be followed" in cli.run("job", "logs", "last", "-f", "-o", "csv", code=2).err
    assert cli.run("source", "show", "nothing", "-o", "json", code=4).error["code"] == "not_found"
    assert cli.run("source", "show", "nothing", "-o", "csv", code=4).err.startswith("error: ")
