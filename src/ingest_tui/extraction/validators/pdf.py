"""PDF: what pdfium had to repair, what an author forbids, and what is inside beside the pages."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ingest_tui.extraction.backends.pdf_text import is_noise
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


@dataclass(frozen=True, slots=True)
class PageContent:
    """What is on a page: its text, the texts of its annotations, how many form fields, and whether it shows images."""

    text: str
    annotations: list[str]
    fields: int = 0
    has_image: bool = False


@dataclass(slots=True)
class Pages:
    """Gathers what is odd about the pages, by their numbers from 1."""

    unreadable: list[int] = field(default_factory=list)
    _silent: list[int] = field(default_factory=list)
    _noise: list[int] = field(default_factory=list)
    _images: int = 0
    _fields: int = 0

    def note(self, number: int, page: PageContent | None) -> None:
        """Take note of a page; None for one that cannot be read."""
        if page is None:
            self.unreadable.append(number)
            return
        self._images += page.has_image
        self._fields += page.fields
        if is_noise(page.text):
            self._noise.append(number)
        if not page.text and not page.annotations:
            self._silent.append(number)

    def findings(self, count: int) -> list[Finding]:
        """Return what is to be said about the pages of a document that has ``count``."""
        found: list[Finding] = []
        if self.unreadable:
            found.append(Finding("error", "page_unreadable", f"pages that cannot be read: {_pages(self.unreadable)}"))
        if self._noise:
            message = f"the fonts do not say which letters they show: the text of pages {_pages(self._noise)} is noise"
            found.append(Finding("error", "text_is_noise", message))
        if self._silent:
            advice = "; scanned pages need OCR" if self._images else ""
            message = f"{len(self._silent)} of {count} pages hold no text ({_pages(self._silent)}){advice}"
            found.append(Finding("warning", "pages_without_text", message))
        return found

    def hint_if_empty(self) -> str:
        """Return what to do about a document without any text."""
        if self._images:
            return "needs OCR: its pages are images; run an OCR program over it and ingest the result"
        if self._fields:
            return f"a form of {self._fields} fields that nobody has filled in: there is nothing to find"
        return "its pages are blank, or hold only drawings: open it to see which"


def _pages(numbers: Sequence[int]) -> str:
    some = ", ".join(map(str, numbers[:_PAGES_NAMED]))
    return f"{some}, …" if len(numbers) > _PAGES_NAMED else some
