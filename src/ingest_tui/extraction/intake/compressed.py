"""One document in a gzip, bzip2 or xz file: it is read as what it is without that cover."""

from __future__ import annotations

from io import BytesIO
from pathlib import PurePosixPath
from typing import Protocol

from ingest_tui.extraction.intake.containers import MAX_RATIO, MAX_UNPACKED_BYTES, RATIO_FLOOR_BYTES
from ingest_tui.model.errors import ItemRejectedError, ProcessingError

_MAGIC = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")
_ENDINGS = {
    ".gz": "",
    ".gzip": "",
    ".bz2": "",
    ".xz": "",
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
        if not content.startswith(_MAGIC):
            return content, file_name
        content = _unpacked(_open(content), len(content))
        path = PurePosixPath(file_name)
        file_name = path.stem + _ENDINGS[path.suffix.lower()] if path.suffix.lower() in _ENDINGS else file_name
    if content.startswith(_MAGIC):
        raise ItemRejectedError("compressed again and again", code="archive_bomb", hint="unpack it and ingest that")
    return content, file_name


class _Stream(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


def _open(content: bytes) -> _Stream:
    import bz2
    import gzip
    import lzma

    if content.startswith(_MAGIC[0]):
        return gzip.GzipFile(fileobj=BytesIO(content))
    return bz2.BZ2File(BytesIO(content)) if content.startswith(_MAGIC[1]) else lzma.LZMAFile(BytesIO(content))


def _unpacked(stream: _Stream, size: int) -> bytes:
    limit = min(MAX_UNPACKED_BYTES, max(RATIO_FLOOR_BYTES, size * MAX_RATIO))
    pieces: list[bytes] = []
    total = 0
    while total <= limit:
        try:
            piece = stream.read(_PIECE)
        except Exception as error:  # each of the three libraries has errors of its own for damage
            raise ProcessingError(
                f"the compressed file cannot be read: {error}",
                code="malformed",
                hint="fetch it again: it may be cut short",
            ) from error
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        total += len(piece)
    raise ItemRejectedError(
        f"unpacks to more than {limit:,} bytes",
        code="archive_bomb",
        hint="unpack it and ingest the result if it is harmless",
    )
