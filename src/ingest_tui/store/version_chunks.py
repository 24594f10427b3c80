"""The text of a version as a file, and the chunks that it is cut into: a large text is never whole in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Self

from ingest_tui.model.chunk_limits import ChunkLimits
from ingest_tui.model.chunking import chunks_of_lines, chunks_of_version
from ingest_tui.model.document import Chunk
from ingest_tui.model.language import LOOKED_AT_CHARACTERS, detect_language

_KEPT_BELOW_BYTES = 1024**2
_PIECE_CHARACTERS = 1024**2


class TextFile(NamedTuple):
    """A normalized.md. What is no UTF-8 in it is replaced; each method reads it again."""

    path: Path

    @property
    def bytes(self) -> int:
        """How large the file is."""
        return self.path.stat().st_size

    def lines(self) -> Iterator[str]:
        """Yield the lines without their ends, as ``split`` returns them: a text that ends in one has an empty last."""
        is_ended = True
        with self.path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                is_ended = line.endswith("\n")
                yield line[:-1] if is_ended else line
        if is_ended:
            yield ""

    def beginning(self, characters: int) -> str:
        """Return so many characters."""
        with self.path.open(encoding="utf-8", errors="replace") as file:
            return file.read(characters)

    def pieces(self, characters: int) -> Iterator[str]:
        """Yield the text in pieces of so many characters."""
        with self.path.open(encoding="utf-8", errors="replace") as file:
            while piece := file.read(characters):
                yield piece

    def content_hash(self) -> str:
        """Return what `compute_content_hash` returns for the text."""
        digest = hashlib.sha256()
        for piece in self.pieces(_PIECE_CHARACTERS):
            digest.update(piece.encode())
        return digest.hexdigest()

    def language(self) -> str | None:
        """Return the language that is detected of it."""
        return detect_language(self.beginning(LOOKED_AT_CHARACTERS))


class VersionChunks:
    """The chunks of a version of a document: their number, and they themselves as often as they are asked for.

    Those of a large text are cut again each time, from the file that ``text`` names then.
    """

    def __init__(
        self,
        document_id: str,
        version: int,
        text: TextFile,
        page_starts: Sequence[int],
        language: str | None,
        limits: ChunkLimits,
    ) -> None:
        self._text = text
        self._document_id = document_id
        self._version = version
        self._page_starts = page_starts
        self._language = language
        self._limits = limits
        self._is_large = text.bytes >= _KEPT_BELOW_BYTES

    def __len__(self) -> int:
        return self._number

    def __iter__(self) -> Iterator[Chunk]:
        return self._cut() if self._is_large else iter(self._kept)

    def moved_to(self, text: TextFile) -> Self:
        """Return the same chunks, counted now, to be read from where the text will be."""
        len(self)
        self._text = text
        return self

    @cached_property
    def _number(self) -> int:
        if not self._is_large:
            return len(self._kept)
        return sum(1 for _chunk in chunks_of_lines(self._text.lines(), self._page_starts, self._limits))

    @cached_property
    def _kept(self) -> list[Chunk]:
        return list(self._cut())

    def _cut(self) -> Iterator[Chunk]:
        cut = chunks_of_lines(self._text.lines(), self._page_starts, self._limits)
        return chunks_of_version(self._document_id, self._version, cut, self._language, self._limits.rules)
