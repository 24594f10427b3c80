"""Which mounts a folder spans, read from the kernel's table."""

from __future__ import annotations

import pytest

from ingest_tui.connectors.local.volumes import Mount, mount_of, mounts_within, parse_mounts, spanned

TABLE = rb"""
20 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
21 20 0:30 / /srv/docs/mnt rw - tmpfs tmpfs rw
22 20 8:1 /elsewhere /srv/docs/bind rw master:2 - ext4 /dev/sda1 rw
23 21 0:31 / /srv/docs/mnt/inner rw - nfs4 server:/export rw
24 20 0:32 / /srv/docs/with\040space rw - fuse.sshfs me@host: rw
25 20 0:33 / /srv/docs-other rw - tmpfs tmpfs rw
cut line
"""


def volumes_below(table: bytes, root: bytes) -> dict[bytes, str]:
    return {path: mount.volume for path, mount in mounts_within(parse_mounts(table), root).items()}


def test_every_mount_below_a_folder_is_a_volume() -> None:
    """Bind mounts, nested ones and names with spaces count; a folder whose name only begins alike does not."""
    assert volumes_below(TABLE, b"/srv/docs") == {
        b"": "ext4 /dev/sda1 /",
        b"mnt": "tmpfs tmpfs /",
        b"mnt/inner": "nfs4 server:/export /",
        b"bind": "ext4 /dev/sda1 /elsewhere",
        b"with space": "fuse.sshfs me@host: /",
    }
    assert volumes_below(TABLE, b"/srv/docs/mnt/inner/folder") == {b"": "nfs4 server:/export /"}
    assert set(volumes_below(TABLE, b"/")) > {b"", b"srv/docs/mnt"}


def test_a_mount_hides_what_is_mounted_below_it() -> None:
    """What was mounted over is not spanned: neither the mount of the same folder nor one deeper within."""
    over_same = TABLE + b"26 21 0:40 / /srv/docs/mnt rw - xfs /dev/sdb1 rw\n"
    assert volumes_below(over_same, b"/srv/docs")[b"mnt"] == "xfs /dev/sdb1 /"
    assert b"mnt/inner" not in volumes_below(over_same, b"/srv/docs")
    over_all = TABLE + b"27 20 0:41 / /srv rw - tmpfs tmpfs rw\n"
    assert volumes_below(over_all, b"/srv/docs") == {b"": "tmpfs tmpfs /"}


def test_a_system_without_a_table_has_no_volumes() -> None:
    """Where nobody tells what is mounted, nothing is spanned and nothing breaks."""
    assert mount_of([], b"/srv") is None
    assert mounts_within([], b"/srv") == {}
    assert spanned({}, {}) == ({}, [])


def mount(number: int, *, parent: int = 1, kind: str = "nfs4", point: bytes = b"/srv/mnt") -> Mount:
    return Mount(number, parent, point, kind, f"{kind} source /")


@pytest.mark.parametrize(
    ("before", "after", "is_doubtful"),
    [
        ({b"mnt": mount(5)}, {b"mnt": mount(5)}, False),
        ({b"mnt": mount(5)}, {}, True),
        ({}, {b"mnt": mount(5)}, True),
        ({b"mnt": mount(5)}, {b"mnt": mount(6)}, True),
        ({b"mnt": mount(5, kind="autofs")}, {b"mnt": mount(6, parent=5)}, False),
        ({b"": mount(5, kind="autofs")}, {b"": mount(5, kind="autofs"), b"mnt": mount(6, parent=5)}, False),
    ],
    ids=["same", "unmounted", "mounted", "mounted again", "automount", "automount below"],
)
def test_a_mount_that_changes_while_the_folder_is_listed_is_a_doubt(
    before: dict[bytes, Mount], after: dict[bytes, Mount], is_doubtful: bool
) -> None:
    """Nobody knows whether the walk saw it, unless the walk itself mounted it; it is a volume all the same."""
    volumes, doubts = spanned(before, after)
    assert [path for path, _why in doubts] == ([b"mnt"] if is_doubtful else [])
    assert b"mnt" in volumes


def test_the_volume_of_the_root_names_its_mount_point() -> None:
    """So that the next look sees when the root is on a mount further up."""
    assert spanned({b"": mount(5)}, {b"": mount(5)}) == ({b"": "nfs4 source / /srv/mnt"}, [])
