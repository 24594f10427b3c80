"""The only place that hashes content."""

from __future__ import annotations

import hashlib
import re

from ingest_tui.model.argument_types import checks_types
from ingest_tui.model.errors import ValidationError

_CONTENT_HASH = re.compile(r"[0-9a-f]{64}\Z")


@checks_types
def compute_content_hash(content: str | bytes) -> str:
    r"""Return the SHA-256 of ``content`` as 64 lower-case hex digits.

    Text is hashed as UTF-8 with ``\n`` line ends, so the same text from Windows and from Unix is the same
    content. Bytes are hashed as they are. Lone surrogates are kept apart by their own encoding.
    """
    if isinstance(content, str):
        normalised = content.replace("\r\n", "\n").replace("\r", "\n")
        content = normalised.encode("utf-8", "surrogatepass")
    return hashlib.sha256(content).hexdigest()


def check_content_hash(value: str) -> str:
    """Return ``value`` if it is 64 lower-case hex digits, else raise `ValidationError`."""
    if not _CONTENT_HASH.match(value):
        raise ValidationError(
            "not a content hash: expected 64 lower-case hexadecimal digits",
            hint="use compute_content_hash() to make one",
        )
    return value


def new_hasher() -> hashlib._Hash:
    """Return a streaming SHA-256 whose ``hexdigest()`` equals `compute_content_hash` of the same bytes."""
    return hashlib.sha256()


def short_digest(*parts: str, length: int = 26) -> str:
    """Return the first ``length`` hex digits of a SHA-256 over ``parts``, unambiguously joined."""
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    joined = b"".join([len(part).to_bytes(8, "big") + part for part in encoded])
    return hashlib.sha256(joined).hexdigest()[:length]
