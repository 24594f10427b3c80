"""Which items of a job are being parsed right now, for its manifest."""

from __future__ import annotations

import time
from datetime import timedelta

from ingest_tui.execution.extractor import Extractor
from ingest_tui.model.clock import rfc3339, utc_now
from ingest_tui.model.job import ParsingItem


class ParsingItems:
    """The items of a job that were handed to the extractor, by the ids of their tasks. Several threads use it."""

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor
        self._keys: dict[str, str] = {}

    def begin(self, task_id: str, key: str) -> None:
        """Take note of an item that is about to be queued for parsing."""
        self._keys[task_id] = key

    def end(self, task_id: str) -> None:
        """Take note that it has its result."""
        self._keys.pop(task_id, None)

    def now(self) -> list[ParsingItem]:
        """Return what is being parsed, the longest first."""
        moment, monotonic = utc_now(), time.monotonic()
        items = []
        for one in sorted(self._extractor.at_work, key=lambda one: one.began_at):
            key = self._keys.get(one.task_id)
            if key is not None:  # another job has its own
                since = moment - timedelta(seconds=monotonic - one.began_at)
                items.append(ParsingItem(key=key, pid=one.pid, since=rfc3339(since)))
        return items
