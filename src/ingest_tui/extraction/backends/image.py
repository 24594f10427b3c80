"""Images, read by OCR where it is switched on."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from ingest_tui.extraction.backends.base import Parsed, ParseInput, join_pages
from ingest_tui.extraction.intake.refused import name_of
from ingest_tui.extraction.markup.literal_text import literal
from ingest_tui.extraction.ocr.page_image import MOST_PIXELS, PageImage
from ingest_tui.model.errors import IngestError, ItemRejectedError, MissingDependencyError, ProcessingError
from ingest_tui.model.extraction import Element, Finding
from ingest_tui.model.foreign_errors import described
from ingest_tui.model.ocr import HINT_IF_OCR_FOUND_NOTHING, HOW_TO_SWITCH_ON, NEEDS_OCR, OCR_FOUND_NOTHING

_LARGEST_PIXELS = 150_000_000
"""Decoded it takes up to 600 MB."""
_SMALL_SIDE = 1_000
"""Pixels: screenshots and thumbnails below it are read twice as large, as if scanned at 200 dots per inch or more."""
_LEAST_SIDE = 16
_MOST_PAGES = 2_000
_WHITE, _BLACK = 255, 0
_HEIF_HINT = 'pip install "ingest-tui[heic]"'


def parse(parse_input: ParseInput) -> Parsed:
    """Return the text that an image shows; of a TIFF that of all its pages.

    Raises `ItemRejectedError` (``needs_ocr``, ``image_too_large``), `ProcessingError` (``malformed``) and
    `MissingDependencyError` where what reads this kind of image is not installed.
    """
    ocr = parse_input.ocr
    if not ocr.is_on:
        what = name_of(parse_input.content)
        raise ItemRejectedError(f"cannot read {what} without OCR", code=NEEDS_OCR, hint=HOW_TO_SWITCH_ON)
    texts, elements = [], []
    for number, image in enumerate(_pages(parse_input), 1):
        texts.append(literal(ocr.read(image, number)))
        parse_input.tick()
        if texts[-1]:
            elements.append(Element(texts[-1], {"category": "Page", "page_number": number}))
    findings = [Finding("error", "pages_left_out", f"only the first {_MOST_PAGES} pages are read")]
    markdown, page_starts = join_pages(texts)
    return Parsed(
        markdown,
        elements,
        pages=len(texts),
        page_starts=page_starts,
        findings=findings if len(texts) == _MOST_PAGES else [],
        hint_if_empty=HINT_IF_OCR_FOUND_NOTHING,
        code_if_empty=OCR_FOUND_NOTHING,
    )


def _pages(parse_input: ParseInput) -> Iterator[PageImage]:
    """Yield the pages of a TIFF, of other images the first picture."""
    try:
        with _opened(parse_input) as image:
            number_of_pages = getattr(image, "n_frames", 1) if image.format in ("TIFF", "MPO") else 1
            pages = number_of_pages if parse_input.format.name == "tiff" else 1
            for index in range(min(pages, _MOST_PAGES)):
                image.seek(index)
                yield _page_image(image)
    except IngestError:
        raise
    except (OSError, ValueError, SyntaxError, EOFError, ArithmeticError, LookupError, TypeError) as error:
        raise ProcessingError(
            f"the image cannot be read: {described(error)}"[:300],
            code="malformed",
            hint="the file may be cut short; fetch it again",
        ) from error


def _opened(parse_input: ParseInput) -> Any:
    from PIL import Image

    if parse_input.format.name == "heic":
        if importlib.util.find_spec("pi_heif") is None:
            raise MissingDependencyError("HEIC images need pi-heif, which is not installed", hint=_HEIF_HINT)
        importlib.import_module("pi_heif").register_heif_opener()
    Image.MAX_IMAGE_PIXELS = None  # the size is checked here, with a reason
    image = Image.open(BytesIO(parse_input.content))
    _check_size(image)
    return image


def _check_size(image: Any) -> None:
    if image.width * image.height > _LARGEST_PIXELS:
        raise ItemRejectedError(
            f"an image of {image.width:,} x {image.height:,} pixels, more than the {_LARGEST_PIXELS:,} that are read",
            code="image_too_large",
            hint="make it smaller, or cut it",
        )


def _page_image(image: Any) -> PageImage:
    from PIL import ExifTags, Image, ImageOps

    _check_size(image)
    if image.width * image.height > MOST_PIXELS:
        image.draft("L", _fitting(image.width, image.height))  # a JPEG can be decoded smaller
    grey = _in_grey(image)
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    if orientation != 1:  # turned when it is grey and small, which takes less memory
        grey.getexif()[ExifTags.Base.Orientation] = orientation
        grey = ImageOps.exif_transpose(grey)
    wanted = _fitting(grey.width, grey.height)
    if wanted != grey.size:
        grey = grey.resize(wanted, Image.Resampling.LANCZOS)
    if min(grey.size) < _LEAST_SIDE:
        return PageImage(0, 0, b"")
    return PageImage(grey.width, grey.height, grey.tobytes())


def _fitting(width: int, height: int) -> tuple[int, int]:
    """Return the size in which a picture is read: within what an engine takes, and not so small that letters blur."""
    if width * height > MOST_PIXELS:
        scale = (MOST_PIXELS / (width * height)) ** 0.5
        return max(1, int(width * scale)), max(1, int(height * scale))
    return (width * 2, height * 2) if _LEAST_SIDE <= max(width, height) < _SMALL_SIDE else (width, height)


def _in_grey(image: Any) -> Any:
    """Return a picture in shades of grey; what is transparent shows the colour of paper."""
    if image.mode.startswith(("I", "F")):  # deeper than eight bits: the shades that there are, spread out
        deep = image if image.mode == "F" else image.convert("I")
        darkest, brightest = deep.getextrema()
        factor = 255 / ((brightest - darkest) or 1)
        return deep.point(lambda value: value * factor - darkest * factor).convert("L")
    if not (image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info):
        return image.convert("L")
    on_white = _on_paper(image, _WHITE)
    shades = on_white.getextrema()
    return _on_paper(image, _BLACK) if shades[0] == shades[1] else on_white


def _on_paper(image: Any, shade: int) -> Any:
    from PIL import Image

    drawn = image.convert("RGBA")
    paper = Image.new("RGBA", drawn.size, (shade, shade, shade, 255))
    paper.alpha_composite(drawn)
    return paper.convert("L")
