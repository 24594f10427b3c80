"""What people know from other programs of the terminal: q in a text, letters in menus, Up on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from textual.widgets import Input

from ingest_tui.tui.dialogs.ask import Ask
from ingest_tui.tui.dialogs.dialogs import Choose
from ingest_tui.tui.dialogs.palette import Palette
from ingest_tui.tui.views.documents.document_screen import DocumentScreen
from tests.tui.stories import add_folder, add_job, let_answer, run_story, send_together, sync_by_hand, until

pytestmark = pytest.mark.slow
JOB = "20261121-063105-docs-7k3q"


def test_q_closes_a_text(root: Path, folder: Path) -> None:
    """The program goes on, with the cursor on the document in the list."""
    add_folder(root, folder)
    sync_by_hand(root, "handbook")

    async def story(app: Any, pilot: Any) -> None:
        send_together(app, "3", "j", "enter")
        await until(pilot, lambda: isinstance(app.screen, DocumentScreen))
        send_together(app, "q")
        await until(pilot, lambda: app.screen.view == "documents" and app.screen.table.cursor == 1)

    run_story(root, story)


def test_a_letter_takes_an_action_of_the_menu(root: Path) -> None:
    """In one burst with the key that opens the menu; j and k move in it, and q closes it."""
    for number in range(2):
        add_job(root, f"20261121-06310{number}-docs-aaa{number}", "failed")
    done: list[str] = []

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: len(app.screen.table.rows) == 2)
        retry = app.client.jobs.retry

        def recorded(job_id: str, **rest: Any) -> Any:
            done.append(job_id)
            return retry(job_id, **rest)

        let_answer(app.client.jobs, retry=recorded)
        send_together(app, "j", "x", "R")
        await until(pilot, lambda: done == ["20261121-063100-docs-aaa0"])
        send_together(app, "x", "j", "j")
        await until(pilot, lambda: app.input_queue.is_quiet and isinstance(app.screen, Choose))
        send_together(app, "q")
        await until(pilot, lambda: app.screen.view == "jobs")

    run_story(root, story)


def test_up_recalls_what_was_run_on_the_command_line(root: Path) -> None:
    """The last line first, in every view; Down comes back to an empty line; the same line is kept once."""
    add_job(root, JOB)

    async def story(app: Any, pilot: Any) -> None:
        def line() -> str:
            return str(app.screen.query_one("#command", Input).value)

        send_together(app, ":", *"sources", "enter", ":", *"errors", "enter", ":", *"sources", "enter")
        await until(pilot, lambda: app.input_queue.is_quiet and app.screen.view == "sources")
        assert app.command_history == ["errors", "sources"]
        send_together(app, "7", ":", "up")
        await until(pilot, lambda: app.input_queue.is_quiet and line() == "sources")
        send_together(app, "up", "up")
        await until(pilot, lambda: app.input_queue.is_quiet and line() == "errors")
        send_together(app, "down", "down")
        await until(pilot, lambda: app.input_queue.is_quiet and not line())
        send_together(app, "up", "up", "enter")
        await until(pilot, lambda: app.screen.view == "errors")

    run_story(root, story)


def test_tab_goes_through_all_that_a_command_may_be(root: Path) -> None:
    """Each Tab shows the next one, Shift+Tab the one before; what is typed then begins anew."""
    add_job(root, JOB)

    async def story(app: Any, pilot: Any) -> None:
        seen: list[str] = []

        async def press(*keys: str) -> None:
            send_together(app, *keys)
            await until(pilot, lambda: bool(app.input_queue.is_quiet))
            seen.append(app.screen.query_one("#command", Input).value)

        await press("1", ":", *"job.re", "tab")
        await press("tab")
        await press("tab")
        await press("shift+tab")
        assert seen == ["job.resume", "job.retry", "job.retry_failed", "job.retry"]
        await press("_", "tab")
        assert seen[-1] == "job.retry_failed"

    run_story(root, story)


def test_the_palette_finds_by_letters_and_shows_first_what_ran_last(root: Path) -> None:
    """Also at the next start, and of what makes no sense there nothing."""
    add_job(root, JOB)

    async def story(app: Any, pilot: Any) -> None:
        send_together(app, "1", "ctrl+p", *"revord", "enter")
        await until(pilot, lambda: app.input_queue.is_quiet and app.screen.view == "jobs")
        assert app.screen.reversed
        send_together(app, "ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, Palette) and bool(app.screen.table.rows))
        assert app.screen.table.rows[0].id == "sort.reverse"
        send_together(app, "pagedown", "pageup", "pagedown", "escape", "ctrl+p", "q", "u", "pagedown", "escape")
        await until(pilot, lambda: app.input_queue.is_quiet and app.screen.view == "jobs")

    run_story(root, story)
    state = orjson.loads((root / "tui.json").read_bytes())
    assert state["views"]["palette"] == {"lines": ["sort.reverse"]}
    state["views"]["palette"] = {"lines": ["sort.reverse", 3, "no.such"]}
    (root / "tui.json").write_bytes(orjson.dumps(state))

    async def again(app: Any, pilot: Any) -> None:
        send_together(app, "1", "ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, Palette) and bool(app.screen.table.rows))
        assert app.screen.table.rows[0].id == "sort.reverse"

    run_story(root, again)


def test_what_is_in_no_list_is_explained_from_the_errors(root: Path) -> None:
    """`I` asks for a name there, as in the documents."""

    async def story(app: Any, pilot: Any) -> None:
        send_together(app, "4", "I")
        await until(pilot, lambda: isinstance(app.screen, Ask))

    run_story(root, story)
