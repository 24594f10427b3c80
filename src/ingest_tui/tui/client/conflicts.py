"""What a screen gets instead of a saved record when somebody else has changed it meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from ingest_tui.model.errors import ConflictError
from ingest_tui.model.revision import Difference

Saved = TypeVar("Saved")


@dataclass(frozen=True, slots=True)
class Conflict:
    """The record as it is now (``theirs``), and each field that is not as the person wants it, for people."""

    theirs: Any
    lines: tuple[str, ...]


def saved_or_conflict(save: Callable[[], Saved]) -> Saved | Conflict:
    """Return what ``save`` returns, or the conflict that it meets; raises `ConflictError` for a record that is gone."""
    try:
        return save()
    except ConflictError as error:
        if error.theirs is None:
            raise
        differences = cast("list[dict[str, Any]]", error.context["differences"])
        return Conflict(error.theirs, tuple(str(Difference(**difference)) for difference in differences))
