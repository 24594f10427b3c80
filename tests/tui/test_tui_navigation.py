"""Navigation: history, jumping, the ``:`` line, zoom, marks, and what is remembered."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from textual.app import ComposeResult
from textual.containers import Horizontal

from ingest_tui.model.errors import BusyError
from ingest_tui.model.job import JobState
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.view_state import read_view_state, write_view_state
from ingest_tui.tui.dialogs.jump import Jump
from ingest_tui.tui.header import header
from ingest_tui.tui.navigation.history import History, HistoryEntry
from ingest_tui.tui.navigation.views import VIEW_NAMES, VIEWS
from ingest_tui.tui.views.base.view_screen import AGES_SECONDS, ViewScreen
from ingest_tui.tui.views.collections.collection_screen import CollectionScreen
from ingest_tui.tui.views.collections.collections_screen import CollectionsScreen
from ingest_tui.tui.views.documents.documents_screen import DocumentsScreen
from ingest_tui.tui.views.jobs.endings import ended_now, notice
from ingest_tui.tui.views.jobs.job_screen import JobScreen
from ingest_tui.tui.views.jobs.jobs_model import JobRow, JobsModel
from ingest_tui.tui.views.jobs.jobs_screen import JobsScreen
from ingest_tui.tui.views.sources.source_screen import SourceScreen
from ingest_tui.tui.views.sources.sources_screen import SourcesScreen
from ingest_tui.tui.widgets.command_line import CommandLine
from ingest_tui.tui.widgets.table import VirtualTable
from ingest_tui.tui.widgets.tabs import TabTitle, lay_out_tabs
from tests.tui.stories import (
    add_folder,
    add_job,
    add_outcomes,
    at_rest,
    outcome,
    run_story,
    said,
    screen_text,
    sync_by_hand,
    until,
    write_manifest,
)

pytestmark = pytest.mark.slow


def some_jobs(root: Path, number: int = 5) -> list[str]:
    """Put jobs on disk; returns their ids, newest first."""
    job_ids = [f"20261121-00000{n}-docs-aaa{n}" for n in range(number)]
    for n, job_id in enumerate(job_ids):
        add_job(root, job_id, "failed" if n % 2 else "succeeded", at=f"2026-11-21T11:0{n}:00.000Z")
    return job_ids[::-1]


def notices(app: Any) -> str:
    """Return the texts of all notices."""
    return "\n".join(notification.message for notification in app._notifications)


def all_jobs() -> JobsModel:
    """Return what is known once all jobs have been read: none."""
    jobs = JobsModel()
    jobs.complete = True
    return jobs


# History


def test_a_history_goes_back_and_forward() -> None:
    """Places come in the order of their visits; a new one cuts off what lay ahead."""
    history = History()
    for view in ("jobs", "sources", "documents"):
        history.visit(HistoryEntry(view))
    assert [history.go(-1), history.go(-1), history.go(-1)] == [HistoryEntry("sources"), HistoryEntry("jobs"), None]
    history.visit(HistoryEntry("logs"))
    assert history.go(1) is None
    assert history.go(-1) == HistoryEntry("jobs")


def test_leaving_what_was_opened_is_going_back() -> None:
    """Esc from a job to the jobs does not make a third place; the job lies ahead."""
    history = History()
    for place in (HistoryEntry("jobs"), HistoryEntry("jobs", "job a"), HistoryEntry("jobs")):
        history.visit(place)
    assert history.go(-1) is None
    assert history.go(1) == HistoryEntry("jobs", "job a")


def test_brackets_lead_back_to_what_was_opened_and_to_its_row(root: Path) -> None:
    """``[`` shows the job again that was opened, and the list with the cursor where it was; ``]`` goes forward."""
    job_ids = some_jobs(root)

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: len(app.screen.table.rows) == 5)
        await pilot.press("j", "j", "enter")
        await until(pilot, lambda: isinstance(app.screen, JobScreen))
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, SourcesScreen))
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: isinstance(app.screen, JobScreen) and app.screen.job_id == job_ids[2])
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: isinstance(app.screen, JobsScreen) and app.screen.table.current_key == job_ids[2])
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: "where you began" in notices(app))
        await pilot.press("right_square_bracket", "right_square_bracket")
        await until(pilot, lambda: isinstance(app.screen, SourcesScreen))

    run_story(root, story)


# F2


def test_f2_jumps_to_views_jobs_and_sources(root: Path, folder: Path) -> None:
    """One chooser finds them all, by any words of their names."""
    job_ids = some_jobs(root)
    add_folder(root, folder)

    async def story(app: Any, pilot: Any) -> None:
        async def jump(words: str) -> None:
            await pilot.press("f2")
            await until(pilot, lambda: isinstance(app.screen, Jump))
            await until(pilot, lambda: any(row.key.startswith("source ") for row in app.screen.table.rows))
            await pilot.press(*words)
            await pilot.press("enter")

        await jump("aaa3")
        await until(pilot, lambda: isinstance(app.screen, JobScreen) and app.screen.job_id == job_ids[1])
        await jump("documents")
        await until(pilot, lambda: isinstance(app.screen, DocumentsScreen))
        await jump("docu")
        await pilot.press("f2")
        await until(pilot, lambda: isinstance(app.screen, Jump) and len(app.screen.table.rows) > 5)
        await pilot.press("escape")
        await jump("sourcehand"[:6])
        await until(pilot, lambda: isinstance(app.screen, SourcesScreen))

    run_story(root, story)


# The : line


def test_the_command_line_filters_completes_and_says_what_it_does_not_know(root: Path) -> None:
    """``:jobs fa`` and Tab is ``:jobs failed``; an unknown command stays to be corrected; Esc closes."""
    some_jobs(root)

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: len(app.screen.table.rows) == 5)
        await pilot.press("colon")
        await until(pilot, lambda: isinstance(app.focused, CommandLine))
        await pilot.press(*"jobs fa")
        await until(pilot, lambda: app.focused._suggestion == "jobs failed")
        await pilot.press("tab", "enter")
        await until(pilot, lambda: {row.state for row in app.screen.table.rows} == {"failed"})
        assert "Jobs > failed" in said(app, "header")
        await pilot.press("colon")
        await until(pilot, lambda: isinstance(app.focused, CommandLine))
        await pilot.press(*"jbos", "enter")
        await until(pilot, lambda: "did you mean :jobs" in notices(app))
        assert app.focused.value == "jbos"
        await pilot.press("escape")
        await until(pilot, lambda: app.focused is app.screen.table)

    run_story(root, story)


def test_the_command_line_opens_jobs_sources_and_searches(root: Path, folder: Path) -> None:
    """``:job ID``, ``:source NAME``, ``:docs WORDS`` go where they say, and name what there is not."""
    add_folder(root, folder)
    sync_by_hand(root, "handbook")

    async def story(app: Any, pilot: Any) -> None:
        async def command(line: str) -> None:
            await pilot.press("colon")
            await until(pilot, lambda: isinstance(app.focused, CommandLine))
            app.focused.value = line
            await pilot.press("enter")

        await command("job last")
        await until(pilot, lambda: isinstance(app.screen, JobScreen))
        await command("job nowhere")
        await until(pilot, lambda: "there is no job nowhere" in notices(app))
        await command("source handbook")
        await until(pilot, lambda: isinstance(app.screen, SourceScreen) and app.screen.source_id == "handbook")
        await command("source nowhere")
        await until(pilot, lambda: "there is no source nowhere" in notices(app))
        await command("collection default")
        await until(pilot, lambda: isinstance(app.screen, CollectionScreen))
        await command("collection nowhere")
        await until(pilot, lambda: "there is no collection nowhere" in notices(app))
        await command("collections")
        await until(pilot, lambda: isinstance(app.screen, CollectionsScreen))
        await command("docs kettle")
        await until(pilot, lambda: isinstance(app.screen, DocumentsScreen) and len(app.screen.table.rows) == 1)
        await command("q")
        await pilot.pause()
        assert app.return_code == 0

    run_story(root, story)


def test_a_source_is_opened_by_its_name_from_every_view(root: Path, folder: Path) -> None:
    """``:source NAME`` means the same wherever it is typed: its page, over the list of sources."""
    add_folder(root, folder)

    async def story(app: Any, pilot: Any) -> None:
        for view in VIEW_NAMES:
            app.show_view(view)
            await until(pilot, lambda view=view: app.screen.view == view and app.screen.is_whole)  # type: ignore[misc]
            app.screen.perform("source.go", "Handbook")
            await until(pilot, lambda: isinstance(app.screen, SourceScreen) and app.screen.source_id == "handbook")
            await pilot.press("escape")
            await until(pilot, lambda: app.screen.view == "sources" and app.screen.row_key == "handbook")

    run_story(root, story)


# The header


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("Jobs > all", "  Jobs > all  "),
        ("Documents > notes/reports/2026/", "  notes/reports/2026/  "),
        ("Documents > a-report.pdf > versions", "  a-report.pdf > versions  "),
        ("Collections > contracts-2026", "  contracts-2026  "),
        ("Documents > a-report-with-a-name-that-is-long.pdf > text", "… > text  "),
    ],
)
def test_where_we_are_is_said_in_whole_words(place: str, shown: str) -> None:
    """At 80 columns the view goes first, which its tab names; then the name is cut, never the words around it."""
    jobs = all_jobs()
    jobs.merge([JobRow(f"j{n}", state) for n, state in enumerate(("running", "failed", "succeeded"))], ())
    assert shown in header("corpus-of-a-city-archive", place, 80, jobs=jobs, workers=[]).plain


def test_the_header_counts_no_job_that_was_not_read_yet() -> None:
    """At the start nothing is known, which is no 0; jobs that are read by then are counted."""
    jobs = JobsModel()
    assert "jobs …" in header("corpus", "Jobs", 80, jobs=jobs, workers=[]).plain
    jobs.merge([JobRow("j1", "failed")], ())
    told = header("corpus", "Jobs", 80, jobs=jobs, workers=[]).plain
    assert "1 fail  jobs …" in told
    assert "0 " not in told
    jobs.complete = True
    assert "1 fail  0 ok" in header("corpus", "Jobs", 80, jobs=jobs, workers=[]).plain


def test_the_header_leaves_out_what_is_not_before_what_is() -> None:
    """A partial job is counted where states without jobs would fill the line."""
    jobs = all_jobs()
    jobs.merge([JobRow("j1", "partial")], ())
    place = "Documents > a-report-with-a-long-name.pdf"
    told = header("corpus", place, 80, jobs=jobs, workers=[]).plain
    assert place in told
    assert "1 partial" in told
    assert "0 " not in told


@pytest.mark.parametrize("width", [80, 100, 140, 160, 200, 400])
@pytest.mark.parametrize("workers", [None, [], [SimpleNamespace(pid=4_194_304, issues=())] * 3])
@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("many", [0, 1100])
def test_the_header_fits(width: int, workers: Any, read_only: bool, many: int) -> None:
    """One line from 80 columns on, however much there is to tell."""
    jobs = all_jobs()
    jobs.merge([JobRow(f"j{n}", "succeeded") for n in range(1200)], ())
    jobs.merge([JobRow(f"p{n}", "partial") for n in range(many)], ())
    jobs.merge([JobRow(f"f{n}", "failed") for n in range(many)], ())
    told = header("a workspace", "Jobs > all", width, jobs=jobs, workers=workers, read_only=read_only).plain
    assert len(told) <= width
    assert workers is None or "worker" in told
    assert ("read-only" in told) == read_only
    assert "Jobs" in told


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("shown", VIEW_NAMES)
def test_the_tabs_fit_and_the_one_that_is_shown_has_its_name(width: int, shown: str) -> None:
    """Titles are whole words, or gone where there is no room; keys never go, and no tab lies over another."""
    views = [TabTitle(view.name, key, view.title, view.short_title) for key, view in VIEWS.items()]
    tabs = lay_out_tabs(views, shown, width)
    assert [tab.key for tab in tabs] == list(VIEWS)
    assert tabs[-1].end <= width
    assert all(before.end < after.start for before, after in pairwise(tabs))
    assert all(tab.title in {view.title, view.short, ""} for tab, view in zip(tabs, views, strict=True))
    assert next(tab.title for tab in tabs if tab.name == shown)
    if width == 80:
        assert all(tab.title for tab in tabs)
    if width > 80:
        assert [tab.title for tab in tabs] == [view.title for view in VIEWS.values()]


def test_a_click_on_a_tab_shows_its_view(root: Path) -> None:
    """The line of the tabs takes the mouse."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.click("#tabs", offset=(screen_text(app).splitlines()[1].index("Errors"), 0))
        await until(pilot, lambda: app.current_mode == "errors")

    run_story(root, story)


def test_a_click_on_a_head_sorts_and_on_a_key_acts(root: Path) -> None:
    """Again on the same head, the order turns around; of a row no head is clicked."""
    add_job(root, "20261121-000001-docs-aaaa", source_id="b")
    add_job(root, "20261121-000002-docs-bbbb", source_id="a")

    def sources(app: Any) -> list[str]:
        return [row.source_id for row in app.screen.table.rows]

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: sources(app) == ["a", "b"])
        lines = screen_text(app).splitlines()
        y = next(number for number, line in enumerate(lines) if "SOURCE" in line)
        head = (lines[y].index("SOURCE"), y)
        await pilot.click(offset=head)
        await until(pilot, lambda: "sort: source v" in said(app, "info"))
        await pilot.click(offset=head)
        await until(pilot, lambda: "sort: source ^" in said(app, "info") and sources(app) == ["b", "a"])
        await pilot.click(offset=(lines[y].index("STATE"), y + 1))
        assert app.screen.sort == "source"
        await pilot.click("#keys", offset=(lines[-1].index("filter"), 0))
        await until(pilot, lambda: app.screen.has_class("-filtering"))

    run_story(root, story)


def test_a_view_is_set_up_once(root: Path) -> None:
    """The ages grow by one timer, and the focus stays where a view has put it when it was opened."""
    some_jobs(root, 1)

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: len(app.screen.table.rows) == 1)
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, JobScreen) and app.focused is app.screen.pane.log_lines)
        await at_rest(pilot)
        assert app.focused is app.screen.pane.log_lines
        assert sum(timer._interval == AGES_SECONDS for timer in app.screen._timers) == 1

    run_story(root, story)


# Zoom, marks, themes


def test_a_view_that_is_left_while_it_is_made_shows_nothing(root: Path) -> None:
    """What is composed by then stays without its inside; to be shown it must be whole."""
    caught_up: list[bool] = []

    class Leaves(Horizontal):
        def compose(self) -> ComposeResult:
            self.app._prune(self.screen)
            yield VirtualTable([], str, id="half-table")

    class Half(ViewScreen):
        view = "half"

        def compose_body(self) -> ComposeResult:
            yield Leaves()

        def catch_up(self) -> None:
            caught_up.append(bool(self.query("#half-table")))

    async def story(app: Any, pilot: Any) -> None:
        half = Half()
        half._is_set_up = True  # its table is not there to be
        app.push_screen(half)
        await until(pilot, lambda: not half.is_running)
        assert False not in caught_up
        assert app._exception is None

    run_story(root, story)


def test_zoom_gives_one_pane_all_the_room(root: Path) -> None:
    """``z`` hides the other panes and shows them again; so does a new size."""
    job_id = some_jobs(root, 1)[0]
    add_outcomes(root, job_id, [outcome("beside.md")])

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: "beside.md" in screen_text(app))
        await pilot.press("z")
        await until(pilot, lambda: "beside.md" not in screen_text(app))
        assert app.screen.table.size.width > 150
        await pilot.press("z")
        await until(pilot, lambda: "beside.md" in screen_text(app))
        await pilot.press("z")
        await pilot.resize_terminal(150, 40)
        await until(pilot, lambda: "beside.md" in screen_text(app))

    run_story(root, story, size=(160, 40))


def test_v_marks_what_the_cursor_passes(root: Path) -> None:
    """A range grows and shrinks with the cursor, stays when it ends, and keeps earlier marks."""
    job_ids = some_jobs(root)

    async def story(app: Any, pilot: Any) -> None:
        table = app.screen.table
        await until(pilot, lambda: len(table.rows) == 5)
        await pilot.press("v", "j", "j", "j", "k")
        assert table.marks == set(job_ids[:3])
        await pilot.press("v", "j", "j")
        assert table.marks == set(job_ids[:3])
        assert "3 marked" in said(app, "info")
        await pilot.press("v", "v")
        assert table.marks == {*job_ids[:3], job_ids[4]}
        await pilot.press("escape")
        assert not table.marks

    run_story(root, story)


def test_a_theme_is_chosen_and_remembered(root: Path) -> None:
    """``:theme`` changes the colours at once and writes the setting."""

    async def story(app: Any, pilot: Any) -> None:
        app.screen.choose_theme("high-contrast")
        assert app.theme == "high-contrast"
        await until(pilot, lambda: orjson.loads((root / "workspace.json").read_bytes()).get("theme") == "high-contrast")
        app.screen.choose_theme("purple")
        await until(pilot, lambda: "there is no theme purple" in notices(app))
        app.screen.choose_theme("none")
        await pilot.pause()
        assert app.theme == "ansi-dark"

    run_story(root, story)
    run_story(root, _expects_theme("none"))


def _expects_theme(name: str) -> Any:
    async def story(app: Any, pilot: Any) -> None:
        assert app.theme_used == name

    return story


def test_a_clash_in_the_keymap_is_reported_when_it_starts(root: Path) -> None:
    """The notice names both actions and the file; a valid part of the keymap holds, also for an action without key."""
    settings = orjson.loads((root / "workspace.json").read_bytes())
    keymap = {"job.cancel": "R", "view.sources": "f9", "job.show": "f8"}
    (root / "workspace.json").write_bytes(orjson.dumps(settings | {"keymap": keymap}))
    some_jobs(root, 1)

    async def story(app: Any, pilot: Any) -> None:
        assert "(job.cancel)" in notices(app)
        assert "workspace.json" in notices(app)
        await pilot.press("2")
        await at_rest(pilot)
        assert isinstance(app.screen, JobsScreen)
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(app.screen, SourcesScreen))
        assert app.registry.get("job.show").shown_keys == "f8"

    run_story(root, story)


# What is remembered


def test_filter_order_and_marks_outlast_a_restart(root: Path) -> None:
    """What a view was like when the program ended it is when it starts again."""
    some_jobs(root)

    async def first(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: len(app.screen.table.rows) == 5)
        await pilot.press("slash", *"failed", "enter", "O", "space")
        await until(pilot, lambda: len(app.screen.table.marks) == 1)
        await pilot.press("q")

    async def second(app: Any, pilot: Any) -> None:
        table = app.screen.table
        await until(pilot, lambda: len(table.rows) == 2 and len(table.marks) == 1)
        assert "/failed" in said(app, "info")
        assert app.screen.reversed

    run_story(root, first)
    run_story(root, second)


def test_marks_do_not_come_back_by_themselves(root: Path) -> None:
    """A mark that a filter has taken away stays away; only what was remembered at the start is put back."""
    job_ids = some_jobs(root)
    write_view_state(Layout(root), {"jobs": {"marks": [job_ids[0], "gone"], "sort": "nonsense", "words": 3}})

    async def story(app: Any, pilot: Any) -> None:
        table = app.screen.table
        await until(pilot, lambda: table.marks == {job_ids[0]})
        await pilot.press("escape", "O", "O")
        assert not table.marks

    run_story(root, story)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"schema_version": 9, "views": {}}', b'{"schema_version": 1}'])
def test_a_damaged_memory_is_no_memory(root: Path, data: bytes) -> None:
    """Whatever tui.json holds, the program starts with what a view is at first."""
    Layout(root).view_state.write_bytes(data)
    assert read_view_state(Layout(root)) == {}


def test_a_workspace_that_cannot_be_written_keeps_nothing_from_ending(root: Path) -> None:
    """Without room or right to write nothing is remembered, and nothing fails."""
    layout = Layout(root / "nowhere")
    assert not write_view_state(layout, {})
    Layout(root).view_state.mkdir()
    assert not write_view_state(Layout(root), {"jobs": {}})


# Many at once


def test_what_one_of_many_refuses_stops_no_other(root: Path) -> None:
    """Progress says "N of M", and the end how many were done and what the last refusal was."""
    some_jobs(root, 4)
    steps: list[str] = []
    answers: list[str] = []

    def work(target: str) -> str:
        if target == "b":
            raise BusyError("b is held", hint="wait")
        return target.upper()

    async def story(app: Any, pilot: Any) -> None:
        app.screen.ask_each(["a", "b", "c"], work, done="asked", say=steps.append, then=answers.extend)
        await until(pilot, lambda: answers == ["A", "C"])
        assert steps == ["1 of 3: asked: a", "2 of 3: b: b is held", "3 of 3: asked: c"]
        assert "asked: 2 of 3; last refusal: b is held" in notices(app)

    run_story(root, story)


# What ended while one looked elsewhere


def test_a_job_that_ends_while_one_looks_elsewhere_is_reported(root: Path) -> None:
    """A notice names it; looking at the list of jobs there is none."""
    manifest = add_job(root, "20261121-000001-docs-aaaa", "queued")

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, SourcesScreen))
        manifest.state = JobState("failed")
        write_manifest(root, manifest)
        await until(pilot, lambda: "! failed: docs aaaa" in notices(app))

    run_story(root, story)


def test_many_ends_are_one_notice() -> None:
    """More than two are reported as numbers."""
    known = {f"j{n}": JobRow(f"j{n}", "running") for n in range(5)}
    rows = [JobRow(f"j{n}", "failed" if n == 4 else "succeeded", "docs") for n in range(5)]
    ended = ended_now(known, [*rows, JobRow("new", "succeeded"), JobRow("j0", "running")], complete=False)
    assert ended == rows
    assert notice(ended) == ("5 jobs ended: 4 + succeeded, 1 ! failed", True)
    assert notice(rows[:1]) == ("+ succeeded: docs j0", False)
    assert len(ended_now(known, [JobRow("new", "succeeded")], complete=True)) == 1


# --read-only


def test_read_only_is_said_and_does_nothing(root: Path) -> None:
    """The header says it, a key that changes something says why not, and the footer does not offer it."""
    add_job(root, "20261121-000001-docs-aaaa", "queued")
    (root / "queue" / "20261121-000001-docs-aaaa").touch()

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: len(app.screen.table.rows) == 1)
        assert "read-only" in said(app, "header")
        assert "a add" not in said(app, "keys")
        await pilot.press("D")
        await until(pilot, lambda: "not done: Cancel the job" in notices(app))
        await pilot.press("w", "a")
        await at_rest(pilot)
        assert isinstance(app.screen, JobsScreen)
        await pilot.press("q")

    before = sorted(path.name for path in root.iterdir())
    run_story(root, story, read_only=True)
    assert sorted(path.name for path in root.iterdir()) == before
