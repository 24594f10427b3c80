"""The one way from the screens to the services: each call opens the workspace for its own thread.

Screens call these methods in threads only. Tests give the application a gateway of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ingest_tui.tui.client.conflicts import Conflict, saved_or_conflict
from ingest_tui.tui.client.credential_calls import CredentialCalls
from ingest_tui.tui.client.document_calls import DocumentCalls
from ingest_tui.tui.client.error_calls import ErrorCalls
from ingest_tui.tui.client.source_calls import SourceCalls

if TYPE_CHECKING:
    # For types alone: the first screen is painted before pydantic and the services are loaded.
    from ingest_tui.model.job import Manifest
    from ingest_tui.model.outcome import Outcome
    from ingest_tui.model.plan_line import PlanLine
    from ingest_tui.model.source import Source
    from ingest_tui.services.jobs.logs import LogFollower
    from ingest_tui.services.workers import WorkerInfo
    from ingest_tui.store.catalogue.rebuild_progress import RebuildProgress
    from ingest_tui.store.workspace import Workspace

Record = TypeVar("Record")

OUTCOME_SLICE = 2000
LOG_SLICE = 1000


class Gateway(SourceCalls, CredentialCalls, DocumentCalls, ErrorCalls):
    """Calls the services on a workspace."""

    def __init__(self, root: Path, *, read_only: bool = False) -> None:
        self.root = root
        self.read_only = read_only
        self.on_rebuild: Callable[[RebuildProgress], None] | None = None
        """Hears, in the thread of a call, of a catalogue that was lost and is made again for it."""

    @contextmanager
    def _workspace(self) -> Iterator[Workspace]:
        from ingest_tui.store.workspace import open_workspace_at

        workspace = open_workspace_at(self.root)
        workspace.is_read_only = self.read_only
        if self.on_rebuild is not None:
            workspace.on_rebuild = self.on_rebuild
        try:
            yield workspace
        except Exception as error:
            from ingest_tui.services.workspaces import failure_of_catalogue

            cause = failure_of_catalogue(workspace, error)
            if cause is None:
                raise
            raise cause from error
        finally:
            workspace.close()

    @contextmanager
    def _changing(self) -> Iterator[Workspace]:
        """Open the workspace for something that changes it; with ``--read-only`` nothing does."""
        if self.read_only:
            from ingest_tui.model.errors import RefusedError

            raise RefusedError("this screen was opened with --read-only", hint="start it without, to change something")
        with self._workspace() as workspace:
            yield workspace

    def check(self) -> None:
        """Open the workspace; raises what is wrong with it."""
        with self._workspace():
            return

    # Jobs

    def job(self, job_id: str) -> Manifest:
        """Return the manifest of a job."""
        from ingest_tui.services.jobs import jobs

        with self._workspace() as workspace:
            return jobs.get_job(workspace, job_id)

    def outcomes(self, job_id: str, offset: int) -> Iterator[tuple[list[Outcome], int]]:
        """Yield slices of the outcomes from byte ``offset`` on, each with the offset behind it."""
        from ingest_tui.services.jobs import jobs

        with self._workspace() as workspace:
            yield from _slices(jobs.job_items(workspace, job_id, offset=offset), OUTCOME_SLICE)

    def log(self, job_id: str, offset: int) -> Iterator[tuple[list[dict[str, Any]], int]]:
        """Yield slices of the log of a job from byte ``offset`` on, each with the offset behind it."""
        from ingest_tui.services.jobs import jobs

        with self._workspace() as workspace:
            yield from _slices(jobs.job_log(workspace, job_id, offset=offset), LOG_SLICE)

    def change_job(self, verb: str, job_id: str) -> Manifest:
        """Ask for something on a job: cancel, pause, resume, retry, retry_failed, approve or refuse."""
        from ingest_tui.services.jobs import jobs

        with self._changing() as workspace:
            if verb == "retry_failed":
                return jobs.retry_job(workspace, job_id, failed_only=True)
            calls = {
                "cancel": jobs.cancel_job,
                "pause": jobs.pause_job,
                "resume": jobs.resume_job,
                "retry": jobs.retry_job,
                "approve": jobs.approve_job,
                "refuse": jobs.refuse_job,
            }
            return calls[verb](workspace, job_id)

    def set_priority(self, job_id: str, priority: int) -> Manifest:
        """Let a job run sooner or later than others."""
        from ingest_tui.services.jobs import jobs

        with self._changing() as workspace:
            return jobs.set_priority(workspace, job_id, priority)

    def held_deletions(self, job_id: str) -> list[PlanLine]:
        """Return the deletions that a job holds for a person."""
        from ingest_tui.services.jobs import jobs

        with self._workspace() as workspace:
            return jobs.held_deletions(workspace, job_id)

    # Logs and audit

    def logs(self) -> LogFollower:
        """Return a follower of the logs of all jobs and of the worker; it may be read in other threads later."""
        from ingest_tui.services.jobs import logs

        with self._workspace() as workspace:
            return logs.follow_logs(workspace)

    def audit(self, offset: int | None) -> tuple[list[dict[str, Any]], int]:
        """Return the lines of the audit from byte ``offset`` on and the offset behind them; None: the newest."""
        from ingest_tui.services.jobs import audit_trail

        with self._workspace() as workspace:
            end = audit_trail.audit_tail_offset(workspace) if offset is None else offset
            entries = []
            for entry, behind in audit_trail.audit_from(workspace, end):
                entries.append(entry)
                end = behind
            return entries, end

    def export_audit(self, target: Path, words: str) -> tuple[Path, int]:
        """Write the lines of the audit that have these words to a file; returns where, and how many."""
        from ingest_tui.services.jobs import audit_trail

        with self._changing() as workspace:
            return audit_trail.export_audit(workspace, target, audit_trail.AuditQuery(words))

    # Records and settings

    def record_text(self, kind: str, name: str) -> str:
        """Return a job, a source or a document as JSON."""
        from ingest_tui.services import record_texts

        with self._workspace() as workspace:
            return record_texts.record_text(workspace, kind, name)

    def save_source_text(self, source_id: str, text: str, before: str) -> Source | Conflict:
        """Save a source as somebody has written it, who began with ``before``; a conflict has theirs as a text."""
        from ingest_tui.services import record_texts

        with self._changing() as workspace:
            saved = saved_or_conflict(lambda: record_texts.save_source_text(workspace, source_id, text, before))
            if isinstance(saved, Conflict):
                return Conflict(record_texts.text_of(saved.theirs), saved.lines)
            return saved

    def write_text(self, target: Path, text: str) -> Path:
        """Write a text into a new file outside of the workspace."""
        from ingest_tui.services import record_texts

        with self._workspace() as workspace:
            return record_texts.write_text(workspace, target, text)

    def remember_theme(self, theme: str) -> None:
        """Put the theme into workspace.json."""
        from ingest_tui.services import workspaces

        with self._changing() as workspace:
            workspaces.set_theme(workspace, theme)

    # Workers

    def workers(self) -> list[WorkerInfo]:
        """Return the living workers of this workspace."""
        from ingest_tui.services import workers

        with self._workspace() as workspace:
            return workers.worker_status(workspace)

    def start_worker(self) -> int:
        """Start a worker of its own session; returns its process id."""
        from ingest_tui.services import workers

        with self._changing() as workspace:
            return workers.start_worker(workspace)

    def ensure_worker(self) -> int | None:
        """Start a worker when none serves the queue; returns its process id, or None when one was there."""
        from ingest_tui.services import workers

        with self._changing() as workspace:
            return workers.ensure_worker(workspace)

    def stop_workers(self) -> tuple[int, str]:
        """Ask the workers to end; returns how many did, and why the first of the others did not."""
        from ingest_tui.services import workers

        with self._changing() as workspace:
            report = workers.stop_workers(workspace)
        return len(report.stopped), report.remaining[0][1] if report.remaining else ""


def _slices(records: Iterator[tuple[Record, int]], length: int) -> Iterator[tuple[list[Record], int]]:
    batch: list[Record] = []
    end = 0
    for record, end in records:
        batch.append(record)
        if len(batch) == length:
            yield batch, end
            batch = []
    if batch:
        yield batch, end
