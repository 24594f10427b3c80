"""The cursor stays on its row, whatever is shown around it; what is acted on is what was shown."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.strip import Strip

from ingest_tui.services.sources.sources import add_source
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.tui.dialogs.dialogs import Choose, Confirm
from ingest_tui.tui.widgets.columns import Cell, Column
from ingest_tui.tui.widgets.table import VirtualTable
from tests.tui.stories import add_job, let_answer, run_story, send_together, sync_by_hand, until

pytestmark = pytest.mark.slow


@pytest.fixture
def filled(root: Path, folder: Path) -> Path:
    """A workspace with 700 documents of one source, and two further sources."""
    for number in range(698):
        (folder / f"note-{number:04d}.md").write_text(f"# Note {number}\n\nabout {number}\n")
    with closing(open_workspace_at(root)) as workspace:
        for name in ("alpha", "handbook", "policy"):
            config = {"path": str(folder if name == "handbook" else folder.parent)}
            add_source(workspace, source_type="local", name=name, config=config)
    sync_by_hand(root, "handbook")
    return root


def test_the_cursor_stays_on_what_the_filter_has_found(filled: Path) -> None:
    """Esc shows all sources again, and the next key acts on the one that was found; of a filter not taken, not."""
    tested: list[str] = []

    async def story(app: Any, pilot: Any) -> None:
        def test(name: str) -> list[Any]:
            tested.append(name)
            return []

        let_answer(app.client.sources, test=test)
        send_together(app, "2", "/", *"policy", "enter", "escape", "t")
        await until(pilot, lambda: tested == ["policy"])
        send_together(app, "q", "g", "/", *"hand", "escape")
        await until(pilot, lambda: app.input_queue.is_quiet and app.screen.row_key == "alpha")

    run_story(filled, story)


def test_what_was_removed_is_under_the_cursor_in_the_trash(filled: Path) -> None:
    """Two are removed, one after the other; `T` and `u` restore the last one."""

    async def story(app: Any, pilot: Any) -> None:
        send_together(app, "3", "j", "j", "j")
        await until(pilot, lambda: app.input_queue.is_quiet and app.screen.table.cursor == 3)
        first = app.screen.row_key
        for _ in range(2):
            removed = app.screen.row_key
            send_together(app, "D")
            await until(pilot, lambda: isinstance(app.screen, Confirm))
            send_together(app, "y")
            await until(pilot, lambda gone=removed: gone not in app.screen.table)  # type: ignore[misc]
        assert removed != first
        send_together(app, "T", "u")
        await until(pilot, lambda: first in app.screen.table and removed not in app.screen.table)
        assert len(app.screen.table.rows) == 1

    run_story(filled, story)


def test_the_last_and_all_are_those_of_the_whole_list(filled: Path) -> None:
    """`G` and `*` reach what was not read yet, and a filter bounds them."""

    async def story(app: Any, pilot: Any) -> None:
        send_together(app, "3", "G")
        await until(pilot, lambda: app.screen.table.cursor == 699)
        send_together(app, "/", *"note-06", "enter", "*")
        await until(pilot, lambda: len(app.screen.table.marks) == 98)
        send_together(app, "escape", "escape", "*")
        await until(pilot, lambda: len(app.screen.table.marks) == 700)

    run_story(filled, story)


def test_a_menu_acts_on_the_rows_that_it_was_opened_for(root: Path) -> None:
    """The job under the cursor goes while the menu is open: nothing is done to the one that took its place."""
    for number in range(3):
        add_job(root, f"20261121-06310{number}-docs-aaa{number}", "failed")
    done: list[str] = []

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: len(app.screen.table.rows) == 3)
        let_answer(app.client.jobs, retry=lambda job_id, **_rest: done.append(job_id))
        send_together(app, "j", "x")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        view = app.screen_stack[0]
        view.table.show([row for row in view.table.rows if row.job_id != view.row_key])
        number = [name for name, _text in app.screen._options].index("job.retry")
        send_together(app, *["down"] * number, "enter")
        await until(pilot, lambda: app.screen is view and app.input_queue.is_quiet)
        assert done == []

    run_story(root, story)


def test_a_job_that_comes_does_not_take_the_next_key(root: Path) -> None:
    """A job is queued above the one under the cursor, before anybody has moved: `p` pauses the one that was shown."""
    add_job(root, "20261121-063100-docs-aaaa", "running")
    paused: list[str] = []

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: app.model.complete and len(app.screen.table.rows) == 1)
        let_answer(app.client.jobs, pause=paused.append)
        add_job(root, "20261121-063200-docs-bbbb", "queued")
        app.feed.look_now()
        await until(pilot, lambda: len(app.screen.table.rows) == 2)
        send_together(app, "p")
        await until(pilot, lambda: paused == ["20261121-063100-docs-aaaa"])

    run_story(root, story)


def test_a_row_that_was_shown_keeps_the_cursor_before_anybody_has_moved() -> None:
    """What comes above it does not take the next key, unless more rows were on their way, or one has typed on."""

    class Rows(App[None]):
        def compose(self) -> ComposeResult:
            yield VirtualTable([Column("name", "NAME", 0, Cell)], str)

    async def check() -> None:
        async with Rows().run_test() as pilot:
            table = pilot.app.query_one(VirtualTable)
            table.show(["b"], from_top=True)
            table.show(["a", "b"], from_top=True)
            assert table.current_key == "a"
            table.show(["b"], from_top=True)
            table.keep_row()
            table.show(["a", "b"], from_top=True)
            assert table.current_key == "b"
            table.show_again("", 0)
            table.show([])
            table.show(["x", "y", "b"])
            assert table.current_key == "x"
            table.show(["w", "x"])
            assert table.current_key == "x"

    asyncio.run(check())


def test_rows_out_of_sight_repaint_nothing() -> None:
    """What comes below the last line in sight costs nothing; one row that reads differently costs its line."""

    class Rows(App[None]):
        def compose(self) -> ComposeResult:
            yield VirtualTable([Column("name", "NAME", 0, lambda row: Cell(row[1]))], lambda row: row[0])

    async def check() -> None:
        async with Rows().run_test(size=(40, 10)) as pilot:
            table = pilot.app.query_one(VirtualTable)
            table.show([(str(number), "as it was") for number in range(20)])
            await pilot.pause()
            drawn: list[int] = []
            render_line = table.render_line

            def noted(y: int) -> Strip:
                drawn.append(y)
                return render_line(y)

            let_answer(table, render_line=noted)
            table.show([(str(number), "as it was") for number in range(5000)])
            await pilot.pause()
            assert drawn == []
            table.move_to_end(first=False)
            assert table.current_key == "4999"
            table.move_to_end(first=True)
            await pilot.pause()
            drawn.clear()
            table.show([(str(number), "now" if number == 3 else "as it was") for number in range(5)])
            await pilot.pause()
            assert sorted(set(drawn)) == [4, 6, 7, 8, 9]
            assert "now" in str(table.render_line(4).text)
            table.show([("1", "alone")])
            table.show([(str(number), "more") for number in range(30)])
            table.move_to_end(first=False)
            table.show([("1", "alone")])
            await pilot.pause()
            assert (table.scroll_offset.y, table.current_key) == (0, "1")

    asyncio.run(check())
