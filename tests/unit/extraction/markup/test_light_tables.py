"""Tables of light markup are tables as all others."""

from __future__ import annotations

import re
import time

import pytest

from ingest_tui.extraction.markup import rst_tables
from ingest_tui.extraction.markup.light_markup import asciidoc_to_markdown, rst_to_markdown
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
BARE_MARKS = """
.. list-table:: Pumps
   of the south
   :widths: 10
     20
   :align: left

   *
     - Name
     - Size
   *
     * pump
     * 7

after
"""
ESCAPED = """
.. csv-table:: Pumps
   :header: "Name", "Size, \\"in\\""
   :delim: ;
   :escape: \\

   a\\;b; "7 \\"x\\""

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
        ("a.rst", BARE_MARKS, "Name,Size/pump,7"),
        ("a.rst", ESCAPED, 'Name,Size, "in"/a;b,7 "x"'),
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


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.rst", "+-----+-----+\n| a   | b and a longer text |\n+-----+-----+\n", ["b and a longer text"]),
        ("a.rst", "+-----+-----+\n| a   | b   |\n| longer | c|\n+-----+-----+\n", ["longer | c"]),
        ("a.rst", "+-----+-----+\n| never closed |\n\nend\n", ["never closed"]),
        ("a.rst", "  === ===\nfirst second\n  === ===\n", ["first", "second"]),
        ("a.rst", ".. list-table::\n\n   above it\n\n   * - a\n     - b\n", ["above it"]),
        ("a.rst", ".. table::\n\n   == ==\n   a  b\n   == ==\n\n   below it\n", ["below it"]),
        ("a.rst", '.. csv-table::\n\n   "one\n   two", 3\n', ["one two"]),
        ("a.adoc", "|===\nabove | b\n|c | d\n|===\n", ["| above | b |", "| c | d |"]),
        ("a.adoc", "|===\n|a |b\n0*|never\n.0+|none\n|===\n", ["never", "none"]),
    ],
)
def test_no_word_of_a_table_is_lost(name: str, text: str, words: list[str]) -> None:
    """What has no place in a table is there all the same: in a cell, or the lines are text."""
    markdown = extract_text(text, name)
    assert [word for word in words if word not in markdown] == []


def test_columns_are_those_of_a_terminal() -> None:
    """Tabs go to the next of every eight columns, marks stand on their letter, or are columns of their own."""
    letter = "e\u0301"
    rows = ("+-------+-------+", "|\u00a0name\t| size  |", f"| caf{letter}  | b     |", f"| caf{letter} | c     |")
    text = "\n".join((*rows, rows[0], ""))
    assert cells_of(rst_to_markdown(text))[0] == [f"name caf{letter} caf{letter}", "size b c"]


@pytest.mark.parametrize(
    "text",
    [
        "|===\n" + "99.99+|x \n" * 300 + "|===\n",
        "|===\n" + "99.99+|x " * 300 + "\n|===\n",
        "|===\n" + "|a " * 150 + "\n99*|x" * 3_000 + "\n|===\n",
        ",===\n" + "," * 1_500 + "x\n" + "x\n" * 3_000 + ",===\n",
    ],
    ids=["spans", "wide", "copies", "ragged"],
)
def test_spans_do_not_make_a_large_text_of_a_small_one(text: str) -> None:
    """Beyond what anybody writes a table is text."""
    markdown = asciidoc_to_markdown(text)
    assert "x" in markdown
    assert len(markdown) < 100_000 + 8 * len(text)


def test_a_grid_of_many_edges_takes_no_time() -> None:
    """Lines are not cut at each of thousands of edges: this took minutes."""
    border = "+-" * 5_000 + "+\n"
    start = time.monotonic()
    assert "word" in rst_to_markdown(border + f"|{' word'.ljust(9_999)}|\n" * 1_000 + border)
    assert time.monotonic() - start < 60


def test_what_follows_the_columns_of_latex_is_in_a_cell() -> None:
    """A group that begins the first cell is no argument of the table."""
    for begin in ("tabular}{l}", "tabularx}{\\textwidth}{l}", "tabular*}{5cm}[t]{l}", "longtable}[c]{l}"):
        whole = f"\\begin{{{begin}{{bold}} & 2 \\end{{{begin.partition('}')[0]}}}"
        assert cells_of(extract_text(whole, "a.tex"))[0] == ["bold", "2"]


def test_tables_of_latex_that_are_none() -> None:
    """In comments and listings there are no tables; in a comment none ends, and one in a cell is words of it."""
    inner = "\\begin{tabular}{l}x & y\\\\ z\\end{tabular}"
    for around in (
        "% {}\n",
        "a \\\\% {}\n",
        "\\begin{{verbatim}}\n{}\n\\end{{verbatim}}",
        "\\begin{{minted}}{{tex}}\n{}\n",
    ):
        assert cells_of(extract_text(around.format(inner), "a.tex")) == []
    assert cells_of(extract_text(f"\\verb|{inner}|", "a.tex")) == []
    assert cells_of(extract_text(f"100\\% \\verb+%+ {inner}", "a.tex"))[0] == ["x", "y"]
    text = f"\\begin{{tabular}}{{ll}}a & {inner} \\\\\n% \\end{{tabular}}\nc & d\\end{{tabular}} after"
    markdown = extract_text(text, "a.tex")
    assert cells_of(markdown) == [["a", "x y z"], ["---", "---"], ["c", "d"]]
    assert markdown.strip().endswith("\n after\n```")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (r"$5 \pm 2$", r"$5 \pm 2$"),
        (r"$\alpha$", r"$\alpha$"),
        (r"\textbf{bold} and \emph{so}", "bold and so"),
        (r"\LaTeX{} user", r"\LaTeX{} user"),
        (r"Stra\ss{}e", r"Stra\ss{}e"),
        (r"na\"{\i}ve", r"na\"{\i}ve"),
        (r"\textcolor{red}{1.5}", r"\textcolor{red}{1.5}"),
        (r"7\,\% {of} it", "7 % of it"),
        (r"\verb|50% & a\\b| is", r"50% & a\\b is"),
    ],
)
def test_formulas_and_letters_of_latex_stay_as_they_are_written(written: str, shown: str) -> None:
    """Only what changes how a text looks is left out: any other command stands for a sign, a letter or a word."""
    markdown = extract_text(f"\\begin{{tabular}}{{ll}}a & {written} \\\\% remark\nc & d\\end{{tabular}}", "a.tex")
    assert cells_of(markdown) == [["a", shown], ["---", "---"], ["c", "d"]]


def test_an_array_of_a_formula_is_no_table() -> None:
    """A formula stays in one piece."""
    formula = r"\[ M = \begin{array}{ll} a & \beta \\ \gamma & d \end{array} \]"
    assert formula in extract_text(f"before {formula} after", "a.tex")


@pytest.mark.parametrize(
    ("attributes", "body", "cells"),
    [
        ('[cols="1,1"]', "|Name|Value\n|apple|5", [["Name", "Value"], ["---", "---"], ["apple", "5"]]),
        ("", "|a|b|c\n|1|2|3", [["a", "b", "c"], ["---"] * 3, ["1", "2", "3"]]),
        ("[format=csv,separator=;]", "a;b\n1,5;2", [["a", "b"], ["---", "---"], ["1,5", "2"]]),
        ("[format=psv]", "|a |b", [["a", "b"], ["---", "---"]]),
        ("[separator=!]", "!a !b", []),
    ],
)
def test_cells_of_asciidoc_need_no_blanks(attributes: str, body: str, cells: list[list[str]]) -> None:
    """Nor the usual sign between them; with one that is not known the lines stay as they are written."""
    markdown = extract_text(f"{attributes}\n|===\n{body}\n|===\n\nafter\n", "a.adoc")
    assert [row for row in cells_of(markdown) if "==" not in row] == cells
    assert all(word in markdown for word in re.findall(r"\w+", body))


def test_a_table_in_which_a_word_would_be_lost_stays_as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is wrong with a table, or with what reads it."""
    monkeypatch.setattr(rst_tables, "csv_rows", lambda *_given, **_named: [["only"], ["some"]])
    markdown = extract_text(".. csv-table::\n\n   only, some\n   words, here\n", "a.rst")
    assert cells_of(markdown) == []
    assert "words, here" in markdown
