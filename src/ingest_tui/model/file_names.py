"""Foreign names as names of files. Nothing else turns a name from outside into one."""

from __future__ import annotations

import re
import unicodedata

from ingest_tui.model.identifiers import RESERVED, character_class, check_identifier

_EXTENSION = re.compile(r"[a-z0-9]{1,10}\Z")
_EXPORT_STEM_BYTES = 160
_SHORT_ID = 12


def safe_extension(name: str) -> str:
    """Return the extension of a foreign name as lower-case ASCII without its dot, or ``bin``."""
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    return extension if _EXTENSION.match(extension) and extension.isascii() else "bin"


def export_name(name: str, document_id: str, *, id_length: int = _SHORT_ID) -> str:
    """Return the file name under which the text of a document is exported: ``<safe name>--<short id>.md``.

    Letters, digits and marks of any script stay, everything else becomes ``-``: no separator, no dot in front, no
    name that some system reserves, below 255 bytes in every normal form. The id keeps names apart that are the same
    to a file system which ignores case or normalises.

    >>> export_name("../Rain gauge.pdf", "0123456789abcdef0123456789")
    'Rain-gauge.pdf--0123456789ab.md'
    """
    plain = unicodedata.normalize("NFKC", name)
    kept = "".join(letter if letter in "._-" or character_class(letter) in "LNM" else "-" for letter in plain)
    stem = re.sub(r"([.-])[.-]+", r"\1", kept)[:_EXPORT_STEM_BYTES]
    while stem and character_class(stem[0]) not in "LN":
        stem = stem[1:]
    while len(unicodedata.normalize("NFD", stem).encode()) > _EXPORT_STEM_BYTES:
        stem = stem[:-1]
    stem = stem.rstrip("._-") or "document"
    if stem.split(".", maxsplit=1)[0].casefold() in RESERVED:
        stem = f"_{stem}"
    return f"{stem}--{check_identifier(document_id)[:id_length]}.md"
