"""A memory of listings that lasts as long as the process: for `source test`, scripts and tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping


class VolatileMemory:
    """`ListingMemory` in a dict."""

    def __init__(self) -> None:
        self._entries: dict[str, str] = {}
        self._notes: dict[str, str] = {}

    def note(self, name: str) -> str | None:
        """Return a note."""
        return self._notes.get(name)

    def entry(self, entry_id: str) -> str | None:
        """Return one entry."""
        return self._entries.get(entry_id)

    def entries(self, prefix: str = "") -> Iterator[tuple[str, str]]:
        """Yield ``(id, entry)`` ordered by id, those whose id begins with ``prefix``."""
        for entry_id in sorted(self._entries):
            if entry_id.startswith(prefix):
                yield entry_id, self._entries[entry_id]

    def apply(
        self,
        *,
        put: Iterable[tuple[str, str]] = (),
        remove: Iterable[str] = (),
        remove_prefix: str | None = None,
        notes: Mapping[str, str | None] | None = None,
    ) -> None:
        """Change entries and notes."""
        if remove_prefix is not None:
            self._entries = {key: value for key, value in self._entries.items() if not key.startswith(remove_prefix)}
        for entry_id in remove:
            self._entries.pop(entry_id, None)
        self._entries.update(put)
        for name, value in (notes or {}).items():
            if value is None:
                self._notes.pop(name, None)
            else:
                self._notes[name] = value
