"""Keys and addresses of files: byte paths as text and back, and the name at their end."""

from __future__ import annotations

import re
from urllib.parse import quote_from_bytes, unquote_to_bytes

_OPAQUE_PREFIX = "bytes:"
_UNSAFE_URI = re.compile(rb"[^A-Za-z0-9_.~/\-]")


def key_from_bytes(path: bytes) -> str:
    """Return the text that stands for a byte path in JSON and in the catalogue; `bytes_from_key` reverses it.

    Valid UTF-8 is itself; anything else becomes ``bytes:`` and its percent-encoding.
    """
    try:
        text = path.decode()
    except UnicodeDecodeError:
        return opaque_key(path)
    return opaque_key(path) if text.startswith(_OPAQUE_PREFIX) else text


def opaque_key(path: bytes) -> str:
    """Return the form of a key for a byte path that is not UTF-8; that of a folder begins those of what is in it."""
    return _OPAQUE_PREFIX + quote_from_bytes(path)


def bytes_from_key(key: str) -> bytes:
    """Return the byte path that `key_from_bytes` stood in for."""
    if key.startswith(_OPAQUE_PREFIX):
        return unquote_to_bytes(key[len(_OPAQUE_PREFIX) :])
    return key.encode()


def file_uri(path: bytes) -> str:
    """Return the ``file://`` URI (RFC 8089) of an absolute byte path."""
    if _UNSAFE_URI.search(path) is None:
        return "file://" + path.decode("ascii")
    return "file://" + quote_from_bytes(path, safe="/~")


def path_of_uri(uri: str) -> bytes | None:
    """Return the byte path that a ``file://`` URI of `file_uri` names; None for any other address."""
    return unquote_to_bytes(uri.removeprefix("file://")) if uri.startswith("file:///") else None


def name_in_address(uri: str) -> str:
    """Return what an address ends in, as people write it; nothing where it ends in no name."""
    last = uri.rstrip("/").rpartition("/")[2]
    return key_from_bytes(unquote_to_bytes(last)) if "://" in uri else last


def file_name_of(key: str, *, is_member: bool = False) -> str:
    """Return the last segment of a key, the name a person knows the document by.

    ``is_member``: it is the key of a member of a container, see `model.members`.
    """
    if is_member:
        key = key.rpartition("!")[2]
    return key.rstrip("/").rpartition("/")[2] or key
