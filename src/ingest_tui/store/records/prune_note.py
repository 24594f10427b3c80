"""When a worker pruned a workspace last: ``prune.json``."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from ingest_tui.model.clock import moment_of, rfc3339
from ingest_tui.model.errors import IngestError
from ingest_tui.store.fs.atomic import write_durably
from ingest_tui.store.fs.encoding import encode_json
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.json_files import read_json

SCHEMA_VERSION = 1


class PruneNote(NamedTuple):
    """When it was, how many things went, and the space that this freed."""

    pruned_at: datetime
    items: int = 0
    bytes: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"pruned_at": rfc3339(self.pruned_at), "items": self.items, "bytes": self.bytes}


def read_prune_note(layout: Layout) -> PruneNote | None:
    """Return the note; None where there is none, or none that can be read."""
    try:
        record = read_json(layout.prune_note, newest=SCHEMA_VERSION, what="the note of the last prune")
    except (IngestError, OSError):
        return None
    moment = moment_of(str(record.get("pruned_at")))
    numbers = [record.get(name) for name in ("items", "bytes")]
    if moment is None:
        return None
    return PruneNote(moment, *(number if isinstance(number, int) else 0 for number in numbers))


def write_prune_note(layout: Layout, note: PruneNote) -> None:
    """Write the note durably."""
    write_durably(layout.prune_note, encode_json({"schema_version": SCHEMA_VERSION, **note.as_dict()}, indent=True))
