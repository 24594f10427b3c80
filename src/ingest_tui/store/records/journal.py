"""Append-only journals: one JSON object a line, each with a CRC-32 of what is before it.

On disk: ``{"key":"a","outcome":"ingested","crc":"89abcdef"}``. The CRC covers the bytes of the object without its
``crc`` member, which is always the last. A crash can tear only the last line. `Journal` puts a line feed after a torn
tail before it appends, so that the next record is never swallowed; readers skip lines whose CRC is wrong.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from ingest_tui.store.fs.atomic import open_to_append, write_all
from ingest_tui.store.fs.encoding import escaped

_CRC_MEMBER = b',"crc":"'
_LAST_LINE_BYTES = 4096
_CRC_TAIL = len(_CRC_MEMBER) + 8 + len(b'"}')


def encode_line(record: dict[str, Any]) -> bytes:
    """Return the journal line of a record (not empty, JSON-able, without a ``crc`` member), with its line feed."""
    body = orjson.dumps(record)
    if not body.isascii() or b"\x7f" in body:  # asked here too: a call for each line of a large listing is dear
        body = escaped(body)
    return b'%b,"crc":"%08x"}\n' % (body[:-1], zlib.crc32(body))


def decode_line(line: bytes) -> dict[str, Any] | None:
    """Return the record of a line, or None for a torn or altered one."""
    line = line.rstrip(b"\n")
    if len(line) <= _CRC_TAIL or line[-_CRC_TAIL : -_CRC_TAIL + len(_CRC_MEMBER)] != _CRC_MEMBER:
        return None
    body = line[:-_CRC_TAIL] + b"}"
    if b"%08x" % zlib.crc32(body) != line[-10:-2]:
        return None
    try:
        record = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return record if isinstance(record, dict) else None


class Journal:
    """Appends to one journal. One process at a time may hold it open; the lock of its job sees to that."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = open_to_append(path, read=True)
        self._is_torn = False
        try:
            self._heal()
        except BaseException:  # there may be no room for a line feed
            self.close()
            raise

    def _heal(self) -> None:
        size = os.fstat(self._descriptor).st_size
        if size and os.pread(self._descriptor, 1, size - 1) != b"\n":
            write_all(self._descriptor, b"\n")

    def append(self, records: Iterable[dict[str, Any]], *, durable: bool = True) -> None:
        """Write the records in one go; with ``durable`` they survive a power cut once this returned."""
        self.append_lines(b"".join(map(encode_line, records)), durable=durable)

    def append_lines(self, lines: bytes, *, durable: bool = True) -> None:
        """Write lines that `encode_line` made."""
        if not lines:
            return
        if self._is_torn:
            self._heal()
        self._is_torn = True  # until all is written: a full disk may leave half a line
        write_all(self._descriptor, lines)
        self._is_torn = False
        if durable:
            os.fdatasync(self._descriptor)

    def sync(self) -> None:
        """Make durable what was appended."""
        os.fdatasync(self._descriptor)

    def clear(self) -> None:
        """Remove all records. A power cut may bring them back: only for records that may be read again."""
        os.ftruncate(self._descriptor, 0)
        self._is_torn = False

    def close(self) -> None:
        """Close the file; appending afterwards is an error."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def last_record(path: Path) -> dict[str, Any] | None:
    """Return the record of the last line, or None when there is none or it is torn."""
    with path.open("rb") as handle:
        size = handle.seek(0, os.SEEK_END)
        length = _LAST_LINE_BYTES
        while True:
            start = handle.seek(max(0, size - length))
            lines = handle.read().split(b"\n")
            if lines.pop():
                return None  # torn: every whole line ends with a line feed
            if start == 0 or len(lines) > 1:
                return decode_line(lines[-1]) if lines else None
            length *= 4


def read_journal(path: Path, *, offset: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the valid records of a journal from byte ``offset`` on, in order; a missing file has none."""
    for record, _end in read_journal_from(path, offset):
        yield record


def read_journal_from(path: Path, offset: int) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield each valid record with the byte offset after it, where a follower continues.

    An unfinished last line is not consumed: it may still be growing.
    """
    for line, after in whole_lines(path, offset):
        record = decode_line(line)
        if record is not None:
            yield record, after


def whole_lines(path: Path, offset: int = 0) -> Iterator[tuple[bytes, int]]:
    """Yield each line that has its end, from byte ``offset`` on, with the offset after it; none for no file."""
    try:
        handle = path.open("rb")
    except FileNotFoundError:
        return
    with handle:
        handle.seek(offset)
        for line in handle:
            if not line.endswith(b"\n"):
                return
            offset += len(line)
            yield line, offset


def count_damaged_lines(path: Path) -> int:
    """Return how many lines of a journal cannot be used, one that a crash has torn among them; 0 for a missing file."""
    try:
        with path.open("rb") as handle:
            return sum(1 for line in handle if line.strip() and line.endswith(b"\n") and decode_line(line) is None)
    except FileNotFoundError:
        return 0


def lines_with(path: Path, needle: bytes) -> list[dict[str, Any]]:
    """Return the valid records whose line holds ``needle``; the other lines are not even decoded."""
    try:
        with path.open("rb") as handle:
            candidates = [decode_line(line) for line in handle if needle in line]
    except FileNotFoundError:
        return []
    return [record for record in candidates if record is not None]
