"""Whether events tell of a folder: network mounts are polled, limits are named with what raises them."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ingest_tui.connectors.local.volumes import parse_mounts
from ingest_tui.worker.folder_events import in_words, refuse_beyond_limit, why_polled

MOUNTS = parse_mounts(
    rb"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /srv/share rw,relatime shared:2 - nfs4 nas:/export rw,vers=4.2
31 22 0:41 / /srv/with\040space rw - cifs //server/share rw
32 30 8:2 / /srv/share/local rw - xfs /dev/sdb1 rw
33 22 0:42 / /srv/ssh rw - fuse.sshfs host:/ rw
34 22 0:43 / /srv/bucket rw - fuse.rclone remote: rw
35 22 0:44 / /srv/ntfs rw - fuseblk /dev/sdc1 rw
"""
)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (b"/srv/docs", ""),
        (b"/srv/share", "nfs4"),
        (b"/srv/share/deep/below", "nfs4"),
        (b"/srv/shared", ""),
        (b"/srv/with space/x", "cifs"),
        (b"/srv/share/local/x", ""),
        (b"/srv/ssh", "fuse.sshfs"),
        (b"/srv/bucket/x", "fuse.rclone"),
        (b"/srv/ntfs", ""),
    ],
)
def test_network_mounts_are_polled(path: bytes, kind: str) -> None:
    """By the mount that a path is on, the innermost one; a local disk within a share is watched."""
    assert why_polled(MOUNTS, path) == kind


def test_systems_that_name_no_mounts_are_watched() -> None:
    """Without /proc nothing is known, and events are tried."""
    assert why_polled([], b"/srv/docs") == ""


@pytest.mark.parametrize(
    ("error", "setting"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "max_user_watches=524288"),
        (OSError('OS file watch limit reached. about ["/srv"]'), "max_user_watches=524288"),
        (OSError(errno.EMFILE, "Too many open files"), "max_user_instances=1024"),
        (RuntimeError("Error creating recommended watcher: Too many open files (os error 24)"), "max_user_instances"),
    ],
)
def test_limits_are_named_with_what_raises_them(error: Exception, setting: str) -> None:
    """The words hold the limit of now and the line for sysctl."""
    words = in_words(error, lambda _name: "8192")
    assert f"sysctl fs.inotify.{setting}" in words
    assert "8192 for each user" in words
    assert "for each user" not in in_words(error, lambda _name: "")


def test_other_failures_are_told_as_they_are() -> None:
    """What is no limit is quoted."""
    assert in_words(RuntimeError("the watcher broke")) == "the system sends none (the watcher broke)"


_WATCH = """
import sys, threading
from ingest_tui import open_workspace
from ingest_tui.services.sources.sources import edit_source
from ingest_tui.worker.supervision import Supervisor
from ingest_tui.worker.watch import SourceWatch
failed = threading.Event()
def report(message, fields):
    print(message, fields.get("error"), flush=True)
    failed.set()
with open_workspace(sys.argv[1]) as handle:
    watch = SourceWatch(handle.workspace, lambda _source: None, report, Supervisor(report))
    watch.refresh()
    assert failed.wait(60)
    watch.close()
"""


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "value"), [("watches", 2), ("watches", 0), ("instances", 0)])
def test_limits_of_the_system_are_noticed(tmp_path: Path, limit: str, value: int) -> None:
    """In a namespace whose limit is real a tree with more folders is polled, and the reason names the limit."""
    from ingest_tui import open_workspace
    from ingest_tui.services.sources.sources import edit_source

    (tmp_path / "docs" / "a" / "b" / "c").mkdir(parents=True)
    with open_workspace(tmp_path / "workspace") as handle:
        handle.add_source("docs", path=str(tmp_path / "docs"))
        edit_source(handle.workspace, "docs", watch=True)
    unshare = shutil.which("unshare") or pytest.skip("needs unshare")
    script = f'echo {value} > /proc/sys/user/max_inotify_{limit} && exec "$@"'
    ended = subprocess.run(
        [
            *(unshare, "--user", "--map-root-user", "sh", "-c", script, "sh"),
            *(sys.executable, "-c", _WATCH, str(tmp_path / "workspace")),
        ],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    if "unshare failed" in ended.stderr or "Permission denied" in ended.stderr:
        pytest.skip("this system allows no namespace of users")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("events of docs failed no more ")
    assert f"sysctl fs.inotify.max_user_{limit}=" in ended.stdout


def test_a_folder_that_can_be_watched_is_not_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is room for a watch, or no folder, nothing is raised and no descriptor is left open."""
    closed: list[int] = []
    close = os.close

    def noted(descriptor: int) -> None:
        closed.append(descriptor)
        close(descriptor)

    monkeypatch.setattr(os, "close", noted)
    refuse_beyond_limit(str(tmp_path))
    refuse_beyond_limit(str(tmp_path / "missing"))
    assert len(closed) >= 2
    assert all(descriptor >= 0 for descriptor in closed)
