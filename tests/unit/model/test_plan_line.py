"""The lines of a plan as values: their JSON form, older and newer forms, and values that no line may hold."""

from __future__ import annotations

from typing import Any

import pytest

from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.plan_line import NewLook, PlanEnd, PlanLine

LINE = {"action": "ingest", "reason": "new", "key": "a", "uri": "file:///a"}
END = {"action": "end", "listed": 3, "complete": True}
LOOK = {"sequence": 2, "after": "", "chosen_by": "x", "volumes": {}, "documents": 3, "held": 0}


def test_a_line_says_what_was_listed() -> None:
    """The descriptor of a line is that of the listing, as far as a plan keeps it."""
    line = PlanLine("ingest", "new", "a", "file:///a", fingerprint="1", size=2, modified_ns=3, metadata={"etag": "4"})
    assert line.descriptor() == Descriptor("a", "file:///a", "1", 2, 3, metadata={"etag": "4"})


def test_the_short_form_reads_as_the_long_one() -> None:
    """A line of what has not changed is written in another form and is the same line when it is read."""
    line = PlanLine("skip", "same_fingerprint", "a", "file:///a", fingerprint="1", document_id="d")
    assert PlanLine.from_dict(line.as_short_dict()) == PlanLine.from_dict(line.as_dict()) == line
    assert next(iter(line.as_short_dict())) == next(iter(line.as_dict())) == "action"


def test_a_line_of_another_program_is_read() -> None:
    """What a line does not say is empty, and members that nobody knows are passed over."""
    known = {"action": "ingest", "key": "a", "uri": "file:///a"}
    assert PlanLine.from_dict(known | {"colour": [1], "size": None}) == PlanLine("ingest", "", "a", "file:///a")


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": None}, {"key": 1}, {"uri": []}, {"reason": None}, {"action": None}, {"action": "burn"},
        {"action": ["ingest"]}, {"size": "1"}, {"size": True}, {"size": 1.5}, {"modified_ns": "now"}, {"version": "1"},
        {"document_id": 1}, {"from_key": {}}, {"metadata": []}, {"metadata": {"a": 1}}, {"metadata": {"a": None}},
        {"detail": 1}, {"fingerprint": None}, {"refusal": False}, {"action": "move", "from_key": "b"},
        {"action": "move", "document_id": "d"}, {"action": "hold"}, {"action": "retire"},
    ],
    ids=str,
)  # fmt: skip
def test_a_value_that_no_line_may_hold_is_refused(wrong: dict[str, Any]) -> None:
    """A line that somebody has changed is refused as a whole, whatever the value is."""
    assert PlanLine.from_dict(LINE)
    with pytest.raises(ValueError, match=r".+"):
        PlanLine.from_dict(LINE | wrong)


@pytest.mark.parametrize("name", ["action", "key", "uri"])
def test_a_line_that_names_nothing_is_refused(name: str) -> None:
    """Without what it is about, or what is to be done, a line decides nothing."""
    with pytest.raises(ValueError, match=name):
        PlanLine.from_dict({member: value for member, value in LINE.items() if member != name})


@pytest.mark.parametrize(
    ("end", "record"),
    [
        (PlanEnd(3, complete=True), END),
        (PlanEnd(3, complete=True, lines=3), END | {"lines": 3}),
        (
            PlanEnd(3, True, 3, 1, (("a", "lost"),), 7, NewLook(2, "", "x", {}, 3, 0)),
            END | {"work": 1, "lines": 3, "gaps": [["a", "lost"]], "gaps_total": 7} | LOOK,
        ),
    ],
    ids=["of an older program", "of a known plan", "of a listing"],
)
def test_the_end_of_a_plan_is_written_and_read(end: PlanEnd, record: dict[str, Any]) -> None:
    """The end of each kind of plan keeps its form, the order of its members too."""
    assert list(end.as_dict().items()) == list(record.items())
    assert PlanEnd.from_dict(record) == end


@pytest.mark.parametrize(
    "wrong",
    [
        {"complete": None}, {"complete": 1}, {"listed": "3"}, {"lines": 1.0}, {"work": True}, {"gaps": {}},
        {"gaps": ["ab"]}, {"gaps": [["a"]]}, {"gaps": [["a", 1]]}, {"gaps_total": None}, {"sequence": 1},
        LOOK | {"sequence": None}, LOOK | {"after": None}, LOOK | {"volumes": {"a": 1}}, LOOK | {"held": False},
    ],
    ids=str,
)  # fmt: skip
def test_an_end_that_was_changed_is_refused(wrong: dict[str, Any]) -> None:
    """What an end may not hold is refused, and so is the half of what a look needs."""
    with pytest.raises(ValueError, match=r".+"):
        PlanEnd.from_dict(END | wrong)
