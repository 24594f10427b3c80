"""Text of an XML document. Entities are never expanded and nothing outside the document is read."""

from __future__ import annotations

import re
from typing import Any
from xml.parsers import expat

from ingest_tui.model.errors import ItemRejectedError, ProcessingError

_MAX_DEPTH = 500
_ENCODING = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_.:-]{2,40})")
_NATIVE_ENCODINGS = frozenset((b"utf-8", b"utf-16", b"iso-8859-1", b"us-ascii"))
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

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ItemRejectedError(f"elements nested more than {_MAX_DEPTH} deep", code="unsafe_xml")
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

    def flush(self) -> None:
        line = " ".join("".join(self._text).split())
        self._text.clear()
        if line:
            self.lines.append(line)


def xml_to_text(content: bytes) -> tuple[str, list[str]]:
    """Return the text of an XML document, one line per element, and warnings.

    An element that holds nothing but attributes gives a line ``name key=value``.
    Raises `ItemRejectedError` (``unsafe_xml``) for a document that declares entities or nests too deep, and
    `ProcessingError` (``malformed``) for one that is not well formed.
    """
    collector = _Collector()
    content, encoding = _readable(content)
    parser = expat.ParserCreate(encoding)
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartElementHandler = collector.start
    parser.EndElementHandler = collector.end
    parser.CharacterDataHandler = collector.text
    parser.EntityDeclHandler = _refuse_entity
    parser.UnparsedEntityDeclHandler = _refuse_entity
    parser.ExternalEntityRefHandler = _refuse_external
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise ProcessingError(
            f"not well-formed XML: {error}", code="malformed", hint="the file may be cut short; fetch it again"
        ) from error
    except (ValueError, LookupError) as error:  # an encoding that expat does not know
        raise ProcessingError(f"cannot read this XML: {error}", code="malformed") from error
    collector.flush()
    return "\n".join(collector.lines) + ("\n" if collector.lines else ""), []


def _readable(content: bytes) -> tuple[bytes, str | None]:
    """Return UTF-8 for a document in an encoding that expat does not know (it reads no multi-byte one but UTF-8/16)."""
    declared = _ENCODING.match(content[:400])
    if declared is None or declared[1].lower() in _NATIVE_ENCODINGS:
        return content, None
    try:
        return content.decode(declared[1].decode("ascii"), "replace").encode(), "utf-8"
    except (LookupError, ValueError):
        return content, None


def _refuse_entity(name: str, *_declaration: Any) -> None:
    raise ItemRejectedError(
        f"the document declares the entity {name[:60]!r}",
        code="unsafe_xml",
        hint="entities can read files and grow without end; replace them by their text",
    )


def _refuse_external(*_reference: Any) -> int:
    raise ItemRejectedError("the document refers to something outside itself", code="unsafe_xml")
