"""The logs of all jobs and of the worker as one, in the order of their times: their ends, and what is added to them.

However many jobs there are and however long their logs, a look costs a `stat` for each file that is followed, and a
first one reads at most `TAIL_BYTES` of each.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ingest_tui.model.job_order import job_order
from ingest_tui.model.log import is_at_least
from ingest_tui.services.jobs.audit_trail import AuditQuery
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.rotated_log import lines_from, log_end
from ingest_tui.store.workspace import Workspace

__all__ = ["LogFollower", "LogQuery", "follow_logs"]

FOLLOWED_JOBS = 100
TAIL_BYTES = 65_536
_SLICE_BYTES = 4_000_000
_OF_A_JOB = "job "


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which lines: of ``level`` or above, of a source, about an address that has the words of ``document``, since then.

    ``since`` is the beginning of an RFC 3339 time in UTC, such as a day. Raises `UsageError` for a time that is none.
    """

    level: str = "debug"
    source: str = ""
    document: str = ""
    since: str = ""

    def __post_init__(self) -> None:
        """Look at the time."""
        AuditQuery(since=self.since)

    @property
    def is_narrowed(self) -> bool:
        """Whether older lines may be meant than those at the ends of the logs."""
        return bool(self.source or self.document or self.since)

    def takes(self, record: dict[str, Any]) -> bool:
        """Tell whether a line is wanted."""
        return (
            is_at_least(record.get("level"), self.level)
            and (not self.source or record.get("source") == self.source)
            and (not self.document or self.document in str(record.get("document", "")))
            and str(record.get("at", "")) >= self.since
        )


def follow_logs(workspace: Workspace, *, whole: bool = False) -> LogFollower:
    """Return a follower of the worker's log and of those of the newest and of all unfinished jobs.

    ``whole``: its first look is at all of these logs, not at their ends.
    """
    return LogFollower(workspace.layout, tail_bytes=None if whole else TAIL_BYTES)


class LogFollower:
    """Each `read` returns what has been added since the last one; the first one the ends of the logs."""

    def __init__(self, layout: Layout, *, tail_bytes: int | None = TAIL_BYTES) -> None:
        self._layout = layout
        self._tail_bytes = tail_bytes
        self._offsets: dict[Path, int] = {}
        self._seen: dict[Path, tuple[int, int]] = {}
        self._told_by_worker: Counter[tuple[str, str]] = Counter()
        self._told_by_job: Counter[tuple[str, str]] = Counter()
        self._is_first = True

    def read(self, *, level: str = "debug") -> list[dict[str, Any]]:
        """Return the new lines of ``level`` or above, oldest first: dictionaries with ``at``, ``level``, ``message``.

        What is no JSON in the worker's log is a line of level "". Files that are gone or unreadable have no lines.
        Start and end of a job are in its log and in the worker's; here they are one line.
        """
        records = [record for path in self._followed() for record in self._new_of(path) if self._is_news(path, record)]
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

    def _is_news(self, path: Path, record: dict[str, Any]) -> bool:
        """Tell whether the other log has not said the same of the job already."""
        message = str(record.get("message", ""))
        if not message.startswith(_OF_A_JOB):
            return True
        is_worker = path == self._layout.worker_log
        line = (str(record.get("job", "")) if is_worker else path.parent.name, message)
        here, there = self._told_by_job, self._told_by_worker
        if is_worker:
            here, there = there, here
        here[line] += 1
        return here[line] > there[line]

    def _new_of(self, path: Path) -> list[dict[str, Any]]:
        try:
            status = os.stat(path)  # noqa: PTH116 - hundreds of times a second
        except OSError:
            return []
        now = status.st_ino, status.st_size
        if self._seen.get(path) == now:
            return []
        try:
            lines, is_all = self._lines_of(path)
        except OSError:
            return []
        if is_all:
            self._seen[path] = now
        is_worker = path == self._layout.worker_log
        return [record for line in lines if (record := _record(line, is_worker=is_worker)) is not None]

    def _lines_of(self, path: Path) -> tuple[list[bytes], bool]:
        """Return some of the lines that are new, and whether these are all."""
        end, known = log_end(path), self._offsets.get(path)
        begins_inside = False
        if known is None or end < known:
            # A log that was not there at the first look, or was begun again, is new as a whole.
            is_tail = known is None and self._is_first and self._tail_bytes is not None
            known = max(0, end - (self._tail_bytes or 0)) if is_tail else 0
            begins_inside = known > 0
        start, found = known - begins_inside, []
        for line, after in lines_from(path, start):
            found.append(line)
            known = after
            if after - start >= _SLICE_BYTES and not self._reads_whole:
                break
        self._offsets[path] = known
        return found[1 if begins_inside else 0 :], known >= end

    @property
    def _reads_whole(self) -> bool:
        return self._is_first and self._tail_bytes is None


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
