"""The TUI on a workspace of hostile names: every view, without a terminal and on one."""

from __future__ import annotations

import gc
import os
import re
import subprocess
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyte
import pytest
from textual.widgets import Input

from ingest_tui.tui.actions.actions import shell_word
from ingest_tui.tui.dialogs.copy_menu import CopyMenu
from ingest_tui.tui.dialogs.dialogs import Choose, Confirm
from ingest_tui.tui.dialogs.help import Help
from ingest_tui.tui.dialogs.report import Story, TestReport
from ingest_tui.tui.views.documents.document_screen import DocumentScreen
from ingest_tui.tui.views.jobs.job_screen import JobScreen
from ingest_tui.tui.views.jobs.jobs_screen import JobsScreen
from ingest_tui.tui.views.overview.overview_screen import OverviewScreen
from ingest_tui.tui.views.sources.plan_screen import Plan
from ingest_tui.tui.views.sources.preview_screen import Preview
from ingest_tui.tui.views.sources.source_form_screen import SourceForm
from tests.hostile.hostile_lab import HostileCli, assert_harmless, snapshot
from tests.hostile.hostile_names import ESC, NAMES, SENTINEL
from tests.tui.pty_app import PtyApp, foreign_controls
from tests.tui.stories import at_rest, run_story, screen_text, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hostile words")]
# Room for many lines but for nothing next to the list; the others take their time: all jobs, every fifth document.
QUICK = (120, 60)
SIZES = [QUICK, *(pytest.param(size, marks=pytest.mark.slow) for size in ((160, 50), (80, 24)))]
_QUIET_SECONDS = 0.12
_POINTER_SHAPE = re.compile(rb"\x1b\]22;[a-z-]*\x07")
# A sentinel right behind what opens a title, a clipboard, a link, a device control, … in 7 or 8 bits.
_OPENED = re.compile(rb"(?:\x1b[\]P_^Xk]|\xc2[\x90\x98\x9d-\x9f])[^\x1b\x07]{0,40}" + SENTINEL.encode())


@pytest.fixture(autouse=True)
def surroundings(hostile: HostileCli, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of whoever runs the tests; the connector of the suite is found, also by processes."""
    for name in ("NO_COLOR", "TMUX", "TEXTUAL_DRIVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", hostile.environment["PYTHONPATH"])
    monkeypatch.syspath_prepend(str(hostile.place / "plugins"))
    monkeypatch.setattr("ingest_tui.services.workers.ensure_worker", lambda _workspace: None)


class Reader:
    """Presses keys and looks at what each of them brings on the screen."""

    def __init__(self, app: Any, pilot: Any) -> None:
        self.app = app
        self.pilot = pilot
        self.seen = ""

    def look(self) -> None:
        """Check what is on the screen now."""
        text = screen_text(self.app)
        assert_harmless(text)
        self.seen += text

    async def press(self, *keys: str) -> None:
        """Press keys, and look after each."""
        for key in keys:
            await self.pilot.press(key)
            self.look()

    async def see(self, kind: type) -> None:
        """Wait for a screen, and look at it."""
        await until(self.pilot, lambda: isinstance(self.app.screen, kind))
        await self.pilot.pause()
        self.look()

    async def page_through(self, table: Any) -> None:
        """Go through a table from its first row to its last, a screenful at a time."""
        table.move_to_end(first=True)
        while table.cursor < len(table.rows) - 1:
            table.move_page(1)
            await self.pilot.pause()
            self.look()


def read(hostile: HostileCli, story: Callable[[Reader], Awaitable[None]], size: tuple[int, int] = QUICK) -> None:
    """Run a story on the screens; looking writes side files of the catalogue, what views remember, and nothing else."""
    gc.collect()  # else it closes connections of earlier commands at any time, which moves what is in side files
    before, files = hostile.outside(), snapshot(hostile.workspace)

    async def run(app: Any, pilot: Any) -> None:
        await story(Reader(app, pilot))

    run_story(hostile.workspace, run, size=size)
    assert hostile.outside() == before
    changed = {path for path, state in snapshot(hostile.workspace).items() if files.get(path) != state}
    assert {Path(os.fsdecode(path)).name for path in changed} <= {"catalogue.db-shm", "catalogue.db-wal", "tui.json"}


@pytest.mark.parametrize("size", SIZES)
def test_every_job_shows_every_name_harmlessly(hostile: HostileCli, size: tuple[int, int]) -> None:
    """What needs somebody, the jobs, each with all its outcomes, log, the story of an item, and its command lines."""

    async def story(reader: Reader) -> None:
        await reader.see(OverviewScreen)
        await until(reader.pilot, lambda: "locked" in screen_text(reader.app))
        await reader.press("1")
        await reader.see(JobsScreen)
        jobs = reader.app.screen
        await until(reader.pilot, lambda: len(jobs.table.rows) == len(hostile.jobs()))
        telling = {"take", "fail"} if size == QUICK else set(hostile.jobs())
        for job_id in [row.job_id for row in jobs.table.rows if row.source_id in telling]:
            reader.app.push_screen(JobScreen(job_id))
            await reader.see(JobScreen)
            pane, outcomes = reader.app.screen.pane, len(hostile.outcomes(job_id))
            await until(reader.pilot, partial(_has_rows, pane.items, outcomes))
            await reader.page_through(pane.items)
            if outcomes:
                await reader.press("g", "i")
                await reader.see(Story)
                await reader.press("escape", "y")
                await reader.see(CopyMenu)
                await reader.press("escape")
            await reader.press("l", "v")
            reader.app.pop_screen()
            await reader.see(type(jobs))
        assert SENTINEL in reader.seen

    read(hostile, story, size)


@pytest.mark.parametrize("size", SIZES)
def test_every_document_is_shown_harmlessly(hostile: HostileCli, size: tuple[int, int]) -> None:
    """The list of all documents, its filter, a search, single documents, and the question before one is removed."""

    async def story(reader: Reader) -> None:
        await reader.pilot.press("3")
        documents = reader.app.screen
        await until(reader.pilot, partial(_has_rows, documents.table, len(NAMES)))
        await reader.page_through(documents.table)
        documents.query_text = "payload"
        documents.catch_up()
        await until(reader.pilot, partial(_has_rows, documents.table, 100))
        await reader.page_through(documents.table)
        await reader.press("escape", "slash")
        documents.query_one("#filter", Input).value = SENTINEL
        await until(reader.pilot, lambda: 20 < len(documents.table.rows) < 60)
        await reader.press("enter")
        step = 16 if size == QUICK else 5
        for _ in range(0, len(documents.table.rows), step):
            await reader.press("enter")
            await reader.see(DocumentScreen)
            await reader.press("escape")
            documents.table.move(step)
        await reader.press("space", "space", "x")
        await reader.see(Choose)
        await reader.press("escape", "D")
        await reader.see(Confirm)
        await reader.press("escape", "i")
        await reader.see(Story)

    read(hostile, story, size)


def _has_rows(table: Any, number: int) -> bool:
    return len(table.rows) == number


def test_sources_help_and_palette_are_shown_harmlessly(hostile: HostileCli) -> None:
    """Sources with the last error of each, the test of each, help, the palette, and hostile words typed into fields."""

    async def story(reader: Reader) -> None:
        await reader.pilot.press("2")
        sources = reader.app.screen
        await until(reader.pilot, partial(_has_rows, sources.table, len(hostile.jobs())))
        for source_id in [summary.source.source_id for summary in sources.table.rows]:
            sources.table.move(1)
            await reader.pilot.pause()
            reader.look()
            reader.app.push_screen(TestReport(reader.app.client, source_id))
            await reader.see(TestReport)
            await until(reader.pilot, lambda: "testing …" not in screen_text(reader.app))
            await reader.press("escape")
        await reader.press("question_mark")
        await reader.see(Help)
        await reader.press("escape", "ctrl+p")
        await at_rest(reader.pilot)
        reader.look()
        await reader.press("escape", "slash")
        for name in NAMES[::40]:
            sources.query_one("#filter", Input).value = name.key
            await reader.pilot.pause()
            reader.look()

    read(hostile, story)


def test_plans_previews_and_forms_of_sources_are_shown_harmlessly(hostile: HostileCli) -> None:
    """What a sync of each would do, group by group, what each takes, and its settings in a form."""

    async def story(reader: Reader) -> None:
        await reader.pilot.press("2")
        sources = reader.app.screen
        await until(reader.pilot, partial(_has_rows, sources.table, len(hostile.jobs())))
        for source_id in [summary.source.source_id for summary in sources.table.rows]:
            client = reader.app.client
            reader.app.push_screen(Plan(client, source_id))
            await reader.see(Plan)
            plan = reader.app.screen
            await until(reader.pilot, partial(_is_done, plan))
            for number in range(len(plan.table.rows)):
                await reader.press("g", *["j"] * number, "enter")
                await reader.page_through(plan.table)
                await reader.press("escape")
            await reader.press("escape")
            reader.app.push_screen(Preview(client, client.sources.draft_of(source_id)))
            await reader.see(Preview)
            preview = reader.app.screen
            await until(reader.pilot, partial(_is_done, preview))
            await reader.page_through(preview.table)
            await reader.press("escape", "c")
            await reader.see(SourceForm)
            for name in NAMES[::60]:
                reader.app.screen.query_one("#field-path", Input).value = name.key
                await at_rest(reader.pilot)
                reader.look()
            await reader.press("escape", "tab", "enter")
            await reader.see(type(sources))
        assert SENTINEL in reader.seen

    read(hostile, story)


def _is_done(screen: Any) -> bool:
    return bool(screen._done)


class Recorder(pyte.Screen):
    """A terminal that remembers what it was asked to do besides showing text."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__(width, height)
        self.asked: list[str] = []

    def set_title(self, text: str) -> None:
        self.asked.append(f"title {text}")

    def set_icon_name(self, text: str) -> None:
        self.asked.append(f"icon {text}")

    def bell(self, *_arguments: object) -> None:
        self.asked.append("bell")

    def define_charset(self, *_arguments: object, **_options: object) -> None:
        self.asked.append("charset")

    def reset(self) -> None:
        super().reset()
        if hasattr(self, "asked"):
            self.asked.append("reset")


def press_and_settle(app: PtyApp, keys: bytes) -> None:
    """Press keys that change what is shown, and wait until it is: an Esc and the next key would be one Alt key."""
    app.send(keys)
    deadline = time.monotonic() + 10
    while not app.read(_QUIET_SECONDS) and time.monotonic() < deadline:
        pass
    while app.read(_QUIET_SECONDS):
        pass


@pytest.mark.parametrize("size", [(120, 40), pytest.param((80, 24), marks=pytest.mark.slow)])
def test_no_sequence_of_a_name_reaches_a_terminal(hostile: HostileCli, size: tuple[int, int]) -> None:
    """On a terminal the names of every view are text: nothing sets a title or a character set, rings, or resets it."""
    app = PtyApp(hostile.workspace, size=size)
    page_down = "\x1b[6~"
    jobs = ["1", "Gk\r", page_down, "l", "i", ESC, "y", ESC, "1", "g\r", "1"]
    sources = ["2", "t", ESC]
    documents = ["3", page_down * 12, "\r", "3", "/OWNED\r", "D", ESC]
    try:
        app.read_until(b"locked")
        for keys in (*jobs, *sources, *documents):
            press_and_settle(app, keys.encode())
        app.send(b"q")
        assert app.wait(10) == 0
    finally:
        app.close()
    assert foreign_controls(app.output) == []
    assert not _OPENED.search(app.output)
    screen = Recorder(*size)
    pyte.ByteStream(screen).feed(_POINTER_SHAPE.sub(b"", app.output))  # pyte takes each such sequence for a title
    assert screen.asked == []
    assert SENTINEL.encode() in app.output, "the names were never shown"
    assert b"\\x1b]0;" in app.output, "the names were never shown escaped"


def test_command_lines_can_be_pasted() -> None:
    """The command line that is offered for a name is harmless to paste, and a shell reads the very name from it."""
    keys = [name.key for name in NAMES if "\0" not in name.key]
    words = [shell_word(key) for key in keys]
    for word in words:
        assert_harmless(word)
        assert "\n" not in word
    script = "\n".join(f"printf '%s\\0' {word}" for word in words)
    read_back = subprocess.run(
        ["bash"], input=script.encode(), capture_output=True, check=True, env={"LANG": "C.UTF-8"}
    )
    assert read_back.stdout.decode().split("\0")[:-1] == keys
