"""What the status of a local file proves: which file it is, and whether its content can be what was read before."""

from __future__ import annotations

import os
import time

from ingest_tui.connectors.local.local_errors import changed_while_read
from ingest_tui.model.clock import posix_ns

_FORM = "2"
"""The form of fingerprints. The first had neither this mark nor the time of the last change of the status."""
_TICK_NS = 20_000_000
"""Longest time in which a kernel gives two changes the same time: a tick is 1 to 10 ms, about 16 on other systems."""
_SECOND_NS = 1_000_000_000
_PARTS = 5


def fingerprint_of(status: os.stat_result) -> str:
    """Return what changes with the content of a file: size, time of modification, time of change (ctime), inode.

    Whoever writes a file can set its modification time back (``cp -p``, ``rsync``); the change time is set by the
    kernel alone. The device is left out: its number changes when a share or a disk is mounted again.
    """
    return f"{_FORM}:{status.st_size:x}:{status.st_mtime_ns:x}:{status.st_ctime_ns:x}:{status.st_ino:x}"


def listed_fingerprint(status: os.stat_result) -> str:
    """Return the fingerprint for a listing; none for a file whose change time is still to come.

    The clock went back since, so a later change could get the same time: such a file is fetched until that is past.
    """
    return "" if status.st_ctime_ns > posix_ns() else fingerprint_of(status)


def is_older_form(stored: str, listed: str, *, read_after_ns: int) -> bool:
    """Whether a fingerprint of the first form is of a file as it is now, read after the given time.

    All that it names must be equal, and the last change older than the reading; a tick more, because times are coarse.
    """
    parts = listed.split(":")
    if len(parts) != _PARTS or parts[0] != _FORM:
        return False
    _form, size, modified, changed, inode = parts
    return stored == f"{size}-{modified}-{inode}" and int(changed, 16) + _TICK_NS < read_after_ns


def check_unchanged(handle: int, before: os.stat_result) -> None:
    """Raise when a file changed since ``before``, while it was read.

    A file that changed within the last tick is given that time: a change after this look then has another time, so
    that the next listing sees it. What lost or got a name meanwhile has not changed for that: it was replaced whole,
    or a backup links to it.
    """
    granularity = _TICK_NS if before.st_ctime_ns % _SECOND_NS else 2 * _SECOND_NS
    age = posix_ns() - before.st_ctime_ns
    if 0 <= age < granularity:
        time.sleep((granularity - age) / _SECOND_NS)
    after = os.fstat(handle)
    is_same = (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    if not is_same or (after.st_ctime_ns != before.st_ctime_ns and after.st_nlink == before.st_nlink):
        raise changed_while_read()
