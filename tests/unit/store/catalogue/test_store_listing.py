"""The scratch database of a listing, and what connectors may give it."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import apsw
import pytest

from ingest_tui.model.descriptor import Descriptor, ListingPage
from ingest_tui.model.keys import bytes_from_key
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.plan import PlanRules
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.listing_scratch import ListingScratch


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


class _CountedFile(apsw.VFSFile):
    """A file of SQLite that counts how often somebody waits for its disk."""

    waits = 0

    def xSync(self, flags: int) -> None:  # noqa: N802 the name is the library's
        """Count, then wait."""
        _CountedFile.waits += 1
        super().xSync(flags)


class _CountedFiles(apsw.VFS):
    """The file system of SQLite, with such files."""

    def __init__(self) -> None:
        super().__init__("counted", "unix", makedefault=True)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> _CountedFile:  # noqa: N802
        """Open a file."""
        return _CountedFile("unix", name, flags)


def test_nothing_of_a_listing_is_waited_for(tmp_path: Path) -> None:
    """A listing is made again after a power cut: no part of it is brought to the disk, not even to begin it."""
    files = _CountedFiles()
    _CountedFile.waits = 0
    try:
        Catalogue(tmp_path / "catalogue.db", create=True).close()
        assert _CountedFile.waits > 0
        _CountedFile.waits = 0
        for resume in (False, True):
            scratch = ListingScratch(tmp_path / "listing.db", resume=resume)
            scratch.begin("choice")
            scratch.add(ListingPage([Descriptor("a", "memory://a", "1")], "page 1"))
            scratch.close()
    finally:
        files.unregister()
    assert _CountedFile.waits == 0


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


def planned(tmp_path: Path, known: dict[str, str], listed: dict[str, str]) -> tuple[Counter[str], int]:
    """Plan a listing against what is known, keys with their fingerprints; returns the actions and the SQL's work."""
    catalogue = Catalogue(tmp_path / "catalogue.db", create=True)
    with catalogue.transaction():
        catalogue.put_locations(
            KnownPlace(
                "docs", key, f"file:///{key}", "default", f"d-{key}", fingerprint, 1, 1,
                "ingested", "new", "", "", "job", "2026-01-01T00:00:00.000Z", 1,
            )
            for key, fingerprint in known.items()
        )  # fmt: skip
    scratch = ListingScratch(tmp_path / "listing.db", resume=False)
    scratch.add(ListingPage([Descriptor(key, f"file:///{key}", one, 1, 1) for key, one in listed.items()]))
    asked = itertools.count()
    scratch.give_up_when(lambda: next(asked) < 0)
    actions = Counter(
        str(action.action) for action in scratch.plan(catalogue.path, "docs", complete=True, rules=PlanRules())
    )
    scratch.close()
    catalogue.close()
    return actions, next(asked)


def test_a_deletion_does_not_make_a_plan_dear(tmp_path: Path) -> None:
    """With one of 10,000 known files gone and 5,000 new ones the database does little more than with none gone."""
    known = {f"k{number:05}": f"f{number}" for number in range(10_000)}
    fresh = {f"n{number:05}": f"g{number}" for number in range(5_000)}
    (tmp_path / "none").mkdir()
    (tmp_path / "one").mkdir()
    _actions, before = planned(tmp_path / "none", known, known | fresh)
    some = {key: known[key] for key in list(known)[1:]}
    actions, after = planned(tmp_path / "one", known, some | fresh)
    assert actions == {"skip": 9_999, "ingest": 5_000, "retire": 1}
    assert after <= 4 * before


@pytest.mark.parametrize("fingerprint", ["f{}", "all the same"])
def test_many_moves_cost_their_number(tmp_path: Path, fingerprint: str) -> None:
    """Thousands of renamed files are paired in one pass, also where all of them have the same fingerprint."""
    old = {f"k{number:05}": fingerprint.format(number) for number in range(8_000)}
    new = {f"n{number:05}": fingerprint.format(number) for number in range(8_000)}
    actions, work = planned(tmp_path, old, new)
    assert actions == {"move": 8_000}
    assert work * 20_000 < 8_000 * 400  # steps of the database's machine


def test_a_plan_is_given_up_in_the_middle_of_a_statement(tmp_path: Path) -> None:
    """Whoever wants the plan no more is asked while the database works, not only between rows."""
    Catalogue(tmp_path / "catalogue.db", create=True).close()
    scratch = ListingScratch(tmp_path / "listing.db", resume=False)
    scratch.add(ListingPage([Descriptor(f"{number}", "file:///x", "same", 1, 1) for number in range(20_000)]))
    scratch.give_up_when(lambda: True)
    with pytest.raises(apsw.InterruptError):
        list(scratch.plan(tmp_path / "catalogue.db", "docs", complete=True, rules=PlanRules()))
    scratch.close()


def test_refusal_of_an_unchanged_item_is_not_passed_over(tmp_path: Path) -> None:
    """An item that is listed as it is known, but refused, is rejected: the short way for unchanged items is not its."""
    catalogue = Catalogue(tmp_path / "catalogue.db", create=True)
    with catalogue.transaction():
        catalogue.put_locations(
            KnownPlace(
                "docs", key, f"file:///{key}", "default", f"d-{key}", "1", 1, 1,
                "ingested", "new", "", "", "job", "2026-01-01T00:00:00.000Z", 1,
            )
            for key in ("fine", "large")
        )  # fmt: skip
    scratch = ListingScratch(tmp_path / "listing.db", resume=False)
    refusal = ("too_large", "beyond the limit")
    scratch.add(
        ListingPage(
            [
                Descriptor("fine", "file:///fine", "1", 1, 1),
                Descriptor("large", "file:///large", "1", 1, 1, refusal),
            ]
        )
    )
    actions = scratch.plan(catalogue.path, "docs", complete=True, rules=PlanRules())
    planned_as = {action.key: (action.action, action.reason) for action in actions}
    scratch.close()
    catalogue.close()
    assert planned_as == {"fine": ("skip", "same_fingerprint"), "large": ("reject", "too_large")}
