"""What services warn of while they answer, for whoever asked: by itself it goes to stderr, where nobody sees it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ingest_tui.model.safe_text import safe_display

_MOST = 5
_CHARACTERS = 300
_noted: ContextVar[list[str] | None] = ContextVar("noted", default=None)


def note_warnings() -> None:
    """From now on, in this process, keep the warnings of each request for its answer. For a server or a TUI, once."""
    show = warnings.showwarning
    warnings.simplefilter("always", UserWarning)

    def note(message: Warning | str, category: type[Warning], *where: Any, **options: Any) -> None:
        noted = _noted.get()
        if noted is None or not issubclass(category, UserWarning):
            show(message, category, *where, **options)
        else:
            noted.append(str(message))

    warnings.showwarning = note


@contextmanager
def noting() -> Iterator[list[str]]:
    """Give the list that the warnings of this thread go to within the context."""
    noted: list[str] = []
    mark = _noted.set(noted)
    try:
        yield noted
    finally:
        _noted.reset(mark)


def noted_so_far() -> list[str]:
    """Return what was warned of in this request until now, `as_shown`."""
    return as_shown(_noted.get() or [])


def as_shown(found: list[str]) -> list[str]:
    """Return warnings as they may be shown: each once, none too long, the first few of many."""
    return [safe_display(text, limit=_CHARACTERS) for text in dict.fromkeys(found)][:_MOST]
