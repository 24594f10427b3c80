"""JSON as it is in the workspace: compact or indented, and harmless to whoever shows it with ``cat``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from ingest_tui.model.safe_text import safe_json


def encode_json(value: Any, *, indent: bool = False, default: Callable[[Any], Any] | None = None) -> bytes:
    """Return ``value`` as UTF-8 JSON without a line feed at its end; ``default`` turns other values into JSON ones.

    Characters that act on a terminal are escaped, also those that JSON allows to be raw. TypeError for text with
    lone surrogates: what comes from outside is made Unicode where it comes in.
    """
    return escaped(orjson.dumps(value, default=default, option=orjson.OPT_INDENT_2 if indent else None))


def escaped(data: bytes) -> bytes:
    """Return JSON with escapes for the characters that act on a terminal and that JSON allows to be raw."""
    if data.isascii() and b"\x7f" not in data:
        return data
    return safe_json(data.decode()).encode()
