"""Tables of light markup are tables as all others."""

from __future__ import annotations

import time

import pytest

from ingest_tui.extraction.parse import extract_text

GRID = r"""
+--------+------------+------+
| Name   | Size       | Note |
+========+============+======+
| pump   | 7          | a b  |
|        | inches     | 小 b |
+--------+------------+------+
| valve  | spans columns     |
+--------+------------+------+
| tall   | x          | y    |
|        +------------+------+
|        | z          | w    |
+--------+------------+------+

after
"""
SIMPLE = r"""
=====  =====
Name   Size
=====  =====
pump   7
       inches
valve  long text over
\      8
=====  =====

after
"""
LISTED = """
.. list-table:: Pumps
   :header-rows: 1

   * - Name
     - Size
   * - pump
       more
     - 7
   * -
     - - one
       - two

after
"""
DELIMITED = """
.. csv-table:: Pumps
   :header: "Name", "Size"

   "pump; big", 7

after
"""
INDENTED = ".. table:: Pumps\n\n   == ==\n   a  b\n   == ==\n   1  2\n   == ==\n\nafter\n"
ORG = "| <l> | |\n| Name | Size |\n|------+------|\n| pump | 7 |\n| | 8 |\nafter\n"
ASCIIDOC = r"""
[cols="1,1,1",options="header"]
.Pumps
|===
|Name |Size |Note

|pump
|7 a\|b
a|x
2+|both |y
.2+|tall |1 |2
|3 |4
3*|c
|===

after
"""
DELIMITED_ASCIIDOC = ',===\nName,Size\n"pump; big",7\n,===\n\nafter\n'
LATEX = r"""\section{T}
\begin{tabular}{l|c@{ }p{2cm}}
\hline
Name & Size \\ % no
\textbf{pump} & 7\,\% \& 8 \\[2pt]
\multicolumn{2}{c}{both} \\
\end{tabular}
after
"""


def cells_of(markdown: str) -> list[list[str]]:
    """Return the cells of the only table of a text."""
    rows = [line.replace(r"\|", "¦")[1:-1].split("|") for line in markdown.split("\n") if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows]


@pytest.mark.parametrize(
    ("name", "text", "table"),
    [
        ("a.rst", GRID, "Name,Size,Note/pump,7 inches,a b 小 b/valve,spans columns,/tall,x,y/,z,w"),
        ("a.rst", SIMPLE, "Name,Size/pump,7 inches/valve,long text over/,8"),
        ("a.rst", LISTED, "Name,Size/pump more,7/,- one - two"),
        ("a.rst", DELIMITED, "Name,Size/pump; big,7"),
        ("a.rst", INDENTED, "a,b/1,2"),
        ("a.org", ORG, "Name,Size/pump,7/,8"),
        ("a.adoc", ASCIIDOC, "Name,Size,Note/pump,7 a¦b,x/both,,y/tall,1,2/,3,4/c,c,c"),
        ("a.adoc", DELIMITED_ASCIIDOC, "Name,Size/pump; big,7"),
        ("a.tex", LATEX, "Name,Size/pump,7 % & 8/both,"),
    ],
)
def test_tables_have_their_cells_in_columns(name: str, text: str, table: str) -> None:
    """Each cell is in its row and column, spans are there once, and what is around a table stays."""
    markdown = extract_text(text, name)
    names, marks, *rows = cells_of(markdown)
    assert marks == ["---"] * len(names)
    assert "/".join(",".join(row) for row in (names, *rows)) == table
    assert "after" in markdown
    assert ("Pumps" in text) == ("Pumps" in markdown)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("a.rst", "== ==\n"),
        ("a.rst", "+--+\n"),
        ("a.rst", ".. table::\n\n   == ==\n"),
        ("a.org", "|--|\n"),
        ("a.adoc", "|===\n"),
        ("a.tex", "\\begin{tabular}{l}\n"),
    ],
)
def test_tables_that_never_end_take_no_time_each(name: str, line: str) -> None:
    """The end of a table is not looked for again and again."""
    start = time.monotonic()
    assert "word" in extract_text(line * 5_001 + "\n\nword\n", name)
    assert time.monotonic() - start < 60


def test_commas_that_protect_lines_of_org_are_none() -> None:
    """In Org a comma keeps a line from being a headline or a keyword; other commas are text."""
    text = extract_text("#+BEGIN_SRC org\n,* a\n,#+b\n,,* c\n, d\n```\n#+END_SRC\n* Real\nend\n", "a.org")
    assert text == "````org\n* a\n#+b\n,* c\n, d\n```\n````\n\n# Real\n\nend"
