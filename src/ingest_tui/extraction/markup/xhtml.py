"""XHTML to HTML: what is written by the rules of XML is read by them, and handed on as HTML means it.

A browser that gets XHTML as HTML takes ``<title/>`` for a title that never ends, and ``<h:p>`` for nothing it knows.
"""

from __future__ import annotations

import re
from html import escape
from html.entities import html5
from xml.parsers import expat

from ingest_tui.model.errors import ItemRejectedError

_HEAD_CHARACTERS = 65_536
_XHTML = re.compile(r"<(?:[\w.-]+:)?html\b[^>]*\bxmlns(?::[\w.-]+)?\s*=\s*[\"']http://www\.w3\.org/1999/xhtml[\"']")
_DOCTYPE = re.compile(r"<!DOCTYPE\s[^\[>]*>", re.IGNORECASE)
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,31};)")
_SELF_CLOSED = re.compile(
    r"<(title|script|style|textarea|iframe|noscript|noframes|noembed|xmp|select|object|video|audio|canvas)"
    r"((?:\s[^<>]{0,2000})?)/>",
    re.IGNORECASE,
)
_OF_XML = frozenset(("lt;", "gt;", "amp;", "quot;", "apos;"))
_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    ]  # HTML Living Standard, 13.1.2
)
_RAW = frozenset(("script", "style"))
_MAX_DEPTH = 500


def xhtml_to_html(text: str) -> str | None:
    """Return an XHTML document as HTML; None for a text that is none, or that is not well-formed: then it is HTML.

    Entities that the document declares itself are not expanded: with a DTD of its own it is taken for HTML.
    """
    if not _XHTML.search(text[:_HEAD_CHARACTERS]):
        return None
    writer = _Writer()
    parser = expat.ParserCreate("utf-8", " ")  # whatever the text declares: it is decoded
    parser.buffer_text = True
    parser.StartElementHandler = writer.start
    parser.EndElementHandler = writer.end
    parser.CharacterDataHandler = writer.data
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(resolve_entities(_DOCTYPE.sub("", text, count=1)).encode("utf-8", "replace"), True)
    except (expat.ExpatError, RecursionError, ItemRejectedError):
        return None
    return "".join(writer.parts)


def close_empty_elements(text: str) -> str:
    """Return a page by the rules of XML that cannot be read by them, without what would swallow the rest of it."""
    head = text[:_HEAD_CHARACTERS]
    if "/>" not in text or not (
        head.lstrip("\ufeff \t\r\n").startswith("<?xml") or "//DTD XHTML" in head or _XHTML.search(head)
    ):
        return text
    return _SELF_CLOSED.sub(r"<\1\2></\1>", text)


def resolve_entities(text: str) -> str:
    """Return a text with the entities of HTML as characters; those of XML stay, and what is no entity."""
    return _ENTITY.sub(_resolved, text)


def _resolved(match: re.Match[str]) -> str:
    name = match[1]
    return match[0] if name in _OF_XML or name not in html5 else html5[name]


def _refuse(*_declaration: object) -> None:
    raise ItemRejectedError("entities are not expanded", code="unsafe_xml")


class _Writer:
    """Gathers the HTML of an XML document: its XHTML elements by their own names, others as they are called."""

    def __init__(self) -> None:
        self.parts: list[str] = ["<!DOCTYPE html>"]
        self._open: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= _MAX_DEPTH:
            raise RecursionError
        tag = name.rpartition(" ")[2]
        self._open.append(tag)
        written = "".join(
            f' {key.rpartition(" ")[2]}="{escape(value, quote=True)}"' for key, value in attributes.items()
        )
        self.parts.append(f"<{tag}{written}>")

    def end(self, _name: str) -> None:
        tag = self._open.pop()
        if tag not in _VOID:
            self.parts.append(f"</{tag}>")

    def data(self, data: str) -> None:
        raw = bool(self._open) and self._open[-1] in _RAW
        self.parts.append(data if raw else escape(data, quote=False))
