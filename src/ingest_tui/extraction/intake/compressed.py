"""One document in a gzip, bzip2 or xz file: it is read as what it is without that cover."""

from __future__ import annotations

from io import BytesIO
from pathlib import PurePosixPath
from typing import Protocol

from ingest_tui.extraction.intake.containers import (
    MAX_RATIO,
    MAX_UNPACKED_BYTES,
    RATIO_FLOOR_BYTES,
    TAR_HEADER_BYTES,
    found_container,
    is_tar,
)
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import ItemRejectedError, ProcessingError

_GZIP = b"\x1f\x8b"
_BZIP2 = b"BZh"
_BZIP2_BLOCKS = (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90")
_LZMA = b"]\x00\x00"
"""The old form of xz has no magic number of its own: its name has to say it, too."""
_MAGIC = (_GZIP, b"\xfd7zXZ\x00")
_ENDINGS = {
    ".gz": "",
    ".gzip": "",
    ".bz2": "",
    ".bz": "",
    ".xz": "",
    ".lzma": "",
    ".tgz": ".tar",
    ".tbz2": ".tar",
    ".txz": ".tar",
    ".svgz": ".svg",
}
_MAX_COVERS = 2
_PIECE = 1024**2


def uncover(content: bytes, file_name: str) -> tuple[bytes, str]:
    """Return the document in a compressed file and its name without the ending; anything else as it is.

    Raises `ItemRejectedError` (``archive_bomb``) for one that grows beyond the limits of containers, and
    `ProcessingError` (``malformed``) for one that is damaged or cut.
    """
    for _ in range(_MAX_COVERS):
        if not _is_covered(content, file_name):
            return content, file_name
        if _holds_tar(content):  # read piece by piece, never whole
            raise found_container("tar", content)
        content = _unpacked(_open(content), len(content))
        path = PurePosixPath(file_name)
        file_name = path.stem + _ENDINGS[path.suffix.lower()] if path.suffix.lower() in _ENDINGS else file_name
    if _is_covered(content, file_name):
        raise ItemRejectedError("compressed again and again", code="archive_bomb", hint="unpack it and ingest that")
    return content, file_name


def _is_covered(content: bytes, file_name: str) -> bool:
    if content.startswith(_BZIP2):  # a text may begin with these three letters
        return content[4:10] in _BZIP2_BLOCKS
    return content.startswith(_MAGIC) or (content.startswith(_LZMA) and file_name.lower().endswith(".lzma"))


class _Stream(Protocol):
    def read1(self, size: int = -1, /) -> bytes: ...

    def read(self, size: int = -1, /) -> bytes: ...


def _holds_tar(content: bytes) -> bool:
    try:
        return is_tar(_open(content).read(TAR_HEADER_BYTES))
    except Exception:  # noqa: BLE001 each of the three libraries has errors of its own; the whole is read next
        return False


class LimitedStream:
    """A compressed stream that is refused once it has grown beyond the limits of containers."""

    def __init__(self, stream: _Stream, packed_bytes: int) -> None:
        self._stream = stream
        self._left = self._limit = _limit_of(packed_bytes)

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; raises `ItemRejectedError` (``archive_bomb``)."""
        import gzip

        try:
            piece = self._stream.read(size)
        except gzip.BadGzipFile as error:
            if self._left == self._limit or not _is_after_the_end(error):
                raise
            return b""
        self._left -= len(piece)
        if self._left < 0:
            raise _too_large(self._limit)
        return piece


def open_limited(content: bytes) -> BytesIO | LimitedStream:
    """Return what is in a compressed file as a stream, or in one that is not compressed."""
    return LimitedStream(_open(content), len(content)) if _is_covered(content, "") else BytesIO(content)


def _is_after_the_end(error: Exception) -> bool:
    """Whether what is damaged is after the end of a gzip stream, and no part of it."""
    return str(error).startswith("Not a gzipped file")


def _limit_of(packed_bytes: int) -> int:
    return min(MAX_UNPACKED_BYTES, max(RATIO_FLOOR_BYTES, packed_bytes * MAX_RATIO))


def _too_large(limit: int) -> ItemRejectedError:
    return ItemRejectedError(
        f"unpacks to more than {counted(limit, 'byte')}",
        code="archive_bomb",
        hint="unpack it and ingest the result if it is harmless",
    )


def _open(content: bytes) -> _Stream:
    import bz2
    import gzip
    import lzma

    if content.startswith(_GZIP):
        return gzip.GzipFile(fileobj=BytesIO(content))
    return bz2.BZ2File(BytesIO(content)) if content.startswith(_BZIP2) else lzma.LZMAFile(BytesIO(content))


def _damaged(error: Exception) -> ProcessingError:
    message = f"the compressed file cannot be read: {error}"
    return ProcessingError(message, code="malformed", hint="fetch it again: it may be cut short")


def _unpacked(stream: _Stream, size: int) -> bytes:
    import gzip

    limit = _limit_of(size)
    pieces: list[bytes] = []
    total = 0
    while total <= limit:
        try:
            piece = stream.read1(_PIECE)
        except gzip.BadGzipFile as error:
            if total and _is_after_the_end(error):
                return b"".join(pieces)
            raise _damaged(error) from error
        except Exception as error:  # each of the three libraries has errors of its own for damage
            raise _damaged(error) from error
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        total += len(piece)
    raise _too_large(limit)
