"""What goes into a parser and what comes out of it.

`ParseTask` and `ParseResult` cross a pipe as JSON lines, many thousand a second: they are plain slotted dataclasses
with JSON values only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ingest_tui.model.attachments import INLINE, AttachmentsSetting
from ingest_tui.model.chunk_limits import ChunkRules
from ingest_tui.model.chunking import TextChunk
from ingest_tui.model.links import Link
from ingest_tui.model.ocr import NO_OCR_REQUEST, OcrPage, OcrRequest
from ingest_tui.model.parse_limits import ParseLimits

MAX_LINKS = 1000
"""Links kept of one document; a link farm must not fill the record of its version."""

MAX_FINDINGS = 50
"""Findings kept of one document, errors before warnings."""
MAX_FINDING_CHARACTERS = 300

ParseStatus = Literal["parsed", "container", "empty", "rejected", "failed"]
Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a validator has to say of a document that is let in.

    ``error``: it is damaged or breaks the rules of its format, so that text may be missing or wrong. ``warning``: it is
    valid, but something is worth knowing. Neither keeps it out. ``code`` is stable and meant for scripts.
    """

    severity: Severity
    code: str
    message: str

    def as_dict(self) -> dict[str, str]:
        """Return the JSON form that ingestion.json keeps under ``validation``."""
        return {"severity": self.severity, "code": self.code, "message": self.message}


@dataclass(frozen=True, slots=True)
class Element:
    """One piece of a document: its text and what is known of it (``category``, ``page_number``, ``table``, …)."""

    text: str
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Extraction:
    r"""The whole of one parsed document.

    ``markdown`` has ``\n`` line ends and no control characters but newline and tab. ``columns`` is a list of
    ``{"table": sheet or table name, "columns": [names], "rows": number of data rows}``. ``pages`` counts pages,
    slides or sheets where the format has them. ``page_starts`` holds the offset in ``markdown`` at which each page or
    slide begins, in order; it is empty where that is not known. ``links`` holds at most `MAX_LINKS` targets, in order,
    each once. ``validation`` holds at most `MAX_FINDINGS`; ``warnings`` their messages and what else is worth a note.
    ``ocr`` is what is kept of a reading by OCR (None: there was none), ``ocr_pages`` the pages that no cache had.
    """

    markdown: str
    elements: tuple[Element, ...]
    media_type: str
    backend: str
    backend_version: str
    title: str | None = None
    language: str | None = None
    pages: int | None = None
    page_starts: list[int] = field(default_factory=list)
    columns: list[dict[str, Any]] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    validation: list[Finding] = field(default_factory=list)
    ocr: dict[str, Any] | None = None
    ocr_pages: list[OcrPage] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class AtWork:
    """A task that is being parsed: in which process, and since when in seconds of `time.monotonic`."""

    task_id: str
    pid: int
    began_at: float


@dataclass(frozen=True, slots=True)
class ParseTask:
    """One file to parse: read from ``input_path``, its markdown written to ``output_path`` (which must not exist).

    ``file_name`` is the name at the source: a hint for the type, never a path. ``size`` is in bytes.
    ``backend`` forces a backend; else ``backends_by_type`` (format name or media type → backend) is asked first.
    ``limits`` overrides those of the pool for this file. ``allow_types`` and ``deny_types`` say what is let in by what
    its bytes are: format names, extensions or media types. ``schema`` is the text of a JSON Schema or Table Schema;
    violations are findings, or ``rejects_violations``. ``ocr`` says whether pictures of text are read, ``chunking``
    how the text is cut. ``member_bytes``: an archive is unpacked, and members of up to so many bytes are taken; None:
    archives are refused. ``attachments`` says what becomes of attached files; ``attachment_bytes`` is the size of the
    largest that is a document of its own.
    """

    task_id: str
    input_path: str
    output_path: str
    file_name: str
    size: int
    backend: str | None = None
    backends_by_type: dict[str, str] = field(default_factory=dict)
    limits: ParseLimits | None = None
    allow_types: tuple[str, ...] = ()
    deny_types: tuple[str, ...] = ()
    schema: str = ""
    rejects_violations: bool = False
    ocr: OcrRequest = NO_OCR_REQUEST
    chunking: ChunkRules = field(default_factory=ChunkRules)
    member_bytes: int | None = None
    attachments: AttachmentsSetting = INLINE
    attachment_bytes: int = 0

    @property
    def members_path(self) -> str:
        """Where the members of a container are written, see `extraction.members`."""
        return members_path(self.output_path)


def members_path(output_path: str) -> str:
    """Return where the members of a container are, from where its text is, or would be."""
    return f"{output_path}.members"


@dataclass(frozen=True, slots=True)
class ParseResult:
    """What became of a `ParseTask`.

    ``parsed``: the markdown is in ``output_path`` and ``content_hash`` is its hash. ``container``: it has no text of
    its own, but members, of which ``members_path`` has as many as ``members`` says; so has what is ``parsed`` or
    ``empty`` with attachments that are documents. ``empty``: valid, but without
    text. ``rejected``: not let in. ``failed``: let in, but not readable. In the last three ``reason`` is a stable
    code, ``detail`` says what was seen and ``hint`` what to do, and there is no output file.
    ``page_starts`` is as of `Extraction`, and so are ``ocr`` and ``ocr_pages``. ``chunks`` is None when the collection
    counts tokens, or the text is so large that the caller should read it from the file. ``text_bytes`` is the size of
    the markdown in UTF-8.
    """

    task_id: str
    status: ParseStatus
    reason: str = ""
    detail: str = ""
    hint: str = ""
    media_type: str = ""
    backend: str = ""
    backend_version: str = ""
    content_hash: str = ""
    title: str | None = None
    language: str | None = None
    pages: int | None = None
    page_starts: list[int] = field(default_factory=list)
    columns: list[dict[str, Any]] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    validation: list[Finding] = field(default_factory=list)
    chunks: list[TextChunk] | None = None
    text_bytes: int = 0
    milliseconds: float = 0.0
    ocr: dict[str, Any] | None = None
    ocr_pages: list[OcrPage] = field(default_factory=list)
    members: int = 0
