"""What xberg makes of a body of Word, with its texts as they are written in the document."""

from __future__ import annotations

import re

from ingest_tui.extraction.markup.literal_text import literal

TEXT_MARK = "\ue0fe"
"""Stands in the body before a text that markdown or xberg could take for a mark of its own."""
_BEGINS_WITH_TEXT = re.compile(rf"((?>(?:> )*)[ \t]*(?>(?:(?:[-*+]|\d{{1,9}}[.)])[ \t]+)*))(?:{TEXT_MARK}|\d{{0,9}}\\)")
_BACKSLASHES = re.compile(r"\\+")
_ESCAPED = tuple("!<>`~&+")
_MARKS_OF_PROGRAM = tuple("*_[]")
"""Signs that xberg never puts a backslash before: one before them ends a text, and a mark of xberg follows."""
_MARK_IN_ROW = re.compile(r"\[[^\[\]]*\]\(|\]\(|\*\*[^\s*|][^*|]*\*\*")
_ESCAPE_IN_HEADING = re.compile(r"\\(!)(?!\[)")


def as_written(markdown: str) -> str:
    """Return the body without the backslashes that xberg puts before signs, and without marks of text.

    A line that begins with a text is no heading, fence, quote, table or raw HTML; a backslash stays where what is
    after it would be an image, or no mark of xberg. In headings the backslashes stay, but those before exclamation
    marks: what is between ``<`` and ``>`` would not be a part of their names.
    """
    if not any(sign in markdown for sign in (TEXT_MARK, "\\", "#")):
        return markdown
    return "\n".join(
        _line(line) if "\\" in line or TEXT_MARK in line or line.startswith("#") else line
        for line in markdown.split("\n")
    )


def _line(line: str) -> str:
    if line.startswith("#"):
        name = _ESCAPE_IN_HEADING.sub(r"\1", line.replace(TEXT_MARK, "")).rstrip()
        return f"{name[:-1]}\\#" if name.endswith("#") and name.strip("#") else name
    begins = _BEGINS_WITH_TEXT.match(line)
    if begins is None or line.startswith("|"):
        return _plain(line)
    return begins[1] + literal(_plain(line[begins.end(1) :]))


def _plain(line: str) -> str:
    is_row = line.startswith("|")
    return _BACKSLASHES.sub(lambda found: _written(found, is_row=is_row), line.replace(TEXT_MARK, ""))


def _written(found: re.Match[str], *, is_row: bool) -> str:
    """Return the backslashes of the document; all those of xberg where markdown of its own is after them."""
    signs, line, at = found[0], found.string, found.end()
    typed, is_one_more = divmod(len(signs), 2)
    if is_row and line.startswith("|", at):
        return signs
    if not is_one_more:
        is_before_mark = line.startswith("~~", at) or (is_row and _MARK_IN_ROW.match(line, at))
        return signs if is_before_mark else "\\" * typed
    if line.startswith("![", at) and not line.startswith("![CDATA[", at):
        return signs
    if line.startswith(_MARKS_OF_PROGRAM, at):
        return f"{signs}\\"
    is_number = not typed and line.startswith(".", at) and line[found.start() - 1 : found.start()].isdecimal()
    return "\\" * (typed + (not is_number and not line.startswith(_ESCAPED, at)))
