"""The registry of actions: keymaps, the ``:`` line, and what ``--read-only`` leaves out."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
import pytest

from ingest_tui.model.errors import RefusedError, UsageError
from ingest_tui.model.theme_names import OWN_THEMES, TEXTUAL_THEMES, THEME_NAMES
from ingest_tui.services.client import Client
from ingest_tui.services.service_calls import ServiceCall
from ingest_tui.tui.actions.action_registry import Registry
from ingest_tui.tui.actions.actions import ACTIONS, BY_ID
from ingest_tui.tui.actions.commands import continuations, resolve
from ingest_tui.tui.navigation.views import VIEW_NAMES, VIEWS
from ingest_tui.tui.terminal.preferences import read_preferences
from ingest_tui.tui.terminal.themes import THEMES, resolved
from ingest_tui.tui.views.base.view_screen import ViewScreen

READING = {
    "list", "show", "logs", "items", "errors", "explain", "text", "versions", "chunks", "links", "diff", "test",
    "browse", "preview", "export", "folders", "verify",
}  # fmt: skip
CHANGING = re.compile(
    r"^(add|approve|cancel|change|choose_embedder|discard$|edit|embed$|empty|enable|disable|ensure|erase|export$|follow$|ignore|install|pause|"
    r"prune(_|$)|rebuild|rechunk|reembed|refuse|register$|remove|repair|request_|restore|resume|retry|revert|revoke|"
    r"roll_back|rotate|save|set(_|$)|"
    r"start|stop|switch|sync|uninstall|unset|upload|use$|withdraw)"
)


def test_views_are_in_their_order_on_the_digits() -> None:
    """Every view that is installed has the digit of its place, and its screen can be made."""
    assert list(VIEWS) == [str(number) for number in range(len(VIEWS))]
    assert VIEW_NAMES[:4] == ("overview", "jobs", "sources", "documents")
    for view in VIEWS.values():
        screen = view.load()
        assert isinstance(screen, ViewScreen)
        assert screen.view == view.name


# Keymaps


def test_a_keymap_gives_actions_other_keys() -> None:
    """Keys are named as Textual does or by their sign; an action without a key can get one."""
    registry = Registry({"job.cancel": "f6,X", "job.resume": "<", "help": "f1"})
    assert registry.problems == []
    assert registry.get("job.cancel").keys == "f6,X"
    assert registry.get("job.resume").keys == "less_than_sign"
    assert registry.keys_by_binding()["jobs.help"] == "f1"


def test_a_clash_names_both_actions_and_leaves_them_their_own_keys() -> None:
    """Two actions of a view on one key: both keep what they had, the rest of the keymap holds."""
    registry = Registry({"job.cancel": "R", "job.pause": "f7"})
    [problem] = registry.problems
    assert "(job.cancel)" in problem
    assert "(job.retry)" in problem
    assert registry.get("job.cancel").keys == BY_ID["job.cancel"].keys
    assert registry.get("job.pause").keys == "f7"


def test_keys_may_be_swapped() -> None:
    """What was another action's key is free when that one has another."""
    registry = Registry({"job.cancel": "R", "job.retry": "D"})
    assert registry.problems == []
    assert (registry.get("job.cancel").keys, registry.get("job.retry").keys) == ("R", "D")


def test_one_of_two_that_clash_in_a_chain_frees_the_other() -> None:
    """Going back to the own keys can clash again; in the end no view has a key twice."""
    registry = Registry({"job.cancel": "R", "job.pause": "D", "help": "R"})
    for view in ("jobs", "job"):
        keys = [key for action in registry.of(view) for key in action.keys.split(",") if key]
        assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("keymap", "told"),
    [({"job.cancle": "x"}, "no action"), ({"help": 3}, "must be text")],
)
def test_what_a_keymap_gets_wrong_is_reported(keymap: dict[str, object], told: str) -> None:
    """Unknown actions and odd values are named, not silently passed over."""
    registry = Registry(keymap)
    assert told in registry.problems[0]
    assert registry.chosen_keys == {}


@pytest.mark.parametrize("settings", [b"", b"[]", b'{"theme": 3, "keymap": []}', b'{"theme": "\\u001b[31m"}'])
def test_settings_that_make_no_sense_keep_nothing_from_starting(root: Path, settings: bytes) -> None:
    """Whatever workspace.json holds, there is a theme and a keymap."""
    (root / "workspace.json").write_bytes(settings)
    preferences = read_preferences(root)
    assert (preferences.theme, dict(preferences.keymap)) == ("auto", {})
    assert "\x1b" not in "".join(preferences.problems)


def test_settings_are_taken_from_the_workspace(root: Path) -> None:
    """Theme and keymap are in workspace.json."""
    settings = orjson.loads((root / "workspace.json").read_bytes())
    (root / "workspace.json").write_bytes(orjson.dumps(settings | {"theme": "light", "keymap": {"help": "f1"}}))
    preferences = read_preferences(root)
    assert (preferences.theme, preferences.keymap, preferences.problems) == ("light", {"help": "f1"}, ())


# Themes


def test_auto_looks_at_the_terminal() -> None:
    """NO_COLOR wins, then a slow link, then what the terminal says of its background."""
    assert resolved("auto", {"NO_COLOR": "1", "COLORFGBG": "0;15"}) == "none"
    assert resolved("auto", {"COLORFGBG": "0;15"}) == "light"
    assert resolved("auto", {"COLORFGBG": "15;0"}) == "dark"
    assert resolved("auto", {}, slow_link=True) == "ansi"
    assert resolved("light", {"NO_COLOR": "1"}) == "light"


def test_the_names_of_themes_are_those_that_there_are() -> None:
    """The command line and the settings know them without loading the TUI."""
    from textual.theme import BUILTIN_THEMES

    assert list(OWN_THEMES) == list(THEMES)
    assert set(TEXTUAL_THEMES) == set(BUILTIN_THEMES)
    assert len(set(THEME_NAMES)) == len(THEME_NAMES)


# The : line


@pytest.mark.parametrize(
    ("line", "action", "argument"),
    [
        ("jobs failed", "view.jobs", "failed"),
        ("jobs", "view.jobs", ""),
        ("  docs  kettle  tea ", "view.documents", "kettle tea"),
        ("job 7k3q", "job.go", "7k3q"),
        ("source handbook", "source.go", "handbook"),
        ("logs", "view.logs", ""),
        ("q", "quit", ""),
        ("job.cancel", "job.cancel", ""),
        ("Cancel the job", "job.cancel", ""),
        ("theme light", "theme", "light"),
    ],
)
def test_a_line_means_an_action(line: str, action: str, argument: str) -> None:
    """Short names, ids and titles of the registry are commands."""
    command = resolve(line, Registry(), "jobs")
    assert (command.action.id, command.argument) == (action, argument)


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("jbos", "no command", "did you mean :jobs"),
        ("\x1b[31m", "no command '\\x1b[31m'", "Tab"),
        ("job", "takes JOB", ":job JOB"),
        ("source.sync", "cannot be done here", "sources"),
        ("quit now", "takes no argument", ":quit"),
    ],
)
def test_a_line_that_means_nothing_says_what_does(line: str, message: str, hint: str) -> None:
    """The error names what was typed, and what there is instead."""
    with pytest.raises(UsageError) as caught:
        resolve(line, Registry(), "jobs")
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_line_is_completed() -> None:
    """Names first, then what may follow them, then ids and titles."""
    registry = Registry()
    known = {"FILTER": ["queued", "failed"], "JOB": ["20261121-a", "20261120-b"]}

    def first(line: str) -> str | None:
        return next(continuations(line, registry, "jobs", known), None)

    assert first("jo") == "jobs"
    assert first("jobs fa") == "jobs failed"
    assert first("job 2026112") == "job 20261121-a"
    assert first("job.re") == "job.resume"
    assert first("zz") is None
    assert first(" ") is None
    every = list(continuations("job.re", registry, "jobs", known))
    assert every[:2] == ["job.resume", "job.retry"]
    assert len(every) == len(set(every))


# --read-only


def test_read_only_offers_nothing_that_changes_anything() -> None:
    """Help, keys, palette, menu and the : line have none of them."""
    registry = Registry(read_only=True)
    for view in VIEW_NAMES:
        assert not [action.id for action in registry.of(view) if action.changes]
    with pytest.raises(UsageError, match="--read-only"):
        resolve("job.cancel", registry, "jobs")


def test_actions_whose_command_changes_something_say_so() -> None:
    """A command line whose verb is not known to read only belongs to an action that says that it changes something."""
    for action in ACTIONS:
        words = [word for word in action.command.split()[1:] if not word.startswith(("-", "{"))]
        if "--compare" in action.command:  # of `reembed`, which changes something without it
            continue
        if words and not READING & set(words[:2]) and words[:1] not in (["search"], ["audit"], ["plan"], ["status"]):
            assert action.changes, action.id


def test_a_read_only_client_refuses_every_change(root: Path) -> None:
    """Also what a screen does without an action of the registry is refused, before anything is opened."""
    client = Client(root / "not there", read_only=True)
    calls = [
        (name, getattr(subject, name), declared, f"{part}.{name}" != "sources.export")  # the settings, without content
        for part, subject in vars(client).items()
        for name, declared in vars(type(subject)).items()
        if isinstance(declared, ServiceCall)
    ]
    assert len(calls) > 50
    for name, call, declared, is_as_named in calls:
        assert declared.changes == (is_as_named and bool(CHANGING.match(name))), name
        if declared.changes:
            with pytest.raises(RefusedError, match="--read-only"):
                call()
