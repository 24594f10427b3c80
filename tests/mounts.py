"""File systems that come and go, where the system lets the tests mount them: as root, or in a namespace of users."""

from __future__ import annotations

import subprocess
from pathlib import Path


def mounts(*arguments: str) -> bool:
    """Call ``mount``; returns whether it was done."""
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


def unmount(point: Path) -> None:
    """Take away what is mounted at ``point``, used or not."""
    subprocess.run(["umount", "--lazy", str(point)], capture_output=True, check=False)


class MountedFolder:
    """A file system in memory at ``point`` that is unmounted and mounted again; its files are at ``kept`` all the time.

    Raises PermissionError where nothing may be mounted.
    """

    def __init__(self, point: Path, kept: Path) -> None:
        self.point, self.kept = point, kept
        kept.mkdir()
        self._mount("-t", "tmpfs", "tmpfs", str(kept))
        self.attach()

    @staticmethod
    def _mount(*arguments: str) -> None:
        if not mounts(*arguments):
            raise PermissionError("nothing may be mounted here")

    def attach(self) -> None:
        """Mount it."""
        self.point.mkdir(exist_ok=True, parents=True)
        self._mount("--bind", str(self.kept), str(self.point))

    def detach(self) -> None:
        """Unmount it: ``point`` is an empty folder of another file system."""
        unmount(self.point)

    def close(self) -> None:
        """Unmount everything; the files are gone."""
        self.detach()
        unmount(self.kept)
