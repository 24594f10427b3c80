"""Upgrading the workspace of an older program: when something is written, with a backup, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest_tui.model.errors import BusyError, SchemaVersionError
from ingest_tui.services.collections.collections import add_collection
from ingest_tui.services.documents.documents import document_chunks
from ingest_tui.services.documents.search import search
from ingest_tui.services.sources.sources import edit_source
from ingest_tui.services.workspaces import set_theme
from ingest_tui.store import upgrade as upgrade_module
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.records.json_files import read_json, write_json
from ingest_tui.store.upgrade import SCHEMA_VERSION, upgrade_workspace
from ingest_tui.store.workspace import Workspace, open_workspace_at
from ingest_tui.worker.living_workers import WorkerRegistration
from ingest_tui.worker.submit import submit_sync
from tests.old_workspace import unpack_workspace_1

SETTINGS_FILES = ("workspace.json", "sources/handbook.json", "sources/notes.json", "collections/manuals.json")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The workspace of schema 1."""
    return unpack_workspace_1(tmp_path)


def schema_of(root: Path) -> int:
    schema: int = json.loads((root / "workspace.json").read_text())["schema_version"]
    return schema


def backups_of(root: Path) -> list[str]:
    return sorted(path.name for path in root.glob("backup-schema-*"))


def open_the_catalogue(workspace: Workspace) -> object:
    return workspace.catalogue


def queue_a_job(workspace: Workspace) -> object:
    return submit_sync(workspace, workspace.sources.get("notes"), trigger="manual", by="test")


@pytest.mark.parametrize(
    "write",
    [
        open_the_catalogue,
        queue_a_job,
        lambda workspace: edit_source(workspace, "notes", priority=3),
        lambda workspace: add_collection(workspace, "new"),
        lambda workspace: set_theme(workspace, "dark"),
        lambda workspace: workspace.sources.remove("notes"),
        lambda workspace: WorkerRegistration(workspace, "queue").close(),
    ],
)
def test_whatever_writes_first_upgrades(old: Path, write: Callable[[Workspace], object]) -> None:
    """Each way to write brings the schema, keeps a copy of all settings as they were, and keeps the settings."""
    before = {name: (old / name).read_bytes() for name in SETTINGS_FILES}
    workspace = open_workspace_at(old)
    assert schema_of(old) == 1
    write(workspace)
    workspace.close()
    assert schema_of(old) == SCHEMA_VERSION
    assert backups_of(old) == ["backup-schema-1"]
    assert {name: (old / "backup-schema-1" / name).read_bytes() for name in SETTINGS_FILES} == before
    now = json.loads((old / "workspace.json").read_text())
    assert now.items() >= (json.loads(before["workspace.json"]) | {"schema_version": SCHEMA_VERSION}).items()
    assert upgrade_workspace(workspace.layout) is False


def test_opening_alone_changes_nothing(old: Path) -> None:
    """Sources, collections and jobs can be read as the older program left them, and nothing is written."""
    before = {path: path.stat().st_mtime_ns for path in old.rglob("*")}
    workspace = open_workspace_at(old)
    assert [source.source_id for source in workspace.sources.all()] == ["handbook", "notes"]
    assert len(workspace.collections.all()) == 2
    assert len(workspace.jobs.waiting()) == 1
    workspace.close()
    assert {path: path.stat().st_mtime_ns for path in old.rglob("*")} == before


def test_reading_next_to_a_worker_of_the_older_program(old: Path) -> None:
    """What only reads works meanwhile, and neither settings nor catalogue change below that worker."""
    workspace = open_workspace_at(old)
    worker = FileLock(workspace.layout.workers / "1-abc.lock")
    assert worker.try_acquire()
    before = (old / "catalogue.db").read_bytes(), (old / "workspace.json").read_bytes()
    assert len(search(workspace, "chapter")) > 1
    assert "parsers" in [row[1] for row in workspace.reading.execute("PRAGMA table_info(locations)")]
    assert ((old / "catalogue.db").read_bytes(), (old / "workspace.json").read_bytes()) == before
    with pytest.raises(BusyError):
        workspace.open_catalogue()
    workspace.close()
    worker.release()
    assert len(search(workspace, "chapter")) > 1
    assert schema_of(old) == SCHEMA_VERSION
    workspace.close()


@pytest.mark.parametrize("is_upgraded", [False, True])
def test_ids_of_chunks_carry_the_version(old: Path, is_upgraded: bool) -> None:
    """An older workspace answers with ids of documents, versions and chunks: before it is upgraded, and after."""
    workspace = open_workspace_at(old)
    if is_upgraded:
        open_the_catalogue(workspace)
    hits = search(workspace, "chapter", limit=-1)
    assert {2} <= {hit.version for hit in hits}
    for hit in hits:
        (chunk,) = [chunk for chunk in document_chunks(workspace, hit.document_id) if chunk.text == hit.text]
        assert hit.chunk_id == chunk.chunk_id == f"{hit.document_id}:{hit.version}:{chunk.ordinal}"
    workspace.close()


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("step", range(8))
def test_a_kill_at_any_step_leaves_the_old_workspace_or_the_new(
    old: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """An upgrade that ends before one of its writes is done by the next call, with one whole backup."""
    steps = iter(range(100))

    def or_be_killed(function: Callable[..., object]) -> Callable[..., object]:
        def stepping(*arguments: object, **options: object) -> object:
            if next(steps) == step:
                raise Killed
            return function(*arguments, **options)

        return stepping

    before = {name: (old / name).read_bytes() for name in SETTINGS_FILES}
    workspace = open_workspace_at(old)
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfile", or_be_killed(shutil.copyfile))
        patched.setattr(os, "rename", or_be_killed(os.rename))
        patched.setattr(upgrade_module, "write_json", or_be_killed(write_json))
        patched.setattr(upgrade_module, "remove_tree", lambda _folder: None)  # the dead clear up nothing
        try:
            upgrade_workspace(workspace.layout)
        except Killed:
            assert schema_of(old) == 1
    upgrade_workspace(workspace.layout)
    assert schema_of(old) == SCHEMA_VERSION
    assert backups_of(old) == ["backup-schema-1"]
    assert {name: (old / "backup-schema-1" / name).read_bytes() for name in SETTINGS_FILES} == before
    assert list(old.glob(".tmp.*")) == []


def test_another_backup_is_made_of_what_has_changed_since(old: Path) -> None:
    """Who went back to the older program, and changed settings with it, has a copy of these too."""
    workspace = open_workspace_at(old)
    upgrade_workspace(workspace.layout)
    shutil.copyfile(old / "backup-schema-1" / "workspace.json", old / "workspace.json")
    edited = json.loads((old / "sources/notes.json").read_text()) | {"priority": 1}
    (old / "sources/notes.json").write_text(json.dumps(edited))
    upgrade_workspace(workspace.layout)
    assert backups_of(old) == ["backup-schema-1", "backup-schema-1-2"]
    assert json.loads((old / "backup-schema-1-2/sources/notes.json").read_text()) == edited


def test_a_living_worker_of_the_older_program_is_in_the_way(old: Path) -> None:
    """Nothing is upgraded below a worker that does not know the new schema; once it has ended, it is."""
    workspace = open_workspace_at(old)
    worker = FileLock(workspace.layout.workers / "1-abc.lock")
    assert worker.try_acquire()
    with pytest.raises(BusyError, match="older"):
        edit_source(workspace, "notes", priority=3)
    assert schema_of(old) == 1
    worker.release()
    edit_source(workspace, "notes", priority=3)
    assert schema_of(old) == SCHEMA_VERSION


def test_a_newer_workspace_is_refused_untouched(old: Path) -> None:
    """What the older program does with this one's workspace, and this one with that of a newer one."""
    layout = open_workspace_at(old).layout
    upgrade_workspace(layout)
    with pytest.raises(SchemaVersionError):
        read_json(layout.settings, newest=1, what="the workspace")
    newer = json.dumps(json.loads(layout.settings.read_text()) | {"schema_version": SCHEMA_VERSION + 1})
    layout.settings.write_text(newer)
    with pytest.raises(SchemaVersionError, match="newer"):
        open_workspace_at(old)
    assert layout.settings.read_text() == newer
