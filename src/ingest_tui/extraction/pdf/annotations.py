"""What is written on the pages of a PDF and not in them: values of forms, ticks, free texts and notes."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from html import unescape
from typing import Any, NamedTuple

from ingest_tui.extraction.pdf.embedded_files import MAX_ANNOTATIONS, UNNAMED, name_of

_MAX_VALUE_BYTES = 2 * 1024**2
_SHORT_VALUE = 200
"""A value up to this length is named with its field even where the page shows it: the name is what it means."""
_PASSWORD = 1 << 13  # ISO 32000-1, table 228: nobody sees what is typed
_PLAIN_TICKS = frozenset(("yes", "on", "1", "0", "true", "x", "checked", "ja", "oui", "si", "sí"))
_PARAGRAPH_END = re.compile(r"</p>|<br */?>")
_TAG = re.compile(r"<[^<>]*>")
_HIDDEN = 1 << 1 | 1 << 5  # ISO 32000-1, table 165: hidden, no view


class AnnotationText(NamedTuple):
    """A line for what an annotation says, and the part of it that the page may show already.

    ``typed`` is what somebody has typed or chosen, where it is a field.
    """

    text: str
    value: str
    typed: str = ""


class TypedLine(NamedTuple):
    """A line of what somebody has typed or chosen, without blanks, and the box of its field on the page as kept."""

    letters: str
    left: float
    bottom: float
    right: float
    top: float


class PageAnnotations(NamedTuple):
    """What a page's annotations say, and how many form fields it has.

    ``shows_text``: an annotation may show text. ``holds_files``: one holds a file.
    """

    lines: list[AnnotationText]
    fields: int
    shows_text: bool
    holds_files: bool
    typed: list[TypedLine]


def read_annotations(page: Any, form: Any) -> PageAnnotations:
    """Return what a reader of the page sees in its annotations. ``form`` is the form environment, None for no form.

    A field is ``name: value``, a box that is ticked ``[x] name``; empty fields say nothing. A free text is a text, a
    note that opens on a click is marked as one, and so is a file that is attached to the page.
    """
    from pypdfium2 import raw

    lines: dict[AnnotationText, None] = {}
    typed: list[TypedLine] = []
    fields = 0
    shows_text = holds_files = False
    for index in range(min(raw.FPDFPage_GetAnnotCount(page.raw), MAX_ANNOTATIONS)):
        annotation = raw.FPDFPage_GetAnnot(page.raw, index)
        if not annotation:
            continue
        try:
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            if raw.FPDFAnnot_GetFlags(annotation) & _HIDDEN or kind in (raw.FPDF_ANNOT_POPUP, raw.FPDF_ANNOT_LINK):
                continue
            shows_text |= kind in (raw.FPDF_ANNOT_WIDGET, raw.FPDF_ANNOT_FREETEXT, raw.FPDF_ANNOT_STAMP)
            if kind == raw.FPDF_ANNOT_FILEATTACHMENT and (file := raw.FPDFAnnot_GetFileAttachment(annotation)):
                holds_files = True
                line = f"> Attached: {name_of(file) or UNNAMED}"
                lines.setdefault(AnnotationText(line, line))
            if kind == raw.FPDF_ANNOT_WIDGET:
                fields += 1
                of_field = list(_field(raw, form, annotation)) if form is not None else []
                lines.update(dict.fromkeys(of_field))
                typed += (line for one in of_field for line in _typed_lines(raw, annotation, one.typed))
            elif text := _string(raw, annotation, b"Contents") or _rich(raw, annotation):
                is_free = kind == raw.FPDF_ANNOT_FREETEXT
                lines.setdefault(AnnotationText(text if is_free else f"> Note: {_one_line(text)}", text))
        finally:
            raw.FPDFPage_CloseAnnot(annotation)
    return PageAnnotations(list(lines), fields, shows_text, holds_files, typed)


def _typed_lines(raw: Any, annotation: Any, typed: str) -> Iterator[TypedLine]:
    box = raw.FS_RECTF()
    if typed and raw.FPDFAnnot_GetRect(annotation, ctypes.byref(box)):
        heights, widths = sorted((box.bottom, box.top)), sorted((box.left, box.right))
        for line in typed.splitlines():
            yield TypedLine("".join(line.split()), widths[0], heights[0], widths[1], heights[1])


def _field(raw: Any, form: Any, annotation: Any) -> Iterator[AnnotationText]:
    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
    name = _one_line(_of_form(raw.FPDFAnnot_GetFormFieldAlternateName, form, annotation))
    name = name or _one_line(_of_form(raw.FPDFAnnot_GetFormFieldName, form, annotation))
    if kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON):
        if raw.FPDFAnnot_IsChecked(form, annotation):
            chosen = _one_line(_of_form(raw.FPDFAnnot_GetFormFieldExportValue, form, annotation))
            # Boxes of one name are distinguished by what they stand for; a single one mostly says "Yes".
            is_one_of_many = raw.FPDFAnnot_GetFormControlCount(form, annotation) > 1
            is_choice = chosen and (is_one_of_many or chosen.casefold() not in _PLAIN_TICKS)
            line = f"- [x] {name}: {chosen}" if is_choice else f"- [x] {name}"
            yield AnnotationText(line, line)
    elif kind not in (raw.FPDF_FORMFIELD_PUSHBUTTON, raw.FPDF_FORMFIELD_SIGNATURE):
        if raw.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD and kind == raw.FPDF_FORMFIELD_TEXTFIELD:
            return
        value = _of_form(raw.FPDFAnnot_GetFormFieldValue, form, annotation).strip()
        if kind in (raw.FPDF_FORMFIELD_LISTBOX, raw.FPDF_FORMFIELD_COMBOBOX):  # as they are shown, not as they are kept
            value = ", ".join(_selected(raw, form, annotation)) or value
        if value:
            line = f"- {name}: {_one_line(value)}" if name else value
            yield AnnotationText(line, line if len(value) <= _SHORT_VALUE else value, value)


def _selected(raw: Any, form: Any, annotation: Any) -> Iterator[str]:
    for index in range(min(raw.FPDFAnnot_GetOptionCount(form, annotation), MAX_ANNOTATIONS)):
        if raw.FPDFAnnot_IsOptionSelected(form, annotation, index):
            length = raw.FPDFAnnot_GetOptionLabel(form, annotation, index, None, 0)
            buffer = _buffer(length)
            raw.FPDFAnnot_GetOptionLabel(form, annotation, index, _as_words(buffer), length)
            yield _one_line(_text(buffer, length))


def _rich(raw: Any, annotation: Any) -> str:
    """Return the words of an annotation that has them with marks of XHTML only."""
    return unescape(_TAG.sub("", _PARAGRAPH_END.sub("\n", _string(raw, annotation, b"RC")))).strip()


def _of_form(get: Any, form: Any, annotation: Any) -> str:
    length = get(form, annotation, None, 0)
    buffer = _buffer(length)
    get(form, annotation, _as_words(buffer), len(buffer))
    return _text(buffer, length)


def _string(raw: Any, annotation: Any, key: bytes) -> str:
    length = raw.FPDFAnnot_GetStringValue(annotation, key, None, 0)
    buffer = _buffer(length)
    raw.FPDFAnnot_GetStringValue(annotation, key, _as_words(buffer), len(buffer))
    return "\n".join(line.rstrip() for line in _text(buffer, length).splitlines()).strip()


def _buffer(length: int) -> Any:
    return ctypes.create_string_buffer(max(2, min(length, _MAX_VALUE_BYTES)))


def _as_words(buffer: Any) -> Any:
    return ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort))


def _text(buffer: Any, length: int) -> str:
    """Return the UTF-16 text in a buffer, without its final zero; nothing where it was too long to be copied."""
    if not 2 < length <= _MAX_VALUE_BYTES:  # noqa: PLR2004 an empty text is its final zero alone
        return ""
    return str(buffer.raw[: length - 2].decode("utf-16-le", "replace"))


def _one_line(text: str) -> str:
    return " ".join(text.split())
