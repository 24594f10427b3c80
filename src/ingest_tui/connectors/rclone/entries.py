"""What rclone says of a file, as a descriptor: its key, and a fingerprint that changes with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ingest_tui.connectors.rclone.failures import RcloneFailedError

VERIFIABLE = ("sha256", "sha1", "md5")
"""Sums that this program makes, too, so that what was read is compared; the strongest first."""
_UNKNOWN_TIME = "2000-01-01T00:00:00"
"""What rclone says of files whose storage knows no time."""
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)\Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RemoteEntry(NamedTuple):
    """One file or folder: ``path`` within what was listed, ``size`` in bytes (None: unknown until it is read).

    ``modified_ns`` in nanoseconds since the epoch and ``identity``, the id in the storage, are None where the storage
    has none. ``sums``: checksums in hexadecimal by rclone's names.
    """

    path: str
    is_folder: bool
    size: int | None
    modified_ns: int | None
    identity: str | None
    sums: dict[str, str]

    def fingerprint(self, key: str) -> str:
        """Return what changes with the content: a checksum, else id, time and size; without an id the key, too.

        Two files of one size and time are not the same one, so that a file without id is known by its name alone.
        """
        for name, found in self.sums.items():
            return f"{name}:{found}"
        what = f"{'?' if self.size is None else format(self.size, 'x')}@{self.modified_ns or '?'}"
        return f"id:{self.identity}:{what}" if self.identity else f"{what}/{key}"


def entry_of(listed: Any) -> RemoteEntry:
    """Return the file that an object of rclone's JSON describes; raises `RcloneFailedError` for anything else."""
    try:
        path, size = listed["Path"], listed.get("Size", -1)
        hashes = listed.get("Hashes") or {}
        return RemoteEntry(
            path if isinstance(path, str) else "",
            bool(listed["IsDir"]),
            size if isinstance(size, int) and size >= 0 else None,
            _nanoseconds(str(listed.get("ModTime", ""))),
            str(listed.get("ID") or "") or None,
            {name: found.lower() for name, found in hashes.items() if found},
        )
    except (KeyError, TypeError, AttributeError):
        raise RcloneFailedError("what it prints is no list of files") from None


def _nanoseconds(text: str) -> int | None:
    found = _TIME.match(text)
    if found is None or found[1] == _UNKNOWN_TIME:
        return None
    try:
        moment = datetime.fromisoformat(f"{found[1]}{found[3].replace('Z', '+00:00')}")
    except ValueError:
        return None
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + int((found[2] or "").ljust(9, "0"))


def chosen_sum(offered: Sequence[str], *, is_slow: bool, wanted: str) -> str | None:
    """Return by which checksum changes are seen: one that can be compared here, if the storage has one.

    ``is_slow``: the storage reads each file to make one; ``wanted`` is the setting ``hashes``.
    """
    if wanted == "never" or (is_slow and wanted == "auto"):
        return None
    return next((name for name in VERIFIABLE if name in offered), offered[0] if offered else None)


def sum_in(fingerprint: str) -> str | None:
    """Return the name of the checksum that a fingerprint is; None for one of another kind."""
    name, separator, _ = fingerprint.partition(":")
    return name if separator and name != "id" and "@" not in name else None
