"""The unstructured library: chosen by a user, for its element categories. Never reaches the network.

As shipped it calls home on import and downloads a language model at first use, waiting without end where there is no
network (measured with 0.27.32). Both are shut off here: where the model is missing, sentences and words are split by
rule, and a finding says so.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from typing import Any

from ingest_tui.extraction.backends.base import Parsed, ParseInput, join_pages
from ingest_tui.extraction.backends.sentence_rules import RuleBasedPipeline
from ingest_tui.extraction.markup.literal_text import heading, literal
from ingest_tui.model.errors import IngestError, MissingDependencyError, ProcessingError
from ingest_tui.model.extraction import Element, Finding

IMAGES = ("png", "jpeg", "tiff", "bmp", "heic")
"""Read by its own OCR, which works through the program tesseract."""
MODEL = "en_core_web_sm"
MODEL_COMMAND = f"python -m spacy download {MODEL}"

_QUIET = {"DO_NOT_TRACK": "1", "SCARF_NO_ANALYTICS": "true", "UNSTRUCTURED_DISABLE_NOTICE": "1"}
_PARTITIONS: dict[str, tuple[str, str]] = {
    "text": ("text", "partition_text"),
    "markdown": ("md", "partition_md"),
    "csv": ("csv", "partition_csv"),
    "tsv": ("tsv", "partition_tsv"),
    "json": ("json", "partition_json"),
    "ndjson": ("ndjson", "partition_ndjson"),
    "html": ("html", "partition_html"),
    "xml": ("xml", "partition_xml"),
    "eml": ("email", "partition_email"),
    "rtf": ("rtf", "partition_rtf"),
    "docx": ("docx", "partition_docx"),
    "odt": ("odt", "partition_odt"),
    "pptx": ("pptx", "partition_pptx"),
    "xlsx": ("xlsx", "partition_xlsx"),
    "xls": ("xlsx", "partition_xlsx"),
    "msg": ("msg", "partition_msg"),
    "pdf": ("pdf", "partition_pdf"),
    **dict.fromkeys(IMAGES, ("image", "partition_image")),
}
_STRATEGIES = {"pdf": "fast", **dict.fromkeys(IMAGES, "ocr_only")}
_PACKAGE_FOR = {"pdf": "unstructured[pdf]", **dict.fromkeys(IMAGES, "unstructured[image]")}
"""They bring torch, so that they are no part of our extra."""
_WITHOUT_PROSE = frozenset(("csv", "tsv", "json", "ndjson", "xlsx", "xls"))
FORMATS = frozenset(_PARTITIONS)
_KEPT_METADATA = ("page_number", "page_name", "category_depth", "languages", "parent_id", "sent_from", "subject")
_PAGED = ("pdf", "pptx", "ppt")
"""Formats of which the page numbers are those of pages or slides, and not sheets or guesses."""
_LEFT_OUT = frozenset(("PageBreak", "PageNumber"))


def model_is_installed() -> bool:
    """Say whether the language model is there that prose needs; imports nothing."""
    return importlib.util.find_spec(MODEL) is not None


def missing_model() -> str:
    """Return what is missing, or an empty string when the language model is there; for ``doctor``."""
    return "" if model_is_installed() else f"its language model {MODEL} is missing: sentences are split by rule"


def parse(parse_input: ParseInput) -> Parsed:
    """Return a document as unstructured sees it; each element keeps its ``category``.

    Raises `ProcessingError` (``missing_model``, ``malformed``) and `MissingDependencyError` where the part of the
    library that reads this format is not installed.
    """
    partition = _partition_for(parse_input.format.name)
    strategy = _STRATEGIES.get(parse_input.format.name)
    options = {"strategy": strategy} if strategy else {}
    try:
        found = partition(file=BytesIO(parse_input.content), **options)
    except IngestError:
        raise
    except ImportError as error:
        raise _missing_part(parse_input.format.name, error) from error
    except Exception as error:
        cause = _our_own(error)
        if cause is not None:
            raise cause from error
        raise ProcessingError(
            f"unstructured cannot read it: {type(error).__name__}: {error}"[:300], code="malformed"
        ) from error
    elements = [_element(one) for one in found if one.category not in _LEFT_OUT and str(one.text).strip()]
    pages = {number for one in elements if (number := one.metadata.get("page_number"))}
    markdown, page_starts = join_pages(_pages_of(elements))
    knows_pages = pages and parse_input.format.name in _PAGED
    return Parsed(
        markdown,
        elements,
        pages=len(pages) or None,
        page_starts=page_starts if knows_pages else [],
        findings=_findings(parse_input.format.name),
    )


def _findings(format_name: str) -> list[Finding]:
    if format_name in _WITHOUT_PROSE or model_is_installed():
        return []
    message = f"its language model is missing: sentences are split by rule, categories may differ; {MODEL_COMMAND}"
    return [Finding("warning", "language_model_missing", message)]


def _pages_of(elements: list[Element]) -> list[str]:
    """Return the markdown of each page; what has no page number is on that of the element above it."""
    pages: list[list[str]] = [[]]
    for one in elements:
        number = one.metadata.get("page_number") or 1
        pages += [[] for _ in range(number - len(pages))]
        pages[-1].append(_markdown_of(one))
    return ["\n\n".join(blocks) for blocks in pages]


@lru_cache(maxsize=32)
def _partition_for(format_name: str) -> Callable[..., Any]:
    os.environ.update(_QUIET)  # read by the library when it is imported
    module, function = _PARTITIONS[format_name]
    try:
        _use_rules_without_model()
        loaded = importlib.import_module(f"unstructured.partition.{module}")
    except ImportError as error:
        raise _missing_part(format_name, error) from error
    partition: Callable[..., Any] = getattr(loaded, function)
    return partition


def _use_rules_without_model() -> None:
    """Give the library rules in place of a model that it would fetch under an endless lock."""
    if model_is_installed():
        return
    tokenize = importlib.import_module("unstructured.nlp.tokenize")
    if not hasattr(tokenize, "_load_spacy_model"):
        raise _missing_model()  # another release: what it would do is not known, so nothing is tried
    tokenize._load_spacy_model = RuleBasedPipeline  # type: ignore[attr-defined]  # noqa: SLF001


def _missing_model() -> ProcessingError:
    return ProcessingError(
        f"unstructured needs the language model {MODEL}, which is not installed",
        code="missing_model",
        hint=f"{MODEL_COMMAND}   (or use the default backend, which needs no model)",
    )


def _missing_part(format_name: str, error: ImportError) -> MissingDependencyError:
    return MissingDependencyError(
        f"unstructured lacks what it needs for {format_name}: {error}"[:300],
        hint=f'pip install "{_PACKAGE_FOR.get(format_name, "ingest-tui[unstructured]")}"',
    )


def _our_own(error: BaseException | None) -> IngestError | None:
    """Return our own error from under those the library has put around it."""
    while error is not None:
        if isinstance(error, IngestError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _element(one: Any) -> Element:
    metadata = one.metadata.to_dict()
    kept = {name: metadata[name] for name in _KEPT_METADATA if metadata.get(name) is not None}
    table = metadata.get("text_as_html")
    if one.category == "Table" and table:
        kept["text_as_html"] = table
    return Element(str(one.text), {"category": one.category, **kept})


def _markdown_of(element: Element) -> str:
    category = element.metadata["category"]
    text = element.text.strip()
    if category == "Title":
        return heading(min(int(element.metadata.get("category_depth") or 0) + 1, 6), text)
    if category == "ListItem":
        return f"- {literal(text)}"
    table = element.metadata.get("text_as_html")
    if table:
        from ingest_tui.extraction.backends.html import html_to_markdown_text

        return html_to_markdown_text(f"<html><body>{table}</body></html>").strip() or text
    return literal(text)
