"""Titles of light markup languages are headings, and their code is code."""

from __future__ import annotations

import time

import pytest

from ingest_tui.extraction.parse import extract, extract_text
from ingest_tui.model.markdown_blocks import split_blocks

ASCIIDOC = """= Pump manual
Author Name

== Checks

Text with *bold*.

[source,sh]
----
# no heading
== none either
----

=== Valves ===

....
literal
....
"""
ORG = """#+TITLE: Pump manual
* TODO Checks :urgent:
text
#+BEGIN_SRC sh
* no heading
#+END_SRC
** [#A] Valves
more
"""
LATEX = r"""\documentclass{article}
\title{Pump \emph{manual}}
\begin{document}
\section{Checks}\label{sec:checks}
Text about $x_1$.
% \section{commented out}
\subsection*{Valves {and} taps}
# 1 is a parameter
\end{document}
"""
RST = "Pump manual\n===========\n\nChecks\n------\n\ntext\n\nValves\n~~~~~~\n"


@pytest.mark.parametrize(
    ("name", "text", "headings"),
    [
        ("a.adoc", ASCIIDOC, ["# Pump manual", "## Checks", "### Valves"]),
        ("a.org", ORG, ["# Pump manual", "## Checks", "### Valves"]),
        ("a.tex", LATEX, ["# Pump manual", "## Checks", "### Valves and taps"]),
        ("a.rst", RST, ["# Pump manual", "## Checks", "### Valves"]),
    ],
)
def test_titles_are_headings_and_code_is_not(name: str, text: str, headings: list[str]) -> None:
    """Each title has its level; what looks like one within code is code."""
    fenced = False
    found = []
    for line in extract_text(text, name).split("\n"):
        fenced ^= line.startswith("```")
        if line.startswith("#") and not fenced:
            found.append(line)
    assert found == headings


@pytest.mark.parametrize(("name", "text"), [("a.adoc", ASCIIDOC), ("a.org", ORG), ("a.tex", LATEX), ("a.rst", RST)])
def test_no_word_is_lost(name: str, text: str) -> None:
    """Only marks of the language go; every word of the text is still there."""
    kept = extract_text(text, name)
    for word in ("manual", "Checks", "Valves"):
        assert word in kept
    assert ("no heading" in text) == ("no heading" in kept)


@pytest.mark.parametrize("text", ["----\nnever closed\n\n= Title", "#+BEGIN_SRC\nnever closed", r"\section{open"])
def test_what_is_never_closed_is_kept(text: str) -> None:
    """A block that nobody closes takes the rest along and loses nothing."""
    for name in ("a.adoc", "a.org", "a.tex"):
        assert extract_text(text, name).split()[-1].strip("`") in (*text.split(), "")


def test_elements_of_data_do_not_glue_their_words() -> None:
    """Names that prose has for marks within a line are names of fields in data; marks within a word stay within it."""
    assert extract_text("<r><code>A1</code><term>Pump</term></r>", ".xml") == "A1 Pump\n"
    assert extract_text("<r><p>H<sub>2</sub>O</p></r>", ".xml") == "H2O\n"
    assert extract_text("<article><para><b>Pro</b><i>ject</i></para></article>", ".xml") == "Project\n"


def test_blank_lines_before_an_xml_declaration_do_no_harm() -> None:
    """Feeds of some programs begin so; the document is well-formed without them."""
    found = extract(b'\n\n<?xml version="1.0"?><article><title>Pumps</title></article>', file_name="a.xml")
    assert (found.markdown, list(found.validation)) == ("# Pumps\n", [])


def test_styles_of_a_drawing_are_no_text_of_it() -> None:
    """Nobody sees the rules in an SVG file."""
    assert extract_text("<svg><style>.a{}</style><text>seen</text></svg>", ".svg") == "seen\n"


@pytest.mark.parametrize(
    ("name", "text", "headings"),
    [
        (
            "a.rst",
            "=====\nGuide\n=====\n\nFirst\n=====\n\nGo\n--\n\n小\n--\n",
            ["# Guide", "## First", "### Go", "### 小"],
        ),
        (
            "a.rst",
            "Guide\n=====\n\nSee::\n\n  # none\n  No\n  ==\n\n.. code-block:: sh\n   :linenos:\n\n   # none\n",
            ["# Guide"],
        ),
        ("a.rst", "Guide\n=====\n\n# a line\n", ["# Guide"]),
        (
            "a.adoc",
            "Guide\n=====\n\nFirst\n-----\n\nDeep\n~~~~\n\ntext\n\nNext one\n--------\n",
            ["# Guide", "## First", "### Deep", "## Next one"],
        ),
        ("a.adoc", "= Guide\n\n # a literal line\n\n.Listing\n--------\n== none\n--------\n", ["# Guide"]),
        ("a.org", "* Guide\n# a comment\n", ["# Guide"]),
        (
            "a.tex",
            "\\section{A {\\em b {c}} d} and text\n\\chapter{One}\\section{Two}\n",
            ["## A b c d", "# One", "## Two"],
        ),
    ],
)
def test_titles_in_the_less_usual_forms(name: str, text: str, headings: list[str]) -> None:
    """Short underlines, titles of two lines, several in one line; what only looks like one is none."""
    blocks = split_blocks(extract_text(text, name))
    assert ["#" * block.level + " " + block.name for block in blocks if block.kind == "heading"] == headings


def test_a_table_of_org_is_one() -> None:
    """The line below its names is written as markdown has it, so that its pieces repeat them."""
    assert "| a | b |\n| --- | --- |\n| 1 | 2 |" in extract_text("* T\n| a | b |\n|---+---|\n| 1 | 2 |\n", "a.org")


@pytest.mark.slow
def test_light_markup_takes_linear_time() -> None:
    """Long lines and many marks are no way to stop the clock."""
    started = time.process_time()
    for name in ("a.rst", "a.adoc", "a.org", "a.tex"):
        for text in (" " * 300_000 + "x", "=" * 300_000, "\\section{a}" * 30_000, "::\n" * 100_000, "|-+" * 100_000):
            extract_text(f"x\n{text}\n", name)
    assert time.process_time() - started < 20


def test_latex_titles_may_go_over_several_lines() -> None:
    """A title that is broken over lines is one heading; one that is never closed is text."""
    text = "\\section{A long\n  title of %\n  \\emph{three} lines}\ntext\n\\section{never\n\nclosed\n"
    found = extract_text(text, ".tex").splitlines()
    assert found[0] == "## A long title of three lines"
    assert "\\section{never" in found
    assert "closed" in found
