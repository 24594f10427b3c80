"""Has the library let go of widgets that are closed.

`StylesCache.get_inner_outer` of Textual 8 is cached with the cache of a widget in the key, although it asks for two
colours only: the lines of up to 1,024 closed widgets stay in memory.
"""

from __future__ import annotations

from functools import lru_cache

from textual._styles_cache import StylesCache
from textual.color import Color
from textual.style import Style


@lru_cache(1024)
def _inner_outer(base_background: Color, background: Color) -> tuple[Style, Style]:
    return Style(background=base_background + background), Style(background=base_background)


def let_go_of_closed_widgets() -> None:
    """Have that cache ask for the colours only."""
    StylesCache.get_inner_outer = staticmethod(_inner_outer)  # type: ignore[method-assign, assignment]
