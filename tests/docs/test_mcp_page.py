"""docs/mcp.md: what it has people write is what the program takes, and its tools are those that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ingest_tui.cli.main import cli
from ingest_tui.server.mcp.tools import TOOLS
from tests import REPOSITORY

PAGE = (REPOSITORY / "docs" / "mcp.md").read_text()
CONFIGURATIONS = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_configurations_start_the_server(configuration: dict[str, dict[str, dict[str, object]]]) -> None:
    """Each names the program, and arguments that it understands."""
    ((servers,),) = (configuration.values(),)
    server = servers["documents"]
    assert server["command"] == "ingest-tui"
    arguments = server["args"]
    assert isinstance(arguments, list)
    *options, command = arguments
    context = cli.make_context("ingest-tui", [*options, command, "--help"], resilient_parsing=True)
    assert context.params["root"] == Path("/home/me/workspace")
    assert command in cli.list_commands(context)


def test_each_tool_is_in_the_table_with_its_arguments() -> None:
    """No more and no fewer, each with the names that its schema has."""
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
    assert [name for name, _, _ in rows] == [one.name for one in TOOLS]
    for (_, arguments, returns), tool in zip(rows, TOOLS, strict=True):
        assert set(re.findall(r"`(\w+)`", arguments)) == tool.input_schema["properties"].keys()
        assert ("with `--allow-write`" in returns) == tool.changes
