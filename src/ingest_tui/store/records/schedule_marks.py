"""What is remembered of the schedule of each source: ``schedules/<source-id>.json``, written by workers."""

from __future__ import annotations

from ingest_tui.model.clock import moment_of, rfc3339
from ingest_tui.model.errors import IngestError
from ingest_tui.model.schedule import ScheduleMark
from ingest_tui.store.fs.atomic import make_inner_folder, write_durably
from ingest_tui.store.fs.encoding import encode_json
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.json_files import read_json

SCHEMA_VERSION = 1


class ScheduleMarks:
    """A mark that is missing or damaged counts as none: the schedule is counted from the next look on."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def get(self, source_id: str) -> ScheduleMark | None:
        """Return the mark of a source."""
        try:
            path = self._layout.schedule_mark(source_id)
            record = read_json(path, newest=SCHEMA_VERSION, what=f"the schedule mark of {source_id!r}")
        except (IngestError, OSError):
            return None
        since = moment_of(str(record.get("since")))
        return None if since is None else ScheduleMark(str(record.get("schedule")), since)

    def save(self, source_id: str, mark: ScheduleMark) -> None:
        """Write the mark of a source durably."""
        path = self._layout.schedule_mark(source_id)
        make_inner_folder(path.parent)
        record = {"schema_version": SCHEMA_VERSION, "schedule": mark.schedule, "since": rfc3339(mark.since)}
        write_durably(path, encode_json(record, indent=True))

    def remove(self, source_id: str) -> None:
        """Forget the mark of a source."""
        self._layout.schedule_mark(source_id).unlink(missing_ok=True)
