"""An upgraded workspace: checked and repaired, backed up before and after, and brought back to what it was."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from ingest_tui.model.inconsistency import Inconsistency
from ingest_tui.services.backup import back_up, restore_backup
from ingest_tui.services.verify.repair import verify_and_repair
from ingest_tui.services.verify.verify import VerifyScope, verify
from ingest_tui.store.upgrade import SCHEMA_VERSION
from ingest_tui.store.workspace import Workspace, open_workspace_at
from tests.old_workspace import unpack_workspace_1

DEEP = VerifyScope(deep=True)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The workspace of schema 1."""
    return unpack_workspace_1(tmp_path)


def schema_of(root: Path) -> int:
    return int(json.loads((root / "workspace.json").read_text())["schema_version"])


def catalogue_schema_of(root: Path) -> int:
    connection = sqlite3.connect(root / "catalogue.db")
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()


def rows(root: Path) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(root / "catalogue.db")
    try:
        sql = "SELECT document_id, version, state, uri FROM documents ORDER BY 1"
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def times_below(root: Path) -> dict[Path, int]:
    """Return when each file was changed, but for those that SQLite needs to read."""
    return {path: path.stat().st_mtime_ns for path in root.rglob("*") if not path.name.startswith("catalogue.db-")}


def upgraded(root: Path) -> Workspace:
    """Open a workspace as whoever writes does."""
    workspace = open_workspace_at(root)
    assert workspace.catalogue.value("SELECT count(*) FROM documents")
    return workspace


def codes(workspace: Workspace) -> set[str]:
    return {one.code for one in verify(workspace, DEEP)}


def test_an_old_workspace_is_repaired(old: Path) -> None:
    """What its killed worker left is put right; no document is lost, and nothing is found after that."""
    before = rows(old)
    workspace = upgraded(old)
    left = [one for one in verify_and_repair(workspace, DEEP) if isinstance(one, Inconsistency)]
    workspace.close()
    assert left == []
    now = {row[0]: row[1:] for row in rows(old)}
    assert {row[0]: row[1:] for row in before}.items() <= now.items()


def test_an_upgrade_is_undone_by_the_kept_copies(old: Path) -> None:
    """Put in their places again as docs/design.md says, settings, sources, collections and catalogue are old."""
    names = ("workspace.json", "sources/handbook.json", "sources/notes.json", "collections/manuals.json")
    before = {name: (old / name).read_bytes() for name in names}
    schema, documents = catalogue_schema_of(old), rows(old)
    upgraded(old).close()
    assert (schema_of(old), catalogue_schema_of(old) > schema) == (SCHEMA_VERSION, True)

    shutil.copytree(old / "backup-schema-1", old, dirs_exist_ok=True)
    for name in ("catalogue.db", "catalogue.db-wal", "catalogue.db-shm", "catalogue.mark", "locks/catalogue.mark"):
        (old / name).unlink(missing_ok=True)
    shutil.copy(old / f"catalogue.schema-{schema}.db", old / "catalogue.db")
    assert {name: (old / name).read_bytes() for name in names} == before
    assert (schema_of(old), catalogue_schema_of(old), rows(old)) == (1, schema, documents)
    upgraded(old).close()  # and forward again
    assert schema_of(old) == SCHEMA_VERSION
    assert rows(old) == documents


def test_an_old_workspace_is_backed_up_before_it_is_upgraded(old: Path, tmp_path: Path) -> None:
    """With --read-only it is of its old schema still, here and restored; the restored one is upgraded as any other."""
    before = times_below(old)
    workspace = open_workspace_at(old)
    workspace.is_read_only = True
    back_up(workspace, tmp_path / "before.zst")
    workspace.close()
    assert times_below(old) == before
    documents = rows(old)
    restore_backup(tmp_path / "before.zst", tmp_path / "there")
    assert schema_of(tmp_path / "there") == schema_of(old) == 1
    workspace = upgraded(tmp_path / "there")
    assert schema_of(tmp_path / "there") == SCHEMA_VERSION
    found = codes(workspace)
    workspace.close()
    assert rows(tmp_path / "there") == documents
    workspace = upgraded(old)
    assert found <= codes(workspace)
    workspace.close()


def test_a_workspace_is_moved(old: Path, tmp_path: Path) -> None:
    """Elsewhere, by whatever path, it is what it was: nothing in it names its own place as something to rely on."""
    workspace = upgraded(old)
    list(verify_and_repair(workspace, DEEP))
    workspace.close()
    (old / "workers" / "4711-abc.json").write_text('{"schema_version": 1, "host": "another", "pid": 1}')
    (old / "workers" / "4711-abc.json").chmod(0o600)
    for place in (tmp_path / "elsewhere", tmp_path / ("long" * 30) / ("path" * 30)):
        place.parent.mkdir(exist_ok=True)
        documents = rows(old)
        old = old.rename(place)
        workspace = upgraded(old)
        assert codes(workspace) == set()
        assert rows(old) == documents
        workspace.close()
