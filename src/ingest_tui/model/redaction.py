"""What must never be shown: secrets that were used in this process, and text without them."""

from __future__ import annotations

_SHORTEST = 4
_REPLACEMENT = "[redacted]"
_secrets: set[str] = set()


def remember_secret(value: str) -> None:
    """Note a secret, so that `redact` takes it out of any text. Values too short to tell from words are left alone."""
    if len(value) >= _SHORTEST:
        _secrets.add(value)


def redact(text: str) -> str:
    """Return ``text`` without the secrets that were remembered."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, _REPLACEMENT)
    return text
