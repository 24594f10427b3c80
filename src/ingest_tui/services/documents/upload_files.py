"""What is uploaded: files of this machine and streams, each checked before anything is stored."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import quote

from ingest_tui.model.clock import storable_ns
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import IngestError, NotFoundError, UsageError
from ingest_tui.model.keys import file_uri, key_from_bytes
from ingest_tui.model.safe_text import safe_display

_PIECE = 1 << 20
_LONGEST_NAME = 255
_LONGEST_LABEL = 100
_PROBLEMS_NAMED = 20
_NOTHING = "nothing was uploaded"


class UploadFile(NamedTuple):
    """A file to upload: the name that it has in its collection, and where its bytes are: at a path, or in a stream."""

    name: str
    path: Path | None = None
    stream: BinaryIO | None = None

    @property
    def shown(self) -> str:
        """What a person calls it."""
        return safe_display(str(self.path) if self.path is not None else self.name)

    def uri(self, collection_id: str) -> str:
        """Return its address; what comes in a stream has none but its name."""
        if self.path is not None:
            return file_uri(os.fsencode(self.path.absolute()))
        return f"upload:{quote(f'{collection_id}/{self.name}')}"


class OpenedFile(NamedTuple):
    """A file that is open: its bytes, and when it was changed, where that is known."""

    pieces: Iterator[bytes]
    modified_ns: int | None


def file_at(path: Path, name: str = "") -> UploadFile:
    """Return the file at a path, under its own name or another."""
    return UploadFile(checked_name(name) if name else key_from_bytes(os.fsencode(path.name)), path)


def file_from(stream: BinaryIO, name: str) -> UploadFile:
    """Return what a stream holds, under a name."""
    return UploadFile(checked_name(name), None, stream)


def checked_name(name: str) -> str:
    """Return the name of a file without a folder; raises `UsageError` for what is none."""
    key = key_from_bytes(os.fsencode(name))
    if not name or name in {".", ".."} or set(name) & set("/\0") or len(os.fsencode(name)) > _LONGEST_NAME:
        raise UsageError(
            f"'{safe_display(name, limit=80)}' is no name of a file", hint="give one without folders: report.csv"
        )
    return key


def checked_label(label: str) -> str:
    """Return the label of a version without spaces around; raises `UsageError` for what cannot be shown on one line."""
    label = label.strip()
    if len(label) > _LONGEST_LABEL or any(unicodedata.category(letter)[0] == "C" for letter in label):
        raise UsageError(
            f"'{safe_display(label, limit=80)}' is no label", hint=f"give up to {_LONGEST_LABEL} characters on one line"
        )
    return label


class CheckedFiles(NamedTuple):
    """Files that can be opened, how many bytes they have as far as that is known, and why others cannot be taken."""

    files: list[UploadFile]
    size: int
    problems: list[IngestError]


def check_files(files: list[UploadFile], *, largest: int) -> CheckedFiles:
    """Look at files from outside: nothing is read.

    The problems: `NotFoundError` where one is missing, `UsageError` for a folder, one that cannot be read, one that is
    larger than ``largest``, and two of one name.
    """
    problems: list[IngestError] = []
    taken: list[UploadFile] = []
    size = 0
    for file in files:
        try:
            with _descriptor(file, largest) as (_open, status):
                size += status.st_size if status is not None else 0
            taken.append(file)
        except IngestError as error:
            problems.append(error)
    names = [file.name for file in files]
    twice = sorted({name for name in names if names.count(name) > 1})
    problems += [
        UsageError(
            f"two of the files are named '{safe_display(name)}'", hint="upload them one after the other, or rename one"
        )
        for name in twice
    ]
    return CheckedFiles([file for file in taken if file.name not in twice], size, problems)


def as_one_error(problems: list[IngestError], files: int) -> IngestError:
    """Return the problems of some of so many files as one error that names each."""
    if len(problems) == 1:
        return problems[0]
    named = "; ".join(error.message for error in problems[:_PROBLEMS_NAMED])
    more = f"; and {len(problems) - _PROBLEMS_NAMED} more" if len(problems) > _PROBLEMS_NAMED else ""
    hints = dict.fromkeys(error.hint for error in problems)
    message = f"of {counted(files, 'file')} {len(problems)} cannot be uploaded: {named}{more}"
    listed = [{"message": error.message, "hint": error.hint, "code": error.reason} for error in problems]
    return type(problems[0])(message, hint="; ".join(hints), files=listed)


@contextmanager
def opened(file: UploadFile, *, largest: int | None) -> Iterator[OpenedFile]:
    """Open a file; its pieces raise `UsageError` once they are more than ``largest`` bytes."""
    with _descriptor(file, largest) as (descriptor, status):
        if status is None:
            stream = file.stream
            assert stream is not None  # noqa: S101 - what has no path has a stream
            pieces = iter(lambda: stream.read(_PIECE), b"")
        else:
            pieces = iter(lambda: os.read(descriptor, _PIECE), b"")
        modified_ns = None if status is None else storable_ns(status.st_mtime_ns)
        yield OpenedFile(_limited(file, pieces, largest), modified_ns)


def _limited(file: UploadFile, pieces: Iterator[bytes], largest: int | None) -> Iterator[bytes]:
    """Guard what has no known size, and a file that grows while it is read."""
    size = 0
    for piece in pieces:
        size += len(piece)
        if largest is not None and size > largest:
            raise _too_large(file, size, largest)
        yield piece


@contextmanager
def _descriptor(file: UploadFile, largest: int | None) -> Iterator[tuple[int, os.stat_result | None]]:
    """Open the file at a path and check what it is; nothing is known of a stream beforehand."""
    if file.path is None:
        yield -1, None
        return
    try:
        descriptor = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"there is no file {file.shown}", hint=_NOTHING) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot read {file.shown}: {reason}", hint=_NOTHING) from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            hint = "a folder is a source: 'ingest-tui source add local NAME --path FOLDER'"
            raise UsageError(f"{file.shown} is not a file", hint=hint)
        if largest is not None and status.st_size > largest:
            raise _too_large(file, status.st_size, largest)
        yield descriptor, status
    finally:
        with suppress(OSError):
            os.close(descriptor)


def _too_large(file: UploadFile, size: int, largest: int) -> UsageError:
    import humanize

    limit = humanize.naturalsize(largest)
    has = f"{file.shown} has {humanize.naturalsize(size)}" if file.path is not None else f"{file.shown} has more"
    return UsageError(
        f"{has}; uploads take at most {limit}",
        hint=f"{_NOTHING}; raise upload_max_size in workspace.json, or add its folder as a source with --max-size",
        code="too_large",
    )
