"""What `classify` promises for any item and any documents that it may be."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.model.classify import Classification, Holder, classify

RAW, TEXT = ["r1", "r2"], ["t1", "t2"]


class Case(NamedTuple):
    """An item, and everything that it may be."""

    raw: str
    text: str
    here: Holder | None
    twin: Holder | None
    returning: Holder | None
    was_removed: bool
    extraction_differs: bool
    was_rolled_back: bool = False

    def decide(self) -> Classification:
        return classify(
            self.raw,
            self.text,
            here=self.here,
            twin=self.twin,
            returning=self.returning,
            was_removed=self.was_removed,
            was_rolled_back=self.was_rolled_back,
            extraction_differs=self.extraction_differs,
        )


@st.composite
def holders(draw: st.DrawFn, document_id: str) -> Holder:
    return Holder(
        document_id,
        draw(st.sampled_from(RAW)),
        draw(st.sampled_from(TEXT)),
        is_primary_here=draw(st.booleans()),
        other_places=draw(st.integers(0, 2)),
        all_places_vanished=draw(st.booleans()),
    )


@st.composite
def twins(draw: st.DrawFn, raw: str, text: str, here: Holder | None) -> Holder | None:
    """Another document with the same bytes, else the same text, and nothing in common with the one that is here."""
    holder = draw(holders("twin"))
    holder = holder._replace(raw_sha256=raw) if draw(st.booleans()) or not text else holder._replace(content_hash=text)
    if here is not None and (holder.raw_sha256 == here.raw_sha256 or holder.content_hash == here.content_hash):
        return None
    return holder


@st.composite
def cases(draw: st.DrawFn) -> Case:
    raw, text = draw(st.sampled_from(RAW)), draw(st.sampled_from(["", *TEXT]))
    here = draw(st.none() | holders("here"))
    twin = draw(twins(raw, text, here)) if draw(st.booleans()) else None
    differs = draw(st.booleans()) if here is not None and here.raw_sha256 == raw and text else False
    returning = draw(st.none() | holders("returning"))
    return Case(raw, text, here, twin, returning, draw(st.booleans()), differs, draw(st.booleans()))


@given(case=cases())
def test_decision_names_the_document_it_is_about(case: Case) -> None:
    """Each kind concerns the document that makes it so, and only a new, detached or removed item has none."""
    decision = case.decide()
    owner = {
        "new": None,
        "detached": None,
        "removed": None,
        "same": case.here,
        "changed": case.here,
        "rolled_back": case.here,
        "duplicate": case.twin,
        "moved": case.twin,
        "returned": case.returning,
    }[decision.kind]
    assert decision.document_id == (owner.document_id if owner else None)


@given(case=cases())
def test_same_means_equal_content(case: Case) -> None:
    """An item is only taken for unchanged when its bytes or its text are those of its document."""
    decision = case.decide()
    if decision.kind == "same":
        assert case.here is not None
        assert case.here.raw_sha256 == case.raw or case.here.content_hash == case.text
    if decision.kind in {"duplicate", "moved"}:
        assert case.twin is not None
        assert case.twin.raw_sha256 == case.raw or case.twin.content_hash == case.text


@given(case=cases())
def test_each_content_is_there_once(case: Case) -> None:
    """What another document holds already never becomes the content of a second one, whatever way it comes."""
    if case.twin is not None and case.decide().kind not in {"same", "rolled_back"}:
        assert case.decide().kind in {"duplicate", "moved"}


@given(case=cases())
def test_new_content_never_takes_a_document_from_another_place(case: Case) -> None:
    """A document that other places still hold keeps its bytes; only one that is here alone gets others."""
    if case.decide().kind == "changed":
        assert case.here is not None
        assert case.here.other_places == 0 or case.here.raw_sha256 == case.raw


@given(case=cases())
def test_text_is_read_from_one_place(case: Case) -> None:
    """Bytes that are known make a new version only when they are read again at the document's primary place."""
    if case.here is not None and case.here.raw_sha256 == case.raw and not case.here.is_primary_here:
        assert case.decide().kind == "same"


@given(case=cases())
def test_reading_again_what_is_unchanged_changes_nothing(case: Case) -> None:
    """Same bytes, same text, same metadata: no new version, however often it is asked for."""
    if case.here is not None and case.here.raw_sha256 == case.raw and not case.extraction_differs:
        assert case.decide().kind == "same"


@given(case=cases())
def test_moved_only_when_every_old_place_vanished(case: Case) -> None:
    """A document moves to a new place only when it is gone from all its old ones; else the item is a duplicate."""
    if case.here is None and case.twin is not None:
        assert case.decide().kind == ("moved" if case.twin.all_places_vanished else "duplicate")


@given(case=cases())
def test_what_a_person_removed_stays_removed(case: Case) -> None:
    """Bytes that were removed are not taken in again, unless another document holds them meanwhile."""
    if case.here is None and case.twin is None and case.was_removed:
        assert case.decide().kind == "removed"
    if case.here is not None or not case.was_removed:
        assert case.decide().kind != "removed"


@given(case=cases())
def test_what_a_person_went_back_from_stays_left(case: Case) -> None:
    """It is not taken in again where it was left, whatever other document has it; nothing else is left so."""
    is_left = case.was_rolled_back and case.here is not None and case.here.raw_sha256 != case.raw
    assert (case.decide().kind == "rolled_back") == is_left


@given(raw=st.sampled_from(RAW), text=st.sampled_from(TEXT))
def test_unknown_item_is_new(raw: str, text: str) -> None:
    """Without anything to compare with, an item is new."""
    assert classify(raw, text, here=None, twin=None, returning=None).kind == "new"
