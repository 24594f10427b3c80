"""What has changed between two states of a record that several people edit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingest_tui.model.errors import ConflictError
from ingest_tui.model.safe_text import safe_display

_BOOKKEEPING = {"schema_version", "revision", "updated_at"}
_LONGEST_VALUE = 80
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that is not the same in what one person wants to save and what another has saved meanwhile.

    ``field`` is a path such as ``source_config.path``. None stands for a value that is not there.
    """

    field: str
    yours: Any
    theirs: Any

    def __str__(self) -> str:
        return f"{safe_display(self.field)}: theirs {_shown(self.theirs)}, yours {_shown(self.yours)}"

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"field": self.field, "yours": self.yours, "theirs": self.theirs}


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """Return the paths of the fields that are not the same in two states of a record, bookkeeping aside."""
    return {field for field, _before, _after in _unequal(before, after)}


def differences(yours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[Difference]:
    """Return the fields that are not the same in two records, bookkeeping aside."""
    return [Difference(*unequal) for unequal in _unequal(yours, theirs)]


def merged(base: Mapping[str, Any], yours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``theirs`` with what ``yours`` has changed of ``base``; where both changed a field, yours counts."""
    result = dict(theirs)
    for name in dict.fromkeys([*base, *yours]):
        before, after = base.get(name, _MISSING), yours.get(name, _MISSING)
        if before == after:
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping) and isinstance(result.get(name), Mapping):
            result[name] = merged(before, after, result[name])
        elif after is _MISSING:
            result.pop(name, None)
        else:
            result[name] = after
    return result


def _unequal(first: Mapping[str, Any], second: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any, Any]]:
    for name in dict.fromkeys([*first, *second]):
        if not place and name in _BOOKKEEPING:
            continue
        one, other = first.get(name, _MISSING), second.get(name, _MISSING)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from _unequal(one, other, f"{place}{name}.")
        elif one != other:
            yield f"{place}{name}", None if one is _MISSING else one, None if other is _MISSING else other


def conflict(what: str, found: Sequence[Difference], theirs: Any) -> ConflictError:
    """Return the error for a record that somebody else has changed since it was read; ``theirs``: as it is now."""
    differences = "; ".join(map(str, found))
    error = ConflictError(
        f"{what} was changed by somebody else meanwhile; nothing was saved{f' ({differences})' if differences else ''}",
        hint="look at it as it is now, then make your change again",
        differences=[difference.as_dict() for difference in found],
    )
    error.theirs = theirs
    return error


def _shown(value: Any) -> str:
    return safe_display(str(value), limit=_LONGEST_VALUE) if value is not None else "nothing"
