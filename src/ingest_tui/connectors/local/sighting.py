"""What is at one path of a local source now, without walking the rest of it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable

from ingest_tui.connectors.local.local_errors import GONE, LEADS_NOWHERE, check_root
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import SourceAccessError
from ingest_tui.model.keys import key_from_bytes
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.sighting import Sighting

_GONE = Sighting("gone")


def sight(
    root: bytes, path: bytes, describe: Callable[[bytes, os.stat_result], Descriptor], *, follows_links: bool
) -> Sighting:
    """Look at a path below a root (empty: the root itself), at each folder on the way as a listing would."""
    try:
        check_root(root)
    except SourceAccessError as error:
        return Sighting("source_gone", error.message)
    parts = path.split(b"/") if path else []
    status = os.stat(root)  # noqa: PTH116 - bytes
    for depth in range(1, len(parts) + 1):
        if not stat.S_ISDIR(status.st_mode):
            return _GONE
        shown = _named(parts, depth)
        try:
            seen = _look(root + b"/" + b"/".join(parts[:depth]), root, shown, follows_links=follows_links)
        except OSError as error:
            if error.errno in GONE or error.errno == errno.ENAMETOOLONG:
                return _GONE
            return Sighting("unreadable", f"{shown} cannot be read: {error.strerror}")
        if isinstance(seen, Sighting):
            return seen
        status = seen
    return Sighting("folder") if stat.S_ISDIR(status.st_mode) else Sighting("item", descriptor=describe(path, status))


def _look(full: bytes, root: bytes, shown: str, *, follows_links: bool) -> os.stat_result | Sighting:
    """Return the status of what a listing would see there, or why it would see nothing. Raises OSError."""
    status = os.lstat(full)
    if stat.S_ISLNK(status.st_mode):
        if not follows_links:
            return Sighting("link", f"{shown} is a symbolic link")
        if leads := _leads_nowhere(full, root):
            return Sighting("link", f"{shown} is a symbolic link that leads {leads}", follows=True)
        status = os.stat(full)  # noqa: PTH116 - bytes
    is_folder = stat.S_ISDIR(status.st_mode)
    # A folder has to be listed and entered, a file to be opened; what is neither is for `describe` to refuse.
    wanted = os.R_OK | os.X_OK if is_folder else os.R_OK
    if (is_folder or stat.S_ISREG(status.st_mode)) and not os.access(full, wanted):
        return Sighting("unreadable", f"{shown} cannot be read: permission denied")
    return status


def _leads_nowhere(full: bytes, root: bytes) -> str:
    """Return where a link leads that is not followed; empty for one that is."""
    target, real_root = os.path.realpath(full), os.path.realpath(root)
    if target != real_root and not target.startswith(real_root + b"/"):
        return "out of the source's folder"
    try:
        os.stat(target)  # noqa: PTH116 - bytes
    except OSError as error:
        if error.errno not in LEADS_NOWHERE:
            raise
        return "nowhere"
    return ""


def _named(parts: list[bytes], depth: int) -> str:
    if depth == len(parts):
        return "it"
    return f"its folder {safe_display(key_from_bytes(b'/'.join(parts[:depth])))}"
