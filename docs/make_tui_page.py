"""Write the tables of docs/tui.md from the program: views, keys, commands, settings, themes.

    python docs/make_tui_page.py

The text between ``<!-- NAME -->`` and ``<!-- end -->`` is made here; the rest of the page is written by hand.
A test compares the page with what this would write.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from ingest_tui.tui.actions.actions import ACTIONS, Action
from ingest_tui.tui.navigation.views import VIEWS
from ingest_tui.tui.terminal.themes import THEMES

PAGE = Path(__file__).parent / "tui.md"
_BLOCK = re.compile(r"<!-- (\w+) -->\n.*?<!-- end -->", re.DOTALL)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), ["---"] * len(list(head)), *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _views() -> str:
    rows = (
        (_code(key), view.title, " ".join(_code(f":{name}") for name in (view.name, *view.other_names)),
         _code(view.command))
        for key, view in VIEWS.items()
    )  # fmt: skip
    return _table(("Key", "View", "Command", "On the command line"), rows)


def _row(action: Action) -> tuple[str, ...]:
    keys = " ".join(_code(key) for key in action.shown_keys.split())
    return keys, action.title, _code(action.id), _code(action.command)


def _keys() -> str:
    """One table for what works everywhere, one for each view with what belongs to it."""
    parts = []
    places = {"everywhere": [action for action in ACTIONS if not action.views]}
    for view in dict.fromkeys(view for action in ACTIONS for view in action.views):
        places[view] = [action for action in ACTIONS if view in action.views]
    for place, actions in places.items():
        title = "Everywhere" if place == "everywhere" else f"In {place}"
        parts.append(f"### {title}\n\n{_table(('Key', 'Action', 'Id', 'On the command line'), map(_row, actions))}")
    return "\n\n".join(parts)


def _commands() -> str:
    rows = (
        (" ".join(_code(f":{name} {action.takes}".rstrip()) for name in action.names), action.title)
        for action in ACTIONS
        if action.names
    )
    return _table(("Command", "What it does"), rows)


def _themes() -> str:
    return _table(("Theme", "What it is"), ((_code(name), what) for name, what in THEMES.items()))


_MAKERS: dict[str, Callable[[], str]] = {"views": _views, "keys": _keys, "commands": _commands, "themes": _themes}


def page(text: str) -> str:
    """Return the page with its tables made again."""
    return _BLOCK.sub(lambda block: f"<!-- {block[1]} -->\n{_MAKERS[block[1]]()}\n<!-- end -->", text)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
