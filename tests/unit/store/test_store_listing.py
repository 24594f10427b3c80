"""The scratch database of a listing, and what connectors may give it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_tui.model.descriptor import Descriptor, ListingPage
from ingest_tui.model.naming import bytes_from_key
from ingest_tui.model.plan import PlanRules
from ingest_tui.store.catalogue import Catalogue
from ingest_tui.store.listing import ListingScratch


def test_an_item_that_is_no_unicode_costs_only_itself(tmp_path: Path) -> None:
    """A key with lone surrogates is refused under a key that leads back to it; its neighbours are planned as ever."""
    Catalogue(tmp_path / "catalogue.db", create=True).close()
    scratch = ListingScratch(tmp_path / "listing.db", resume=False)
    page = [
        Descriptor("fine", "memory://fine", "1"),
        Descriptor("lone\udce9", "memory://lone\udce9", "1\ud800", metadata={"name": "\udce9"}),
        Descriptor("large", "memory://large", "1", refusal=("too_large", "no \udce9")),
    ]
    scratch.add(ListingPage(page, cursor="behind"))
    actions = scratch.plan(tmp_path / "catalogue.db", "docs", complete=True, rules=PlanRules())
    told = {action.key: (action.action, action.reason, action.detail) for action in actions}
    scratch.close()
    lone = next(key for key in told if key.startswith("bytes:"))
    assert bytes_from_key(lone) == "lone\udce9".encode("utf-8", "surrogatepass")
    assert told.pop(lone)[:2] == ("reject", "invalid_name")
    assert told == {"fine": ("ingest", "new", ""), "large": ("reject", "too_large", "no \\udce9")}


def test_a_listing_goes_on_behind_an_item_that_is_no_unicode(tmp_path: Path) -> None:
    """The page counts as kept, with its cursor."""
    scratch = ListingScratch(tmp_path / "listing.db", resume=False)
    scratch.add(ListingPage([Descriptor("\ud800", "memory://x", "1"), Descriptor("b", "memory://b", "1")], "page 1"))
    scratch.close()
    resumed = ListingScratch(tmp_path / "listing.db", resume=True)
    assert (resumed.cursor, resumed.count()) == ("page 1", 2)
    resumed.close()


def test_a_listing_that_restarts_forgets_what_it_named(tmp_path: Path) -> None:
    """What earlier pages named is void, with their cursor: it may be gone by now."""
    scratch = ListingScratch(tmp_path / "listing.db", resume=False)
    scratch.begin("choice")
    scratch.add(ListingPage([Descriptor("gone", "memory://gone", "1")], "page 1"))
    scratch.add(ListingPage([Descriptor("here", "memory://here", "1")], restarts=True))
    scratch.close()
    resumed = ListingScratch(tmp_path / "listing.db", resume=True)
    assert (resumed.cursor, resumed.count()) == (None, 1)
    resumed.close()


@pytest.mark.parametrize(
    ("cursor", "choice", "kept"), [("page 1", "same", 1), ("page 1", "other", 0), (None, "same", 0)]
)
def test_what_was_listed_counts_only_when_it_can_be_resumed(
    tmp_path: Path, cursor: str | None, choice: str, kept: int
) -> None:
    """Items of another choice, or of a listing that left no cursor, do not get into the next one."""
    scratch = ListingScratch(tmp_path / "listing.db", resume=True)
    scratch.begin("same")
    scratch.add(ListingPage([Descriptor("a", "memory://a", "1")], cursor))
    scratch.close()
    resumed = ListingScratch(tmp_path / "listing.db", resume=True)
    resumed.begin(choice)
    assert (resumed.cursor, resumed.count()) == (cursor if kept else None, kept)
    resumed.close()
