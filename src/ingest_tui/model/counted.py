"""Numbers of things in words, for every message that counts: ``1 document``, ``2,310 documents``."""

from __future__ import annotations


def counted(number: int, thing: str, things: str = "") -> str:
    """Return a number with its noun; ``things`` is the plural where it is not ``thing`` with an ``s``."""
    return f"{number:,} {noun(number, thing, things)}"


def noun(number: int, thing: str, things: str = "") -> str:
    """Return the form that a noun, or a verb, has with a number: ``noun(1, "waits", "wait")`` is ``waits``."""
    return thing if number == 1 else things or f"{thing}s"
