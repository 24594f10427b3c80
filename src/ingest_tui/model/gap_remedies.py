"""What to do about a place that could not be looked into: the answer follows from what kept the listing out.

A gap is known by its words alone: in the plan of a job, perhaps of an earlier program. Those of the operating system
are recognised by its own names of errors, those of mounts by the words of `model.volumes`.
"""

from __future__ import annotations

import errno
import os

from ingest_tui.model.volumes import (
    CHANGED_MEANWHILE,
    MOUNT_EMPTY,
    MOUNT_GONE,
    MOUNTED_OTHER,
    MOUNTED_OVER,
    MOUNTED_SAME_NAME,
)

_READ_IT = "let the user that runs ingest-tui read it"
_SHARE = "is the server of the share up and reachable? if it stays so, unmount it and mount it again"
_MOUNT = "mount it again as it was"
_OTHER_MOUNT = "mount there what was there before"
_DISK = "the disk or share reports an error: the system log shows more"
_AS_IT_WAS = "put the folder or file there again, or add the folder that the link leads to as a source of its own"

_BY_ERROR = {
    _READ_IT: (errno.EACCES, errno.EPERM),
    _SHARE: (
        errno.ESTALE,
        errno.ETIMEDOUT,
        errno.ENOTCONN,
        errno.ECONNRESET,
        errno.ECONNREFUSED,
        errno.ECONNABORTED,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
        errno.ENETDOWN,
        errno.EREMOTEIO,
    ),
    _MOUNT: (errno.ENODEV, errno.ENXIO, errno.ENOMEDIUM),
    "log in to the share again, or unlock the folder": (errno.ENOKEY, errno.EKEYEXPIRED, errno.EKEYREVOKED),
    _DISK: (errno.EIO, errno.EUCLEAN, errno.EBADMSG),
}
_BY_WORDS = {os.strerror(number).lower(): remedy for remedy, numbers in _BY_ERROR.items() for number in numbers} | {
    "does not exist": "is it mounted? mount it, or put the folder there again",
    "not a folder": "a local source is a folder: put it there again",
    "no permission": _READ_IT,
    "symbolic link": _AS_IT_WAS,
    MOUNT_GONE: _MOUNT,
    MOUNT_EMPTY: _MOUNT,
    MOUNTED_OVER: "unmount what covers it",
    MOUNTED_SAME_NAME: _OTHER_MOUNT,
    MOUNTED_OTHER: _OTHER_MOUNT,
    CHANGED_MEANWHILE: "wait until mounts stay as they are",
}
_LEFT_OUT = frozenset({_MOUNT, _OTHER_MOUNT, _SHARE})
"""For these the place may be gone for good."""


def gap_remedy(why: str, source_id: str, *, is_whole: bool = False) -> str:
    """Return what to do about a gap of a source for which a listing said ``why``; ``is_whole``: it is all of it."""
    remedy = remedy_of(why)
    if not remedy:
        return f"'ingest-tui source test {source_id}' shows what is wrong there; then 'ingest-tui sync {source_id}'"
    again = f"{remedy}, then 'ingest-tui sync {source_id}'"
    if remedy not in _LEFT_OUT:
        return again
    setting = "--path FOLDER' names another folder" if is_whole else "--exclude FOLDER/' leaves it out"
    return f"{again}; if it is gone for good, 'ingest-tui source edit {source_id} {setting}"


def remedy_of(why: str) -> str:
    """Return what to do where something could not be looked at for the reason ``why``; empty where that is unknown."""
    said = why.lower()
    return next((remedy for words, remedy in _BY_WORDS.items() if words in said), "")


def error_remedy(number: int | None) -> str:
    """Return what to do about an error of the operating system; empty where there is nothing special."""
    return next((remedy for remedy, numbers in _BY_ERROR.items() if number in numbers), "")
