"""Tesseract, which is linked into xberg, with the language data that the system has.

xberg itself would download missing data, cache what it reads, and leave out lines whose words are in no dictionary,
such as those of part numbers. So the data is looked for first, and the text is made from the lines that Tesseract has
found.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

from ingest_tui.extraction.ocr.lines import OcrLine, ReadPage, page_of
from ingest_tui.extraction.ocr.page_image import PageImage
from ingest_tui.extraction.ocr.tessdata import how_to_install, missing_languages
from ingest_tui.model.errors import ProcessingError
from ingest_tui.model.foreign_errors import described

MISSING_DATA = "missing_ocr_data"
_PGM = "image/x-portable-graymap"


class TesseractEngine:
    """Reads pages in some languages. Checks once that their data is there."""

    turns_pages = False

    def __init__(self, languages: tuple[str, ...], folder: str) -> None:
        missing = missing_languages(folder, languages)
        if missing:
            raise ProcessingError(
                f"OCR lacks the language data of Tesseract for {', '.join(missing)}",
                code=MISSING_DATA,
                hint=how_to_install(missing),
            )
        self.identity = f"tesseract {_xberg_version()} {'+'.join(languages)} {_digest_of(folder, languages)}"
        self._config = _config(languages, folder)

    def read(self, image: PageImage) -> ReadPage:
        """Return the text of a page."""
        import xberg

        given = xberg.ExtractInput(kind=xberg.ExtractInputKind.BYTES, bytes=image.as_pgm(), mime_type=_PGM)
        try:
            result = asyncio.run(_extracted(given, self._config))
        except Exception as error:
            raise _failure(described(error)) from error
        if not result.results:
            raise _failure(str(result.errors[0].message) if result.errors else "nothing came back")
        return page_of([_line(one) for one in result.results[0].ocr_elements or ()])


async def _extracted(given: Any, config: Any) -> Any:
    import xberg

    return await xberg.extract(given, config)


def _config(languages: tuple[str, ...], folder: str) -> Any:
    import xberg

    return xberg.ExtractionConfig(
        use_cache=False,
        force_ocr=True,
        enable_quality_processing=False,
        output_format="plain",
        ocr=xberg.OcrConfig(
            backend="tesseract",
            language=list(languages),
            tessdata_path=folder,
            tesseract_config=xberg.TesseractConfig(
                language=list(languages), use_cache=False, enable_table_detection=False, min_confidence=0.0
            ),
            element_config=xberg.OcrElementConfig(include_elements=True, min_confidence=0.0),
        ),
        concurrency=xberg.ConcurrencyConfig(max_threads=1, max_concurrent_ocr=1),
    )


def _line(element: Any) -> OcrLine:
    place = json.loads(str(element.geometry))
    return OcrLine(
        str(element.text),
        float(element.confidence.recognition),
        float(place.get("top", 0)),
        float(place.get("height", 0)),
    )


def _failure(message: str) -> ProcessingError:
    return ProcessingError(f"OCR cannot read a page: {message}"[:300], code="ocr_failed")


def _xberg_version() -> str:
    from importlib import metadata

    return metadata.version("xberg")


def _digest_of(folder: str, languages: tuple[str, ...]) -> str:
    """Return what stands for the data of languages: other data reads otherwise."""
    digest = hashlib.sha256()
    for name in languages:
        digest.update((Path(folder) / f"{name}.traineddata").read_bytes())
    return digest.hexdigest()[:12]
