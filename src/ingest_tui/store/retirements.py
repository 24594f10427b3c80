"""What the folders of the trash say, and when it was last looked at."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ingest_tui.model.clock import moment_of, rfc3339
from ingest_tui.model.errors import IngestError
from ingest_tui.model.trash_grace import ClockNote
from ingest_tui.store.fs.atomic import write_durably
from ingest_tui.store.fs.encoding import encode_json
from ingest_tui.store.layout import RETIRED, Layout
from ingest_tui.store.records.json_files import read_json

SCHEMA_VERSION = 1


def retirement_of(layout: Layout, collection_id: str, document_id: str) -> dict[str, Any] | None:
    """Return retired.json of a document in the trash; None where it is not there or cannot be read."""
    try:
        path = layout.trashed(collection_id, document_id) / RETIRED
        return read_json(path, newest=SCHEMA_VERSION, what="the note of a retirement")
    except (IngestError, OSError):
        return None


def time_in(record: dict[str, Any], name: str) -> datetime | None:
    """Return an aware time that a record holds as text; None where there is none."""
    return moment_of(str(record.get(name)))


def read_clock_note(layout: Layout) -> ClockNote | None:
    """Return when the trash was last looked at; None where nobody knows."""
    try:
        record = read_json(layout.trash_clock, newest=SCHEMA_VERSION, what="the clock of the trash")
    except (IngestError, OSError):
        return None
    looked_at = time_in(record, "looked_at")
    return None if looked_at is None else ClockNote(looked_at, time_in(record, "doubted_at"))


def write_clock_note(layout: Layout, note: ClockNote) -> None:
    """Note when the trash was looked at."""
    record = {
        "schema_version": SCHEMA_VERSION,
        "looked_at": rfc3339(note.looked_at),
        "doubted_at": None if note.doubted_at is None else rfc3339(note.doubted_at),
    }
    write_durably(layout.trash_clock, encode_json(record, indent=True))
