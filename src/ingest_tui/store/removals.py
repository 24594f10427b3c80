"""What people removed, kept apart from catalogue and trash: ``removals.jsonl``.

A removal holds for the content of a place, also when the trash was emptied, and must then outlive the catalogue too:
a document that somebody removed would come back with the next sync. Each line is what is known of one place, as in the
catalogue, or says that no removal holds there any more; the last one of a place counts. It is written before the
catalogue commits. Of a change that is undone after that a line is left over, which harms nothing while its place has a
document: a place that has one is no removed place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from ingest_tui.model.place import KnownPlace, PlaceKey
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.fs.atomic import sync_folder
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.journal import Journal, read_journal

_ENDED = "ended"


def note_removals(
    layout: Layout, catalogue: Catalogue, locations: Mapping[PlaceKey, KnownPlace], forgotten: Iterable[PlaceKey]
) -> None:
    """Write down durably which removals a change of these places begins and ends. For the holder of the commit lock.

    Costs one question to an index where nothing is removed and nothing ever was.
    """
    begun = {place: row for place, row in locations.items() if _is_removal(row)}
    known = _known_removals(catalogue, {*locations, *forgotten})
    lines = [row._asdict() for place, row in begun.items() if known.get(place) != row]
    lines += [{"source_id": source, "key": key, _ENDED: True} for source, key in sorted(known.keys() - begun.keys())]
    if not layout.removals.exists() and (lines or known or catalogue.has_removals()):
        # Those of an older program, or of a file that was lost, come first.
        lines = [*(row._asdict() for row in catalogue.removals()), *lines]
    if not lines:
        return
    is_new = not layout.removals.exists()
    with Journal(layout.removals) as journal:
        journal.append(lines)
    if is_new:
        sync_folder(layout.root)


def lost_removals(layout: Layout, catalogue: Catalogue) -> list[KnownPlace]:
    """Return the removals that the catalogue has and the file does not.

    None where an older program made the workspace, which wrote no such file: the next change of documents does.
    """
    was_upgraded = any(layout.root.glob("*schema-*"))  # what upgrades keep: backup-schema-1, catalogue.schema-2.db
    if was_upgraded and not layout.removals.exists():
        return []
    noted = read_removals(layout)
    return [row for row in catalogue.removals() if noted.get(row.place_key) != row]


def note_lost_removals(layout: Layout, catalogue: Catalogue) -> int:
    """Write down what `lost_removals` finds; returns how many. Under the commit lock."""
    lost = lost_removals(layout, catalogue)
    if lost:
        with Journal(layout.removals) as journal:
            journal.append(row._asdict() for row in lost)
    return len(lost)


def read_removals(layout: Layout) -> dict[PlaceKey, KnownPlace | None]:
    """Return what is known of removed places, None for those where no removal holds any more."""
    found: dict[PlaceKey, KnownPlace | None] = {}
    for line in read_journal(layout.removals):
        row = _row_of(line)
        if row is not None:
            found[row.source_id, row.key] = row
        elif _ENDED in line:
            found[str(line.get("source_id")), str(line.get("key"))] = None
    return found


def _row_of(line: dict[str, Any]) -> KnownPlace | None:
    try:
        row = KnownPlace(**line)
    except TypeError:  # of another form: it says nothing
        return None
    return row if _is_removal(row) else None


def _is_removal(row: KnownPlace) -> bool:
    return row.document_id is None and bool(row.removed_sha256)


def _known_removals(catalogue: Catalogue, places: set[PlaceKey]) -> dict[PlaceKey, KnownPlace]:
    if not places or not catalogue.has_removals():
        return {}
    return {place: row for place, row in _known(catalogue, places) if _is_removal(row)}


def _known(catalogue: Catalogue, places: set[PlaceKey]) -> Iterator[tuple[PlaceKey, KnownPlace]]:
    for source_id, group in groupby(sorted(places), key=lambda place: place[0]):
        for row in catalogue.locations(source_id, [key for _source, key in group]).values():
            yield row.place_key, row
