"""A file of sources, YAML or JSON, as it is written by hand or by `source export`: its entries, and where each is."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from ingest_tui.model.counted import counted
from ingest_tui.model.errors import ValidationError
from ingest_tui.model.safe_text import safe_display

LARGEST_FILE = 4_000_000
"""Bytes: some ten thousand sources."""
_MOST_SOURCES = 10_000
_TOP_KEYS = frozenset({"schema_version", "sources"})
_MOST_NODES = 1_000_000
_NAMED = re.compile(r"(?:^|[ ;])([a-z_]+(?:\.\w+)*):")
_EXAMPLE = "sources: [{name: handbook, source_type: local, source_config: {path: /srv/handbook}}]"


class SourceEntry(NamedTuple):
    """One source of a file: its values as they are written, and the lines (from 1) at which it and its keys begin."""

    number: int
    values: Mapping[str, Any]
    lines: Mapping[str, int]

    @property
    def name(self) -> str:
        """Its name, for messages; empty where it has none."""
        name = self.values.get("name")
        return name if isinstance(name, str) else ""


class SourceProblem(NamedTuple):
    """What is wrong with one source of a file; ``line`` is 0 where it is not known."""

    number: int
    name: str
    line: int
    message: str

    def in_words(self, file_name: str) -> str:
        """Return it in one line, which begins with the file and the line as compilers write them."""
        place = f"{file_name}:{self.line}" if self.line else file_name
        return safe_display(f"{place}: sources[{self.number}]{f' {self.name!r}' if self.name else ''}: {self.message}")


class BadSourcesError(ValidationError):
    """A file of sources of which some cannot be used; none of it was."""

    problems: Sequence[SourceProblem] = ()

    @classmethod
    def of(cls, problems: Sequence[SourceProblem], number: int) -> BadSourcesError:
        """Return the error of a file with so many sources."""
        wrong = len({one.number for one in problems})
        error = cls(
            f"{wrong} of {counted(number, 'source')} cannot be used; nothing was changed",
            hint="correct the file; 'ingest-tui source add TYPE --help' lists the settings of a type",
            problems=[one._asdict() for one in problems],
        )
        error.problems = problems
        return error


def problem_of(entry: SourceEntry, message: str) -> SourceProblem:
    """Return a problem of a source, at the line of the first key that the message names."""
    keys = (key for path in _NAMED.findall(message) for key in reversed(path.split(".")))
    named = next((entry.lines[key] for key in keys if key in entry.lines), 0)
    return SourceProblem(entry.number, entry.name, named or entry.lines.get("", 0), message)


def read_entries(text: str) -> list[SourceEntry]:
    """Return the sources of a file; raises `ValidationError` for what is no file of sources.

    It is a list of sources, or an object of which ``sources`` is that list.
    """
    if len(text) > LARGEST_FILE:
        raise ValidationError("the file is too large to be one of sources", hint="split it: at most 4 MB are read")
    try:
        data, lines = _parsed(text)
    except RecursionError:
        raise ValidationError("the file is nested too deep to be one of sources", hint=f"e.g. {_EXAMPLE}") from None
    found = data
    if isinstance(data, dict):
        if unknown := [key for key in data if key not in _TOP_KEYS]:
            raise _no_list(f"it has {safe_display(repr(unknown[0]))} next to its sources")
        if data.get("schema_version", 1) != 1:
            raise ValidationError("the file is of a newer version than this program", hint="upgrade ingest-tui")
        found = data.get("sources")
    if not isinstance(found, list):
        raise _no_list("it has no list of sources")
    if len(found) > _MOST_SOURCES:
        raise ValidationError(
            f"the file has {counted(len(found), 'source')}",
            hint=f"split it: at most {_MOST_SOURCES:,} are added at once",
        )
    entries = []
    for number, values in enumerate(found):
        if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
            raise _no_list(f"sources[{number}] is no object with keys and values")
        entries.append(SourceEntry(number, values, lines[number] if number < len(lines) else {}))
    return entries


def _no_list(why: str) -> ValidationError:
    return ValidationError(f"this is no file of sources: {why}", hint=f"e.g. {_EXAMPLE}")


def _parsed(text: str) -> tuple[Any, list[dict[str, int]]]:
    """Return what a file says, and the lines of each source's keys; its own is under an empty key."""
    import yaml

    with suppress(json.JSONDecodeError):
        data = json.loads(text, object_pairs_hook=_without_repeated_keys)
        lines: list[dict[str, int]] = []
        with suppress(yaml.YAMLError, ValueError):  # JSON that is no YAML, such as with tabs
            lines = _lines(yaml.compose(text, Loader=yaml.SafeLoader))
        return data, lines
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is not None and _size_of(node, {}) > _MOST_NODES:
            raise _no_list("its aliases make it too large")
        return (loader.construct_document(node) if node is not None else None), _lines(node)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that is none
        raise _not_readable(error) from None
    finally:
        loader.dispose()


def _not_readable(error: Exception) -> ValidationError:
    mark = getattr(error, "problem_mark", None)
    place = f"line {mark.line + 1}: " if mark is not None else ""
    why = safe_display(getattr(error, "problem", None) or str(error))
    return ValidationError(f"the file is neither YAML nor JSON: {place}{why}", hint=f"e.g. {_EXAMPLE}")


def _without_repeated_keys(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise ValidationError(f"the key {key!r} is there twice in one object", hint="leave one of them out")
        values[key] = value
    return values


def _size_of(node: Any, sizes: dict[int, float]) -> float:
    """Return how many nodes one is with its aliases written out, without end for one that holds itself.

    Raises `yaml.YAMLError` for a key that is there twice, of which YAML would take the last.
    """
    if id(node) not in sizes:
        sizes[id(node)] = math.inf
        _refuse_repeated_keys(node)
        inner = [value for _, value in _pairs(node)] or (node.value if isinstance(node.value, list) else [])
        sizes[id(node)] = 1 + sum(_size_of(one, sizes) for one in inner)
    return sizes[id(node)]


def _refuse_repeated_keys(node: Any) -> None:
    import yaml

    keys = set[str]()
    for key, _ in _pairs(node):
        name = str(key.value)
        if name in keys:
            raise yaml.MarkedYAMLError(problem=f"the key {name!r} is there twice", problem_mark=key.start_mark)
        keys.add(name)


def _lines(root: Any) -> list[dict[str, int]]:
    """Return the lines of each source's keys and of its settings' keys."""
    import yaml

    found = root
    for key, value in _pairs(root):
        if key.value == "sources":
            found = value
    return [_lines_of(node) for node in found.value] if isinstance(found, yaml.SequenceNode) else []


def _lines_of(node: Any) -> dict[str, int]:
    lines = {"": node.start_mark.line + 1}
    for key, value in _pairs(node):
        for inner, _ in (*_pairs(value), (key, None)):
            lines[str(inner.value)] = inner.start_mark.line + 1
    return lines


def _pairs(node: Any) -> list[tuple[Any, Any]]:
    import yaml

    return list(node.value) if isinstance(node, yaml.MappingNode) else []
