"""What is let in: size, type, and what each type must satisfy before a parser sees it."""

from __future__ import annotations

from ingest_tui.extraction.intake.admission import TypeFilter
from ingest_tui.extraction.intake.containers import ContainerError, refused
from ingest_tui.extraction.intake.formats import extension_of
from ingest_tui.extraction.intake.sniffing import Sniffed, sniff
from ingest_tui.extraction.validators.registered import register_validator as register_validator  # noqa: PLC0414
from ingest_tui.extraction.validators.registered import run_registered
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import ItemRejectedError

MAX_DOCUMENT_BYTES = 1024**3


DEFAULT_HINTS = {
    "empty": "nothing to do: there is no text in it",
    "encrypted": "remove the password and put the file in place again",
    "archive_bomb": "if the file is genuine, unpack it and ingest the folder instead",
    "unsafe_xml": "entities can read files and grow without end; replace them by their text",
    "unsupported_type": "'ingest-tui doctor' lists the formats that can be read",
    "malformed": "the file may be damaged or cut short; open it with its program and save it again",
}
"""What to do where an error has no better idea."""


class EmptyDocumentError(ItemRejectedError):
    """The document is valid but holds no text; outcome ``empty``."""

    code = "empty"


def validate(
    content: bytes,
    file_name: str,
    *,
    max_bytes: int = MAX_DOCUMENT_BYTES,
    types: TypeFilter | None = None,
    takes_containers: bool = False,
) -> Sniffed:
    """Return the format of ``content`` and what is odd about it, or raise.

    Raises `EmptyDocumentError` for nothing but white space, `ItemRejectedError` (``too_large``,
    ``unsupported_type``, ``wrong_type``, ``type_not_allowed``, ``encrypted``, ``archive_bomb``) and `ProcessingError`
    (``malformed``). With ``takes_containers`` an archive is found (`ContainerError`), and nothing in it looked at.
    """
    if len(content) > max_bytes:
        raise ItemRejectedError(
            f"{counted(len(content), 'byte')}, more than the {max_bytes:,} that are allowed",
            code="too_large",
            hint="raise the size limit of the source, or split the file",
        )
    if not content or (content[:64].isspace() and content.isspace()):
        raise EmptyDocumentError("the file is empty" if not content else "the file holds only white space")
    try:
        sniffed = sniff(content, extension_of(file_name))
    except ContainerError as container:
        raise container if takes_containers else refused(container) from None
    if types:
        types.check(sniffed.format, file_name)
    sniffed.findings += run_registered(content, sniffed.format)
    return sniffed
