"""The structured log of a job: JSON lines that carry job, source, document and phase."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.redaction import redacted_line
from ingest_tui.store.fs.atomic import open_to_append, write_all
from ingest_tui.store.fs.encoding import escaped
from ingest_tui.store.records.rotated_log import LogLimit, lines_from, put_aside


class JobLog:
    """Appends events; each is one write, so lines of several threads do not mix. Not durable against power cuts.

    With a ``limit`` the file is put aside when it has grown.
    """

    def __init__(self, path: Path, limit: LogLimit | None = None, **context: str) -> None:
        self._path = path
        self._limit = limit
        self._descriptor = open_to_append(path)
        self._size = os.fstat(self._descriptor).st_size
        self._context = context
        self._is_torn = False
        self._writing = threading.Lock()

    def event(self, level: str, message: str, **fields: Any) -> None:
        """Write one line, without secrets. ``level``: debug, info, warning or error."""
        at = rfc3339_now()
        record = {"at": at, "level": level, "message": message, **self._context, **fields}
        line = escaped(redacted_line(record))
        with self._writing:
            try:
                write_all(self._descriptor, b"\n" + line if self._is_torn else line)
                self._is_torn = False
                self._size += len(line)
                if self._limit is not None and self._size >= self._limit.size:
                    self._begin_anew(self._limit)
            except OSError:
                self._is_torn = True  # a log that cannot be written must not stop the work

    def _begin_anew(self, limit: LogLimit) -> None:
        put_aside(self._path, limit)
        full, self._descriptor = self._descriptor, open_to_append(self._path)
        os.close(full)
        self._size = 0

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def read_log(path: Path, offset: int = 0) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield the complete lines from byte ``offset`` of the whole log on, each with the offset after it."""
    for line, after in lines_from(path, offset):
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(record, dict):
            yield record, after
