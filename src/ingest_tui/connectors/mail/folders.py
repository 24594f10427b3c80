"""The folders of a mailbox: their names as the server has them, and as people write them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from typing import NamedTuple

_LISTED = re.compile(rb'\((?P<flags>[^()]*)\) (?P<delimiter>"(?:\\.|[^"\\])"|NIL) ?(?P<name>.*)\Z', re.DOTALL)
_ENCODED = re.compile(rb"&([A-Za-z0-9+,]*)-")
_NOT_TO_READ = frozenset({b"\\noselect", b"\\nonexistent"})
_ASIDE = {b"\\junk": "junk mail", b"\\trash": "deleted mail", b"\\drafts": "drafts", b"\\all": "a copy of all mail"}
"""What folders of these uses (RFC 6154) hold; they are taken where the settings name them."""


class MailFolder(NamedTuple):
    """A folder of a mailbox. ``name`` is as the server writes it, ``key`` its path for people, with ``/``.

    ``holds_aside``: what is in it that is not taken unless it is named; empty for others.
    """

    name: bytes
    key: str
    is_selectable: bool = True
    holds_aside: str = ""


class UnreadableListError(Exception):
    """What the server sent is no list of folders."""


def folders_of(answers: Iterable[bytes | tuple[bytes, bytes] | None]) -> list[MailFolder]:
    """Return the folders of the untagged answers to LIST, sorted by their keys; raises `UnreadableListError`.

    Names are modified UTF-7 (RFC 3501, 5.1.3). What is not, or would be taken for another folder, is shown as it is.
    """
    found: dict[str, MailFolder] = {}
    names = set[bytes]()
    for answer in answers:
        if not answer:
            continue
        head, literal = answer if isinstance(answer, tuple) else (answer, None)
        listed = _LISTED.match(head)
        if listed is None:
            raise UnreadableListError
        name = _name_of(listed["name"]) if literal is None else literal
        if name in names:
            continue
        names.add(name)
        flags = {flag.lower() for flag in listed["flags"].split()}
        delimiter = b"" if listed["delimiter"] == b"NIL" else listed["delimiter"][1:-1][-1:]
        key = key_of_name(name, delimiter)
        if key in found:  # two spellings of one name: each stays a folder of its own
            key = f"{key} ({name.decode('latin-1')})"
        aside = next((what for flag, what in _ASIDE.items() if flag in flags), "")
        found[key] = MailFolder(name, key, not flags & _NOT_TO_READ, aside)
    return [found[key] for key in sorted(found)]


def _name_of(written: bytes) -> bytes:
    if written.startswith(b'"') and written.endswith(b'"') and len(written) > 1:
        return re.sub(rb"\\(.)", rb"\1", written[1:-1], flags=re.DOTALL)
    return written


def key_of_name(name: bytes, delimiter: bytes) -> str:
    """Return the path of a folder, with ``/`` between its parts whatever the server has there."""
    if delimiter in {b"", b"/"}:
        return decode_name(name)
    parts = (decode_name(part) for part in name.split(delimiter))
    return "/".join(part.replace("%", "%25").replace("/", "%2F") if "/" in part else part for part in parts)


def decode_name(name: bytes) -> str:
    """Return a name in modified UTF-7 as text; one that is not is read as UTF-8, else byte by byte.

    >>> decode_name(b"Entw&APw-rfe &- mehr")
    'Entwürfe & mehr'
    """
    try:
        return _ENCODED.sub(_decoded, name).decode()
    except (UnicodeDecodeError, binascii.Error):
        return name.decode("utf-8", "backslashreplace")


def _decoded(match: re.Match[bytes]) -> bytes:
    encoded = match[1].replace(b",", b"/")
    if not encoded:
        return b"&"
    padded = encoded + b"=" * (-len(encoded) % 4)
    return base64.b64decode(padded, validate=True).decode("utf-16-be").encode()


def quoted(name: bytes) -> bytes | None:
    """Return a name as it is written in a command; None for one that cannot be, which only a broken server has."""
    if any(byte in name for byte in (b"\r", b"\n", b"\0")):
        return None
    return b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
