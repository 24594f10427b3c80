"""Text that is no markup, as markdown that shows it as it is: no line of it is a heading, a fence, a quote or a table.

The rules are those of `model.markdown_blocks`; a property test compares them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from textwrap import indent

from ingest_tui.extraction.intake.decoding import normalise_text

_MARK = re.compile(r"[#`~>|<=:-]")
_ITEM = r"(?>(?:(?:[-*+]|\d{1,9}[.)])[ \t]++){0,9})"
_TAGS_OF_BLOCKS = (
    "address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt"
    "|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu"
    "|menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr"
    "|track|ul"
)
_BEGINS_HTML = (
    rf"<(?:!--|\?|![a-z]|!\[CDATA\[|(?:pre|script|style|textarea)(?:[\s>]|$)|/?(?:{_TAGS_OF_BLOCKS})(?:[ \t>]|/>|$)"
    r"""|/?[a-z][a-z0-9-]*+(?:[ \t](?>(?:"[^"\n]*+"|'[^'\n]*+'|[^<>"'\n])*))?/?>[ \t]*+$)"""
)
"""The seven kinds of blocks of raw HTML (CommonMark 4.6)."""
_BEGINS_BLOCK = rf"#{{1,6}}(?:[ \t]|$)|`{{3}}|~{{3}}|{_BEGINS_HTML}"
_BELOW_NAMES = r"(?=[^\n]*-)(?=[-: \t]*+\|[-:| \t]*$)"
"""What makes a table of the line above it: dashes and pipes alone. Any other line with pipes reads as it is written."""
_UNDERLINES = r"(?=(?:=+|-+)[ \t]*$)"
"""What makes a heading of the line above it."""
_QUOTE = r"[ \t]*+(?>(?:>[ \t]*+)*)"
_OPENS_IN_TEXT, _OPENS_IN_QUOTES = (
    re.compile(rf"\A{before}{_BELOW_NAMES}|^{before}{_ITEM}(?={opens})", re.MULTILINE | re.IGNORECASE)
    for before, opens in ((r"[ \t]*+", f">|{_BEGINS_BLOCK}"), (_QUOTE, _BEGINS_BLOCK))
)
_BELOW_IN_TEXT, _BELOW_IN_QUOTES = (
    re.compile(rf"(?<=[^\n]\n)(?={names}{_BELOW_NAMES}|{indent}{_UNDERLINES})", re.MULTILINE)
    for names, indent in ((r"[ \t]*+", "[ ]*+"), (_QUOTE, _QUOTE))
)


def literal(text: str, *, keeps_quotes: bool = False, below_text: bool = False) -> str:
    """Return a block of text that is no markup with a backslash before what would begin a block of markdown.

    What would make a heading or a table of the line above it has a blank line there. What is within its lines stays as
    it is, and so do items of lists: they are what they look like. ``keeps_quotes``: lines with ``>`` are quotes, as in
    mails. ``below_text``: a line of text is right above it.
    """
    if not _MARK.search(text):
        return text
    if below_text:
        return literal(f".\n{text}", keeps_quotes=keeps_quotes)[2:]
    text = (_OPENS_IN_QUOTES if keeps_quotes else _OPENS_IN_TEXT).sub(r"\g<0>\\", normalise_text(text))
    return (_BELOW_IN_QUOTES if keeps_quotes else _BELOW_IN_TEXT).sub("\n", text)


def heading(level: int, text: str) -> str:
    """Return a heading of a text that is no markup, as one line; the text itself for level 0."""
    if not level:
        return literal(text)
    line = " ".join(text.split())
    return f"{'#' * level} {line[:-1]}\\#" if line.endswith("#") else f"{'#' * level} {line}"


def is_table(block: str) -> bool:
    """Return whether a block of markdown is a table of `pipe_table`, and no text that begins with a pipe."""
    return block.startswith("| ") and "\n| --- |" in block


def labelled(label: str, blocks: Iterable[str]) -> str:
    """Return what is below a label, such as the author of a comment: its texts next to it, its tables below.

    ``blocks`` are markdown, their texts `literal`. What is below is indented as markdown has the parts of a note or an
    item. Nothing where there are no blocks.
    """
    shown = label
    below = "    " if label.startswith("[^") else "  "
    for block in blocks:
        if is_table(block):
            shown += f"\n\n{indent(block, below)}\n"
        else:
            shown += (f"\n{below}" if shown.endswith("\n") else " ") + " ".join(block.split())
    return "" if shown == label else shown


def fence_around(body: str, language: str) -> str:
    """Return lines as a fenced code block that no run of backticks in them can close."""
    marks = "`" * (max((len(run) for run in re.findall("`{3,}", body)), default=2) + 1)
    return f"{marks}{language}\n{body}\n{marks}"
