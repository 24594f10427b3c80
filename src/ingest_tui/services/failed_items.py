"""How many items failed in the last look at them and still ask for a person: those that `errors list` shows as failed.

One count for the health of sources, for what needs attention, and for metrics.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from ingest_tui.model.issue import mark_of
from ingest_tui.store.catalogue import queries
from ingest_tui.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class FailedItems:
    """Failed items by source, without those that somebody ignored as they are.

    ``quarantined``: those that killed their parsers so often that they are left out; ``others``: all the rest.
    """

    quarantined: dict[str, int]
    others: dict[str, int]

    def of_source(self, source_id: str) -> int:
        """Return how many items of a source have failed."""
        return self.quarantined.get(source_id, 0) + self.others.get(source_id, 0)


def failed_items(workspace: Workspace) -> FailedItems:
    """Count the failed items of all sources, of uploads too."""
    quarantined = Counter(dict(queries.quarantined_by_source(workspace.reading)))
    others = Counter(dict(queries.failed_by_source(workspace.reading)))
    for source_id, is_quarantined in _ignored(workspace):
        (quarantined if is_quarantined else others)[source_id] -= 1
    return FailedItems(_positive(quarantined), _positive(others))


def _ignored(workspace: Workspace) -> list[tuple[str, bool]]:
    """Return source, and whether it is quarantined, of each failed item that is ignored as it is now."""
    marks: dict[str, dict[str, str]] = defaultdict(dict)
    for (source_id, key), said in workspace.ignored.all().items():
        marks[source_id][key] = said.mark
    found = []
    for source_id, of_source in marks.items():
        kills = queries.quarantined_keys(workspace.reading, source_id)
        for place in workspace.reading.locations(source_id, of_source).values():
            mark = mark_of(place.outcome, place.reason, place.fingerprint, place.size, place.modified_ns)
            if place.outcome == "failed" and mark == of_source[place.key]:
                found.append((source_id, place.key in kills))
    return found


def _positive(numbers: Counter[str]) -> dict[str, int]:
    return {source_id: number for source_id, number in sorted(numbers.items()) if number > 0}
