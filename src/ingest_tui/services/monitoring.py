"""What monitors ask every few minutes: whether somebody has to look, and how bad it is.

What needs a person is decided in one place, `what_needs_attention`. Monitors hear of one thing more: sources without a
good sync for longer than the monitor allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ingest_tui.model.counted import counted
from ingest_tui.services.attention import AttentionItem, list_attention
from ingest_tui.services.stats import Stats, workspace_stats
from ingest_tui.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Health:
    """What needs a person, the worst first, and the figures of the workspace."""

    items: tuple[AttentionItem, ...]
    stats: Stats

    @property
    def exit_code(self) -> int:
        """0: all is well, 1: a warning, 2: something is critical; what monitoring plugins end with."""
        return {"problem": 2, "warning": 1}[self.items[0].level] if self.items else 0

    @property
    def summary(self) -> str:
        """Return the one line that monitors show."""
        if not self.items:
            documents, sources = sum(self.stats.documents.values()), len(self.stats.sources)
            held = f"{counted(documents, 'document')} of {counted(sources, 'source')}"
            waiting = self.stats.queue_length
            return f"OK: {held}, {counted(waiting, 'job waits', 'jobs wait')}"
        first, *others = self.items
        more = f" (and {len(others)} more)" if others else ""
        return f"{_STATUS[self.exit_code].upper()}: {first.subject}: {first.message}{more}"

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        findings = [item.as_dict() for item in self.items]
        return {"status": _STATUS[self.exit_code], "summary": self.summary, "findings": findings}


_STATUS = ("ok", "warning", "critical")


def check_health(workspace: Workspace, *, oldest_success: timedelta | None = None) -> Health:
    """Look at a workspace as it is; changes nothing and asks no source.

    ``oldest_success``: an enabled source whose last good sync is longer ago, or that had none, is critical.
    """
    stats, items = workspace_stats(workspace), list_attention(workspace)
    if oldest_success is not None:
        items += _too_old(stats, oldest_success)
    return Health(tuple(sorted(items, key=lambda item: item.level != "problem")), stats)


def _too_old(stats: Stats, oldest_success: timedelta) -> Iterator[AttentionItem]:
    for figures in stats.sources:
        name, age = figures.source_id, figures.success_age_seconds
        if not figures.enabled or (age is not None and age <= oldest_success.total_seconds()):
            continue
        yield AttentionItem(
            "problem",
            "source_without_success",
            name,
            "no sync has ended well" if age is None else "its last sync that ended well is too long ago",
            "sync it",
            f"'ingest-tui sync {name}' looks at it now",
            figures.last_success_at,
            name,
        )
