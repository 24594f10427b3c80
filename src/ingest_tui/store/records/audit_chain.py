"""The chain of the audit: each line has the SHA-256 of the line before it, so that no line can be changed unseen.

``chain`` is the digest of the bytes of the line before, without its line feed, whatever is in them: a line that a crash
has torn is chained too. Lines of earlier versions of the program have none; the chain begins at the first that has one.
``locks/audit.head`` has the size of the file and the digest of its last line, so that lines which were removed at its
end are missed. It is written after each line: behind the file it says nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ingest_tui.model.counted import counted
from ingest_tui.store.fs.atomic import FILE_MODE
from ingest_tui.store.records.journal import decode_line

CHAIN = "chain"
ACKNOWLEDGED = "audit.acknowledge"
_BLOCK = 65_536
_HEAD_LENGTH = 128
_SIZE_LENGTH = 20


class AuditEnd(NamedTuple):
    """How large the audit was after its last line, and the digest of that line."""

    size: int
    digest: str


class ChainBreak(NamedTuple):
    """A line at which the chain does not hold: its number, from 1, its digest, and why; 0 for the end of the file."""

    line: int
    digest: str
    why: str


def digest_of(line: bytes) -> str:
    """Return the digest of a line, without its line feed."""
    return hashlib.sha256(line.rstrip(b"\n")).hexdigest()


def next_link(audit: Path, head: Path) -> str:
    """Return what the next line has as its ``chain``. For the holder of the audit's lock.

    Where lines were removed or changed at the end it is the digest of the last that was there: that stays a break.
    """
    noted = read_head(head)
    size, last = _last_line(audit)
    return noted.digest if noted is not None and noted.size >= size else digest_of(last)


def write_head(audit: Path, head: Path) -> None:
    """Note the end of the audit. For the holder of its lock; where that cannot be, it is behind.

    Written over in place, always of the same length: who is killed meanwhile leaves the note that was there.
    """
    size, last = _last_line(audit)
    with suppress(OSError):
        descriptor = os.open(head, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
        try:
            os.pwrite(descriptor, f"{size:{_SIZE_LENGTH}d} {digest_of(last)}\n".encode("ascii"), 0)
        finally:
            os.close(descriptor)


def read_head(path: Path) -> AuditEnd | None:
    """Return what is noted of the end; None where there is no note that can be read."""
    try:
        with path.open("rb") as noted:
            words = noted.read(_HEAD_LENGTH).decode("ascii", "replace").split()
        size, digest = words
        return AuditEnd(int(size), digest)
    except (OSError, ValueError):
        return None


def head_is_usable(audit: Path, head: Path) -> bool:
    """Whether the end of the audit is noted, so that lines which are taken from it are missed.

    Without a note it is where there is nothing to miss, or where an older program has written the last line.
    """
    if read_head(head) is not None:
        return True
    record = decode_line(_last_line(audit)[1])
    return not head.exists() and (record is None or CHAIN not in record)


def _last_line(path: Path) -> tuple[int, bytes]:
    """Return the size of a file and its last line, empty where there is none."""
    try:
        with path.open("rb") as opened:
            size = opened.seek(0, os.SEEK_END)
            found, start = b"", size
            while start > 0 and b"\n" not in found[:-1]:
                start = max(0, start - _BLOCK)
                opened.seek(start)
                found = opened.read(size - start)
            return size, found.rstrip(b"\n").rpartition(b"\n")[2]
    except FileNotFoundError:
        return 0, b""


def breaks_in(audit: Path, head: Path) -> Iterator[ChainBreak]:
    """Yield where the chain does not hold, but for what a later line acknowledges. Reads the whole file."""
    found: dict[int, ChainBreak] = {}
    size, before, has_begun, number = 0, b"", False, 0
    noted = read_head(head)
    with suppress(FileNotFoundError), audit.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            size += len(line)
            record = decode_line(line)
            link = record.get(CHAIN) if record is not None else None
            digest = digest_of(line)
            if link is not None and link != digest_of(before):
                found[number] = ChainBreak(
                    number, digest, "the line before it is not the one that it was written after"
                )
            elif record is not None and link is None and has_begun:
                found[number] = ChainBreak(number, digest, "it is not chained")
            has_begun = has_begun or link is not None
            if record is not None and record.get("action") == ACKNOWLEDGED and number not in found:
                for known in (record.get("details") or {}).get("lines", ()):
                    if tuple(known) in {(one.line, one.digest) for one in found.values()}:
                        del found[known[0]]
            before = line
    yield from found.values()
    if noted is not None and noted.size > size:
        yield ChainBreak(0, noted.digest, f"{counted(noted.size - size, 'byte is', 'bytes are')} missing at its end")
    elif noted is not None and noted.size == size and noted.digest != digest_of(before):
        yield ChainBreak(0, noted.digest, "its last line is not the one that was written")
