"""What is known of the checks of items while they are read: of cut downloads, and of those that were read whole."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

NO_CHECKSUM = "none"
"""Stands in records for an item whose source names no sum that could be compared: its size was."""

_MOST_NOTES = 10_000
"""More items than are ever between being read and being recorded."""

Check = TypeVar("Check")


class ContentChecks(Generic[Check]):
    """Belongs to one connector and is used by its threads. ``Check`` takes the bytes of an item from the first on.

    A download that is resumed is checked with what came before the cut: else damage would only need a cut to get in.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._suspended: dict[Hashable, tuple[int, Check]] = {}
        self._checked_by: OrderedDict[str, str] = OrderedDict()

    def suspend(self, item: Hashable, position: int, check: Check) -> None:
        """Keep the check of a download that was cut after ``position`` bytes."""
        with self._lock:
            self._suspended[item] = (position, check)

    def resume(self, item: Hashable, offset: int) -> Check | None:
        """Return, once, the check of a download that was cut exactly there. With offset 0 it is dropped."""
        with self._lock:
            position, check = self._suspended.pop(item, (0, None))
        return check if offset and position == offset else None

    def note(self, uri: str, name: str) -> None:
        """Note by which sum an item was checked, for the record of its version."""
        with self._lock:
            self._checked_by[uri] = name
            if len(self._checked_by) > _MOST_NOTES:
                self._checked_by.popitem(last=False)

    def origin_of(self, uri: str) -> dict[str, str]:
        """Return, once, what `BaseConnector.origin` says of the check; nothing when the item was not read here."""
        with self._lock:
            name = self._checked_by.pop(uri, None)
        return {"checksum": name} if name else {}
