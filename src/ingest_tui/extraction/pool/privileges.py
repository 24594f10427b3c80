"""The capabilities of a parser process: it has none, also where root started it or a namespace gave it some.

Imports next to nothing, because it runs before any library of a parser is loaded.

Sources: capabilities(7), capget(2), the kernel's include/uapi/linux/{capability,securebits}.h.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable

_VERSION_3 = 0x20080522
_PR_CAPBSET_DROP, _PR_SET_SECUREBITS = 24, 28
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_ROOT_GAINS_NONE = 0b11101111  # no capabilities for being user 0 and none kept or raised, all of it for good
_OVERRIDE, _READ_AND_SEARCH = 1, 2
_ON_FILES = 1 << _OVERRIDE | 1 << _READ_AND_SEARCH
_POSSIBLE = 64


def needs_rights_of_root(libc: ctypes.CDLL, folders: Iterable[str]) -> bool:
    """Return whether root can reach one of ``folders`` only by its capabilities: somebody else owns it."""
    if os.geteuid() != 0:
        return False
    effective, permitted, inheritable = _get(libc)
    if not _set(libc, 0, permitted, inheritable):
        return False
    try:
        return not all(os.access(path, os.R_OK | os.X_OK, effective_ids=True) for path in folders)
    finally:
        _set(libc, effective, permitted, inheritable)


def drop_capabilities(libc: ctypes.CDLL, *, keeps_rights_on_files: bool = False) -> bool:
    """Give up all capabilities for good; returns whether none is left.

    ``keeps_rights_on_files``: for root at work in folders of somebody else, whose permissions would shut it out. Which
    files it reaches is then up to Landlock.
    """
    kept = _ON_FILES if keeps_rights_on_files else 0
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    if not kept:
        libc.prctl(_PR_SET_SECUREBITS, _ROOT_GAINS_NONE, 0, 0, 0)
    for number in range(_POSSIBLE):
        if not kept >> number & 1:
            libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0)
    _, permitted, _ = _get(libc)
    _set(libc, permitted & kept, permitted & kept, 0)
    return _get(libc) == (0, 0, 0)


def _get(libc: ctypes.CDLL) -> tuple[int, int, int]:
    """Return the sets of this thread: effective, permitted, inheritable."""
    data = ctypes.create_string_buffer(24)
    if libc.capget(struct.pack("=Ii", _VERSION_3, 0), data) != 0:
        return -1, 0, 0
    low, high = struct.unpack("=3I", data.raw[:12]), struct.unpack("=3I", data.raw[12:])
    effective, permitted, inheritable = (one | other << 32 for one, other in zip(low, high, strict=True))
    return effective, permitted, inheritable


def _set(libc: ctypes.CDLL, *sets: int) -> bool:
    low, high = [one & 0xFFFFFFFF for one in sets], [one >> 32 for one in sets]
    return int(libc.capset(struct.pack("=Ii", _VERSION_3, 0), struct.pack("=6I", *low, *high))) == 0
