"""How long a server asks to wait: the header Retry-After (RFC 9110, section 10.2.3)."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from ingest_tui.model.clock import posix_seconds


def seconds_to_wait(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for, from a number or an HTTP date; None when it says neither.

    >>> seconds_to_wait("17")
    17.0
    """
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - posix_seconds()
        except (TypeError, ValueError, OverflowError):
            return None
    return max(0.0, seconds) if seconds < float("inf") else None
