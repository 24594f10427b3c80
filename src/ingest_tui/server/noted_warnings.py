"""What services warn of while they answer, for whoever asked: warnings go to stderr otherwise, where no client sees."""

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
    """From now on, in this process, keep the warnings of each request for its answer. Called once, by a server."""
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
    """Return what was warned of in this request until now, each once, as it may be shown."""
    return _shown(_noted.get() or [])


def _shown(found: list[str]) -> list[str]:
    return [safe_display(text, limit=_CHARACTERS) for text in dict.fromkeys(found)][:_MOST]


def warning_headers(found: list[str]) -> dict[str, str]:
    """Return the header that tells a client of warnings, each once (RFC 9111, section 5.5); it can hold ASCII only."""
    texts = _shown(found)
    quoted = (text.replace("\\", "/").replace('"', "'").encode("ascii", "replace").decode() for text in texts)
    return {"Warning": ", ".join(f'199 ingest-tui "{text}"' for text in quoted)} if texts else {}
