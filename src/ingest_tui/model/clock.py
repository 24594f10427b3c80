"""Times as they are written: UTC, RFC 3339, milliseconds. The one place where the time of day is read."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

_BEGINNING, _END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_MOST_DAYS = 999_999
_MOST_NS = (1 << 63) - 1
_UTC_TIME = re.compile(r"\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?Z?)?)?)?", re.ASCII)
_WHOLE_DAY = "0000-01-01"


def utc_now() -> datetime:
    """Return the time of day, aware."""
    return datetime.now(UTC)


def posix_seconds() -> float:
    """Return the seconds since the epoch, now."""
    return time.time()


def posix_ns() -> int:
    """Return the nanoseconds since the epoch, now: what the times of files are compared with."""
    return time.time_ns()


def rfc3339_now() -> str:
    """Return the time of day as it is written."""
    return rfc3339(datetime.now(UTC))


def rfc3339(moment: datetime) -> str:
    """Return ``moment`` (aware) as ``2026-11-21T06:31:05.123Z``."""
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:  # at the ends of the calendar a time zone leads beyond them
        moment = moment.replace(tzinfo=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment_of(text: str) -> datetime | None:
    """Return the aware time that a text says; None for any other text."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def is_beginning_of_time(text: str) -> bool:
    """Whether a text can be compared, letter by letter, with the times of records, which are RFC 3339 in UTC."""
    if not _UTC_TIME.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text + _WHOLE_DAY[len(text) :])  # a year or a month begins with its first day
    except ValueError:
        return False
    return True


def storable_ns(nanoseconds: int | None) -> int | None:
    """Return a file time as it can be stored, in 64 bits: the years 1677 to 2262. None for any other, and for none."""
    return nanoseconds if nanoseconds is not None and -_MOST_NS <= nanoseconds <= _MOST_NS else None


def shifted(moment: datetime, by: timedelta) -> datetime:
    """Return a time so much later or earlier, at most the end or the beginning of the calendar."""
    try:
        return moment + by
    except OverflowError:
        return _END if by > timedelta() else _BEGINNING


def days(number: int) -> timedelta:
    """Return so many days, at most 2,700 years."""
    return timedelta(days=min(number, _MOST_DAYS))


def rfc3339_from_ns(nanoseconds: int | None) -> str | None:
    """Return a file time in nanoseconds since the epoch as RFC 3339; None for none or for a year beyond 9999."""
    if nanoseconds is None:
        return None
    try:
        return rfc3339(datetime.fromtimestamp(nanoseconds // 1_000_000 / 1000, UTC))
    except (OverflowError, ValueError, OSError):
        return None


def seconds_since_epoch(text: str | None) -> float | None:
    """Return the POSIX seconds of an RFC 3339 text; None for none or for something else."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None
