"""What kind of file system a folder lies on: locks and databases are safe on local ones only.

Network file systems emulate ``flock`` or leave it out, and SQLite's write-ahead log needs memory that is shared between
processes of one machine (sqlite.org/wal.html). Both are what a workspace relies on.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_MOUNTINFO = Path("/proc/self/mountinfo")
_COLUMNS_BEFORE_OPTIONAL = 6
_ESCAPE = re.compile(r"\\([0-7]{3})")
_NETWORK_TYPES = frozenset(
    {
        *(
            "nfs",
            "nfs4",
            "cifs",
            "smb2",
            "smb3",
            "smbfs",
            "ncp",
            "ncpfs",
            "afs",
            "auristorfs",
            "coda",
            "davfs",
            "webdav",
        ),
        *("9p", "vboxsf", "vmhgfs", "prl_fs", "drvfs"),
        *("ceph", "glusterfs", "lustre", "beegfs", "fhgfs", "gpfs", "mmfs", "panfs", "pvfs2", "orangefs", "wekafs"),
        *("ocfs2", "gfs", "gfs2", "acfs"),
    }
)
_NETWORK_FUSE_TYPES = frozenset(
    {
        *("sshfs", "davfs", "davfs2", "curlftpfs", "smbnetfs", "rclone", "vmhgfs-fuse", "grpcfuse", "osxfs"),
        *("s3fs", "s3ql", "goofys", "geesefs", "mount-s3", "mountpoint-s3", "gcsfuse", "blobfuse", "blobfuse2"),
        *("glusterfs", "ceph", "ceph-fuse", "juicefs", "seaweedfs", "mfs", "moosefs", "lizardfs", "cvmfs", "cvmfs2"),
        *("google-drive-ocamlfuse", "onedriver", "nfs", "ipfs"),
    }
)


def filesystem_type(path: Path) -> str:
    """Return the type of the file system that an existing ``path`` lies on, as the kernel names it: ``ext4``, ``nfs4``.

    Empty where that is not known, as on systems without ``/proc``. Asked once whenever a workspace is opened.
    """
    try:
        mountinfo = _MOUNTINFO.read_text(encoding="utf-8", errors="surrogateescape")
        device = path.stat().st_dev
    except OSError:
        return ""
    return type_in_mountinfo(mountinfo, f"{os.major(device)}:{os.minor(device)}", os.path.realpath(path))


def type_in_mountinfo(mountinfo: str, device: str, real_path: str) -> str:
    """Return the file system type of a path from the text of ``/proc/self/mountinfo`` (proc(5)); empty when unknown.

    ``device`` is ``major:minor`` of the path. File systems that make up device numbers (subvolumes, overlays) are found
    by the mount point above the path instead: the longest one, of equals the one that was mounted last.
    """
    best, best_length = "", -1
    for line in mountinfo.splitlines():
        fields, separator, after = line.partition(" - ")
        columns = fields.split(" ")
        if not separator or len(columns) < _COLUMNS_BEFORE_OPTIONAL:
            continue
        kind = after.split(" ", 1)[0]
        if columns[2] == device:
            return kind
        mount_point = _ESCAPE.sub(lambda escape: chr(int(escape[1], 8)), columns[4])
        if len(mount_point) >= best_length and _is_below(real_path, mount_point):
            best, best_length = kind, len(mount_point)
    return best


def _is_below(path: str, mount_point: str) -> bool:
    return path == mount_point or path.startswith(mount_point.rstrip("/") + "/")


def is_network(kind: str) -> bool:
    """Return whether a file system type is one that several machines can have mounted at the same time."""
    name = kind.lower()
    return name in _NETWORK_TYPES or name.removeprefix("fuse.") in _NETWORK_FUSE_TYPES
