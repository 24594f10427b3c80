"""How values read on screen: states as glyph and word, ages, sizes, durations. Pure."""

from __future__ import annotations

from ingest_tui.model.clock import seconds_since_epoch
from ingest_tui.model.counted import counted

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400
THOUSAND, MILLION = 1_000, 1_000_000

# Plain words here and not `JobState`, so that the first screen is painted before pydantic is loaded; a test holds
# them to the model. Never colour alone: the glyph differs for each state, and the word is next to it.
STATE_GLYPHS = {
    "queued": ".",
    "running": ">",
    "paused": "=",
    "interrupted": "~",
    "succeeded": "+",
    "partial": "?",
    "failed": "!",
    "cancelled": "x",
}
ENDED = frozenset({"succeeded", "partial", "failed", "cancelled"})
UNREADABLE = "unreadable"
NOTHING_FOUND = ("nothing is looked for, or it is not here", "/ finds")
"""The notice where `n` and `N` have nowhere to go."""
OUTCOME_GLYPHS = {
    "ingested": "+",
    "embedded": "*",
    "unchanged": "=",
    "duplicate": "&",
    "moved": ">",
    "retired": "-",
    "empty": "0",
    "rejected": "x",
    "failed": "!",
}
_TONES = {
    "running": "running",
    "succeeded": "good",
    "ingested": "good",
    "embedded": "good",
    "partial": "warn",
    "rejected": "warn",
    "interrupted": "warn",
    "failed": "bad",
    UNREADABLE: "bad",
}


def state_word(state: str) -> str:
    """Return the glyph and the word of a job state or an outcome: ``> running``, ``! failed``."""
    glyph = OUTCOME_GLYPHS.get(state) or STATE_GLYPHS.get(state) or ("!" if state == UNREADABLE else "-")
    return f"{glyph} {state}"


def tone(state: str) -> str:
    """Return how a state is coloured: ``running``, ``good``, ``warn``, ``bad`` or ``quiet``."""
    return _TONES.get(state, "quiet")


def issue_tone(kind: str) -> str:
    """Return how a kind of error is coloured."""
    return {"failed": "bad", "empty": "quiet"}.get(kind, "warn")


def is_ended(state: str) -> bool:
    """Tell whether a job of this state will not go on."""
    return state in ENDED


def duration(seconds: float | None) -> str:
    """Return seconds as at most two units: ``7s``, ``2m05s``, ``3h10m``, ``4d``; ``-`` for unknown."""
    if seconds is None or seconds < 0:
        return "-"
    whole = int(seconds)
    if whole < MINUTE:
        return f"{whole}s"
    if whole < HOUR:
        return f"{whole // MINUTE}m{whole % MINUTE:02d}s"
    if whole < DAY:
        return f"{whole // HOUR}h{whole % HOUR // MINUTE:02d}m"
    return f"{whole // DAY}d"


def age(moment: str | None, now: float) -> str:
    """Return how long ago an RFC 3339 time was, in one unit: ``2s``, ``4m``, ``1h``, ``3d``, ``2y``."""
    then = seconds_since_epoch(moment)
    if then is None:
        return "-"
    passed = max(0, int(now - then))
    for limit, unit, name in ((MINUTE, 1, "s"), (HOUR, MINUTE, "m"), (DAY, HOUR, "h"), (YEAR, DAY, "d")):
        if passed < limit:
            return f"{passed // unit}{name}"
    return f"{passed // YEAR}y"


def size(number: float | None) -> str:
    """Return bytes as people write them: ``18.2 kB``."""
    if number is None:
        return "-"
    import humanize

    return humanize.naturalsize(number)


def count(number: int) -> str:
    """Return a count in at most five characters: ``950``, ``1.2k``, ``3.4M``."""
    if number < THOUSAND:
        return str(number)
    if number < MILLION:
        return f"{number / THOUSAND:.1f}k" if number < 100 * THOUSAND else f"{number // THOUSAND}k"
    return f"{number / MILLION:.1f}M"


def plural(number: int, word: str) -> str:
    """Return ``1 document``, ``2 documents``."""
    return counted(number, word)


def named(name: str, value: object) -> str:
    """Return a value of a log line with its name; of many counters only those that count something."""
    if isinstance(value, list):
        value = ", ".join(str(part) for part in value)
    if isinstance(value, dict):
        return " ".join(f"{inner}={number}" for inner, number in value.items() if number)
    return f"{name}={value}"


def nothing_matches(noun: str) -> list[str]:
    """Return what a list says that its filter has left empty."""
    return [f"No {noun} matches the filter.", "", "esc clears it"]
