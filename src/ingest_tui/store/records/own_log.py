"""The log that a process writes as its standard error: put aside by the process itself when it has grown."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ingest_tui.store.fs.atomic import open_to_append
from ingest_tui.store.records.rotated_log import LogLimit, put_aside

_STDOUT, _STDERR = 1, 2


class OwnLog:
    """The file at ``path``, as long as that is what standard error goes to; another one is left alone."""

    def __init__(self, path: Path, limit: LogLimit) -> None:
        self._path = path
        self._limit = limit

    def put_aside_when_large(self) -> None:
        """Begin a new file when this one has grown; standard output follows where it went there too."""
        with suppress(OSError):  # where that cannot be, it goes on growing
            status = os.fstat(_STDERR)
            if status.st_size < self._limit.size or not os.path.samestat(status, self._path.stat()):
                return
            put_aside(self._path, self._limit)
            descriptor = open_to_append(self._path)
            try:
                if os.path.samestat(os.fstat(_STDOUT), status):
                    os.dup2(descriptor, _STDOUT)
                os.dup2(descriptor, _STDERR)
            finally:
                os.close(descriptor)
