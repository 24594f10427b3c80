"""What `classify` promises for any item and any documents that it may be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.model.classify import Holder, classify

RAW, TEXT = ["r1", "r2"], ["t1", "t2"]


@st.composite
def holders(draw: st.DrawFn, document_id: str) -> Holder:
    places = draw(st.integers(1, 3))
    return Holder(
        document_id,
        draw(st.sampled_from(RAW)),
        draw(st.sampled_from(TEXT)),
        is_primary_here=draw(st.booleans()),
        places=places,
        all_places_vanished=draw(st.booleans()),
    )


@st.composite
def twins(draw: st.DrawFn, raw: str, text: str) -> Holder:
    """Another document with the same bytes or the same text."""
    holder = draw(holders("twin"))
    return holder._replace(raw_sha256=raw) if draw(st.booleans()) or not text else holder._replace(content_hash=text)


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, str, Holder | None, Holder | None, Holder | None]:
    raw, text = draw(st.sampled_from(RAW)), draw(st.sampled_from(["", *TEXT]))
    here = draw(st.none() | holders("here"))
    twin = draw(st.none() | twins(raw, text))
    returning = None if here else draw(st.none() | holders("returning"))
    return raw, text, here, twin, returning


@given(case=cases())
def test_decision_names_the_document_it_is_about(
    case: tuple[str, str, Holder | None, Holder | None, Holder | None],
) -> None:
    """Each kind concerns the document that makes it so, and only a new or detached item has none."""
    raw, text, here, twin, returning = case
    decision = classify(raw, text, here=here, twin=twin, returning=returning)
    owner = {
        "new": None,
        "detached": None,
        "same": here,
        "changed": here,
        "duplicate": twin,
        "moved": twin,
        "returned": returning,
    }[decision.kind]
    assert decision.document_id == (owner.document_id if owner else None)


@given(case=cases())
def test_same_means_equal_content(case: tuple[str, str, Holder | None, Holder | None, Holder | None]) -> None:
    """An item is only taken for unchanged when its bytes or its text are those of its document."""
    raw, text, here, twin, returning = case
    decision = classify(raw, text, here=here, twin=twin, returning=returning)
    if decision.kind == "same":
        assert here is not None
        assert here.raw_sha256 == raw or here.content_hash == text
    if decision.kind in {"duplicate", "moved"}:
        assert twin is not None
        assert twin.raw_sha256 == raw or twin.content_hash == text


@given(case=cases())
def test_changed_never_takes_a_document_from_another_place(
    case: tuple[str, str, Holder | None, Holder | None, Holder | None],
) -> None:
    """A document that other places still hold keeps its content; only one that is here alone gets a new version."""
    raw, text, here, twin, returning = case
    if classify(raw, text, here=here, twin=twin, returning=returning).kind == "changed":
        assert here is not None
        assert here.places == 1


@given(case=cases())
def test_document_that_is_here_alone_is_never_left_without_a_place(
    case: tuple[str, str, Holder | None, Holder | None, Holder | None],
) -> None:
    """When its only place gets other content, a document is changed; it must not stay searchable without a place."""
    raw, text, here, twin, returning = case
    if here is not None and here.places == 1:
        assert classify(raw, text, here=here, twin=twin, returning=returning).kind in {"same", "changed"}


@given(case=cases())
def test_moved_only_when_every_old_place_vanished(
    case: tuple[str, str, Holder | None, Holder | None, Holder | None],
) -> None:
    """A document moves to a new place only when it is gone from all its old ones; else the item is a duplicate."""
    raw, text, here, twin, returning = case
    decision = classify(raw, text, here=here, twin=twin, returning=returning)
    if here is None and twin is not None:
        assert decision.kind == ("moved" if twin.all_places_vanished else "duplicate")


@given(raw=st.sampled_from(RAW), text=st.sampled_from(TEXT))
def test_unknown_item_is_new(raw: str, text: str) -> None:
    """Without anything to compare with, an item is new."""
    assert classify(raw, text, here=None, twin=None, returning=None).kind == "new"
