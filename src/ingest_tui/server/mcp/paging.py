"""Lists in pages: an answer is bounded, and names where the next one begins. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

from ingest_tui.model.errors import UsageError
from ingest_tui.model.safe_text import safe_display

Item = TypeVar("Item")


class ListPage(NamedTuple, Generic[Item]):
    """A part of a list; ``next_cursor`` asks for what follows, None at the end."""

    items: Sequence[Item]
    next_cursor: str | None


def begins_at(cursor: str | None, *, most: int) -> int:
    """Return the place that a cursor stands for, at most ``most``; raises `UsageError` for what is no cursor."""
    if cursor is None:
        return 0
    if cursor.isascii() and cursor.isdecimal() and len(cursor) <= len(str(most)) and int(cursor) <= most:
        return int(cursor)
    raise UsageError(
        f"not a cursor: '{safe_display(cursor, limit=40)}'", hint="give next_cursor of the answer before, or none"
    )


def page_of(items: Sequence[Item], begin: int, limit: int, *, most: int) -> ListPage[Item]:
    """Return the page of all items that begins at one; no page begins after the item ``most``."""
    end = begin + limit
    return ListPage(items[begin:end], str(end) if len(items) > end and end <= most else None)
