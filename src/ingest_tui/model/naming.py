"""Foreign names: how they become identifiers, file names and something safe to show.

Nothing else turns a name from outside into a path, and nothing else prepares one for a screen, a log or an export.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote_from_bytes, unquote_to_bytes

from ingest_tui.model.errors import ValidationError
from ingest_tui.model.hashing import short_digest

_IDENTIFIER = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?\Z")
_RESERVED = {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(10)), *(f"lpt{n}" for n in range(10))}
_EXTENSION = re.compile(r"[a-z0-9]{1,10}\Z")
_OPAQUE_PREFIX = "bytes:"
_UNSAFE_URI = re.compile(rb"[^A-Za-z0-9_.~/\-]")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_EXPORT_STEM_BYTES = 160
_SHORT_ID = 12

# Characters that act on a terminal or reorder what stands beside them: C0 and C1 controls, DEL, bidirectional
# embeddings, overrides and isolates, line and paragraph separators, zero-width marks, and lone surrogates.
_ACTING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def slug(name: str) -> str:
    """Return an identifier made from a person's name for a thing; raises `ValidationError` when nothing is left.

    Letters of other scripts have no place in it; a name that has some gets a short digest of all of it, so that two
    names which differ only there stay apart.

    >>> slug("Team Handbook (2026)")
    'team-handbook-2026'
    >>> slug("資料 2026")
    '2026-b0a8ee'
    """
    decomposed = unicodedata.normalize("NFKD", name)
    plain = decomposed.encode("ascii", "ignore").decode()
    text = re.sub(r"[^a-z0-9._-]+", "-", plain.lower())
    text = re.sub(r"\.{2,}", ".", text).strip("-._")[:64].rstrip("-._")
    if any(not letter.isascii() and _category(letter) in "LN" for letter in decomposed):
        digest = short_digest(unicodedata.normalize("NFKC", name).casefold(), length=6)
        text = f"{text[:57].rstrip('-._')}-{digest}".lstrip("-") if text else f"name-{digest}"
    return check_identifier(text, shown=name)


def check_identifier(value: str, *, shown: str | None = None) -> str:
    """Return ``value`` if it can be a file name everywhere: lower case, digits, ``. _ -``, at most 64 characters."""
    if not _IDENTIFIER.match(value) or ".." in value or value.split(".", maxsplit=1)[0] in _RESERVED:
        letters = "letters" if shown is not None else "lower-case letters"
        raise ValidationError(
            f"not usable as a name: {safe_display(shown if shown is not None else value)!r}",
            hint=f"use {letters} and digits, with '-', '_' or '.' between them, at most 64 characters",
        )
    return value


def safe_extension(name: str) -> str:
    """Return the extension of a foreign name as lower-case ASCII without its dot, or ``bin``."""
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    return extension if _EXTENSION.match(extension) and extension.isascii() else "bin"


def safe_display(text: str, *, limit: int = 0) -> str:
    r"""Return ``text`` so that it cannot act on a terminal: acting characters become visible ``\xNN`` escapes.

    Used at every sink: screens, command line, logs, exports. With ``limit`` > 0 the middle is left out, so that
    the end of a path stays readable. Markup is not handled here: sinks must not interpret data as markup.
    """
    if not text.isprintable():  # which none of the acting characters is
        text = _ACTING.sub(_visible, text)
    if 0 < limit < len(text):
        head = (limit - 1) // 2
        text = f"{text[:head]}…{text[len(text) - (limit - 1 - head) :]}"
    return text


def safe_block(text: str) -> str:
    """Return several lines safe to show: like `safe_display`, but line feeds and tabs keep their meaning."""
    return "\n".join("\t".join(safe_display(cell) for cell in line.split("\t")) for line in text.split("\n"))


def safe_json(text: str) -> str:
    r"""Return JSON text in which acting characters are ``\uNNNN`` escapes: the same value, but harmless to show.

    JSON itself escapes C0 controls only; DEL, C1 and bidirectional controls are legal in its strings. Line feeds
    between values stay.
    """
    if text.isprintable() or (text.isascii() and "\x7f" not in text):
        return text
    return _ACTING.sub(_json_escape, text)


def safe_cell(text: str) -> str:
    """Return a cell for a spreadsheet: safe to show, and never taken for a formula (a ``'`` stands before it).

    The beginnings are those that OWASP names for CSV injection, full-width forms included.
    """
    shown = safe_display(text)
    return f"'{shown}" if text.startswith(_FORMULA_STARTS) else shown


def export_name(name: str, document_id: str, *, id_length: int = _SHORT_ID) -> str:
    """Return the file name under which the text of a document is exported: ``<safe name>--<short id>.md``.

    Letters, digits and marks of any script stay, everything else becomes ``-``: no separator, no dot in front, no
    name that some system reserves, below 255 bytes in every normal form. The id keeps names apart that are the same
    to a file system which ignores case or normalises.

    >>> export_name("../Rain gauge.pdf", "0123456789abcdef0123456789")
    'Rain-gauge.pdf--0123456789ab.md'
    """
    plain = unicodedata.normalize("NFKC", name)
    kept = "".join(letter if letter in "._-" or _category(letter) in "LNM" else "-" for letter in plain)
    stem = re.sub(r"([.-])[.-]+", r"\1", kept)[:_EXPORT_STEM_BYTES]
    while stem and _category(stem[0]) not in "LN":
        stem = stem[1:]
    while len(unicodedata.normalize("NFD", stem).encode()) > _EXPORT_STEM_BYTES:
        stem = stem[:-1]
    stem = stem.rstrip("._-") or "document"
    if stem.split(".", maxsplit=1)[0].casefold() in _RESERVED:
        stem = f"_{stem}"
    return f"{stem}--{check_identifier(document_id)[:id_length]}.md"


def _category(letter: str) -> str:
    """Return the major class of a character: L letter, N number, M mark, …"""
    return unicodedata.category(letter)[0]


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004


def _json_escape(match: re.Match[str]) -> str:
    if match.group() == "\n":
        return "\n"
    # JSON escapes are UTF-16: two for what lies beyond the first plane.
    units = match.group().encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


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


def file_name_of(key: str) -> str:
    """Return the last segment of a key, the name a person knows the document by."""
    return key.rstrip("/").rpartition("/")[2] or key
