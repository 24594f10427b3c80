"""A task on its way through the pool: what it is expected to cost and what a parser process is told of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ingest_tui.extraction.formats import BY_EXTENSION, extension_of
from ingest_tui.model.extraction import Finding, ParseResult, ParseTask

OnResult = Callable[[ParseResult], None]


@dataclass(slots=True)
class Job:
    """A submitted task, who wants its result, and how many processes have died around it."""

    task: ParseTask
    on_result: OnResult
    attempts: int = 0


def estimate_milliseconds(file_name: str, size: int, backend: str | None = None) -> float:
    """Guess how long a file takes, from its type and its bytes: the right order of magnitude is enough."""
    kind = BY_EXTENSION.get(extension_of(file_name))
    if backend == "unstructured":
        return 100.0 + size / 20_000
    if kind is not None and kind.family == "text":
        return 0.15 + size / 30_000
    if kind is not None and kind.family == "markup":
        return 0.5 + size / 10_000
    return 4.0 + size / 30_000


def wire_form(task: ParseTask) -> dict[str, Any]:
    """Return what a parser process must know of a task, as JSON values."""
    form = {name: getattr(task, name) for name in _WIRE_FIELDS}
    form["backends_by_type"] = task.backends_by_type or None
    return form


def result_of(values: dict[str, Any]) -> ParseResult:
    """Return the result that a parser process sent as JSON values; TypeError when it is none."""
    if values.get("validation"):
        values["validation"] = [Finding(**finding) for finding in values["validation"]]
    return ParseResult(**values)


_WIRE_FIELDS = tuple(
    one.name for one in dataclasses.fields(ParseTask) if one.name not in ("limits", "size", "backends_by_type")
)
