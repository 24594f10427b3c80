"""Adding files by hand: a job whose items are staged already."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.errors import DiskFullError, IngestError, PlanDamagedError, UsageError, ValidationError
from ingest_tui.model.file_names import safe_extension
from ingest_tui.model.hashing import short_digest
from ingest_tui.model.job import Manifest
from ingest_tui.model.ocr import lack_in_words
from ingest_tui.model.plan_line import PlanLine
from ingest_tui.model.preference_overrides import NO_OVERRIDES, Overriding
from ingest_tui.model.preference_values import changed_overrides
from ingest_tui.model.preferences_in_force import preferences_in_force
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.source import Source
from ingest_tui.pipeline.job.ocr import may_need_ocr
from ingest_tui.services.documents.upload_check import StagedFile, UploadProgress, unreadable_files
from ingest_tui.services.documents.upload_files import (
    UploadFile,
    as_one_error,
    check_files,
    checked_label,
    file_at,
    file_from,
    opened,
)
from ingest_tui.services.sources.ocr_data import missing_for_ocr
from ingest_tui.store.chunk_tokens import limits_of
from ingest_tui.store.fs.atomic import sync_filesystem
from ingest_tui.store.layout import RAW_STEM
from ingest_tui.store.records.plan_file import read_plan, write_known_plan
from ingest_tui.store.staging import StagingArea
from ingest_tui.store.users import requester, trigger_here
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.submit import new_manifest, source_of_upload

_NAMES_AUDITED = 20
_KEPT_OPTIONS = ("replace", "overrides", "force")


def upload_files(
    workspace: Workspace,
    files: Sequence[Path | UploadFile],
    *,
    collection_id: str = "default",
    label: str = "",
    replace: bool = False,
    overrides: Mapping[str, Any] | None = None,
    progress: UploadProgress | None = None,
) -> Manifest:
    """Check and stage files, and queue the job that takes them in; returns its manifest.

    Files of the same name are versions of one document in the collection. ``label`` is that of the versions that come
    of it; with ``replace`` the versions before them are deleted once they are in. ``overrides`` are preferences that
    these versions have in place of those of the collection; what is here already is cut again by them. All files
    are read before anything is stored: raises `UsageError` or `NotFoundError` naming each that cannot be taken; then
    nothing is queued. ``progress`` is called in this thread: after each file that is copied, then after each that is
    checked.
    """
    options = _options(workspace, collection_id, overrides, replace=replace)
    label = checked_label(label)
    chosen = [file_at(file) if isinstance(file, Path) else file for file in files]
    try:
        return _queue(workspace, chosen, collection_id, label, options, progress or _ignore)
    except IngestError as error:
        workspace.audit.add_or_warn(
            at=rfc3339_now(), by=requester(), action="upload", target=collection_id, outcome="refused",
            files=_named(chosen), reason=error.message,
        )  # fmt: skip
        raise


def _ignore(_step: str, _done: int, _total: int) -> None:
    """Do nothing with how far an upload is."""


def chosen_files(files: Sequence[str | Path], name: str | None, content: bytes | None) -> list[UploadFile]:
    """Return what a script uploads: files, one under another name, or content that has no file."""
    if content is not None:
        if files or not name:
            raise UsageError("content needs a name, and no files next to it", hint="upload(content=b'…', name='a.csv')")
        return [file_from(BytesIO(content), name)]
    if not files or (name and len(files) > 1):
        raise UsageError("a name is for one file, and there must be one", hint="upload('a.csv', name='report.csv')")
    return [file_at(Path(file), name or "") for file in files]


def _options(
    workspace: Workspace, collection_id: str, overrides: Mapping[str, Any] | None, *, replace: bool
) -> dict[str, Any]:
    """Return the options of the job; raises `ValidationError` for preferences that an upload cannot choose."""
    preferences = workspace.collections.get(collection_id).preferences
    chosen = changed_overrides(NO_OVERRIDES, overrides or {}, collection=preferences)
    if chosen.trash_days is not None:
        hint = f"'ingest-tui collection prefs {collection_id} --set trash_days=30'; a source can have its own, too"
        raise ValidationError("trash_days cannot be chosen for an upload", hint=hint)
    limits_of(preferences_in_force(preferences, Overriding("upload", chosen)).chunk_rules())  # a usable tokenizer
    options: dict[str, Any] = {"replace": True} if replace else {}
    if overrides is not None:
        options |= {"overrides": chosen.chosen(), "force": True}
    return options


def _queue(
    workspace: Workspace,
    files: list[UploadFile],
    collection_id: str,
    label: str,
    options: dict[str, Any],
    progress: UploadProgress,
) -> Manifest:
    """Queue the job of an upload; a refusal leaves nothing of it.

    What is in the files is checked once they are staged: what was checked is what is taken in, also of a stream.
    """
    largest = int(workspace.settings.upload_max_size)
    checked = check_files(files, largest=largest)
    if not checked.files:
        raise as_one_error(checked.problems, len(files))
    _check_room(workspace, checked.size)
    source = source_of_upload(collection_id, options)
    manifest = new_manifest(source, kind="upload", trigger=trigger_here(), by=requester(), staged=True, **options)
    with workspace.jobs.being_made(manifest) as job_paths:
        staging, problems = StagingArea(job_paths.staging), checked.problems
        lines: list[PlanLine] = []
        staged: list[StagedFile] = []
        for number, file in enumerate(checked.files, 1):
            try:
                line, raw_path = _stage(staging, manifest.job_id, collection_id, file, label, largest)
            except UsageError as error:  # too large, which of a stream is not known before
                problems.append(error)
            else:
                lines.append(line)
                staged.append(StagedFile(file.name, file.shown, raw_path, line.size or 0))
            progress("copied", number, len(checked.files))
        problems += unreadable_files(workspace, source, staged, progress)
        if problems:
            raise as_one_error(problems, len(files))
        sync_filesystem(workspace.root)
        write_known_plan(job_paths.plan, lines)
    details: dict[str, Any] = {"collection": collection_id, "names": _named(files), **options}
    if label:
        details["label"] = label
    _warn_of_missing_ocr(workspace, source, staged)
    workspace.audit.add(
        at=manifest.created_at, by=requester(), action="upload", target=manifest.job_id, files=len(lines), **details
    )
    return manifest


def _warn_of_missing_ocr(workspace: Workspace, source: Source, files: list[StagedFile]) -> None:
    """Warn that OCR cannot read pictures here, where a file may be one and is to be read so."""
    lack = missing_for_ocr(workspace, source) if any(may_need_ocr(file.name) for file in files) else None
    if lack is not None:
        warnings.warn(lack_in_words(lack, "the machine of the workspace"), stacklevel=2)


def _named(files: Sequence[UploadFile]) -> list[str]:
    """Return the names of files for the audit log, of many the first."""
    return [file.name for file in files[:_NAMES_AUDITED]]


def retry_upload(workspace: Workspace, old: Manifest) -> Manifest:
    """Queue a new job for what a failed upload has left staged, which the failed one then keeps no more.

    Raises `UsageError` where nothing is staged, or nobody knows what it is; it then stays where it is.
    """
    old_staging = StagingArea(workspace.jobs.paths(old.job_id).staging)
    left = list(_left_staged(workspace, old, old_staging))
    _check_room(workspace, sum(path.stat().st_size for _line, path in left))
    options = {name: old.options[name] for name in _KEPT_OPTIONS if name in old.options}
    source = source_of_upload(old.collection_id, options)
    manifest = new_manifest(
        source, kind="upload", trigger="retry", by=requester(), retry_of=old.job_id, staged=True, **options
    )
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
    with opened(file_at(path), largest=None) as (pieces, _modified_ns):
        _raw_path, size, raw_sha256 = _receive(staging, job_id, line.key, pieces)
    metadata = (line.metadata or {}) | {"raw_sha256": raw_sha256}
    return line._replace(fingerprint=raw_sha256, size=size, metadata=metadata)


def _receive(staging: StagingArea, job_id: str, key: str, pieces: Iterator[bytes]) -> tuple[str, int, str]:
    return staging.receive(_item_id(job_id, key), safe_extension(key), pieces)


def _item_id(job_id: str, key: str) -> str:
    return short_digest(job_id, key, length=20)


def _check_room(workspace: Workspace, size: int) -> None:
    if not workspace.room().has(size):
        import humanize

        raise DiskFullError(
            f"there is no room for {humanize.naturalsize(size)} on the disk of the workspace",
            hint="free some space, or lower disk_reserve in workspace.json; nothing was uploaded",
        )


def _stage(
    staging: StagingArea, job_id: str, collection_id: str, file: UploadFile, label: str, largest: int
) -> tuple[PlanLine, str]:
    """Stage a file; returns its line of the plan, and the path of its bytes."""
    key = f"{collection_id}/{file.name}"
    with opened(file, largest=largest) as (pieces, modified_ns):
        raw_path, size, raw_sha256 = _receive(staging, job_id, key, pieces)
    line = PlanLine(
        "ingest",
        "upload",
        key,
        file.uri(collection_id),
        fingerprint=raw_sha256,
        size=size,
        modified_ns=modified_ns,
        metadata={"raw_sha256": raw_sha256} | ({"label": label} if label else {}),
    )
    return line, raw_path
