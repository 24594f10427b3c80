"""What OCR lacks on this machine for what somebody has chosen."""

from __future__ import annotations

from ingest_tui.model.collection import CollectionPreferences
from ingest_tui.model.ocr import OcrRequest
from ingest_tui.model.source import Source
from ingest_tui.pipeline.connecting import with_preferences
from ingest_tui.store.workspace import Workspace


def missing_for_ocr(workspace: Workspace, source: Source) -> tuple[str, str] | None:
    """Return what OCR lacks here for a source that is switched to it or names languages, and how to get it.

    None for nothing.
    """
    from ingest_tui.pipeline.job.ocr import ocr_of, what_ocr_lacks, what_request_lacks

    in_force = with_preferences(workspace, source)
    if source.ocr_languages:
        return what_request_lacks(ocr_of(in_force, workspace.settings))
    return what_ocr_lacks(in_force, workspace.settings)


def missing_for_ocr_languages(languages: str) -> tuple[str, str] | None:
    """Return what Tesseract lacks here for languages, written as ``eng+deu``, and how to get it; None for nothing."""
    from ingest_tui.pipeline.job.ocr import what_request_lacks

    return what_request_lacks(OcrRequest("auto", tuple(languages.split("+"))))


def missing_for_ocr_preferences(preferences: CollectionPreferences) -> tuple[str, str] | None:
    """Return what Tesseract lacks here for the languages that a collection names, as `missing_for_ocr_languages`."""
    if not preferences.ocr_languages or preferences.ocr_engine == "rapidocr":
        return None
    return missing_for_ocr_languages(preferences.ocr_languages)
