"""Preferences as people write them: ``key=value``, lists with commas; and what a change of them is."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, get_args

import pydantic

from ingest_tui.model.collection import CollectionPreferences
from ingest_tui.model.errors import UsageError, ValidationError
from ingest_tui.model.invalid_values import invalid_fields, refusal_in_words
from ingest_tui.model.preference_overrides import OVERRIDABLE, Origin, Overriding, PreferenceOverrides
from ingest_tui.model.preferences_in_force import check_overrides, origins_of, preferences_in_force
from ingest_tui.model.safe_text import safe_display

PREFERENCES = tuple(CollectionPreferences.model_fields)
"""The keys that this version of the program knows, in the order in which they are shown."""


class PreferenceRow(NamedTuple):
    """A preference for people: its value as text, whether somebody has chosen it, and what it is."""

    key: str
    value: str
    is_chosen: bool
    description: str


class PreferenceInForce(NamedTuple):
    """A preference of a source or a document: its value as text, and who says so."""

    key: str
    value: str
    origin: Origin


def assignments(pairs: Iterable[str]) -> dict[str, str]:
    """Return the values of ``key=value`` pairs; raises `UsageError` for what is none, and for a key that is twice."""
    values = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key.strip():
            raise UsageError(f"not KEY=VALUE: {safe_display(pair)}", hint="e.g. --set chunk_size=1200")
        name = key.strip().replace("-", "_")
        if name in values:
            raise UsageError(f"{safe_display(name)} is set twice", hint="give it once; lists have commas")
        values[name] = value.strip()
    return values


def changed_preferences(
    before: CollectionPreferences, values: Mapping[str, Any], unset: Iterable[str] = ()
) -> CollectionPreferences:
    """Return preferences with other values: texts as people write them, or values of the type of their key.

    What is ``unset`` is as usual again. Raises `ValidationError` for an unknown key or a value that cannot be, whose
    context has the ``problems`` by key, and `UsageError` for a key that is to have a value and to be unset.
    """
    record = before.model_dump(mode="json", exclude_unset=True)
    removed = [key.replace("-", "_") for key in unset]
    _refuse_both(values, removed)
    for key in (*values, *(key for key in removed if key not in record)):
        _refuse_unknown(key)
    record = {key: value for key, value in record.items() if key not in removed}
    record |= {key: _typed(key, value) if isinstance(value, str) else value for key, value in values.items()}
    try:
        return CollectionPreferences.model_validate(record)
    except pydantic.ValidationError as error:
        raise ValidationError(
            refusal_in_words(error),
            hint="'ingest-tui collection prefs NAME' lists the keys",
            problems=invalid_fields(error, general=""),
        ) from None


def changed_overrides(
    before: PreferenceOverrides,
    values: Mapping[str, Any],
    unset: Iterable[str] = (),
    *,
    collection: CollectionPreferences,
) -> PreferenceOverrides:
    """Return what a source or an upload chooses for itself with other values, as `changed_preferences`.

    What is ``unset``, or a text that is empty, is as the collection says again. Raises `ValidationError` for a key that
    only a collection has, and for what cannot be together with what the collection says.
    """
    removed = [key.replace("-", "_") for key in unset]
    _refuse_both(values, removed)
    removed += [key for key, value in values.items() if value == ""]
    for key in (*values, *removed):
        _refuse_unknown(key)
        if key not in OVERRIDABLE:
            raise ValidationError(
                f"{key} is a preference of a whole collection", hint=f"{', '.join(OVERRIDABLE)} can be chosen here"
            )
    record = before.chosen() | {
        key: _typed(key, value) if isinstance(value, str) else value for key, value in values.items()
    }
    try:
        overrides = PreferenceOverrides.model_validate({k: v for k, v in record.items() if k not in removed})
        check_overrides(collection, overrides)
    except pydantic.ValidationError as error:
        raise ValidationError(
            refusal_in_words(error), hint="'ingest-tui collection prefs NAME' lists the keys"
        ) from None
    except ValueError as error:
        raise ValidationError(str(error), hint="'ingest-tui collection prefs NAME' shows what it inherits") from None
    return overrides


def rows_in_force(preferences: CollectionPreferences, overriding: Overriding) -> list[PreferenceInForce]:
    """Return the preferences in force for a source or a document, and where each comes from."""
    values = preferences_in_force(preferences, overriding).model_dump(mode="json")
    origins = origins_of(preferences, overriding)
    return [PreferenceInForce(key, as_text(values[key]), origins[key]) for key in OVERRIDABLE]


def differing_keys(before: CollectionPreferences, after: CollectionPreferences) -> tuple[str, ...]:
    """Return the keys whose values differ, sorted."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    return tuple(sorted(key for key in {*old, *new} if old.get(key) != new.get(key)))


def preference_rows(preferences: CollectionPreferences) -> list[PreferenceRow]:
    """Return all preferences for people; those of other versions of the program come last."""
    rows = []
    for key, value in preferences.model_dump(mode="json").items():
        field = CollectionPreferences.model_fields.get(key)
        is_chosen = field is None or value != _json_default(key)
        rows.append(PreferenceRow(key, as_text(value), is_chosen, (field and field.description) or "not known here"))
    return rows


def as_text(value: Any) -> str:
    """Return a value as people write it."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(f'"{one}"' if "," in str(one) else str(one) for one in value)
    return str(value)


def _json_default(key: str) -> Any:
    return CollectionPreferences().model_dump(mode="json")[key]


def _refuse_unknown(key: str) -> None:
    if key not in PREFERENCES:
        raise ValidationError(
            f"there is no preference '{safe_display(key)}'", hint=f"there are {', '.join(PREFERENCES)}"
        )


def _refuse_both(values: Mapping[str, Any], unset: Iterable[str]) -> None:
    both = [key for key in dict.fromkeys(unset) if key in values]
    if both:
        raise UsageError(f"{', '.join(map(safe_display, both))}: set and unset at once", hint="give one of the two")


def _typed(key: str, text: str) -> Any:
    """Return the value that a text stands for; an empty one is none. What it cannot be stays a text."""
    annotation = CollectionPreferences.model_fields[key].annotation
    kinds = {annotation, *get_args(annotation)}
    if tuple in {getattr(kind, "__origin__", kind) for kind in kinds}:
        return [name.strip() for name in next(csv.reader([text], skipinitialspace=True), ()) if name.strip()]
    if not text and type(None) in kinds:
        return None
    for number in (int, float):
        if number in kinds:
            try:
                return number(text)
            except ValueError:
                return text
    return text
