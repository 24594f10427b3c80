"""Pictures of text, drawn for the tests of OCR."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont

from ingest_tui.extraction.ocr.tessdata import missing_languages, tessdata_folder
from ingest_tui.model.ocr import OcrMode, OcrRequest
from tests.made_files import pdf_of, pdf_pages, stream

LINES = ("Annual report of the orchard", "Apples are round and red")
LANGUAGES = ("eng", "deu")


def ocr_request(mode: OcrMode = "auto", languages: tuple[str, ...] = ("eng",)) -> OcrRequest:
    """Return a request for Tesseract with the data of this system; the test fails where that is not installed."""
    folder = tessdata_folder()
    if missing_languages(folder, LANGUAGES):
        pytest.fail("these tests need: apt install tesseract-ocr-eng tesseract-ocr-deu")
    return OcrRequest(mode, languages, tessdata=folder)


def drawn(lines: Sequence[str] = LINES, *, size: tuple[int, int] = (900, 300), shade: int = 0) -> Image.Image:
    """Return a picture of lines in dark letters on white."""
    image = Image.new("L", size, 255)
    pen = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=40)
    for number, line in enumerate(lines):
        pen.text((40, 40 + 70 * number), line, font=font, fill=shade)
    return image


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return an image as a file of a kind that Pillow writes."""
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def scanned_pdf(pages: Sequence[Image.Image | str]) -> bytes:
    """Return a PDF with a page for each: a picture that fills its width, or a line of text."""
    pictures = [page for page in pages if not isinstance(page, str)]
    objects = pdf_pages(*[page if isinstance(page, str) else "" for page in pages], more=[*map(_picture, pictures)])
    number = len(objects) - len(pictures)
    for at, page in enumerate(pages):
        if not isinstance(page, str):
            number += 1
            place = 3 + 2 * at
            objects[place] = objects[place].replace(
                b"/Resources <<", b"/Resources << /XObject << /I %d 0 R >>" % number
            )
            objects[place + 1] = stream(b"q 600 0 0 %d 0 400 cm /I Do Q" % (600 * page.height // page.width))
    return pdf_of(objects)


def _picture(image: Image.Image) -> bytes:
    form = b"/Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /ColorSpace /DeviceGray /Filter /FlateDecode"
    return stream(zlib.compress(image.tobytes()), form % image.size)
