"""The logs of all jobs and of the worker as one, in the order of their times: their ends, and what is added to them.

However many jobs there are and however long their logs, a look costs a `stat` for each file that is followed, and a
first one reads at most `TAIL_BYTES` of each.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from ingest_tui.model.job_order import job_order
from ingest_tui.model.log import is_at_least
from ingest_tui.store.layout import Layout
from ingest_tui.store.workspace import Workspace

__all__ = ["LogFollower", "follow_logs"]

FOLLOWED_JOBS = 100
TAIL_BYTES = 65_536
_SLICE_BYTES = 4_000_000


def follow_logs(workspace: Workspace) -> LogFollower:
    """Return a follower of the worker's log and of those of the newest and of all unfinished jobs."""
    return LogFollower(workspace.layout)


class LogFollower:
    """Each `read` returns what has been added since the last one; the first one the ends of the logs."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._offsets: dict[Path, int] = {}
        self._is_first = True

    def read(self, *, level: str = "debug") -> list[dict[str, Any]]:
        """Return the new lines of ``level`` or above, oldest first: dictionaries with ``at``, ``level``, ``message``.

        What is no JSON in the worker's log is a line of level "". Files that are gone or unreadable have no lines.
        """
        records = [record for path in self._followed() for record in self._new_of(path)]
        self._is_first = False
        records.sort(key=lambda record: str(record.get("at", "")))
        return [record for record in records if is_at_least(record.get("level"), level)]

    def _followed(self) -> Iterator[Path]:
        yield self._layout.worker_log
        newest, queued = (
            sorted(_names(folder), key=job_order, reverse=True)[:FOLLOWED_JOBS]
            for folder in (self._layout.jobs, self._layout.queue)
        )
        for job_id in dict.fromkeys([*newest, *queued]):
            yield self._layout.jobs / job_id / "log.jsonl"

    def _new_of(self, path: Path) -> Iterable[dict[str, Any]]:
        try:
            size = os.stat(path).st_size  # noqa: PTH116 - hundreds of times a second
            known = self._offsets.get(path)
            if known is None:
                # A log that was not there at the first look is new as a whole.
                known = max(0, size - TAIL_BYTES) if self._is_first else 0
            elif size < known:
                known = 0
            if size == known:
                self._offsets[path] = known
                return []
            with path.open("rb") as handle:
                handle.seek(max(0, known - 1))
                begins_inside = known > 0 and handle.read(1) != b"\n"
                data = handle.read(_SLICE_BYTES)
        except OSError:
            return []
        end = data.rfind(b"\n") + 1
        self._offsets[path] = known + end if end or len(data) < _SLICE_BYTES else known + len(data)
        lines = data[:end].splitlines()
        is_worker = path == self._layout.worker_log
        return filter(None, (_record(line, is_worker=is_worker) for line in lines[1 if begins_inside else 0 :]))


def _names(folder: Path) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if not name.startswith(".")]  # noqa: PTH208 - names are enough
    except OSError:
        return []


def _record(line: bytes, *, is_worker: bool) -> dict[str, Any] | None:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        record = None
    if isinstance(record, dict):
        return record
    text = line.decode("utf-8", "replace").strip()
    return {"at": "", "level": "", "message": text} if is_worker and text else None
