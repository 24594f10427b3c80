"""When a job stops early because its source is failing, and when it must not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.model.errors import ItemError, SourceAccessError
from ingest_tui.pipeline.job.fetch_health import SOURCE_REASONS, SourceHealth


def verdicts(*reasons: str) -> list[SourceAccessError | None]:
    """Return what each fetch led to; an empty reason is one that went well."""
    health = SourceHealth()
    return [health.note(ItemError(f"it is {reason}", code=reason) if reason else None) for reason in reasons]


def test_ten_failures_at_the_start_stop_the_job() -> None:
    """The tenth of ten fetches that all failed by the fault of the source is the last; the error names the cause."""
    *before, last = verdicts(*["forbidden"] * 10)
    assert before == [None] * 9
    assert last is not None
    assert last.reason == "source_failing"
    assert "forbidden: it is forbidden" in last.message


def test_one_success_at_the_start_lets_it_go_on() -> None:
    """A source that gave something is judged by its last hundred fetches only."""
    assert not any(verdicts("", *["network"] * 14))


def test_more_than_fifteen_of_the_last_hundred_stop_it() -> None:
    """The sixteenth failure within a hundred fetches stops it, the fifteenth does not."""
    fifteen = [""] * 85 + ["throttled"] * 15
    assert not any(verdicts(*fifteen))
    *before, last = verdicts(*[""] * 84, *["throttled"] * 16)
    assert not any(before)
    assert last is not None
    assert "16 of the last 100" in last.message


def test_the_most_common_cause_is_named() -> None:
    """Of several causes the error names the one that most failures share, with its number."""
    last = verdicts(*["network"] * 3, *["forbidden"] * 7)[-1]
    assert last is not None
    assert "7 x forbidden" in last.message


@given(st.lists(st.sampled_from(["", "too_large", "changed_while_read", "not_found", "special_file"]), max_size=300))
def test_bad_documents_never_stop_a_job(reasons: list[str]) -> None:
    """However many documents are simply bad, the job goes through all of them."""
    assert not any(verdicts(*reasons))


@pytest.mark.slow
@given(st.lists(st.sampled_from(["", *sorted(SOURCE_REASONS)]), min_size=101, max_size=300))
def test_the_window_is_the_last_hundred(reasons: list[str]) -> None:
    """The verdict after each fetch is that of a plain count over the last hundred."""
    seen = [bool(verdict) for verdict in verdicts(*reasons)]
    for number in range(1, len(reasons) + 1):
        last = reasons[max(0, number - 100) : number]
        expected = (number >= 100 and sum(map(bool, last)) > 15) or (number == 10 and all(last))
        assert seen[number - 1] == expected
