"""Preferences of a source or a document, with where each comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ingest_tui.cli import output

if TYPE_CHECKING:
    from ingest_tui.model.preference_values import PreferenceInForce

_FROM = {"collection": "from its collection", "source": "chosen for the source", "upload": "chosen with the upload"}


def preferences_as_data(rows: Sequence[PreferenceInForce] | None) -> dict[str, dict[str, str]] | None:
    """Return the JSON form: of each key its value, and where that comes from; null where that cannot be read."""
    return None if rows is None else {row.key: {"value": row.value, "from": row.origin} for row in rows}


def show_preferences(rows: Sequence[PreferenceInForce] | None, *, width: int = 16) -> None:
    """Print what somebody has chosen; what is usual is not worth a line."""
    if rows is None:
        output.line(
            f"{'preferences':{width}} the record of the collection cannot be read; 'ingest-tui doctor' shows why"
        )
        return
    for row in rows:
        if row.origin != "usual":
            output.line(f"{row.key:{width}} {row.value or '-'}   ({_FROM[row.origin]})")
