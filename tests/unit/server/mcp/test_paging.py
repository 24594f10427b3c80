"""Lists in pages."""

from __future__ import annotations

import pytest

from ingest_tui.model.errors import UsageError
from ingest_tui.server.mcp.paging import begins_at, page_of


def test_pages_follow_each_other_to_the_end() -> None:
    """Each item is in one page, in order, and the last page names no further one."""
    items, cursor, seen = list(range(7)), None, list[int]()
    while True:
        page = page_of(items, begins_at(cursor, most=100), 3, most=100)
        seen += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == items


def test_no_page_begins_after_the_deepest_item() -> None:
    """Who asks on and on comes to an end, however many items there are."""
    assert page_of(range(100), 0, 10, most=10).next_cursor == "10"
    assert page_of(range(100), 10, 10, most=10).next_cursor is None


@pytest.mark.parametrize("cursor", ["", "-1", "1.5", "x", "11", "٣", " 3", "9" * 39, "\x1b[2J"])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    """Only what an answer gave is taken; nothing of it acts on a screen."""
    with pytest.raises(UsageError) as refused:
        begins_at(cursor, most=10)
    assert refused.value.message.isprintable()
