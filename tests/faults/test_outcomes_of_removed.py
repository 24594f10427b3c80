"""Outcomes of items whose documents a person removed, where their lines were lost: in a crash, or since."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ingest_tui.model.source import Source
from ingest_tui.services.documents.documents import remove_documents
from ingest_tui.services.documents.uploads import upload_files
from ingest_tui.services.jobs.jobs import get_job, retry_job
from ingest_tui.services.verify.repair import verify_and_repair
from ingest_tui.services.verify.verify import VerifyScope, verify
from ingest_tui.store.catalogue.queries import find_documents
from ingest_tui.store.records.journal import encode_line, read_journal
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.submit import submit_sync
from tests.faults.crash_lab import UNREADABLE, Trial, new_workspace, queue_sync, quicken, sync
from tests.made_files import zip_bytes

pytestmark = pytest.mark.slow

TEXT = b"# one\n\nThe weather.\n"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quicken(monkeypatch)


def _remove_all(workspace: Workspace) -> None:
    remove_documents(workspace, [document.document_id for document in find_documents(workspace.catalogue)])


def _removed(workspace: Workspace, folder: Path, content: bytes, name: str = "one.md") -> Path:
    """Take a file in, and remove what came of it."""
    path = folder / name
    path.write_bytes(content)
    sync(workspace)
    _remove_all(workspace)
    return path


def _touched(workspace: Workspace, folder: Path) -> None:
    _removed(workspace, folder, TEXT).touch()
    queue_sync(workspace)


def _forced(workspace: Workspace, folder: Path) -> None:
    _removed(workspace, folder, TEXT)
    queue_sync(workspace, force=True)


def _renamed(workspace: Workspace, folder: Path) -> None:
    _removed(workspace, folder, TEXT).rename(folder / "other.md")
    queue_sync(workspace)


def _copied(workspace: Workspace, folder: Path) -> None:
    _removed(workspace, folder, TEXT)
    (folder / "copy.md").write_bytes(TEXT)
    queue_sync(workspace)


def _failed_once(workspace: Workspace, folder: Path) -> None:
    path = _removed(workspace, folder, TEXT)
    path.write_text(UNREADABLE)
    failed = sync(workspace)
    path.write_bytes(TEXT)
    retry_job(workspace, failed.job_id, failed_only=True)


def _members(workspace: Workspace, folder: Path) -> None:
    inner = zip_bytes({"deep.md": "# deep\n\nThe weather.\n"})
    content = zip_bytes({"one.md": TEXT, "inner.zip": inner})
    _removed(workspace, folder, content, "box.zip")
    queue_sync(workspace, force=True)


def _second_source(workspace: Workspace, folder: Path) -> None:
    _removed(workspace, folder, TEXT)
    other = Source(source_id="other", name="Other", source_type="local", source_config={"path": str(folder)})
    workspace.sources.save(other)
    submit_sync(workspace, other, trigger="manual", by="test")


def _uploaded_again(workspace: Workspace, folder: Path) -> None:
    upload_files(workspace, [_removed(workspace, folder, TEXT)])


PLACES: dict[str, Callable[[Workspace, Path], None]] = {
    "touched": _touched,
    "forced": _forced,
    "renamed": _renamed,
    "copied": _copied,
    "failed once": _failed_once,
    "members": _members,
    "second source": _second_source,
    "uploaded again": _uploaded_again,
}


@pytest.mark.parametrize("prepare", PLACES.values(), ids=PLACES.keys())
def test_a_removed_item_is_counted_as_without_the_crash(
    tmp_path: Path, prepare: Callable[[Workspace, Path], None]
) -> None:
    """Wherever lines are lost, a listed item is counted as listed, and all ends as without the crash."""
    workspace = new_workspace(tmp_path / "prepared", tmp_path / "source")
    prepare(workspace, tmp_path / "source")
    workspace.close()
    trial = Trial(tmp_path / "prepared", tmp_path, ("weather",))
    trial.run_undisturbed()
    for step in (number for number, name in enumerate(trial.steps) if name == "OutcomeJournal.record"):
        trial.check(step, rebuilt=False)


def test_what_was_taken_in_and_removed_since_is_written_as_taken_in(tmp_path: Path) -> None:
    """A repair of outcomes that were lost tells the new document and the changed one from the one that was removed."""
    folder = tmp_path / "source"
    with closing(new_workspace(tmp_path / "workspace", folder)) as workspace:
        _removed(workspace, folder, TEXT).touch()
        (folder / "changed.md").write_text("# changed\n\nThe weather.\n")
        sync(workspace)
        (folder / "changed.md").write_text("# changed\n\nThe weather of tomorrow.\n")
        (folder / "new.md").write_text("# new\n\nThe weather.\n")
        (folder / "one.md").touch()
        job = sync(workspace)
        _remove_all(workspace)
        path = workspace.jobs.paths(job.job_id).outcomes
        before = {line["key"]: (line["outcome"], line["reason"], line["version"]) for line in read_journal(path)}
        path.write_bytes(b"")
        list(verify_and_repair(workspace, VerifyScope()))
        assert before == {
            "changed.md": ("ingested", "changed", 2),
            "new.md": ("ingested", "new", 1),
            "one.md": ("unchanged", "removed", 1),
        }
        after = {line["key"]: (line["outcome"], line["reason"], line["version"]) for line in read_journal(path)}
        assert after == before
        assert list(verify(workspace, VerifyScope(deep=True))) == []


def test_a_job_that_an_earlier_program_counted_otherwise_is_repaired(tmp_path: Path) -> None:
    """A line that names a listed item as retired, as earlier programs wrote it, is put right by the repair."""
    with closing(new_workspace(tmp_path / "workspace", tmp_path / "source")) as workspace:
        _removed(workspace, tmp_path / "source", TEXT).touch()
        job = sync(workspace)
        path = workspace.jobs.paths(job.job_id).outcomes
        path.write_bytes(b"".join(encode_line({**line, "outcome": "retired"}) for line in read_journal(path)))
        job.counters.items_skipped_incremental, job.counters.items_retired = 0, 1
        workspace.jobs.save(job)
        assert [one.code for one in verify(workspace, VerifyScope())] == ["counters_differ"]
        list(verify_and_repair(workspace, VerifyScope()))
        assert list(verify(workspace, VerifyScope(deep=True))) == []
        counters = get_job(workspace, job.job_id).counters
        assert (counters.items_skipped_incremental, counters.items_retired) == (1, 0)
