"""What pydantic refuses, in words for people: the field, what is possible there, and what was given.

Asked of an error by its methods, so that pydantic is not loaded to ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from ingest_tui.model.safe_text import safe_display

NEEDED = "this is needed"
_MOST = 3
_VALUE_CHARACTERS = 40
_OWN_ERRORS = ("value_error", "assertion_error")
_BOUNDS = {
    "greater_than": ("be more than {}", "gt"),
    "greater_than_equal": ("be at least {}", "ge"),
    "less_than": ("be less than {}", "lt"),
    "less_than_equal": ("be at most {}", "le"),
    "multiple_of": ("be a multiple of {}", "multiple_of"),
    "string_too_short": ("have at least {} characters", "min_length"),
    "string_too_long": ("have at most {} characters", "max_length"),
    "too_short": ("have at least {} entries", "min_length"),
    "too_long": ("have at most {} entries", "max_length"),
}
# By the beginning of the type of a problem: `int` is that of `int_parsing`, `int_type` and `int_from_float`.
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "decimal": "a number",
    "bool": "true or false",
    "string": "a text",
    "bytes": "a text",
    "date": "a date, YYYY-MM-DD",
    "time": "a time",
    "url": "an address that begins with http:// or https://",
    "path": "a path",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "frozen": "a list",
    "dict": "an object with keys and values",
    "mapping": "an object with keys and values",
    "model": "an object with keys and values",
    "none": "nothing",
}
_SHOWN_VALUES = (
    "greater_",
    "less_",
    "multiple_",
    "literal_error",
    "enum",
    "int_",
    "float_",
    "finite_",
    "decimal_",
    "bool_",
    "date",
)


class InvalidValue(NamedTuple):
    """A field, with dots where it is in another one and empty for the whole; and what is wrong with its value."""

    place: str
    words: str

    @property
    def field(self) -> str:
        """The outermost field that it is in."""
        return self.place.partition(".")[0]


class ValueRefusal(Protocol):
    """What is asked of `pydantic.ValidationError`."""

    def errors(self, *, include_url: bool = ..., include_context: bool = ..., include_input: bool = ...) -> list[Any]:
        """Return what is wrong."""
        ...  # pragma: no cover


def invalid_values(error: ValueRefusal, *, quotes: bool = True, noun: str = "setting") -> list[InvalidValue]:
    """Return what was refused, field by field. ``quotes``: values may be shown; never those of credentials.

    ``noun``: what a field is called.
    """
    found = []
    for problem in error.errors(include_url=False, include_context=True, include_input=quotes):
        place = safe_display(".".join(str(part) for part in problem["loc"]))
        found.append(InvalidValue(place, _in_words(problem, noun) + _given(problem)))
    return found


def invalid_fields(error: ValueRefusal, *, general: str, quotes: bool = True) -> dict[str, str]:
    """Return the first problem of each outermost field, for a form; what is of no field is under ``general``."""
    found: dict[str, str] = {}
    for one in invalid_values(error, quotes=quotes):
        found.setdefault(one.field or general, one.words)
    return found


def refusal_in_words(
    error: ValueRefusal, *, whole: str = "", colon: str = ":", quotes: bool = True, noun: str = "setting"
) -> str:
    """Return the first problems as one sentence. ``whole`` names what has no field, ``colon`` follows each name."""
    found = invalid_values(error, quotes=quotes, noun=noun)[:_MOST]
    named = [(one.place or whole, one.words) for one in found]
    return "; ".join(f"{place}{colon} {words}" if place else words for place, words in named)


def _in_words(problem: Mapping[str, Any], noun: str) -> str:
    kind, context = str(problem["type"]), problem.get("ctx") or {}
    if kind in _OWN_ERRORS:
        text = str(problem["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
        return safe_display(f"{text[:1].lower()}{text[1:]}")
    if kind == "missing" or context.get("min_length") == 1:
        return NEEDED
    if kind == "extra_forbidden":
        return f"there is no such {noun}"
    if kind in {"literal_error", "enum"}:
        return safe_display(f"must be {context.get('expected', 'another value')}")
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        limit = context.get(bound, "?")
        return f"must {words.format(f'{limit:g}' if isinstance(limit, float) else limit)}"
    named = _KINDS.get(kind.partition("_")[0], "") if kind != "string_pattern_mismatch" else ""
    text = f"must be {named}" if named else str(problem["msg"]).replace("Input should be", "must be")
    return safe_display(f"{text[:1].lower()}{text[1:]}")


def _given(problem: Mapping[str, Any]) -> str:
    """Return the value that was given, where it is a number or a word, and no text that may hold more than that."""
    value = problem.get("input")
    is_shown = str(problem["type"]).startswith(_SHOWN_VALUES) and isinstance(value, str | int | float)
    return f", not {safe_display(repr(value), limit=_VALUE_CHARACTERS)}" if is_shown else ""
