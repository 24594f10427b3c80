"""Optical character recognition: whether pictures of text are read, in which languages, and by which engine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from zlib import crc32

OcrMode = Literal["never", "auto", "always"]
"""``auto``: images, and pages of a PDF without text. ``always``: every page of a PDF, too."""
OcrEngineName = Literal["tesseract", "rapidocr"]
OCR_SETTINGS = ("ocr", "ocr_languages", "ocr_engine")
"""The fields of a source that say how it reads pictures."""

NEEDS_OCR = "needs_ocr"
"""The reason of what holds pictures of text only, and is not read while OCR is switched off."""
OCR_FOUND_NOTHING = "ocr_found_nothing"
"""The reason of what OCR has found no text in."""
OCR_REASONS = frozenset({NEEDS_OCR, OCR_FOUND_NOTHING})
"""Reasons that may pass when the settings of OCR change."""

HOW_TO_SWITCH_ON = "'ingest-tui source edit SOURCE --ocr auto' reads it"
HINT_IF_OCR_FOUND_NOTHING = "OCR has found no text in it; other --ocr-languages may find more"
_LANGUAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]{1,39}")
_MOST_LANGUAGES = 10


@dataclass(frozen=True, slots=True)
class OcrRequest:
    """How pictures of text are read in one document; crosses the pipe to a parser process as JSON values.

    ``languages`` are the codes of Tesseract (``eng``, ``deu``, ``chi_sim``). ``tessdata`` is the folder of their data,
    ``cache`` that of pages that were read before; empty: there is none.
    """

    mode: OcrMode = "never"
    languages: tuple[str, ...] = ("eng",)
    engine: OcrEngineName = "tesseract"
    tessdata: str = ""
    cache: str = ""

    @property
    def is_on(self) -> bool:
        """Whether anything is read by OCR."""
        return self.mode != "never"


NO_OCR_REQUEST = OcrRequest()


@dataclass(frozen=True, slots=True)
class OcrPage:
    """A page as OCR has read it. ``key`` stands for its picture and for what read it; ``confidence`` is from 0 to 1."""

    key: str
    text: str
    confidence: float

    @property
    def checksum(self) -> int:
        """Return the CRC-32 of what was read, and of which picture."""
        return crc32(f"{self.key} {float(self.confidence)!r} {self.text}".encode("utf-8", "surrogatepass"))


def check_languages(value: str) -> str:
    """Return ``eng+deu`` as it is kept: each language once. Raises ValueError for what names no languages."""
    names = list(dict.fromkeys(part.strip() for part in value.split("+")))
    if not 0 < len(names) <= _MOST_LANGUAGES or not all(_LANGUAGE.fullmatch(name) for name in names):
        raise ValueError("languages are written as eng+deu, by their names in Tesseract")
    return "+".join(names)


def lack_in_words(lack: tuple[str, str], where: str = "this machine") -> str:
    """Return in a sentence what OCR lacks on a machine, and how to get it."""
    return f"on {where} {lack[0]}: {lack[1]}; 'ingest-tui doctor' lists what is here"
