"""Adding files by hand: a job whose items are staged already."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ingest_tui.model.clock import storable_ns
from ingest_tui.model.errors import DiskFullError, NotFoundError, PlanDamagedError, UsageError
from ingest_tui.model.file_names import safe_extension
from ingest_tui.model.hashing import short_digest
from ingest_tui.model.job import Manifest
from ingest_tui.model.keys import file_uri, key_from_bytes
from ingest_tui.model.plan_line import PlanLine
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.source import DEFAULT_MAX_SIZE, UPLOAD_SOURCE, Source
from ingest_tui.store.fs.atomic import sync_filesystem
from ingest_tui.store.layout import RAW_STEM
from ingest_tui.store.records.plan_file import read_plan, write_known_plan
from ingest_tui.store.staging import StagingArea
from ingest_tui.store.users import requester
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.submit import new_manifest

_PIECE = 1 << 20


def upload_files(workspace: Workspace, paths: list[Path], *, collection_id: str = "default") -> Manifest:
    """Stage files and queue the job that takes them in; returns its manifest.

    Files of the same name are versions of one document in the collection. Raises `UsageError` when two of the files
    have the same name, `NotFoundError` for a missing one; then nothing is queued.
    """
    workspace.collections.get(collection_id)
    names = [key_from_bytes(os.fsencode(path.name)) for path in paths]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(
            f"two of the files are named {safe_display(twice)!r}", hint="upload them one after the other, or rename one"
        )
    _check_room(workspace, paths)
    source = Source(source_id=UPLOAD_SOURCE, name="Uploads", source_type="upload", collection_id=collection_id)
    manifest = new_manifest(source, kind="upload", trigger="manual", by=requester(), staged=True)
    with workspace.jobs.being_made(manifest) as job_paths:
        staging = StagingArea(job_paths.staging)
        lines = [
            _stage(staging, manifest.job_id, collection_id, name, path) for name, path in zip(names, paths, strict=True)
        ]
        sync_filesystem(workspace.root)
        write_known_plan(job_paths.plan, lines)
    workspace.audit.add(
        at=manifest.created_at, by=requester(), action="upload", target=manifest.job_id, files=len(lines)
    )
    return manifest


def retry_upload(workspace: Workspace, old: Manifest) -> Manifest:
    """Queue a new job for what a failed upload has left staged, which the failed one then keeps no more.

    Raises `UsageError` where nothing is staged, or nobody knows what it is; it then stays where it is.
    """
    old_staging = StagingArea(workspace.jobs.paths(old.job_id).staging)
    left = list(_left_staged(workspace, old, old_staging))
    _check_room(workspace, [path for _line, path in left])
    source = Source(source_id=UPLOAD_SOURCE, name="Uploads", source_type="upload", collection_id=old.collection_id)
    manifest = new_manifest(source, kind="upload", trigger="retry", by=requester(), retry_of=old.job_id, staged=True)
    with workspace.jobs.being_made(manifest) as job_paths:
        staging = StagingArea(job_paths.staging)
        lines = [_stage_again(staging, manifest.job_id, line, path) for line, path in left]
        sync_filesystem(workspace.root)
        write_known_plan(job_paths.plan, lines)
    for line, _path in left:
        old_staging.drop(_item_id(old.job_id, line.key))
    return manifest


def _left_staged(workspace: Workspace, old: Manifest, staging: StagingArea) -> Iterator[tuple[PlanLine, Path]]:
    """Yield the lines of a failed upload whose files are still staged, with these files."""
    place = safe_display(str(workspace.jobs.paths(old.job_id).staging))
    hint = "upload the files again"
    if old.keeps_uploaded_files:
        hint = f"upload the files again; those that were not taken in are in {place}"
    lines: list[PlanLine] = []
    with suppress(PlanDamagedError):
        lines = [line for line in read_plan(workspace.jobs.paths(old.job_id).plan) if line.action == "ingest"]
    found = False
    for line in lines if old.keeps_uploaded_files else ():
        path = Path(staging.folder(_item_id(old.job_id, line.key)), f"{RAW_STEM}.{safe_extension(line.key)}")
        if path.is_file() and not path.is_symlink():
            found = True
            yield line, path
    if not found:
        raise UsageError(f"nothing of upload {old.job_id} is left to be tried again", hint=hint)


def _stage_again(staging: StagingArea, job_id: str, line: PlanLine, path: Path) -> PlanLine:
    with _opened(path) as (descriptor, _status):
        _raw_path, size, raw_sha256 = _receive(staging, job_id, line.key, descriptor)
    return line._replace(fingerprint=raw_sha256, size=size, metadata={"raw_sha256": raw_sha256})


def _receive(staging: StagingArea, job_id: str, key: str, descriptor: int) -> tuple[str, int, str]:
    pieces = iter(lambda: os.read(descriptor, _PIECE), b"")
    return staging.receive(_item_id(job_id, key), safe_extension(key), pieces)


def _item_id(job_id: str, key: str) -> str:
    return short_digest(job_id, key, length=20)


def _check_room(workspace: Workspace, paths: list[Path]) -> None:
    size = sum(_size_of(path) for path in paths)
    if not workspace.room().has(size):
        import humanize

        raise DiskFullError(
            f"there is no room for {humanize.naturalsize(size)} on the disk of the workspace",
            hint="free some space, or lower disk_reserve in workspace.json; nothing was uploaded",
        )


def _size_of(path: Path) -> int:
    """Return the size of a file in bytes. What cannot be read has none here: opening it says why."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def _stage(staging: StagingArea, job_id: str, collection_id: str, name: str, path: Path) -> PlanLine:
    key = f"{collection_id}/{name}"
    with _opened(path) as (descriptor, status):
        _raw_path, size, raw_sha256 = _receive(staging, job_id, key, descriptor)
    return PlanLine(
        "ingest",
        "upload",
        key,
        file_uri(os.fsencode(path.absolute())),
        fingerprint=raw_sha256,
        size=size,
        modified_ns=storable_ns(status.st_mtime_ns),
        metadata={"raw_sha256": raw_sha256},
    )


@contextmanager
def _opened(path: Path) -> Iterator[tuple[int, os.stat_result]]:
    name = safe_display(str(path))
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {name}", hint="nothing was uploaded") from None
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}", hint="nothing was uploaded") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(
                f"{name} is not a file", hint="a folder is a source: 'ingest-tui source add local NAME --path FOLDER'"
            )
        if status.st_size > DEFAULT_MAX_SIZE:
            import humanize

            size, limit = humanize.naturalsize(status.st_size), humanize.naturalsize(DEFAULT_MAX_SIZE)
            raise UsageError(
                f"{name} has {size}; uploads take at most {limit}",
                hint="nothing was uploaded; a source takes larger files with --max-size",
            )
        yield descriptor, status
    finally:
        os.close(descriptor)
