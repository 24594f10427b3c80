"""Reads lines, words and drawn lines of a page through PDFium: the only module here that knows of it."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from ingest_tui.extraction.page_layout.model import UNKNOWN_STYLE, DrawnRule, PageLine, Rules, Style, Word

MAX_LINES = 2_000
"""A page with more lines is kept as plain text, and so is one whose text is drawn in more pieces than `MAX_RUNS`."""
MAX_RUNS = 5_000
MAX_WORDS = 6_000
_SMALLEST, _LARGEST = 1, 1_000
_FARTHEST = 20_000
_HIGHEST_LINE = 1.15
"""In sizes of the letters: from the deepest to the highest letter."""
_TALL = 1.8
_SIZE_OF_SCALED = 3
"""Programs that write all letters in size 1 scale each text by itself."""
_SAME_HEIGHT = 0.4
_LONGEST_BOLD_CHECKED = 200
_MAX_OBJECTS = 10_000
_MAX_SEGMENTS = 5_000
_THICKEST_RULE = 3.0
_SHORTEST_RULE = 4.0
_WHOLE_PAGE = 0.8
_LONGEST_FONT_NAME = 128
_FIXED_PITCH = 1  # ISO 32000-1, table 123: bits 1 and 19
_FORCE_BOLD = 1 << 18
_BOLD_NAME = re.compile(rb"bold|black|heavy|demi|[-,](?:bd|medi)\b|^(?:\w{6}\+)?(?:cmbx|cmssbx|sfbx)", re.IGNORECASE)
_FIXED_NAME = re.compile(rb"mono|courier|consol|typewriter|cmtt|nimbusmon", re.IGNORECASE)
_WORD = re.compile(r"\S+")


class LayoutReader:
    """Asks PDFium for the geometry of one page, as seldom as possible: each call takes a microsecond.

    ``text`` is what `get_text_range` gives, one character for each that PDFium counts; ``ranges`` are its lines.
    """

    def __init__(self, page: Any, text_page: Any, text: str) -> None:
        from pypdfium2 import raw

        self._raw = raw
        self._page = page
        self._handle = text_page.raw
        self._text = text
        self._looks: dict[bytes, tuple[bool, bool]] = {}
        self._scales: dict[float, float] = {}
        self._styles: dict[Style, Style] = {}
        self._words = 0
        self._name = ctypes.create_string_buffer(_LONGEST_FONT_NAME)
        self._flags = ctypes.c_int()
        self._sides = [ctypes.c_double() for _ in range(4)]  # left, top, right, bottom
        self._box = raw.FS_RECTF()

    def lines(self, ranges: list[tuple[int, int]]) -> list[PageLine]:
        """Return the lines of the page. Where a limit is reached, nothing is known of any of them."""
        if len(ranges) > MAX_LINES or self._raw.FPDFText_CountRects(self._handle, 0, len(self._text)) > MAX_RUNS:
            return [PageLine(start, end) for start, end in ranges]
        lines: list[PageLine] = []
        for start, end in ranges:
            line = self._line(start, end) if end > start else PageLine(start, end)
            if lines and _is_same_line(lines[-1], line):
                line = _put_together(lines.pop(), line)
            lines.append(line)
        return lines

    def _line(self, start: int, end: int) -> PageLine:
        runs, height, middle = self._runs(start, end)
        first = start
        while first < end - 1 and self._text[first].isspace():
            first += 1
        size = self._raw.FPDFText_GetFontSize(self._handle, first)
        size *= self._scale(first, size, height)
        if not runs or not _SMALLEST <= size <= _LARGEST or not _is_on_paper(runs[0][0], runs[-1][1], middle):
            return PageLine(start, end)
        if height > size * _TALL:  # PDFium took lines of several columns for one: it is no row, and no heading
            return PageLine(start, end, UNKNOWN_STYLE, runs[0][0], max(run[1] for run in runs), middle)
        bold, fixed = self._look(first)
        if bold and end - start < _LONGEST_BOLD_CHECKED and not self._look(end - 1)[0]:
            bold = False
        style = Style(round(size * 2) / 2, bold, fixed)
        style = self._styles.setdefault(style, style)
        first_gap, later_gap, right = _gaps_of(runs)
        first_gap, later_gap = first_gap / size, later_gap / size
        return PageLine(start, end, style, runs[0][0], right, middle, max(first_gap, later_gap), later_gap)

    def _runs(self, start: int, end: int) -> tuple[list[tuple[float, float]], float, float]:
        """Return the pieces that a line was drawn in, as ``(left, right)``; its height, and that of its middle."""
        get_rect, handle = self._raw.FPDFText_GetRect, self._handle
        to_left, to_top, to_right, to_bottom = self._sides
        runs: list[tuple[float, float]] = []
        lowest, highest = float("inf"), float("-inf")
        for index in range(self._raw.FPDFText_CountRects(handle, start, end - start)):
            get_rect(handle, index, to_left, to_top, to_right, to_bottom)
            top, bottom = to_top.value, to_bottom.value
            runs.append((to_left.value, to_right.value))
            # min() and max() are felt where each word is drawn by itself
            if bottom < lowest:  # noqa: PLR1730
                lowest = bottom
            if top > highest:  # noqa: PLR1730
                highest = top
        if len(runs) > 1:
            runs.sort()
        return runs, highest - lowest, (highest + lowest) / 2

    def _scale(self, index: int, size: float, height: float) -> float:
        """Return by what the size of a letter is to be multiplied; 0 for turned text.

        Mostly it is the same for a size all over a page; it is asked again where letters are higher than it says.
        """
        known = self._scales.get(size)
        if known is not None and height <= size * known * _HIGHEST_LINE and size > _SIZE_OF_SCALED:
            return known
        matrix = self._raw.FS_MATRIX()
        if not self._raw.FPDFText_GetMatrix(self._handle, index, matrix) or abs(matrix.b) > abs(matrix.d) / 2:
            return 0
        return self._scales.setdefault(size, abs(matrix.d)) if known is None else abs(matrix.d)

    def _look(self, index: int) -> tuple[bool, bool]:
        """Say whether a letter is bold and whether its font has one width for all."""
        name, flags = self._name, self._flags
        length = self._raw.FPDFText_GetFontInfo(self._handle, index, name, _LONGEST_FONT_NAME, flags)
        if not 0 < length <= _LONGEST_FONT_NAME:
            return False, False
        known = self._looks.get(name.value)
        if known is None:
            known = (
                bool(_BOLD_NAME.search(name.value)) or bool(flags.value & _FORCE_BOLD),
                bool(_FIXED_NAME.search(name.value)) or bool(flags.value & _FIXED_PITCH),
            )
            self._looks[name.value] = known
        return known

    def words(self, line: PageLine) -> list[Word]:
        """Return the words of a line with their boxes; none when the page had more than `MAX_WORDS` of them."""
        words: list[Word] = []
        for match in _WORD.finditer(self._text, line.start, line.end):
            self._words += 1
            if self._words > MAX_WORDS:
                return []
            left, bottom, right, top = self._character(match.start())
            if match.end() - match.start() > 1:
                last = self._character(match.end() - 1)
                left, right = min(left, last[0]), max(right, last[2])
                bottom, top = min(bottom, last[1]), max(top, last[3])
            if not _is_on_paper(left, bottom, right, top):
                return []
            words.append(Word(match.start(), match.end(), left, bottom, right, top))
        return words

    def _character(self, index: int) -> tuple[float, float, float, float]:
        box = self._box
        self._raw.FPDFText_GetLooseCharBox(self._handle, index, box)
        return box.left, box.bottom, box.right, box.top

    def rules(self) -> Rules:
        """Return the drawn lines of the page; none of a page that draws more than a table needs."""
        raw = self._raw
        count = raw.FPDFPage_CountObjects(self._page.raw)
        rules = Rules([], [])
        if not 0 < count <= _MAX_OBJECTS:
            return rules
        width, height = self._page.get_size()
        segments = 0
        for drawn in self._paths(count):
            segments += raw.FPDFPath_CountSegments(drawn)
            if segments > _MAX_SEGMENTS:
                return Rules([], [])
            for box in self._boxes(drawn):
                if box[2] - box[0] < width * _WHOLE_PAGE or box[3] - box[1] < height * _WHOLE_PAGE:
                    _add_box(rules, box)
        return rules

    def _paths(self, count: int) -> Iterator[Any]:
        get_object, get_type, page = self._raw.FPDFPage_GetObject, self._raw.FPDFPageObj_GetType, self._page.raw
        path = self._raw.FPDF_PAGEOBJ_PATH
        for index in range(count):
            drawn = get_object(page, index)
            if get_type(drawn) == path:
                yield drawn

    def _boxes(self, drawn: Any) -> Iterator[tuple[float, float, float, float]]:
        """Yield what a path draws as boxes: lines as thin ones. What is neither line nor box is left out."""
        raw = self._raw
        left, bottom, right, top = (ctypes.c_float() for _ in range(4))
        if not raw.FPDFPageObj_GetBounds(drawn, left, bottom, right, top):
            return
        box = (left.value, bottom.value, right.value, top.value)
        if right.value - left.value <= _THICKEST_RULE or top.value - bottom.value <= _THICKEST_RULE:
            yield box
            return
        yield from _boxes_of_points(self._points(drawn))

    def _points(self, drawn: Any) -> list[list[tuple[float, float]]]:
        """Return the straight parts of a path on the page, each as its points; none of a path with curves."""
        raw = self._raw
        matrix = raw.FS_MATRIX()
        if not raw.FPDFPageObj_GetMatrix(drawn, matrix):
            return []
        parts: list[list[tuple[float, float]]] = []
        x, y = ctypes.c_float(), ctypes.c_float()
        for index in range(raw.FPDFPath_CountSegments(drawn)):
            segment = raw.FPDFPath_GetPathSegment(drawn, index)
            kind = raw.FPDFPathSegment_GetType(segment)
            if kind == raw.FPDF_SEGMENT_BEZIERTO:
                return []
            raw.FPDFPathSegment_GetPoint(segment, x, y)
            point = (
                matrix.a * x.value + matrix.c * y.value + matrix.e,
                matrix.b * x.value + matrix.d * y.value + matrix.f,
            )
            if kind == raw.FPDF_SEGMENT_MOVETO or not parts:
                parts.append([point])
            else:
                parts[-1].append(point)
            if raw.FPDFPathSegment_GetClose(segment):
                parts[-1].append(parts[-1][0])
        return parts


def _gaps_of(runs: list[tuple[float, float]]) -> tuple[float, float, float]:
    """Return the gap after the first of some pieces, the widest one after the others, and where all end."""
    right = runs[0][1]
    gaps = []
    for left, run_right in runs[1:]:
        gaps.append(left - right)
        right = max(right, run_right)
    return gaps[0] if gaps else 0.0, max(0.0, *gaps[1:]) if gaps[1:] else 0.0, right


def _is_same_line(before: PageLine, after: PageLine) -> bool:
    """Say whether one line goes on at the same height: PDFium begins a new one where letters differ in height."""
    size = min(before.style.size, after.style.size)
    return size > 0 and abs(before.middle - after.middle) < size * _SAME_HEIGHT and before.right <= after.left


def _put_together(before: PageLine, after: PageLine) -> PageLine:
    size = max(before.style.size, after.style.size)
    between = (after.left - before.right) / size
    return PageLine(
        before.start,
        after.end,
        before.style._replace(bold=before.style.bold and after.style.bold),
        before.left,
        after.right,
        before.middle,
        max(before.gap, between, after.gap),
        max(before.later_gap, after.gap),
    )


def _is_on_paper(*places: float) -> bool:
    return all(-_FARTHEST < place < _FARTHEST for place in places)


def _boxes_of_points(parts: list[list[tuple[float, float]]]) -> Iterator[tuple[float, float, float, float]]:
    for part in parts:
        for (x, y), (next_x, next_y) in pairwise(part):
            if abs(x - next_x) <= 1 or abs(y - next_y) <= 1:
                yield min(x, next_x), min(y, next_y), max(x, next_x), max(y, next_y)


def _add_box(rules: Rules, box: tuple[float, float, float, float]) -> None:
    left, bottom, right, top = box
    if not _is_on_paper(*box):
        return
    if top - bottom <= _THICKEST_RULE and right - left >= _SHORTEST_RULE:
        rules.level.append(DrawnRule((bottom + top) / 2, left, right))
    elif right - left <= _THICKEST_RULE and top - bottom >= _SHORTEST_RULE:
        rules.upright.append(DrawnRule((left + right) / 2, bottom, top))
