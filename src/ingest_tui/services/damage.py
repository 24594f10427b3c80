"""What is damaged or lost among the files of a workspace, besides its catalogue and documents. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from ingest_tui.connectors.registry import source_types
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import IngestError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.source import RESERVED_SOURCES
from ingest_tui.store.catalogue import queries
from ingest_tui.store.catalogue.known_good import open_known_good_to_read
from ingest_tui.store.layout import RAW_STEM
from ingest_tui.store.records.journal import count_damaged_lines
from ingest_tui.store.workspace import Workspace


class Damage(NamedTuple):
    """A file that cannot be used. ``level``: ``problem``, or where nothing rests on what is gone less."""

    level: str
    name: str
    message: str
    hint: str


def find_damage(workspace: Workspace) -> Iterator[Damage]:
    """Yield what is damaged or lost: folders, sources, collections, jobs, journals."""
    yield from _folders(workspace)
    yield from _each("source", workspace.sources.unreadable, workspace.sources.get)
    yield from _each("collection", workspace.collections.unreadable, workspace.collections.get)
    yield from _documents_without_source(workspace)
    yield from _jobs(workspace)
    for path in (workspace.layout.audit, workspace.layout.ignored, workspace.layout.removals):
        yield from _journal(path)


def _folders(workspace: Workspace) -> Iterator[Damage]:
    for folder in workspace.layout.folders:
        if not folder.is_dir():
            hint = "restore it from a backup, or 'mkdir -m 700' makes it again where nothing was in it"
            yield Damage("problem", folder.name, f"the folder {safe_display(str(folder))} is missing", hint)


def _each(kind: str, names: Callable[[], list[str]], get: Callable[[str], Any]) -> Iterator[Damage]:
    try:
        unreadable = names()
    except IngestError:
        return  # the folder is missing, which is reported as such
    for name in unreadable:
        try:
            get(name)
        except IngestError as error:
            yield Damage("problem", f"{kind} {safe_display(name)}", error.message, error.hint)


def _documents_without_source(workspace: Workspace) -> Iterator[Damage]:
    """Documents of no source: kept when theirs was removed, or it has lost its file. Registered ones are neither."""
    try:
        with closing(open_known_good_to_read(workspace.layout)) as catalogue:
            counts = queries.documents_by_origin(catalogue)
        known = {*RESERVED_SOURCES, *workspace.sources.names(), *workspace.sources.unreadable()}
    except IngestError:
        return  # reported as such
    for source_id, source_type, number in counts:
        if source_id not in known and source_type in source_types():
            message = f"there is no such source, but there are {counted(number, 'document')} of it"
            hint = "if it was not removed with --keep-documents, its file is lost: restore it, or add the source again"
            yield Damage("note", f"source {safe_display(source_id)}", message, hint)


def _jobs(workspace: Workspace) -> Iterator[Damage]:
    found: list[Damage] = []

    def unreadable(job_id: str, error: IngestError) -> None:
        found.append(Damage("problem", f"job {safe_display(job_id)}", error.message, error.hint))

    queued = set(workspace.jobs.queued_ids())
    for job in workspace.jobs.readable(sorted(queued.union(workspace.jobs.ids())), on_unreadable=unreadable):
        if job.keeps_uploaded_files:
            found += _kept_uploads(workspace, job.job_id)
        if not job.ended and job.job_id not in queued:
            message = "has not ended and is not in the queue"
            hint = "a worker puts it back when it starts: 'ingest-tui worker start'"
            found.append(Damage("problem", f"job {safe_display(job.job_id)}", message, hint))
    return iter(found)


def _kept_uploads(workspace: Workspace, job_id: str) -> Iterator[Damage]:
    staging = workspace.jobs.paths(job_id).staging
    number = sum(1 for path in staging.glob(f"*/{RAW_STEM}.*"))
    if number:
        message = (
            f"the upload failed; {counted(number, 'file')} that were not taken in are kept in "
            f"{safe_display(str(staging))}"
        )
        yield Damage("note", f"job {job_id}", message, "upload them again, then remove what is in that folder")


def _journal(path: Path) -> Iterator[Damage]:
    try:
        damaged = count_damaged_lines(path)
    except OSError as error:
        yield Damage("problem", path.name, f"cannot be read: {error.strerror}", "check its permissions")
        return
    if damaged:
        message = f"{counted(damaged, 'line')} of {safe_display(str(path))} are damaged and are left out"
        yield Damage("warning", path.name, message, "the others are used; restore the file from a backup if it matters")
