"""PDFs with text and lines at given places, as files for tests: Helvetica, its bold form and Courier."""

from __future__ import annotations

from collections.abc import Sequence

from tests.made_files import pdf_of, stream

PAGE_HEIGHT = 792
_FONTS = {"regular": b"Helvetica", "bold": b"Helvetica-Bold", "fixed": b"Courier"}


class DrawnPage:
    """A page of 612 by 792 points; y grows upwards. What is drawn first is first in the text."""

    def __init__(self) -> None:
        self.drawn: list[bytes] = []

    def text(self, x: float, y: float, text: str, *, size: float = 10, font: str = "regular") -> DrawnPage:
        """Draw a text in one piece."""
        escaped = text.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
        self.drawn.append(b"BT /%s %g Tf %g %g Td (%s) Tj ET" % (font.encode(), size, x, y, escaped))
        return self

    def lines(self, x: float, y: float, *texts: str, size: float = 10, font: str = "regular") -> DrawnPage:
        """Draw texts below one another, 1.2 times their size apart."""
        for number, text in enumerate(texts):
            self.text(x, y - number * size * 1.2, text, size=size, font=font)
        return self

    def rows(
        self, xs: Sequence[float], y: float, *rows: Sequence[str], size: float = 10, pitch: float = 14
    ) -> DrawnPage:
        """Draw rows of cells below one another, each cell at its x; empty ones are left out."""
        for number, row in enumerate(rows):
            for x, cell in zip(xs, row, strict=True):
                if cell:
                    self.text(x, y - number * pitch, cell, size=size)
        return self

    def line(self, x: float, y: float, to_x: float, to_y: float) -> DrawnPage:
        """Draw a line."""
        self.drawn.append(b"%g %g m %g %g l S" % (x, y, to_x, to_y))
        return self

    def grid(self, xs: Sequence[float], ys: Sequence[float]) -> DrawnPage:
        """Draw all lines of a grid."""
        for x in xs:
            self.line(x, min(ys), x, max(ys))
        for y in ys:
            self.line(min(xs), y, max(xs), y)
        return self

    def turn(self, quarters: int) -> DrawnPage:
        """Draw everything turned counterclockwise by quarters, within the page."""
        matrix = (b"1 0 0 1 0 0", b"0 1 -1 0 612 0", b"-1 0 0 -1 612 792", b"0 -1 1 0 0 792")[quarters]
        self.drawn.insert(0, matrix + b" cm")
        return self

    def prose(self, y: float, count: int, *, x: float = 72) -> DrawnPage:
        """Draw so many lines of text of size 10."""
        return self.lines(
            x, y, *(f"This is line {number} of a paragraph that says little more." for number in range(count))
        )


def drawn_pdf(*pages: DrawnPage, outline: Sequence[tuple[str, int]] = (), turned: int = 0) -> bytes:
    """Return a PDF of these pages; ``outline`` has titles with their pages from 0, ``turned`` is /Rotate."""
    fonts = b" ".join(b"/%s %d 0 R" % (name.encode(), 3 + at) for at, name in enumerate(_FONTS))
    first = 3 + len(_FONTS)
    kids = [first + 2 * at for at in range(len(pages))]
    titles = first + 2 * len(pages)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R %s >>" % (b"/Outlines %d 0 R" % titles if outline else b""),
        b"<< /Type /Pages /Kids [%s] /Count %d /MediaBox [0 0 612 %d] /Rotate %d >>"
        % (b" ".join(b"%d 0 R" % kid for kid in kids), len(pages), PAGE_HEIGHT, turned),
        *(
            b"<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>" % name
            for name in _FONTS.values()
        ),
    ]
    for kid, page in zip(kids, pages, strict=True):
        resources = b"/Resources << /Font << %s >> >>" % fonts
        objects.append(b"<< /Type /Page /Parent 2 0 R /Contents %d 0 R %s >>" % (kid + 1, resources))
        objects.append(stream(b"\n".join(page.drawn)))
    if outline:
        last = titles + len(outline)
        objects.append(b"<< /Type /Outlines /First %d 0 R /Last %d 0 R /Count %d >>" % (titles + 1, last, len(outline)))
    for number, (title, page_number) in enumerate(outline, titles + 1):
        around = (b"/Prev %d 0 R " % (number - 1) if number > titles + 1 else b"") + (
            b"/Next %d 0 R" % (number + 1) if number < titles + len(outline) else b""
        )
        objects.append(
            b"<< /Title (%s) /Parent %d 0 R /Dest [%d 0 R /Fit] %s >>"
            % (title.encode(), titles, kids[page_number], around)
        )
    return pdf_of(objects)
