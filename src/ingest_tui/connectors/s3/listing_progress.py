"""Whether the pages of a listing lead to an end."""

from __future__ import annotations

from ingest_tui.connectors.s3.pages import BucketPage
from ingest_tui.model.errors import SourceAccessError

MOST_EMPTY_PAGES = 200
"""So many pages may follow one another with nothing on them: stores send such for objects that were deleted."""


class ForwardCheck:
    """Checks that each page of one walk leads further. Memory: two numbers a page.

    A walk that comes back to a place would go on for ever; and a page that names what an earlier one began with came
    instead of the page that was asked for, whose objects would be taken for deleted.
    """

    def __init__(self) -> None:
        self._tokens: set[int] = set()
        self._first_names: set[int] = set()
        self._empty_pages = 0

    def check(self, page: BucketPage) -> None:
        """Take note of the next page; raises `SourceAccessError` when the walk leads nowhere."""
        names = [hash(listed.key) for listed in page.objects]
        if not self._first_names.isdisjoint(names):
            raise _stuck("it names the same objects again")
        if page.token is not None:
            token = hash(page.token)
            if token in self._tokens:
                raise _stuck("it leads back to a page that was listed already")
            self._tokens.add(token)
        self._first_names.update(names[:1])
        self._empty_pages = 0 if page.entries else self._empty_pages + 1
        if self._empty_pages > MOST_EMPTY_PAGES:
            raise _stuck(f"{MOST_EMPTY_PAGES} pages in succession are empty")


def _stuck(why: str) -> SourceAccessError:
    return SourceAccessError(
        f"the store's listing does not lead to an end: {why}",
        hint="this is a fault of the store, or of a proxy or cache in front of it; nothing was deleted",
        code="listing_stuck",
    )
