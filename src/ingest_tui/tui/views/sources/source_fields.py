"""The fields that the form of every source has, whatever its type."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from ingest_tui.model.attachments import AttachmentsSetting
from ingest_tui.model.collection import CollectionPreferences
from ingest_tui.model.ocr import OcrEngineName, OcrMode
from ingest_tui.model.source import DEFAULT_MAX_SIZE
from ingest_tui.services.sources.draft_settings import PREFERENCE_FIELDS
from ingest_tui.tui.widgets.fields import Field, fields_of

_MEGABYTE = 1_000_000


def shown_size(number: int) -> str:
    """Return bytes as people enter them, to the byte."""
    return f"{number // _MEGABYTE}MB" if number and number % _MEGABYTE == 0 else str(number)


AS_THE_WORKSPACE = "default"
"""The choice of what the settings of the workspace say."""
LEFT_TO_THE_WORKSPACE = ("attachments", "ocr", "ocr_engine")
NAME = Field("name", "what you call it; left empty, it follows from the place")
WATCH = Field("watch", "sync by itself on changes, while a worker runs", kind="switch", default=False)
TAKES = [
    Field("allow_types", "take only these types, e.g. pdf, docx (empty: all)", kind="list", label="types"),
    Field("deny_types", "take none of these, e.g. docm; takes precedence", kind="list", label="not these types"),
    Field("max_size", "leave out what is larger, e.g. 20MB", default=shown_size(DEFAULT_MAX_SIZE), label="largest"),
    Field("since", "leave out what was last changed before that day, e.g. 2026-01-31"),
]
HOW = [
    Field("collection_id", "the collection its documents go to", default="default", label="collection", group="How"),
    Field("priority", "0 to 1000; lower runs first", default=100),
    Field("backend", "read everything with this backend, e.g. unstructured"),
    Field("by_type", "a backend for single types, e.g. pdf=unstructured", kind="list", label="backends"),
    Field("schema_file", "check documents by this JSON Schema or Table Schema", label="schema"),
    Field(
        "schema_violations",
        "what does not follow the schema",
        kind="choice",
        choices=("report", "reject"),
        default="report",
        label="violations",
    ),
    Field(
        "containers",
        "what is in archives: documents of their own, or refuse archives",
        kind="choice",
        choices=("documents", "refuse"),
        default="documents",
        label="archives",
    ),
    Field(
        "attachments",
        "files attached to mails and PDFs: part of the text, documents of their own, or names alone",
        kind="choice",
        choices=(AS_THE_WORKSPACE, *get_args(AttachmentsSetting)),
        default=AS_THE_WORKSPACE,
    ),
    Field(
        "ocr",
        "read images, and PDF pages without text (auto) or all pages (always)",
        kind="choice",
        choices=(AS_THE_WORKSPACE, *get_args(OcrMode)),
        default=AS_THE_WORKSPACE,
    ),
    Field("ocr_languages", "what OCR reads, e.g. eng+deu (empty: as in the workspace)", label="ocr languages"),
    Field(
        "ocr_engine",
        "what OCR reads with; rapidocr is an extra",
        kind="choice",
        choices=(AS_THE_WORKSPACE, *get_args(OcrEngineName)),
        default=AS_THE_WORKSPACE,
        label="ocr engine",
    ),
    Field("hold_items", "ask before more documents than this are deleted at once (empty: 10)", label="ask above"),
    Field("hold_share", "and only if they are more than this share of all (empty: 0.1)", label="and share"),
    Field("hold_always_share", "ask always above this share, however few (empty: 0.5)", label="ask above share"),
]
HOLD = ("hold_items", "hold_share", "hold_always_share")
WHEN = [
    Field("every", "sync so often while a worker runs: 15m, 6h, 1d", group="Schedule"),
    Field("cron", "or at the times of five cron fields, e.g. 30 6 * * MON-FRI"),
    Field("tz", "the time zone of cron and quiet hours, e.g. Europe/Berlin (empty: UTC)", label="time zone"),
    Field("jitter", "begin up to so much later, e.g. 2m, not all at once"),
    Field("quiet_hours", "begin no scheduled sync then, e.g. 22:00-06:00"),
]


def _preference_fields() -> list[Field]:
    """Return the preferences that a source can choose for itself; empty is as the collection says."""
    by_name = {field.name: field for field in fields_of(CollectionPreferences)}
    fields = [replace(by_name[key], default="") for key in PREFERENCE_FIELDS]
    # Lists are written as the command line takes them, so that an empty one is none at all.
    texts = [replace(field, kind="text") if field.kind == "list" else field for field in fields]
    return [replace(texts[0], group="In place of the collection (empty: as it says)"), *texts[1:]]


PREFERENCES = _preference_fields()
OURS = ("name", "watch", *(field.name for field in (*TAKES, *HOW, *WHEN, *PREFERENCES)))
