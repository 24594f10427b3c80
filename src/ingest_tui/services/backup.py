"""Backups of a workspace: written while a worker runs, checked, and restored to an empty folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.errors import DiskFullError, IngestError, NotFoundError, RefusedError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.services.documents.export import checked_target
from ingest_tui.store.backup.archive import ArchiveReader
from ingest_tui.store.backup.contents import read_contents
from ingest_tui.store.backup.filling import filled_workspace, held_back
from ingest_tui.store.backup.header import BackupHeader
from ingest_tui.store.backup.progress import BackupProgress, unheard
from ingest_tui.store.backup.snapshot import take_snapshot
from ingest_tui.store.backup.unfinished import hold_unfinished, remove_unfinished
from ingest_tui.store.backup.unpacking import (
    BackupUnpacker,
    NewFolder,
    Nowhere,
    RestoreTarget,
    Unpacked,
    header_of,
    wanted_from,
)
from ingest_tui.store.backup.writing import BackupReport, BackupWriter, Base
from ingest_tui.store.catalogue.sqlite_access import put_temporary_files_in
from ingest_tui.store.fs.atomic import make_folder, replaced_durably, write_durably
from ingest_tui.store.fs.disk import means_disk_full
from ingest_tui.store.fs.leftovers import scratch_folder, sweep_leftovers
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.audit import AuditLog
from ingest_tui.store.users import requester
from ingest_tui.store.workspace import Workspace, credentials_path_of

__all__ = ["BackupReport", "RestoreReport", "back_up", "check_backup", "restore_backup", "stream_backup"]


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was restored, or checked: which backup, of when and of which workspace; its files and bytes."""

    backup_id: str
    created_at: str
    workspace: str
    files: int
    bytes: int

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


def back_up(
    workspace: Workspace,
    target: Path,
    *,
    base: Path | None = None,
    replace: bool = False,
    with_credentials: bool = False,
    on_progress: BackupProgress = unheard,
) -> tuple[Path, BackupReport]:
    """Write a backup to a file outside of the workspace, whole or not at all; returns where, and what is in it.

    ``base``: an earlier backup; what it has is named instead of written again, and a restore needs both. It is read
    whole first, so that nothing rests on one that is damaged.
    """
    place = checked_target(workspace, target.expanduser(), replace=replace, is_folder=False)
    _keep_what_it_rests_on(place, base)
    remove_unfinished(place.parent)
    with (
        _named_when_full(place.parent),
        replaced_durably(place) as descriptor,
        os.fdopen(os.dup(descriptor), "wb") as file,
    ):
        hold_unfinished(descriptor)
        report = _written(workspace, file, base=base, with_credentials=with_credentials, on_progress=on_progress)
        file.flush()
    _audit(workspace, str(place), report)
    return place, report


def _keep_what_it_rests_on(place: Path, base: Path | None) -> None:
    """Raise `RefusedError` where a backup would replace the file that has some of its bytes, by whatever name."""
    if base is None or not place.is_file():
        return
    earlier = _header(base)
    try:
        replaced = _header(place)
    except IngestError:  # no backup
        return
    if replaced.backup_id in {earlier.backup_id, *earlier.rests_on}:
        raise RefusedError(
            f"the new backup would rest on {safe_display(str(place))}, and replace it",
            hint="name another FILE, or leave out --base for a backup that rests on no other",
        )


def stream_backup(
    workspace: Workspace,
    stream: BinaryIO,
    *,
    base: Path | None = None,
    with_credentials: bool = False,
    on_progress: BackupProgress = unheard,
) -> BackupReport:
    """Write a backup to a stream, as `back_up` does to a file. One that was cut off is refused when it is read."""
    try:
        report = _written(workspace, stream, base=base, with_credentials=with_credentials, on_progress=on_progress)
        stream.flush()
    except BrokenPipeError:  # elsewhere a reader that has seen enough is no failure
        raise IngestError(
            "nobody reads the backup any more, which is not whole", hint="see why the other end of the pipe has ended"
        ) from None
    _audit(workspace, "stdout", report)
    return report


def _audit(workspace: Workspace, target: str, report: BackupReport) -> None:
    if workspace.is_read_only:
        return
    details = {"backup_id": report.backup_id, "base": report.base, "documents": report.documents}
    at = rfc3339_now()
    workspace.audit.add_or_warn(at=at, by=requester(), action="backup.create", target=target, **details)


def _written(
    workspace: Workspace,
    stream: BinaryIO,
    *,
    base: Path | None,
    with_credentials: bool,
    on_progress: BackupProgress,
) -> BackupReport:
    credentials = workspace.credentials_path if with_credentials else None
    if credentials is not None and not credentials.is_file():
        raise NotFoundError(
            f"there is no credentials file {safe_display(str(credentials))}", hint="leave out --with-credentials"
        )
    if not workspace.is_read_only:
        with suppress(OSError):  # where no worker lives, nobody else does it
            sweep_leftovers(workspace.layout)
    try:
        with scratch_folder(workspace) as scratch:
            earlier = None if base is None else _base(base, scratch, on_progress)
            on_progress("catalogue", 0, 0)
            snapshot = take_snapshot(workspace, scratch / "files")
            try:
                writer = BackupWriter(workspace, snapshot, scratch, stream, earlier)
                return writer.write(on_progress, credentials)
            finally:
                snapshot.catalogue.close()
    finally:
        put_temporary_files_in(workspace.root)


def _base(path: Path, scratch: Path, on_progress: BackupProgress) -> Base:
    with _opened(path) as stream:
        unpacked = BackupUnpacker(Nowhere(), scratch, on_progress).unpack(stream)
    return Base(unpacked.header, read_contents(unpacked.contents), safe_display(path.name))


@contextmanager
def _named_when_full(folder: Path) -> Iterator[None]:
    """Raise what a full disk is as an error of ours."""
    try:
        yield
    except OSError as error:
        if means_disk_full(error, folder):
            raise DiskFullError(
                "there is not enough room on the disk; nothing is left of what was begun",
                hint="free some space, or name another disk; TMPDIR says where copies are kept meanwhile",
            ) from None
        raise


# Restoring


def check_backup(
    source: Path | BinaryIO, bases: Sequence[Path] = (), *, on_progress: BackupProgress = unheard
) -> RestoreReport:
    """Read a backup to its end, with all that it rests on, and compare every hash; raises `ValidationError`."""
    with (
        _named_when_full(Path(tempfile.gettempdir())),
        tempfile.TemporaryDirectory(prefix="ingest-tui-check-") as scratch,
    ):
        return _unpacked(Nowhere(), source, bases, Path(scratch), on_progress)[1]


def restore_backup(
    source: Path | BinaryIO,
    folder: Path,
    bases: Sequence[Path] = (),
    *,
    credentials_path: Path | None = None,
    with_credentials: bool = False,
    on_progress: BackupProgress = unheard,
) -> RestoreReport:
    """Make a workspace of a backup in a folder that is empty or not there; all of it or nothing.

    ``bases``: the earlier backups that it rests on. ``with_credentials``: the registry of credentials is restored too,
    to ``credentials_path``, which must not be there. Raises `ValidationError` for a backup that is not whole.
    """
    root = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() would follow a link that people named on purpose
    credentials_path = credentials_path_of(root, credentials_path)
    if with_credentials and os.path.lexists(credentials_path):
        raise RefusedError(
            f"{safe_display(str(credentials_path))} is there already", hint="name another file with --credentials"
        )
    with _named_when_full(root.parent), filled_workspace(root) as place, _scratch_in(place) as scratch:
        names = {Layout(root).settings.name: held_back(Layout(root)).name}
        unpacked, report = _unpacked(NewFolder(place, names), source, bases, scratch, on_progress)
        _audit_restore(Layout(place), report)
        if with_credentials:
            _restore_credentials(unpacked, credentials_path)
    return report


def _audit_restore(layout: Layout, report: RestoreReport) -> None:
    """Write the line before there is a workspace: whoever kills the restore after that does not take it away."""
    make_folder(layout.locks)
    details = {"backup_id": report.backup_id, "created_at": report.created_at}
    AuditLog(layout).add(at=rfc3339_now(), by=requester(), action="backup.restore", target=str(layout.root), **details)


@contextmanager
def _scratch_in(root: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=".tmp.lists-", dir=root) as scratch:
        yield Path(scratch)


def _restore_credentials(unpacked: Unpacked, path: Path) -> None:
    if unpacked.credentials is None:
        raise NotFoundError("the backup has no credentials", hint="leave out --with-credentials")
    write_durably(path, unpacked.credentials.read_bytes())


def _unpacked(
    place: RestoreTarget, source: Path | BinaryIO, bases: Sequence[Path], scratch: Path, on_progress: BackupProgress
) -> tuple[Unpacked, RestoreReport]:
    unpacker = BackupUnpacker(place, scratch, on_progress)
    earlier = {_header(path).backup_id: path for path in bases}
    with ExitStack() as opened:
        stream = opened.enter_context(_opened(source)) if isinstance(source, Path) else source
        unpacked = unpacker.unpack(stream, bases=earlier.keys())
    files, size = unpacked.files, unpacked.bytes
    for backup_id in unpacked.header.rests_on:
        with _opened(earlier[backup_id]) as stream:
            number, more = unpacker.fill_from(stream, wanted_from(unpacked.contents, backup_id))
            files, size = files + number, size + more
    header = unpacked.header
    return unpacked, RestoreReport(header.backup_id, header.created_at, header.workspace, files, size)


def _header(path: Path) -> BackupHeader:
    with _opened(path) as stream:
        reader = ArchiveReader(stream)
        return header_of(reader, reader.members())


def _opened(path: Path) -> BinaryIO:
    if not path.is_file():
        raise NotFoundError(f"there is no file {safe_display(str(path))}", hint="name a backup that is there")
    return path.open("rb")
