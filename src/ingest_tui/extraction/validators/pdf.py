"""PDF: what pdfium had to repair, what an author forbids, and what is inside beside the pages."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from ingest_tui.model.extraction import Finding

_NAMES_NAMED = 5
_NAME_CHARACTERS = 60
_PAGES_NAMED = 10
_MAY_PRINT = 1 << 2  # ISO 32000-1, table 22: bits 3 and 5
_MAY_COPY = 1 << 4
_XFA_FORMS = (2, 3)  # FORMTYPE_XFA_FULL and FORMTYPE_XFA_FOREGROUND of fpdf_formfill.h


def check_document(document: Any) -> list[Finding]:
    """Return what is odd about an open document (pypdfium2's `PdfDocument`). Costs microseconds: no page is read."""
    from pypdfium2 import raw

    findings: list[Finding] = []
    if not raw.FPDF_DocumentHasValidCrossReferenceTable(document.raw):
        message = "its table of objects is damaged and was made again: pages may be missing"
        findings.append(Finding("error", "xref_repaired", message))
    findings += _restrictions(raw, document)
    findings += _embedded_files(raw, document)
    if raw.FPDFDoc_GetJavaScriptActionCount(document.raw) > 0:
        findings.append(Finding("warning", "javascript_present", "holds JavaScript, which is never run"))
    if raw.FPDF_GetFormType(document.raw) in _XFA_FORMS:
        message = "an XFA form: only what it shows to other programs is read"
        findings.append(Finding("warning", "xfa_form", message))
    return findings


def _restrictions(raw: Any, document: Any) -> list[Finding]:
    if raw.FPDF_GetSecurityHandlerRevision(document.raw) < 0:
        return []
    allowed = raw.FPDF_GetDocUserPermissions(document.raw)
    forbidden = [word for bit, word in ((_MAY_COPY, "copying"), (_MAY_PRINT, "printing")) if not allowed & bit]
    if not forbidden:
        return []
    return [Finding("warning", "restricted", f"its author does not allow {' and '.join(forbidden)}")]


def _embedded_files(raw: Any, document: Any) -> list[Finding]:
    count = raw.FPDFDoc_GetAttachmentCount(document.raw)
    if count <= 0:
        return []
    names = ", ".join(_attachment_name(raw, document, index) for index in range(min(count, _NAMES_NAMED)))
    return [Finding("warning", "embedded_files", f"{count} embedded files are not read: {names}")]


def _attachment_name(raw: Any, document: Any, index: int) -> str:
    attachment = raw.FPDFDoc_GetAttachment(document.raw, index)
    length = raw.FPDFAttachment_GetName(attachment, None, 0) if attachment else 0
    if not 2 < length <= 4096:  # noqa: PLR2004 an empty name is its final zero alone
        return "unnamed"
    buffer = ctypes.create_string_buffer(length)
    raw.FPDFAttachment_GetName(attachment, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), length)
    return repr(buffer.raw[: length - 2].decode("utf-16-le", "replace")[:_NAME_CHARACTERS])


def check_pages(silent: Sequence[int], unreadable: Sequence[int], count: int) -> list[Finding]:
    """Return what is odd about the pages: numbers (from 1) of those without text and of those that cannot be read."""
    findings: list[Finding] = []
    if unreadable:
        findings.append(Finding("error", "page_unreadable", f"pages that cannot be read: {_pages(unreadable)}"))
    if silent:
        message = f"{len(silent)} of {count} pages hold no text ({_pages(silent)}); scanned pages need OCR"
        findings.append(Finding("warning", "pages_without_text", message))
    return findings


def _pages(numbers: Sequence[int]) -> str:
    some = ", ".join(map(str, numbers[:_PAGES_NAMED]))
    return f"{some}, …" if len(numbers) > _PAGES_NAMED else some
