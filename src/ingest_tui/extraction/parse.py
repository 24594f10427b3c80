"""Bytes to an `Extraction`: check, choose the backend, parse, normalise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ingest_tui.extraction.backends import BACKENDS, Backend, get_backend
from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.intake.admission import TypeFilter
from ingest_tui.extraction.intake.compressed import uncover
from ingest_tui.extraction.intake.decoding import normalise_pages, normalise_text
from ingest_tui.extraction.intake.formats import FORMATS, Format
from ingest_tui.extraction.intake.signed import without_signature
from ingest_tui.extraction.intake.validation import EmptyDocumentError, validate
from ingest_tui.extraction.markup.markdown import find_links, find_title, split_elements
from ingest_tui.extraction.ocr.ocr_reader import OcrReader
from ingest_tui.model.argument_types import checks_types
from ingest_tui.model.attachments import INLINE, AttachmentsSetting
from ingest_tui.model.errors import IngestError, ItemRejectedError, ProcessingError
from ingest_tui.model.extraction import MAX_FINDINGS, MAX_LINKS, Element, Extraction, Finding
from ingest_tui.model.foreign_errors import described, is_library_failure
from ingest_tui.model.links import Link
from ingest_tui.model.ocr import OcrRequest

if TYPE_CHECKING:
    from ingest_tui.extraction.schemas.schema_check import SchemaCheck

KeepAttachment = Callable[[str, bytes], None]
_MAX_WARNINGS = 50
_MAX_PART_DEPTH = 4


@checks_types
def parse_document_content(
    content: bytes | str, file_extension: str, metadata: dict[str, Any] | None = None
) -> list[tuple[str, dict[str, Any]]]:
    """Return the text and the metadata of each element of a document held in memory.

    ``file_extension`` (``".pdf"``, ``"pdf"`` or a file name) is a hint: the bytes decide. ``metadata`` is merged into
    that of every element; what the parser found is under its own keys (``category``, ``page_number``, …) and
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
    schema: SchemaCheck | None = None,
    ocr: OcrRequest | None = None,
    takes_containers: bool = False,
    attachments: AttachmentsSetting = INLINE,
    keep_attachment: KeepAttachment | None = None,
    rest: Iterable[bytes] | None = None,
) -> Extraction:
    """Return what a document holds. In this process: for many or unknown files use `sandbox.ParserPool`.

    ``backend`` is the one for every type it reads, with a warning where it does not; ``backends_by_type`` (format
    name or media type → backend) takes precedence over it.
    ``with_elements=False`` leaves ``elements`` empty. ``tick`` is called after each page, sheet or part.
    ``types`` is what is let in, by what the bytes are. ``schema`` checks this document (one that it was not shown to).
    ``ocr`` says whether pictures of text are read (None: they are not). ``takes_containers``: the caller unpacks
    archives, and gets them as `ContainerError`. ``attachments`` says what becomes of attached files; those that are
    documents of their own go to ``keep_attachment``, name and bytes. ``rest``: the blocks after ``content`` of a file
    for which `is_streamed` holds; it is read once, and the text is bounded.
    Raises `EmptyDocumentError`, `ItemRejectedError`, `ProcessingError`, or `MissingDependencyError` when the
    library of a chosen backend is not installed. The same bytes and backend always give the same result.
    """
    if rest is None:
        content, file_name = without_signature(*uncover(content, file_name))
    sniffed = validate(content, file_name, types=types, takes_containers=takes_containers)
    chosen = choose_backend(sniffed.format, backend, backends_by_type)
    notes: list[str] = []
    if backend is not None and chosen.name != backend:
        notes.append(f"{backend} does not read {sniffed.format.name}: read with {chosen.name}")
    parts = _Parts(tick, types, ocr or OcrRequest(), attachments, keep_attachment)
    pages = parts.pages
    if rest is not None and chosen.name != sniffed.format.backend:
        content, rest = b"".join((content, *rest)), None  # the backends of others take whole files
    parse_input = parts.input_of(
        content, file_name, sniffed.format, with_elements=with_elements, schema=schema, rest=rest
    )
    parsed = _parse(chosen, parse_input)
    violations = _violations(chosen, parse_input)
    findings = _errors_first([*sniffed.findings, *parsed.findings, *violations, *pages.findings()])
    warnings = [*notes, *parsed.warnings, *(finding.message for finding in findings)][:_MAX_WARNINGS]
    extraction = _extraction(chosen, sniffed.format, parsed, with_elements=with_elements)
    return replace(extraction, warnings=warnings, validation=findings, ocr=pages.record(), ocr_pages=pages.new_pages)


def _extraction(chosen: Backend, kind: Format, parsed: Parsed, *, with_elements: bool) -> Extraction:
    """Return what a backend made of a document, in the form that all have. Raises `EmptyDocumentError`."""
    markdown, page_starts = normalise_pages(parsed.markdown, parsed.page_starts)
    if not markdown or (markdown[:64].isspace() and markdown.isspace()):
        code = parsed.code_if_empty or None
        raise EmptyDocumentError("the document holds no text", hint=parsed.hint_if_empty, code=code)
    return Extraction(
        markdown=markdown,
        elements=_elements(parsed, markdown) if with_elements else (),
        media_type=kind.media_type,
        backend=chosen.name,
        backend_version=chosen.version(),
        title=parsed.title or (None if parsed.columns or kind.family == "text" else find_title(markdown)),
        language=parsed.language,
        pages=parsed.pages,
        page_starts=page_starts,
        columns=parsed.columns,
        links=_merge_links(parsed.links, markdown),
    )


def _violations(chosen: Backend, parse_input: ParseInput) -> list[Finding]:
    """Return what a document that has been parsed holds against its schema. Raises `ItemRejectedError` for it."""
    if parse_input.schema is None:
        return []
    usual = parse_input.format.backend
    if chosen.name != usual:  # the backends of others show no values
        _parse(get_backend(usual), replace(parse_input, with_elements=False))
    return parse_input.schema.findings()


class _Parts:
    """Reads documents within a document, to a depth, by the same rules as the document itself."""

    def __init__(
        self,
        tick: Callable[[], None] | None,
        types: TypeFilter | None,
        ocr: OcrRequest,
        attachments: AttachmentsSetting,
        keep_attachment: KeepAttachment | None,
    ) -> None:
        self.pages = OcrReader(ocr, self.tick)
        self._attachments = attachments
        self._keep_attachment = keep_attachment
        self._tick = tick
        self._types = types
        self._depth = 0

    def tick(self) -> None:
        """Pass a sign of life on."""
        if self._tick is not None:
            self._tick()

    def input_of(
        self,
        content: bytes,
        file_name: str,
        kind: Format,
        *,
        with_elements: bool = False,
        schema: SchemaCheck | None = None,
        rest: Iterable[bytes] | None = None,
    ) -> ParseInput:
        """Return a document, or a part of one, on its way into a backend: what is within it is read here."""
        return ParseInput(
            content,
            file_name,
            kind,
            self.tick,
            self.read,
            self.read_attachment,
            with_elements,
            schema,
            self.pages,
            rest,
        )

    def read(self, content: bytes, file_name: str) -> str:
        """Return the markdown of a part, or nothing where it cannot be read."""
        if self._depth >= _MAX_PART_DEPTH:
            return ""
        self._depth += 1
        before = self.pages.within(file_name)
        try:
            content, file_name = without_signature(*uncover(content, file_name))
            sniffed = validate(content, file_name, types=self._types)
            part = self.input_of(content, file_name, sniffed.format)
            return normalise_text(_parse(get_backend(sniffed.format.backend), part).markdown)
        except IngestError:
            return ""
        finally:
            self.pages.within(before)
            self._depth -= 1

    def read_attachment(self, name: str, content: bytes) -> str:
        """Return the markdown of an attached file where that is part of the document; else see to what is wanted."""
        if self._attachments == INLINE:
            return self.read(content, name)
        if self._attachments == "documents" and self._keep_attachment is not None:
            self._keep_attachment(name, content)
        return ""


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


def _merge_links(found: list[str], markdown: str) -> list[Link]:
    """Return the links of the text, and those that only the backend knows of: without text and place."""
    links = find_links(markdown)
    if found:
        written = {link.target for link in links}
        links += [Link(target) for target in dict.fromkeys(found) if target not in written]
    return links[:MAX_LINKS]


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
