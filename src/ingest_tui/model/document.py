"""Documents as they cross borders: from connectors to the registry, and from the catalogue to people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ingest_tui.model.argument_types import check_types
from ingest_tui.model.hashing import check_content_hash, compute_content_hash
from ingest_tui.model.keys import file_name_of


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

    def placed_at(self, source_id: str, key: str, uri: str, at: str) -> Document:
        """Return it with another primary place; a title that was the old file name becomes the new one."""
        name = file_name_of(key)
        title = name if self.title == self.file_name else self.title
        return self._replace(source_id=source_id, key=key, uri=uri, file_name=name, title=title, updated_at=at)


def chunk_id(document_id: str, version: int, ordinal: int) -> str:
    """Return the public id of a chunk: of one version, so that what it names is never another text."""
    return f"{document_id}:{version}:{ordinal}"


class DocumentChunk(NamedTuple):
    """A chunk of the current version of a document; ``heading`` is the path of the headings above it."""

    chunk_id: str
    ordinal: int
    heading: str
    text: str


@dataclass(slots=True, frozen=True)
class SearchHit:
    """A chunk that answers a query. ``score`` is higher for better; ``snippet`` marks the words between STX and ETX."""

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

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form, with the marks of the snippet written as ``**``."""
        record = {name: getattr(self, name) for name in self.__slots__}
        record["snippet"] = self.snippet.replace("\x02", "**").replace("\x03", "**")
        return record
