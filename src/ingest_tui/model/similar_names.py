"""What a person may have meant by a name that nothing has."""

from __future__ import annotations

from collections.abc import Iterable

from ingest_tui.model.safe_text import safe_display

_MOST = 3
_LIKENESS = 0.6


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the question before a hint, ``did you mean 'docs'?`` and a space; empty where nothing is alike."""
    from difflib import get_close_matches

    by_folded = {one.casefold(): one for one in known}
    close = get_close_matches(name.casefold(), by_folded, n=_MOST, cutoff=_LIKENESS)
    return f"did you mean {' or '.join(repr(safe_display(by_folded[one])) for one in close)}? " if close else ""
