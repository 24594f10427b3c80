"""What the bytes of an object are compared with: a sum that the store keeps of it, or its ETag where that is one.

Headers: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Protocol

ASK_FOR_CHECKSUM = {"x-amz-checksum-mode": "ENABLED"}
"""For AWS; other stores may refuse what they do not know, and some send checksums without being asked."""

_MD5 = re.compile(r"[0-9a-f]{32}\Z")
# With these the ETag is no MD5 of the content.
_OPAQUE_WITH = ("x-amz-server-side-encryption-customer-algorithm", "x-amz-server-side-encryption-aws-kms-key-id")


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def hexdigest(self) -> str:
        return f"{self._value:08x}"


def _md5() -> _Hash:
    return hashlib.md5(usedforsecurity=False)


def _sha1() -> _Hash:
    return hashlib.sha1(usedforsecurity=False)


_KEPT_SUMS: dict[str, Callable[[], _Hash]] = {"sha256": hashlib.sha256, "sha1": _sha1, "crc32": _Crc32}
"""The sums that stores keep and that are computed fast enough here, the strongest first; CRC32C and CRC64 are not."""


class ContentCheck:
    """Takes the bytes of one object, from its first to its last. ``name`` is that of the sum they are compared with."""

    def __init__(self, name: str, expected: str, computed: _Hash) -> None:
        self.name = name
        self._expected = expected
        self._computed = computed
        self.update = computed.update

    def matches(self) -> bool:
        """Whether the bytes so far have the sum that they should have."""
        return self._computed.hexdigest() == self._expected


def check_for(headers: Mapping[str, str], etag: str, *, opaque_etags: bool) -> ContentCheck | None:
    """Return the check of an object that is read from its start; None when there is nothing to compare it with.

    ``headers`` are those of the answer. A sum that the store keeps of the whole object takes precedence over the ETag,
    which may merely look like an MD5 sum.
    """
    for name, begin in _KEPT_SUMS.items():
        expected = _hex_of(headers.get(f"x-amz-checksum-{name}", ""))
        if expected and headers.get("x-amz-checksum-type", "FULL_OBJECT") == "FULL_OBJECT":
            return ContentCheck(name, expected, begin())
    is_md5 = not opaque_etags and _MD5.match(etag) and not any(headers.get(name) for name in _OPAQUE_WITH)
    return ContentCheck("md5", etag, _md5()) if is_md5 else None


def _hex_of(encoded: str) -> str:
    """Return a sum in hex; empty for none, and for one of parts (``…-3``), which says nothing about the whole."""
    try:
        return base64.b64decode(encoded, validate=True).hex()
    except (binascii.Error, ValueError):
        return ""
