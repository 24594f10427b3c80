"""What an OCR engine gives, and the one that a request names."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from ingest_tui.extraction.ocr.lines import ReadPage
from ingest_tui.extraction.ocr.page_image import PageImage
from ingest_tui.model.ocr import OcrEngineName


class OcrEngine(Protocol):
    """Reads pictures of pages, one at a time."""

    identity: str
    """Its name, its version, and the language data it reads with: what decides what it finds."""
    turns_pages: bool
    """Whether it finds out by itself which way up a page is."""

    def read(self, image: PageImage) -> ReadPage:
        """Return the text of a page. Raises `ItemError`."""


@lru_cache(maxsize=8)
def engine_for(name: OcrEngineName, languages: tuple[str, ...], tessdata: str) -> OcrEngine:
    """Return the engine of that name, ready to read.

    Raises `MissingDependencyError` when its library is not installed and `ProcessingError` (``missing_ocr_data``) when
    the data of a language is not there.
    """
    if name == "rapidocr":
        from ingest_tui.extraction.ocr.rapid import RapidEngine

        return RapidEngine()
    from ingest_tui.extraction.ocr.tesseract import TesseractEngine

    return TesseractEngine(languages, tessdata)
