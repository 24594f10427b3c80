"""The ``:`` line: which action a line means, and how it may go on. Pure: the registry is the only list of commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ingest_tui.model.errors import UsageError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.tui.actions.action_registry import Registry
from ingest_tui.tui.actions.actions import ACTIONS, Action


class Command(NamedTuple):
    """An action and what it is to be done with."""

    action: Action
    argument: str


def names_of(action: Action) -> tuple[str, ...]:
    """Return what an action is called on the ``:`` line: short names, its id, its title."""
    return (*action.names, action.id, action.title.lower())


def resolve(line: str, registry: Registry, view: str) -> Command:
    """Return what a line means in a view; raises `UsageError` that says what there is instead."""
    words = " ".join(line.split())
    for action in registry.of(view):
        for name in names_of(action):
            if words.lower() == name or (action.takes and words.lower().startswith(f"{name} ")):
                argument = words[len(name) :].strip()
                if action.needs_argument and not argument:
                    raise UsageError(f"{name} takes {action.takes}", hint=f":{name} {action.takes}")
                return Command(action, argument)
    message, hint = _unknown(words, registry, view)
    raise UsageError(message, hint=hint)


def _unknown(words: str, registry: Registry, view: str) -> tuple[str, str]:
    shown = f"'{safe_display(words, limit=40)}'"
    for action in ACTIONS:
        if words.lower() in names_of(action):
            if not registry.allows(action):
                return f"{shown} is left out: this screen was opened with --read-only", "start it without"
            return f"{shown} cannot be done here", f"it belongs to: {', '.join(action.views)}"
        if words.lower().split()[:1] in ([name] for name in names_of(action)):
            return f"{action.id} takes no argument", f":{action.id}"
    from difflib import get_close_matches

    known = [name for action in registry.of(view) for name in (*action.names, action.id)]
    close = get_close_matches(words.lower().partition(" ")[0], known, n=3)
    hint = f"did you mean {' or '.join(f':{name}' for name in close)}?" if close else "Tab completes; ? lists all"
    return f"there is no command {shown}", hint


def continuations(line: str, registry: Registry, view: str, known: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield the command lines that begin with ``line`` and are longer. ``known``: what each argument can be."""
    begun = line.lstrip()
    if begun:
        longer = (offered for offered in _lines(registry, view, known) if offered.startswith(begun))
        yield from dict.fromkeys(offered for offered in longer if offered != begun)


def _lines(registry: Registry, view: str, known: Mapping[str, Sequence[str]]) -> Iterator[str]:
    actions = registry.of(view)
    yield from (name for action in actions for name in action.names)
    yield from (action.id for action in actions)
    for action in actions:
        for name in action.names:
            yield from (f"{name} {value}" for value in known.get(action.takes, ()))
    yield from (action.title.lower() for action in actions)
