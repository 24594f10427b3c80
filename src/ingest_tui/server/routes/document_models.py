"""What is asked about documents over HTTP, and what is answered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from ingest_tui.server.endpoint import Answer, Body, Params
from ingest_tui.server.pages import Page, PageParams
from ingest_tui.server.values import FolderAddress, Identifier, MediaType, Moment

DocumentId = Annotated[str, Field(pattern=r"^[a-z0-9]{8,64}$", max_length=64)]
VersionNumber = Annotated[int, Field(ge=1, le=2**31)]
PlaceOutcome = Literal["ingested", "unchanged", "duplicate", "moved", "retired", "empty", "rejected", "failed"]
_LONGEST_TEXT = 1_000_000


class DocumentParams(Params):
    """Which document."""

    document_id: DocumentId


class VersionParams(DocumentParams):
    """Which version of a document; the current one where none is named."""

    version: VersionNumber | None = None


class TextParams(VersionParams):
    """Which part of a text, in characters."""

    offset: int = Field(default=0, ge=0, le=2**40)
    limit: int = Field(default=_LONGEST_TEXT, ge=1, le=_LONGEST_TEXT)


class DiffParams(DocumentParams):
    """Which versions are compared."""

    older: VersionNumber
    newer: VersionNumber


class LinksParams(DocumentParams):
    """Which links."""

    incoming: bool = Field(default=False, description="those of other documents that lead to this one")


class DocumentsParams(PageParams):
    """Which documents, in which order."""

    collection_id: Identifier | None = None
    source_id: Identifier | None = None
    folder: FolderAddress = ""
    state: Literal["active", "retired"] = "active"
    contains: str = Field(default="", max_length=500, description="words of the address or title")
    media_type: MediaType = Field(default="", description="text/, or an ending: pdf")
    since: Moment | None = Field(default=None, description="updated then or later: a day, or a time in UTC (RFC 3339)")
    until: Moment | None = Field(default=None, description="updated then or earlier; a day is meant whole")
    outcome: PlaceOutcome | None = Field(default=None, description="what the last look at them came to")
    sort: Literal["address", "newest", "title", "largest"] = "address"


class DocumentState(Answer):
    """A document: its current version, where it came from, and how it is doing."""

    document_id: str
    title: str
    uri: str
    status: str
    state: str
    version: int
    version_label: str
    collection_id: str
    source_id: str
    source_type: str
    key: str
    file_name: str
    media_type: str
    bytes: int
    chunks: int
    columns: list[str]
    embedding: str
    raw_sha256: str
    content_hash: str
    backend: str
    job_id: str
    created_at: str
    updated_at: str


class DocumentPageAnswer(Page[DocumentState]):
    """A part of a list of documents. ``total``: how many there are in all."""

    total: int


class DocumentRecord(Answer):
    """A document, and the record of a version: language, pages, warnings, links, what it was made with."""

    document: DocumentState
    ingestion: dict[str, Any]


class DocumentText(Answer):
    """A part of the normalised text of a version. ``next_offset``: None at its end."""

    document_id: str
    version: int
    text: str
    offset: int
    characters: int
    next_offset: int | None


class DocumentVersion(Answer):
    """A version of a document."""

    document_id: str
    version: int
    raw_sha256: str
    content_hash: str
    bytes: int
    media_type: str
    backend: str
    uri: str
    job_id: str
    ingested_at: str
    version_label: str
    rolled_back: dict[str, Any] | None
    rechunked_from: int | None
    current: bool


class DocumentVersions(Answer):
    """The versions of a document, newest first."""

    document_id: str
    items: list[DocumentVersion]


class DocumentDiff(Answer):
    """What changed between two versions, as lines of a unified diff."""

    document_id: str
    older: int
    newer: int
    lines: list[str]


class DocumentChunk(Answer):
    """A chunk by which a document is found."""

    chunk_id: str
    ordinal: int
    heading: str
    text: str
    page: int | None
    start: int | None
    end: int | None


class DocumentChunks(Answer):
    """The chunks of a document, in order."""

    document_id: str
    items: list[DocumentChunk]


class DocumentLink(Answer):
    """A link, and where it leads; ``source_document_id``: the document that it is in."""

    source_document_id: str
    source_uri: str
    target: str
    text: str
    start: int | None
    state: str
    address: str
    document_id: str | None
    detail: str


class DocumentLinks(Answer):
    """Links. ``unreadable``: documents whose record is damaged, so that theirs are missing."""

    items: list[DocumentLink]
    unreadable: list[str]


class ExplainParams(Params):
    """What is asked about."""

    target: str = Field(min_length=1, max_length=4096, description="a document, an address, a path or a file name")


class ExplanationAnswer(Answer):
    """Whether something is here, why or why not, what that rests on, and what to do."""

    target: str
    here: bool
    stale: bool
    reason: str
    verdict: str
    hint: str
    document: dict[str, Any] | None
    location: dict[str, Any] | None
    ingestion: dict[str, Any] | None
    events: list[dict[str, Any]]
    others: list[dict[str, Any]]
    told: list[str] = Field(description="the same for people")


class RegisterBody(Body):
    """A document that was parsed already."""

    collection_id: Identifier = "default"
    unique_id: str = Field(min_length=1, max_length=2000, description="its identity: a path, a URL, a message id")
    content: str = Field(max_length=16_000_000, description="its normalised text")
    source_type: str = Field(default="api", min_length=1, max_length=64)
    metadata: dict[str, str | int | float | bool] = Field(default_factory=dict, description="title, file_name, …")
    content_hash: str = Field(default="", pattern=r"^([0-9a-f]{64})?$", description="SHA-256 of the content")
    source_id: Identifier | None = None


class Registered(Answer):
    """A document that is registered. ``is_new``: it was not here, or not with this content."""

    document_id: str
    is_new: bool
    file_size: int


class RemovedDocument(Answer):
    """A document that went to the trash."""

    document_id: str
    retired: int
