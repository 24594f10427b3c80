"""Times as they are written: UTC, RFC 3339, milliseconds. Reading the clock is the caller's business."""

from __future__ import annotations

from datetime import UTC, datetime


def rfc3339(moment: datetime) -> str:
    """Return ``moment`` (aware) as ``2026-11-21T06:31:05.123Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


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
    except ValueError:
        return None
