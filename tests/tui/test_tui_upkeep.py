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
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.tui.dialogs.dialogs import Confirm
from ingest_tui.tui.dialogs.embedders_dialog import EmbeddersDialog
from ingest_tui.tui.dialogs.report import TestReport
from ingest_tui.tui.dialogs.verify_dialog import VerifyDialog
from ingest_tui.tui.views.documents.file_picker import FilePicker
from tests.tui.stories import let_answer, run_story, said, screen_text, sync_by_hand, until
from tests.tui.test_tui_navigation import notices
from tests.tui.test_tui_screens import add_folder

pytestmark = pytest.mark.slow


@pytest.fixture
def filled(root: Path, folder: Path) -> Path:
    """A workspace that has the folder's two documents."""
    add_folder(root, folder)
    sync_by_hand(root, "handbook")
    return root


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
