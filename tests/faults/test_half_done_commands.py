"""Commands on many documents that are cut off in the middle: each document is here or in the trash, and it goes on."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.services.documents.documents import remove_documents
from ingest_tui.services.sources.sources import remove_source
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.verify import verify_store
from ingest_tui.store.workspace import Workspace, open_workspace_at
from tests.faults.crash_lab import new_workspace, quicken, sync

pytestmark = pytest.mark.slow

MANY = 300
CUT_AT = 60


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """300 synced documents."""
    quicken(monkeypatch)
    workspace = new_workspace(tmp_path / "ws", tmp_path / "source")
    for number in range(MANY):
        (tmp_path / "source" / f"{number}.md").write_text(f"# {number}\n\nThe weather of day {number}.\n")
    sync(workspace)
    yield workspace
    workspace.close()


def _all_documents(workspace: Workspace) -> None:
    sql = "SELECT document_id FROM documents WHERE state = 'active'"
    remove_documents(workspace, [row[0] for row in workspace.catalogue.execute(sql)])


def _the_source(workspace: Workspace) -> None:
    remove_source(workspace, "docs")


@pytest.fixture(params=[_all_documents, _the_source], ids=["doc remove", "source remove"])
def removing(request: pytest.FixtureRequest) -> Callable[[Workspace], None]:
    command: Callable[[Workspace], None] = request.param
    return command


def _fail_at(monkeypatch: pytest.MonkeyPatch, method: str, error: BaseException, *, once: bool) -> None:
    """Let a step of the store fail when it is taken for the 60th time, or from then on."""
    genuine, calls = getattr(DocumentStore, method), 0

    def failing(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == CUT_AT or (calls > CUT_AT and not once):
            raise error
        return genuine(*arguments, **options)

    monkeypatch.setattr(DocumentStore, method, failing)


def _count(workspace: Workspace, state: str) -> int:
    return int(workspace.catalogue.value("SELECT count(*) FROM documents WHERE state = ?", (state,)))


@pytest.mark.parametrize("method", ["note_retirement", "move_to_trash"])
def test_interrupted_command_leaves_each_document_here_or_in_the_trash(
    workspace: Workspace, removing: Callable[[Workspace], None], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """Ctrl-C at the 60th of 300: at once all agree; the same command again removes the rest."""
    with monkeypatch.context() as patch:
        _fail_at(patch, method, KeyboardInterrupt(), once=True)
        with pytest.raises(KeyboardInterrupt):
            removing(workspace)
    assert verify_store(workspace.layout, workspace.catalogue) == []
    assert _count(workspace, "active") + _count(workspace, "retired") == MANY
    assert workspace.sources.exists("docs")
    removing(workspace)
    assert verify_store(workspace.layout, workspace.catalogue) == []
    assert _count(workspace, "retired") == MANY


@pytest.mark.parametrize("method", ["note_retirement", "move_to_trash"])
def test_command_on_a_disk_that_is_full_goes_on_once_there_is_room(
    workspace: Workspace, removing: Callable[[Workspace], None], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """The disk takes 60 of 300 and stays full, for the repair too: whoever comes once there is room does the rest."""
    with monkeypatch.context() as patch:
        _fail_at(patch, method, OSError(errno.ENOSPC, "No space left on device"), once=False)
        with pytest.raises(OSError, match="No space left"):
            removing(workspace)
    again = open_workspace_at(workspace.root)
    assert not again.has_unfinished_change()
    assert verify_store(again.layout, again.catalogue) == []
    removing(again)
    assert verify_store(again.layout, again.catalogue) == []
    assert _count(again, "retired") == MANY
    again.close()


def test_retiring_many_syncs_by_batch(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """300 documents cost a handful of syncs, not four each."""
    genuine, syncs = DocumentStore.sync, []

    def counting(self: DocumentStore) -> None:
        syncs.append(self)
        genuine(self)

    monkeypatch.setattr(DocumentStore, "sync", counting)
    monkeypatch.setattr(
        "ingest_tui.store.fs.atomic.sync_folder", lambda _folder: pytest.fail("a sync for one document")
    )
    _all_documents(workspace)
    assert 0 < len(syncs) <= 2 * (MANY // 200 + 1)
