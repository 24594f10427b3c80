"""Selectors: all that is given must hold, and nothing given selects nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ingest_tui.model.selector import Selector

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
KEY, URI = "reports/2025/a.pdf", "file:///srv/reports/2025/a.pdf"


@pytest.mark.parametrize(
    ("selector", "taken"),
    [
        (Selector(), True),
        (Selector(path="reports/*"), True),
        (Selector(path="*.pdf"), True),
        (Selector(path="file:///srv/*"), True),
        (Selector(path="reports"), False),
        (Selector(path="REPORTS/*"), False),
        (Selector(older_than=timedelta(days=29)), True),
        (Selector(older_than=timedelta(days=31)), False),
        (Selector(path="*.pdf", older_than=timedelta(days=31)), False),
    ],
)
def test_path_and_age(selector: Selector, taken: bool) -> None:
    """A pattern is of the whole key or address; an age is reached, not passed."""
    assert selector.takes(key=KEY, uri=URI, at="2026-10-30T12:00:00.000Z", now=NOW) is taken


def test_a_time_that_is_none_is_never_old() -> None:
    """What cannot be dated is not taken away for its age."""
    assert not Selector(older_than=timedelta()).takes(key=KEY, uri=URI, at="", now=NOW)


def test_an_age_of_nothing_is_a_selection() -> None:
    """``--older-than 0d`` means all that is there, and is not the same as no option."""
    assert Selector().is_empty
    assert not Selector(older_than=timedelta()).is_empty
    assert not Selector(path="*").is_empty
