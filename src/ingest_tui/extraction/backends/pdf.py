"""PDF with pypdfium2: the text of each page, what its layout says of it, and what is in its forms and notes."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import threading
import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple

from ingest_tui.extraction.backends.base import Parsed, ParseInput, join_pages
from ingest_tui.extraction.intake.formats import media_type_of
from ingest_tui.extraction.mail.mail_content import Attachment, attached_parts
from ingest_tui.extraction.markup.literal_text import literal
from ingest_tui.extraction.markup.markdown import split_elements
from ingest_tui.extraction.ocr.ocr_reader import OcrReader
from ingest_tui.extraction.ocr.page_image import picture_of_pdf_page
from ingest_tui.extraction.page_layout.blocks import PageBlock, TextLine, find_blocks, plain_blocks
from ingest_tui.extraction.page_layout.document import pages_as_markdown
from ingest_tui.extraction.page_layout.headings import Outline
from ingest_tui.extraction.page_layout.model import PageLine
from ingest_tui.extraction.page_layout.page import LayoutReader
from ingest_tui.extraction.pdf.annotations import TypedLine, read_annotations
from ingest_tui.extraction.pdf.embedded_files import embedded_files
from ingest_tui.extraction.pdf.page_text import is_noise, tidy_page
from ingest_tui.extraction.pdf.turned_lines import line_ranges
from ingest_tui.extraction.pdf.upright import turns_of, upright
from ingest_tui.extraction.validators.pdf import PageContent, Pages, check_document
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from ingest_tui.model.extraction import MAX_LINKS, Element, Finding
from ingest_tui.model.pages import end_pages

_MAX_OUTLINE_ENTRIES = 5_000
_MAX_OUTLINE_DEPTH = 6
_MAX_URI_BYTES = 2_048
_MOST_FIELDS_ALIKE = 200
_one_at_a_time = threading.Lock()
"""PDFium works on one document at a time, whatever the thread (fpdfview.h)."""
_DAMAGED_HINT = "the file may be cut short; fetch it again"


_LAYOUT_ERRORS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What a page that nobody thought of may bring about where its layout is looked at: then its plain text is kept."""


class _PageRead(NamedTuple):
    content: PageContent
    blocks: list[PageBlock]
    holds_files: bool = False


_UNREADABLE = _PageRead(PageContent("", []), [])


def parse(parse_input: ParseInput) -> Parsed:
    """Return the text of a PDF, its elements with the numbers of their pages.

    Raises `ItemRejectedError` (``encrypted``) and `ProcessingError` (``malformed``). A PDF without text gives an
    empty result whose hint says that it needs OCR.
    """
    with _one_at_a_time:
        document = _open(parse_input.content)
    try:
        with _one_at_a_time:
            parsed, pages_with_files = _read(document, parse_input)
        _add_embedded_files(parsed, document, pages_with_files, parse_input)
        return parsed
    finally:
        with _one_at_a_time:
            document.close()


def _add_embedded_files(parsed: Parsed, document: Any, pages: Sequence[int], parse_input: ParseInput) -> None:
    """Add the names of embedded files below the pages, and the texts that are part of the document.

    One of them may be a PDF itself: none is read while PDFium is held. Names alone are no text of a PDF without any.
    """
    attached: list[Attachment] = []
    files = embedded_files(document, pages)
    while True:
        with _one_at_a_time:
            name, content = next(files, ("", b""))
        if not name:
            break
        text = parse_input.read_attachment(name, content) if content else ""
        attached.append(Attachment(name, media_type_of(name), len(content), text))
        parse_input.tick()
    if not attached or not (parsed.markdown or any(one.text for one in attached)):
        return
    below = "\n\n".join(part.strip("\n") for part in attached_parts(attached, level=1))
    if parsed.markdown:
        parsed.page_starts = end_pages(parsed.page_starts, len(parsed.markdown) + 1)
    parsed.markdown = f"{parsed.markdown}\n{below}\n" if parsed.markdown else f"{below}\n"
    if parse_input.with_elements:
        parsed.elements += split_elements(below)


class Description(NamedTuple):
    """What is known of a PDF whose pages another library reads."""

    pages: int
    title: str | None
    findings: list[Finding]

    def parsed(self, pages: Sequence[str], *, read_with: str) -> Parsed:
        """Return the pages, as markdown, that the library ``read_with`` made of it."""
        markdown, page_starts = join_pages(pages)
        return Parsed(
            markdown,
            title=self.title,
            pages=self.pages,
            page_starts=page_starts,
            findings=self.findings,
            hint_if_empty=f"{read_with} finds no text in it: scanned pages need OCR",
        )


def describe(content: bytes) -> Description:
    """Return what a PDF says of itself. Raises as `parse` does for what cannot be opened."""
    with _one_at_a_time:
        document = _open(content)
        try:
            return Description(len(document), _title(document), check_document(document))
        finally:
            document.close()


def _title(document: Any) -> str | None:
    return " ".join(document.get_metadata_value("Title").split())[:300] or None


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


def _read(document: Any, parse_input: ParseInput) -> tuple[Parsed, list[int]]:
    """Return what is on the pages, and the indexes of those to which files are attached."""
    findings = check_document(document)
    form = _form_of(document)
    pages = Pages()
    links: dict[str, None] = {}
    read: list[_PageRead] = []
    count = len(document)
    for index in range(count):
        page = _read_page(document, index, form, links, parse_input.ocr)
        parse_input.tick()
        pages.note(index + 1, page.content if page else None)
        read.append(page or _UNREADABLE)
    texts = _texts(read, _outline(document))
    if pages.unreadable and not any(texts):
        raise ProcessingError(
            f"no page can be read: {len(pages.unreadable)} of {count} are damaged",
            code="malformed",
            hint=_DAMAGED_HINT,
        )
    markdown, page_starts = join_pages(texts)
    parsed = Parsed(
        markdown,
        _elements(texts) if parse_input.with_elements else [],
        title=_title(document),
        pages=count,
        page_starts=page_starts,
        links=list(links)[:MAX_LINKS],
        findings=[*findings, *pages.findings(count, by_ocr=parse_input.ocr.is_on)],
        hint_if_empty=pages.hint_if_empty(by_ocr=parse_input.ocr.is_on),
        code_if_empty=pages.code_if_empty(by_ocr=parse_input.ocr.is_on),
    )
    return parsed, [index for index, page in enumerate(read) if page.holds_files]


def _texts(pages: Sequence[_PageRead], outline: Outline) -> list[str]:
    """Return the text of each page, with its annotations below; a page without any has none, whatever the outline."""
    try:
        texts = pages_as_markdown([page.blocks for page in pages], outline)
    except _LAYOUT_ERRORS:
        texts = [literal(page.content.text) for page in pages]
    return [
        "\n\n".join(part for part in (tidy_page(text), "\n".join(page.content.annotations)) if part)
        if page.content.text or page.content.annotations
        else ""
        for text, page in zip(texts, pages, strict=True)
    ]


def _elements(texts: Sequence[str]) -> list[Element]:
    return [
        Element(element.text, {**element.metadata, "page_number": number})
        for number, text in enumerate(texts, 1)
        for element in split_elements(text)
    ]


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


def _read_page(document: Any, index: int, form: Any, links: dict[str, None], ocr: OcrReader) -> _PageRead | None:
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
        as_kept = page
        page, text_page = _upright(document, page, index)
        text, blocks = _text_of(page, text_page)
        if ocr.wants(text) and (found := ocr.read(picture_of_pdf_page(page), index + 1)):
            text, blocks = found, _blocks_of(found)
        blocks = _with_typed_lines(blocks, notes.typed, is_turned=page is not as_kept)
        seen = "".join(text.split()) if notes.lines else ""
        unseen = [line.text for line in notes.lines if "".join(line.value.split()) not in seen]
        content = PageContent(text, unseen, notes.fields, has_image=not text and _shows_image(page))
        return _PageRead(content, blocks, notes.holds_files)
    except pypdfium2.PdfiumError:
        return None
    finally:
        page.close()


def _with_typed_lines(blocks: list[PageBlock], typed: Sequence[TypedLine], *, is_turned: bool) -> list[PageBlock]:
    """Return blocks in which the lines that are values of fields are marked as such, each in the place of its field.

    On a page that was turned the fields are elsewhere, so there are at most as many lines as fields that say the same.
    """
    open_fields: dict[str, Counter[TypedLine]] = {}
    for one in typed:
        open_fields.setdefault(one.letters, Counter())[one] += 1
    found: list[PageBlock] = []
    for block in blocks:
        shown = block
        if isinstance(block, TextLine) and (fields := open_fields.get("".join(block.text.split()))):
            alike = islice(fields, _MOST_FIELDS_ALIKE)
            field = next((one for one in alike if is_turned or _is_within(block.line, one)), None)
            if field is not None:
                fields[field] -= 1
                if not fields[field]:
                    del fields[field]
                shown = block._replace(is_typed=True)
        found.append(shown)
    return found


def _is_within(line: PageLine, field: TypedLine) -> bool:
    """Whether the middle of a line is in a field; one of which nothing is known may be."""
    is_beside = field.left <= line.right and line.left <= field.right
    return line.left == line.right or (is_beside and field.bottom <= line.middle <= field.top)


def _flattened(document: Any, page: Any, index: int) -> Any:
    """Return the page again with what its fields and free texts show as part of it, in their places; None on failure.

    What is shown may differ from the value that is kept, and a person sees what is shown.
    """
    from pypdfium2 import raw

    if raw.FPDFPage_Flatten(page.raw, raw.FLAT_NORMALDISPLAY) != raw.FLATTEN_SUCCESS:
        return None
    return document[index]


def _upright(document: Any, page: Any, index: int) -> tuple[Any, Any]:
    """Return a page and its text page, with its text upright; a page that cannot be turned stays as it is."""
    text_page = page.get_textpage()
    turns = turns_of(text_page)
    turned = upright(document, page, index, turns) if turns or page.get_rotation() else None
    if turned is None:
        return page, text_page
    text_page.close()
    page.close()
    return turned, turned.get_textpage()


def _text_of(page: Any, text_page: Any) -> tuple[str, list[PageBlock]]:
    """Return the text of a page, and its blocks; closes its text page."""
    try:
        # Not get_text_bounded(): that joins the cells of some tables and the lines of rotated pages.
        text = str(text_page.get_text_range())
        ranges = line_ranges(text_page, text)
        plain = [PageLine(start, end) for start, end in ranges]
        blocks = plain_blocks(plain, text)
        tidy = tidy_page("\n".join(block.text for block in blocks if isinstance(block, TextLine)))
        if tidy and text_page.count_chars() == len(text) and not is_noise(tidy):
            reader = LayoutReader(page, text_page, text)
            with contextlib.suppress(*_LAYOUT_ERRORS):
                blocks = find_blocks(reader.lines(ranges), text, reader.words, reader.rules)
        return tidy, blocks
    finally:
        text_page.close()


def _blocks_of(text: str) -> list[PageBlock]:
    """Return the lines of a text that OCR has found."""
    blocks: list[PageBlock] = []
    start = 0
    for line in text.split("\n"):
        blocks.append(TextLine(line, PageLine(start, start + len(line))))
        start += len(line) + 1
    return blocks


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
