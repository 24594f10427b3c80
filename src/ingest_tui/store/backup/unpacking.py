"""Reading a backup: into an empty folder, or to check that it is whole. Nothing in it is believed.

A folder that is being filled has a mark in it, and no workspace.json before everything is there, checked and durable:
half a restore is never taken for a workspace.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

import pydantic

from ingest_tui.model.errors import SchemaVersionError, UsageError, ValidationError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.store.backup.archive import NOT_A_BACKUP, ArchivedFile, ArchiveReader, Written
from ingest_tui.store.backup.contents import Content, read_contents
from ingest_tui.store.backup.header import BACKUP, CONTENTS, CREDENTIALS, WORKSPACE, BackupHeader, read_header
from ingest_tui.store.backup.progress import BackupProgress
from ingest_tui.store.fs.atomic import FILE_MODE, FOLDER_MODE, open_new, write_all, write_new
from ingest_tui.store.layout import RESTORE_MARK, SETTINGS
from ingest_tui.store.records.settings import Settings
from ingest_tui.store.upgrade import SCHEMA_VERSION

_MOST_BYTES_AT_ONCE = 16 << 20
_REPORT_EVERY = 500
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class RestoreTarget(Protocol):
    """Where the files of a workspace go."""

    def put(self, path: str, pieces: Iterable[bytes]) -> Written:
        """Write a file that is not there yet; ``path`` is below the workspace."""

    def drop(self, path: str) -> None:
        """Remove a file again."""


class Nowhere:
    """Reads and forgets all but the names: a backup is only checked, and refused for what `NewFolder` refuses."""

    def __init__(self) -> None:
        self._files: set[bytes] = set()
        """Digests, which are smaller than paths."""
        self._folders = {""}

    def put(self, path: str, pieces: Iterable[bytes]) -> Written:
        """Hash the pieces."""
        self._make_folder(path.rpartition("/")[0])
        digest = _digest(path)
        if path in self._folders or digest in self._files:
            raise _in_it_twice(path)
        self._files.add(digest)
        return _hashed(pieces)

    def drop(self, path: str) -> None:
        """Forget the name."""
        self._files.discard(_digest(path))

    def _make_folder(self, path: str) -> None:
        if path in self._folders:
            return
        if _digest(path) in self._files:
            raise _in_it_twice(path)
        self._make_folder(path.rpartition("/")[0])
        self._folders.add(path)


def _digest(path: str) -> bytes:
    return hashlib.blake2b(path.encode("utf-8", "surrogateescape"), digest_size=16).digest()


def _in_it_twice(path: str) -> ValidationError:
    return damaged(f"{safe_display(path)} is in it twice")


class NewFolder:
    """A folder that nobody else writes in: all files and folders in it are made here, so none of them is a link.

    ``renamed``: files that get another name, by their paths.
    """

    def __init__(self, root: Path, renamed: Mapping[str, str]) -> None:
        self._root = root
        self._renamed = renamed
        self._made = {""}

    def put(self, path: str, pieces: Iterable[bytes]) -> Written:
        """Write a file, 0600, in folders that are 0700."""
        try:
            self._make_folder(path.rpartition("/")[0])
            descriptor = os.open(self._root / self._renamed.get(path, path), _NEW_FILE, FILE_MODE)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise _in_it_twice(path) from None
        try:
            os.fchmod(descriptor, FILE_MODE)
            return _hashed(pieces, descriptor)
        finally:
            os.close(descriptor)

    def drop(self, path: str) -> None:
        """Remove a file."""
        (self._root / self._renamed.get(path, path)).unlink()

    def _make_folder(self, path: str) -> None:
        if path in self._made:
            return
        self._make_folder(path.rpartition("/")[0])
        folder = self._root / path
        folder.mkdir(mode=FOLDER_MODE)
        folder.chmod(FOLDER_MODE)
        self._made.add(path)


def _hashed(pieces: Iterable[bytes], descriptor: int | None = None) -> Written:
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
        if descriptor is not None:
            write_all(descriptor, piece)
    return Written(size, digest.hexdigest())


class Unpacked(NamedTuple):
    """A backup that was read: its first file, its list, where its credentials are if it has them, and its files."""

    header: BackupHeader
    contents: Path
    credentials: Path | None
    files: int
    bytes: int


class BackupUnpacker:
    """Reads backups into a place. ``scratch``: a folder for lists, which nobody else uses."""

    def __init__(self, place: RestoreTarget, scratch: Path, on_progress: BackupProgress) -> None:
        self._place = place
        self._scratch = scratch
        self._on_progress = on_progress

    def unpack(self, stream: BinaryIO, *, bases: Collection[str] | None = None) -> Unpacked:
        """Read one backup, and check each file against its list; raises `ValidationError` for one that is not whole.

        Files that the list does not name were given up while it was written; they are removed again. ``bases``: the
        earlier backups that are at hand; raises `UsageError` where it rests on another one. None: it does not matter.
        """
        reader = ArchiveReader(stream)
        members = reader.members()
        header = header_of(reader, members)
        _refuse_without(bases, header)
        contents, own = self._scratch / f"{header.backup_id}.contents", self._scratch / f"{header.backup_id}.files"
        credentials, settings, has_contents, files, size = None, b"", False, 0, 0
        with io.TextIOWrapper(open_new(own), encoding="utf-8", errors="surrogateescape") as written:
            for member in members:
                if has_contents:
                    raise damaged("there is more after its list of contents")
                if member.name == CONTENTS:
                    _save(reader, contents)
                    has_contents = True
                elif member.name == CREDENTIALS:
                    if credentials is not None:
                        raise damaged(f"{CREDENTIALS} is in it twice")
                    credentials = self._scratch / f"{header.backup_id}.credentials"
                    write_new(credentials, _small(reader, member))
                else:
                    path = _path_of(member)
                    pieces = reader.pieces()
                    if path == SETTINGS:
                        pieces = iter([settings := _small(reader, member)])
                    one = self._place.put(path, pieces)
                    written.write(f"{one.sha256} {one.size} {path}\n")
                    files, size = files + 1, size + one.size
                    if files % _REPORT_EVERY == 0:
                        self._on_progress("files", files, 0)
        if not has_contents:
            raise damaged("it has no list of contents")
        self._compare(header, contents, own)
        _refuse_unreadable(settings)
        return Unpacked(header, contents, credentials, files, size)

    def _compare(self, header: BackupHeader, contents: Path, own: Path) -> None:
        """Compare the list with the files that were read: both are in one order."""
        known = {header.backup_id, *header.rests_on}
        with own.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
            for content in read_contents(contents):
                if content.backup_id not in known:
                    raise damaged("it rests on a backup that it does not name")
                if content.backup_id == header.backup_id:
                    self._find(content, lines)
            for line in lines:
                self._place.drop(line.rstrip("\n").split(" ", 2)[2])

    def _find(self, content: Content, lines: Iterator[str]) -> None:
        for line in lines:
            sha256, size, path = line.rstrip("\n").split(" ", 2)
            if path == content.path == content.stored_as:
                if (sha256, int(size)) != (content.sha256, content.size):
                    raise damaged(f"{safe_display(path)} is not what was backed up")
                return
            self._place.drop(path)
        raise damaged(f"{safe_display(content.path)} is missing")

    def fill_from(self, stream: BinaryIO, wanted: Iterator[Content]) -> tuple[int, int]:
        """Read the files that a later backup rests on from an earlier one; ``wanted`` is in the order of both.

        Returns how many files and bytes.
        """
        reader = ArchiveReader(stream)
        members = reader.members()
        header_of(reader, members)
        content, files, size = next(wanted, None), 0, 0
        for member in members:
            if content is None:
                break
            if member.name == f"{WORKSPACE}/{content.stored_as}":
                one = self._place.put(content.path, reader.pieces())
                if (one.sha256, one.size) != (content.sha256, content.size):
                    raise damaged(f"{safe_display(content.path)} is not what was backed up")
                files, size = files + 1, size + one.size
                if files % _REPORT_EVERY == 0:
                    self._on_progress("files of earlier backups", files, 0)
                content = next(wanted, None)
        if content is not None:
            raise damaged(f"an earlier backup lacks {safe_display(content.stored_as)}")
        return files, size


def _refuse_without(bases: Collection[str] | None, header: BackupHeader) -> None:
    missing = set() if bases is None else set(header.rests_on) - set(bases)
    if missing:
        known = {one.backup_id: str(one) for one in header.earlier}
        named = ", ".join(known.get(one, one) for one in header.rests_on if one in missing)
        raise UsageError(
            f"the backup rests on earlier backups that are not named: {named}",
            hint="name each of them with --base FILE",
        )


def wanted_from(contents: Path, backup_id: str) -> Iterator[Content]:
    """Yield the files of a list whose bytes are in another backup."""
    return (content for content in read_contents(contents) if content.backup_id == backup_id)


def header_of(reader: ArchiveReader, members: Iterator[ArchivedFile]) -> BackupHeader:
    """Read the first file of a backup."""
    first = next(members, None)
    if first is None or first.name != BACKUP:
        raise damaged("it does not begin as one")
    return read_header(_small(reader, first))


def _small(reader: ArchiveReader, member: ArchivedFile) -> bytes:
    if member.size > _MOST_BYTES_AT_ONCE:
        raise damaged(f"{safe_display(member.name)} is too large")
    return b"".join(reader.pieces())


def _refuse_unreadable(settings: bytes) -> None:
    """Raise where what was read of workspace.json makes no workspace."""
    try:
        read = Settings.model_validate_json(settings)
    except pydantic.ValidationError:
        raise damaged(f"{SETTINGS} is missing or not readable") from None
    if "schema_version" not in read.model_fields_set:
        raise damaged(f"{SETTINGS} names no schema_version")
    if read.schema_version > SCHEMA_VERSION:
        raise SchemaVersionError(
            "the workspace in the backup was written by a newer ingest-tui; nothing was restored",
            hint="upgrade ingest-tui",
        )


def _save(reader: ArchiveReader, path: Path) -> None:
    with open_new(path) as file:
        for piece in reader.pieces():
            file.write(piece)


def _path_of(member: ArchivedFile) -> str:
    folder, _, path = member.name.partition("/")
    if folder != WORKSPACE or not path or path.startswith((RESTORE_MARK, f"{SETTINGS}/")):
        raise damaged(f"{safe_display(member.name)} belongs to no workspace")
    return path


def damaged(why: str) -> ValidationError:
    """Return the error of a backup that is not whole."""
    return ValidationError(
        f"the backup is not whole: {why}", hint="use another one; nothing was restored", code=NOT_A_BACKUP
    )
