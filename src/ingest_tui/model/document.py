"""Documents as they cross borders: from connectors to the registry, and from the catalogue to people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from ingest_tui.model.analysis import DEFAULT_LANGUAGE
from ingest_tui.model.argument_types import check_types
from ingest_tui.model.chunk_words import ChunkWords
from ingest_tui.model.hashing import check_content_hash, compute_content_hash
from ingest_tui.model.keys import file_name_of


def shown_version(version: int) -> str:
    """Return a version as people read it everywhere: ``v9``. Its folder has another name."""
    return f"v{version}"


@dataclass(slots=True)
class IngestedDocument:
    """The one contract between connectors and the registry.

    ``content`` is normalised text, ``unique_id`` the identity within the source (path, URL, message id),
    ``metadata`` what the connector knows, ``file_path`` where the original lies when it is a local file.
    ``content_hash`` is computed when it is not given; anything but 64 lower-case hex digits is refused.
    """

    content: str
    unique_id: str
    source_type: str
    metadata: dict[str, Any] = field(default_factory=dict)
    content_hash: str = ""
    file_path: str | None = None

    def __post_init__(self) -> None:
        values = {name: getattr(self, name) for name in self.__slots__}
        hint = "decode bytes to text first; leave metadata out where there is none"
        check_types(IngestedDocument, values, of=" of a document", hint=hint)
        self.content_hash = (
            check_content_hash(self.content_hash) if self.content_hash else compute_content_hash(self.content)
        )


class Document(NamedTuple):
    """A document as the catalogue knows it: its current version and its primary place. One column each."""

    document_id: str
    collection_id: str
    source_id: str
    source_type: str
    uri: str
    key: str
    title: str
    file_name: str
    media_type: str
    version: int
    raw_sha256: str
    content_hash: str
    bytes: int
    chunks: int
    backend: str
    state: str
    created_at: str
    updated_at: str
    job_id: str

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return self._asdict()

    def placed_at(self, source_id: str, key: str, uri: str, at: str, *, is_member: bool = False) -> Document:
        """Return it with another primary place; a title that was the old file name becomes the new one."""
        name = file_name_of(key, is_member=is_member)
        title = name if self.title == self.file_name else self.title
        return self._replace(source_id=source_id, key=key, uri=uri, file_name=name, title=title, updated_at=at)


def chunk_id(document_id: str, version: int, ordinal: int) -> str:
    """Return the public id of a chunk: of one version, so that what it names is never another text."""
    return f"{document_id}:{version}:{ordinal}"


class Chunk(NamedTuple):
    """A chunk of a version of a document. An index keeps those of current versions, one column for each field.

    Two fields have no column: ``version`` is that of the document, and ``words`` go into the full text; what is read
    from an index has none. ``heading`` is the path of the headings above it. ``page`` is the page or slide that it
    begins on, from 1; its own words are between the characters ``start`` and ``end`` of normalized.md. What is None is
    not known: the document has no pages, or its chunks were made by an earlier version of the program. It is stemmed
    by the rules of ``language``.
    """

    document_id: str
    version: int
    ordinal: int
    heading: str
    text: str
    page: int | None = None
    start: int | None = None
    end: int | None = None
    language: str = DEFAULT_LANGUAGE
    words: ChunkWords | None = None

    @property
    def chunk_id(self) -> str:
        """Its public id."""
        return chunk_id(self.document_id, self.version, self.ordinal)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        names = ("chunk_id", "ordinal", "heading", "text", "page", "start", "end")
        return {name: getattr(self, name) for name in names}

    def headline(self) -> str:
        """Return the line to show above its text: its number, its page and the headings."""
        return "  ".join(filter(None, (f"#{self.ordinal}", f"page {self.page}" if self.page else "", self.heading)))


CHUNK_COLUMNS: Final = tuple(name for name in Chunk._fields if name not in {"version", "words"})
"""The columns of the table of chunks."""


class Contribution(NamedTuple):
    """What one term adds to a score: in how many chunks it is, how often it is found in which field, and how much."""

    term: str
    chunks: int
    found: dict[str, int]
    weight: float


class OtherHit(NamedTuple):
    """Another chunk of a document that answers a query less well; the fields are those of `SearchHit`."""

    chunk_id: str
    heading_path: str
    page: int | None
    start: int | None
    end: int | None
    score: float


@dataclass(slots=True, frozen=True)
class SearchHit:
    """A chunk that answers a query. ``score`` is higher for better; ``snippet`` marks the words between STX and ETX.

    ``page``, ``start`` and ``end`` are those of `Chunk`. ``matches`` are the offsets in ``text`` of what was found,
    ``why`` is what the score is made of, ``others`` are the next best chunks of the same document.
    """

    document_id: str
    chunk_id: str
    title: str
    uri: str
    collection_id: str
    version: int
    heading_path: str
    snippet: str
    text: str
    score: float
    page: int | None = None
    start: int | None = None
    end: int | None = None
    matches: tuple[tuple[int, int], ...] = ()
    why: tuple[Contribution, ...] = ()
    others: tuple[OtherHit, ...] = ()

    @property
    def ranked_score(self) -> float | None:
        """The score; None of what only filters chose, where nothing was ranked."""
        return round(self.score, 4) if self.score or self.why else None

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form, with the marks of the snippet written as ``**``."""
        record = {name: getattr(self, name) for name in self.__slots__}
        record["score"] = self.ranked_score
        record["why"] = [one._asdict() | {"weight": round(one.weight, 4)} for one in self.why]
        record["others"] = [one._asdict() for one in self.others]
        record["snippet"] = self.snippet.replace("\x02", "**").replace("\x03", "**")
        return record
