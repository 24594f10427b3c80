"""The newest transaction of the catalogue, noted in two places, so that a catalogue that lost some is recognised.

A catalogue can be whole and yet not the one that was committed to: its write-ahead log was removed, an older copy or an
empty one was put in its place. The note is written after each commit and never before it, so it may be behind the
catalogue (after a crash), but a catalogue that is behind its note has lost transactions. One note is next to the
catalogue; the other is among the locks, so that an older copy of the catalogue is recognised that was put back
together with the note next to it.
"""

from __future__ import annotations

import contextlib
import os
import uuid
import zlib
from pathlib import Path
from typing import NamedTuple

from ingest_tui.store.fs.atomic import FILE_MODE

_LENGTH = 128


class Mark(NamedTuple):
    """The epoch of a catalogue and the number of transactions that were committed in it."""

    epoch: str
    transactions: int


def mark_path(catalogue: Path) -> Path:
    """Return where the newest transaction of a catalogue is noted."""
    return catalogue.with_suffix(".mark")


def _second_path(catalogue: Path) -> Path:
    return catalogue.parent / "locks" / mark_path(catalogue).name


def read_marks(catalogue: Path) -> tuple[Mark | None, Mark | None]:
    """Return what is noted next to the catalogue and apart from it; None when there is no note that can be read.

    No note says nothing.
    """
    return _read(mark_path(catalogue)), _read(_second_path(catalogue))


def _read(path: Path) -> Mark | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        words = os.read(descriptor, _LENGTH).decode("ascii", "replace").split()
    except OSError:
        return None
    finally:
        os.close(descriptor)
    try:
        epoch, transactions, checksum = words
        mark = Mark(epoch, int(transactions))
    except ValueError:
        return None
    return mark if checksum == _checksum(mark) else None


def write_mark(catalogue: Path, mark: Mark) -> None:
    """Note a committed transaction. Not durable, and no failure: an older note is as true.

    Written over in place, always of the same length: it takes no room on a full disk.
    """
    for path in (mark_path(catalogue), _second_path(catalogue)):
        _write(path, mark)


def _write(path: Path, mark: Mark) -> None:
    line = f"{mark.epoch} {mark.transactions} {_checksum(mark)}".ljust(_LENGTH - 1) + "\n"
    with contextlib.suppress(OSError):
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, FILE_MODE)
        try:
            os.fchmod(descriptor, FILE_MODE)
            os.pwrite(descriptor, line.encode("ascii"), 0)
        finally:
            os.close(descriptor)


def discredit(catalogue: Path) -> None:
    """Note that a catalogue is damaged, so that the next who opens it has it made again."""
    write_mark(catalogue, Mark(f"damaged-{uuid.uuid4().hex}", 0))


def _checksum(mark: Mark) -> str:
    return f"{zlib.crc32(f'{mark.epoch} {mark.transactions}'.encode()):08x}"
