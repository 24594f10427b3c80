"""Every key that a text of the TUI names is bound on the screen that shows it, and does something there."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import ingest_tui.tui
from ingest_tui.tui.actions.actions import ACTIONS

PACKAGE = Path(ingest_tui.tui.__file__).parent
VERBS = "shows?|lists?|starts?|restores?|clears?|closes?|goes|searches|approves|refuses|syncs?|opens?|tries|takes|ends"
NAMED = re.compile(rf"(?:^|[ (])(esc|enter|tab|space|\^[a-z]|[b-zA-Z?/])( there| in the trash)? (?:{VERBS})\b")
WITH_COLON = re.compile(r"(?:^|[ ,(])(esc|enter|tab|space|\^[a-z]|[A-Za-z]): ")
AS_BOUND = {"esc": "escape", "?": "question_mark", "/": "slash"}
EVERYWHERE = frozenset({"escape", "enter"})
"""Handled by each list and dialog itself."""
SHOWN_IN = {
    "job_words": ("job", "jobs"), "job_actions": ("job", "jobs"), "document_actions": ("documents", "document"),
    "filters": ("documents",), "header": ("jobs",), "app": ("jobs",), "source_actions": ("sources",),
    "credential_actions": ("credentials",), "job_pane": ("job", "jobs"), "commands": ("jobs",),
    "row_actions": ("jobs",), "documents_model": ("documents",),
    "collection_actions": ("documents", "collections", "collection"),
    "vector_actions": ("collection",), "managing": ("collections", "collection"), "collection_words": ("collection",),
    "wording": ("jobs",), "finding": ("logs", "job"),
}  # fmt: skip
"""The views that show the texts of modules which hold no screen of one view."""


class Named(NamedTuple):
    """A key that a text names, and where."""

    module: str
    line: int
    key: str
    text: str
    is_there: bool = False
    """The text speaks of another view, which it has named before."""


def texts_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts of a module but its docstrings, the parts of an f-string joined."""
    tree = ast.parse(path.read_text())
    skipped = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in node.values}
            yield node.lineno, "".join(str(one.value) if isinstance(one, ast.Constant) else "…" for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.lineno, node.value


@cache
def named_keys() -> list[Named]:
    """Return the keys that texts of the TUI name."""
    return list(_named_keys())


def _named_keys() -> Iterator[Named]:
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for line, text in texts_of(path):
            for found in (*NAMED.finditer(text), *WITH_COLON.finditer(text)):
                key = AS_BOUND.get(found[1], found[1].replace("^", "ctrl+"))
                yield Named(module, line, key, text, is_there=found.re is NAMED and found[2] is not None)


def last_name(module: str) -> str:
    """Return the name of a module without its packages."""
    return module.rpartition(".")[2]


def keys_in(module: str) -> set[str]:
    """Return the keys that are bound where the texts of a module are shown."""
    loaded = importlib.import_module(f"ingest_tui.tui.{module}")
    own = [one for one in vars(loaded).values() if inspect.isclass(one) and one.__module__ == loaded.__name__]
    keys = set(EVERYWHERE)
    views = set(SHOWN_IN.get(last_name(module), ()))
    for kind in own:
        views |= {view} if isinstance(view := getattr(kind, "view", None), str) else set()
        if issubclass(kind, DOMNode):
            bound = [one for base in kind.__mro__ for one in vars(base).get("BINDINGS", ())]
            keys |= {key for one in bound for key in (one.key if isinstance(one, Binding) else one[0]).split(",")}
    return keys | {key for one in ACTIONS for key in one.keys.split(",") if views and any(map(one.belongs_to, views))}


def test_some_texts_name_keys() -> None:
    """The search finds those that are known to be there: else it would prove nothing."""
    found = {(last_name(one.module), one.key) for one in named_keys()}
    assert {("jobs_screen", "H"), ("job_words", "A"), ("document_actions", "T"), ("header", "w")} <= found


@pytest.mark.parametrize("named", named_keys(), ids=lambda one: f"{one.module}:{one.line} {one.key}")
def test_each_named_key_is_bound_where_it_is_shown(named: Named) -> None:
    """A key that a message names does something on that screen."""
    anywhere = {key for one in ACTIONS for key in one.keys.split(",")}
    assert named.key in (anywhere if named.is_there else keys_in(named.module)), named.text
