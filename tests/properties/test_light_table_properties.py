"""No word is lost in tables of light markup, however they are written."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.extraction.markup.light_markup import (
    asciidoc_to_markdown,
    latex_to_markdown,
    org_to_markdown,
    rst_to_markdown,
)

_WORDS = st.sampled_from(("pump", "valve", "小さい", "cafe\u0301", "deep words here"))
_GAPS = st.sampled_from((" ", "  ", "\t", "\n", "\n\n", "\n   ", "|", " | ", "\n|", "+", ""))
_DRAWN = (
    "+------+------+\n",
    "+======+======+\n",
    "|      +------+\n",
    "+--+\n",
    "| pump | valve|\n",
    "| deep words  |\n",
)
_OF_RST = (*_DRAWN, *(f"   {line}" for line in _DRAWN), "\n=====  =====\n", "\n   === ===\n", ".. table::\n\n")
_DIRECTIVES = (".. list-table:: valve\n\n", "   * - ", "\n     - ", ".. csv-table::\n\n", '   "', '", ', ",")
_ASCIIDOC = ("\n|===\n", "\n,===\n", "\n:===\n", "\n2+|", " .2+|", " 0*|", "\\|", '[cols="1,1"]', '"', ",", ":")
_LATEX = (
    "\\begin{tabular}{ll}", "\\end{tabular}", "\\begin{longtable}{l}", "\\end{longtable}", " & ", "\\\\", "\\hline ",
    "\\multicolumn{2}{c}{", "}", "{", "\\begin{verbatim}", "\\end{verbatim}", "\\textbf{",
)  # fmt: skip


@pytest.mark.parametrize(
    ("to_markdown", "marks"),
    [
        (rst_to_markdown, _OF_RST),
        (rst_to_markdown, _DIRECTIVES),
        (asciidoc_to_markdown, _ASCIIDOC),
        (org_to_markdown, ("| ", "|---+---|\n", "\n| <l> | <5> |\n", "\n|")),
        (latex_to_markdown, _LATEX),
    ],
)
@given(data=st.data())
def test_every_word_is_in_the_text(
    to_markdown: Callable[[str], str], marks: tuple[str, ...], data: st.DataObject
) -> None:
    """Whole tables, halves of them and what is none: all words are there, as often as they are written."""
    pieces = data.draw(st.lists(st.one_of(st.sampled_from(marks), _WORDS, _GAPS), max_size=25))
    text = "".join(pieces)
    shown = to_markdown(text)
    for word in ("pump", "valve", "小さい", "cafe\u0301", "deep", "words", "here"):
        assert shown.count(word) >= len(re.findall(word, text))
