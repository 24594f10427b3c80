"""What is in the trash for longer than its grace is deleted, and nothing else, whatever the clock does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.cli.main import run
from ingest_tui.model.job import Manifest
from ingest_tui.model.trash_grace import ClockNote, is_overdue, look_at_clock
from ingest_tui.pipeline.purge import purge_documents, purge_overdue, retired_until
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.collections.collections import add_collection
from ingest_tui.services.collections.preferences import PreferenceChange, plan_preferences, save_preferences
from ingest_tui.services.collections.removal import remove_collection
from ingest_tui.services.documents.documents import remove_documents, restore_document
from ingest_tui.services.documents.trash import chosen_to_empty, list_trash
from ingest_tui.store.catalogue.change_feed import changes_since
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.submit import queue_embedding_after
from tests.copied_workspace import copied_workspace

NOW = datetime(2026, 11, 28, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two documents in the trash and one that is searchable."""
    home = tmp_path_factory.mktemp("synced")
    docs = home / "docs"
    docs.mkdir()
    for name in ("a", "b", "c"):
        (docs / f"{name}.md").write_text(f"rain {name}")
    with open_workspace(home / "ws") as handle:
        handle.add_source("docs", path=str(docs))
        handle.sync("docs")
        ids = [document.document_id for document in handle.documents if not document.uri.endswith("c.md")]
        assert remove_documents(handle.workspace, ids) == 2
    return home / "ws"


@pytest.fixture
def handle(synced: Path, tmp_path: Path) -> Iterator[WorkspaceHandle]:
    """A copy of that workspace."""
    with copied_workspace(synced, tmp_path / "ws") as handle:
        yield handle


def in_trash(workspace: Workspace) -> int:
    folders = len(list(workspace.layout.trash.glob("*/*")))
    assert folders == len(list(list_trash(workspace)))
    return folders


def test_documents_are_deleted_when_their_grace_is_over(handle: WorkspaceHandle) -> None:
    """Looked at day by day, nothing goes before trash_days, then folder, rows and places go, and followers hear it."""
    workspace = handle.workspace
    started = datetime.now(UTC)
    for day in range(30):
        assert purge_overdue(workspace, now=started + day * DAY) == 0
    assert in_trash(workspace) == 2
    assert purge_overdue(workspace, now=started + 30 * DAY + timedelta(hours=1)) == 2
    assert in_trash(workspace) == 0
    assert [hit.uri[-4:] for hit in handle.search("rain")] == ["c.md"]
    assert workspace.catalogue.value("SELECT count(*) FROM versions") == 1
    feed = changes_since(workspace.catalogue, 0, limit=100)
    assert [change.kind for change in feed.changes].count("purged") == 2
    assert handle.sync("docs").counters.items_ingested == 0  # what a person removed does not come back
    assert "trash.purge" in workspace.layout.audit.read_text()


@pytest.mark.parametrize("jump", [10 * 365 * DAY, 31 * DAY, -40 * DAY])
def test_clock_that_jumps_deletes_nothing_at_once(handle: WorkspaceHandle, jump: timedelta) -> None:
    """After a jump nothing is deleted until the clock has gone on for a day; when it is put right, nothing is lost."""
    workspace = handle.workspace
    started = datetime.now(UTC)
    assert purge_overdue(workspace, now=started) == 0
    for hours in (0, 1, 5, 23):
        assert purge_overdue(workspace, now=started + jump + timedelta(hours=hours)) == 0
    for hours in (6, 20, 40, 60):
        assert purge_overdue(workspace, now=started + timedelta(hours=hours)) == 0
    assert in_trash(workspace) == 2


def test_document_retired_in_the_future_is_kept(handle: WorkspaceHandle) -> None:
    """A note of a wrong clock, or none, is no reason to delete."""
    workspace = handle.workspace
    first, second = sorted(workspace.layout.trash.glob("*/*"))
    note = json.loads((first / "retired.json").read_bytes())
    (first / "retired.json").write_text(json.dumps(note | {"retired_at": "2126-01-01T00:00:00.000Z"}))
    (second / "retired.json").unlink()
    started = datetime.now(UTC)
    for day in range(40):
        assert purge_overdue(workspace, now=started + day * DAY) == 0
    assert in_trash(workspace) == 2


def test_a_sync_looks_at_the_trash_after_its_job_is_done(
    handle: WorkspaceHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where its end is seen before the thread that ran it has ended."""
    end_is_seen = threading.Event()

    def when_seen(workspace: Workspace, manifest: Manifest) -> None:
        assert end_is_seen.wait(20)
        queue_embedding_after(workspace, manifest)

    def on_progress(manifest: Manifest) -> None:
        if manifest.ended:
            end_is_seen.set()

    monkeypatch.setattr("ingest_tui.worker.engine.queue_embedding_after", when_seen)
    handle.workspace.settings.trash_days = 0
    handle.sync("docs", progress=on_progress)
    assert in_trash(handle.workspace) == 0


def test_without_grace_everything_is_deleted_at_once(handle: WorkspaceHandle) -> None:
    """With trash_days 0 the end of the next sync empties the trash."""
    handle.workspace.settings.trash_days = 0
    handle.sync("docs")
    assert in_trash(handle.workspace) == 0


def prefer(workspace: Workspace, **values: object) -> PreferenceChange:
    change = plan_preferences(workspace, "default", values)
    save_preferences(workspace, change)
    return change


def test_a_collection_has_a_grace_of_its_own(handle: WorkspaceHandle) -> None:
    """It is shorter or longer than that of the workspace, shown in the list of the trash, and used by the purge."""
    workspace = handle.workspace
    started = datetime.now(UTC)
    prefer(workspace, trash_days=5)
    assert all(entry.deleted_after < started + 6 * DAY for entry in list_trash(workspace))  # type: ignore[operator]
    prefer(workspace, trash_days=50)
    for day in range(50):
        assert purge_overdue(workspace, now=started + day * DAY) == 0
    prefer(workspace, trash_days=45)
    assert purge_overdue(workspace, now=started + 50 * DAY - timedelta(hours=12)) == 2


def test_a_collection_without_grace_is_emptied_at_once_whatever_the_clock(handle: WorkspaceHandle) -> None:
    """trash_days 0 asks for no clock; the change says that it deletes, and nothing where nothing is overdue by it."""
    workspace = handle.workspace
    assert prefer(workspace, trash_days=1).in_words == ""
    assert prefer(workspace, trash_days=0).in_words == "deletes 2 documents of the trash for good"
    assert purge_overdue(workspace, now=datetime.now(UTC) + 400 * DAY) == 2


def test_a_removed_collection_keeps_its_grace(handle: WorkspaceHandle) -> None:
    """Its preferences count until its record goes, which is when its documents go."""
    workspace = handle.workspace
    add_collection(workspace, "short")
    handle.register("short", IngestedDocument(content="short", unique_id="s.md", source_type="api"))
    save_preferences(workspace, plan_preferences(workspace, "short", {"trash_days": 4}))
    remove_collection(workspace, "short")
    started = datetime.now(UTC)
    assert [purge_overdue(workspace, now=started + day * DAY) for day in range(6)] == [0, 0, 0, 0, 1, 0]
    assert not workspace.layout.removed_collection("short").exists()
    assert in_trash(workspace) == 2


def test_nothing_is_deleted_of_a_collection_whose_record_cannot_be_read(handle: WorkspaceHandle) -> None:
    """What it wants to keep is not known then; with the record the grace counts again."""
    workspace = handle.workspace
    path = workspace.layout.collection("default")
    whole = path.read_bytes()
    path.write_bytes(b"{")
    started = datetime.now(UTC)
    assert all(entry.deleted_after is None for entry in list_trash(workspace))
    for day in range(40):
        assert purge_overdue(workspace, now=started + day * DAY) == 0
    path.write_bytes(whole)
    assert purge_overdue(workspace, now=started + 40 * DAY) == 2


def test_old_workspace_is_not_emptied_by_its_first_look(handle: WorkspaceHandle) -> None:
    """A workspace of an older program, whose trash nobody looked at for a year, waits a day as after a jump."""
    workspace = handle.workspace
    later = datetime.now(UTC) + 365 * DAY
    assert [purge_overdue(workspace, now=later + timedelta(hours=hours)) for hours in (0, 10, 20, 30)] == [0, 0, 0, 2]


def test_what_is_brought_back_meanwhile_stays(handle: WorkspaceHandle) -> None:
    """A document that somebody restores between the choice and the deletion is not deleted."""
    workspace = handle.workspace
    rows = list(retired_until(workspace))
    restore_document(workspace, rows[0].document_id)
    assert purge_documents(workspace, iter(rows), reason="emptied") == 1
    assert workspace.catalogue.documents([rows[0].document_id])[rows[0].document_id].state == "active"
    assert (DocumentStore(workspace.layout).folder("default", rows[0].document_id, 1) / "normalized.md").exists()


def test_emptying_asks_chooses_and_reports(handle: WorkspaceHandle, capsys: pytest.CaptureFixture[str]) -> None:
    """`trash empty` needs a yes, --dry-run deletes nothing, --older-than chooses, and JSON has one shape."""
    workspace = handle.workspace
    root = ["--workspace", str(workspace.root), "trash"]
    assert run([*root, "empty", "--json"]) == 6
    assert run([*root, "empty", "--dry-run", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["deleted"], shown["dry_run"], len(shown["documents"])) == (0, True, 2)
    assert run([*root, "empty", "--older-than", "1d", "--yes"]) == 0
    assert run([*root, "empty", "--older-than", "soon", "--yes"]) == 2
    assert run([*root, "list", "--source", "none"]) == 4
    assert run(["--read-only", *root, "empty", "--yes"]) == 6
    assert in_trash(workspace) == 2
    assert len(chosen_to_empty(workspace, older_than=timedelta(0))) == 2
    capsys.readouterr()
    assert run([*root, "empty", "--yes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["deleted"] == 2
    assert in_trash(workspace) == 0


@given(
    st.lists(st.timedeltas(min_value=-20 * DAY, max_value=20 * DAY), max_size=20),
    st.integers(1, 60),
)
def test_clock_is_believed_only_after_steady_looks(steps: list[timedelta], days: int) -> None:
    """Right after a step that no machine in use makes, forwards or back, the clock is never believed."""
    note, now, grace = ClockNote(NOW), NOW, days * DAY
    for step in steps:
        now += step
        note = look_at_clock(note, now, grace)
        if step > 2 * DAY or step < timedelta(minutes=-5):
            assert note.doubted_at == now
        assert note.looked_at == now


def test_grace_is_counted_from_the_retirement() -> None:
    """Neither a moment too early, nor by a time in the future."""
    assert is_overdue(NOW - 30 * DAY, NOW, 30 * DAY)
    assert not is_overdue(NOW - 30 * DAY + timedelta(seconds=1), NOW, 30 * DAY)
    assert not is_overdue(NOW + DAY, NOW, DAY)
