"""PDF: what pdfium had to repair, what an author forbids, and what is inside besides the pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ingest_tui.extraction.pdf.embedded_files import name_of
from ingest_tui.extraction.pdf.page_text import is_noise
from ingest_tui.model.attachments import MAX_ATTACHMENTS
from ingest_tui.model.counted import counted
from ingest_tui.model.extraction import Finding
from ingest_tui.model.ocr import HINT_IF_OCR_FOUND_NOTHING, HOW_TO_SWITCH_ON, NEEDS_OCR, OCR_FOUND_NOTHING

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
    some = (raw.FPDFDoc_GetAttachment(document.raw, index) for index in range(min(count, _NAMES_NAMED)))
    names = ", ".join(repr(name_of(one)[:_NAME_CHARACTERS]) if name_of(one) else "unnamed" for one in some)
    message = f"holds {counted(count, 'embedded file')}: {names}"
    if count > MAX_ATTACHMENTS:
        message = f"{message}; those after the first {MAX_ATTACHMENTS:,} are left out"
    return [Finding("warning", "embedded_files", message)]


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

    def findings(self, count: int, *, by_ocr: bool = False) -> list[Finding]:
        """Return what is to be said about the pages of a document that has ``count``, which OCR has read too or not."""
        found: list[Finding] = []
        if self.unreadable:
            found.append(Finding("error", "page_unreadable", f"pages that cannot be read: {_pages(self.unreadable)}"))
        if self._noise:
            message = f"the fonts do not say which letters they show: the text of pages {_pages(self._noise)} is noise"
            found.append(Finding("error", "text_is_noise", message))
        if self._silent:
            advice = "; scanned pages need OCR" if self._images and not by_ocr else ""
            message = f"{len(self._silent)} of {counted(count, 'page')} hold no text ({_pages(self._silent)}){advice}"
            found.append(Finding("warning", "pages_without_text", message))
        return found

    def code_if_empty(self, *, by_ocr: bool) -> str:
        """Return the reason of a document without any text where its pages are images, else nothing."""
        if not self._images:
            return ""
        return OCR_FOUND_NOTHING if by_ocr else NEEDS_OCR

    def hint_if_empty(self, *, by_ocr: bool = False) -> str:
        """Return what to do about a document without any text."""
        if self._images:
            return HINT_IF_OCR_FOUND_NOTHING if by_ocr else f"needs OCR: its pages are images; {HOW_TO_SWITCH_ON}"
        if self._fields:
            return f"a form of {counted(self._fields, 'field')} that nobody has filled in: there is nothing to find"
        return "its pages are blank, or hold only drawings: open it to see which"


def _pages(numbers: Sequence[int]) -> str:
    some = ", ".join(map(str, numbers[:_PAGES_NAMED]))
    return f"{some}, …" if len(numbers) > _PAGES_NAMED else some
