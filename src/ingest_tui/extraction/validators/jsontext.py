"""JSON and JSON lines: where they break, and keys that occur twice in one object."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ingest_tui.model.counted import counted
from ingest_tui.model.extraction import Finding

if TYPE_CHECKING:
    from ingest_tui.extraction.schemas.schema_check import SchemaCheck

_NAMED = 5
_KEY_CHARACTERS = 40
_DETAIL_CHARACTERS = 200


@dataclass(slots=True)
class CheckedJson:
    """A text read as JSON. ``value`` is None when it ``is_broken``; ``repeats_keys``: a value hides another."""

    value: Any = None
    is_broken: bool = False
    repeats_keys: bool = False
    findings: list[Finding] = field(default_factory=list)


def check_json(text: str) -> CheckedJson:
    """Return the value of a JSON text and what is wrong with it."""
    repeated: dict[str, int] = {}
    try:
        value = json.loads(text, object_pairs_hook=_noting(repeated))
    except (ValueError, RecursionError) as error:
        message = f"not valid JSON, kept as text: {error}"[:_DETAIL_CHARACTERS]
        return CheckedJson(is_broken=True, findings=[Finding("error", "json_syntax", message)])
    return CheckedJson(value, repeats_keys=bool(repeated), findings=_repetitions(repeated))


def check_json_texts(texts: Iterable[str], kind: str, schema: SchemaCheck | None = None) -> list[Finding]:
    """Return which texts are not JSON, with their numbers from 1, and which keys occur twice in one object.

    ``kind`` is what a text is called: a line, or a text of a sequence. ``schema`` is shown the value of each.
    """
    repeated: dict[str, int] = {}
    decode = json.JSONDecoder(object_pairs_hook=_noting(repeated)).decode
    broken: list[int] = []
    for number, text in enumerate(texts, 1):
        stripped = text.strip()
        if stripped:
            try:
                value = decode(stripped)
            except (ValueError, RecursionError):
                broken.append(number)
                if schema is not None:
                    schema.no_json(number)
                continue
            if schema is not None:
                schema.value(value, number)
    findings = _repetitions(repeated)
    if broken:
        numbers = ", ".join(map(str, broken[:_NAMED]))
        how_many = counted(len(broken), f"{kind} is", f"{kind}s are")
        message = f"{how_many} not valid JSON, kept as text: first {kind} {numbers}"
        findings.insert(0, Finding("error", "json_syntax", message))
    return findings


def _noting(repeated: dict[str, int]) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    """Return a maker of dictionaries that counts the keys it gets twice."""

    def make(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    repeated[key] = repeated.get(key, 0) + 1
                seen.add(key)
        return value

    return make


def _repetitions(repeated: dict[str, int]) -> list[Finding]:
    if not repeated:
        return []
    keys = ", ".join(repr(key[:_KEY_CHARACTERS]) for key in list(repeated)[:_NAMED])
    return [Finding("warning", "duplicate_keys", f"keys that occur twice in one object: {keys}")]
