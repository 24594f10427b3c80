"""A log that is put aside when it has grown, and the last few of which are kept: ``log.jsonl``, ``log.<start>.jsonl``.

``start`` is how many bytes of the log came before. So an offset means the same line for as long as the line is kept,
whoever follows a log notices nothing of its being put aside, and what was deleted is skipped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ingest_tui.store.records.journal import whole_lines

_DIGITS = 15


class LogLimit(NamedTuple):
    """How large a log grows before it is put aside, in bytes, and how many files of it are kept, the newest too."""

    size: int
    files: int


class _Part(NamedTuple):
    start: int
    path: Path


def put_aside(path: Path, limit: LogLimit) -> None:
    """Give a log that has grown another name, and delete what is too much. For its one writer, who makes it again."""
    parts = _earlier_parts(path)
    path.rename(_name_of_part(path, _end_of(parts)))
    for part in _earlier_parts(path)[: -(limit.files - 1) or None]:
        part.path.unlink(missing_ok=True)


def files_of(path: Path) -> list[Path]:
    """Return all files of a log that are there, the oldest first."""
    return [part.path for part in _earlier_parts(path)] + ([path] if path.exists() else [])


def log_end(path: Path) -> int:
    """Return the offset behind the last byte of a log; 0 where there is none."""
    while True:
        earlier = _earlier_parts(path)
        size = _size(path)
        if _earlier_parts(path) == earlier:  # else it was put aside meanwhile
            return _end_of(earlier) + size


def lines_from(path: Path, offset: int) -> Iterator[tuple[bytes, int]]:
    """Yield each line that has its end, from an offset on, with the offset after it."""
    while True:
        earlier = _earlier_parts(path)
        for part in earlier:
            if part.start + _size(part.path) > offset:
                for line, end in whole_lines(part.path, max(0, offset - part.start)):
                    offset = part.start + end
                    yield line, offset
        with suppress(FileNotFoundError), path.open("rb") as present:
            start = _end_of(earlier)
            if _earlier_parts(path)[-1:] == earlier[-1:]:  # else it was put aside meanwhile, and is read as that
                yield from _lines_of(present, start, max(start, offset))
                return
        if _earlier_parts(path)[-1:] == earlier[-1:]:
            return


def _lines_of(present: BinaryIO, start: int, offset: int) -> Iterator[tuple[bytes, int]]:
    present.seek(offset - start)
    for line in present:
        if not line.endswith(b"\n"):
            return
        offset += len(line)
        yield line, offset


def _earlier_parts(path: Path) -> list[_Part]:
    prefix, suffix = f"{path.stem}.", path.suffix
    found = []
    with suppress(FileNotFoundError), os.scandir(path.parent) as entries:
        for entry in entries:
            start = entry.name.removeprefix(prefix).removesuffix(suffix)
            if len(start) == _DIGITS and start.isdigit() and entry.name == f"{prefix}{start}{suffix}":
                found.append(_Part(int(start), Path(entry.path)))
    return sorted(found)


def _name_of_part(path: Path, start: int) -> Path:
    return path.with_name(f"{path.stem}.{start:0{_DIGITS}d}{path.suffix}")


def _end_of(parts: list[_Part]) -> int:
    return parts[-1].start + _size(parts[-1].path) if parts else 0


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - hundreds of times a second
    except FileNotFoundError:
        return 0
