"""What the TUI remembers of its views: filter, order, marks. Losing it costs nobody anything."""

from __future__ import annotations

from typing import Any

import orjson

from ingest_tui.store.layout import Layout

SCHEMA_VERSION = 1
_MOST_BYTES = 1_000_000


def read_view_state(layout: Layout) -> dict[str, dict[str, Any]]:
    """Return what was remembered, by view; nothing where there is no valid file of a version that is known."""
    try:
        with layout.view_state.open("rb") as handle:
            record = orjson.loads(handle.read(_MOST_BYTES))
        if record["schema_version"] != SCHEMA_VERSION:
            return {}
        return {str(view): dict(state) for view, state in record["views"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _is_newer(layout: Layout) -> bool:
    """Whether the file is of a newer program, which is to find it as it left it."""
    try:
        with layout.view_state.open("rb") as handle:
            version = orjson.loads(handle.read(_MOST_BYTES))["schema_version"]
    except (OSError, ValueError, TypeError, KeyError):
        return False
    return isinstance(version, int) and version > SCHEMA_VERSION


def write_view_state(layout: Layout, views: dict[str, dict[str, Any]]) -> bool:
    """Remember the views, and return whether that was possible: a full or read-only disk is no reason to fail."""
    from ingest_tui.store.fs.atomic import write_durably

    try:
        if not layout.settings.exists() or _is_newer(layout):
            return False
        write_durably(layout.view_state, orjson.dumps({"schema_version": SCHEMA_VERSION, "views": views}))
    except (OSError, TypeError):
        return False
    return True
