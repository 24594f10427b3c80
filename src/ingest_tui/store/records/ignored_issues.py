"""Which issues people have said to ignore: a journal of its own, because the catalogue can be made again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ingest_tui.model.place import PlaceKey
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.journal import Journal, read_journal


class Ignored(NamedTuple):
    """What is ignored at a place, and by whom. It holds for one mark: anything else there is news."""

    mark: str
    by: str
    at: str


class IgnoredStore:
    """``ignored.jsonl`` of a workspace: what was said last of a place counts. Shared by all processes."""

    def __init__(self, layout: Layout) -> None:
        self._path = layout.ignored
        self._lock_path = layout.lock("ignored")

    def all(self) -> dict[PlaceKey, Ignored]:
        """Return what is ignored, by source and key."""
        ignored: dict[PlaceKey, Ignored] = {}
        for line in read_journal(self._path):
            place = (line["source_id"], line["key"])
            if line["ignore"]:
                ignored[place] = Ignored(line["mark"], line["by"], line["at"])
            else:
                ignored.pop(place, None)
        return ignored

    def note(self, places: Iterable[tuple[PlaceKey, str]], *, ignore: bool, by: str, at: str) -> None:
        """Write durably that the marks at some places are to be ignored, or no more."""
        lines = [
            {"ignore": ignore, "source_id": source_id, "key": key, "mark": mark, "by": by, "at": at}
            for (source_id, key), mark in places
        ]
        lock = FileLock(self._lock_path)
        lock.acquire(10.0, what="the list of what is ignored")
        with lock, Journal(self._path) as journal:
            journal.append(lines)
