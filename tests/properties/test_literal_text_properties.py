"""Text that is no markup stays text."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from ingest_tui.extraction.intake.decoding import normalise_text
from ingest_tui.extraction.markup.literal_text import heading, literal
from ingest_tui.model.markdown_blocks import split_blocks

_PIECES = ("# ", "##", "```", "~~~", "===", "---", "-", "=", "|", "> ", "<pre>", "</pre>", "<!--", "-->", "- ", "1. ")
_TEXTS = st.lists(st.sampled_from((*_PIECES, "\n", "\n\n", " ", "\t", ":", "word", "\x00", "\r\n", "\f")), max_size=14)


@given(pieces=_TEXTS, quotes=st.booleans())
@example(pieces=["---", "\n", "word", "\n", "---", "\n"], quotes=False)
@example(pieces=["word", " | word", "\n", "--- | ---"], quotes=True)
def test_no_line_of_a_text_is_structure(pieces: list[str], quotes: bool) -> None:
    """Whatever is in a text, it is a text with the same words, at the beginning of a document and below a heading."""
    text = "".join(pieces)
    shown = literal(text, keeps_quotes=quotes)
    assert {block.kind for block in split_blocks(shown)} <= {"text"}
    kinds = [block.kind for block in split_blocks(f"# Above\n\n{shown}\n\n## Below\n")]
    assert (kinds[0], kinds[-1], {*kinds[1:-1]} <= {"text"}) == ("heading", "heading", True)
    assert _lines(shown.replace("\\", "")) == _lines(normalise_text(text)) or shown == text


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line]


@given(pieces=_TEXTS, level=st.integers(1, 6))
def test_a_heading_is_one_heading_of_its_level(pieces: list[str], level: int) -> None:
    """What a heading says cannot end it or change its level."""
    (block,) = split_blocks(heading(level, normalise_text(f"word{''.join(pieces)}")))
    assert (block.kind, block.level) == ("heading", level)
