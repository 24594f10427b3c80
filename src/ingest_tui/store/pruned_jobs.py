"""Deleting what ended jobs left. A folder is renamed out of ``jobs/`` first, so that no job is ever half there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ingest_tui.model.errors import IngestError
from ingest_tui.model.job import Manifest
from ingest_tui.store.fs.atomic import TEMPORARY_PREFIX, empty_folder, remove_tree, sync_folder
from ingest_tui.store.jobs import JobStore
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.rotated_log import files_of

_PRUNED = f"{TEMPORARY_PREFIX}pruned-job."


class JobPruner:
    """For the holder of the prune lock; each job is locked while it is touched.

    A job that somebody works on, that is in the queue, or that has changed since it was chosen, stays as it is.
    """

    def __init__(self, layout: Layout, jobs: JobStore) -> None:
        self._layout = layout
        self._jobs = jobs

    def delete(self, chosen: Manifest) -> bool:
        """Delete the folder of a job; returns whether it is gone."""
        doomed = self._layout.root / f"{_PRUNED}{chosen.job_id}"
        with self._unchanged(chosen) as is_unchanged:
            if is_unchanged:
                remove_tree(doomed)
                self._jobs.paths(chosen.job_id).folder.rename(doomed)
        if is_unchanged:
            sync_folder(self._layout.jobs)
            remove_tree(doomed)
        return is_unchanged

    def delete_log(self, chosen: Manifest) -> bool:
        """Delete the log of a job; returns whether it is gone."""
        with self._unchanged(chosen) as is_unchanged:
            if is_unchanged:
                for path in files_of(self._jobs.paths(chosen.job_id).log):
                    path.unlink(missing_ok=True)
        return is_unchanged

    def delete_staging(self, chosen: Manifest) -> bool:
        """Delete what an ended job left staged; returns whether it is gone."""
        with self._unchanged(chosen) as is_unchanged:
            if is_unchanged:
                empty_folder(self._jobs.paths(chosen.job_id).staging)
        return is_unchanged

    def sweep(self) -> None:
        """Remove what a killed process left of jobs that it deleted."""
        for folder in self._layout.root.glob(f"{_PRUNED}*"):
            remove_tree(folder)

    @contextmanager
    def _unchanged(self, chosen: Manifest) -> Iterator[bool]:
        """Hold the lock of a job; yields whether it is as it was when it was chosen."""
        job_id = chosen.job_id
        if not self._jobs.paths(job_id).folder.is_dir():
            yield False
            return
        lock = self._jobs.lock(job_id)
        if not lock.try_acquire():
            yield False
            return
        with lock:
            try:
                now = self._jobs.load(job_id)
            except IngestError:
                yield False
                return
            yield now.ended and now.rev == chosen.rev and not self._layout.queue_entry(job_id).exists()
