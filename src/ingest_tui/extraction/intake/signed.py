"""A document or mail in its signature (S/MIME, .p7m; RFC 5652): it is read as what was signed.

The signature itself is not checked: who signed says nothing of what is written.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from ingest_tui.model.errors import ItemRejectedError, ProcessingError

_OCTETS, _OCTETS_IN_PIECES = 0x04, 0x24
_PKCS7 = bytes.fromhex("2a864886f70d0107")
_SIGNED = _PKCS7 + b"\x02"
_ENCRYPTED = (_PKCS7 + b"\x03", bytes.fromhex("2a864886f70d0109100117"))
_TYPE_WITHIN = 32
_MAX_DEPTH = 20
_MAX_LENGTH_BYTES = 8
_NO_END = 0x80
_BASE64_BEGINS = (b"M", b"-----BEGIN PKCS7-----", b"-----BEGIN CMS-----")
_ARMOUR = re.compile(rb"-----[A-Z0-9 ]{3,40}-----|\s")
_MAIL_BEGINS = re.compile(rb"(?:content-[a-z-]{1,40}|mime-version|from|date|received):", re.IGNORECASE)


class _Element(NamedTuple):
    """One element of BER: its tag, where its content begins and ends, and where the next one begins."""

    tag: int
    start: int
    end: int
    after: int


def without_signature(content: bytes, file_name: str) -> tuple[bytes, str]:
    """Return what is signed in a message of PKCS #7 and its name without the ending; anything else as it is.

    Raises `ItemRejectedError` for one that is encrypted (``encrypted``) or holds a signature only
    (``unsupported_type``), and `ProcessingError` (``malformed``).
    """
    data = _as_binary(content, file_name)
    if data[:1] != b"\x30" or not any(kind in data[:_TYPE_WITHIN] for kind in (_SIGNED, *_ENCRYPTED)):
        return content, file_name
    try:
        signed = _signed_content(data)
    except (ValueError, IndexError) as error:
        raise ProcessingError(
            f"the signed message cannot be read: {error}", code="malformed", hint="the file may be cut short"
        ) from error
    if _MAIL_BEGINS.match(signed[:80].lstrip()):
        return signed, "message.eml"
    return signed, file_name[:-4] if file_name.lower().endswith(".p7m") else file_name


def _as_binary(content: bytes, file_name: str) -> bytes:
    if not content.startswith(_BASE64_BEGINS) or not file_name.lower().endswith((".p7m", ".p7s", ".p7")):
        return content
    try:
        return base64.b64decode(_ARMOUR.sub(b"", content), validate=True)
    except binascii.Error:
        return content


def _signed_content(data: bytes) -> bytes:
    kind, wrapped = islice(_children(data, _element(data, 0)), 2)
    if data[kind.start : kind.end] in _ENCRYPTED:
        raise ItemRejectedError(
            "the message is encrypted (S/MIME)", code="encrypted", hint="save it decrypted with a mail program"
        )
    [message] = islice(_children(data, wrapped), 1)
    _version, _digests, held = islice(_children(data, message), 3)
    parts = list(islice(_children(data, held), 2))
    if len(parts) < 2:  # noqa: PLR2004 a type and a content
        raise ItemRejectedError(
            "cannot read a signature without what it signs",
            code="unsupported_type",
            hint="nothing to do: the document that it signs is another file",
        )
    [octets] = islice(_children(data, parts[1]), 1)
    return b"".join(_octets(data, octets))


def _element(data: bytes, at: int, depth: int = 0) -> _Element:
    tag, length, start = data[at], data[at + 1], at + 2
    if length == _NO_END:
        if depth > _MAX_DEPTH:
            raise ValueError("it is nested too deep")
        inner = start
        while data[inner : inner + 2] != b"\x00\x00":
            inner = _element(data, inner, depth + 1).after
        return _Element(tag, start, inner, inner + 2)
    if length > _NO_END:
        size = length - _NO_END
        if size > _MAX_LENGTH_BYTES:
            raise ValueError("a length is damaged")
        length, start = int.from_bytes(data[start : start + size], "big"), start + size
    end = start + length
    if end > len(data):
        raise ValueError("it is cut short")
    return _Element(tag, start, end, end)


def _children(data: bytes, element: _Element) -> Iterator[_Element]:
    at = element.start
    while at < element.end:
        child = _element(data, at)
        yield child
        at = child.after


def _octets(data: bytes, element: _Element, depth: int = 0) -> Iterator[bytes]:
    """Yield the pieces of a string, which may be in pieces of pieces."""
    if element.tag == _OCTETS:
        yield data[element.start : element.end]
    elif element.tag != _OCTETS_IN_PIECES or depth > _MAX_DEPTH:
        raise ValueError("what is signed is no string")
    else:
        for child in _children(data, element):
            yield from _octets(data, child, depth + 1)
