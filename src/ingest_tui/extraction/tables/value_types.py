"""What the text of a cell is: a number, a date, or a text; by its form alone, its value is never changed."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from itertools import filterfalse
from typing import Literal

ColumnType = Literal["integer", "number", "boolean", "date", "datetime", "time", "string", "empty"]
"""The names are those of the Table Schema; ``empty`` is a column without values."""

ABSENCE_MARKS = frozenset(("na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "--", "–", "—", "\\n", "?", "..."))
"""What stands for no value in columns of numbers, dates and truths, in lower case. Among texts NA may be Namibia."""

_DAY = (
    r"(?:[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])|[0-9]{4}/(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12][0-9]|3[01])"
    r"|(?:0?[1-9]|[12][0-9]|3[01])\.(?:0?[1-9]|1[0-2])\.[0-9]{4}|(?:0?[1-9]|[12][0-9]|3[01])/(?:0?[1-9]|[12][0-9]|3[01])/[0-9]{4})"
)
_CLOCK = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,9})?)?"
_WHOLE = r"(?:0|[1-9][0-9]*+)"  # 007 is a name, not a number
_TYPES = re.compile(
    rf"(?P<integer>[+-]?{_WHOLE})"
    rf"|(?P<number>[+-]?(?:{_WHOLE}(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{{1,6}})?|[+-]?(?i:inf)"
    r"|[+-]?[$€£¥]? ?(?:[0-9]{1,3}(?:(?P<group>[,.' \u00a0\u202f])[0-9]{3})(?:(?P=group)[0-9]{3})*(?:[.,][0-9]+)?"
    rf"|{_WHOLE}(?:[.,][0-9]+)?)[ \u00a0\u202f]?[%$€£¥]?)"
    r"|(?P<boolean>(?i:true|false))"
    rf"|(?P<date>{_DAY})"
    rf"|(?P<datetime>{_DAY}[T ]{_CLOCK} ?(?:Z|UTC|[+-][0-9]{{2}}:?[0-9]{{2}})?)"
    rf"|(?P<time>{_CLOCK})"
)
_USUAL_FORMS: dict[ColumnType, str] = {
    "integer": f"-?+{_WHOLE}",
    "number": rf"-?+{_WHOLE}(?>(?:\.[0-9]++)?)",
    "date": _DAY,
    "boolean": "true|false",
}
"""Forms that most values of a type have; there are others."""
_USUAL = {kind: re.compile(form) for kind, form in _USUAL_FORMS.items()}
_ALL_USUAL = {kind: re.compile(rf"(?>(?:(?>(?:{form})?)\0)*)") for kind, form in _USUAL_FORMS.items()}
"""Match values and blanks with a NUL after each: one call for many of them takes a third of the time."""
_TEXT_STARTS = re.compile("[^\\W\\d_]")
_NO_TEXT_STARTS = "tTfFiI"
_LONGEST = 60
"""A longer text is none of these; large integers are an exception."""
_NAMED: tuple[ColumnType, ...] = ("integer", "number", "boolean", "date", "datetime", "time")
_WIDER: dict[frozenset[str], ColumnType] = {
    frozenset(("integer", "number")): "number",
    frozenset(("date", "datetime")): "datetime",
}


def unusual(texts: Collection[str], kind: ColumnType) -> list[str]:
    """Return the texts, without a NUL in them, that are not at first sight of a type: `type_of` is to be asked."""
    pattern = _USUAL.get(kind)
    if pattern is None:
        return list(texts)
    if _ALL_USUAL[kind].fullmatch("\0".join([*texts, ""])):
        return []
    return list(filterfalse(pattern.fullmatch, texts))


@lru_cache(maxsize=4096)
def type_of(text: str) -> ColumnType:
    """Return the type of a text that is not blank."""
    if _TEXT_STARTS.match(text) and text[0] not in _NO_TEXT_STARTS:
        return "string"
    if len(text) > _LONGEST:
        return "integer" if text.isascii() and text.isdecimal() and text[0] != "0" else "string"
    match = _TYPES.fullmatch(text)
    if match is None:
        return "string"
    return next(name for name in _NAMED if match[name] is not None)


def common_type(one: ColumnType, other: ColumnType) -> ColumnType:
    """Return the type that holds the values of both."""
    if other in (one, "empty"):
        return one
    if one == "empty":
        return other
    return _WIDER.get(frozenset((one, other)), "string")


def is_absent(text: str) -> bool:
    """Whether a text stands for no value where values are not texts."""
    return not text or text.lower() in ABSENCE_MARKS


def type_of_values(texts: list[str]) -> ColumnType:
    """Return the type of all values among texts; ``empty`` where there are none."""
    found: ColumnType = "empty"
    for text in texts:
        if not is_absent(text):
            found = common_type(found, type_of(text))
            if found == "string":
                break
    return found
