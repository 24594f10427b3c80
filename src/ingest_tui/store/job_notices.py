"""Ended jobs that hooks are still to be told of: ``notices/<job-id>.json``, one small file for each job.

A notice is on disk before its job leaves the queue. Whoever is killed between the end of a job and this leaves the
job in the queue, and who clears that up writes the notice: so each hook is told at least once.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.errors import IngestError
from ingest_tui.model.identifiers import is_identifier
from ingest_tui.model.job import Manifest
from ingest_tui.model.job_end_hook import event_of
from ingest_tui.model.job_notice import SCHEMA_VERSION, JobNotice, WaitingHook
from ingest_tui.model.redaction import redact_values
from ingest_tui.store.fs.atomic import make_inner_folder
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.json_files import read_record, refuse_other_name, write_record

if TYPE_CHECKING:
    from ingest_tui.store.workspace import Workspace


class NoticeStore:
    """The notices of a workspace. One process tells of a job at a time: the holder of the lock of its notice."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def ids(self) -> list[str]:
        """Return the jobs that have a notice, oldest first; also those of which a death left the lock alone."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            paths = [path for path in self._layout.notices.iterdir() if path.suffix in {".json", ".lock"}]
            return sorted({path.stem for path in paths if is_identifier(path.stem)})
        return []

    def get(self, job_id: str) -> JobNotice | None:
        """Return the notice of a job, None where it has none; raises `IngestError` for one that cannot be read."""
        path = self._layout.notice(job_id)
        if not path.exists():
            return None
        notice = read_record(path, JobNotice, newest=SCHEMA_VERSION, what=f"the notice of job {job_id}")
        refuse_other_name(notice.job_id, job_id, what="notice", path=path)
        return notice

    def save(self, notice: JobNotice) -> None:
        """Write a notice durably."""
        make_inner_folder(self._layout.notices)
        write_record(self._layout.notice(notice.job_id), notice)

    def lock(self, job_id: str) -> FileLock:
        """Return the lock of a notice; `remove` takes its file away."""
        return FileLock(self._layout.notice(job_id).with_suffix(".lock"))

    def remove(self, job_id: str) -> None:
        """Remove a notice with its lock, which the caller holds."""
        path = self._layout.notice(job_id)
        path.unlink(missing_ok=True)
        path.with_suffix(".lock").unlink(missing_ok=True)


def leave_queue(workspace: Workspace, manifest: Manifest) -> None:
    """Take an ended job out of the queue, after a notice for the hooks that want to hear of it.

    Raises `OSError` where that cannot be written: the job stays in the queue, and whoever looks at it next tries again.
    """
    note_end(workspace, manifest)
    workspace.jobs.leave_queue(manifest.job_id)


def note_end(workspace: Workspace, manifest: Manifest) -> None:
    """Write a notice for the hooks that want to hear of an ended job, unless there is one that can be read."""
    names = [hook.name for hook in workspace.settings.on_job_end if hook.is_for(manifest)]
    if not names:
        return
    notices = NoticeStore(workspace.layout)
    with contextlib.suppress(IngestError):  # one that cannot be read is written again
        if notices.get(manifest.job_id) is not None:
            return
    notices.save(
        JobNotice(
            job_id=manifest.job_id,
            noted_at=rfc3339_now(),
            event=redact_values(event_of(manifest, str(workspace.root))),
            waiting=tuple(WaitingHook(name=name) for name in dict.fromkeys(names)),
        )
    )
