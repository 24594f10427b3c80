"""The actions as one person has them: with the keys of their keymap, and without what ``--read-only`` leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from textual.keys import _character_to_key

from ingest_tui.model.safe_text import safe_display
from ingest_tui.tui.actions.actions import ACTIONS, BY_ID, Action
from ingest_tui.tui.navigation.views import VIEW_NAMES

_VIEWS = tuple(dict.fromkeys((*VIEW_NAMES, *(view for action in ACTIONS for view in action.views))))


class Registry:
    """What help, footer, palette, keys and the ``:`` line offer.

    ``keymap``: action id -> keys between commas, as in workspace.json. What is wrong with it is in
    `problems`, one sentence each; the actions concerned keep their own keys.
    """

    def __init__(self, keymap: Mapping[str, object] | None = None, *, read_only: bool = False) -> None:
        self.read_only = read_only
        self.problems: list[str] = []
        self.chosen_keys = self._without_clashes(self._valid(keymap or {}))
        self._actions = {action.id: self._as_chosen(action) for action in ACTIONS}

    def of(self, view: str) -> list[Action]:
        """Return what can be done in a view, in the order of the registry."""
        return [action for action in self._actions.values() if action.belongs_to(view) and self.allows(action)]

    def get(self, action_id: str) -> Action:
        """Return an action with the keys it has here."""
        return self._actions[action_id]

    def allows(self, action: Action) -> bool:
        """Tell whether an action may be done: with ``--read-only`` none that changes anything."""
        return not (self.read_only and action.changes)

    def keys_by_binding(self) -> dict[str, str]:
        """Return the chosen keys by the ids of the bindings, as Textual takes a keymap."""
        return {f"{view}.{action_id}": keys for action_id, keys in self.chosen_keys.items() for view in _VIEWS}

    def _as_chosen(self, action: Action) -> Action:
        return replace(action, keys=self.chosen_keys[action.id]) if action.id in self.chosen_keys else action

    def _valid(self, keymap: Mapping[str, object]) -> dict[str, str]:
        valid = {}
        for action_id, keys in keymap.items():
            if action_id not in BY_ID:
                self.problems.append(
                    f"keymap: there is no action '{safe_display(str(action_id))}'; docs/tui.md has all"
                )
            elif not isinstance(keys, str) or not keys.strip():
                self.problems.append(f'keymap: the keys of {action_id} must be text, such as "x" or "f6,x"')
            else:
                valid[action_id] = ",".join(_key(part.strip()) for part in keys.split(",") if part.strip())
        return valid

    def _without_clashes(self, chosen: dict[str, str]) -> dict[str, str]:
        """Drop chosen keys that two actions of a view would share, until there are none; the defaults share none."""
        while clash := _first_clash(chosen):
            key, view, both = clash
            names = " and ".join(f"{BY_ID[action_id].title!r} ({action_id})" for action_id in both)
            self.problems.append(f"keymap: in {view} the key {key} is that of {names}; their own keys are used instead")
            chosen = {action_id: keys for action_id, keys in chosen.items() if action_id not in both}
        return chosen


def _key(text: str) -> str:
    return _character_to_key(text) if len(text) == 1 else text


def _first_clash(chosen: Mapping[str, str]) -> tuple[str, str, tuple[str, str]] | None:
    for view in _VIEWS:
        owner: dict[str, str] = {}
        for action in ACTIONS:
            if not action.belongs_to(view):
                continue
            for key in chosen.get(action.id, action.keys).split(","):
                if key and key in owner:
                    return key, view, (owner[key], action.id)
                owner[key] = action.id
    return None
