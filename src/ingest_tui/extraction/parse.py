"""Bytes to an `Extraction`: check, choose the backend, parse, normalise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ingest_tui.extraction.backends import BACKENDS, Backend, get_backend
from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.blocks import find_links, find_title, split_elements
from ingest_tui.extraction.intake.admission import TypeFilter
from ingest_tui.extraction.intake.compressed import uncover
from ingest_tui.extraction.intake.decoding import normalise_text
from ingest_tui.extraction.intake.formats import FORMATS, Format
from ingest_tui.extraction.intake.validation import EmptyDocumentError, validate
from ingest_tui.model.argument_types import checks_types
from ingest_tui.model.errors import IngestError, ItemRejectedError, ProcessingError
from ingest_tui.model.extraction import MAX_FINDINGS, MAX_LINKS, Element, Extraction, Finding
from ingest_tui.model.foreign_errors import described, is_library_failure

_MAX_WARNINGS = 50
_MAX_PART_DEPTH = 4


@checks_types
def parse_document_content(
    content: bytes | str, file_extension: str, metadata: dict[str, Any] | None = None
) -> list[tuple[str, dict[str, Any]]]:
    """Return the text and the metadata of each element of a document held in memory.

    ``file_extension`` (``".pdf"``, ``"pdf"`` or a file name) is a hint: the bytes decide. ``metadata`` is merged into
    that of every element; what the parser found stands under its own keys (``category``, ``page_number``, …) and
    does not replace a key of the caller. An empty document gives an empty list.
    Raises `ItemError` (with ``reason``) for what is not let in or cannot be read.
    """
    content = content.encode("utf-8", "replace") if isinstance(content, str) else content
    try:
        extraction = extract(content, file_name=_as_name(file_extension))
    except EmptyDocumentError:
        return []
    caller = metadata or {}
    common = {"media_type": extraction.media_type, "backend": extraction.backend}
    return [(element.text, {**common, **element.metadata, **caller}) for element in extraction.elements]


@checks_types
def extract_text(content: bytes | str, file_extension: str, metadata: dict[str, Any] | None = None) -> str:
    """Return the normalised markdown of a document held in memory; an empty document gives ``""``.

    ``metadata`` is taken for symmetry with `parse_document_content` and not used. Raises as that does.
    """
    del metadata
    content = content.encode("utf-8", "replace") if isinstance(content, str) else content
    try:
        return extract(content, file_name=_as_name(file_extension), with_elements=False).markdown
    except EmptyDocumentError:
        return ""


def _as_name(file_extension: str) -> str:
    return file_extension if "." in file_extension else f".{file_extension}"


def extract(
    content: bytes,
    *,
    file_name: str,
    backend: str | None = None,
    backends_by_type: Mapping[str, str] | None = None,
    with_elements: bool = True,
    tick: Callable[[], None] | None = None,
    types: TypeFilter | None = None,
) -> Extraction:
    """Return what a document holds. In this process: for many or unknown files use `sandbox.ParserPool`.

    ``backend`` is the one for every type it reads, with a warning where it does not; ``backends_by_type`` (format
    name or media type → backend) goes before it.
    ``with_elements=False`` leaves ``elements`` empty. ``tick`` is called after each page, sheet or part.
    ``types`` is what is let in, by what the bytes are.
    Raises `EmptyDocumentError`, `ItemRejectedError`, `ProcessingError`, or `MissingDependencyError` when the
    library of a chosen backend is not installed. The same bytes and backend always give the same result.
    """
    content, file_name = uncover(content, file_name)
    sniffed = validate(content, file_name, types=types)
    chosen = choose_backend(sniffed.format, backend, backends_by_type)
    notes: list[str] = []
    if backend is not None and chosen.name != backend:
        notes.append(f"{backend} does not read {sniffed.format.name}: read with {chosen.name}")
    parts = _Parts(tick, types)
    parsed = _parse(chosen, ParseInput(content, file_name, sniffed.format, parts.tick, parts.read, with_elements))
    markdown = normalise_text(parsed.markdown)
    if not markdown or (markdown[:64].isspace() and markdown.isspace()):
        raise EmptyDocumentError("the document holds no text", hint=parsed.hint_if_empty)
    findings = _errors_first([*sniffed.findings, *parsed.findings])
    return Extraction(
        markdown=markdown,
        elements=_elements(parsed, markdown) if with_elements else (),
        media_type=sniffed.format.media_type,
        backend=chosen.name,
        backend_version=chosen.version(),
        title=parsed.title or (None if parsed.columns or sniffed.format.family == "text" else find_title(markdown)),
        language=parsed.language,
        pages=parsed.pages,
        columns=parsed.columns,
        links=_merge_links(parsed.links, markdown),
        warnings=[*notes, *parsed.warnings, *(finding.message for finding in findings)][:_MAX_WARNINGS],
        validation=findings,
    )


class _Parts:
    """Reads documents within a document, to a depth, by the same rules as the document itself."""

    def __init__(self, tick: Callable[[], None] | None, types: TypeFilter | None) -> None:
        self._tick = tick
        self._types = types
        self._depth = 0

    def tick(self) -> None:
        """Pass a sign of life on."""
        if self._tick is not None:
            self._tick()

    def read(self, content: bytes, file_name: str) -> str:
        """Return the markdown of a part, or nothing where it cannot be read."""
        if self._depth >= _MAX_PART_DEPTH:
            return ""
        self._depth += 1
        try:
            content, file_name = uncover(content, file_name)
            sniffed = validate(content, file_name, types=self._types)
            part = ParseInput(content, file_name, sniffed.format, self.tick, self.read, with_elements=False)
            return normalise_text(_parse(get_backend(sniffed.format.backend), part).markdown)
        except IngestError:
            return ""
        finally:
            self._depth -= 1


def _errors_first(findings: list[Finding]) -> list[Finding]:
    """Return at most `MAX_FINDINGS`, each once and in order, with errors before warnings."""
    if len(findings) > 1:
        findings = sorted(dict.fromkeys(findings), key=lambda finding: finding.severity)
    return findings[:MAX_FINDINGS]


def _parse(chosen: Backend, parse_input: ParseInput) -> Parsed:
    """Run a backend; whatever its library raises of its own becomes a `ProcessingError`."""
    parse = chosen.load()
    try:
        return parse(parse_input)
    except BaseException as error:
        if not is_library_failure(error):
            raise
        raise ProcessingError(
            f"{chosen.name} cannot read it: {described(error)}"[:300],
            code="malformed",
            hint="the file may be damaged; open it with its program and save it again",
        ) from error


def choose_backend(kind: Format, backend: str | None, backends_by_type: Mapping[str, str] | None) -> Backend:
    """Return the backend for a format: the one named for its type, else ``backend`` if it reads it, else its default.

    Raises `ItemRejectedError` (``unsupported_type``) when the one named for the type cannot read it and
    `ValidationError` when there is no backend of that name.
    """
    named = None
    if backends_by_type:
        named = backends_by_type.get(kind.name) or backends_by_type.get(kind.media_type)
    chosen = get_backend(named or backend or kind.backend)
    if kind.name in chosen.formats:
        return chosen
    if named:
        raise ItemRejectedError(
            f"the backend {chosen.name} does not read {kind.name}",
            code="unsupported_type",
            hint=f"leave the backend unset to read {kind.name} with {kind.backend}",
        )
    return get_backend(kind.backend)


def _elements(parsed: Parsed, markdown: str) -> tuple[Element, ...]:
    if not parsed.elements:
        return tuple(split_elements(markdown))
    clean = (Element(normalise_text(element.text), element.metadata) for element in parsed.elements)
    return tuple(element for element in clean if element.text.strip())


def _merge_links(found: list[str], markdown: str) -> list[str]:
    if not found and "://" not in markdown and "](" not in markdown:
        return []
    return list(dict.fromkeys([*found, *find_links(markdown)]))[:MAX_LINKS]


def supported_formats() -> list[dict[str, Any]]:
    """Return one row per format, for ``doctor``. Imports no parser.

    ``name``, ``media_type``, ``extensions``; ``backend`` is the default one, ``available`` whether its library is
    installed and ``hint`` else the command that installs it; ``also`` names the other installed backends that read it.
    """
    installed = {name: one.is_available() for name, one in BACKENDS.items()}
    return [
        {
            "name": one.name,
            "media_type": one.media_type,
            "extensions": list(one.extensions),
            "backend": one.backend,
            "available": installed[one.backend],
            "hint": "" if installed[one.backend] else BACKENDS[one.backend].how_to_install(),
            "also": [
                name
                for name, other in BACKENDS.items()
                if name != one.backend and one.name in other.formats and installed[name]
            ],
        }
        for one in FORMATS
    ]
