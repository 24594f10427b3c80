"""Whether the system can send events about a folder: none from other machines, none beyond its limits (inotify(7))."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from ingest_tui.connectors.local.volumes import Mount, mount_of
from ingest_tui.store.fs.filesystem import is_network

_LIMITS = Path("/proc/sys/fs/inotify")
_WATCHES, _INSTANCES = "max_user_watches", "max_user_instances"
_ENOUGH = {_WATCHES: 524_288, _INSTANCES: 1024}
_IN_DELETE_SELF = 0x400


def why_polled(mounts: Sequence[Mount], path: bytes) -> str:
    """Return the type of the network file system that a real path is on; empty where events tell of all changes.

    What another machine writes sends no event here, and watching would walk through all of a share.
    """
    mount = mount_of(list(mounts), path)
    return mount.kind if mount is not None and is_network(mount.kind) else ""


def refuse_beyond_limit(path: str) -> None:
    """Raise OSError (ENOSPC) when this user can watch no more folders.

    watchfiles does not say so where it is to pass over folders that it may not enter: it watches a part of the tree.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init1(os.O_CLOEXEC)
    if descriptor < 0:
        return  # no more instances: watchfiles has one by now
    try:
        if libc.inotify_add_watch(descriptor, os.fsencode(path), _IN_DELETE_SELF) < 0:
            number = ctypes.get_errno()
            if number == errno.ENOSPC:
                raise OSError(number, "no more folders can be watched")
    finally:
        os.close(descriptor)


def in_words(error: Exception, limit_of: Callable[[str], str] | None = None) -> str:
    """Return why the system sends no events, and for a limit the command that raises it.

    ``limit_of`` returns the value of a limit now, by its name; empty where that is not known.
    """
    name = _limit_behind(error)
    if not name:
        return f"the system sends none ({error})"
    now = (limit_of or _limit_now)(name)
    what = "folders can be watched" if name == _WATCHES else "watches can be made"
    limit = f" ({now} for each user)" if now else ""
    return f"no more {what}{limit}; 'sysctl fs.inotify.{name}={_ENOUGH[name]}' allows more"


def _limit_behind(error: Exception) -> str:
    number, text = getattr(error, "errno", None), str(error)
    if number == errno.ENOSPC or "watch limit" in text:
        return _WATCHES
    if number == errno.EMFILE or "os error 24" in text:
        return _INSTANCES
    return ""


def _limit_now(name: str) -> str:
    try:
        return (_LIMITS / name).read_text(encoding="ascii").strip()
    except OSError:
        return ""
