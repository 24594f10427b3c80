"""Lines of logs: JSON objects with ``at``, ``level``, ``message``, and what the line is about."""

from __future__ import annotations

LEVELS = ("debug", "info", "warning", "error")


def is_at_least(level: object, wanted: str) -> bool:
    """Tell whether a line of ``level`` is to be shown to somebody who wants ``wanted`` and above; unknown ones are."""
    return level not in LEVELS or LEVELS.index(str(level)) >= LEVELS.index(wanted)
