"""Page headers and footers of spreadsheets without their codes (ECMA-376 part 1, 18.3.1.39)."""

from __future__ import annotations

import re

_CODES = re.compile(r'&(?:"[^"]*"|[0-9]+|K(?:[0-9A-F]{6}|[0-9]{2}[+-][0-9]{3})|.)')


def words_of_header(coded: str) -> str:
    """Return the words of a header; nothing where it has codes only, such as that of the page number."""
    text = " ".join(_CODES.sub(" ", coded).split())
    return text if re.search(r"\w", text) else ""
