"""When a source is synced by itself: every so often or by a cron expression, with jitter and quiet hours. Pure.

Times are computed from the last run that was due, never counted by a clock that runs: so whoever looks, and however
seldom, comes to the same next run. Runs that were missed are made up by one.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from ingest_tui.model.clock import shifted

_DURATION = re.compile(r"([0-9]{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_QUIET = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")
_CRON_FIELDS = 5
_SHORTEST = timedelta(minutes=1)
_LONGEST = timedelta(days=366)
_TOLERATED_STEP = timedelta(seconds=5)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_ANY_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def duration_of(text: str) -> timedelta:
    """Return the time that ``90s``, ``15m``, ``6h`` or ``7d`` names; raises ValueError for any other text."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError("a time is written as 90s, 15m, 6h or 7d")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


class Schedule(BaseModel):
    """When a source is synced by itself. Either ``every`` (``15m``) or ``cron`` (five fields, in the zone ``tz``).

    ``jitter``: each run is later by a part of that, which is the same whoever computes it. ``quiet_hours``: no run
    begins in these hours of ``tz``; one that would is made up at their end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    every: str = ""
    cron: str = ""
    tz: str = "UTC"
    jitter: str = ""
    quiet_hours: str = ""

    @field_validator("every", "jitter")
    @classmethod
    def _is_a_duration(cls, value: str) -> str:
        if value:
            duration_of(value)
        return value.strip()

    @field_validator("tz")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"there is no time zone {value!r}; write UTC or Europe/Berlin") from None
        return value

    @field_validator("quiet_hours")
    @classmethod
    def _are_hours(cls, value: str) -> str:
        found = _QUIET.fullmatch(value)
        if value and (found is None or found.groups()[:2] == found.groups()[2:]):
            raise ValueError("quiet hours are written as 22:00-06:00")
        return value

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, value: str) -> str:
        fields = value.split()
        expression = " ".join(fields)
        if fields and len(fields) != _CRON_FIELDS:
            raise ValueError("a cron expression has five fields, such as '30 6 * * MON-FRI'")
        if expression:
            _first_match(expression, _ANY_DAY)
        return expression

    @model_validator(mode="after")
    def _is_possible(self) -> Schedule:
        if bool(self.every) == bool(self.cron):
            raise ValueError("a schedule has either every or cron")
        if self.every and not _SHORTEST <= self.interval <= _LONGEST:
            raise ValueError("a source is synced every minute at most, and once a year at least")
        if self.jitter and duration_of(self.jitter) >= (self.interval if self.every else timedelta(days=1)):
            raise ValueError("the jitter must be shorter than the time between two runs, and than a day")
        return self

    @property
    def interval(self) -> timedelta:
        """The time between two runs; zero for a cron expression."""
        return duration_of(self.every) if self.every else timedelta()

    @property
    def in_words(self) -> str:
        """The schedule for people, in one line."""
        parts = [f"every {self.every}" if self.every else f"cron {self.cron} {self.tz}"]
        parts += [f"jitter {self.jitter}"] if self.jitter else []
        zone = f" {self.tz}" if self.every else ""
        parts += [f"quiet {self.quiet_hours}{zone}"] if self.quiet_hours else []
        return ", ".join(parts)


def changed_schedule(before: Schedule | None, **changes: str | None) -> dict[str, str] | None:
    """Return the fields of a schedule after a change; None for no schedule. Values that are None stay as they are.

    ``every`` and ``cron`` take each other's place; one of them empty, and not the other, ends the schedule. Raises
    ValueError for details of a schedule that is none.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    rules = [given[name] for name in ("every", "cron") if name in given]
    if rules and not any(rules):
        return None
    fields = {} if before is None else before.model_dump(exclude_defaults=True)
    for name, other in (("every", "cron"), ("cron", "every")):
        if given.get(name) and other not in given:
            fields.pop(other, None)
    fields |= given
    if fields.get("every") or fields.get("cron"):
        return {name: value for name, value in fields.items() if value}
    raise ValueError("without every or cron there is no schedule")


class ScheduleMark(NamedTuple):
    """What is remembered of a schedule: how it was (`Schedule.in_words`), and since when the next run is counted."""

    schedule: str
    since: datetime


class ScheduleLook(NamedTuple):
    """What a look at the clock comes to: whether to run now, when the next run is after that, and what to remember."""

    is_due: bool
    next_at: datetime
    mark: ScheduleMark


def look_at_schedule(schedule: Schedule, mark: ScheduleMark | None, now: datetime, *, seed: str) -> ScheduleLook:
    """Compare a schedule with the clock. ``seed``: what makes the jitter of one source differ from that of another.

    A schedule that is new or has been changed counts from now on, and so does one whose mark is of the future: the
    clock was set back. However many runs were missed, one is due.
    """
    words = schedule.in_words
    if mark is None or mark.schedule != words or not _EARLIEST <= mark.since <= now + _TOLERATED_STEP:
        mark = ScheduleMark(words, now)
        return ScheduleLook(is_due=False, next_at=_next_run(schedule, now, seed), mark=mark)
    next_at = _next_run(schedule, mark.since, seed)
    if next_at > now:
        return ScheduleLook(is_due=False, next_at=next_at, mark=mark)
    quiet_until = _quiet_until(schedule, now)
    if quiet_until is not None:
        return ScheduleLook(is_due=False, next_at=quiet_until + _jitter(schedule, quiet_until, seed), mark=mark)
    made = ScheduleMark(words, _last_due(schedule, mark.since, now))
    return ScheduleLook(is_due=True, next_at=_next_run(schedule, made.since, seed), mark=made)


def _last_due(schedule: Schedule, since: datetime, now: datetime) -> datetime:
    """Return from when the next run is counted after one that is due now: every 15 minutes stays on its minutes."""
    return since + (now - since) // schedule.interval * schedule.interval if schedule.every else now


def _next_run(schedule: Schedule, since: datetime, seed: str) -> datetime:
    due = shifted(since, schedule.interval)
    if schedule.cron:
        due = _first_match(schedule.cron, since.astimezone(ZoneInfo(schedule.tz))).astimezone(UTC)
    begin = _quiet_until(schedule, due) or due
    begin = shifted(begin, _jitter(schedule, due, seed))
    quiet_until = _quiet_until(schedule, begin)
    return begin if quiet_until is None else shifted(quiet_until, _jitter(schedule, due, seed))


def _first_match(expression: str, after: datetime) -> datetime:
    """Return the first time after another, in its zone, that a cron expression names; ValueError where none does."""
    from cronsim import CronSim, CronSimError

    try:
        return next(CronSim(expression, after))
    except CronSimError as error:
        raise ValueError(f"{error} in the cron expression; write five fields, such as '30 6 * * MON-FRI'") from None
    except StopIteration:
        raise ValueError("no day is ever named by the cron expression") from None


def _jitter(schedule: Schedule, due: datetime, seed: str) -> timedelta:
    """Return how much later a run begins: any part of the jitter, always the same for the same run of a source."""
    if not schedule.jitter:
        return timedelta()
    digest = sha256(f"{seed} {due.timestamp():.0f}".encode()).digest()
    return duration_of(schedule.jitter) * (int.from_bytes(digest[:4]) / 2**32)


def _quiet_until(schedule: Schedule, moment: datetime) -> datetime | None:
    """Return when the quiet hours end that a time is in; None where it is in none."""
    found = _QUIET.fullmatch(schedule.quiet_hours)
    if found is None:
        return None
    begin, end = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    local = moment.astimezone(ZoneInfo(schedule.tz))
    clock = local.time()
    if begin < end:
        return _next_at(end, local.date(), local) if begin <= clock < end else None
    if clock >= begin:
        return _next_at(end, local.date() + timedelta(days=1), local)
    return _next_at(end, local.date(), local) if clock < end else None


def _next_at(clock: time, day: date, after: datetime) -> datetime:
    """Return when a clock in the zone of ``after`` shows a time on a day: the first time after that, of two.

    One that the clocks leap over is as long after the leap.
    """
    first = datetime.combine(day, clock, tzinfo=after.tzinfo)
    moment = first.astimezone(UTC)
    return moment if moment > after.astimezone(UTC) else first.replace(fold=1).astimezone(UTC)
