"""Clicks wait for what is under way as keys do, and act on what they were on or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.services.client import Client
from ingest_tui.services.sources.sources import add_source
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.tui.dialogs.dialogs import Choose
from tests.tui.stories import add_job, let_answer, run_story, screen_text, send_mouse, send_together, until
from tests.tui.test_tui_errors import put_issues
from tests.tui.test_tui_navigation import notices

pytestmark = pytest.mark.slow


def held_up(work: Callable[..., Any], may_go_on: threading.Event) -> Callable[..., Any]:
    """Return the same work, which waits until it may go on."""

    def waits(*args: Any, **options: Any) -> Any:
        may_go_on.wait(60)
        return work(*args, **options)

    return waits


def place_of(app: Any, text: str) -> tuple[int, int]:
    """Return where the screen shows a text: column and line."""
    lines = screen_text(app).splitlines()
    y = next(number for number, line in enumerate(lines) if text in line)
    return lines[y].index(text), y


@pytest.fixture
def sources(root: Path, folder: Path) -> Path:
    """A workspace with the sources one and two."""
    with closing(open_workspace_at(root)) as workspace:
        for name in ("one", "two"):
            add_source(workspace, source_type="local", name=name, config={"path": str(folder)})
    return root


async def to_sources(app: Any, pilot: Any) -> None:
    """Show the sources, with the cursor on the first."""
    send_together(app, "2")
    await until(pilot, lambda: app.screen.view == "sources" and app.screen.row_key == "one")
    await until(pilot, lambda: app.input_queue.is_quiet and not app.screen.is_loading)


def test_a_click_waits_for_a_change(sources: Path) -> None:
    """The row that is clicked while another one is being disabled, and a key of the footer, act after that."""
    may_go_on = threading.Event()

    async def story(app: Any, pilot: Any) -> None:
        let_answer(app.client.sources, set_enabled=held_up(app.client.sources.set_enabled, may_go_on))
        await to_sources(app, pilot)
        send_together(app, "E")
        await until(pilot, lambda: app.screen.is_loading)
        send_mouse(app, *place_of(app, "two"))
        send_together(app, "E")
        await until(pilot, lambda: "keys wait for it" in notices(app))
        assert app.screen.row_key == "one"
        may_go_on.set()
        await until(pilot, lambda: app.screen.row_key == "two" and app.input_queue.is_quiet)
        await until(pilot, lambda: not app.screen.is_loading)
        assert [one.source.enabled for one in Client(sources).sources.list()] == [False, False]

    run_story(sources, story)


def test_a_click_on_a_row_that_has_moved_does_nothing(root: Path) -> None:
    """Another error is where the clicked one was: it is not chosen in its place, and a notice says so."""
    for outcome in ("failed", "empty", "rejected"):
        put_issues(root, [f"{outcome}.pdf"], outcome=outcome)
    may_go_on = threading.Event()

    async def story(app: Any, pilot: Any) -> None:
        let_answer(app.client.errors, ignore=held_up(app.client.errors.ignore, may_go_on))
        send_together(app, "4")
        await until(pilot, lambda: app.screen.view == "errors" and len(app.screen.table.rows) == 3)
        await until(pilot, lambda: app.input_queue.is_quiet and not app.screen.is_loading)
        table = app.screen.table
        first, second, _third = table.rows
        send_together(app, "n")
        await until(pilot, lambda: app.screen.is_loading)
        send_mouse(app, *place_of(app, f"▸ {second.group.kind}"))
        may_go_on.set()
        await until(pilot, lambda: "1 click not done" in notices(app))
        await until(pilot, lambda: len(table.rows) == 2 and app.input_queue.is_quiet)
        assert table.cursor == 0
        assert first.group_key not in {row.group_key for row in table.rows}

    run_story(root, story)


def test_a_click_that_was_meant_for_what_did_not_come_is_counted(sources: Path) -> None:
    """Esc gives up a dialog with what was typed and clicked for it; a click on the list is none on the dialog."""
    may_go_on = threading.Event()

    async def story(app: Any, pilot: Any) -> None:
        kinds = app.client.sources.kinds
        let_answer(app.client.sources, kinds=held_up(kinds, may_go_on))
        await to_sources(app, pilot)
        at = place_of(app, "two")
        send_together(app, "a")
        await until(pilot, lambda: app.input_queue.is_held)
        send_mouse(app, *at)
        send_together(app, "x")
        await until(pilot, lambda: "keys wait for it" in notices(app))
        send_together(app, "escape")
        await until(pilot, lambda: "1 key and 1 click not done" in notices(app))
        assert app.screen.row_key == "one"
        send_together(app, "a")
        await until(pilot, lambda: app.input_queue.is_held)
        send_mouse(app, *at)
        may_go_on.set()
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await until(pilot, lambda: "1 click not done: what it was on" in notices(app))

    run_story(sources, story)


def test_nothing_earlier_is_undone_while_a_change_is_under_way(sources: Path) -> None:
    """Esc out of the wait for the last change, then U: that is not done yet, and the one before is not meant."""
    may_go_on = threading.Event()

    async def story(app: Any, pilot: Any) -> None:
        client = app.client.sources
        await to_sources(app, pilot)
        send_together(app, "E")
        await until(pilot, lambda: app.input_queue.is_quiet and not app.screen.is_loading)
        let_answer(client, set_watched=held_up(client.set_watched, may_go_on))
        watched = Client(sources).sources.list()[0].source.watch
        send_together(app, "u", "j")
        await until(pilot, lambda: "keys wait for it" in notices(app))
        send_together(app, "escape", "U")
        await until(pilot, lambda: "a change is still under way" in notices(app))
        assert not Client(sources).sources.list()[0].source.enabled
        may_go_on.set()
        await until(pilot, lambda: not app.is_changing)
        send_together(app, "U")
        await until(pilot, lambda: app.input_queue.is_quiet and not app.is_changing)
        one = Client(sources).sources.list()[0].source
        assert (one.enabled, one.watch) == (False, watched)

    run_story(sources, story)


def test_a_change_goes_on_when_its_page_is_left(root: Path) -> None:
    """Esc out of the wait, and out of the page: all that was chosen is done, not only what was done by then."""
    add_job(root, "20261121-000001-docs-aaaa")
    has_begun, may_go_on, done = threading.Event(), threading.Event(), list[str]()

    def work(target: str) -> None:
        has_begun.set()
        may_go_on.wait(60)
        done.append(target)

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: app.screen.view == "jobs" and app.screen.table.rows)
        send_together(app, "enter")
        await until(pilot, lambda: app.screen.view == "job" and app.input_queue.is_quiet)
        page = app.screen
        page.ask_each(["a", "b", "c"], work, done="", say=str, then=len)
        [change] = [worker for worker in app.workers if worker.node is page and worker.group == "changes"]
        await until(pilot, has_begun.is_set)
        page.stop_loading()
        send_together(app, "escape")
        await until(pilot, lambda: app.screen.view == "jobs" and change.is_cancelled)
        may_go_on.set()
        await until(pilot, lambda: done == ["a", "b", "c"])

    run_story(root, story)
