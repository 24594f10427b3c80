"""The list at the end of a backup: each file of the workspace, its hash, and the backup that has its bytes.

JSON lines. The last one names the number of files and the digest of all lines before it: a list that lost some is no
list. Files are in the order in which they are in the stream; those of documents by id and version. So two lists are
compared in one pass, in flat memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import orjson

from ingest_tui.model.errors import ValidationError
from ingest_tui.store.backup.archive import NOT_A_BACKUP, checked_name
from ingest_tui.store.fs.atomic import open_new
from ingest_tui.store.fs.encoding import encode_json

_LONGEST_LINE = 1 << 17
"""Bytes; more than two of the longest names, escaped. A longer line is no line of ours, and is not read whole."""


class Content(NamedTuple):
    """A file of a workspace: its path below it, size in bytes, SHA-256, the backup with its bytes, and its path there.

    ``version``: what `version_key` makes of the document and the version that it is of; empty for all other files.
    """

    path: str
    size: int
    sha256: str
    backup_id: str
    stored_as: str
    version: str = ""


def version_key(document_id: str, version: int) -> str:
    """Return what stands for a version in a list; keys sort as documents by id, and their versions by number."""
    return f"{document_id} {version:09d}"


class ContentsWriter:
    """Writes a list."""

    def __init__(self, path: Path) -> None:
        self._file = open_new(path)
        self._digest = hashlib.sha256()
        self.files = 0

    def add(self, content: Content) -> None:
        """Add a file."""
        line = encode_json(content._asdict()) + b"\n"
        self._digest.update(line)
        self._file.write(line)
        self.files += 1

    def end(self) -> None:
        """Write the last line."""
        self._file.write(encode_json({"files": self.files, "sha256": self._digest.hexdigest()}) + b"\n")
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._file.close()


def read_contents(path: Path) -> Iterator[Content]:
    """Yield the files of a list; raises `ValidationError` at its end when it is not whole, or at what is no file."""
    digest, files, end = hashlib.sha256(), 0, None
    with path.open("rb") as lines:
        for line in iter(lambda: lines.readline(_LONGEST_LINE), b""):
            if end is not None:
                raise _damaged()
            record = _record(line)
            if "path" not in record:
                end = record
                continue
            digest.update(line)
            files += 1
            yield _content(record)
    if end != {"files": files, "sha256": digest.hexdigest()}:
        raise _damaged()


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise _damaged() from None
    if not isinstance(record, dict):
        raise _damaged()
    return record


def _content(record: dict[str, Any]) -> Content:
    texts = [record.get(name) for name in ("path", "sha256", "backup_id", "stored_as", "version")]
    size = record.get("size")
    if not isinstance(size, int) or not all(isinstance(text, str) for text in texts):
        raise _damaged()
    path, sha256, backup_id, stored_as, version = map(str, texts)
    return Content(checked_name(path), size, sha256, backup_id, checked_name(stored_as), version)


def _damaged() -> ValidationError:
    hint = "use another backup; 'ingest-tui restore FILE --check' says whether one is whole"
    return ValidationError("the list of contents of the backup is damaged", hint=hint, code=NOT_A_BACKUP)


class CarriedVersions:
    """The files of single versions in a list, asked for in the order of the list."""

    def __init__(self, contents: Iterator[Content]) -> None:
        self._contents = (content for content in contents if content.version)
        self._next = next(self._contents, None)

    def of(self, version: str) -> dict[str, Content]:
        """Return the files of a version by their names; empty where the list has none."""
        found = {}
        while self._next is not None and self._next.version <= version:
            if self._next.version == version:
                found[self._next.path.rpartition("/")[2]] = self._next
            self._next = next(self._contents, None)
        return found
