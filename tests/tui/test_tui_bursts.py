"""Keys that reach the program together, as on a slow link: a dialog answers once, and takes nothing else away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.app import App, ComposeResult

from ingest_tui.services.client import Client
from ingest_tui.tui.dialogs.ask import Ask
from ingest_tui.tui.dialogs.copy_menu import CopyMenu
from ingest_tui.tui.dialogs.dialog import AnswersOnce, Dialog
from ingest_tui.tui.dialogs.dialogs import Choose, Confirm
from ingest_tui.tui.dialogs.help import Help
from ingest_tui.tui.dialogs.jump import Jump
from ingest_tui.tui.dialogs.palette import Palette
from ingest_tui.tui.dialogs.report import Story
from ingest_tui.tui.views.collections.preferences_form import PreferencesForm
from ingest_tui.tui.views.jobs.held_screen import Held
from ingest_tui.tui.widgets.options import Options
from tests.tui.stories import at_rest, run_story, send_together, until

pytestmark = pytest.mark.slow
Make = Callable[[Client], AnswersOnce[Any]]
DIALOGS: dict[str, Make] = {
    "ask": lambda _client: Ask("How many?", value="3"),
    "choose": lambda _client: Choose("Which?", [("a", "one"), ("b", "two")]),
    "confirm": lambda _client: Confirm("Remove it?", ["a.md"], "Remove"),
    "copy": lambda _client: CopyMenu([("id", "abc"), ("path", "/a")]),
    "help": lambda _client: Help("Jobs", []),
    "jump": lambda client: Jump(client, []),
    "story": lambda client: Story(client, "nothing.md"),
    "held": lambda client: Held(client, "job"),
    "preferences": lambda client: PreferencesForm(client, "default"),
    "palette": lambda _client: Palette([], []),
}
CLOSING = ("enter", "escape", "q", "y", "n")


def burst(app: Any, *keys: str) -> None:
    """Send keys to the screen that is shown, all before it has acted on the first."""
    screen = app.screen
    for key in keys:
        screen.post_message(events.Key(key, key if len(key) == 1 else None))


@pytest.mark.parametrize("name", DIALOGS)
def test_keys_that_come_together_close_a_dialog_once(root: Path, name: str) -> None:
    """Whatever closes it comes twice at once: the view below stays, with what was opened over it."""

    async def story(app: Any, pilot: Any) -> None:
        view = app.screen
        for key in CLOSING:
            await app.push_screen(DIALOGS[name](app.client))
            await until(pilot, lambda: isinstance(app.screen, AnswersOnce))
            burst(app, key, key, key)
            await at_rest(pilot)
            assert app.is_running
            assert view in app.screen_stack
            while app.screen is not view:
                app.screen.dismiss()
                await pilot.pause()

    run_story(root, story)


def test_a_dialog_answers_once_and_only_on_top(root: Path) -> None:
    """The first answer counts; given below another dialog it waits until that is closed."""

    async def story(app: Any, pilot: Any) -> None:
        view = app.screen
        answers: list[Any] = []
        lower = Choose("Which?", [("a", "one")])
        await app.push_screen(lower, answers.append)
        await app.push_screen(Confirm("Sure?", ["a"], "Yes"), answers.append)
        lower.dismiss("a")
        lower.dismiss("b")
        assert app.screen is not lower
        app.screen.dismiss(True)
        await until(pilot, lambda: app.screen is view)
        lower.dismiss("c")
        await pilot.pause()
        assert (answers, app.screen) == ([True, "a"], view)

    run_story(root, story)


@pytest.mark.parametrize(
    ("key", "is_destructive", "agreed"),
    [
        ("y", True, True), ("n", True, False), ("escape", True, False), ("enter", True, False), ("enter", False, True),
    ],
)  # fmt: skip
def test_a_yes_or_no_is_answered_by_its_letters(root: Path, key: str, is_destructive: bool, agreed: bool) -> None:
    """Enter loses nothing where something would be lost, and agrees elsewhere."""

    async def story(app: Any, pilot: Any) -> None:
        answers: list[Any] = []
        await app.push_screen(Confirm("Sure?", ["a"], "Go", is_destructive=is_destructive), answers.append)
        await pilot.press(key)
        await until(pilot, lambda: answers == [agreed])

    run_story(root, story)


def test_y_does_not_replace_the_number_that_is_to_be_typed(root: Path) -> None:
    """It leads to the field; once the number is right the button agrees, not before."""

    async def story(app: Any, pilot: Any) -> None:
        answers: list[Any] = []
        await app.push_screen(Confirm("Sure?", [str(n) for n in range(12)], "Go"), answers.append)
        await pilot.press("y", "1", "2", "tab", "tab", "enter")
        await until(pilot, lambda: answers == [True])

    run_story(root, story)


def test_every_screen_over_a_view_answers_once() -> None:
    """No dialog is a plain modal screen of the library."""
    from textual.screen import ModalScreen

    import ingest_tui.tui.views.sources.plan_screen
    import ingest_tui.tui.views.sources.source_form_screen  # noqa: F401

    ours = [kind for kind in _below(ModalScreen) if kind.__module__.startswith("ingest_tui.")]
    assert len(ours) > 12
    assert [kind for kind in ours if not issubclass(kind, Dialog)] == []


def _below(kind: type) -> list[type]:
    children: list[type] = kind.__subclasses__()
    return [one for child in children for one in (child, *_below(child))]


def test_an_edited_form_asks_before_it_is_left(root: Path) -> None:
    """Esc right behind the last key, in one burst too; a form that was not touched closes at once."""

    async def story(app: Any, pilot: Any) -> None:
        view = app.screen
        for keys in ((), ("space",), ("tab", "1")):
            form = PreferencesForm(app.client, "default")
            await app.push_screen(form)
            await until(pilot, lambda form=form: app.focused.id == f"field-{form.form.fields[0].name}")  # type: ignore[misc]
            await pilot.press(*keys, "escape")
            if keys:
                await until(pilot, lambda: isinstance(app.screen, Confirm))
                await pilot.press("n")
                await until(pilot, lambda form=form: app.screen is form)  # type: ignore[misc]
                await pilot.press("escape")
                await until(pilot, lambda: isinstance(app.screen, Confirm))
                await pilot.press("y")
            await until(pilot, lambda: app.screen is view)

    run_story(root, story)


@pytest.mark.parametrize("size", [(80, 24), (38, 9), (20, 4), (6, 2), (2, 1)])
@pytest.mark.parametrize("name", ["choose", "copy"])
def test_a_list_without_room_takes_keys(root: Path, name: str, size: tuple[int, int]) -> None:
    """Page keys and arrows before it is laid out, and where there is no line for it, end nothing."""

    async def story(app: Any, pilot: Any) -> None:
        view = app.screen
        await app.push_screen(DIALOGS[name](app.client))
        for key in ("pagedown", "pageup", "end", "home", "down", "up"):
            send_together(app, key, key)
            await pilot.resize_terminal(*size)
            await until(pilot, lambda: bool(app.input_queue.is_quiet))
            assert app._exception is None
            await pilot.resize_terminal(80, 24)
            send_together(app, key)
        send_together(app, "escape")
        await until(pilot, lambda: app.input_queue.is_quiet and app.screen is view)

    run_story(root, story, size=size)


@pytest.mark.parametrize("styles", [{"height": 0}, {"height": 2}, {"display": "none"}])
@pytest.mark.parametrize("action", ["page_down", "page_up", "cursor_down", "last"])
def test_options_without_a_line_take_keys(styles: dict[str, Any], action: str) -> None:
    """The list of the library ends the program with a KeyError of its `_move_page` there."""

    class Listed(App[None]):
        def compose(self) -> ComposeResult:
            yield Options(*map(str, range(30)))

    async def check() -> None:
        async with Listed().run_test(size=(20, 5)) as pilot:
            options = pilot.app.query_one(Options)
            for name, value in styles.items():
                setattr(options.styles, name, value)
            options.highlighted = 3
            for _ in range(2):
                getattr(options, f"action_{action}")()
                await pilot.pause()

    asyncio.run(check())
