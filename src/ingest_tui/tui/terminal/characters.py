"""Which characters the terminal shows: lines and bars of Unicode, or only those of ASCII in their place."""

from __future__ import annotations

import os
from collections.abc import Mapping

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_PLAIN_TERMINALS = ("linux", "vt", "ansi", "dumb")


def draws_lines(environment: Mapping[str, str] | None = None) -> bool:
    """Tell whether rounded borders and bars may be drawn: in a UTF-8 locale, and on no console of the kernel.

    A locale that says nothing is taken for UTF-8, which is what terminals speak today.
    """
    environment = os.environ if environment is None else environment
    if environment.get("TERM", "").startswith(_PLAIN_TERMINALS):
        return False
    locale = environment.get("LC_ALL") or environment.get("LC_CTYPE") or environment.get("LANG") or ""
    return "." not in locale or locale.upper().replace("-", "").endswith("UTF8")


_IN_ASCII = str.maketrans(
    dict.fromkeys("─━═╌╍┄┅┈┉╴╶╸╺▔▁▂▃", "-")
    | dict.fromkeys("│┃║╎╏┆┇┊┋╵╷╹╻▏▎▍▌▋▊▉▐▕", "|")
    | dict.fromkeys("╭╮╰╯┌┐└┘┏┓┗┛╔╗╚╝├┤┬┴┼┣┫┳┻╋", "+")
    | dict.fromkeys("▄▅▆▇█▀▖▗▘▝▚▞▙▛▜▟", "#")
    | dict.fromkeys("░▒▓", ":")
    | {"●": "*", "○": "o", "•": "*", "·": ".", "…": "~", "—": "-", "–": "-", "×": "x", "✓": "+", "✔": "+"}
    | {"→": ">", "←": "<", "↑": "^", "↓": "v", "▸": ">", "▾": "v", "▶": ">", "▼": "v", "◀": "<", "▲": "^", "⏎": "<"}
    | {"🔎": "/ ", "«": "<", "»": ">", "“": '"', "”": '"', "‘": "'", "’": "'", "\xa0": " "}
)
"""What the program and Textual draw with, and what stands for it in as many cells."""


class OnlyAscii(LineFilter):
    """Puts ASCII in the place of what is drawn with; texts of documents stay as they are."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments in these characters; called for each painted line."""
        del background
        return [
            segment
            if segment.control or segment.text.isascii()
            else Segment(segment.text.translate(_IN_ASCII), segment.style)
            for segment in segments
        ]
