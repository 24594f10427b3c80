"""Headers as they come: below titles, in several lines, above units, or missing."""

from __future__ import annotations

import pytest

from ingest_tui.extraction.tables.delimited import read_csv
from ingest_tui.extraction.tables.table import Table


def read(text: str) -> Table:
    table = read_csv(text)
    assert table is not None
    return table


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        ("Sales report\n\nRegion,Sum\nNorth,1\nSouth,2\n", ["Region", "Sum"], 2),
        ("Report,2024\nBy,Ann\n\na,b,c,d,e\n1,2,3,4,5\n1,2,3,4,5\n", ["a", "b", "c", "d", "e"], 2),
        ("Report,2024\nBy,Ann\n1,2\n3,4\n", ["Report", "2024"], 3),
        ("depth,temp\n[m],(°C)\n1,2.5\n2,3\n", ["depth [m]", "temp (°C)"], 2),
        ("station,depth,speed\n,m,m/s\nA,1,2.5\nB,2,3\n", ["station", "depth m", "speed m/s"], 2),
        ("Region,2019,,2020,\n,Sales,Costs,Sales,Costs\nNorth,1,2,3,4\n",
         ["Region", "2019 Sales", "2019 Costs", "2020 Sales", "2020 Costs"], 1),
        ("Region,Sales,Sales\n,2019,2020\nNorth,1,2\nSouth,3,4\n", ["Region", "Sales 2019", "Sales 2020"], 2),
        ("country,2019,2020\nFR,12.5,13\nDE,11,12\n", ["country", "2019", "2020"], 2),
        ("year,1,2,3\n2019,5,6,7\n", ["year", "1", "2", "3"], 1),
        ("name,age\nBob,unknown\nAl,3\n", ["name", "age"], 2),
        ("name,age\nBob,n/a\nAl,3\n", ["name", "age"], 2),
        ("name,,price\nBob,x,m\nAl,2,3\n", ["name", "price"], 2),
        ("a,b\nx,y\nu,v\n", ["a", "b"], 2),
        (",142.24,144.78\n9.4,0,1\n9.5,0,2\n", ["142.24", "144.78"], 2),
    ],
)  # fmt: skip
def test_names_are_found(text: str, columns: list[str], rows: int) -> None:
    """Titles, lines of names and units are above the data; what only resembles them is data."""
    table = read(text)
    assert (table.columns, table.rows) == (columns, rows)


@pytest.mark.parametrize(
    ("text", "rows"), [("5.1,3.5,setosa\n4.9,3.0,setosa\n", 2), ("2024-01-01\n2024-01-02\n", 2), ("7\n5\n6\n", 3)]
)
def test_a_first_row_of_values_names_nothing(text: str, rows: int) -> None:
    """Where the first row is like the others it is one of them: columns get numbers, with a warning."""
    table = read(text)
    width = text.split("\n", maxsplit=1)[0].count(",") + 1
    assert table.columns == [f"column_{at}" for at in range(1, width + 1)]
    assert (table.rows, [one.code for one in table.findings]) == (rows, ["header_missing"])
    assert table.markdown.split("\n")[0] == "|" + "  |" * width


def test_cells_above_the_table_are_in_its_text() -> None:
    """Nothing of a title is lost."""
    markdown = read("Report,2024\nBy,A|n\n\na,b,c,d,e\n1,2,3,4,5\n1,2,3,4,5\n").markdown
    assert markdown.startswith("Report 2024\nBy A|n\n\n| a | b | c | d | e |\n")


def test_a_column_without_a_name_is_in_the_text_alone() -> None:
    """It is not among the columns, its cells are in the table, and a warning names it."""
    table = read(",a\nrow 1,5\nrow 2,6\n")
    assert (table.columns, [one["name"] for one in table.fields]) == (["a"], ["a"])
    assert "| row 2 | 6 |" in table.markdown
    assert [one.message for one in table.findings] == [
        "no name for column 1: not listed, its cells are in the text only"
    ]
