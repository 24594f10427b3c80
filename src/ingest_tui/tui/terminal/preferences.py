"""How a person wants the TUI: theme, keymap and the collection in use, as workspace.json has them.

Read as plain JSON, before anything heavy is loaded; nothing in there keeps the TUI from starting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.theme_names import AUTO, THEME_NAMES
from ingest_tui.store.layout import Layout


@dataclass(frozen=True, slots=True)
class Preferences:
    """The settings ``theme``, ``keymap`` and ``collection`` (empty: nobody chose); ``problems`` says what was wrong."""

    theme: str = AUTO
    keymap: Mapping[str, object] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    collection: str = ""


def read_preferences(root: Path) -> Preferences:
    """Return what workspace.json says; what cannot be used is left out and reported."""
    import orjson

    try:
        settings = orjson.loads(Layout(root).settings.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return Preferences()  # opening the workspace says what is wrong with it
    if not isinstance(settings, dict):
        return Preferences()
    problems = []
    theme, keymap = settings.get("theme", AUTO), settings.get("keymap", {})
    if theme not in THEME_NAMES:
        said = safe_display(str(theme), limit=30)
        problems.append(f"theme: there is no {said!r}; there are {', '.join(THEME_NAMES)}")
        theme = AUTO
    if not isinstance(keymap, dict):
        problems.append('keymap: it must be an object, such as {"job.retry": "f6"}')
        keymap = {}
    collection = settings.get("collection")
    return Preferences(theme, keymap, tuple(problems), collection if isinstance(collection, str) else "")
