"""Text of an XML document. Entities are never expanded and nothing outside the document is read."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from xml.parsers import expat

from ingest_tui.extraction.intake.decoding import decode_declared, decode_text
from ingest_tui.extraction.intake.labels import codec_of
from ingest_tui.model.errors import ItemError, ItemRejectedError, ProcessingError
from ingest_tui.model.extraction import Finding

_MAX_DEPTH = 500
_TAG = re.compile(r"<[/!?A-Za-z][^<>]{0,10000}(?:>|\Z)")
_WIDE_MARKS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_ENTITIES_NAMED = 5
_UNSAFE_HINT = "entities can read files and grow without end; replace them by their text"
_ENCODING = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_.:-]{2,40})")
_UTF16_MARKS = tuple(mark for mark, _encoding in _WIDE_MARKS)
_INLINE = frozenset(
    [
        "a",
        "b",
        "i",
        "em",
        "strong",
        "emphasis",
        "code",
        "literal",
        "link",
        "ulink",
        "span",
        "sub",
        "sup",
        "tspan",
        "xref",
        "ref",
        "term",
    ]
)


class _Collector:
    """Gathers character data into lines: one per element, inline markup kept within its line."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._text: list[str] = []
        self._depth = 0
        self._bare: list[tuple[str, dict[str, str]] | None] = []
        self.has_dtd = False
        self.unresolved: dict[str, None] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ItemRejectedError(
                f"elements nested more than {_MAX_DEPTH} deep", code="unsafe_xml", hint="simplify the document"
            )
        local = name.rpartition(":")[2]
        if local not in _INLINE:
            self.flush()
        if self._bare:
            self._bare[-1] = None
        self._bare.append((local, attributes) if attributes else None)

    def end(self, name: str) -> None:
        self._depth -= 1
        bare = self._bare.pop()
        if bare is not None and not "".join(self._text).strip():
            self.flush()
            self.lines.append(" ".join([bare[0], *(f"{key}={value}" for key, value in bare[1].items())]))
        elif name.rpartition(":")[2] not in _INLINE:
            self.flush()

    def text(self, data: str) -> None:
        self._text.append(data)
        if self._bare and self._bare[-1] is not None and not data.isspace():
            self._bare[-1] = None

    def doctype(self, *_declaration: Any) -> None:
        self.has_dtd = True

    def skipped_entity(self, name: str, is_parameter: bool) -> None:
        """Take an entity that only the DTD explains for what HTML means by it, or keep it as it is written."""
        if not is_parameter:
            written = f"&{name};"
            known = unescape(written)
            if known == written:
                self.unresolved.setdefault(name)
            self.text(known)

    def flush(self) -> None:
        line = " ".join("".join(self._text).split())
        self._text.clear()
        if line:
            self.lines.append(line)


def xml_to_text(content: bytes) -> tuple[str, list[Finding]]:
    """Return the text of an XML document, one line per element, and findings.

    An element that holds nothing but attributes gives a line ``name key=value``. Of a document that is not well
    formed, what is behind the error is kept with its tags cut out.
    Raises `ItemRejectedError` (``unsafe_xml``) for a document that declares entities or nests too deep, and
    `ProcessingError` (``malformed``) for one that is not well formed and has no text.
    """
    collector = _Collector()
    content, encoding, findings = _readable(content)
    parser = _make_parser(collector, encoding)
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        findings.append(Finding("error", "not_well_formed", f"not well-formed XML, kept as text: {error}"))
        parser.buffer_text = False  # hands over what it has read but not told yet
        collector.flush()
        collector.lines += _text_behind(content, max(parser.ErrorByteIndex, 0), encoding)
        if not collector.lines:
            raise ProcessingError(
                f"not well-formed XML: {error}", code="malformed", hint="the file may be cut short; fetch it again"
            ) from error
    except (ValueError, LookupError) as error:  # an encoding that expat does not know
        raise ProcessingError(
            f"cannot read this XML: {error}", code="malformed", hint="save it again in UTF-8"
        ) from error
    collector.flush()
    if collector.has_dtd:
        findings.append(Finding("warning", "dtd_ignored", "it has a DTD, which is not read"))
    if collector.unresolved:
        names = ", ".join(f"&{name[:40]};" for name in list(collector.unresolved)[:_ENTITIES_NAMED])
        message = f"entities that only the DTD explains are kept as written: {names}"
        findings.append(Finding("warning", "entity_unresolved", message))
    return "\n".join(collector.lines) + ("\n" if collector.lines else ""), findings


def _make_parser(collector: _Collector, encoding: str | None) -> expat.XMLParserType:
    parser = expat.ParserCreate(encoding)
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartElementHandler = collector.start
    parser.EndElementHandler = collector.end
    parser.CharacterDataHandler = collector.text
    parser.StartDoctypeDeclHandler = collector.doctype
    parser.SkippedEntityHandler = collector.skipped_entity
    parser.EntityDeclHandler = _refuse_entity
    parser.UnparsedEntityDeclHandler = _refuse_entity
    parser.ExternalEntityRefHandler = _refuse_external
    return parser


def _text_behind(content: bytes, offset: int, encoding: str | None) -> list[str]:
    """Return the lines of text from where a document breaks on. Nothing in them is followed."""
    rest = content[offset:]
    encoding = encoding or next((wide for mark, wide in _WIDE_MARKS if content.startswith(mark)), None)
    try:
        text = rest.decode(encoding, "replace") if encoding else decode_text(rest)[0]
    except ItemError:
        text = rest.decode("utf-8", "replace")
    lines = (" ".join(line.split()) for line in unescape(_TAG.sub("\n", text)).split("\n"))
    return [line for line in lines if line]


def _readable(content: bytes) -> tuple[bytes, str | None, list[Finding]]:
    """Return UTF-8 for a document in an encoding that expat does not know (it reads no multi-byte one but UTF-8/16)."""
    declared = _ENCODING.match(content[:400])
    label = declared[1].decode("ascii") if declared else ""
    if content.startswith(_UTF16_MARKS):
        return content, None, []
    if codec_of(label or "utf-8") == "utf-8" and _is_utf8(content):
        return content, "utf-8", []
    text, _encoding, findings = decode_declared(content, label or "utf-8")
    return text.encode("utf-8", "replace"), "utf-8", findings


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _refuse_entity(name: str, *_declaration: Any) -> None:
    raise ItemRejectedError(
        f"the document declares the entity {name[:60]!r}",
        code="unsafe_xml",
        hint=_UNSAFE_HINT,
    )


def _refuse_external(*_reference: Any) -> int:
    raise ItemRejectedError("the document refers to something outside itself", code="unsafe_xml", hint=_UNSAFE_HINT)
