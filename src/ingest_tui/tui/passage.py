"""Where in a text a search has found something."""

from __future__ import annotations

from typing import NamedTuple


class Passage(NamedTuple):
    """``words`` were found, in lower or upper case; ``lines`` are those of the part of the text that has them."""

    words: tuple[str, ...]
    lines: tuple[str, ...]
