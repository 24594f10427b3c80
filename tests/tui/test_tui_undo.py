"""`U` takes back what was done last, where that is possible, and says so after the action."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.model.errors import BusyError
from ingest_tui.services.client import Client
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.tui.actions.undo import MOST_KEPT, UndoStack
from ingest_tui.tui.dialogs.dialogs import Confirm
from ingest_tui.tui.views.jobs.held_screen import Held
from tests.tui.stories import add_folder, let_answer, run_story, screen_text, send_together, sync_by_hand, until
from tests.unit.services.jobs.test_withdrawing import with_held_deletions


def told(app: Any, words: str) -> bool:
    """Tell whether a notice says something."""
    return any(words in notice.message for notice in app._notifications)


def test_the_last_action_is_taken_first() -> None:
    """One that could not be taken back is kept; so many are, the oldest go."""
    stack = UndoStack()
    assert stack.take() is None
    for number in range(MOST_KEPT + 3):
        stack.add(str(number), int)
    last = stack.take()
    assert last is not None
    assert last.done == str(MOST_KEPT + 2)
    stack.keep(last)
    kept = [stack.take() for _ in range(MOST_KEPT)]
    assert [one.done for one in kept if one][-1] == "3"
    assert stack.take() is None


@pytest.fixture
def filled(root: Path, folder: Path) -> Path:
    """A workspace with two documents, and one that failed."""
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
    add_folder(root, folder)
    sync_by_hand(root, "handbook")
    return root


@pytest.mark.slow
def test_removed_documents_come_back(filled: Path) -> None:
    """The notice after it says how; where a worker is in the way it can be tried again."""

    async def story(app: Any, pilot: Any) -> None:
        send_together(app, "3", "*", "D")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        send_together(app, "y")
        await until(pilot, lambda: told(app, "2 documents in the trash\nU undoes it"))
        await until(pilot, lambda: app.screen.view == "documents" and not app.screen.table.rows)
        restore = app.client.documents.restore
        let_answer(app.client.documents, restore=_busy)
        send_together(app, "U")
        await until(pilot, lambda: told(app, "somebody else is writing"))
        let_answer(app.client.documents, restore=restore)
        send_together(app, "U")
        await until(pilot, lambda: told(app, "restored 2 documents") and len(app.screen.table.rows) == 2)
        send_together(app, "U")
        await until(pilot, lambda: told(app, "nothing to undo"))

    run_story(filled, story)
    with closing(open_workspace_at(filled)) as workspace:
        actions = [line["action"] for line in workspace.audit.entries()]
    assert actions[-3:] == ["document.remove", "document.restore", "document.restore"]


def _busy(_document_id: str) -> None:
    raise BusyError("somebody else is writing", hint="again in a moment")


@pytest.mark.slow
def test_switches_and_ignored_errors_are_taken_back(filled: Path) -> None:
    """The last one first, wherever one is by then."""

    async def story(app: Any, pilot: Any) -> None:
        def source() -> Any:
            return Client(filled).sources.list()[0].source

        send_together(app, "2", "E")
        await until(pilot, lambda: not source().enabled and told(app, "disabled\nU undoes it"))
        watched = source().watch
        send_together(app, "u")
        await until(pilot, lambda: source().watch != watched)
        send_together(app, "4", "n")
        await until(pilot, lambda: told(app, "1 error ignored: H shows them\nU undoes it"))
        await until(pilot, lambda: app.screen.view == "errors" and not app.screen.table.rows)
        send_together(app, "U")
        await until(pilot, lambda: len(app.screen.table.rows) == 1)
        send_together(app, "1", "U")
        await until(pilot, lambda: source().watch == watched)
        send_together(app, "U")
        await until(pilot, lambda: source().enabled and told(app, "handbook: as before"))

    run_story(filled, story)


@pytest.mark.slow
def test_an_approval_is_taken_back_before_a_worker_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deletions are held again, and the notice has said how long that is possible."""
    monkeypatch.setattr("ingest_tui.services.workers.ensure_worker", lambda _workspace: None)
    job_id = with_held_deletions(tmp_path)
    root = tmp_path / "workspace"

    def held() -> Any:
        return Client(root).jobs.get(job_id).held

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: job_id in app.screen.table)
        app.screen.select_row(job_id)
        send_together(app, "A")
        await until(pilot, lambda: isinstance(app.screen, Held) and "type 12" in screen_text(app))
        app.screen.dismiss("approve")
        await until(pilot, lambda: bool(held().answered_by_job) and told(app, "approved\nU undoes it until a worker"))
        send_together(app, "U")
        await until(pilot, lambda: held().waits and told(app, "held again"))

    run_story(root, story)
