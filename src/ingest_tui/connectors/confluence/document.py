"""A text of Confluence as a file: storage format with what its links and mentions mean, as the parsers read it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import unescape
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

MEDIA_TYPE = "application/x-confluence+xml"
EXTENSION = ".confluence"
_NAMED = re.compile(r"<ri:(page|blog-post|user)\b([^<>]{1,2000})>")
_ATTRIBUTE = re.compile(r"""([\w:-]{1,40})\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MOST_NAMED = 500


class Named(NamedTuple):
    """What a text names: pages by key of space (empty: its own) and title, and people by id; each once."""

    pages: list[tuple[str, str]]
    people: list[str]


def named_in(text: str) -> Named:
    """Return what a text in storage format names. Read by pattern: the text is parsed where it can do no harm."""
    pages: dict[tuple[str, str], None] = {}
    people: dict[str, None] = {}
    for kind, written in _NAMED.findall(text):
        values = {name.rpartition(":")[2]: unescape(one or other) for name, one, other in _ATTRIBUTE.findall(written)}
        if kind == "user":
            person = next((values[name] for name in ("account-id", "userkey", "username") if values.get(name)), "")
            people |= {person: None} if person else {}
        elif kind == "page" and values.get("content-title"):
            pages[values.get("space-key", ""), values["content-title"]] = None
    return Named([*pages][:_MOST_NAMED], [*people][:_MOST_NAMED])


def file_of(
    text: str,
    about: Mapping[str, str],
    pages: Iterable[tuple[str, str, str]] = (),
    people: Iterable[tuple[str, str]] = (),
) -> bytes:
    """Return the file of a text. ``about``: attributes of its root (base, space, title, kind, attachments).

    ``pages`` are space, title and address of those that it links to, ``people`` id and name of those that it names.
    """
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<confluence-page {_attributes(about)}>",
        *(f"<page {_attributes({'space': space, 'title': title, 'address': to})}/>" for space, title, to in pages),
        *(f"<person {_attributes({'id': person, 'name': name})}/>" for person, name in people),
        f"<body>{escape(_clean(text))}</body>",
        "</confluence-page>\n",
    ]
    return "\n".join(lines).encode("utf-8", "replace")


def _attributes(values: Mapping[str, str]) -> str:
    return " ".join(f"{name}={quoteattr(_clean(value))}" for name, value in values.items() if value)


def _clean(text: str) -> str:
    """Return a text without the characters that no XML can hold."""
    return _IN_XML.sub("\ufffd", text)
