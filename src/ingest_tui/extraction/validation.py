"""What is let in: size, type, and what each type must satisfy before a parser sees it."""

from __future__ import annotations

from collections.abc import Callable

from ingest_tui.extraction.formats import Format, extension_of
from ingest_tui.extraction.sniffing import Sniffed, sniff
from ingest_tui.model.errors import ItemRejectedError

MAX_DOCUMENT_BYTES = 1024**3

Validator = Callable[[bytes, Format], list[str]]
"""Called once per document of its format, before parsing: returns warnings, raises `ItemError` to refuse."""

_validators: dict[str, list[Validator]] = {}


class EmptyDocumentError(ItemRejectedError):
    """The document is sound but holds no text; outcome ``empty``."""

    code = "empty"


def register_validator(format_name: str, validator: Validator) -> None:
    """Add a check for documents of one format (``"pdf"``, ``"docx"``, … or ``"*"`` for all), after those there are."""
    _validators.setdefault(format_name, []).append(validator)


def validate(content: bytes, file_name: str, *, max_bytes: int = MAX_DOCUMENT_BYTES) -> Sniffed:
    """Return the format of ``content`` and warnings, or raise.

    Raises `EmptyDocumentError` for nothing but white space, `ItemRejectedError` (``too_large``,
    ``unsupported_type``, ``wrong_type``, ``encrypted``, ``archive_bomb``) and `ProcessingError` (``malformed``).
    """
    if len(content) > max_bytes:
        raise ItemRejectedError(
            f"{len(content):,} bytes, more than the {max_bytes:,} that are allowed",
            code="too_large",
            hint="raise the size limit of the source, or split the file",
        )
    if not content or (content[:64].isspace() and content.isspace()):
        raise EmptyDocumentError("the file is empty" if not content else "the file holds only white space")
    sniffed = sniff(content, extension_of(file_name))
    if _validators:
        for name in (sniffed.format.name, "*"):
            for validator in _validators.get(name, ()):
                sniffed.warnings.extend(validator(content, sniffed.format))
    return sniffed
