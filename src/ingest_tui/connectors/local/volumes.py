"""Which mounted file systems a folder spans: from ``/proc/self/mountinfo`` (proc(5)), before and after a listing.

A folder whose mount is gone looks like one whose files were deleted. The device number of a file does not show it: it
changes whenever a share or a disk is mounted again, and is the same on both sides of a bind mount.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from ingest_tui.model.keys import key_from_bytes
from ingest_tui.model.volumes import CHANGED_MEANWHILE, link_into, with_identity

_MOUNTINFO = Path("/proc/self/mountinfo")
_ESCAPE = re.compile(rb"\\([0-7]{3})")
_FIELDS_BEFORE_OPTIONAL = 6
_FIELDS_OF_FILE_SYSTEM = 2
_AUTOMOUNT = "autofs"
_IN_MEMORY = {"tmpfs", "ramfs"}

Volumes = dict[bytes, str]
Doubts = list[tuple[bytes, str]]


class Mount(NamedTuple):
    """One mount: its number and that of the mount it is on, where it is, and what is mounted (type, source, root)."""

    number: int
    parent: int
    point: bytes
    kind: str
    volume: str


def read_mounts() -> list[Mount]:
    """Return what is mounted now; nothing on systems that do not say."""
    try:
        return parse_mounts(_MOUNTINFO.read_bytes())
    except OSError:
        return []


def parse_mounts(mountinfo: bytes) -> list[Mount]:
    """Return the mounts that the text of ``/proc/self/mountinfo`` names."""
    mounts = []
    for line in mountinfo.splitlines():
        before, separator, after = line.partition(b" - ")
        fields, what = before.split(b" "), after.split(b" ")
        if not separator or len(fields) < _FIELDS_BEFORE_OPTIONAL or len(what) < _FIELDS_OF_FILE_SYSTEM:
            continue
        point = _ESCAPE.sub(lambda escape: bytes([int(escape[1], 8)]), fields[4])
        kind, source, root = (part.decode("utf-8", "backslashreplace") for part in (what[0], what[1], fields[3]))
        mounts.append(Mount(int(fields[0]), int(fields[1]), point, kind, f"{kind} {source} {root}"))
    return mounts


def mount_of(mounts: list[Mount], path: bytes) -> Mount | None:
    """Return the mount that a real path is on, as the kernel finds it: what is mounted over hides what is below."""
    numbers = {mount.number for mount in mounts}
    found: Mount | None = None
    while True:
        within = [
            mount
            for mount in mounts
            if (mount.parent == found.number if found else mount.parent not in numbers) and _holds(mount.point, path)
        ]
        if not within:
            return found
        found = min(within, key=lambda mount: len(mount.point))
        mounts = [mount for mount in mounts if mount.number != found.number]


def _holds(point: bytes, path: bytes) -> bool:
    return path == point or path.startswith(point.rstrip(b"/") + b"/")


def mounts_within(mounts: list[Mount], root: bytes) -> dict[bytes, Mount]:
    """Return the mounts that can be reached below a real path, by path relative to it; ``b""`` is what it is on."""
    found: dict[bytes, Mount] = {}
    on = mount_of(mounts, root)
    if on is not None:
        found[b""] = on
    inside = root.rstrip(b"/") + b"/"
    for point in {mount.point for mount in mounts if mount.point.startswith(inside) and mount.point != root}:
        top = mount_of(mounts, point)
        if top is not None and top.point == point:
            found[point[len(inside) :]] = top
    return found


def mounted_below(root: bytes) -> Volumes:
    """Return what is mounted at and below a folder now, by path relative to it."""
    found = mounts_within(read_mounts(), os.path.realpath(root))
    return {path: mount.volume for path, mount in found.items()}


def identified(found: Mapping[bytes, Mount]) -> dict[bytes, Mount]:
    """Return mounts with the identity of their file systems: another disk may come under the same device name.

    Not that which the root is on: what is another there is held for a person. Network file systems are not asked, as
    one that is dead would keep whoever asks waiting, though it may be excluded.
    """
    return {path: _identified(mount) if path else mount for path, mount in found.items()}


def _identified(mount: Mount) -> Mount:
    is_local = mount.volume.split(" ")[1].startswith("/dev/") and not mount.kind.startswith("fuse")
    if not is_local and mount.kind not in _IN_MEMORY:
        return mount
    try:
        identity = os.statvfs(mount.point).f_fsid
    except OSError:
        return mount
    return mount._replace(volume=with_identity(mount.volume, f"{identity:x}"))


def spanned(before: Mapping[bytes, Mount], after: Mapping[bytes, Mount]) -> tuple[Volumes, Doubts]:
    """Return the volumes that a listing spanned, and where it is not known which of two it saw.

    A mount that came or went meanwhile may have been looked into or not, unless looking is what mounted it. For the
    root the place of its mount is part of the volume: `model.volumes` recognises a shallower one.
    """
    volumes: Volumes = {}
    doubts: Doubts = []
    automounts = {mount.number for mount in after.values() if mount.kind == _AUTOMOUNT}
    automounts |= {mount.number for mount in before.values() if mount.kind == _AUTOMOUNT}
    for path in sorted({*before, *after}):
        first, last = before.get(path), after.get(path)
        seen = last or first
        if seen is None:
            continue
        place = seen.point.decode("utf-8", "backslashreplace")
        volumes[path] = f"{seen.volume} {place}" if path == b"" else seen.volume
        is_same = first is not None and last is not None and first.number == last.number
        if not is_same and (last is None or last.parent not in automounts):
            doubts.append((path, CHANGED_MEANWHILE))
    return volumes, doubts


class Links:
    """The symbolic links that one listing met, as far as they can hide what is known."""

    def __init__(self, mounted: Iterable[bytes], real_root: bytes) -> None:
        self._mounted = sorted(filter(None, mounted), reverse=True)
        self._inside = real_root.rstrip(b"/") + b"/"
        self.volumes: Volumes = {}
        self.doubts: Doubts = []

    def note_followed(self, path: bytes, target: bytes) -> None:
        """Note a link that leads into a mounted folder: what is listed under its name is hidden with that."""
        relative = target.removeprefix(self._inside)
        point = next((point for point in self._mounted if _holds(point, relative)), None)
        if point is not None:
            self.volumes[path] = link_into(key_from_bytes(point))

    def note_ignored(self, path: bytes, why: str) -> None:
        """Note a link that is not followed: a folder or file may have been put elsewhere, and not deleted."""
        self.doubts.append((path, why))
