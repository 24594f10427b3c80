"""Files in a PDF: those of a portfolio, what invoices carry for programs, and what is attached to pages."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import chain, islice
from typing import Any

from ingest_tui.model.attachments import MAX_ATTACHMENTS
from ingest_tui.model.members import MAX_MEMBER_BYTES

MAX_ANNOTATIONS = 10_000
"""Of one page; what is beyond is left out."""
UNNAMED = "unnamed"
_LONGEST_NAME = 255
_MAX_NAME_BYTES = 4096


def embedded_files(document: Any, pages: Iterable[int]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of each file in an open PDF, each once; no bytes where it cannot be had.

    ``pages`` are the indexes of those to which files are attached. At most `MAX_ATTACHMENTS`, and `MAX_MEMBER_BYTES`
    of them together.
    """
    left = MAX_MEMBER_BYTES
    seen: set[tuple[str, bytes]] = set()
    for attachment in islice(chain(_of_document(document), _of_pages(document, pages)), MAX_ATTACHMENTS):
        content = _content_of(attachment, left)
        name = name_of(attachment) or UNNAMED
        one = (name, sha256(content).digest())
        if one in seen:  # a file may be in the list of the document and attached to its pages
            continue
        seen.add(one)
        left -= len(content)
        yield name, content


def _of_document(document: Any) -> Iterator[Any]:
    from pypdfium2 import raw

    for index in range(raw.FPDFDoc_GetAttachmentCount(document.raw)):
        attachment = raw.FPDFDoc_GetAttachment(document.raw, index)
        if attachment:
            yield attachment


def _of_pages(document: Any, pages: Iterable[int]) -> Iterator[Any]:
    from pypdfium2 import raw

    for index in pages:
        page = document[index]
        attachments = []
        for number in range(min(raw.FPDFPage_GetAnnotCount(page.raw), MAX_ANNOTATIONS)):
            if annotation := raw.FPDFPage_GetAnnot(page.raw, number):
                attachments.append(raw.FPDFAnnot_GetFileAttachment(annotation))
                raw.FPDFPage_CloseAnnot(annotation)
        page.close()  # the files belong to the document
        yield from filter(None, attachments)


def name_of(attachment: Any) -> str:
    """Return the name of an embedded file; empty for one without."""
    from pypdfium2 import raw

    length = raw.FPDFAttachment_GetName(attachment, None, 0) if attachment else 0
    if not 2 < length <= _MAX_NAME_BYTES:  # noqa: PLR2004 an empty name is its final zero alone
        return ""
    buffer = ctypes.create_string_buffer(length)
    raw.FPDFAttachment_GetName(attachment, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), length)
    name = buffer.raw[: length - 2].decode("utf-16-le", "replace")
    return " ".join(name.split())[:_LONGEST_NAME]


def _content_of(attachment: Any, most: int) -> bytes:
    from pypdfium2 import raw

    length = ctypes.c_ulong()
    if not raw.FPDFAttachment_GetFile(attachment, None, 0, length) or not 0 < length.value <= most:
        return b""
    buffer = ctypes.create_string_buffer(length.value)
    if not raw.FPDFAttachment_GetFile(attachment, buffer, length.value, length):
        return b""
    return buffer.raw
