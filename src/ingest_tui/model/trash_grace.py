"""How long a retired document stays in the trash, by a clock that may be wrong. Pure.

A clock that jumps forward must not empty the trash at once. So each look notes when it was: one that comes within two
days of the last (and within half of the grace) believes the clock. After a longer gap or a step back the clock has to
go on steadily for a day first. A machine that was off for a week therefore waits for one more day, and no harm is done.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

_LONGEST_GAP = timedelta(days=2)
_STEP_BACK = timedelta(minutes=5)
_STEADY = timedelta(days=1)


class ClockNote(NamedTuple):
    """When the trash was last looked at. ``doubted_at``: when the clock had jumped; None while it is believed."""

    looked_at: datetime
    doubted_at: datetime | None = None


def look_at_clock(before: ClockNote, now: datetime, grace: timedelta) -> ClockNote:
    """Compare the clock with the last look; returns what to note of this one. Purge only while nothing is doubted."""
    passed = now - before.looked_at
    if not -_STEP_BACK <= passed <= min(_LONGEST_GAP, grace / 2):
        return ClockNote(now, doubted_at=now)
    if before.doubted_at is not None and now - before.doubted_at < _STEADY:
        return ClockNote(now, before.doubted_at)
    return ClockNote(now)


def is_overdue(retired_at: datetime, now: datetime, grace: timedelta) -> bool:
    """Whether the grace of a retired document is over. By a note from the future it is not."""
    return now - retired_at >= grace
