"""The screens say how things are: what cannot be read, what has stopped, what does not come any more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from textual.notifications import Notification

from ingest_tui.model.errors import StoreError
from ingest_tui.model.job import Phase
from ingest_tui.services.client import Client
from ingest_tui.services.sources.sources import add_source
from ingest_tui.store.catalogue.rebuild_progress import RebuildProgress
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.tui.app import IngestApp
from ingest_tui.tui.background.messages import CatalogueRebuilt, WorkspaceChanged
from ingest_tui.tui.client.feed import FeedUpdate
from ingest_tui.tui.dialogs.help import Help
from ingest_tui.tui.views.base.view_screen import ViewScreen
from ingest_tui.tui.views.documents.document_lines import version_lines
from ingest_tui.tui.views.jobs.job_screen import JobScreen
from ingest_tui.tui.views.jobs.job_words import rate_line
from ingest_tui.tui.views.sources.sources_screen import SourcesScreen
from ingest_tui.tui.widgets.table import VirtualTable
from tests.tui.stories import (
    add_folder,
    add_job,
    add_outcomes,
    let_answer,
    outcome,
    run_story,
    said,
    screen_text,
    send_together,
    sync_by_hand,
    until,
    write_manifest,
)

JOB = "20261121-063105-docs-7k3q"
READING = [("4", "errors", "grouped"), ("5", "jobs", "follow_logs"), ("6", "credentials", "list"),
           ("7", "audit", "lines_from")]  # fmt: skip


def refuse(*_args: object, **_rest: object) -> Any:
    """Answer as a damaged catalogue does."""
    raise StoreError("the catalogue is damaged", hint="'ingest-tui rebuild' makes it again")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "part", "name"),
    [
        ("2", "sources", "list"),
        ("3", "documents", "page"),
        ("4", "errors", "grouped"),
        ("6", "credentials", "list"),
        ("7", "audit", "lines_from"),
        ("8", "collections", "pages"),
    ],
)
def test_what_cannot_be_read_is_not_being_read(root: Path, key: str, part: str, name: str) -> None:
    """The reason and what to do are in the place of the rows, until they can be read; what is unknown is no 0."""

    async def story(app: Any, pilot: Any) -> None:
        let_answer(getattr(app.client, part), **{name: refuse})
        await pilot.press(key)
        await until(pilot, lambda: "rebuild' makes it again" in "\n".join(app.screen.table.empty))
        app.screen.rows_changed()
        await pilot.pause()
        assert "reading" not in "\n".join(app.screen.table.empty)
        assert not app.screen.is_loading
        assert "0" not in str(app.screen.table.border_title)

    run_story(root, story, client=Client(root))


@pytest.mark.slow
@pytest.mark.parametrize(("key", "part", "name"), [("5", "jobs", "follow_logs"), ("7", "audit", "lines_from")])
def test_lines_that_cannot_be_read_are_not_being_read(root: Path, key: str, part: str, name: str) -> None:
    """The reason is in their place, and they are there as soon as they can be read."""
    add_job(root, JOB)

    async def story(app: Any, pilot: Any) -> None:
        real = getattr(getattr(app.client, part), name)
        let_answer(getattr(app.client, part), **{name: refuse})
        await pilot.press(key)
        await until(pilot, lambda: "the catalogue is damaged" in screen_text(app) and "reading" not in screen_text(app))
        let_answer(getattr(app.client, part), **{name: real})
        await until(pilot, lambda: "damaged" not in screen_text(app))

    run_story(root, story, client=Client(root))


@pytest.mark.slow
@pytest.mark.parametrize(("view", "part", "name"), READING)
def test_what_is_typed_waits_for_the_first_rows(root: Path, view: str, part: str, name: str) -> None:
    """A view that reads its rows acts on none of the keys that are meant for them before they are there."""
    may_answer = threading.Event()

    async def story(app: Any, pilot: Any) -> None:
        real = getattr(getattr(app.client, part), name)

        def slowly(*args: Any, **rest: Any) -> Any:
            may_answer.wait(timeout=30)
            return real(*args, **rest)

        let_answer(getattr(app.client, part), **{name: slowly})
        send_together(app, view, "?")
        await until(pilot, lambda: app.screen.view != "jobs" and app.input_queue.is_held)
        may_answer.set()
        await until(pilot, lambda: isinstance(app.screen, Help))

    run_story(root, story, client=Client(root))


@pytest.mark.slow
def test_a_view_that_is_being_made_is_spared_what_its_table_says(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table has rows before the panes next to it are there: what it says waits for them, and is not lost."""
    asked: list[bool] = []
    shown: list[str] = []

    def is_composed(_screen: object) -> bool:
        asked.append(len(asked) > 2)
        return asked[-1]

    monkeypatch.setattr(ViewScreen, "_is_composed", is_composed)
    monkeypatch.setattr(SourcesScreen, "_say_hint", lambda _screen, _summary: shown.append(f"{len(asked)}"))
    (root.parent / "docs").mkdir()
    with closing(open_workspace_at(root)) as workspace:
        add_source(workspace, source_type="local", name="docs", config={"path": str(root.parent / "docs")})

    async def story(app: Any, pilot: Any) -> None:
        app.show_view("sources")
        await until(pilot, lambda: len(app.screen.table.rows) == 1)
        asked.clear()
        shown.clear()
        app.screen.table.post_message(VirtualTable.Moved(app.screen.table, "docs"))
        await until(pilot, lambda: bool(shown))
        assert shown == ["4"]
        assert asked == [False, False, False, True]

    run_story(root, story)


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage", [Path.unlink, lambda path: path.write_bytes(b"no catalogue" * 1000)], ids=["gone", "damaged"]
)
@pytest.mark.parametrize("view", ["3", "4", "0"])
def test_a_catalogue_that_is_gone_is_told_when_nothing_may_be_written(
    root: Path, folder: Path, view: str, damage: Callable[[Path], object]
) -> None:
    """With --read-only it cannot be made again: what is wrong and what to do is in the place of "No documents yet"."""
    add_folder(root, folder)
    sync_by_hand(root, "handbook")
    for name in ("catalogue.db-wal", "catalogue.db-shm"):
        (root / name).unlink(missing_ok=True)
    damage(root / "catalogue.db")

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press(view)
        await until(pilot, lambda: "catalogue" in screen_text(app) and "rebuild" in screen_text(app))
        assert "No documents yet" not in screen_text(app)
        assert "reading" not in screen_text(app)

    run_story(root, story, read_only=True)


@pytest.mark.slow
def test_sources_that_cannot_be_read_are_named(root: Path) -> None:
    """Damaged or written by a newer version: they are not in the list, and not left unsaid."""
    (root / "sources" / "broken.json").write_text("{")
    (root / "sources" / "newer.json").write_text('{"schema_version": 99, "source_id": "newer"}')

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2")
        await until(pilot, lambda: "unreadable: broken, newer" in said(app, "info"))
        assert "doctor" in said(app, "info")

    run_story(root, story)


@pytest.mark.slow
def test_phases_of_a_job_that_has_ended_do_not_run(root: Path) -> None:
    """Also in manifests that an earlier version has left so."""
    manifest = add_job(root, JOB, "cancelled", listed=9)
    manifest.phases["extract"] = Phase(state="running", done=2, total=9, started_at=manifest.started_at)
    write_manifest(root, manifest)

    async def story(app: Any, pilot: Any) -> None:
        app.open_job(JOB)
        await until(pilot, lambda: isinstance(app.screen, JobScreen) and "x stopped" in screen_text(app))
        assert "> running" not in screen_text(app)

    run_story(root, story)


def test_a_paused_job_has_no_time_left(root: Path) -> None:
    """What does not run is not so and so fast, and does not end in nine seconds."""
    paused = add_job(root, JOB, "paused", listed=9, eta=9.0, percent=40.0)
    told = str(rate_line(paused, (14.0, 15.0)))
    assert "40%  paused" in told
    assert "eta" not in told
    assert "14/s  " not in told
    running = add_job(root, JOB, "running", listed=9, eta=9.0)
    assert "eta 9" in str(rate_line(running, (14.0, 15.0)))


def test_what_is_heard_while_the_program_ends_is_let_go(tmp_path: Path) -> None:
    """Messages of the feed and of a rebuild may still be in the queue when the last screen has gone."""
    app = IngestApp(tmp_path)
    assert not app.screen_stack
    app.workspace_changed(WorkspaceChanged(FeedUpdate(failure="gone")))
    app.catalogue_rebuilt(CatalogueRebuilt(RebuildProgress("it was lost", 1, ended=True)))


def test_outcomes_that_are_still_read_are_not_said_to_be_none(root: Path) -> None:
    """A job that has ended has no outcome only once its journal was read to its end."""
    add_job(root, "20261121-000001-docs-aaaa", "succeeded", listed=1)
    add_outcomes(root, "20261121-000001-docs-aaaa", [outcome("a.md")])
    may_read, client = threading.Event(), Client(root)
    items = client.jobs.items

    def late(*args: Any, **rest: Any) -> Any:
        may_read.wait(timeout=60)
        return items(*args, **rest)

    let_answer(client.jobs, items=late)

    async def story(app: Any, pilot: Any) -> None:
        app.open_job("20261121-000001-docs-aaaa")
        await until(pilot, lambda: app.screen.pane.manifest is not None)
        await until(pilot, lambda: app.screen.pane.items.empty == ["reading …"])
        assert "no document was processed" not in screen_text(app)
        may_read.set()
        await until(pilot, lambda: [row.outcome.key for row in app.screen.pane.items.rows] == ["a.md"])

    run_story(root, story, client=client)


def test_one_version_is_not_offered_to_be_compared() -> None:
    """With two of them the key is named."""
    one = {"version": 1, "ingested_at": "", "bytes": 3, "backend": "text", "current": True, "version_label": "v1"}
    one |= {"job_id": "20261121-000001-docs-aaaa", "raw_sha256": "0" * 64}
    assert "compares" not in str(version_lines([one])[0])
    assert "d compares" in str(version_lines([one | {"version": 2}, one])[0])


def test_a_notice_covers_no_row(root: Path) -> None:
    """It is in the place of the hint, as high as it needs, with its own hint; the row under the cursor stays in sight.

    Once it has run out, the hint is there again.
    """
    for number in range(40):
        add_job(root, f"20261121-0000{number:02d}-docs-aaaa", "succeeded")

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: len(app.screen.table.rows) == 40)
        await pilot.press("G")
        await until(pilot, lambda: app.screen.table.cursor == 39)
        app.screen.show_notice("first " * 30, "then do that", bad=True)
        await until(pilot, lambda: "then do that" in screen_text(app))
        assert not app.screen.query_one("#hint").display
        table, notice = app.screen.table, app.screen.query_one("#notice")
        assert not table.region.overlaps(notice.region)
        await until(pilot, lambda: table.last_in_sight == 39)
        app.screen.show_notice("something else")
        await until(pilot, lambda: "something else" in said(app, "notice") and "first" in said(app, "notice"))
        app.clear_notifications()
        await until(pilot, lambda: app.screen.query_one("#hint").display and not notice.display)

    run_story(root, story)


def test_a_notice_that_runs_out_while_it_is_shown_breaks_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found by random keys: it is there when the notices are asked for, and gone a moment later."""

    async def story(app: Any, pilot: Any) -> None:
        app.screen.show_notice("something")
        await until(pilot, lambda: "something" in said(app, "notice"))
        looks: list[Notification] = []

        def has_expired(notice: Notification) -> bool:
            looks.append(notice)
            return len(looks) > 1

        with monkeypatch.context() as patch:
            patch.setattr(Notification, "has_expired", property(has_expired))
            app._refresh_notifications()
        assert looks

    run_story(root, story)
