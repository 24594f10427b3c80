"""Local files that are not what size, time and inode say, through whole jobs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui import open_workspace
from ingest_tui.connectors.local.connector import LocalConnector
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.job import Manifest
from ingest_tui.model.outcome import Outcome
from ingest_tui.pipeline.plan.fingerprints import OlderFingerprints
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.jobs.jobs import job_items
from ingest_tui.services.jobs.plan_preview import plan_source
from ingest_tui.store.catalogue import queries
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

PAST = 1_700_000_000_000_000_000
FILES = 50
LONGER_THAN_A_TICK_NS = 50_000_000


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A folder of files of equal size and time."""
    folder = tmp_path / "docs"
    folder.mkdir()
    for number in range(FILES):
        write(folder / f"{number:02}.txt", f"before {number:02}")
    changed = max(path.stat().st_ctime_ns for path in folder.iterdir())
    wait_until(lambda: time.time_ns() - changed > LONGER_THAN_A_TICK_NS)  # younger ones may have changed
    return folder


@pytest.fixture
def workspace(tmp_path: Path, docs: Path) -> Iterator[WorkspaceHandle]:
    with open_workspace(tmp_path / "ws") as handle:
        handle.add_source("docs", path=str(docs))
        handle.sync("docs")
        yield handle


def write(path: Path, text: str) -> None:
    path.write_text(text)
    os.utime(path, ns=(PAST, PAST))


def outcomes(workspace: WorkspaceHandle, manifest: Manifest) -> dict[str, Outcome]:
    found = (item for item, _end in job_items(workspace.workspace, manifest.job_id))
    return {item.key: item for item in found if item.outcome != "retired"}


def reasons(workspace: WorkspaceHandle, manifest: Manifest) -> set[tuple[str, str]]:
    return {(item.outcome, item.reason) for item in outcomes(workspace, manifest).values()}


def texts(workspace: WorkspaceHandle) -> dict[str, str]:
    """Return the text that is kept of each place of an active document."""
    found = {}
    for row in workspace.workspace.catalogue.execute("SELECT key, document_id, version FROM locations"):
        document = queries.document_by_id(workspace.workspace.catalogue, row[1])
        assert document is not None
        folder = workspace.workspace.layout.root / "documents" / document.collection_id / document.document_id[:2]
        version = folder / document.document_id / f"v{document.version:04}"
        found[row[0]] = (version / "normalized.md").read_text().strip()
    return found


def test_overwritten_files_of_equal_size_and_time_are_all_taken(workspace: WorkspaceHandle, docs: Path) -> None:
    """``cp -p`` over 50 files, 25 in place and 25 made again, leaves no stale text."""
    for number in range(FILES):
        path = docs / f"{number:02}.txt"
        if number % 2:
            path.unlink()
        write(path, f"behind {number:02}")
    manifest = workspace.sync("docs")
    assert reasons(workspace, manifest) == {("ingested", "changed")}
    assert texts(workspace) == {f"{number:02}.txt": f"behind {number:02}" for number in range(FILES)}


def test_a_new_file_with_the_inode_of_a_deleted_one_never_gets_its_text(workspace: WorkspaceHandle, docs: Path) -> None:
    """Deleting and making files of equal size and time, which reuses inodes, is no move: each has its own text."""
    for number in range(0, FILES, 3):
        (docs / f"{number:02}.txt").unlink()
        write(docs / f"new-{number:02}.txt", f"behind {number:02}")
    workspace.sync("docs")
    kept = {key: text for key, text in texts(workspace).items() if key.startswith("new-")}
    assert kept == {f"new-{number:02}.txt": f"behind {number:02}" for number in range(0, FILES, 3)}


def test_a_renamed_file_is_moved_once_its_bytes_are_compared_and_is_not_parsed(
    workspace: WorkspaceHandle, docs: Path
) -> None:
    """A rename is fetched and hashed, keeps the document and its version, and costs no parsing."""
    before = workspace.workspace.catalogue.value("SELECT document_id FROM locations WHERE key = '07.txt'")
    (docs / "07.txt").rename(docs / "seven.txt")
    manifest = workspace.sync("docs")
    moved = outcomes(workspace, manifest)["seven.txt"]
    assert (moved.outcome, moved.document_id, moved.version) == ("moved", before, 1)
    assert (moved.backend, manifest.counters.items_fetched) == (None, 1)
    assert (manifest.state, manifest.held) == ("succeeded", None)


def test_a_renamed_folder_is_moved_without_reading(
    workspace: WorkspaceHandle, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing but the path of its files differs, so no byte is read."""
    (docs / "folder").mkdir()
    write(docs / "folder" / "inner.txt", "inner")
    workspace.sync("docs")
    (docs / "folder").rename(docs / "other")

    def forbidden(_self: LocalConnector, descriptor: Descriptor, _offset: int = 0) -> None:
        raise AssertionError(descriptor.key)

    monkeypatch.setattr(LocalConnector, "fetch", forbidden)
    manifest = workspace.sync("docs")
    moved = outcomes(workspace, manifest)["other/inner.txt"]
    assert (moved.outcome, moved.reason) == ("moved", "renamed")


def test_touched_files_are_hashed_and_not_parsed(workspace: WorkspaceHandle, docs: Path) -> None:
    """Another time on the same bytes is ``unchanged`` with no parser at work, and known to the next sync."""
    for path in docs.iterdir():
        path.chmod(0o600)
        path.touch()
    manifest = workspace.sync("docs")
    assert reasons(workspace, manifest) == {("unchanged", "same_content")}
    assert {item.backend for item in outcomes(workspace, manifest).values()} == {None}
    assert workspace.sync("docs").counters.items_fetched == 0


def test_a_file_that_changes_between_listing_and_reading_is_known_as_what_was_read(
    workspace: WorkspaceHandle, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder put aside for a moment by another of its name leaves no text of that one behind."""
    (docs / "folder").mkdir()
    write(docs / "folder" / "a.txt", "genuine")
    aside = docs.parent / "aside"
    aside.mkdir()
    write(aside / "a.txt", "passing")
    genuine_fetch = LocalConnector.fetch

    def fetch(self: LocalConnector, descriptor: Descriptor, offset: int = 0) -> object:
        if descriptor.key == "folder/a.txt" and aside.exists():
            (docs / "folder").rename(docs.parent / "kept")
            aside.rename(docs / "folder")
        return genuine_fetch(self, descriptor, offset)

    monkeypatch.setattr(LocalConnector, "fetch", fetch)
    workspace.sync("docs")
    assert texts(workspace)["folder/a.txt"] == "passing"
    (docs / "folder").rename(aside)
    (docs.parent / "kept").rename(docs / "folder")
    monkeypatch.setattr(LocalConnector, "fetch", genuine_fetch)
    workspace.sync("docs")
    assert texts(workspace)["folder/a.txt"] == "genuine"


def written_by_an_older_program(workspace: WorkspaceHandle) -> None:
    """Give all places fingerprints of the first form: size, modification time and inode."""
    catalogue = workspace.workspace.catalogue
    for key, fingerprint in catalogue.execute("SELECT key, fingerprint FROM locations"):
        _form, size, modified, _changed, inode = fingerprint.split(":")
        older = f"{size}-{modified}-{inode}"
        catalogue.execute("UPDATE locations SET fingerprint = ? WHERE key = ?", (older, key))


def test_fingerprints_of_an_older_program_are_taken_over_without_reading(
    workspace: WorkspaceHandle, docs: Path
) -> None:
    """Files that have not changed since they were read stay unchanged, the plan says so before; others are read."""
    written_by_an_older_program(workspace)
    write(docs / "03.txt", "behind 03")
    planned = {action.key for action in plan_source(workspace.workspace, "docs") if action.action != "skip"}
    assert planned == {"03.txt"}
    manifest = workspace.sync("docs")
    assert (manifest.counters.items_fetched, manifest.counters.items_ingested) == (1, 1)
    forms = workspace.workspace.catalogue.execute("SELECT DISTINCT substr(fingerprint, 1, 2) FROM locations")
    assert forms == [("2:",)]
    assert texts(workspace)["03.txt"] == "behind 03"
    assert workspace.sync("docs").counters.items_fetched == 0


def test_what_an_older_program_moved_without_reading_is_read_again(workspace: WorkspaceHandle) -> None:
    """Its fingerprint may be that of another file; the others of the source are taken over."""
    written_by_an_older_program(workspace)
    moved = ("moved", "renamed", "07.txt")
    workspace.workspace.catalogue.execute("UPDATE locations SET outcome = ?, reason = ? WHERE key = ?", moved)
    manifest = workspace.sync("docs")
    assert (manifest.counters.items_fetched, manifest.counters.items_skipped_incremental) == (1, FILES)


def test_a_job_whose_folder_is_gone_is_dated_by_its_id(workspace: WorkspaceHandle) -> None:
    """Without its manifest the second in which a job was made is known from its name."""
    older = OlderFingerprints(workspace.workspace, workspace.workspace.sources.get("docs"), None)
    assert older._created_ns("20261128-174036-docs-h7zb") == 1_795_887_636_000_000_000
    assert older._created_ns("by hand") == 0
