"""What became of the items of a source: how many by outcome and reason, and what to do about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ingest_tui.model.remedies import remedy_for
from ingest_tui.store.catalogue import queries
from ingest_tui.store.workspace import Workspace

_GOOD = frozenset({"ingested", "unchanged", "duplicate", "moved"})


@dataclass(frozen=True, slots=True)
class OutcomeCount:
    """How many items of a source came to an outcome for a reason when they were last looked at.

    ``hint``: what a person can do about it, empty for what is well.
    """

    outcome: str
    reason: str
    number: int
    hint: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {name: getattr(self, name) for name in self.__slots__}


def outcomes_of_source(workspace: Workspace, source_id: str) -> list[OutcomeCount]:
    """Return what the last look at each item of a source came to, the most frequent first.

    What the patterns of the source leave out is not listed at all: a preview shows that.
    """
    found = []
    for outcome, reason, number in queries.outcomes_of_source(workspace.reading, source_id):
        hint = "" if outcome in _GOOD else remedy_for(outcome, reason, source_id=source_id)
        found.append(OutcomeCount(outcome, reason, number, hint))
    return found
