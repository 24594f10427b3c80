"""Where a workspace may lie: not on network file systems, and not where others can write."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import orjson
import pytest

from ingest_tui.model.errors import RefusedError
from ingest_tui.services.workspaces import Check, doctor
from ingest_tui.store import access
from ingest_tui.store.fs import filesystem
from ingest_tui.store.fs.filesystem import filesystem_type, is_network, type_in_mountinfo
from ingest_tui.store.workspace import init_workspace, open_workspace_at

MOUNTINFO = r"""
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
35 27 0:44 / /srv/team rw,relatime shared:18 master:3 - nfs4 server:/team rw,vers=4.2
36 27 0:45 / /srv/team\040files rw - cifs //server/team\040files rw
37 27 0:46 / /srv/te rw - tmpfs tmpfs rw
38 27 0:47 / /srv/twice rw - ext4 /dev/sdb1 rw
39 38 0:48 / /srv/twice rw - fuse.sshfs me@server:/ rw
40 27 0:49 / /srv/back\134slash rw - xfs /dev/sdc1 rw
"""


@pytest.mark.parametrize(
    ("device", "path", "expected"),
    [
        ("0:44", "/anything", "nfs4"),
        ("8:1", "/home/me", "ext4"),
        ("0:99", "/srv/team/a", "nfs4"),
        ("0:99", "/srv/team", "nfs4"),
        ("0:99", "/srv/teams", "ext4"),
        ("0:99", "/srv/team files/a", "cifs"),
        ("0:99", "/srv/back\\slash/a", "xfs"),
        ("0:99", "/srv/twice/a", "fuse.sshfs"),
        ("0:99", "/elsewhere", "ext4"),
    ],
    ids=[
        "by device", "by device of the root", "below a mount point", "the mount point", "a name that only begins so",
        "a space in the name", "a backslash in the name", "mounted over", "the root",
    ],
)  # fmt: skip
def test_type_is_that_of_the_device_or_of_the_mount_point_above(device: str, path: str, expected: str) -> None:
    """The device number decides; where it is made up, the longest mount point above the path, the last of equals."""
    assert type_in_mountinfo(MOUNTINFO, device, path) == expected


@pytest.mark.parametrize("text", ["", "nonsense", "1 2 3 - ext4", "36 27 8:1 / /mnt rw"])
def test_text_that_tells_nothing_gives_no_type(text: str) -> None:
    """An empty or strange list of mounts is an unknown file system, not an error."""
    assert type_in_mountinfo(text, "8:1", "/mnt/a") == ""


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "lustre", "NFS4", "fuse.sshfs",
                                  "fuse.s3fs", "fuse.rclone", "fuse.glusterfs", "ocfs2", "gfs2", "davfs"])  # fmt: skip
def test_network_types_are_known(kind: str) -> None:
    """What several machines can mount at once is a network file system, plain or through FUSE."""
    assert is_network(kind)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "fuseblk", "fuse.mergerfs", ""])
def test_local_types_are_not_taken_for_network_ones(kind: str) -> None:
    """Local disks, memory, overlays of containers, local FUSE, and what nobody knows are no reason to refuse."""
    assert not is_network(kind)


def test_type_of_real_folders(tmp_path: Path) -> None:
    """What this machine has mounted is reported as the system's own tool tells it."""
    assert filesystem_type(Path("/proc")) == "proc"
    if shutil.which("findmnt") is None:
        pytest.skip("findmnt is not installed")
    command = ["findmnt", "--noheadings", "--output", "FSTYPE", "--target", str(tmp_path)]
    assert filesystem_type(tmp_path) == subprocess.check_output(command, text=True).split("\n")[0]


def test_system_without_proc_is_no_reason_to_refuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kernel does not tell what is mounted, a workspace can be made."""
    monkeypatch.setattr(filesystem, "_MOUNTINFO", tmp_path / "missing")
    assert filesystem_type(tmp_path) == ""
    init_workspace(tmp_path / "workspace")


@pytest.fixture
def on_nfs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything lies on a network file system."""
    monkeypatch.setattr(access, "filesystem_type", lambda _path: "nfs4")
    monkeypatch.setattr("ingest_tui.services.workspaces.filesystem_type", lambda _path: "nfs4")


def test_workspace_on_a_network_file_system_is_not_made(tmp_path: Path, on_nfs: None) -> None:
    """Nothing is written there, and the error names the file system and both ways out."""
    with pytest.raises(
        RefusedError, match=r"is on a network file system \(nfs4\), which does not keep locks"
    ) as caught:
        init_workspace(tmp_path / "deep" / "workspace")
    assert "local disk" in caught.value.hint
    assert '"allow_network_filesystem": true' in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_workspace_that_came_to_lie_on_a_network_file_system_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workspace that was made locally is refused once its folder is mounted from elsewhere."""
    init_workspace(tmp_path / "workspace")
    monkeypatch.setattr(access, "filesystem_type", lambda _path: "cifs")
    for opening in (open_workspace_at, init_workspace):
        with pytest.raises(RefusedError, match="cifs") as caught:
            opening(tmp_path / "workspace")
        assert caught.value.exit_code == 6


def test_network_file_system_can_be_allowed(tmp_path: Path, on_nfs: None) -> None:
    """The setting lets a new workspace be made and opened there."""
    init_workspace(tmp_path / "workspace", allow_network_filesystem=True)
    assert open_workspace_at(tmp_path / "workspace").settings.allow_network_filesystem
    assert not init_workspace(tmp_path / "workspace")[1]


def test_allowing_changes_one_setting_of_an_existing_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What else is in workspace.json stays, settings of a later program too."""
    workspace, _ = init_workspace(tmp_path / "workspace")
    before = orjson.loads(workspace.layout.settings.read_bytes()) | {"max_running_jobs": 5, "novelty": [1]}
    workspace.layout.settings.write_bytes(orjson.dumps(before))
    monkeypatch.setattr(access, "filesystem_type", lambda _path: "nfs")
    init_workspace(workspace.root, allow_network_filesystem=True)
    after = orjson.loads(workspace.layout.settings.read_bytes())
    assert after == before | {"allow_network_filesystem": True, "revision": before["revision"] + 1}
    assert open_workspace_at(workspace.root).settings.max_running_jobs == 5


def told_by_doctor(root: Path) -> dict[str, Check]:
    return {check.name: check for check in doctor(root)}


def test_doctor_shows_file_system_and_space(tmp_path: Path) -> None:
    """A valid workspace is shown with the type of its file system and what is free there; nothing warns."""
    init_workspace(tmp_path / "workspace")
    checks = told_by_doctor(tmp_path / "workspace")
    assert f"on {filesystem_type(tmp_path)}, " in checks["workspace"].message
    assert checks["workspace"].message.endswith(" free")
    assert "file system" not in checks
    assert "owner" not in checks


def test_doctor_warns_while_network_file_systems_are_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the workspace lies on one or not, the setting is reported with what to do about it."""
    init_workspace(tmp_path / "workspace", allow_network_filesystem=True)
    check = told_by_doctor(tmp_path / "workspace")["file system"]
    assert (check.level, "although this is none" in check.message) == ("note", True)
    monkeypatch.setattr("ingest_tui.services.workspaces.filesystem_type", lambda _path: "nfs4")
    assert "this is one (nfs4)" in told_by_doctor(tmp_path / "workspace")["file system"].message


def test_doctor_calls_a_refused_workspace_a_problem(tmp_path: Path, on_nfs: None) -> None:
    """A workspace that cannot be opened is a problem; one that is not there yet is only a note."""
    assert told_by_doctor(tmp_path / "missing")["workspace"].level == "note"
    init_workspace(tmp_path / "workspace", allow_network_filesystem=True)
    settings = tmp_path / "workspace" / "workspace.json"
    settings.write_text(settings.read_text().replace("true", "false"))
    assert told_by_doctor(tmp_path / "workspace")["workspace"].level == "problem"


@pytest.mark.parametrize("name", ["", "workspace.json", "sources", "jobs", "documents"])
@pytest.mark.parametrize("mode", [0o020, 0o002])
def test_workspace_that_others_can_write_is_refused(tmp_path: Path, name: str, mode: int) -> None:
    """Whoever could plant settings, sources, jobs or documents makes a workspace unsafe; the hint closes the door."""
    workspace, _ = init_workspace(tmp_path / "workspace")
    open_door = workspace.root / name
    open_door.chmod(open_door.stat().st_mode | mode)
    with pytest.raises(RefusedError, match="can be written by other users") as caught:
        open_workspace_at(workspace.root)
    assert str(open_door) in caught.value.message
    subprocess.run(caught.value.hint, shell=True, check=True)
    open_workspace_at(workspace.root)


def test_workspace_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What belongs to somebody else can be changed by them at any time."""
    workspace, _ = init_workspace(tmp_path / "workspace")
    owner = workspace.root.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(RefusedError, match="belongs to another user"):
        open_workspace_at(workspace.root)


@pytest.mark.usefixtures("superuser")
def test_workspace_of_another_user_opens_for_root(tmp_path: Path) -> None:
    """Root may open it, and doctor says whose it is."""
    workspace, _ = init_workspace(tmp_path / "workspace")
    os.chown(workspace.root, 4321, 4321)
    check = told_by_doctor(workspace.root)["owner"]
    assert (check.level, "belongs to 4321" in check.message) == ("note", True)


@pytest.mark.parametrize("mode", [0o750, 0o755, 0o700])
def test_init_leaves_the_mode_of_a_folder_alone(tmp_path: Path, mode: int) -> None:
    """A folder that is there keeps its mode; what is made in it is for its owner only."""
    root = tmp_path / "mine"
    root.mkdir()
    root.chmod(mode)
    init_workspace(root)
    assert root.stat().st_mode & 0o777 == mode
    assert {path.stat().st_mode & 0o077 for path in root.rglob("*")} == {0}


def test_init_refuses_a_folder_that_others_can_write(tmp_path: Path) -> None:
    """Nothing is made where others could plant documents, and the folder stays as it is."""
    root = tmp_path / "everybodys"
    root.mkdir()
    root.chmod(0o777)
    with pytest.raises(RefusedError, match="can be written by other users"):
        init_workspace(root)
    assert root.stat().st_mode & 0o777 == 0o777
    assert list(root.iterdir()) == []
