"""Verify with its repair, the embedders, and uploads from Sources: each is reached from where people look."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.model.embedder import Embedder, VectorSpace
from ingest_tui.model.errors import StoreError
from ingest_tui.services.client import Client
from ingest_tui.services.jobs.jobs import list_jobs
from ingest_tui.services.sources.trials import SourceDraft
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.tui.dialogs.dialogs import Confirm
from ingest_tui.tui.dialogs.embedders_dialog import EmbeddersDialog
from ingest_tui.tui.dialogs.report import TestReport
from ingest_tui.tui.dialogs.verify_dialog import VerifyDialog
from ingest_tui.tui.views.documents.file_picker import FilePicker
from ingest_tui.tui.views.sources.plan_screen import Plan
from ingest_tui.tui.views.sources.preview_screen import Preview
from tests.tui.stories import let_answer, run_story, said, screen_text, until
from tests.tui.test_tui_navigation import notices

pytestmark = pytest.mark.slow


async def opened(app: Any, pilot: Any, command: str, dialog: type) -> None:
    """Open a dialog by its command."""
    await pilot.press("colon", *command, "enter")
    await until(pilot, lambda: isinstance(app.screen, dialog))


def test_what_verify_finds_is_repaired_once_that_is_confirmed(filled: Path) -> None:
    """A clean workspace is said to be one; a finding is shown with what a repair does, and repaired by ``R``, y."""
    text = next(filled.glob("documents/*/*/*/v0001/normalized.md"))

    async def story(app: Any, pilot: Any) -> None:
        await opened(app, pilot, "verify", VerifyDialog)
        await until(pilot, lambda: "all is as it must be" in said(app, "dialog-said"))
        assert "R repair" not in said(app, "dialog-keys")
        text.chmod(0o644)
        await pilot.press("h")
        await until(pilot, lambda: "1 finding" in said(app, "dialog-said") and "permissions" in screen_text(app))
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and "Repair 1 finding?" in screen_text(app))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, VerifyDialog))
        assert text.stat().st_mode & 0o777 == 0o644
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: "1 repair done; all is as it must be" in said(app, "dialog-said"), 30)
        await until(pilot, lambda: "repaired" in screen_text(app))
        assert text.stat().st_mode & 0o777 == 0o600
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, VerifyDialog))

    run_story(filled, story, size=(120, 35))


def test_what_only_hashing_finds_is_repaired(filled: Path) -> None:
    """A raw file with one changed byte: the repair hashes as the look before it did, and says what is left."""
    raw = next(filled.glob("documents/*/*/*/v0001/raw.*"))

    async def story(app: Any, pilot: Any) -> None:
        await opened(app, pilot, "verify", VerifyDialog)
        await until(pilot, lambda: "all is as it must be" in said(app, "dialog-said"))
        content = raw.read_bytes()
        raw.write_bytes(bytes([content[0] ^ 1]) + content[1:])
        await pilot.press("h")
        await until(pilot, lambda: "1 finding" in said(app, "dialog-said"))
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: "done; " in said(app, "dialog-said"), 30)
        assert said(app, "dialog-said") == "1 repair done; 1 finding"
        await until(pilot, lambda: "its v0001 is damaged" in screen_text(app))

    run_story(filled, story)


def test_verify_says_how_far_it_is_and_what_stops_it(root: Path) -> None:
    """Progress comes while it runs; an error takes its place with its hint, and ``--read-only`` repairs nothing."""
    may_go_on = threading.Event()

    def verify(_scope: Any, on_progress: Any) -> Iterator[Any]:
        on_progress("documents", 1200, 5000)
        may_go_on.wait(timeout=60)
        raise StoreError("the disk is gone", hint="look at it")
        yield

    client = Client(root, read_only=True)
    let_answer(client.maintenance, verify=verify)

    async def story(app: Any, pilot: Any) -> None:
        await opened(app, pilot, "verify", VerifyDialog)
        await until(pilot, lambda: said(app, "dialog-said") == "looking at documents  1,200 of 5,000")
        may_go_on.set()
        await until(pilot, lambda: "the disk is gone; look at it" in said(app, "dialog-said"))
        await pilot.press("R")
        await until(pilot, lambda: app.input_queue.is_quiet)
        assert isinstance(app.screen, VerifyDialog)

    run_story(root, story, client=client, read_only=True)


def test_keys_for_what_verify_will_find_are_answered(filled: Path) -> None:
    """``h`` and ``R`` while it looks, and ``R`` where nothing is to be repaired: each says why nothing comes of it."""
    may_go_on = threading.Event()

    async def story(app: Any, pilot: Any) -> None:
        verify = app.client.maintenance.verify

        def waits(*args: Any) -> Iterator[Any]:
            may_go_on.wait(timeout=60)
            yield from verify(*args)

        let_answer(app.client.maintenance, verify=waits)
        await opened(app, pilot, "verify", VerifyDialog)
        await pilot.press("R", "h")
        await until(pilot, lambda: "this still runs; R repairs what is found" in notices(app))
        await until(pilot, lambda: "this still runs; h hashes every file" in notices(app))
        may_go_on.set()
        await until(pilot, lambda: "all is as it must be" in said(app, "dialog-said"))
        await pilot.press("R")
        await until(pilot, lambda: "nothing to repair" in notices(app))

    run_story(filled, story)


async def filter_by(app: Any, pilot: Any, words: str, number: str) -> None:
    """Filter the rows of a dialog; its border says by what, and how many of all pass, once Enter closes the field."""
    await pilot.press("slash", *words, "enter")
    border = app.screen.query_one(".table-dialog")
    await until(pilot, lambda: not app.screen.has_class("-filtering"))
    await until(pilot, lambda: f"/{words}" in str(border.border_subtitle) and number in str(border.border_title))
    await pilot.press("escape")
    await until(pilot, lambda: not border.border_subtitle and not border.border_title)


def test_every_list_over_a_view_shows_what_it_is_filtered_by(filled: Path, folder: Path) -> None:
    """The findings of verify, the embedders, the groups and items of a plan, and what a draft would take."""
    space = VectorSpace(backend="static", model="small", revision="1", dimensions=3)
    with contextlib.closing(open_workspace_at(filled)) as workspace:
        for name in ("tiny", "large"):
            workspace.embedders.add(
                Embedder(embedder_id=name, name=name, backend="static", settings={"path": "x"}, space=space)
            )
    for text in filled.glob("documents/*/*/*/v0001/normalized.md"):
        text.chmod(0o644)
    (folder / "new.md").write_text("new\n")
    (folder / "other.md").write_text("other\n")
    draft = SourceDraft("local", "draft", {"path": str(folder)})

    async def story(app: Any, pilot: Any) -> None:
        await opened(app, pilot, "verify", VerifyDialog)
        await until(pilot, lambda: "2 findings" in said(app, "dialog-said"))
        await filter_by(app, pilot, "nothing-like-this", "0 of 2")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, VerifyDialog))
        await opened(app, pilot, "embedders", EmbeddersDialog)
        await until(pilot, lambda: len(app.screen.table.rows) == 2)
        await filter_by(app, pilot, "tiny", "1 of 2")
        app.push_screen(Plan(app.client, "handbook"))
        await until(pilot, lambda: isinstance(app.screen, Plan) and len(app.screen.table.rows) == 2)
        await filter_by(app, pilot, "skip", "1 of 2")
        await pilot.press("g", "enter")
        await until(pilot, lambda: "other.md" in screen_text(app))
        await filter_by(app, pilot, "other", "1 of 2")
        app.push_screen(Preview(app.client, draft))
        await until(pilot, lambda: isinstance(app.screen, Preview) and len(app.screen.table.rows) == 4)
        await filter_by(app, pilot, "new", "1 of 4")

    run_story(filled, story)


def test_embedders_are_listed_and_tested(root: Path, tmp_path: Path) -> None:
    """Without one it says how to add one; with one Enter runs its test, and shows why it does not work."""

    async def empty(app: Any, pilot: Any) -> None:
        await opened(app, pilot, "embedders", EmbeddersDialog)
        await until(pilot, lambda: "No embedders yet" in screen_text(app))
        assert "ingest-tui embedder add TYPE NAME" in screen_text(app)

    run_story(root, empty)
    space = VectorSpace(backend="static", model="small", revision="1", dimensions=3)
    settings = {"path": str(tmp_path / "no model")}
    known = Embedder(embedder_id="tiny", name="tiny", backend="static", settings=settings, space=space)
    with contextlib.closing(open_workspace_at(root)) as workspace:
        workspace.embedders.add(known)

    async def listed(app: Any, pilot: Any) -> None:
        await opened(app, pilot, "embedders", EmbeddersDialog)
        await until(pilot, lambda: app.screen.table.current_key == "tiny")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TestReport) and "it does not work yet" in screen_text(app))

    run_story(root, listed)


def test_files_are_uploaded_from_sources(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the list and from the page of a source: to its collection."""
    place = tmp_path / "to upload"
    place.mkdir()
    (place / "one.csv").write_text("city\nOslo\n")
    monkeypatch.chdir(place)

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2")
        await until(pilot, lambda: len(app.screen.table.rows) == 1)
        await pilot.press("A")
        await until(pilot, lambda: isinstance(app.screen, FilePicker) and "one.csv" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.view == "sources")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.view == "source" and app.screen.chosen_summaries())
        await pilot.press("A")
        await until(pilot, lambda: isinstance(app.screen, FilePicker) and "one.csv" in screen_text(app))
        await pilot.press("G", "enter")
        await until(pilot, lambda: "upload to default queued" in notices(app))

    run_story(filled, story)
    with contextlib.closing(open_workspace_at(filled)) as workspace:
        assert [job.collection_id for job in list_jobs(workspace) if job.kind == "upload"] == ["default"]
