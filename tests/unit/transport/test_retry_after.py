"""What Retry-After may say."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from ingest_tui.transport.retry_after import seconds_to_wait


@pytest.mark.parametrize(
    ("value", "seconds"), [("0", 0), ("2.5", 2.5), ("-3", 0), ("", None), (None, None), ("soon", None), ("inf", None),
                           ("Wed, 21 Oct 2015 07:28:00 GMT", 0)]
)  # fmt: skip
def test_retry_after_of_any_form(value: str | None, seconds: float | None) -> None:
    """What is no time to wait asks for none."""
    assert seconds_to_wait(value) == seconds


def test_retry_after_date_counts_from_now() -> None:
    """A date in a minute is a minute."""
    assert seconds_to_wait(formatdate(time.time() + 60, usegmt=True)) == pytest.approx(60, abs=2)
