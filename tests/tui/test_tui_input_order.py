"""Keys that come together act in their order, and wait for what was asked for before them."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.widgets import Input

from ingest_tui.model.errors import UsageError
from ingest_tui.services.client import Client
from ingest_tui.services.sources.sources import add_source
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.tui.background import input_queue
from ingest_tui.tui.dialogs.dialogs import Choose, Confirm
from ingest_tui.tui.terminal.driver import KeysParser
from ingest_tui.tui.views.collections.preferences_form import PreferencesForm
from ingest_tui.tui.views.sources.places_screen import Places
from ingest_tui.tui.views.sources.source_form_screen import SourceForm
from tests.tui.stories import add_job, let_answer, run_story, said, screen_text, send_together, until
from tests.tui.test_tui_errors import put_issues


def parsed(*pieces: str) -> list[str]:
    """Return the keys that a terminal has sent in pieces, the last wait over."""
    parser, found = KeysParser(), []
    for piece in pieces:
        found += list(parser.feed(piece))
    if parser._timeout_time is not None:
        parser._timeout_time = 0.0
        found += list(parser.tick())
    return [event.key for event in found if isinstance(event, events.Key)]


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        (["\x1bj"], ["escape", "j"]),
        (["\x1b", "j"], ["escape", "j"]),
        (["\x1bjx"], ["escape", "j", "x"]),
        (["\x1b5"], ["escape", "5"]),
        (["\x1b\r"], ["escape", "enter"]),
        (["\x1b["], ["escape", "left_square_bracket"]),
        (["\x1bO"], ["escape", "O"]),
        (["\x1b\x1b"], ["escape", "escape"]),
        (["\x1bj\x1bk"], ["escape", "j", "escape", "k"]),
        (["\x1b[A"], ["up"]),
        (["\x1b", "[A"], ["up"]),
        (["\x1b\x1b[A"], ["escape", "up"]),
        (["\x1b[<0;3;4M\x1bq"], ["escape", "q"]),
    ],
)
def test_esc_and_the_key_after_it_are_two_keys(sent: list[str], keys: list[str]) -> None:
    """They arrive together on a slow link; the sequences of arrows and mouse stay what they are."""
    assert parsed(*sent) == keys


@pytest.mark.slow
def test_what_is_typed_behind_a_slash_is_the_filter(root: Path) -> None:
    """Letters, Backspace and Enter in the order they were pressed; then keys of the list again."""
    for name in ("a", "b", "c"):
        add_job(root, f"20261121-063105-exa{name}-7k3q", source_id=f"exa{name}")

    async def story(app: Any, pilot: Any) -> None:
        send_together(app, "/", "e", "x", "x", "backspace", "a")
        await until(pilot, lambda: app.input_queue.is_quiet)
        assert app.screen.query_one("#filter", Input).value == "exa"
        send_together(app, "c", "enter", "space", "escape", "escape", ":", "s", "o", "u", "tab", "enter")
        await until(pilot, lambda: app.screen.view == "sources")

    run_story(root, story)


@pytest.mark.slow
def test_what_is_typed_for_a_form_that_loads_reaches_its_fields(root: Path) -> None:
    """Also across a Tab and a ^u, while the fields are still asked for."""
    wait = threading.Event()

    async def story(app: Any, pilot: Any) -> None:
        get = app.client.collections.get
        let_answer(app.client.collections, get=lambda *args: wait.wait(20) and get(*args))
        view = app.screen
        app.push_screen(PreferencesForm(app.client, "default"))
        await until(pilot, lambda: isinstance(app.screen, PreferencesForm))
        send_together(app, "tab", "a", "b", "c", "ctrl+u", "9", "7", "tab", "8")
        await pilot.pause()
        assert app.screen.is_loading
        wait.set()
        await until(pilot, lambda: app.input_queue.is_quiet)
        entered = [entry.value for entry in app.screen.query(Input)]
        assert entered[0] == "97" or entered[1] == "97"
        assert "8" in entered[entered.index("97") + 1]
        assert view in app.screen_stack

    run_story(root, story)


@pytest.mark.slow
def test_the_second_type_is_chosen_before_the_types_are_known(root: Path, folder: Path) -> None:
    """Down and Enter are for the dialog that `a` opens, not for the list of sources."""
    with closing(open_workspace_at(root)) as workspace:
        for name in ("one", "two"):
            add_source(workspace, source_type="local", name=name, config={"path": str(folder)})

    async def story(app: Any, pilot: Any) -> None:
        send_together(app, "2", "a", "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, SourceForm))
        assert app.screen._type != "local"
        assert app.screen_stack[0].row_key == "one"

    run_story(root, story)


@pytest.mark.slow
def test_esc_gets_out_of_waiting(root: Path) -> None:
    """A question without an answer holds the keyboard until Esc; what was typed for it is dropped, the rest acts."""
    never = threading.Event()

    async def story(app: Any, pilot: Any) -> None:
        let_answer(app.client.sources, kinds=lambda: never.wait(20) and [])
        send_together(app, "2", "a", "down", "enter", "x", "escape", "3")
        await until(pilot, lambda: app.screen.view == "documents")
        never.set()
        await until(pilot, lambda: app.input_queue.is_quiet)
        assert not any(isinstance(screen, Choose) for screen in app.screen_stack)

    run_story(root, story)


@pytest.mark.slow
def test_esc_that_was_typed_ahead_waits_with_the_keys_before_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be meant for what is to come: only Esc that is pressed once the wait was reported gets out at once.

    Then what is not done is reported too.
    """
    monkeypatch.setattr(input_queue, "ESCAPE_SECONDS", 600.0)
    may_answer = threading.Event()

    def notices(app: Any) -> str:
        return "\n".join(one.message for one in app._notifications)

    async def story(app: Any, pilot: Any) -> None:
        kinds = app.client.sources.kinds
        let_answer(app.client.sources, kinds=lambda: may_answer.wait(60) and kinds())
        send_together(app, "2", "a", "enter", "x", "escape")
        await until(pilot, lambda: "keys wait for it" in notices(app))
        may_answer.set()
        await until(pilot, lambda: isinstance(app.screen, Confirm))  # whether to leave the form with the x in it
        await pilot.press("y")
        await until(pilot, lambda: app.screen.view == "sources")
        app.clear_notifications()
        may_answer.clear()
        send_together(app, "a", "enter", "x")
        await until(pilot, lambda: "keys wait for it" in notices(app))
        send_together(app, "escape", "3")
        await until(pilot, lambda: app.screen.view == "documents")
        assert "2 keys not done" in notices(app)
        may_answer.set()
        await until(pilot, lambda: app.input_queue.is_quiet)
        assert app.screen.view == "documents"

    run_story(root, story)


@pytest.mark.slow
def test_the_folder_below_is_unfolded(root: Path, tmp_path: Path) -> None:
    """Right acts on the row that Down went to, and keys wait for what is in the folder."""
    for name in ("alpha/inner", "beta/below"):
        (tmp_path / "place" / name).mkdir(parents=True)

    async def story(app: Any, pilot: Any) -> None:
        app.push_screen(Places(app.client, "local", {"path": str(tmp_path / "place")}))
        await until(pilot, lambda: isinstance(app.screen, Places))
        send_together(app, "down", "down", "right", "down")
        await until(pilot, lambda: app.input_queue.is_quiet)
        assert app.screen.table.current.place.name == "below"

    run_story(root, story)


@pytest.mark.slow
def test_what_was_asked_for_is_done_for_each_row(root: Path, folder: Path) -> None:
    """Three syncs in one burst are three jobs: a later action does not stop an earlier one."""
    with closing(open_workspace_at(root)) as workspace:
        for name in ("one", "two", "three"):
            add_source(workspace, source_type="local", name=name, config={"path": str(folder)})
    asked: list[str] = []

    async def story(app: Any, pilot: Any) -> None:
        sync = app.client.sources.sync

        def recorded(name: str, **options: Any) -> Any:
            asked.append(name)
            return sync(name, **options)

        let_answer(app.client.sources, sync=recorded)
        send_together(app, "2", "s", "j", "s", "j", "s")
        await until(pilot, lambda: sorted(asked) == ["one", "three", "two"])

    run_story(root, story)


@pytest.mark.slow
def test_what_is_typed_behind_an_s_is_searched(root: Path) -> None:
    """Letters in one burst with the key that opens the search are searched, none of them acts on the list."""

    async def story(app: Any, pilot: Any) -> None:
        send_together(app, "3", "s", "r", "a", "i", "n", "enter")
        await until(pilot, lambda: app.screen.query_text == "rain")
        assert "search: rain" in said(app, "header")

    run_story(root, story)


@pytest.mark.slow
def test_a_key_waits_for_no_more_than_its_time(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler that does not end, for whatever reason, holds nobody for ever."""
    monkeypatch.setattr(input_queue, "MOST_LOOKS", 20)

    async def story(app: Any, pilot: Any) -> None:
        over = asyncio.Event()
        for _ in range(2):  # one that does not end, and one that waits behind it
            app.screen.query_one("#hint").call_later(over.wait)
        send_together(app, "j", "2")
        try:
            while app.screen.view != "sources":  # noqa: ASYNC110 - the pilot would wait for the handler, too
                await asyncio.sleep(0.01)
        finally:
            over.set()

    run_story(root, story, client=Client(root))


@pytest.mark.slow
def test_keys_are_not_lost_in_a_hidden_field(root: Path) -> None:
    """Below 40 columns nothing is there that takes the focus; what is shown next takes it, not the hidden filter."""

    async def story(app: Any, pilot: Any) -> None:
        send_together(app, "3")
        await until(pilot, lambda: app.input_queue.is_quiet and app.screen.view == "documents")
        documents = app.screen
        await pilot.resize_terminal(38, 9)
        documents.set_focus(None)
        send_together(app, "2", "3")
        await until(pilot, lambda: app.input_queue.is_quiet and app.screen is documents)
        assert app.focused is documents.table
        documents.set_focus(None)
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: app.focused is documents.table)
        send_together(app, "/", "a")
        await until(pilot, lambda: app.input_queue.is_quiet and documents.words == "a")
        await pilot.resize_terminal(38, 9)
        await pilot.resize_terminal(80, 24)
        send_together(app, "b")
        await until(pilot, lambda: documents.words == "ab")

    run_story(root, story)


@pytest.mark.slow
@pytest.mark.parametrize("width", [80, 120])
def test_a_key_acts_on_what_the_change_before_it_has_made(root: Path, folder: Path, width: int) -> None:
    """A switch is on its way while the next keys come: they switch back, and take back what was done last."""
    with closing(open_workspace_at(root)) as workspace:
        watched = add_source(workspace, source_type="local", name="one", config={"path": str(folder)}).watch

    async def story(app: Any, pilot: Any) -> None:
        def slow(work: Any) -> Any:
            def done(*args: Any, **options: Any) -> Any:
                time.sleep(0.1)
                return work(*args, **options)

            return done

        def switches() -> tuple[bool, bool]:
            source = Client(root).sources.list()[0].source
            return source.enabled, source.watch

        sources = app.client.sources
        let_answer(sources, set_enabled=slow(sources.set_enabled), set_watched=slow(sources.set_watched))
        let_answer(sources, list=slow(sources.list))
        send_together(app, "2")
        await until(pilot, lambda: app.screen.view == "sources" and app.screen.row_key == "one")
        for keys, enabled, watch in [
            ("EE", True, watched),
            ("UU", True, watched),
            ("uUuU", True, watched),
            ("uEUU", True, watched),
            ("EuU", False, watched),
            ("uUU", True, watched),
        ]:
            send_together(app, *keys)
            await until(pilot, lambda: app.input_queue.is_quiet and not app.screen.is_loading)
            assert switches() == (enabled, watch), keys

    run_story(root, story, size=(width, 24))


@pytest.mark.slow
def test_the_next_key_ignores_the_next_error(root: Path) -> None:
    """What was ignored is out of the list before the next key acts on it, and `U` takes back the last one first."""
    put_issues(root, ["one.pdf"])
    put_issues(root, ["two.pdf"], outcome="empty")
    ignored: list[list[str]] = []

    async def story(app: Any, pilot: Any) -> None:
        errors = app.client.errors
        original = errors.ignore

        def recorded(chosen: Any, *, ignore: bool) -> int:
            time.sleep(0.1)
            ignored.append(sorted(one.key for one in chosen))
            return int(original(chosen, ignore=ignore))

        let_answer(errors, ignore=recorded)
        send_together(app, "4")
        await until(pilot, lambda: app.screen.view == "errors" and len(app.screen.table.rows) == 2)
        send_together(app, "n", "n", "U", "U")
        await until(pilot, lambda: app.input_queue.is_quiet and not app.screen.is_loading)
        first, second, *undone = ignored
        assert first != second
        assert undone == [second, first]
        assert len(app.screen.table.rows) == 2

    run_story(root, story)


@pytest.mark.slow
def test_a_picker_names_its_filter_until_a_folder_is_opened(root: Path, tmp_path: Path) -> None:
    """The border says what is filtered and how many pass; a folder that is opened shows all that is in it."""
    for name in ("alpha/inner", "alpha/other", "beta/below"):
        (tmp_path / "place" / name).mkdir(parents=True)

    async def story(app: Any, pilot: Any) -> None:
        def shown() -> list[str]:
            return [row.place.name for row in app.screen.table.rows]

        app.push_screen(Places(app.client, "local", {"path": str(tmp_path / "place")}))
        await until(pilot, lambda: isinstance(app.screen, Places) and "beta" in shown())
        number = len(shown())
        send_together(app, "/", "a", "l", "p", "enter")
        await until(pilot, lambda: shown() == ["alpha"] and app.input_queue.is_quiet)
        await until(pilot, lambda: f"1 of {number}" in screen_text(app) and "/alp" in screen_text(app))
        send_together(app, "right", "down")
        await until(pilot, lambda: app.input_queue.is_quiet)
        assert app.screen.table.current.place.name == "inner"
        assert {"alpha", "inner", "other", "beta"} <= set(shown())
        await until(pilot, lambda: "/alp" not in screen_text(app) and f"1 of {number}" not in screen_text(app))
        send_together(app, "/", "x", "y", "z", "enter")
        await until(pilot, lambda: "nothing matches" in screen_text(app))

    run_story(root, story)


@pytest.mark.slow
def test_a_worker_that_does_not_start_is_not_starting(root: Path) -> None:
    """The notice that it starts gives way to why it does not."""

    def refuse() -> int:
        raise UsageError("no worker today")

    async def story(app: Any, pilot: Any) -> None:
        def notices() -> list[str]:
            return [notice.message for notice in app._notifications]

        let_answer(app.client.workers, start=refuse)
        app.screen.perform("worker.start")
        await until(pilot, lambda: "no worker today" in notices())
        assert notices() == ["no worker today"]

    run_story(root, story)
