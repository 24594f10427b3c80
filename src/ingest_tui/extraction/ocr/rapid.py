"""RapidOCR: slower than Tesseract and better on rough scans and photos. Its models come with its package.

One model reads all its languages (Latin scripts, Chinese, Japanese), so that those of a request only name what is read.
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

from ingest_tui.extraction.ocr.lines import OcrLine, ReadPage, page_of
from ingest_tui.extraction.ocr.page_image import PageImage
from ingest_tui.model.errors import MissingDependencyError

HOW_TO_INSTALL = 'pip install "ingest-tui[rapidocr]"'
_PACKAGES = ("rapidocr", "onnxruntime")
_SETTINGS = {
    "Global.log_level": "error",
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}


def is_installed() -> bool:
    """Return whether what it needs is there; imports nothing."""
    return all(importlib.util.find_spec(name) is not None for name in _PACKAGES)


class RapidEngine:
    """Reads pages with the models of the package."""

    turns_pages = False

    def __init__(self) -> None:
        if not is_installed():
            raise MissingDependencyError("OCR by rapidocr needs a package that is not installed", hint=HOW_TO_INSTALL)
        from importlib import metadata

        package = importlib.import_module("rapidocr")
        models = sorted(path.name for path in (Path(str(package.__file__)).parent / "models").glob("*.onnx"))
        self.identity = f"rapidocr {metadata.version('rapidocr')} {' '.join(models)}"
        self._reader = package.RapidOCR(params=_SETTINGS)

    def read(self, image: PageImage) -> ReadPage:
        """Return the text of a page."""
        numpy = importlib.import_module("numpy")
        shades = numpy.frombuffer(image.pixels, numpy.uint8).reshape(image.height, image.width)
        found = self._reader(shades)
        if found.txts is None:
            return page_of([])
        boxes = zip(found.txts, found.scores, found.boxes, strict=True)
        return page_of([_line(text, score, box) for text, score, box in boxes])


def _line(text: str, score: float, box: Any) -> OcrLine:
    """Return a line from the corners of its box."""
    heights = [float(corner[1]) for corner in box]
    return OcrLine(str(text), float(score), min(heights), max(heights) - min(heights))
