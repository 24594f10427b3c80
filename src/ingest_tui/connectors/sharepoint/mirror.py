"""What is remembered of one drive from listing to listing: a mirror of its items, and how far Graph has reported them.

In the connector's `ListingMemory`, for the drive ``D``:

- entries ``D/<generation>/d/<item-id>`` are folders (`FOLDER_KINDS`), ``D/<generation>/f/<item-id>`` everything else;
- note ``generation:D`` names the generation that is whole, ``delta:D`` the link to ask what changed since (none
  where a cloud has no delta), ``full:D`` when all of it was last enumerated (seconds since the epoch);
- note ``unfinished:D`` is ``<generation> <link>`` of an enumeration under way. It fills a generation of its own, which
  takes the place of the whole one in one step when it is complete, so that nothing is ever forgotten on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ingest_tui.connectors.base import ListingMemory
from ingest_tui.connectors.sharepoint.items import (
    FOLDER_KINDS,
    GONE,
    DriveItem,
    decode_item,
    encode_item,
    read_item,
)

_NOTES = ("generation", "delta", "full", "unfinished")


class Unfinished(NamedTuple):
    """An enumeration under way: the generation it fills, and the link to continue with (empty: from the start)."""

    generation: int
    link: str


class DriveMirror:
    """The mirror of one drive. Each change is all or nothing, also when the process is killed meanwhile."""

    def __init__(self, memory: ListingMemory, drive_id: str) -> None:
        self._memory = memory
        self._drive_id = drive_id

    @property
    def delta_link(self) -> str | None:
        """The link to ask what changed since the mirror was brought up to date, or to go on asking."""
        return self._memory.note(f"delta:{self._drive_id}") if self._whole else None

    @property
    def enumerated_at(self) -> float:
        """When the drive was last enumerated from scratch, in seconds since the epoch; 0 when it never was."""
        try:
            return float(self._memory.note(f"full:{self._drive_id}") or 0)
        except ValueError:
            return 0.0

    @property
    def unfinished(self) -> Unfinished | None:
        """The enumeration that an earlier listing began and did not end."""
        generation, _, link = (self._memory.note(f"unfinished:{self._drive_id}") or "").partition(" ")
        return Unfinished(int(generation), link) if generation.isdigit() else None

    @property
    def _whole(self) -> int:
        generation = self._memory.note(f"generation:{self._drive_id}") or ""
        return int(generation) if generation.isdigit() else 0

    def _prefix(self, generation: int) -> str:
        return f"{self._drive_id}/{generation}/"

    def begin(self) -> Unfinished:
        """Begin an enumeration from scratch next to what is known; a half-done one is dropped."""
        before = self.unfinished
        begun = Unfinished(max(self._whole, before.generation if before else 0) + 1, "")
        self._memory.apply(
            remove_prefix=self._prefix(before.generation) if before else None,
            notes={f"unfinished:{self._drive_id}": f"{begun.generation} "},
        )
        return begun

    def note_changes(self, raw_items: Iterable[dict[str, Any]], link: str) -> None:
        """Apply a page of changes to the whole generation, and remember the link that continues from there."""
        self._apply(self._whole, raw_items, {f"delta:{self._drive_id}": link})

    def note_enumerated(self, unfinished: Unfinished, raw_items: Iterable[dict[str, Any]], link: str) -> None:
        """Keep a page of an enumeration, and the link that continues from there."""
        note = {f"unfinished:{self._drive_id}": f"{unfinished.generation} {link}"}
        self._apply(unfinished.generation, raw_items, note)

    def complete(
        self, unfinished: Unfinished, raw_items: Iterable[dict[str, Any]], delta_link: str | None, at: float
    ) -> None:
        """Keep the last page of an enumeration, which thereby takes the place of what was known before."""
        notes = {
            f"generation:{self._drive_id}": str(unfinished.generation),
            f"delta:{self._drive_id}": delta_link,
            f"full:{self._drive_id}": str(int(at)),
            f"unfinished:{self._drive_id}": None,
        }
        replaced = self._whole
        self._apply(unfinished.generation, raw_items, notes, remove_prefix=self._prefix(replaced) if replaced else None)

    def _apply(
        self,
        generation: int,
        raw_items: Iterable[dict[str, Any]],
        notes: Mapping[str, str | None],
        *,
        remove_prefix: str | None = None,
    ) -> None:
        """An item may be reported several times: the last word counts."""
        prefix = self._prefix(generation)
        last = {str(raw.get("id") or ""): raw for raw in raw_items}
        put: dict[str, str] = {}
        remove: list[str] = []
        for item_id, raw in last.items():
            folder_key, file_key = f"{prefix}d/{item_id}", f"{prefix}f/{item_id}"
            if "deleted" not in raw:
                item = read_item(raw)
                put[folder_key if item.kind in FOLDER_KINDS else file_key] = encode_item(item)
            elif "folder" in raw or self._memory.entry(folder_key) is not None:
                put[folder_key] = encode_item(GONE)
            else:
                remove.append(file_key)
        self._memory.apply(put=put.items(), remove=remove, remove_prefix=remove_prefix, notes=notes)

    def note_folder(self, item_id: str, item: DriveItem) -> None:
        """Keep one folder that was asked for by its id."""
        self._memory.apply(put=[(f"{self._prefix(self._whole)}d/{item_id}", encode_item(item))])

    def has_root(self, unfinished: Unfinished) -> bool:
        """Whether an enumeration under way has named the root of the drive."""
        entries = self._memory.entries(f"{self._prefix(unfinished.generation)}d/")
        return any(decode_item(text).kind == "root" for _, text in entries)

    def folders(self) -> Iterator[tuple[str, DriveItem]]:
        """Yield the folders of the whole generation with their ids, ordered by id."""
        return self._entries("d/")

    def files(self) -> Iterator[tuple[str, DriveItem]]:
        """Yield what is not a folder, ordered by id."""
        return self._entries("f/")

    def _entries(self, part: str) -> Iterator[tuple[str, DriveItem]]:
        prefix = self._prefix(self._whole) + part
        for entry_id, text in self._memory.entries(prefix):
            yield entry_id[len(prefix) :], decode_item(text)

    def forget(self) -> None:
        """Forget the drive."""
        notes = {f"{name}:{self._drive_id}": None for name in _NOTES}
        self._memory.apply(remove_prefix=f"{self._drive_id}/", notes=notes)
