"""What `plan_actions` promises for any listing and any memory, and that the streaming planner decides the same."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.model.descriptor import Descriptor, ListingPage
from ingest_tui.model.holding import ChoiceComparison, HoldReason, HoldRule, HoldRules, Shown
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.plan import PlanRules, plan_actions
from ingest_tui.model.plan_line import PlanLine
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.listing_scratch import ListingScratch

KEYS = [f"{letter}{number}" for letter in ("a", "é", "Z", "\U0001f600") for number in range(5)]
FINGERPRINTS = ["1", "2", "3", "4"]
REFUSALS = [None, None, None, ("too_large", "it is too large"), ("special_file", "it is a socket")]


def known_place(key: str, fingerprint: str, document_id: str | None, **values: Any) -> KnownPlace:
    """A place of the source docs, taken under the rules of now, but for what is given."""
    usual: dict[str, Any] = {"outcome": "ingested", "reason": "new", "ruleset": "now", "version": None}
    return KnownPlace(
        "docs", key, "file:///listed", "default", document_id, fingerprint, size=None, modified_ns=None, detail="",
        job_id="job", at="2026-01-01T00:00:00.000Z", **usual | values
    )  # fmt: skip


known_entries = st.builds(
    known_place,
    key=st.sampled_from(KEYS),
    fingerprint=st.sampled_from(["", *FINGERPRINTS]),
    document_id=st.sampled_from([None, "d1", "d2", "d3"]),
    outcome=st.sampled_from(["ingested", "failed", "rejected", "empty", "duplicate", "moved"]),
    reason=st.sampled_from(["new", "malformed"]),
    ruleset=st.sampled_from(["now", "before", "now:schema", "before:schema", "now:other"]),
    version=st.sampled_from([None, 1, 2]),
    parsers=st.sampled_from(["", "these", "older"]),
)
member_entries = st.builds(
    lambda known, name: known._replace(key=f"{known.key}!{name}", container=known.key),
    known_entries,
    st.sampled_from(["m", "n!o"]),
)
descriptors = st.builds(
    Descriptor,
    key=st.sampled_from(KEYS),
    uri=st.just("file:///listed"),
    fingerprint=st.sampled_from(["", *FINGERPRINTS]),
    size=st.one_of(st.none(), st.integers(0, 2**60)),
    modified_ns=st.one_of(st.none(), st.integers(0, 2**62)),
    refusal=st.sampled_from(REFUSALS),
    metadata=st.one_of(st.none(), st.just({"etag": "x"})),
)
watched = st.builds(  # as a folder watch sets it: what was modified in that span may still be being written
    PlanRules,
    ruleset=st.just("now"),
    force=st.booleans(),
    parsers=st.just("these"),
    unsettled_ns=st.just((2**40, 2**62)),
)
memories_with_members = st.lists(known_entries | member_entries, max_size=16).map(
    lambda entries: {entry.key: entry for entry in entries}
)
memories = st.lists(known_entries, max_size=16).map(lambda entries: {entry.key: entry for entry in entries})
listings = st.lists(descriptors, max_size=16, unique_by=lambda descriptor: descriptor.key).map(
    lambda found: sorted(found, key=lambda descriptor: descriptor.key)
)
rules = st.builds(
    PlanRules,
    ruleset=st.sampled_from(["now", "now:schema", "documents@now"]),
    force=st.booleans(),
    parsers=st.just("these"),
    hold=st.builds(
        HoldRules,
        rule=st.builds(
            HoldRule,
            items=st.integers(0, 12),
            share=st.sampled_from([0.0, 0.1, 1.0]),
            always_share=st.sampled_from([0.0, 0.5, 1.0]),
        ),
        choice=st.sampled_from(ChoiceComparison),
        approved=st.dictionaries(
            st.sampled_from(KEYS), st.builds(Shown, st.sampled_from(["d1", "d2"]), st.sampled_from([None, 1, 2]))
        ),
    ),
)


@given(listing=listings, known=memories, complete=st.booleans(), rules=rules)
def test_every_key_has_exactly_one_action(
    listing: list[Descriptor], known: dict[str, KnownPlace], complete: bool, rules: PlanRules
) -> None:
    """A listed key has one action; so has each vanished one of a complete listing, as itself or as where from."""
    actions = plan_actions(listing, known, complete=complete, rules=rules)
    listed = {descriptor.key for descriptor in listing}
    moved_from = [action.from_key for action in actions if action.action == "move"]
    accounted = Counter([action.key for action in actions] + moved_from)
    expected = listed | (set(known) - listed if complete else set())
    assert accounted == Counter(expected)


@given(listing=listings, known=memories, rules=rules)
def test_incomplete_listing_takes_nothing_away(
    listing: list[Descriptor], known: dict[str, KnownPlace], rules: PlanRules
) -> None:
    """What could not be looked into proves nothing: no retiring, holding, forgetting or moving."""
    actions = plan_actions(listing, known, complete=False, rules=rules)
    excluded = {action.key for action in actions if action.refusal}
    assert {action.action for action in actions if action.key not in excluded} <= {"ingest", "skip", "reject"}


@given(listing=listings, known=memories, complete=st.booleans(), rules=rules | watched)
def test_skip_means_the_same_fingerprint(
    listing: list[Descriptor], known: dict[str, KnownPlace], complete: bool, rules: PlanRules
) -> None:
    """Only an item whose fingerprint is that of the last success is skipped; what failed (no fingerprint) never is.

    The one exception is an item that may still be being written, which the next sync will see again.
    """
    by_key = {descriptor.key: descriptor for descriptor in listing}
    for action in plan_actions(listing, known, complete=complete, rules=rules):
        if action.action == "skip" and action.reason == "unsettled":
            assert rules.unsettled_ns
        elif action.action == "skip":
            assert known[action.key].fingerprint == by_key[action.key].fingerprint != ""
            assert not rules.force
            assert by_key[action.key].refusal is None


@given(listing=listings, known=memories)
def test_same_fingerprint_is_skipped_unless_rules_changed(
    listing: list[Descriptor], known: dict[str, KnownPlace]
) -> None:
    """An unchanged item is not fetched again, except one that other settings refused or that had another schema."""
    rules = PlanRules(ruleset="now", parsers="these")
    actions = {action.key: action for action in plan_actions(listing, known, rules=rules)}
    for descriptor in listing:
        entry = known.get(descriptor.key)
        if entry is None or descriptor.refusal or not entry.fingerprint or entry.fingerprint != descriptor.fingerprint:
            continue
        refused_before = entry.outcome in {"rejected", "empty", "failed"} and entry.ruleset != "now"
        refused_before |= entry.outcome == "failed" and entry.parsers != "these"
        is_here = entry.document_id is not None or entry.outcome in {
            "ingested",
            "unchanged",
        }  # an archive is no document
        had_a_schema = is_here and entry.outcome != "failed" and ":" in entry.ruleset
        assert actions[descriptor.key].action == ("ingest" if refused_before or had_a_schema else "skip")


@given(listing=listings, known=memories, rules=rules)
def test_moves_pair_each_vanished_document_once(
    listing: list[Descriptor], known: dict[str, KnownPlace], rules: PlanRules
) -> None:
    """A move goes from a vanished document to a new key of the same, real fingerprint, and uses each of them once."""
    listed = {descriptor.key: descriptor for descriptor in listing}
    moves = [action for action in plan_actions(listing, known, rules=rules) if action.action == "move"]
    for move in moves:
        entry = known[move.from_key or ""]
        assert entry.key not in listed
        assert move.key not in known
        assert entry.document_id == move.document_id is not None
        assert entry.fingerprint == listed[move.key].fingerprint != ""
    assert len({move.from_key for move in moves}) == len({move.key for move in moves}) == len(moves)


@given(listing=listings, known=memories)
def test_as_many_moves_as_there_are_pairs(listing: list[Descriptor], known: dict[str, KnownPlace]) -> None:
    """For each fingerprint, new items are paired with vanished documents until one side is used up."""
    listed = {descriptor.key for descriptor in listing}
    fresh = Counter(item.fingerprint for item in listing if item.key not in known and not item.refusal)
    gone = [entry for entry in known.values() if entry.key not in listed and entry.document_id]
    vanished = Counter(entry.fingerprint for entry in gone if entry.outcome != "failed")
    expected = sum(min(fresh[fingerprint], vanished[fingerprint]) for fingerprint in FINGERPRINTS)
    moves = [action for action in plan_actions(listing, known) if action.action == "move"]
    assert len(moves) == expected


def is_approved(entry: KnownPlace, rules: PlanRules) -> bool:
    return rules.hold.approved.get(entry.key) == (entry.document_id, entry.version)


@given(known=memories, rules=rules)
def test_empty_listing_holds_every_document_that_is_not_approved(
    known: dict[str, KnownPlace], rules: PlanRules
) -> None:
    """A source that suddenly names nothing retires nothing but what a person approved."""
    for action in plan_actions([], known, rules=rules):
        if known[action.key].document_id is None:
            assert action.action == "forget"
        elif is_approved(known[action.key], rules):
            assert action.action == "retire"
        else:
            assert (action.action, action.reason) == ("hold", "empty_listing")


@given(listing=listings, known=memories, rules=rules)
def test_nothing_goes_unasked_when_another_choice_was_made(
    listing: list[Descriptor], known: dict[str, KnownPlace], rules: PlanRules
) -> None:
    """When what chooses has changed, or nobody knows what chose, every deletion is held but the approved ones."""
    for action in plan_actions(listing, known, rules=rules):
        if action.action == "retire" and rules.hold.choice is not ChoiceComparison.SAME:
            assert is_approved(known[action.key], rules)


@given(listing=listings, known=memories, rules=rules)
def test_what_a_filter_excludes_is_held_only_when_the_filter_may_have_changed(
    listing: list[Descriptor], known: dict[str, KnownPlace], rules: PlanRules
) -> None:
    """A listed document goes, if a person says so, by a filter that was or may have been tightened; else it stays."""
    for action in plan_actions(listing, known, rules=rules):
        if action.refusal:
            assert action.reason == HoldReason.EXCLUDED
            assert rules.hold.choice is not ChoiceComparison.SAME
            assert known[action.key].document_id == action.document_id is not None
            assert action.action == ("retire" if is_approved(known[action.key], rules) else "hold")


@given(listed=st.integers(1, 40), vanished=st.integers(0, 40))
def test_deletions_are_held_when_many_or_most_would_go(listed: int, vanished: int) -> None:
    """Held are more than ten that are more than a tenth of the known documents, and more than half of any number."""
    stay = {f"s{number}": _document(f"s{number}", "same") for number in range(listed)}
    gone = {f"g{number}": _document(f"g{number}", f"fingerprint {number}") for number in range(vanished)}
    listing = [Descriptor(key, f"file:///{key}", "same") for key in stay]
    actions = [action for action in plan_actions(listing, stay | gone) if action.action != "skip"]
    known = listed + vanished
    held = (vanished > 10 and vanished * 10 > known) or vanished * 2 > known
    assert {action.action for action in actions} == ({"hold" if held else "retire"} if vanished else set())
    assert len(actions) == vanished


@pytest.mark.parametrize(
    ("vanished", "known", "held"),
    [
        (10, 40, False), (11, 40, True), (20, 40, True), (11, 110, False), (12, 110, True), (9, 10, True),
        (6, 6, True), (1, 1, True), (1, 2, False), (2, 3, True), (0, 5, False), (0, 0, False),
    ],
)  # fmt: skip
def test_usual_limits_at_their_edges(vanished: int, known: int, held: bool) -> None:
    """Ten never are many, a tenth is not more than a tenth, half is not more than half, and few may be most."""
    assert HoldRule().holds(vanished, known) is held


@pytest.mark.parametrize("vanished", [0, 1, 9, 10, 11, 1000])
def test_limits_can_be_moved(vanished: int) -> None:
    """A limit of nothing holds every deletion, a share of one holds none."""
    assert HoldRule(items=0, share=0.0).holds(vanished, 1000) is (vanished > 0)
    assert not HoldRule(share=1.0, always_share=1.0).holds(vanished, 1000)


@given(known=st.integers(11, 40), approved=st.integers(0, 40))
def test_approved_documents_retire_in_a_mass_deletion(known: int, approved: int) -> None:
    """Of held deletions exactly the approved ones go, as they were shown; what vanished since then still waits."""
    entries = {f"k{number:02}": _document(f"k{number:02}", str(number)) for number in range(known)}
    shown = {key: Shown(f"d-{key}", 1) for key in list(entries)[:approved]}
    changed = dict.fromkeys(list(shown)[::2], 2)
    entries = {key: entry._replace(version=changed.get(key, 1)) for key, entry in entries.items()}
    listing = [Descriptor("new", "file:///new", "new")]
    actions = plan_actions(listing, entries, rules=PlanRules(hold=HoldRules(approved=shown)))
    assert {action.key for action in actions if action.action == "retire"} == shown.keys() - changed.keys()
    assert {action.key for action in actions if action.action == "hold"} == entries.keys() - (
        shown.keys() - changed.keys()
    )


@given(listing=listings, known=memories_with_members, rules=rules)
def test_members_go_with_the_listed_item_that_they_are_in(
    listing: list[Descriptor], known: dict[str, KnownPlace], rules: PlanRules
) -> None:
    """Members of a listed item are left alone; once it is gone, each is retired, held or forgotten.

    So is what is attached to a document, where attachments are no documents; what is attached to one that moves goes
    with it.
    """
    listed = {descriptor.key for descriptor in listing}
    if not rules.ruleset.startswith("documents@"):
        listed -= {entry.key for entry in known.values() if entry.document_id is not None}
    planned = {action.key: action for action in plan_actions(listing, known, rules=rules)}
    moved = {action.from_key for action in planned.values() if action.action == "move"}
    for entry in known.values():
        if (entry.container and entry.container in listed) or entry.container in moved:
            assert entry.key not in planned
        elif entry.container:
            assert planned[entry.key].action in {"retire", "hold", "forget"}
            assert planned[entry.key].container == entry.container


@given(
    listing=listings,
    known=memories_with_members,
    complete=st.booleans(),
    rules=rules | watched,
    pages=st.integers(1, 5),
    address=st.sampled_from(["file:///listed", "file:///before"]),
)
def test_streaming_planner_decides_as_the_one_in_memory(
    listing: list[Descriptor], known: dict[str, KnownPlace], complete: bool, rules: PlanRules, pages: int, address: str
) -> None:
    """The plan from the scratch database and the catalogue is the plan over values in memory, action for action."""
    known = {key: entry._replace(uri=address) for key, entry in known.items()}
    expected = plan_actions(listing, known, complete=complete, rules=rules)
    assert _by_key(_streamed(listing, known, complete, rules, pages)) == _by_key(expected)


@given(listing=listings, known=memories)
def test_plan_does_not_depend_on_the_order_of_the_listing(
    listing: list[Descriptor], known: dict[str, KnownPlace]
) -> None:
    """A source that lists in another order gets as many actions of each kind."""
    forwards = Counter(action.action for action in plan_actions(listing, known))
    backwards = Counter(action.action for action in plan_actions(listing[::-1], known))
    assert forwards == backwards


def test_item_with_another_address_takes_its_document_there() -> None:
    """A source that was told of a new path has what it had, under the same keys, and no place keeps the old address."""
    known = known_place("a", "1", "d1")._replace(uri="file:///before/a")
    [action] = plan_actions([Descriptor("a", "file:///after/a", "1")], {"a": known}, rules=PlanRules(ruleset="now"))
    assert (action.action, action.reason, action.from_key, action.uri) == (
        "move",
        "readdressed",
        "a",
        "file:///after/a",
    )


def _document(key: str, fingerprint: str) -> KnownPlace:
    return known_place(key, fingerprint, f"d-{key}")._replace(uri=f"file:///{key}")


def _by_key(actions: list[PlanLine]) -> list[PlanLine]:
    return sorted(actions, key=lambda action: (action.key, action.action))


def _streamed(
    listing: list[Descriptor], known: dict[str, KnownPlace], complete: bool, rules: PlanRules, pages: int
) -> list[PlanLine]:
    with tempfile.TemporaryDirectory() as folder:
        catalogue = Catalogue(Path(folder) / "catalogue.db", create=True)
        with catalogue.transaction():
            catalogue.put_locations(known.values())
            # Another source that knows the same keys must not matter.
            catalogue.put_locations(entry._replace(source_id="other", fingerprint="1") for entry in known.values())
        scratch = ListingScratch(Path(folder) / "listing.db", resume=False)
        for page in _batched(listing, pages):
            scratch.add(ListingPage(page))
        actions = list(
            scratch.plan(catalogue.path, "docs", complete=complete, rules=rules, parsers=lambda: rules.parsers)
        )
        scratch.close()
        catalogue.close()
    return actions


def _batched(listing: list[Descriptor], size: int) -> Iterator[list[Descriptor]]:
    for start in range(0, len(listing), size):
        yield listing[start : start + size]
