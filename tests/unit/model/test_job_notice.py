"""Which hooks are told when: waits that grow, clocks that jump, and the end of trying."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ingest_tui.model.clock import rfc3339
from ingest_tui.model.job_notice import JobNotice, WaitingHook

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_waits_double_up_to_an_hour() -> None:
    """A hook is due when its wait is over; each attempt that fails doubles it."""
    hook, waits = WaitingHook(name="chat"), []
    assert hook.is_due(NOW)
    for _attempt in range(9):
        hook = hook.tried(NOW)
        waits.append(datetime.fromisoformat(hook.not_before) - NOW)
        assert not hook.is_due(NOW)
        assert hook.is_due(NOW + waits[-1])
    assert [wait.total_seconds() / 60 for wait in waits] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert hook.attempts == 9


def test_a_moment_that_a_wrong_clock_named_holds_up_nobody() -> None:
    """No wait is longer than an hour: what is later was written by a clock that was ahead; nonsense is due."""
    assert WaitingHook(name="chat", not_before=rfc3339(NOW + timedelta(days=300))).is_due(NOW)
    assert WaitingHook(name="chat", not_before="soon").is_due(NOW)


def test_hooks_are_given_up_after_days_and_many_attempts() -> None:
    """Neither a machine that was off for weeks nor an hour of failures is enough."""
    hooks = (WaitingHook(name="dead", attempts=10), WaitingHook(name="new", attempts=9))
    notice = JobNotice(job_id="j", noted_at=rfc3339(NOW), event={}, waiting=hooks)
    assert notice.given_up(NOW + timedelta(days=2)) == []
    assert notice.given_up(NOW + timedelta(days=3)) == ["dead"]
    assert [one.name for one in notice.without(["dead"]).waiting] == ["new"]
    assert [one.attempts for one in notice.with_attempt("new", NOW).waiting] == [10, 10]
