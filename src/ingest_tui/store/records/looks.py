"""What is known of the last look at each source: one small file a source, written by the job that holds the source."""

from __future__ import annotations

from ingest_tui.model.errors import IngestError, NotFoundError, SchemaVersionError, StoreError
from ingest_tui.model.look import SCHEMA_VERSION, Look
from ingest_tui.store.fs.atomic import make_inner_folder
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.json_files import read_record, write_record


def why_hold_is_closed(layout: Layout, source_id: str, job_id: str) -> str:
    """Return why the deletions that a job held need no answer any more; empty while they do."""
    try:
        if not layout.source(source_id).exists():
            return f"there is no source {source_id} any more"
        last = LookStore(layout).get(source_id).job_id
    except IngestError:  # of a newer program, or of a manifest whose source can be none: nothing is known
        return ""
    return "" if last in {"", job_id} else f"job {last} has looked at the source since, and shows what it misses"


class LookStore:
    """``looks/`` of a workspace. A record that is missing or damaged says nothing, so that nothing rests on it."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def get(self, source_id: str) -> Look:
        """Return what is known of the last look at a source; raises `SchemaVersionError` for a newer record."""
        path = self._layout.look(source_id)
        try:
            look = read_record(path, Look, newest=SCHEMA_VERSION, what=f"the last look at source {source_id!r}")
        except SchemaVersionError:
            raise
        except (NotFoundError, StoreError):
            return Look.unknown(source_id)
        return look if look.source_id == source_id else Look.unknown(source_id)

    def save(self, look: Look) -> None:
        """Write what is known of a source durably. For the holder of the source's lock."""
        path = self._layout.look(look.source_id)
        make_inner_folder(path.parent)
        write_record(path, look)

    def remove(self, source_id: str) -> None:
        """Forget the looks at a source."""
        self._layout.look(source_id).unlink(missing_ok=True)
