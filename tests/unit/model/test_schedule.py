"""When a schedule is due: missed runs, clocks that jump, daylight saving, jitter and quiet hours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.model.schedule import Schedule, ScheduleMark, changed_schedule, duration_of, look_at_schedule
from ingest_tui.model.source import Source

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


def runs(schedule: Schedule, moments: Iterator[datetime], seed: str = "docs") -> Iterator[datetime]:
    """Yield the moments among those at which somebody looks at which a run begins."""
    mark: ScheduleMark | None = None
    for now in moments:
        look = look_at_schedule(schedule, mark, now, seed=seed)
        assert look.next_at > now or not look.is_due
        mark = look.mark
        if look.is_due:
            yield now


def minutes(begin: datetime, hours: float) -> Iterator[datetime]:
    return (begin + timedelta(minutes=number) for number in range(int(hours * 60) + 1))


def local(moments: Iterator[datetime], zone: str) -> list[str]:
    return [moment.astimezone(ZoneInfo(zone)).strftime("%d %H:%M") for moment in moments]


def test_every_stays_on_its_minutes() -> None:
    """Runs keep their distance, also where the looks come late."""
    looks = [NOON + timedelta(seconds=seconds) for seconds in (0, 899, 940, 1799, 1800, 2710, 3599, 3600)]
    begun = [(moment - NOON).total_seconds() for moment in runs(Schedule(every="15m"), iter(looks))]
    assert begun == [940, 1800, 2710, 3600]


def test_missed_runs_are_made_up_once() -> None:
    """After a night without a worker one run is due at once, and the next one when it would have been."""
    night = [NOON, NOON + timedelta(hours=9, minutes=7), *minutes(NOON + timedelta(hours=9, minutes=8), 1)]
    begun = [moment.strftime("%H:%M") for moment in runs(Schedule(every="1h"), iter(night))]
    assert begun == ["21:07", "22:00"]
    begun = [moment.strftime("%H:%M") for moment in runs(Schedule(cron="30 * * * *"), iter(night))]
    assert begun == ["21:07", "21:30"]


def test_a_clock_that_is_set_back_does_not_stop_the_runs() -> None:
    """After years in the future the next run is counted from now on; nothing is due at once."""
    schedule = Schedule(every="1h")
    future = look_at_schedule(schedule, None, NOON + timedelta(days=4000), seed="docs").mark
    back = look_at_schedule(schedule, future, NOON, seed="docs")
    assert (back.is_due, back.next_at) == (False, NOON + timedelta(hours=1))
    assert look_at_schedule(schedule, back.mark, NOON + timedelta(hours=1), seed="docs").is_due


def test_a_clock_that_jumps_forward_runs_once() -> None:
    """However far it jumps, one run is due, and then again after the usual time."""
    schedule = Schedule(every="1h")
    mark = look_at_schedule(schedule, None, NOON, seed="docs").mark
    jumped = look_at_schedule(schedule, mark, NOON + timedelta(days=4000, minutes=5), seed="docs")
    assert (jumped.is_due, jumped.next_at) == (True, NOON + timedelta(days=4000, hours=1))


def test_a_changed_schedule_counts_from_now_on() -> None:
    """Nothing is made up of a schedule that is new or another one, or whose mark cannot be."""
    mark = ScheduleMark("every 1d", NOON - timedelta(days=3))
    look = look_at_schedule(Schedule(every="15m"), mark, NOON, seed="docs")
    assert (look.is_due, look.next_at) == (False, NOON + timedelta(minutes=15))
    long_ago = ScheduleMark("cron 0 0 * * * America/New_York", datetime.min.replace(tzinfo=UTC))
    schedule = Schedule(cron="0 0 * * *", tz="America/New_York")
    assert not look_at_schedule(schedule, long_ago, NOON, seed="docs").is_due


def test_daylight_saving_neither_skips_nor_doubles_a_day() -> None:
    """A run at a local time that is skipped begins right after, one at a time that comes twice begins once."""
    berlin = Schedule(cron="30 2 * * *", tz="Europe/Berlin")
    spring = minutes(datetime(2026, 3, 28, 12, tzinfo=UTC), 48)
    assert local(runs(berlin, spring), "Europe/Berlin") == ["29 03:00", "30 02:30"]
    autumn = minutes(datetime(2026, 10, 24, 12, tzinfo=UTC), 48)
    assert local(runs(berlin, autumn), "Europe/Berlin") == ["25 02:30", "26 02:30"]


def test_quiet_hours_end_at_local_time() -> None:
    """No run begins from 22:00 to 06:00; one is made up at 06:00, on the days when clocks change too."""
    quiet = Schedule(every="1h", tz="Europe/Berlin", quiet_hours="22:00-06:00")
    for day in (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)):
        begun = local(runs(quiet, minutes(day + timedelta(minutes=10), 24)), "Europe/Berlin")
        hours = [moment[3:] for moment in begun]
        assert not [hour for hour in hours if hour >= "22:00" or hour < "06:00"]
        assert hours.count("06:00") == 1
    by_day = Schedule(cron="0 12 * * *", quiet_hours="09:00-17:00")
    assert [moment.strftime("%H:%M") for moment in runs(by_day, minutes(NOON - timedelta(hours=5), 20))] == ["17:00"]


@pytest.mark.parametrize(
    ("quiet_hours", "expected"),
    [
        ("22:00-02:30", ["24 21:15", "25 02:30", "25 02:30", "25 03:15"]),
        (
            "02:10-02:45",
            ["24 21:15", "24 22:15", "24 23:15", "25 00:15", "25 01:15", "25 02:45", "25 02:45", "25 03:15"],
        ),
    ],
)
def test_quiet_hours_that_end_in_an_hour_that_comes_twice_start_one_run_each_time(
    quiet_hours: str, expected: list[str]
) -> None:
    """Their end is never before the run that waits for it, which would be due at every look."""
    schedule = Schedule(every="1h", quiet_hours=quiet_hours, tz="Europe/Berlin")
    begun = runs(schedule, minutes(datetime(2026, 10, 24, 18, 15, tzinfo=UTC), 8))
    assert local(begun, "Europe/Berlin") == expected


def test_a_run_missed_before_quiet_hours_waits_for_their_end() -> None:
    """A worker that starts at night does not make up at once what was missed in the evening."""
    schedule = Schedule(every="1h", quiet_hours="22:00-06:00")
    mark = ScheduleMark(schedule.in_words, NOON + timedelta(hours=8))
    night = look_at_schedule(schedule, mark, NOON + timedelta(hours=11), seed="docs")
    assert (night.is_due, night.next_at) == (False, NOON + timedelta(hours=18))
    assert look_at_schedule(schedule, night.mark, NOON + timedelta(hours=18), seed="docs").is_due


@given(st.integers(0, 100_000), st.sampled_from(["docs", "wiki", "mail"]))
def test_jitter_is_the_same_whoever_looks(offset: int, seed: str) -> None:
    """A run is later by less than the jitter, and the next run that is shown is the one that is kept to."""
    schedule = Schedule(every="1h", jitter="10m")
    mark = ScheduleMark(schedule.in_words, NOON + timedelta(seconds=offset))
    look = look_at_schedule(schedule, mark, mark.since, seed=seed)
    assert timedelta() <= look.next_at - mark.since - timedelta(hours=1) < timedelta(minutes=10)
    again = look_at_schedule(schedule, mark, mark.since + timedelta(minutes=30), seed=seed)
    assert again.next_at == look.next_at
    assert look_at_schedule(schedule, mark, look.next_at, seed=seed).is_due


def test_jitter_differs_from_source_to_source() -> None:
    """Sources of the same schedule do not all begin at once."""
    schedule = Schedule(every="1h", jitter="10m")
    mark = ScheduleMark(schedule.in_words, NOON)
    assert len({look_at_schedule(schedule, mark, NOON, seed=f"source-{number}").next_at for number in range(20)}) > 15


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "either every or cron"),
        ({"every": "1h", "cron": "0 0 * * *"}, "either every or cron"),
        ({"every": "fortnight"}, "15m"),
        ({"every": "30s"}, "every minute at most"),
        ({"every": "999999d"}, "once a year at least"),
        ({"every": "15m", "jitter": "15m"}, "shorter than the time between"),
        ({"cron": "61 * * * *"}, "Bad minute"),
        ({"cron": "* * *"}, "five fields"),
        ({"cron": "* * * * * *"}, "five fields"),
        ({"cron": "0 0 30 2 *"}, "Bad day-of-month"),
        ({"every": "\u0663m"}, "15m, 6h or 7d"),
        ({"every": "1h", "tz": "Mars/Olympus"}, "no time zone"),
        ({"every": "1h", "tz": "../../etc/passwd"}, "no time zone"),
        ({"every": "1h", "quiet_hours": "22-6"}, "22:00-06:00"),
        ({"every": "1h", "quiet_hours": "22:00-22:00"}, "22:00-06:00"),
        ({"every": "1h", "often": "yes"}, "not permitted"),
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, str], problem: str) -> None:
    """A schedule that says nothing, too much, or what no clock shows is an error that says how to write it."""
    with pytest.raises(pydantic.ValidationError, match=problem):
        Schedule.model_validate(fields)


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        (None, {"every": "15m"}, {"every": "15m"}),
        ({"every": "15m", "jitter": "2m"}, {"cron": "0 6 * * *"}, {"cron": "0 6 * * *", "jitter": "2m"}),
        ({"cron": "0 6 * * *", "tz": "Europe/Berlin"}, {"every": "1h"}, {"every": "1h", "tz": "Europe/Berlin"}),
        ({"every": "15m", "jitter": "2m"}, {"jitter": ""}, {"every": "15m"}),
        ({"every": "15m"}, {"every": ""}, None),
        (None, {"every": ""}, None),
        ({"cron": "0 6 * * *", "jitter": "2m"}, {"every": ""}, None),
        ({"every": "15m"}, {"cron": "", "jitter": "2m"}, None),
        ({"every": "15m"}, {"every": "", "cron": "0 6 * * *"}, {"cron": "0 6 * * *"}),
        ({"every": "15m"}, {"quiet_hours": "22:00-06:00"}, {"every": "15m", "quiet_hours": "22:00-06:00"}),
    ],
)
def test_options_change_a_schedule(
    before: dict[str, str] | None, changes: dict[str, Any], after: dict[str, str] | None
) -> None:
    """What is not named stays, every and cron replace each other, and an empty one of them ends the schedule."""
    assert changed_schedule(None if before is None else Schedule.model_validate(before), **changes) == after


def test_details_without_a_schedule_are_refused() -> None:
    """Jitter alone makes no schedule."""
    with pytest.raises(ValueError, match="no schedule"):
        changed_schedule(None, jitter="2m")
    assert duration_of("90s") == timedelta(seconds=90)


def test_an_old_source_has_no_schedule() -> None:
    """The record of an older program reads as before."""
    assert Source(source_id="docs", name="Docs", source_type="local").schedule is None
