"""How the files of a source are read by OCR: its own settings, else those of the workspace."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

from ingest_tui.extraction.intake.formats import BY_EXTENSION, extension_of
from ingest_tui.extraction.ocr.tessdata import how_to_install, missing_languages, tessdata_folder
from ingest_tui.model.errors import RefusedError
from ingest_tui.model.hashing import short_digest
from ingest_tui.model.languages import ocr_languages_of
from ingest_tui.model.ocr import OcrRequest
from ingest_tui.model.source import Source
from ingest_tui.store.fs.atomic import make_inner_folder
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.settings import Settings

_MAY_HOLD_PICTURES = frozenset({"pdf", "eml", "mbox", "msg", "tnef"})


def ocr_of(source: Source, settings: Settings) -> OcrRequest:
    """Return whether, in which languages and by what the files of a source are read by OCR."""
    languages = source.ocr_languages or settings.ocr_languages
    return OcrRequest(source.ocr or settings.ocr, tuple(languages.split("+")), source.ocr_engine or settings.ocr_engine)


def ocr_on_this_machine(request: OcrRequest, layout: Layout) -> OcrRequest:
    """Return a request with the folders of this machine: Tesseract's data, and the pages that were read before."""
    return replace(request, tessdata=tessdata_folder(), cache=str(layout.ocr_pages)) if request.is_on else request


def folders_for_ocr(request: OcrRequest, layout: Layout) -> list[Path]:
    """Return the folders that parsers read for OCR besides their input; that of pages is made, or no wall opens to it.

    A folder that cannot be made is one without pages.
    """
    if not request.is_on:
        return []
    with contextlib.suppress(OSError, RefusedError):
        make_inner_folder(layout.ocr_pages)
    folder = tessdata_folder()
    return [layout.ocr_pages, *([Path(folder)] if folder else [])]


def what_ocr_lacks(source: Source, settings: Settings) -> tuple[str, str] | None:
    """Return what OCR lacks on this machine to read the files of a source, and how to get it; None for nothing."""
    request = ocr_of(source, settings)
    return what_request_lacks(request) if request.is_on else None


def what_request_lacks(request: OcrRequest) -> tuple[str, str] | None:
    """Return what OCR lacks on this machine for a request, on or off, and how to get it; None for nothing."""
    if request.engine == "rapidocr":
        from ingest_tui.extraction.ocr import rapid  # with what reads pages

        return None if rapid.is_installed() else ("OCR needs rapidocr, which is not installed", rapid.HOW_TO_INSTALL)
    missing = missing_languages(tessdata_folder(), request.languages)
    if not missing:
        return None
    what = f"OCR lacks the language data of Tesseract for {', '.join(missing)}"
    if meant := next((name for name in missing if ocr_languages_of([name])), ""):
        return what, f"Tesseract calls {meant} {ocr_languages_of([meant])}"
    return what, how_to_install(missing)


def digest_of(request: OcrRequest) -> str:
    """Return what stands for the settings of OCR in a ruleset; empty while it is off."""
    if not request.is_on:
        return ""
    return short_digest(request.mode, *request.languages, request.engine, length=8)


def may_need_ocr(file_name: str) -> bool:
    """Whether a file of that name may hold pictures of text; a name that promises nothing may be any file."""
    kind = BY_EXTENSION.get(extension_of(file_name))
    return kind is None or kind.family == "image" or kind.name in _MAY_HOLD_PICTURES
