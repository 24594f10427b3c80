"""`doc columns`: the tables of a document and what is in their columns."""

from __future__ import annotations

import pytest

from tests.cli.running import Cli

pytestmark = pytest.mark.slow


def test_columns_of_a_table_are_shown(cli: Cli) -> None:
    """Each named column has its type, empty cells, distinct values and samples, for people and as JSON."""
    cli.write("a.csv", "id,when,sum,\n1,2024-01-05,12.50,x\n007,n/a,\x1b[31m3,\n")
    cli.write("b.txt", "no table")
    cli.init()
    cli.sync()
    shown = cli.run("doc", "columns", "docs/a.csv").out
    assert shown.split("\n")[:3] == [
        "2 rows",
        "COLUMN  TYPE    EMPTY  DISTINCT  SAMPLES",
        "id      string  0.0%   2         1, 007",
    ]
    assert "\x1b" not in shown
    (table,) = cli.run("doc", "columns", "docs/a.csv", "--json").json["tables"]
    assert [(one["name"], one["type"], one["null_share"]) for one in table["fields"]] == [
        ("id", "string", 0.0), ("when", "date", 0.5), ("sum", "string", 0.0)
    ]  # fmt: skip
    assert "id, when, sum; 2 rows" in cli.run("doc", "show", "docs/a.csv").out
    assert cli.run("doc", "columns", "docs/b.txt").out == "no tables\n"
