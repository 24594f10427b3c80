"""What in one document does not follow the schema of its source, with where it is."""

from __future__ import annotations

from collections.abc import Callable

from ingest_tui.model.counted import counted
from ingest_tui.model.extraction import MAX_FINDING_CHARACTERS, Finding

VIOLATION = "schema_violation"
_MAX_KEPT = 20
_MAX_COUNTED = 10_000


class Violations:
    """Gathers violations: the first ones in words, the others by their number, up to a limit."""

    def __init__(self) -> None:
        self.number = 0
        self._messages: list[str] = []

    @property
    def is_full(self) -> bool:
        """Whether so many are counted that looking on is not worth its time."""
        return self.number >= _MAX_COUNTED

    def add(self, message: Callable[[], str]) -> None:
        """Count a violation; ``message`` is called only where it is kept."""
        self.number += 1
        if len(self._messages) < _MAX_KEPT:
            self._messages.append(" ".join(message().split())[:MAX_FINDING_CHARACTERS])

    def findings(self) -> list[Finding]:
        """Return a finding for each violation that is kept, and one for the number of the others."""
        found = [Finding("error", VIOLATION, message) for message in self._messages]
        more = self.number - len(found)
        if more:
            at_least = "at least " if self.is_full else ""
            found.append(Finding("error", VIOLATION, f"{at_least}{counted(more, 'more violation')} of the schema"))
        return found
