"""PDF with pypdfium2: the text of each page, headings from the outline only (guesses are mostly wrong)."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import threading
import warnings
from collections import defaultdict
from typing import Any

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.backends.pdf_annotations import read_annotations
from ingest_tui.extraction.backends.pdf_text import tidy_page
from ingest_tui.extraction.backends.pdf_turned import join_turned_lines
from ingest_tui.extraction.validators.pdf import PageContent, Pages, check_document
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from ingest_tui.model.extraction import MAX_LINKS, Element

_MAX_OUTLINE_ENTRIES = 5_000
_MAX_OUTLINE_DEPTH = 6
_MAX_URI_BYTES = 2_048
_one_at_a_time = threading.Lock()
"""PDFium works on one document at a time, whatever the thread (fpdfview.h)."""
_DAMAGED_HINT = "the file may be cut short; fetch it again"


def parse(parse_input: ParseInput) -> Parsed:
    """Return the text of a PDF, one element per page.

    Raises `ItemRejectedError` (``encrypted``) and `ProcessingError` (``malformed``). A PDF without text gives an
    empty result whose hint says that it needs OCR.
    """
    with _one_at_a_time:
        document = _open(parse_input.content)
        try:
            return _read(document, parse_input)
        finally:
            document.close()


def _open(content: bytes) -> Any:
    """Return the open document, to be closed by the caller; ``content`` must live as long as it does.

    pypdfium2's own way in asks for PDFium's last error also when a document opens but has no page. Nothing has failed
    then, so that the error is one of an earlier file; and it never closes that document.
    """
    import pypdfium2
    from pypdfium2 import raw

    handle = raw.FPDF_LoadMemDocument64(content, len(content), None)
    if not handle:
        raise _refusal(raw.FPDF_GetLastError())
    document = pypdfium2.PdfDocument(handle)
    if len(document) < 1:
        document.close()
        raise ProcessingError("the PDF has no page that can be found", code="malformed", hint=_DAMAGED_HINT)
    return document


def _refusal(code: int) -> ItemRejectedError | ProcessingError:
    """Return the error for what PDFium gives as the reason of a failed opening (FPDF_ERR_… of fpdfview.h)."""
    from pypdfium2 import raw

    if code == raw.FPDF_ERR_PASSWORD:
        return ItemRejectedError(
            "the PDF is protected by a password",
            code="encrypted",
            hint="remove the password and put the file in place again",
        )
    if code == raw.FPDF_ERR_SECURITY:
        return ItemRejectedError(
            "the PDF is encrypted in a way that cannot be read",
            code="encrypted",
            hint="save it without protection and put the file in place again",
        )
    reason = "its structure is damaged" if code == raw.FPDF_ERR_FORMAT else f"PDFium error {code}"
    return ProcessingError(f"the PDF cannot be opened: {reason}", code="malformed", hint=_DAMAGED_HINT)


def _read(document: Any, parse_input: ParseInput) -> Parsed:
    headings = _outline(document)
    findings = check_document(document)
    form = _form_of(document)
    pages = Pages()
    links: dict[str, None] = {}
    parts: list[str] = []
    elements: list[Element] = []
    count = len(document)
    for index in range(count):
        page = _read_page(document, index, form, links)
        parse_input.tick()
        pages.note(index + 1, page)
        if page is None or not (page.text or page.annotations):
            continue
        text = "\n\n".join(part for part in (page.text, "\n".join(page.annotations)) if part)
        parts.append(_with_headings(text, headings.get(index, [])))
        elements.append(Element(text, {"category": "Page", "page_number": index + 1}))
    if pages.unreadable and not parts:
        raise ProcessingError(
            f"no page can be read: {len(pages.unreadable)} of {count} are damaged",
            code="malformed",
            hint=_DAMAGED_HINT,
        )
    title = " ".join(document.get_metadata_value("Title").split())[:300] or None
    return Parsed(
        "\n\n".join(parts) + ("\n" if parts else ""),
        elements,
        title=title,
        pages=count,
        links=list(links)[:MAX_LINKS],
        findings=[*findings, *pages.findings(count)],
        hint_if_empty=pages.hint_if_empty(),
    )


def _form_of(document: Any) -> Any:
    """Return the environment in which fields of a form can be read, None for a document without one."""
    import pypdfium2
    from pypdfium2 import raw

    if raw.FPDF_GetFormType(document.raw) == raw.FORMTYPE_NONE:
        return None
    logging.getLogger("pypdfium2").setLevel(logging.ERROR)  # an XFA form is read as what it is besides
    with contextlib.suppress(pypdfium2.PdfiumError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        document.init_forms()
    return document.formenv.raw if document.formenv is not None else None


def _read_page(document: Any, index: int, form: Any, links: dict[str, None]) -> PageContent | None:
    """Return what is on a page, or None when it cannot be read."""
    import pypdfium2

    try:
        page = document[index]
    except pypdfium2.PdfiumError:
        return None
    try:
        if len(links) < MAX_LINKS:
            links.update(dict.fromkeys(_page_links(document, page)))
        notes = read_annotations(page, form)
        if notes.shows_text and (flat := _flattened(document, page, index)) is not None:
            page.close()
            page = flat
        text = _text_of(page)
        seen = "".join(text.split()) if notes.lines else ""
        unseen = [line.text for line in notes.lines if "".join(line.value.split()) not in seen]
        return PageContent(text, unseen, notes.fields, has_image=not text and _shows_image(page))
    except pypdfium2.PdfiumError:
        return None
    finally:
        page.close()


def _flattened(document: Any, page: Any, index: int) -> Any:
    """Return the page again with what its fields and free texts show as part of it, in their places; None on failure.

    What is shown may differ from the value that is kept, and a person sees what is shown.
    """
    from pypdfium2 import raw

    if raw.FPDFPage_Flatten(page.raw, raw.FLAT_NORMALDISPLAY) != raw.FLATTEN_SUCCESS:
        return None
    return document[index]


def _text_of(page: Any) -> str:
    text_page = page.get_textpage()
    try:
        # Not get_text_bounded(): that joins the cells of some tables and the lines of rotated pages.
        return tidy_page(join_turned_lines(text_page, str(text_page.get_text_range())))
    finally:
        text_page.close()


def _shows_image(page: Any) -> bool:
    from pypdfium2 import raw

    return any(True for _ in page.get_objects(filter=(raw.FPDF_PAGEOBJ_IMAGE,), max_depth=4))


def _page_links(document: Any, page: Any) -> list[str]:
    """Return the web addresses that a page's link annotations lead to."""
    from pypdfium2 import raw

    found: list[str] = []
    position, link = ctypes.c_int(0), raw.FPDF_LINK()
    while len(found) < MAX_LINKS and raw.FPDFLink_Enumerate(page.raw, position, link):
        action = raw.FPDFLink_GetAction(link)
        if action and raw.FPDFAction_GetType(action) == raw.PDFACTION_URI:
            length = raw.FPDFAction_GetURIPath(document.raw, action, None, 0)
            if 1 < length <= _MAX_URI_BYTES:
                buffer = ctypes.create_string_buffer(length)
                raw.FPDFAction_GetURIPath(document.raw, action, buffer, length)
                found.append(buffer.raw[: length - 1].decode("utf-8", "replace").strip())
    return [uri for uri in found if uri]


def _outline(document: Any) -> dict[int, list[tuple[int, str]]]:
    """Return the outline as page index → ``(level from 1, title)`` in order."""
    import pypdfium2

    headings: dict[int, list[tuple[int, str]]] = defaultdict(list)
    try:
        for number, entry in enumerate(document.get_toc(max_depth=_MAX_OUTLINE_DEPTH)):
            if number >= _MAX_OUTLINE_ENTRIES:
                break
            destination = entry.get_dest()
            index = destination.get_index() if destination is not None else None
            title = " ".join(str(entry.get_title()).split())
            if index is not None and title:
                headings[index].append((min(entry.level + 1, _MAX_OUTLINE_DEPTH), title))
    except (pypdfium2.PdfiumError, ValueError, RecursionError):
        return {}
    return headings


def _with_headings(text: str, headings: list[tuple[int, str]]) -> str:
    """Mark the lines that are titles of the outline as headings; a title that is no line of its page goes on top."""
    if not headings:
        return text
    lines = text.split("\n")
    folded = [" ".join(line.split()).casefold() for line in lines]
    on_top: list[str] = []
    for level, title in headings:
        mark = "#" * level + " "
        wanted = title.casefold()
        place = next((at for at, line in enumerate(folded) if line == wanted), None)
        if place is None:
            on_top += [mark + title, ""]
        else:
            lines[place] = f"\n{mark}{title}\n"
            folded[place] = ""
    return "\n".join([*on_top, *lines]).strip()
