"""Commands outside of a sync that are killed between any two of their steps leave nothing half done."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.model.document import IngestedDocument
from ingest_tui.model.errors import NotFoundError, UsageError
from ingest_tui.pipeline.workspace_prune import find_prunable, prune
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.documents.documents import remove_documents, restore_document
from ingest_tui.services.documents.erasure import erase_documents, plan_erasure
from ingest_tui.services.documents.pruning import prune_documents, versions_to_prune
from ingest_tui.services.documents.rollback import roll_back_document
from ingest_tui.services.documents.trash import chosen_to_empty, empty_trash
from ingest_tui.services.documents.uploads import upload_files
from ingest_tui.services.sources.sources import remove_source
from ingest_tui.store.verify import verify_store
from ingest_tui.store.workspace import Workspace, open_workspace_at
from tests.faults.crash_lab import (
    Tripwire,
    lay,
    leftovers_of,
    new_workspace,
    queue_sync,
    quicken,
    run_and_die,
    run_queue,
    sync,
)

FILES = ("alpha", "beta", "gamma", "delta", "epsilon")
Work = Callable[[Workspace], object]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        quicken(monkeypatch)
        monkeypatch.setattr("ingest_tui.services.documents.retirement._BATCH", 2)
        yield


def _ids(workspace: Workspace, state: str) -> list[str]:
    rows = workspace.catalogue.execute("SELECT document_id FROM documents WHERE state = ? ORDER BY key", (state,))
    return [row[0] for row in rows]


def _remove_source(workspace: Workspace) -> None:
    with contextlib.suppress(NotFoundError):
        remove_source(workspace, "docs")


def _keep_documents(workspace: Workspace) -> None:
    with contextlib.suppress(NotFoundError):
        remove_source(workspace, "docs", keep_documents=True)


def _remove_documents(workspace: Workspace) -> None:
    remove_documents(workspace, _ids(workspace, "active"))


def _restore_documents(workspace: Workspace) -> None:
    for document_id in _ids(workspace, "retired"):
        with contextlib.suppress(UsageError):
            restore_document(workspace, document_id)


def _empty_trash(workspace: Workspace) -> None:
    empty_trash(workspace, chosen_to_empty(workspace))


def _register_first(workspace: Workspace) -> None:
    WorkspaceHandle(workspace).register("default", IngestedDocument("The weather of a script.\n", "page-1", "wiki"))


def _register(workspace: Workspace) -> None:
    handle = WorkspaceHandle(workspace)
    handle.register("default", IngestedDocument("The weather has changed.\n", "page-1", "wiki"))
    handle.register("default", IngestedDocument("Another page on the weather.\n", "page-2", "wiki"))


def _upload(workspace: Workspace) -> None:
    upload_files(workspace, [workspace.root.parent / "letter.md"])
    run_queue(workspace)


def _upload_another(workspace: Workspace) -> None:
    """The letter as it was before, so that it has two versions."""
    letter = workspace.root.parent / "letter.md"
    newest = letter.read_text()
    letter.write_text("# letter\n\nThe weather in an older letter.\n")
    _upload(workspace)
    letter.write_text(newest)


def _upload_replacing(workspace: Workspace) -> None:
    upload_files(workspace, [workspace.root.parent / "letter.md"], replace=True)
    run_queue(workspace)


def _prune_versions(workspace: Workspace) -> None:
    prune_documents(workspace, versions_to_prune(workspace, _ids(workspace, "active"), keep=1))


def _prune(workspace: Workspace) -> None:
    """Earlier versions, overdue documents and jobs but for the newest, until nothing is left to let go."""
    retention = {"job_days": 0, "keep_jobs": 1, "keep_versions": 1, "trash_days": 0}
    workspace.settings = workspace.settings.model_copy(update=retention)
    prune(workspace, list(find_prunable(workspace)))
    assert list(find_prunable(workspace)) == []


def _erase(workspace: Workspace) -> None:
    """Two documents, one of them in the trash already."""
    targets = [*_ids(workspace, "retired"), *workspace.reading.documents([_document_of(workspace, "gamma.md")])]
    erase_documents(workspace, plan_erasure(workspace, targets))


def _document_of(workspace: Workspace, key: str) -> str:
    rows = workspace.catalogue.execute("SELECT document_id FROM documents WHERE key = ?", (key,))
    return str(rows[0][0]) if rows else ""


def _remove_one(workspace: Workspace) -> None:
    remove_documents(workspace, _ids(workspace, "active")[:1])


def _sync(workspace: Workspace) -> None:
    queue_sync(workspace)
    run_queue(workspace)


def _change_files(workspace: Workspace) -> None:
    """One file becomes equal to another, one is new, one moves, one is edited, one is gone."""
    folder = workspace.root.parent / "source"
    (folder / "delta.md").write_bytes((folder / "gamma.md").read_bytes())
    (folder / "zeta.md").write_text("# zeta\n\nThe weather in zeta.\n")
    (folder / "has-moved.md").rename(folder / "has-moved-again.md")
    (folder / "alpha.md").write_text("# alpha\n\nThe weather in alpha has changed.\n")
    (folder / "epsilon.md").unlink()


def _add_again(workspace: Workspace) -> None:
    _keep_documents(workspace)
    new_workspace(workspace.root, workspace.root.parent / "source").close()


def _roll_back(workspace: Workspace) -> None:
    """Back to the first version of the document that has two, unless that was done."""
    sql = "SELECT document_id FROM versions GROUP BY 1 HAVING max(version) = 2"
    for (document_id,) in workspace.catalogue.execute(sql):
        roll_back_document(workspace, document_id)


COMMANDS: dict[str, tuple[Work, Work | None]] = {
    "source remove": (_remove_source, None),
    "source remove, documents kept": (_keep_documents, None),
    "doc remove": (_remove_documents, None),
    "doc restore": (_restore_documents, _remove_documents),
    "doc rollback": (_roll_back, None),
    "trash empty": (_empty_trash, _remove_documents),
    "register": (_register, _register_first),
    "upload": (_upload, None),
    "upload that replaces": (_upload_replacing, _upload_another),
    "doc prune-versions": (_prune_versions, None),
    "doc purge": (_erase, _remove_one),
    "prune": (_prune, _remove_one),
    "sync over kept documents": (_sync, _add_again),
    "sync of changes": (_sync, _change_files),
}


def _prepare(base: Path, before: Work | None) -> Path:
    """Five documents, one of them with a second place, one moved, one with two versions."""
    folder = base / "source"
    workspace = new_workspace(base / "prepared", folder)
    for name in (*FILES, "alpha-again"):
        (folder / f"{name}.md").write_text(f"# {name[:5]}\n\nThe weather in {name[:5]}.\n")
    (base / "letter.md").write_text("# letter\n\nThe weather in a letter.\n")
    sync(workspace)
    (folder / "beta.md").rename(folder / "has-moved.md")
    (folder / "gamma.md").write_text("# gamma\n\nThe weather in gamma has changed.\n")
    sync(workspace)
    if before is not None:
        before(workspace)
    workspace.close()
    return base / "prepared"


def _fresh(prepared: Path, name: str) -> Path:
    root = prepared.with_name(name)
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(prepared, root)
    return root


def _end_state(root: Path) -> tuple[Any, ...]:
    """Return which documents are here and in the trash, with their versions and places."""
    workspace = open_workspace_at(root)
    try:
        catalogue = workspace.catalogue
        return (
            catalogue.execute("SELECT document_id, state, version, content_hash, key FROM documents ORDER BY 1"),
            catalogue.execute("SELECT document_id, version FROM versions ORDER BY 1, 2"),
            catalogue.execute("SELECT source_id, key, document_id FROM locations ORDER BY 1, 2"),
            sorted(path.name for path in workspace.layout.sources.iterdir()),
        )
    finally:
        workspace.close()


def _findings(root: Path) -> list[str]:
    workspace = open_workspace_at(root)
    try:
        unfinished = ["a change is unfinished"] if workspace.has_unfinished_change() else []
        return [*unfinished, *map(str, verify_store(workspace.layout, workspace.catalogue, deep=True))]
    finally:
        workspace.close()


def _versions_on_disk(root: Path) -> set[str]:
    """Return the contents of all versions that are in documents/ or trash/, but for what is being deleted there."""
    paths = [path for base in ("documents", "trash") for path in (root / base).rglob("v[0-9]*/raw.*")]
    return {path.read_text() for path in paths if "/.tmp." not in str(path)}


def _lose_catalogue(root: Path) -> None:
    for path in root.glob("catalogue.db*"):
        path.unlink()


def _have_it_rebuilt(root: Path) -> None:
    workspace = open_workspace_at(root)
    assert workspace.catalogue
    workspace.close()


def _steps_of(prepared: Path, command: Work) -> tuple[list[str], tuple[Any, ...]]:
    """Return the steps of a command that nothing disturbs, and where it ends."""
    undisturbed, wire = _fresh(prepared, "undisturbed"), Tripwire()
    with pytest.MonkeyPatch.context() as monkeypatch:
        lay(monkeypatch, wire)
        workspace = open_workspace_at(undisturbed)
        command(workspace)
        workspace.close()
    assert _findings(undisturbed) == []
    return [*wire.names, "the end"], _end_state(undisturbed)


def _run_again(root: Path, command: Work) -> list[str]:
    """Give a command again, to a fresh process as it were; returns what is wrong afterwards."""
    workspace = open_workspace_at(root)
    command(workspace)
    workspace.close()
    return [*_findings(root), *leftovers_of(root)]


@pytest.mark.parametrize("name", COMMANDS)
def test_command_killed_before_any_step(name: str, tmp_path: Path) -> None:
    """At once everything agrees, and the same command again comes to the end of an undisturbed one."""
    command, before = COMMANDS[name]
    prepared = _prepare(tmp_path, before)
    steps, expected = _steps_of(prepared, command)
    failures = []
    for step, step_name in enumerate(steps):
        root = _fresh(prepared, "struck")
        run_and_die(root, step, command)
        wrong = [*_findings(root), *_run_again(root, command)]
        wrong += [] if _end_state(root) == expected else ["another end"]
        if wrong:
            failures.append(f"{step_name} ({step}): {wrong}")
    _report(name, failures, steps)


@pytest.mark.parametrize("name", COMMANDS)
def test_command_killed_before_any_step_and_then_the_catalogue_lost(name: str, tmp_path: Path) -> None:
    """What is on disk decides: all agrees at once, no version is lost, and the same command again comes to its end."""
    command, before = COMMANDS[name]
    prepared = _prepare(tmp_path, before)
    steps, expected = _steps_of(prepared, command)
    failures = []
    for step, step_name in enumerate(steps):
        root = _fresh(prepared, "struck")
        run_and_die(root, step, command)
        _lose_catalogue(root)
        contents = _versions_on_disk(root)
        _have_it_rebuilt(root)
        wrong = _findings(root)
        wrong += [f"lost: {text}" for text in contents - _versions_on_disk(root)]
        wrong += _run_again(root, command)
        wrong += [] if _end_state(root)[:2] == expected[:2] else [f"another end {_end_state(root)} {expected}"]
        if wrong:
            failures.append(f"{step_name} ({step}): {wrong}")
    _report(f"{name}, catalogue lost", failures, steps)


@pytest.mark.parametrize("name", ["doc remove", "doc restore", "trash empty", "sync of changes"])
def test_rebuild_of_a_lost_catalogue_killed_before_any_step(name: str, tmp_path: Path) -> None:
    """A change that was cut off is settled by the rebuild that comes through, however many did not."""
    command, before = COMMANDS[name]
    prepared = _prepare(tmp_path, before)
    names, _expected = _steps_of(prepared, command)
    struck = _fresh(prepared, "struck")
    run_and_die(struck, len(names) // 2, command)
    _lose_catalogue(struck)
    contents = _versions_on_disk(struck)
    steps, _end = _steps_of(struck, lambda workspace: workspace.catalogue)
    failures = []
    for step, step_name in enumerate(steps):
        root = _fresh(struck, "struck-again")
        run_and_die(root, step, lambda workspace: workspace.catalogue)
        _have_it_rebuilt(root)
        wrong = [*_findings(root), *(f"lost: {text}" for text in contents - _versions_on_disk(root))]
        if wrong:
            failures.append(f"{step_name} ({step}): {wrong}")
    _report(f"{name}, rebuild killed", failures, steps)


def _report(name: str, failures: list[str], steps: list[str]) -> None:
    print(f"\n{name}: {len(failures)} of {len(steps)} crash points with problems")  # noqa: T201
    if failures:
        pytest.fail("\n".join(failures), pytrace=False)
