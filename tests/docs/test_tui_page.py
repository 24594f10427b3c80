"""docs/tui.md says what the program does."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))

from make_tui_page import PAGE, page  # noqa: E402

from ingest_tui.tui.actions.action_registry import Registry  # noqa: E402
from ingest_tui.tui.actions.actions import ACTIONS  # noqa: E402
from ingest_tui.tui.terminal.themes import THEMES  # noqa: E402


def test_the_tables_are_those_of_the_program() -> None:
    """Somebody who changes an action runs ``python docs/make_tui_page.py``."""
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text


def test_every_action_is_on_the_page() -> None:
    """By its id, which a keymap needs."""
    text = PAGE.read_text(encoding="utf-8")
    assert [action.id for action in ACTIONS if f"`{action.id}`" not in text] == []


def test_the_example_of_the_settings_works() -> None:
    """Its theme exists and its keymap has no clash."""
    [example] = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    settings = json.loads(example)
    assert settings["theme"] in THEMES
    assert Registry(settings["keymap"]).problems == []
