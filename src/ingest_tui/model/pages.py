"""On which page of a document an offset of its markdown is. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any


def page_at(page_starts: Sequence[int], offset: int) -> int | None:
    """Return the number of the page, from 1, that the character at ``offset`` is on; None where no page is known.

    ``page_starts`` holds the offset at which each page begins, in order. A page without text begins where the next
    one does, and has no character. What is after the end that `end_pages` has added is on none.
    """
    if not page_starts or page_starts[-1] >= 0:
        return bisect_right(page_starts, offset) or None
    return bisect_right(page_starts, offset, hi=len(page_starts) - 1) or None if offset < -page_starts[-1] else None


def end_pages(page_starts: Sequence[int], end: int) -> list[int]:
    """Return the starts of pages with where they end, below zero as the last: what begins there is on no page."""
    return [*page_starts, -end] if page_starts and end > 0 else list(page_starts)


def page_starts_of(record: dict[str, Any]) -> list[int]:
    """Return the page starts that an ingestion record keeps; none where it has none, or what is no list of offsets."""
    starts = record.get("page_starts")
    if not isinstance(starts, list) or not all(type(start) is int for start in starts):
        return []
    inner = starts[:-1]
    return starts if starts == sorted(starts, key=abs) and all(start >= 0 for start in inner) else []
