"""Whether chunks are of a text, of which only a part is in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingest_tui.model.document import Chunk
from ingest_tui.store.version_chunks import TextFile

_WORD = re.compile(r"\w+")
_SHORTENED = re.compile(r"(\w+)…")
_KEPT_CHARACTERS = 1024**2
"""What is kept of a text before a chunk: the next one may begin before the end of the last."""


class WordsOfText:
    """A text that chunks are compared with, in their order.

    The own words of a chunk are looked for where it says that it is; others, such as the head of a table that each
    piece of it repeats, anywhere in the text, once. A head that is too large is shortened: of its last word, before an
    ellipsis, only the beginning has to be there.
    """

    def __init__(self, text: TextFile) -> None:
        self._text = text
        self._pieces = text.pieces(_KEPT_CHARACTERS)
        self._part = ""
        self._starts_at = 0
        self._words_of_part: set[str] | None = None
        self._elsewhere: set[str] = set()
        self._beginnings: set[str] = set()

    def are_those_of(self, chunk: Chunk) -> bool:
        """Return whether all words of a chunk are in the text; one without words is not, where there are some."""
        own = self._between(chunk.start, chunk.end) if chunk.start is not None and chunk.end is not None else ""
        if own.strip() and not chunk.text.strip():
            return False
        shortened = set(_SHORTENED.findall(chunk.text))
        known = self._elsewhere | (shortened & self._beginnings)
        others = set(_WORD.findall(chunk.text)) - set(_WORD.findall(own)) - known
        missing = others - self._found_elsewhere(others, chunk) if others else others
        return not missing or (missing <= shortened and self._begin_words(missing))

    def _between(self, start: int, end: int) -> str:
        if start < self._starts_at:
            self._pieces, self._part, self._starts_at = self._text.pieces(_KEPT_CHARACTERS), "", 0
            self._words_of_part = None
        while self._starts_at + len(self._part) < end and (piece := next(self._pieces, "")):
            surplus = max(min(len(self._part), start - self._starts_at) - _KEPT_CHARACTERS, 0)
            self._part = self._part[surplus:] + piece
            self._starts_at += surplus
            self._words_of_part = None
        return self._part[start - self._starts_at : end - self._starts_at]

    def _found_elsewhere(self, words: set[str], chunk: Chunk) -> set[str]:
        """Return which of these words are in the text; all of them are kept where a chunk does not say where it is."""
        if self._words_of_part is None:
            self._words_of_part = set(_WORD.findall(self._part))
        left = words - self._words_of_part
        for found in self._words_of_lines() if left else ():
            if chunk.start is None:
                self._elsewhere |= found
            left -= found
            if not left and chunk.start is not None:
                break
        self._elsewhere |= words - left
        return words - left

    def _begin_words(self, beginnings: set[str]) -> bool:
        """Return whether a word of the text begins with each of these."""
        left = set(beginnings)
        for words in self._words_of_lines():
            left -= {beginning for beginning in left if any(word.startswith(beginning) for word in words)}
            if not left:
                break
        self._beginnings |= beginnings - left
        return not left

    def _words_of_lines(self) -> Iterator[set[str]]:
        for line in self._text.lines():
            yield set(_WORD.findall(line))
