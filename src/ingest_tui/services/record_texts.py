"""The records of the workspace as JSON texts: to be copied, looked at in an editor, and for sources saved again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson

from ingest_tui.model.errors import IngestError, ValidationError
from ingest_tui.model.source import Source
from ingest_tui.services.documents import documents
from ingest_tui.services.documents.export import checked_target
from ingest_tui.services.jobs import jobs
from ingest_tui.services.sources import sources
from ingest_tui.store.fs.atomic import write_durably
from ingest_tui.store.fs.encoding import encode_json
from ingest_tui.store.workspace import Workspace

__all__ = ["record_text", "save_source_text", "source_text", "write_text"]


def record_text(workspace: Workspace, kind: str, name: str) -> str:
    """Return a record as indented JSON. ``kind``: ``job`` (manifest), ``source``, or ``document`` (ingestion.json)."""
    record: dict[str, Any]
    if kind == "job":
        record = jobs.get_job(workspace, name).model_dump(mode="json", by_alias=True)
    elif kind == "source":
        return source_text(sources.get_source(workspace, name))
    else:
        record = documents.ingestion_record(workspace, name)
    return encode_json(record, indent=True).decode() + "\n"


def source_text(source: Source) -> str:
    """Return the record of a source as indented JSON."""
    return encode_json(source.model_dump(mode="json"), indent=True).decode() + "\n"


def save_source_text(workspace: Workspace, source_id: str, text: str, before: str) -> Source:
    """Save a source as somebody has written it, who began with ``before``.

    Raises `ValidationError` that says what is wrong, `ConflictError` when the source has changed since they began; both
    keep the old.
    """
    seen = Source.model_validate(orjson.loads(before))
    try:
        record = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValidationError(
            f"this is not JSON: {error}", hint="correct it there, or leave the source as it was"
        ) from None
    if not isinstance(record, dict):
        raise ValidationError("the record of a source is an object", hint="it begins with { and ends with }")
    return sources.replace_source(workspace, source_id, record, based_on=seen)


def write_text(workspace: Workspace, target: Path, text: str, *, replace: bool = False) -> Path:
    """Write a text into a file outside of the workspace, whole or not at all; returns where it is.

    A file that is there is refused unless ``replace``.
    """
    place = checked_target(workspace, target.expanduser(), replace=replace, is_folder=False)
    try:
        write_durably(place, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise IngestError(f"{os.fspath(place)}: {error.strerror}", hint="name another place") from None
    return place
