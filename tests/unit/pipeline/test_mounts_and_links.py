"""Documents that are out of sight because of a mount, a share or a link are never retired. Mounts need root."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui import open_workspace
from ingest_tui.model.job import Manifest
from ingest_tui.model.volumes import gap_name
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.documents.explain import explain
from ingest_tui.services.jobs.plan_preview import plan_source
from ingest_tui.services.sources.sources import edit_source

pytestmark = pytest.mark.slow

INNER, OUTER = 12, 30


class Mounts:
    """Mounts of one test, undone at its end."""

    def __init__(self) -> None:
        self._points: list[Path] = []

    def mount(self, point: Path, *arguments: str) -> None:
        point.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["mount", *arguments, str(point)], capture_output=True, check=False)
        if done.returncode:
            pytest.skip(f"mounting is not allowed here: {done.stderr.decode()}")
        self._points.append(point)

    def tmpfs(self, point: Path) -> None:
        self.mount(point, "-t", "tmpfs", "-o", "size=1m", "tmpfs")

    def bind(self, folder: Path, point: Path) -> None:
        self.mount(point, "--bind", str(folder))

    def unmount(self, point: Path) -> None:
        subprocess.run(["umount", str(point)], check=True)
        self._points.remove(point)

    def unmount_all(self) -> None:
        for point in reversed(self._points):
            subprocess.run(["umount", "--lazy", str(point)], check=False)


@pytest.fixture
def mounts(superuser: None) -> Iterator[Mounts]:
    mounts = Mounts()
    try:
        yield mounts
    finally:
        mounts.unmount_all()


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    fill(folder, "outer", OUTER)
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[WorkspaceHandle]:
    with open_workspace(tmp_path / "ws") as handle:
        yield handle


def fill(folder: Path, word: str, number: int = INNER) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for each in range(number):
        (folder / f"{word}-{each}.txt").write_text(f"{word} walrus {each}")


def synced(workspace: WorkspaceHandle, docs: Path, **config: Any) -> None:
    workspace.add_source("docs", path=str(docs), **config)
    assert workspace.sync("docs").state == "succeeded"


def assert_nothing_goes(workspace: WorkspaceHandle, place: str, words: str) -> Manifest:
    """Sync twice: nothing is retired or held, the place is named, and the plan says the same."""
    before = len(workspace.documents)
    assert not {"retire", "hold"} & {action.action for action in plan_source(workspace.workspace, "docs")}
    for _ in range(2):
        manifest = workspace.sync("docs")
        assert (manifest.state, manifest.counters.items_retired, manifest.held) == ("partial", 0, None)
        assert manifest.errors[-1].code == "listing_incomplete"
        assert any(warning.startswith(f"{gap_name(place)}: ") and words in warning for warning in manifest.warnings)
    assert len(workspace.documents) == before
    return manifest


def assert_all_is_back(workspace: WorkspaceHandle) -> None:
    """The next sync after the place is back is complete, finds all documents as they were, and reads nothing."""
    manifest = workspace.sync("docs")
    assert (manifest.state, manifest.counters.items_retired) == ("succeeded", 0)
    assert len(workspace.documents) == OUTER + INNER


def test_unmounted_file_system(workspace: WorkspaceHandle, docs: Path, mounts: Mounts) -> None:
    """What was mounted below the source is gone: nothing is retired, also not what was deleted elsewhere."""
    mounts.tmpfs(docs / "mnt")
    fill(docs / "mnt", "inner")
    synced(workspace, docs)
    mounts.unmount(docs / "mnt")
    (docs / "outer-0.txt").unlink()
    assert_nothing_goes(workspace, "mnt", "gone")


def test_what_is_said_of_a_lost_mount(workspace: WorkspaceHandle, docs: Path, mounts: Mounts) -> None:
    """Of a file below a mount that is gone `doc explain` says so, also before a sync saw it, and how to continue."""
    mounts.tmpfs(docs / "mnt")
    fill(docs / "mnt", "inner")
    synced(workspace, docs)
    mounts.unmount(docs / "mnt")
    for seen in ("no sync can look there now", "the last sync could not look there"):
        for target in ("mnt/inner-1.txt", "mnt"):
            told = explain(workspace.workspace, str(docs / target))
            assert f"{seen} (mnt: what was mounted there is gone (tmpfs" in told.verdict, target
            assert "mount it again as it was, then 'ingest-tui sync docs'" in told.hint
            assert "source edit docs --exclude FOLDER/' leaves it out" in told.hint
            assert "next sync retires" not in told.verdict
        manifest = workspace.sync("docs")
        assert manifest.errors[-1].hint == told.hint
    assert explain(workspace.workspace, str(docs / "outer-9999.txt")).reason == "gone"


def test_another_file_system_of_the_same_name(workspace: WorkspaceHandle, docs: Path, mounts: Mounts) -> None:
    """Another disk under the same device name is not the one whose documents were deleted."""
    mounts.tmpfs(docs / "mnt")
    fill(docs / "mnt", "inner")
    synced(workspace, docs)
    mounts.unmount(docs / "mnt")
    mounts.tmpfs(docs / "mnt")
    (docs / "mnt" / "other.txt").write_text("another walrus")
    before = {document.document_id for document in workspace.documents}
    manifest = workspace.sync("docs")
    assert (manifest.state, manifest.counters.items_retired) == ("partial", 0)
    assert any("another file system is mounted there" in warning for warning in manifest.warnings)
    assert before < {document.document_id for document in workspace.documents}


def test_mount_whose_folder_went_with_it(workspace: WorkspaceHandle, docs: Path, mounts: Mounts) -> None:
    """An automounter removes the folder too: that it is not there is no deletion."""
    mounts.tmpfs(docs / "media" / "stick")
    fill(docs / "media" / "stick", "inner")
    synced(workspace, docs)
    mounts.unmount(docs / "media" / "stick")
    shutil.rmtree(docs / "media")
    assert_nothing_goes(workspace, "media/stick", "gone")


def test_bind_mount_of_the_same_file_system(
    workspace: WorkspaceHandle, docs: Path, tmp_path: Path, mounts: Mounts
) -> None:
    """A bind mount has the device number of its surroundings, and comes back with all its documents."""
    fill(tmp_path / "real", "inner")
    mounts.bind(tmp_path / "real", docs / "bound")
    synced(workspace, docs)
    mounts.unmount(docs / "bound")
    assert_nothing_goes(workspace, "bound", "gone")
    mounts.bind(tmp_path / "real", docs / "bound")
    assert_all_is_back(workspace)


def test_nested_mount(workspace: WorkspaceHandle, docs: Path, mounts: Mounts) -> None:
    """A mount within a mount is a volume of its own."""
    mounts.tmpfs(docs / "mnt")
    fill(docs / "mnt", "between", 5)
    mounts.tmpfs(docs / "mnt" / "deep")
    fill(docs / "mnt" / "deep", "inner", 2)
    synced(workspace, docs)
    mounts.unmount(docs / "mnt" / "deep")
    assert_nothing_goes(workspace, "mnt/deep", "gone")


def test_an_empty_file_system_mounted_instead(workspace: WorkspaceHandle, docs: Path, mounts: Mounts) -> None:
    """Another file system of the same kind, and empty: a share that answers with nothing."""
    mounts.tmpfs(docs / "mnt")
    fill(docs / "mnt", "inner")
    synced(workspace, docs)
    mounts.unmount(docs / "mnt")
    mounts.tmpfs(docs / "mnt")
    assert_nothing_goes(workspace, "mnt", "empty")


def test_a_mount_over_a_folder_with_documents(workspace: WorkspaceHandle, docs: Path, mounts: Mounts) -> None:
    """What is below the new mount is hidden, not deleted, whether the mount is empty or not."""
    fill(docs / "folder", "inner")
    synced(workspace, docs)
    mounts.tmpfs(docs / "folder")
    assert_nothing_goes(workspace, "folder", "empty")
    (docs / "folder" / "other.txt").write_text("something else")
    assert workspace.sync("docs").counters.items_retired == 0
    mounts.unmount(docs / "folder")


def test_source_whose_own_mount_is_gone(workspace: WorkspaceHandle, docs: Path, mounts: Mounts) -> None:
    """The folder of the source was on a share; the files below its mount point are others."""
    share = docs.parent / "share"
    fill(share / "docs", "skeleton", 1)
    mounts.tmpfs(share)
    fill(share / "docs", "inner")
    (share / "docs" / "skeleton-0.txt").write_text("skeleton walrus 0")
    synced(workspace, share / "docs")
    mounts.unmount(share)
    assert_nothing_goes(workspace, "", "gone")


def test_source_that_is_an_unmounted_mount_point(workspace: WorkspaceHandle, docs: Path, mounts: Mounts) -> None:
    """An empty folder of the parent's file system, where the source was mounted, says nothing of its documents."""
    mounts.tmpfs(docs.parent / "share")
    fill(docs.parent / "share", "inner")
    synced(workspace, docs.parent / "share")
    mounts.unmount(docs.parent / "share")
    assert_nothing_goes(workspace, "", "gone")


def test_link_into_an_excluded_mount(workspace: WorkspaceHandle, docs: Path, mounts: Mounts) -> None:
    """Documents that are reached by a link into a mounted folder are as gone as that, and no more."""
    mounts.tmpfs(docs / "mnt")
    fill(docs / "mnt" / "sub", "inner")
    (docs / "link").symlink_to("mnt/sub")
    synced(workspace, docs, exclude=["/mnt/"], follow_symlinks=True)
    mounts.unmount(docs / "mnt")
    assert_nothing_goes(workspace, "link", "gone")


def test_files_deleted_in_a_mount_are_retired(workspace: WorkspaceHandle, docs: Path, mounts: Mounts) -> None:
    """A mount that is there is believed: a deletion in it is one, also after it was mounted again."""
    mounts.tmpfs(docs / "mnt")
    fill(docs / "mnt", "inner")
    fill(docs.parent / "kept", "inner")
    synced(workspace, docs)
    (docs / "mnt" / "inner-0.txt").unlink()
    assert workspace.sync("docs").counters.items_retired == 1
    mounts.unmount(docs / "mnt")
    mounts.bind(docs.parent / "kept", docs / "mnt")
    (docs / "mnt" / "inner-0.txt").unlink()
    (docs / "mnt" / "inner-1.txt").unlink()
    assert workspace.sync("docs").counters.items_retired == 1


def test_a_mount_that_is_gone_for_good_is_excluded_and_its_documents_approved(
    workspace: WorkspaceHandle, docs: Path, mounts: Mounts
) -> None:
    """Leaving the folder out holds its documents for a person, who lets them go; the rest is synced as before."""
    mounts.tmpfs(docs / "mnt")
    fill(docs / "mnt", "inner")
    synced(workspace, docs)
    mounts.unmount(docs / "mnt")
    edit_source(workspace.workspace, "docs", config={"exclude": ["/mnt/"]})
    held = workspace.sync("docs")
    assert held.held is not None
    assert held.held.documents == INNER
    edit_source(workspace.workspace, "docs", config={"exclude": []})
    assert_nothing_goes(workspace, "mnt", "gone")


@pytest.mark.parametrize("target", ["../elsewhere", "nowhere", "folder"])
@pytest.mark.parametrize("follows", [False, True])
def test_folder_replaced_by_a_link(workspace: WorkspaceHandle, docs: Path, target: str, follows: bool) -> None:
    """Whoever puts a folder on another disk and leaves a link has deleted nothing, wherever the link leads."""
    fill(docs / "folder", "inner", 5)
    synced(workspace, docs, follow_symlinks=follows)
    (docs / "folder").rename(docs.parent / "elsewhere")
    (docs / "folder").symlink_to(target)
    assert_nothing_goes(workspace, "folder", "link")
    (docs / "folder").unlink()
    (docs.parent / "elsewhere").rename(docs / "folder")
    assert workspace.sync("docs").counters.items_fetched == 0


def test_harmless_links_hold_up_nothing(workspace: WorkspaceHandle, docs: Path) -> None:
    """Links where no documents were keep no deletion from being one."""
    (docs / "dangling").symlink_to("nowhere")
    synced(workspace, docs)
    (docs / "another").symlink_to("outer-1.txt")
    (docs / "outer-0.txt").unlink()
    manifest = workspace.sync("docs")
    assert (manifest.state, manifest.counters.items_retired) == ("succeeded", 1)
