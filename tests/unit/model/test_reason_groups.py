"""Groups of what went wrong: a detail that holds for one item only is shown as an example."""

from __future__ import annotations

from ingest_tui.model.issue import Issue, group_issues
from ingest_tui.model.outcome import Outcome
from ingest_tui.model.reasons import Reasons


def failed(number: int, detail: str) -> Outcome:
    return Outcome(f"file:///{number}", str(number), "failed", "malformed", "2026", detail)


def issue(number: int, detail: str) -> Issue:
    return Issue(
        "failed", "malformed", "docs", str(number), f"file:///{number}", detail, "default", None, 1, "job",
        f"2026-01-0{number}", "mark",
    )  # fmt: skip


def test_detail_that_holds_for_all_is_shown_as_it_is() -> None:
    """When every item of a group says the same, the group says it."""
    reasons = Reasons()
    for number in (1, 2, 3):
        reasons.add(failed(number, "cut short"))
    assert [group.shown_detail for group in reasons.groups()] == ["cut short"]
    assert [group.shown_detail for group in group_issues(issue(n, "cut short") for n in (1, 2))] == ["cut short"]


def test_detail_of_one_of_many_is_an_example() -> None:
    """When items of a group differ, the detail is marked as that of one of them."""
    reasons = Reasons()
    for number in (1, 2, 3):
        reasons.add(failed(number, f"line {number}"))
    assert [group.shown_detail for group in reasons.groups()] == ["e.g. line 3"]
    assert [group.shown_detail for group in group_issues(issue(n, f"line {n}") for n in (1, 2))] == ["e.g. 2: line 2"]
