"""Which characters the terminal shows: lines and bars of Unicode, or only those of ASCII in their place."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_PLAIN_TERMINALS = ("linux", "vt", "ansi", "dumb")


def terminal_encoding() -> str:
    """Return how Python writes to the terminal: UTF-8 unless the locale, or PYTHONIOENCODING, names something else."""
    return getattr(sys.__stderr__, "encoding", None) or "utf-8"


def draws_lines(environment: Mapping[str, str] | None = None, encoding: str = "utf-8") -> bool:
    """Tell whether rounded borders and bars may be drawn: in a UTF-8 locale, and on no console of the kernel.

    A locale that says nothing is taken for UTF-8, which is what terminals speak today. ``encoding`` is what is written.
    """
    environment = os.environ if environment is None else environment
    if _is_other_than_utf8(encoding):
        return False
    if environment.get("TERM", "").startswith(_PLAIN_TERMINALS):
        return False
    locale = environment.get("LC_ALL") or environment.get("LC_CTYPE") or environment.get("LANG") or ""
    return "." not in locale or not _is_other_than_utf8(locale.partition(".")[2])


def _is_other_than_utf8(encoding: str) -> bool:
    return encoding.upper().replace("-", "") != "UTF8"


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
    """Puts ASCII in the place of what is drawn with; of texts of documents, only what ``encoding`` cannot write."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments in these characters; called for each painted line."""
        del background
        return [
            segment
            if segment.control or segment.text.isascii()
            else Segment(self._writable(segment.text.translate(_IN_ASCII)), segment.style)
            for segment in segments
        ]

    def _writable(self, text: str) -> str:
        """Return the text with a question mark in each cell of what cannot be written: nothing on the line moves."""
        try:
            text.encode(self._encoding)
        except UnicodeEncodeError:
            return "".join(letter if self._writes(letter) else "?" * cell_len(letter) for letter in text)
        return text

    def _writes(self, letter: str) -> bool:
        try:
            letter.encode(self._encoding)
        except UnicodeEncodeError:
            return False
        return True
