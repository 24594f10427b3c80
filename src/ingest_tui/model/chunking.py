"""Markdown to chunks: pure, deterministic, each with the headings above it, its page and where it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ingest_tui.model.analysis import stemming_language
from ingest_tui.model.chunk_limits import DEFAULT_LIMITS, ChunkLimits, ChunkRules
from ingest_tui.model.chunk_overlap import overlapping
from ingest_tui.model.chunk_pieces import Piece, pieces_of
from ingest_tui.model.chunk_rows import row_pieces
from ingest_tui.model.chunk_words import ChunkWords, analyse_chunk
from ingest_tui.model.document import Chunk
from ingest_tui.model.languages import language_among
from ingest_tui.model.markdown_blocks import Block, blocks_of_lines
from ingest_tui.model.pages import page_at

HEADING_SEPARATOR = " › "
"""Between the headings of a path, where it is one text."""


class TextChunk(NamedTuple):
    """A piece of a document: the headings above it, and its text, no larger than the rules allow.

    Its own words are between the offsets ``start`` and ``end`` of the markdown, in characters; heads of tables and
    fences that it repeats may be elsewhere. ``page`` is where it begins, None in a document without known pages.
    """

    heading_path: tuple[str, ...]
    text: str
    start: int
    end: int
    page: int | None = None
    words: ChunkWords | None = None
    """What the full text holds of it, once it was analysed."""


def split_into_chunks(
    markdown: str, page_starts: Sequence[int] = (), limits: ChunkLimits = DEFAULT_LIMITS
) -> list[TextChunk]:
    """Return the chunks of ``markdown`` in order: paragraphs of one section gathered up to two thirds of the limit.

    A heading starts a new chunk and is part of its path, not of its text, unless nothing follows it. Every word of
    the text is in exactly one chunk, but for what makes a piece readable by itself: each piece of a long table begins
    with the row of its column names, each piece of a long code block has the fence around it, and a chunk may begin
    with the end of the one before it, see `overlapping`. A chunk that repeats no head or fence is the text between its
    offsets, letter for letter. ``page_starts`` are the offsets at which pages begin: there a
    chunk ends, so that a hit is on the page that it names; only a paragraph that goes on over the page is on both.
    Of tables that have columns which the rules choose each row is a text of its own, see `chunk_rows`: there only what
    was chosen is in a chunk. The same text and limits always give the same chunks.
    """
    return list(chunks_of_lines(markdown.split("\n"), page_starts, limits))


def chunks_of_lines(
    lines: Iterable[str], page_starts: Sequence[int] = (), limits: ChunkLimits = DEFAULT_LIMITS
) -> Iterator[TextChunk]:
    """Yield the chunks of a text that comes in lines, without their ends: those of `split_into_chunks`.

    Of a long table or text a part is in memory at a time.
    """
    gathered = _Gathered(page_starts, limits)
    for block in blocks_of_lines(lines):
        if block.kind == "heading":
            gathered.open_section(block)
            continue
        for piece in row_pieces(block, limits) or pieces_of(block, limits):
            gathered.add(piece, block)
            if gathered.chunks:
                yield from gathered.taken()
    gathered.flush()
    yield from gathered.taken()


def analysed(chunks: Iterable[TextChunk], language: str | None) -> list[TextChunk]:
    """Return the chunks of a document in a language with their words."""
    return [
        chunk._replace(words=analyse_chunk(HEADING_SEPARATOR.join(chunk.heading_path), chunk.text, language))
        for chunk in chunks
    ]


def chunks_of_version(
    document_id: str,
    version: int,
    chunks: Iterable[TextChunk],
    language: str | None,
    rules: ChunkRules = DEFAULT_LIMITS.rules,
) -> Iterator[Chunk]:
    """Yield the chunks of a version as an index takes them; those without words are analysed here.

    ``language`` is what was found of the document; the rules may say which languages it can be in.
    """
    language = language_among(language, rules.languages)
    stemmed_as = stemming_language(language)
    for ordinal, one in enumerate(chunks):
        heading = HEADING_SEPARATOR.join(one.heading_path)
        words = one.words or analyse_chunk(heading, one.text, language)
        yield Chunk(document_id, version, ordinal, heading, one.text, one.page, one.start, one.end, stemmed_as, words)


class _Gathered:
    """Chunks that are ready, the path of open headings, and the pieces of the next chunk."""

    def __init__(self, page_starts: Sequence[int], limits: ChunkLimits) -> None:
        self.chunks: list[TextChunk] = []
        self._page_starts = page_starts
        self._limits = limits
        self._path: list[Block] = []
        self._pending: list[Piece] = []
        self._size = 0
        self._page: int | None = None
        self._heading_is_bare = False
        self._text_before: Piece | None = None
        """The last piece of the chunk before, where the next one may begin with its end."""

    def open_section(self, heading: Block) -> None:
        self.flush()
        self._text_before = None
        while self._path and self._path[-1].level >= heading.level:
            self._path.pop()
        self._path.append(heading)
        self._heading_is_bare = True

    def taken(self) -> list[TextChunk]:
        """Return the chunks that are ready, each once."""
        chunks, self.chunks = self.chunks, []
        return chunks

    def add(self, piece: Piece, block: Block) -> None:
        """Add a piece of a block."""
        is_text = block.kind == "text"
        page = page_at(self._page_starts, piece.start)
        size = self._limits.measure.size(piece.text)
        gap = block.gap if piece.gap is None else piece.gap
        if self._pending and (self._size + len(gap) + size > self._limits.target or page != self._page):
            self.flush()
        if not self._pending and is_text and self._text_before is not None and page == self._page:
            piece = overlapping(self._text_before, piece, gap, self._limits)
        self._text_before = piece if is_text else None
        self._page = page
        self._size += len(gap) + size if self._pending else size
        self._pending.append(piece._replace(gap=gap))

    def flush(self) -> None:
        """Make a chunk of the pending pieces, or of a heading that nothing follows."""
        if self._pending:
            first, *others = self._pending
            text = first.text + "".join(f"{piece.gap}{piece.text}" for piece in others)
            self._put(text, first.start, self._pending[-1].end)
        elif self._heading_is_bare and (name := self._path[-1].name):
            heading = self._path[-1]
            for piece in pieces_of(Block("text", name, 0), self._limits):
                self._put(piece.text, heading.start, heading.start + len(heading.text))
        self._pending.clear()
        self._size = 0
        self._heading_is_bare = False

    def _put(self, text: str, start: int, end: int) -> None:
        path = tuple(heading.name for heading in self._path)
        self.chunks.append(TextChunk(path, text, start, end, page_at(self._page_starts, start)))
