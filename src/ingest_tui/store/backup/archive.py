"""The stream of a backup: tar (GNU format), compressed with zstd: other programs unpack it too.

It is written and read in one pass, in flat memory. It holds regular files only. The reader takes nothing else, so no
member can be a link, a device or a hole: what is in a backup may come from anywhere.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import tarfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import BinaryIO, NamedTuple

from ingest_tui.model.errors import ValidationError
from ingest_tui.model.safe_text import safe_display

_BLOCK = 512
_PIECE = 1 << 20
_LONGEST_NAME = 4096
_LONG_NAME = tarfile.GNUTYPE_LONGNAME
_REGULAR = {tarfile.REGTYPE, tarfile.AREGTYPE}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
NOT_A_BACKUP = "not_a_backup"


class ArchivedFile(NamedTuple):
    """A file of the stream: its name and its size in bytes."""

    name: str
    size: int


class Written(NamedTuple):
    """What was written of a file, or read: bytes and their SHA-256."""

    size: int
    sha256: str


class ArchiveWriter:
    """Writes members one after the other. ``stream`` is not closed."""

    def __init__(self, stream: BinaryIO) -> None:
        import pyarrow as pa

        self._sink = _Sink(stream)
        self._compressed = pa.CompressedOutputStream(pa.PythonFile(self._sink, mode="w"), "zstd")

    def add(self, name: str, source: BinaryIO, *, size: int, modified: float = 0.0) -> Written:
        """Write ``size`` bytes of ``source`` as a file; raises `OSError` where it has fewer."""
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = size, int(modified), 0o600
        self._compressed.write(info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape"))
        digest, left = hashlib.sha256(), size
        while left:
            piece = source.read(min(_PIECE, left))
            if not piece:
                raise OSError(f"{safe_display(name)} has become shorter while it was read")
            digest.update(piece)
            self._compressed.write(piece)
            left -= len(piece)
        self._compressed.write(bytes(-size % _BLOCK))
        return Written(size, digest.hexdigest())

    def close(self) -> None:
        """Write the end; a stream without it is not whole."""
        self._compressed.write(bytes(2 * _BLOCK))
        self._compressed.close()

    def give_up(self) -> None:
        """Let go of a stream that cannot be written any more: nothing of what is still to come is written."""
        self._sink.is_given_up = True
        with contextlib.suppress(OSError, ValueError):
            self._compressed.close()


class _Sink:
    """A stream that stays open when the compression ends, and takes what a compression still has that was given up."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.closed = False
        self.is_given_up = False

    def write(self, data: bytes) -> int:
        return len(data) if self.is_given_up else self._stream.write(data)

    def flush(self) -> None:
        if not self.is_given_up:
            self._stream.flush()

    def close(self) -> None:
        self.closed = True


class ArchiveReader:
    """Reads members one after the other. Raises `ValidationError` for what is no backup, or not a whole one."""

    def __init__(self, stream: BinaryIO) -> None:
        import pyarrow as pa

        try:
            self._stream = pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd")
        except OSError as error:
            raise _refusal(str(error)) from None
        self._left = 0

    def members(self) -> Iterator[ArchivedFile]:
        """Yield the files in their order; what is not read of one is skipped."""
        while (header := self._header()) is not None:
            name = header.name
            if header.type == _LONG_NAME:
                name = self._long_name(header.size)
                header = self._header()
                if header is None:
                    raise _refusal("it ends within a name")
            if header.type not in _REGULAR:
                raise _refusal(f"{safe_display(name)} is no regular file")
            self._left = header.size
            yield ArchivedFile(checked_name(name), header.size)
            for _piece in self.pieces():
                pass
            self._exactly(-header.size % _BLOCK)

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes of the present member."""
        while self._left:
            piece = self._exactly(min(_PIECE, self._left))
            self._left -= len(piece)
            yield piece

    def _header(self) -> tarfile.TarInfo | None:
        block = self._exactly(_BLOCK)
        if not any(block):
            if any(self._exactly(_BLOCK)):
                raise _refusal("its end is not one")
            self._refuse_more()
            return None
        try:
            header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.TarError as error:
            raise _refusal(str(error)) from None
        if header.size < 0:
            raise _refusal("a size is negative")
        return header

    def _refuse_more(self) -> None:
        if self._read(1):
            raise _refusal("there is more after its end")

    def _long_name(self, size: int) -> str:
        if not 0 < size <= _LONGEST_NAME:
            raise _refusal("a name is too long")
        name = self._exactly(size).rstrip(b"\0")
        self._exactly(-size % _BLOCK)
        return name.decode("utf-8", "surrogateescape")

    def _exactly(self, size: int) -> bytes:
        parts = []
        while size:
            part = self._read(size)
            if not part:
                raise _refusal("it ends too early")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _read(self, size: int) -> bytes:
        try:
            return bytes(self._stream.read(size))
        except OSError as error:
            if error.errno:  # of the disk or the pipe
                raise
            raise _refusal(str(error)) from None


def checked_name(name: str) -> str:
    """Return the name of a member, which leads nowhere but below the folder that it is unpacked in."""
    parts = PurePosixPath(name).parts
    is_plain = name == "/".join(parts) and not name.startswith("/")
    if not is_plain or not parts or {"..", "."} & set(parts) or _CONTROL.search(name):
        raise _refusal(f"a name that leads elsewhere: {safe_display(name)}")
    return name


def _refusal(why: str) -> ValidationError:
    return ValidationError(
        f"this is no whole backup: {why}", hint="name a backup: 'ingest-tui backup FILE' writes one", code=NOT_A_BACKUP
    )
