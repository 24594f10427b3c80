"""What xberg makes of a body of Word, with its texts as they are written in the document."""

from __future__ import annotations

import re

from ingest_tui.extraction.markup.literal_text import literal

TEXT_MARK = "\ue0fe"
"""Stands in the body before a text that markdown could take for a mark of its own."""
_BEGINS_WITH_TEXT = re.compile(rf"[ \t]*(?:(?:[-*+]|\d{{1,9}}[.)])[ \t]+)*(?:{TEXT_MARK}|\d{{0,9}}\\)")
_ESCAPE = re.compile(r"\\([\\!<>`~&+]|(?<=\d\\)\.)")
_ESCAPE_IN_ROW = re.compile(r"(\\{1,40}\|)|\\([\\!<>`~&+])")
_ESCAPE_IN_HEADING = re.compile(r"\\(!)(?!\[)")


def as_written(markdown: str) -> str:
    """Return the body without the backslashes that xberg puts before signs, and without marks of text.

    A line that begins with a text is no heading, fence, quote or table. In headings the backslashes stay, but those
    before exclamation marks: what is between ``<`` and ``>`` would not be a part of their names.
    """
    if TEXT_MARK not in markdown and "\\" not in markdown:
        return markdown
    return "\n".join(_line(line) if "\\" in line or TEXT_MARK in line else line for line in markdown.split("\n"))


def _line(line: str) -> str:
    plain = line.replace(TEXT_MARK, "")
    if line.startswith("|"):
        return _ESCAPE_IN_ROW.sub(lambda found: found[1] or found[2], plain)
    if line.startswith("#"):
        return _ESCAPE_IN_HEADING.sub(r"\1", plain)
    plain = _ESCAPE.sub(r"\1", plain)
    return literal(plain) if _BEGINS_WITH_TEXT.match(line) else plain
