"""The structured log of a job: JSON lines that carry job, source, document and phase."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.redaction import redacted_line
from ingest_tui.store.fs.atomic import open_to_append, write_all
from ingest_tui.store.fs.encoding import escaped
from ingest_tui.store.records.journal import whole_lines


class JobLog:
    """Appends events; each is one write, so lines of several threads do not mix. Not durable against power cuts."""

    def __init__(self, path: Path, **context: str) -> None:
        self._descriptor = open_to_append(path)
        self._context = context
        self._is_torn = False

    def event(self, level: str, message: str, **fields: Any) -> None:
        """Write one line, without secrets. ``level``: debug, info, warning or error."""
        at = rfc3339_now()
        record = {"at": at, "level": level, "message": message, **self._context, **fields}
        line = escaped(redacted_line(record))
        try:
            write_all(self._descriptor, b"\n" + line if self._is_torn else line)
            self._is_torn = False
        except OSError:
            self._is_torn = True  # a log that cannot be written must not stop the work

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def read_log(path: Path, offset: int = 0) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield the complete lines from byte ``offset`` on, each with the offset after it."""
    for line, after in whole_lines(path, offset):
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(record, dict):
            yield record, after
