"""Texts and lists that stay within a number of characters or bytes, so that the manifest of a job stays small."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

_INDENTATION = 4


def clipped(text: str, length: int) -> str:
    """Return at most ``length`` characters of a text that can be written as UTF-8: its beginning and its end."""
    if len(text) > length:
        tail = length // 2
        text = f"{text[: length - tail - 1]}…{text[len(text) - tail :]}"
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")[:length]


def written_bytes(items: Iterable[Any]) -> int:
    """Return the bytes that the items of a list of the manifest take on disk: indented, control characters escaped."""
    total = 0
    for item in items:
        written = orjson.dumps(item, option=orjson.OPT_INDENT_2)
        total += len(written) + _INDENTATION * (written.count(b"\n") + 1) + len(b",\n")
    return total


def newest_that_fit(items: list[Any], limit: int) -> list[Any]:
    """Return the last of the items that together take at most ``limit`` bytes on disk."""
    left = limit
    for number, item in enumerate(reversed(items)):
        left -= written_bytes([item])
        if left < 0:
            return items[len(items) - number :]
    return items
