"""PDF with docling and its models: chosen by a user, for its layout and table models. Never reaches the network.

The models are in a folder that the operator names (`MODELS_VARIABLE`, docling's own); a parser process can read it and
nothing else. Text of scans is not read: that is what OCR is for.
"""

from __future__ import annotations

import importlib
import os
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.backends.pdf import describe
from ingest_tui.model.errors import MissingDependencyError, ProcessingError
from ingest_tui.model.foreign_errors import described, is_library_failure

MODELS_VARIABLE = "DOCLING_ARTIFACTS_PATH"
MODELS_HINT = f"run: docling-tools models download -o FOLDER layout tableformer, then set {MODELS_VARIABLE}=FOLDER"


def missing_models() -> str:
    """Return what is wrong with the folder of models, or an empty string; loads nothing. For ``doctor``, too."""
    named = os.environ.get(MODELS_VARIABLE, "")
    if not named:
        return f"{MODELS_VARIABLE} does not name the folder of its models"
    folder = Path(named)
    if not folder.is_absolute() or not folder.is_dir():
        return f"{MODELS_VARIABLE} names no folder: {named}"
    return "" if any(folder.iterdir()) else f"the folder that {MODELS_VARIABLE} names is empty: {named}"


def parse(parse_input: ParseInput) -> Parsed:
    """Return a PDF as docling sees it, page by page.

    Raises as the backend pdf does for what cannot be opened, and `ProcessingError` (``missing_model``, ``malformed``).
    """
    about = describe(parse_input.content)
    if missing := missing_models():
        raise ProcessingError(
            f"docling has no models: {missing}",
            code="missing_model",
            hint=f"{MODELS_HINT}   (or use the backend pdf, which needs none)",
        )
    parse_input.tick()
    converter, stream = _library(os.environ[MODELS_VARIABLE])
    try:
        document = converter.convert(stream(name="document.pdf", stream=BytesIO(parse_input.content))).document
        pages = [document.export_to_markdown(page_no=number).strip() for number in range(1, about.pages + 1)]
    except Exception as error:
        if not is_library_failure(error):
            raise
        raise ProcessingError(
            f"docling cannot read it: {described(error)}"[:300],
            code="malformed",
            hint=f"leave the backend unset to read it with pypdfium2; for missing models: {MODELS_HINT}",
        ) from error
    return about.parsed(pages, read_with="docling")


@lru_cache(maxsize=1)
def _library(models: str) -> tuple[Any, Any]:
    """Return the converter, which keeps its models loaded, and the class of what it reads."""
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "DO_NOT_TRACK": "1"}
    try:
        base = importlib.import_module("docling.datamodel.base_models")
        options = importlib.import_module("docling.datamodel.pipeline_options")
        converters = importlib.import_module("docling.document_converter")
    except ImportError as error:
        raise MissingDependencyError(
            f"docling lacks what it needs: {error}"[:300], hint='pip install "ingest-tui[docling]"'
        ) from error
    pipeline = options.PdfPipelineOptions(artifacts_path=models, do_ocr=False)
    kind = base.InputFormat.PDF
    form = converters.PdfFormatOption(pipeline_options=pipeline)
    return converters.DocumentConverter(allowed_formats=[kind], format_options={kind: form}), base.DocumentStream
