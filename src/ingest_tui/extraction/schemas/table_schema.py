"""Table Schema (Frictionless Data, specs.frictionlessdata.io/table-schema): columns, their types and constraints.

Foreign keys are not checked: what they refer to is another table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from ingest_tui.extraction.schemas.json_schema import UnusableSchemaError
from ingest_tui.extraction.schemas.table_values import ORDERED_TYPES, ReadValue, kind_in_words, reader_of
from ingest_tui.extraction.schemas.violations import Violations

_MATCHES = ("exact", "equal", "subset", "superset", "partial")
_NAMES_NAMED = 10
_SHOWN_CHARACTERS = 60

ValueRule = tuple[str, Callable[[Any, str], bool]]
"""What is wrong with a value that breaks the rule, and whether a value and its text keep it."""


@dataclass(frozen=True, slots=True)
class TableField:
    """One column: what its values are called, how its texts are read, which of them stand for no value, and its rules.

    ``readers`` are two: of texts as they are, and of those that a program made of typed values.
    """

    name: str
    kind: str
    readers: tuple[ReadValue, ReadValue]
    missing: frozenset[str]
    is_required: bool
    is_unique: bool
    rules: tuple[tuple[ValueRule, ...], tuple[ValueRule, ...]]


@dataclass(frozen=True, slots=True)
class TableSchema:
    """The columns of a table. ``match`` says which others there may be, as ``fieldsMatch`` of the specification."""

    fields: tuple[TableField, ...]
    match: str
    primary_key: tuple[str, ...]

    @classmethod
    def of(cls, schema: Mapping[str, Any]) -> Self:
        """Return the schema that a descriptor describes. Raises `UnusableSchemaError`."""
        fields = tuple(_field(one, at, schema) for at, one in enumerate(schema["fields"], 1))
        match = schema.get("fieldsMatch", "exact")
        match = match[0] if isinstance(match, list) and match else match
        if match not in _MATCHES:
            raise UnusableSchemaError(f"fieldsMatch is one of {', '.join(_MATCHES)}")
        names = [one.name for one in fields]
        if len(set(names)) < len(names):
            raise UnusableSchemaError("two of its fields have the same name")
        key = schema.get("primaryKey", ())
        keys = (key,) if isinstance(key, str) else tuple(key) if isinstance(key, list | tuple) else (None,)
        if not fields or not all(one in names for one in keys):
            raise UnusableSchemaError("its primaryKey names no field" if fields else "it has no fields")
        return cls(fields, match, keys)

    def check(
        self,
        columns: Mapping[int, str],
        rows: Sequence[Sequence[str]],
        found: Violations,
        *,
        where: str,
        as_shown: bool,
    ) -> None:
        """Add what in a table does not follow the schema. Rows are counted from 1, below the names of the columns."""
        places = self._places(columns, found, where)
        checks = [_Column(one, places[one.name], as_shown=as_shown) for one in self.fields if one.name in places]
        keys = [places[name] for name in self.primary_key if name in places]
        seen: set[tuple[str, ...]] = set()
        for number, row in enumerate(rows, 1):
            if found.is_full:
                return
            for column in checks:
                column.check(row, number, found, where)
            if keys and len(keys) == len(self.primary_key):
                key = tuple(_cell(row, place) for place in keys)
                if "" in key or key in seen:
                    _add(found, f"{where}row {number}", f"the primary key {_shown(', '.join(key))}",
                         "is missing" if "" in key else "is not unique")  # fmt: skip
                seen.add(key)

    def _places(self, columns: Mapping[int, str], found: Violations, where: str) -> dict[str, int]:
        """Return where the fields are, by the names of the columns; adds what does not match."""
        wanted = [one.name for one in self.fields]
        places: dict[str, int] = {}
        for place, name in columns.items():
            places.setdefault(" ".join(name.split()), place)
        missing = [name for name in wanted if name not in places]
        extra = [name for name in places if name not in wanted]
        if self.match in {"exact", "equal", "subset"} and missing:
            _add(found, f"{where}header", f"no column {_listed(missing)}", "")
        if self.match in {"exact", "equal", "superset"} and extra:
            _add(found, f"{where}header", f"the schema has no column {_listed(extra)}", "")
        if self.match == "exact" and not (missing or extra) and list(places) != wanted:
            _add(found, f"{where}header", f"the columns are in another order than {_listed(wanted)}", "")
        if self.match == "partial" and len(missing) == len(wanted):
            _add(found, f"{where}header", f"none of the columns {_listed(wanted)}", "")
        return {name: place for name, place in places.items() if name in wanted}


class _Column:
    """Checks the cells of one column, one after the other."""

    def __init__(self, field: TableField, place: int, *, as_shown: bool) -> None:
        self._field = field
        self._place = place
        self._read = field.readers[as_shown]
        self._rules = field.rules[as_shown]
        self._seen: set[Any] = set()

    def check(self, row: Sequence[str], number: int, found: Violations, where: str) -> None:
        field, text = self._field, _cell(row, self._place)
        if text in field.missing:
            if field.is_required:
                self._add(found, where, number, "", "a value is required")
            return
        try:
            value = self._read(text)
        except (ValueError, ArithmeticError):
            self._add(found, where, number, text, f"is not {field.kind}")
            return
        for wrong, is_kept in self._rules:
            if not is_kept(value, text):
                self._add(found, where, number, text, wrong)
        if field.is_unique:
            key = text if isinstance(value, list) else value
            if key in self._seen:
                self._add(found, where, number, text, "is not unique")
            self._seen.add(key)

    def _add(self, found: Violations, where: str, number: int, text: str, wrong: str) -> None:
        name = self._field.name
        _add(found, f"{where}row {number}, column {name[:_SHOWN_CHARACTERS]!r}", _shown(text) if text else "", wrong)


def _add(found: Violations, where: str, what: str, wrong: str) -> None:
    found.add(lambda: f"{where}: {what} {wrong}")


def _cell(row: Sequence[str], place: int) -> str:
    return row[place] if place < len(row) else ""


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…")


def _listed(names: Sequence[str]) -> str:
    some = ", ".join(_shown(name) for name in names[:_NAMES_NAMED])
    return f"{some} and {len(names) - _NAMES_NAMED} more" if len(names) > _NAMES_NAMED else some


# --- From the descriptor ------------------------------------------------------------------------------------------


def _field(descriptor: Any, at: int, schema: Mapping[str, Any]) -> TableField:
    if not isinstance(descriptor, Mapping) or not isinstance(descriptor.get("name"), str):
        raise UnusableSchemaError(f"field {at} has no name")
    name = " ".join(descriptor["name"].split())
    constraints = descriptor.get("constraints", {})
    missing = descriptor.get("missingValues", schema.get("missingValues", [""]))
    if not isinstance(constraints, Mapping) or not isinstance(missing, list):
        raise UnusableSchemaError(f"field {name[:_SHOWN_CHARACTERS]!r} is damaged")
    try:
        readers = reader_of(descriptor, as_shown=False), reader_of(descriptor, as_shown=True)
        kind = str(descriptor.get("type", "string"))
        rules = _rules(constraints, kind, readers[0])
        return TableField(
            name,
            kind_in_words(descriptor),
            readers,
            frozenset(str(one.get("value", "") if isinstance(one, Mapping) else one) for one in missing) | {""},
            constraints.get("required") is True,
            constraints.get("unique") is True,
            (rules, tuple(rule for rule in rules if rule[0] != _WRONG_PATTERN or kind == "string")),
        )
    except (ValueError, TypeError, ArithmeticError, re.error) as error:
        raise UnusableSchemaError(f"field {name[:_SHOWN_CHARACTERS]!r}: {error}"[:300]) from None


_WRONG_PATTERN = "does not match the pattern"


def _rules(constraints: Mapping[str, Any], kind: str, read: ReadValue) -> tuple[ValueRule, ...]:
    rules: list[ValueRule] = []
    for name, value in constraints.items():
        if name in _BOUNDS:
            if kind not in ORDERED_TYPES:
                raise ValueError(f"{name} is for {', '.join(sorted(ORDERED_TYPES))}")
            rules.append(_bound(name, _as_text(value), _read_limit(name, value, read)))
        elif name in _LENGTHS:
            rules.append(_length(name, int(value)))
        elif name == "pattern":
            pattern = re.compile(str(value))
            rules.append((_WRONG_PATTERN, lambda _value, text, match=pattern.fullmatch: match(text) is not None))  # type: ignore[misc]
        elif name == "enum":
            allowed = [_read_limit(name, one, read) for one in value]
            rules.append(("is none of the values that are allowed", lambda found, _text, some=allowed: found in some))  # type: ignore[misc]
    return tuple(rules)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _read_limit(name: str, value: Any, read: ReadValue) -> Any:
    try:
        return read(_as_text(value))
    except (ValueError, ArithmeticError):
        raise ValueError(f"{name} {_as_text(value)[:_SHOWN_CHARACTERS]!r} is no value of its type") from None


def _bound(name: str, text: str, limit: Any) -> ValueRule:
    wrong, keeps = _BOUNDS[name]
    return f"{wrong} {text}", lambda value, _text: keeps(value, limit)


def _length(name: str, limit: int) -> ValueRule:
    wrong, keeps = _LENGTHS[name]
    return f"{wrong} {limit}", lambda value, text: keeps(len(value) if isinstance(value, list) else len(text), limit)


_BOUNDS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "minimum": ("is less than", lambda value, limit: bool(value >= limit)),
    "maximum": ("is more than", lambda value, limit: bool(value <= limit)),
    "exclusiveMinimum": ("is not more than", lambda value, limit: bool(value > limit)),
    "exclusiveMaximum": ("is not less than", lambda value, limit: bool(value < limit)),
}
_LENGTHS: dict[str, tuple[str, Callable[[int, int], bool]]] = {
    "minLength": ("is shorter than", lambda length, limit: length >= limit),
    "maxLength": ("is longer than", lambda length, limit: length <= limit),
}
