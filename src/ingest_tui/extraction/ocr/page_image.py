"""The picture of a page, as every OCR engine takes it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

DOTS_PER_INCH = 300
MOST_PIXELS = 20_000_000
"""A3 at 300 dots per inch has 17 million; larger pictures are made smaller."""
_POINTS_PER_INCH = 72


@dataclass(frozen=True, slots=True)
class PageImage:
    """A picture in shades of grey: one byte for each pixel, 0 is black, row by row without padding."""

    width: int
    height: int
    pixels: bytes

    @property
    def is_blank(self) -> bool:
        """Whether all of it has one shade."""
        return not self.pixels or self.pixels.count(self.pixels[:1]) == len(self.pixels)

    def digest(self) -> str:
        """Return what stands for the picture."""
        return hashlib.sha256(b"%d %d " % (self.width, self.height) + self.pixels).hexdigest()

    def as_pgm(self) -> bytes:
        """Return it as a file that image libraries read (netpbm's PGM: a header before the pixels)."""
        return b"P5\n%d %d\n255\n" % (self.width, self.height) + self.pixels

    def turned(self, quarters: int) -> PageImage:
        """Return it turned anticlockwise by so many quarters."""
        from PIL import Image

        image = Image.frombytes("L", (self.width, self.height), self.pixels)
        way = (None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)[quarters % 4]
        image = image if way is None else image.transpose(way)
        return PageImage(image.width, image.height, image.tobytes())


def picture_of_pdf_page(page: Any) -> PageImage:
    """Return what a page of pypdfium2 shows. The caller must have PDFium to itself."""
    width, height = page.get_size()
    wanted = DOTS_PER_INCH / _POINTS_PER_INCH
    largest = (MOST_PIXELS / max(width * height, 1)) ** 0.5
    bitmap = page.render(scale=min(wanted, largest), grayscale=True)
    try:
        data, stride = bytes(bitmap.buffer), bitmap.stride
        if stride != bitmap.width:
            data = b"".join(data[row * stride : row * stride + bitmap.width] for row in range(bitmap.height))
        return PageImage(bitmap.width, bitmap.height, data)
    finally:
        bitmap.close()
