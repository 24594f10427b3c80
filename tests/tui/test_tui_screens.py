"""The views, driven by keys, on real workspaces."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Button, Input

from ingest_tui.model.errors import BusyError
from ingest_tui.model.job import JobState
from ingest_tui.services.client import Client
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.tui.actions.actions import ACTIONS, BY_ID, actions_of, bindings_of, command_lines, in_workspace
from ingest_tui.tui.dialogs.dialogs import Choose, Confirm
from ingest_tui.tui.dialogs.finder import Finder
from ingest_tui.tui.dialogs.help import Help
from ingest_tui.tui.dialogs.palette import Palette
from ingest_tui.tui.dialogs.report import TestReport
from ingest_tui.tui.views.documents.document_screen import DocumentScreen
from ingest_tui.tui.views.documents.documents_screen import DocumentsScreen
from ingest_tui.tui.views.jobs.job_screen import JobScreen
from ingest_tui.tui.views.jobs.jobs_screen import JobsScreen
from ingest_tui.tui.views.sources.source_form_screen import SourceForm
from ingest_tui.tui.views.sources.sources_screen import SourcesScreen
from tests.tui.stories import (
    HOSTILE_NAMES,
    NOW_TEXT,
    add_folder,
    add_job,
    add_outcomes,
    at_rest,
    let_answer,
    outcome,
    run_story,
    said,
    screen_text,
    sync_by_hand,
    until,
    write_manifest,
)

ACTING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


# The registry


@pytest.mark.parametrize("screen", [JobsScreen, JobScreen, SourcesScreen, DocumentsScreen, DocumentScreen])
def test_every_action_of_a_view_exists_on_its_screen(screen: Any) -> None:
    """A key that a view offers is a method that its screen has."""
    for action in actions_of(screen.view):
        assert callable(getattr(screen, action.method, None)), (screen, action.id)


@pytest.mark.parametrize("view", ["jobs", "job", "sources", "documents", "document"])
def test_keys_are_unique_within_a_view_and_bindings_have_ids(view: str) -> None:
    """One key does one thing, and every binding can be changed by a keymap."""
    keys = [key for action in actions_of(view) for key in action.keys.split(",") if key]
    assert len(keys) == len(set(keys))
    assert all(binding.id for binding in bindings_of(view))
    assert len(BY_ID) == len(ACTIONS)


def test_command_lines_are_filled_and_quoted() -> None:
    """Names go into command lines quoted for a shell; what is unknown stays a placeholder."""
    lines = {action.id: line for action, line in command_lines("job", {"job": "20261121-a", "document": "a b;rm"})}
    assert lines["job.cancel"] == "ingest-tui job cancel 20261121-a"
    assert lines["document.explain"] == "ingest-tui doc explain 'a b;rm'"
    assert "SOURCE" in {action.id: line for action, line in command_lines("sources", {})}["source.sync"]
    assert in_workspace("ingest-tui job list", "") == "ingest-tui job list"
    assert in_workspace("ingest-tui job list", "/srv/a b") == "ingest-tui -w '/srv/a b' job list"


# Empty workspaces lead by the hand


def test_empty_views_say_what_to_do_next(root: Path) -> None:
    """Without sources, jobs, documents or a worker each view names the next key."""

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: "press w to start one" in screen_text(app))
        assert "Press a to add a folder" in screen_text(app)
        assert "○ no worker — w starts one" in said(app, "header")
        await pilot.press("2")
        await until(pilot, lambda: "No sources yet." in screen_text(app))
        assert "Press a to add one" in screen_text(app)
        await pilot.press("3")
        await until(pilot, lambda: "No documents yet." in screen_text(app))

    run_story(root, story)


def test_escape_never_quits(root: Path) -> None:
    """Esc on a top view does nothing, and the keys go on working."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("escape", "escape", "2", "escape", "escape", "1")
        await until(pilot, lambda: isinstance(app.screen, JobsScreen))
        assert app.is_running
        await pilot.press("q")
        await pilot.pause()
        assert app.return_code == 0

    run_story(root, story)


# Jobs


def test_jobs_are_listed_newest_first_with_states_as_words(root: Path) -> None:
    """The newest job is first; each state is a glyph and a word."""
    for number, state in enumerate(["succeeded", "failed", "cancelled", "partial", "queued", "paused"]):
        add_job(
            root, f"20261121-00000{number}-docs-aaa{number}", state, listed=10, at=f"2026-11-21T11:0{number}:00.000Z"
        )

    async def story(app: Any, pilot: Any) -> None:
        table = app.screen.table
        await until(pilot, lambda: len(table.rows) == 6)
        assert [row.job_id[-1] for row in table.rows] == ["5", "4", "3", "2", "1", "0"]
        text = screen_text(app)
        for word in ("+ succeeded", "! failed", "x cancelled", "? partial", ". queued", "= paused"):
            assert word in text
        assert "1 fail  1 partial  1 ok" in said(app, "header")

    run_story(root, story)


def test_progress_of_a_running_job_arrives(root: Path) -> None:
    """A manifest that a worker replaces is on screen soon, in the same row."""
    manifest = add_job(root, "20261121-000001-docs-aaaa", "running", listed=100, ingested=10, percent=10)
    lock = FileLock(root / "jobs" / manifest.job_id / "lock")
    assert lock.try_acquire()

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: "10/100" in screen_text(app))
        manifest.counters.items_ingested, manifest.progress.percent = 55, 55.0
        write_manifest(root, manifest)
        await until(pilot, lambda: "55/100  55%" in screen_text(app), 5)
        assert "1 run" in said(app, "header")

    try:
        run_story(root, story)
    finally:
        lock.release()


@pytest.mark.slow
def test_the_filter_takes_words_and_leaves_out_others(root: Path) -> None:
    """``/`` narrows the list while typing, ``!`` leaves out, Enter keeps it, Esc clears it."""
    add_job(root, "20261121-000001-docs-aaaa", "failed", source_id="docs")
    add_job(root, "20261121-000002-mail-bbbb", "succeeded", source_id="mail")

    async def story(app: Any, pilot: Any) -> None:
        table = app.screen.table
        await until(pilot, lambda: len(table.rows) == 2)
        await pilot.press("slash", *"failed")
        await until(pilot, lambda: [row.source_id for row in table.rows] == ["docs"])
        await pilot.press("enter")
        assert table.has_focus
        assert "/failed" in said(app, "info")
        assert "1 of 2 jobs" in said(app, "info")
        await pilot.press("escape")
        await until(pilot, lambda: len(table.rows) == 2)
        await pilot.press("slash", "exclamation_mark", *"mail")
        await until(pilot, lambda: [row.source_id for row in table.rows] == ["docs"])
        await pilot.press("escape", "slash", *"zzz", "enter")
        await until(pilot, lambda: "No job matches the filter." in screen_text(app))

    run_story(root, story)


def test_moving_marking_and_sorting(root: Path) -> None:
    """``j k g G`` move, space marks, ``o`` chooses the order, and the cursor stays on its row."""
    for number in range(30):
        add_job(root, f"20261121-0000{number:02d}-docs-aa{number:02d}", listed=number, failed=0)
    add_job(root, "20261120-000000-mail-zzzz", "failed", source_id="mail", errors=["PDF encrypted"])

    async def story(app: Any, pilot: Any) -> None:
        table = app.screen.table
        await until(pilot, lambda: len(table.rows) == 31)
        await pilot.press("j", "j", "k")
        assert table.cursor == 1
        await pilot.press("G")
        assert table.current_key.endswith("zzzz")
        await until(pilot, lambda: "PDF encrypted" in said(app, "hint"))
        await pilot.press("g", "space", "space")
        assert len(table.marks) == 2
        assert "2 marked" in said(app, "info")
        await pilot.press("G", "o")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await pilot.press("G", "end", "enter")
        await until(pilot, lambda: app.screen.sort == "errors")
        assert table.rows[0].job_id.endswith("zzzz")
        assert table.current_key.endswith("zzzz")
        await pilot.press("escape")
        assert not table.marks

    run_story(root, story)


def test_cancelling_asks_first_with_the_focus_on_cancel(root: Path) -> None:
    """``D`` opens a question that Enter answers with no; saying yes cancels exactly the job it named."""
    add_job(root, "20261121-000001-docs-aaaa", "queued")
    (root / "queue" / "20261121-000001-docs-aaaa").touch()

    async def story(app: Any, pilot: Any) -> None:
        jobs = app.screen
        await until(pilot, lambda: len(jobs.table.rows) == 1)
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert app.focused.id == "cancel"
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is jobs)
        assert jobs.table.rows[0].state == "queued"
        await pilot.press("D", "tab", "enter")
        await until(pilot, lambda: jobs.table.rows[0].state == "cancelled")

    run_story(root, story)


def test_many_things_want_their_number_typed(root: Path) -> None:
    """From ten on the button only goes once the number is typed."""
    for number in range(12):
        job_id = f"20261121-0000{number:02d}-docs-aa{number:02d}"
        add_job(root, job_id, "queued")
        (root / "queue" / job_id).touch()

    async def story(app: Any, pilot: Any) -> None:
        jobs = app.screen
        await until(pilot, lambda: len(jobs.table.rows) == 12)
        await pilot.press("asterisk", "D")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert app.screen.query_one("#go", Button).disabled
        app.screen.query_one("#typed", Input).focus()
        await pilot.press("1", "2")
        assert not app.screen.query_one("#go", Button).disabled
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is jobs)
        assert {row.state for row in jobs.table.rows} == {"queued"}

    run_story(root, story)


def test_a_job_shows_phases_outcomes_and_its_log(root: Path) -> None:
    """Enter opens a job: phases, counters, problems first, and what to do about the one under the cursor."""
    job_id = "20261121-000001-docs-aaaa"
    add_job(root, job_id, "partial", listed=3, failed=1, errors=["PDF encrypted"])
    add_outcomes(
        root,
        job_id,
        [
            outcome("good.md", milliseconds=3, bytes=120),
            outcome("bad.pdf", "failed", "malformed", detail="PDF encrypted", hint="remove the password"),
        ],
    )
    (root / "jobs" / job_id / "log.jsonl").write_text(
        '{"at":"2026-11-21T11:00:00.000Z","level":"info","message":"go"}\n'
    )

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: len(app.screen.table.rows) == 1)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, JobScreen) and len(app.screen.pane.items.rows) == 2)
        assert [row.outcome.key for row in app.screen.pane.items.rows] == ["bad.pdf", "good.md"]
        text = screen_text(app)
        assert "? partial" in text
        assert "list    + done" in text
        assert "3 listed = 2 ingested + 1 failed" in text
        await until(pilot, lambda: "remove the password" in said(app, "hint"))
        await pilot.press("slash", *"good", "enter")
        await until(pilot, lambda: [row.outcome.key for row in app.screen.pane.items.rows] == ["good.md"])
        await pilot.press("l")
        await until(pilot, lambda: "INFO    go" in screen_text(app))
        await pilot.press("escape", "escape", "escape")  # from the filter, from the log, from the job
        await until(pilot, lambda: isinstance(app.screen, JobsScreen))

    run_story(root, story)


def test_a_job_that_ends_with_no_outcome_says_so(root: Path) -> None:
    """What is said of the outcomes that are to come does not stay when none can come any more."""
    manifest = add_job(root, "20261121-000001-docs-aaaa", "queued")

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: len(app.screen.table.rows) == 1)
        await pilot.press("enter")
        await until(pilot, lambda: "no document is finished yet" in screen_text(app))
        write_manifest(root, manifest.model_copy(update={"state": JobState.CANCELLED, "finished_at": NOW_TEXT}))
        app.feed.look_now()
        await until(pilot, lambda: "no document was processed" in screen_text(app))

    run_story(root, story)


def test_outcomes_that_come_while_a_job_is_open_are_shown(root: Path) -> None:
    """The detail follows the journal from where it was read to."""
    manifest = add_job(root, "20261121-000001-docs-aaaa", "queued", listed=5, ingested=0)

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: len(app.screen.table.rows) == 1)
        await pilot.press("enter")
        await until(pilot, lambda: "no document is finished yet" in screen_text(app))
        for number in range(1, 4):
            add_outcomes(root, manifest.job_id, [outcome(f"{number}.md")])
            manifest.counters.items_ingested = number
            write_manifest(root, manifest)
            await until(pilot, partial(lambda expected: len(app.screen.pane.items.rows) == expected, number))

    run_story(root, story)


def test_a_wide_screen_shows_the_job_next_to_the_list(root: Path) -> None:
    """From 140 columns the job under the cursor is next to the table, with its outcomes and its log."""
    add_job(root, "20261121-000001-docs-aaaa", listed=2)
    add_outcomes(root, "20261121-000001-docs-aaaa", [outcome("beside.md")])

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: "beside.md" in screen_text(app))
        assert "1 Jobs   2 Sources" in said(app, "tabs")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "beside.md" not in screen_text(app))

    run_story(root, story, size=(160, 40))


@pytest.mark.slow
@pytest.mark.parametrize(("width", "gone"), [(79, ["RATE"]), (54, ["RATE", "SOURCE"]), (80, [])])
def test_narrow_screens_drop_columns(root: Path, width: int, gone: list[str]) -> None:
    """Below 80 columns RATE goes first, then SOURCE; state and progress stay."""
    add_job(root, "20261121-000001-docs-aaaa", listed=2)

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: "STATE" in screen_text(app))
        for title in ("ID", "SOURCE", "STATE", "DONE/TOTAL", "RATE"):
            assert (title in screen_text(app)) == (title not in gone)

    run_story(root, story, size=(width, 24))


@pytest.mark.slow
@pytest.mark.parametrize("size", [(30, 20), (80, 6), (1, 1), (20, 5)])
def test_a_tiny_screen_shows_one_line(root: Path, size: tuple[int, int]) -> None:
    """Below 40 columns or 10 lines one status line is left, and nothing breaks."""
    add_job(root, "20261121-000001-docs-aaaa", "failed")

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: app.model.complete)
        await pilot.press("j", "enter", "escape", "2", "3", "1")
        await at_rest(pilot)
        if size[0] >= 30:
            assert "1 fail" in screen_text(app)
        assert "STATE" not in screen_text(app)

    run_story(root, story, size=size)


@pytest.mark.slow
def test_hostile_names_are_shown_escaped_on_every_view(root: Path, tmp_path: Path) -> None:
    """No name acts on the terminal or on markup, wherever it is shown."""
    job_id = "20261121-000001-docs-aaaa"
    add_job(root, job_id, "failed", listed=len(HOSTILE_NAMES), errors=[HOSTILE_NAMES[0] + HOSTILE_NAMES[6]])
    clean = [name.encode("utf-8", "replace").decode() for name in HOSTILE_NAMES]
    add_outcomes(root, job_id, [outcome(name, "failed", "malformed", detail=name, hint=name) for name in clean])
    folder = tmp_path / "hostile"
    folder.mkdir()
    for number, name in enumerate(HOSTILE_NAMES):
        raw = name.replace("\x00", "").replace("/", "").encode("utf-8", "surrogateescape")[:200]
        (folder / raw.decode("utf-8", "surrogateescape")).write_text(f"# {name.replace(chr(0xDC80), '')} {number}\n")
    add_folder(root, folder, "hostile")
    sync_by_hand(root, "hostile")

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: len(app.screen.table.rows) == 2)
        for keys in ("G", "enter", "j j j l l i escape y escape question_mark escape escape", "2", "x escape t"):
            await pilot.press(*keys.split())
            await at_rest(pilot)
            assert not ACTING.search(screen_text(app).replace("\n", ""))
        await pilot.press("escape", "3")
        await until(pilot, lambda: len(app.screen.table.rows) >= 10)
        for _ in range(len(app.screen.table.rows)):
            assert not ACTING.search(screen_text(app).replace("\n", ""))
            await pilot.press("j")
        await pilot.press("space", "D")
        await at_rest(pilot)
        assert not ACTING.search(screen_text(app).replace("\n", ""))
        await pilot.press("escape", "enter")
        await until(pilot, lambda: isinstance(app.screen, DocumentScreen))
        assert not ACTING.search(screen_text(app).replace("\n", ""))

    run_story(root, story, size=(160, 40))


# Sources


def test_a_folder_is_added_tested_and_synced_from_the_form(root: Path, folder: Path) -> None:
    """``a`` asks for a folder, the test runs at once, ``s`` queues a sync, and the header says that nobody works."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, Choose) and "step 1 of 5" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SourceForm) and app.focused.id == "field-path")
        await pilot.press("enter")
        await until(pilot, lambda: "this is needed" in screen_text(app))
        app.focused.value = str(folder) + "-nowhere"
        await pilot.press("enter")
        await until(pilot, lambda: "does not exist" in screen_text(app))
        app.screen.query_one("#field-path", Input).value = str(folder)
        app.screen.query_one("#field-name", Input).value = "Team Handbook"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TestReport) and "all is well" in screen_text(app))
        await pilot.press("s")
        await until(pilot, lambda: app.screen.table.rows and app.screen.table.rows[0].active_job is not None)
        assert app.screen.table.current_key == "team-handbook"
        await until(pilot, lambda: app.model.number("queued") == 1)
        await pilot.press("1")
        await until(pilot, lambda: "w starts one" in said(app, "hint"))

    run_story(root, story)


@pytest.mark.slow
def test_a_toggle_says_yes_or_no_in_words(root: Path, folder: Path) -> None:
    """Space turns a switch of the form, and its words show its state."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2", "a")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SourceForm) and app.focused.id == "field-path")
        app.focused.value = str(folder)
        app.screen.query_one("#field-watch").focus()
        await pilot.press("space")
        assert "[x] yes" in screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TestReport))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.table.rows and app.screen.table.rows[0].source.watch)

    run_story(root, story)


def test_removing_a_source_asks_first_and_names_its_documents(root: Path, folder: Path) -> None:
    """``D`` says how many documents go to the trash; only yes removes."""
    add_folder(root, folder)
    sync_by_hand(root, "handbook")

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2")
        await until(pilot, lambda: app.screen.table.rows)
        sources = app.screen
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert "2 documents go to the trash" in screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is sources)
        assert sources.table.rows
        await pilot.press("D", "tab", "enter")
        await until(pilot, lambda: "No sources yet." in screen_text(app))

    run_story(root, story)
    assert (folder / "welcome.md").exists()


def test_trouble_of_a_service_is_reported_with_its_hint(root: Path) -> None:
    """What a service refuses is a notice with what to do, as it is and not as markup."""

    def start(*, log_format: str = "json") -> int:
        raise BusyError(f"a worker [/] runs {log_format}", hint="'ingest-tui worker stop' ends it")

    def sources() -> list[Any]:
        raise RuntimeError("secret-in-message")

    client = Client(root)
    client.workers.start = start
    let_answer(client.sources, list=sources)

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("w")
        await until(pilot, lambda: any("worker [/] runs" in notice.message for notice in app._notifications))
        await pilot.press("2")
        await until(pilot, lambda: any("RuntimeError" in notice.message for notice in app._notifications))
        assert not any("secret-in-message" in notice.message for notice in app._notifications)

    run_story(root, story, client=client)


# Documents


def test_documents_are_listed_filtered_searched_and_read(root: Path, folder: Path) -> None:
    """Filter by name, search in the text, read the document, and learn why it is here."""
    add_folder(root, folder)
    sync_by_hand(root, "handbook")

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: [line.name for line in app.screen.table.rows] == ["rules.txt", "welcome.md"])
        await pilot.press("slash", *"welc", "enter")
        await until(pilot, lambda: [line.name for line in app.screen.table.rows] == ["welcome.md"])
        await pilot.press("escape", "s", *"barometer", "enter")
        await until(pilot, lambda: "«barometer»" in screen_text(app))
        assert "search: barometer" in said(app, "header")
        await pilot.press("enter")
        await until(pilot, lambda: "No shoes in the barometer room." in screen_text(app))
        await pilot.press("i")
        await until(pilot, lambda: "Why is it" in screen_text(app) and "rules.txt" in screen_text(app))
        await pilot.press("escape", "escape", "escape")
        await until(pilot, lambda: len(app.screen.table.rows) == 2)

    run_story(root, story)


@pytest.mark.slow
def test_a_document_shows_what_is_wrong_with_it(root: Path, folder: Path) -> None:
    """Above the text stands what validators found, and the job's counters say in how many items."""
    for path in folder.iterdir():
        path.unlink()
    (folder / "broken.json").write_text('{"fruit": "apples"')
    add_folder(root, folder)
    sync_by_hand(root, "handbook")

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: "1 with warnings" in screen_text(app))
        await pilot.press("3")
        await until(pilot, lambda: app.screen.table.rows)
        await pilot.press("enter")
        await until(pilot, lambda: "error: not valid JSON, kept as text" in screen_text(app))
        assert "apples" in screen_text(app)

    run_story(root, story, size=(160, 40))


@pytest.mark.slow
def test_a_source_opens_to_its_documents(root: Path, folder: Path) -> None:
    """``d`` on a source shows its documents, Esc goes back to the source; the documents are all of them again."""
    add_folder(root, folder)
    sync_by_hand(root, "handbook")

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2")
        await until(pilot, lambda: app.screen.table.rows)
        await pilot.press("d")
        await until(pilot, lambda: app.screen.place() == "Documents > handbook" and len(app.screen.table.rows) == 2)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.view == "sources" and app.screen.row_key == "handbook")
        await pilot.press("3")
        await until(pilot, lambda: app.screen.place() == "Documents > all" and len(app.screen.table.rows) == 2)

    run_story(root, story)


@pytest.mark.slow
def test_a_document_is_removed_after_a_question(root: Path, folder: Path) -> None:
    """``D`` on a document asks, and yes retires it."""
    add_folder(root, folder)
    sync_by_hand(root, "handbook")

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(app.screen.table.rows) == 2)
        documents = app.screen
        await pilot.press("D", "tab", "enter")
        await until(pilot, lambda: [line.name for line in documents.table.rows] == ["welcome.md"])

    run_story(root, story)


# Help and palette


def test_help_searches_and_does_what_is_chosen(root: Path) -> None:
    """``?`` lists the actions, typing narrows them, Enter does the one under the cursor."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, Help))
        await pilot.press(*"go to doc")
        await until(pilot, lambda: len(app.screen.query_one("#finder-table").rows) == 1)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, DocumentsScreen))

    run_story(root, story)


@pytest.mark.slow
def test_the_palette_offers_the_actions_of_the_view(root: Path) -> None:
    """``^p`` finds an action by its title and does it."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, Palette))
        await pilot.press(*"go to sou")
        await until(pilot, lambda: "Go to Sources" in screen_text(app))
        await at_rest(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SourcesScreen))

    run_story(root, story)


@pytest.mark.parametrize("key", ["question_mark", "ctrl+p"])
def test_help_and_palette_use_the_room_there_is(root: Path, key: str) -> None:
    """On a wide screen no command line is cut."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, Finder) and app.screen.table.size.width > 140)
        await pilot.press(*"cancel")
        await until(pilot, lambda: "ingest-tui job cancel {job}" in screen_text(app))

    run_story(root, story, size=(200, 50))


def test_command_lines_are_offered_for_the_row_under_the_cursor(root: Path) -> None:
    """``y`` shows what one would type instead."""
    add_job(root, "20261121-000001-docs-aaaa", "failed")

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: len(app.screen.table.rows) == 1)
        await pilot.press("y")
        await until(pilot, lambda: "ingest-tui job retry 20261121-000001-docs-aaaa" in screen_text(app))

    run_story(root, story)


def test_a_broken_workspace_ends_the_screen_with_its_error(root: Path) -> None:
    """A workspace of a newer program is refused after the first screen, and the reason is kept for the caller."""
    (root / "workspace.json").write_text('{"schema_version": 99}')

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: app.failure is not None)
        assert "newer" in app.failure.message

    import asyncio

    from ingest_tui.tui.app import IngestApp

    async def run() -> None:
        app = IngestApp(root)
        async with app.run_test() as pilot:
            await story(app, pilot)

    asyncio.run(run())
