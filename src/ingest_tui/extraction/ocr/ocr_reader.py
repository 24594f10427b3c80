"""The pages of one document that are read by OCR: which, with what result, and what is to be said about it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

from ingest_tui.extraction.ocr.engine import OcrEngine, engine_for
from ingest_tui.extraction.ocr.lines import ReadPage
from ingest_tui.extraction.ocr.page_cache import cached_page
from ingest_tui.extraction.ocr.page_image import PageImage
from ingest_tui.model.errors import IngestError
from ingest_tui.model.extraction import MAX_FINDING_CHARACTERS, Finding
from ingest_tui.model.ocr import OcrPage, OcrRequest

LITTLE_CONFIDENCE = 0.6
"""Pages below it are named in a finding, and tried the other ways up."""
_SURE = 0.8
_OTHER_WAYS_UP = (1, 3, 2)
"""Quarters: scans lie on a side more often than upside down."""
_PAGES_NAMED = 10


class _Read(NamedTuple):
    place: str
    page: OcrPage


class OcrReader:
    """Reads pages of one document and of the documents within it, as far as a request says."""

    def __init__(self, request: OcrRequest, tick: Callable[[], None]) -> None:
        self._request = request
        self._tick = tick
        self._read: list[_Read] = []
        self._engine: OcrEngine | None = None
        self._part = ""
        self._unavailable = ""
        self.new_pages: list[OcrPage] = []
        """What was not in the cache."""

    @property
    def is_on(self) -> bool:
        """Whether anything is read by OCR."""
        return self._request.is_on

    def within(self, part: str) -> str:
        """Take the next pages as those of a part of the document, empty: of itself; returns what it was before."""
        before, self._part = self._part, part
        return before

    def wants(self, text: str) -> bool:
        """Whether a page of a PDF is to be read that has this text of its own."""
        if self._request.mode == "auto":
            from ingest_tui.extraction.pdf.page_text import is_noise

            return not text.strip() or is_noise(text)
        return self._request.mode == "always"

    def read(self, image: PageImage, number: int) -> str:
        """Return the text of page ``number`` (from 1), empty where there is none. Raises `ItemError`."""
        engine = self._ready_engine()
        if image.is_blank:
            return ""
        key = hashlib.sha256(f"{engine.identity} {image.digest()}".encode()).hexdigest()
        page = cached_page(self._request.cache, key)
        if page is None:
            found = self._recognise(engine, image)
            page = OcrPage(key, found.text, found.confidence)
            self.new_pages.append(page)
        self._tick()
        if page.text:
            place = f"page {number} of {self._part}" if self._part else f"page {number}"
            self._read.append(_Read(place, page))
        return page.text

    def _recognise(self, engine: OcrEngine, image: PageImage) -> ReadPage:
        """Read a page, turned where it does not seem to be upright."""
        best = engine.read(image)
        if engine.turns_pages or best.confidence >= LITTLE_CONFIDENCE:
            return best
        for quarters in _OTHER_WAYS_UP:
            self._tick()
            other = engine.read(image.turned(quarters))
            best = max(best, other, key=_certain_letters)
            if best.confidence >= _SURE:
                break
        return best

    def _ready_engine(self) -> OcrEngine:
        if self._engine is None:
            try:
                self._engine = engine_for(self._request.engine, self._request.languages, self._request.tessdata)
            except IngestError as error:
                self._unavailable = error.message
                raise
        return self._engine

    def findings(self) -> list[Finding]:
        """Return what is to be said about the pages that were read."""
        if self._unavailable:  # seen where a part of the document needed it, which is left out then
            return [Finding("error", "ocr_unavailable", self._unavailable[:MAX_FINDING_CHARACTERS])]
        unsure = [read for read in self._read if read.page.confidence < LITTLE_CONFIDENCE]
        if not unsure:
            return []
        named = ", ".join(f"{read.place} ({read.page.confidence:.0%})" for read in unsure[:_PAGES_NAMED])
        more = ", …" if len(unsure) > _PAGES_NAMED else ""
        message = f"OCR is not sure of what it has read, words may be wrong: {named}{more}"
        return [Finding("warning", "ocr_low_confidence", message[:MAX_FINDING_CHARACTERS])]

    def record(self) -> dict[str, Any] | None:
        """Return what is kept of the reading with the document; None when nothing was read by OCR."""
        if not self._read or self._engine is None:
            return None
        confidences = [read.page.confidence for read in self._read]
        return {
            "engine": self._request.engine,
            "languages": list(self._request.languages),
            "pages": len(confidences),
            "mean_confidence": round(sum(confidences) / len(confidences), 3),
            "least_confidence": min(confidences),
        }


def _certain_letters(page: ReadPage) -> float:
    return page.confidence * len(page.text)


NO_OCR = OcrReader(OcrRequest(), lambda: None)
"""Reads nothing."""
