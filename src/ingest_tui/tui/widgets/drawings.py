"""Two lines that stand for what a view shows, where there is nothing to show yet. Pure."""

from __future__ import annotations

_DRAWINGS = {
    "jobs": ("━━━━━━━━━──", "━━━━───────"),
    "sources": ("╭───╮▁▁▁▁▁▁", "╰─────────╯"),
    "documents": ("╭───────╮╮╮", "╰───────╯╯╯"),
    "errors": ("╭─────────╮", "╰─── ✓ ───╯"),
    "logs": ("· ─────────", "· ─────    "),
    "credentials": ("╭─╮        ", "╰─╯──────┬┬"),
    "audit": ("✓ ─────    ", "✓ ─────────"),
}


def with_drawing(view: str, *words: str) -> list[str]:
    """Return what an empty view says, below its drawing: what it would show, why it is empty, and the next key."""
    return [*_DRAWINGS[view], "", *words]
