"""Identifiers and names of sources and collections: what may be one, and how a person's name becomes an identifier."""

from __future__ import annotations

import re
import unicodedata

from ingest_tui.model.errors import ValidationError
from ingest_tui.model.hashing import short_digest
from ingest_tui.model.safe_text import safe_display

_IDENTIFIER = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?\Z")
RESERVED = {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(10)), *(f"lpt{n}" for n in range(10))}
"""Names that some system keeps for its devices, whatever follows a dot."""


def slug(name: str) -> str:
    """Return an identifier made from a person's name for a thing.

    Raises `ValidationError` when nothing is left, and for a name that `check_name` refuses.
    Letters of other scripts have no place in it; a name that has some gets a short digest of all of it, so that two
    names which differ only there stay apart.

    >>> slug("Team Handbook (2026)")
    'team-handbook-2026'
    >>> slug("資料 2026")
    '2026-b0a8ee'
    """
    decomposed = unicodedata.normalize("NFKD", check_name(name))
    plain = decomposed.encode("ascii", "ignore").decode()
    text = re.sub(r"[^a-z0-9._-]+", "-", plain.lower())
    text = re.sub(r"\.{2,}", ".", text).strip("-._")[:64].rstrip("-._")
    if any(not letter.isascii() and character_class(letter) in "LN" for letter in decomposed):
        digest = short_digest(unicodedata.normalize("NFKC", name).casefold(), length=6)
        text = f"{text[:57].rstrip('-._')}-{digest}".lstrip("-") if text else f"name-{digest}"
    return check_identifier(text, shown=name)


def check_name(name: str) -> str:
    r"""Return a new name for a thing, else raise `ValidationError`: every screen would show it with escapes.

    >>> check_name("Team Handbook (2026)")
    'Team Handbook (2026)'
    """
    if safe_display(name) != name:
        raise ValidationError(
            f"not usable as a name: '{safe_display(name)}' has characters that act on a screen",
            hint="leave out control characters, line breaks, and what is invisible or turns text around",
        )
    return name


def is_identifier(value: str) -> bool:
    """Return whether ``value`` can be a file name everywhere: lower case, digits, ``. _ -``, at most 64 characters."""
    return bool(_IDENTIFIER.match(value)) and ".." not in value and value.split(".", maxsplit=1)[0] not in RESERVED


def check_identifier(value: str, *, shown: str | None = None) -> str:
    """Return ``value`` if it is an identifier, else raise `ValidationError`."""
    if not is_identifier(value):
        letters = "letters" if shown is not None else "lower-case letters"
        raise ValidationError(
            f"not usable as a name: '{safe_display(shown if shown is not None else value)}'",
            hint=f"use {letters} and digits, with '-', '_' or '.' between them, at most 64 characters",
        )
    return value


def character_class(letter: str) -> str:
    """Return the major class of a character: L letter, N number, M mark, …"""
    return unicodedata.category(letter)[0]
