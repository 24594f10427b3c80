"""What goes into a parser and what comes out of it.

`ParseTask` and `ParseResult` cross a pipe as JSON lines, many thousand a second: they are plain slotted dataclasses
with JSON values only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ingest_tui.model.parse_limits import ParseLimits

MAX_LINKS = 1000
"""Links kept of one document; a link farm must not fill the record of its version."""

MAX_FINDINGS = 50
"""Findings kept of one document, errors before warnings."""
MAX_FINDING_CHARACTERS = 300

ParseStatus = Literal["parsed", "empty", "rejected", "failed"]
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
    slides or sheets where the format has them. ``links`` holds at most `MAX_LINKS` targets, in order, each once.
    ``validation`` holds at most `MAX_FINDINGS`; ``warnings`` their messages and what else is worth a note.
    """

    markdown: str
    elements: tuple[Element, ...]
    media_type: str
    backend: str
    backend_version: str
    title: str | None = None
    language: str | None = None
    pages: int | None = None
    columns: list[dict[str, Any]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    validation: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ParseTask:
    """One file to parse: read from ``input_path``, its markdown written to ``output_path`` (which must not exist).

    ``file_name`` is the name at the source: a hint for the type, never a path. ``size`` is in bytes.
    ``backend`` forces a backend; else ``backends_by_type`` (format name or media type → backend) is asked first.
    ``limits`` overrides those of the pool for this file. ``allow_types`` and ``deny_types`` say what is let in by what
    its bytes are: format names, extensions or media types.
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


@dataclass(frozen=True, slots=True)
class ParseResult:
    """What became of a `ParseTask`.

    ``parsed``: the markdown is in ``output_path`` and ``content_hash`` is its hash. ``empty``: valid, but without
    text. ``rejected``: not let in. ``failed``: let in, but not readable. In the last three ``reason`` is a stable
    code, ``detail`` says what was seen and ``hint`` what to do, and there is no output file.
    ``chunks`` is a list of ``[heading path, text]``, or None when the text is so large that the caller should read
    it from the file. ``text_bytes`` is the size of the markdown in UTF-8.
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
    columns: list[dict[str, Any]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    validation: list[Finding] = field(default_factory=list)
    chunks: list[tuple[list[str], str]] | None = None
    text_bytes: int = 0
    milliseconds: float = 0.0
