"""Jobs: whether manifests, plans, journals, staging and the queue agree. A job that is worked on is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import apsw
import orjson

from ingest_tui.model.counted import counted
from ingest_tui.model.errors import IngestError, NotFoundError, PlanDamagedError, SchemaVersionError, ValidationError
from ingest_tui.model.inconsistency import Inconsistency, Remedy
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.services.verify.outcome_checks import outcomes_without_line, read_outcome_lines
from ingest_tui.services.verify.outcomes_again import derived_outcomes
from ingest_tui.store.fs.locks import is_locked
from ingest_tui.store.layout import JobLayout
from ingest_tui.store.quarantine import paths_in_quarantine
from ingest_tui.store.records.journal import whole_lines
from ingest_tui.store.records.plan_file import is_whole, lacks_lines, plan_end, read_plan
from ingest_tui.store.records.rotated_log import files_of
from ingest_tui.store.workspace import Workspace

_DONE = {JobState.SUCCEEDED, JobState.PARTIAL}


class JobCheck:
    """Checks single jobs. ``deep`` reads plans and logs whole."""

    def __init__(self, workspace: Workspace, *, deep: bool) -> None:
        self._workspace = workspace
        self._jobs = workspace.jobs
        self._deep = deep

    def of(self, job_id: str) -> Iterator[Inconsistency]:
        """Yield what is wrong with a job, or with what is in the place of one."""
        layout = self._workspace.layout
        try:
            paths, entry = self._jobs.paths(job_id), layout.queue_entry(job_id)
        except ValidationError:
            yield Inconsistency("unknown_file", self._below(layout.jobs / job_id), "nothing of a job")
            return
        if is_locked(entry) or is_locked(paths.lock):  # it is being made, or worked on
            return
        is_queued = entry.exists()
        if not paths.folder.is_dir():
            yield Inconsistency("queue_entry_without_job", job_id, "the queue names a job that is not there")
            return
        try:
            manifest = self._jobs.load(job_id)
        except NotFoundError:
            remedy = None if is_queued else Remedy.QUARANTINE  # it may be more than what a crash left
            message = "a job that was not made to its end"
            yield Inconsistency("leftover", self._below(paths.folder), message, own_remedy=remedy)
        except SchemaVersionError:
            return  # a newer program knows what it is
        except IngestError as error:
            code = "queued_job_damaged" if is_queued else "manifest_damaged"
            yield Inconsistency(code, job_id, error.message)
        else:
            yield from self._queue(manifest, is_queued=is_queued)
            if manifest.ended:
                yield from self._manifest(manifest)
                yield from self._files(manifest, paths, is_queued=is_queued)

    def source_and_time(self, job_id: str) -> tuple[str, str] | None:
        """Return the source of a job, and when it was last written; None where nobody can say."""
        try:
            manifest = self._jobs.load(job_id)
        except IngestError:
            return None
        return manifest.source_id, manifest.updated_at

    def _queue(self, manifest: Manifest, *, is_queued: bool) -> Iterator[Inconsistency]:
        if manifest.ended and is_queued:
            yield Inconsistency("ended_job_queued", manifest.job_id, f"it has {manifest.state}, and is in the queue")
        elif not manifest.ended and not is_queued:
            yield Inconsistency("job_not_queued", manifest.job_id, f"it is {manifest.state}, and not in the queue")

    def _manifest(self, manifest: Manifest) -> Iterator[Inconsistency]:
        last = manifest.transitions[-1].to if manifest.transitions else None
        if last is not manifest.state:
            message = f"its state is {manifest.state}, and its last transition was to {last or 'nothing'}"
            yield Inconsistency("manifest_contradicts", manifest.job_id, message)
        counters = manifest.counters
        if manifest.state in _DONE and counters.listed_accounted_for != counters.descriptors_listed:
            message = (
                f"{counted(counters.descriptors_listed, 'item was', 'items were')} listed, and "
                f"{counters.listed_accounted_for} counted"
            )
            yield Inconsistency("counters_differ", manifest.job_id, message)

    def _files(self, manifest: Manifest, paths: JobLayout, *, is_queued: bool) -> Iterator[Inconsistency]:
        yield from self._plan(manifest, paths)
        yield from self._outcomes(manifest, paths)
        for path in files_of(paths.log) if self._deep else ():
            if damaged := _damaged_log_lines(path):
                yield Inconsistency("log_damaged", self._below(path), f"{counted(damaged, 'line')} cannot be read")
        if (
            not is_queued
            and not manifest.keeps_uploaded_files
            and paths.staging.is_dir()
            and any(paths.staging.iterdir())
        ):
            yield Inconsistency(
                "staged_files_left", manifest.job_id, "it has ended, and its staged files are still there"
            )

    def _plan(self, manifest: Manifest, paths: JobLayout) -> Iterator[Inconsistency]:
        if paths.plan.exists():
            if not self._plan_is_whole(paths.plan):
                yield Inconsistency("plan_damaged", manifest.job_id, "plan.jsonl is not whole")
        elif manifest.state in _DONE and not manifest.works_on_collection and not self._is_put_away(paths.plan):
            message = "plan.jsonl is missing: what it planned, and why, is known no more"
            yield Inconsistency("plan_missing", manifest.job_id, message)

    def _plan_is_whole(self, path: Path) -> bool:
        try:
            end = plan_end(path)
        except (PlanDamagedError, OSError):
            return False
        return is_whole(read_plan(path)) if self._deep else not lacks_lines(path, end)

    def _is_put_away(self, path: Path) -> bool:
        return self._below(path) in paths_in_quarantine(self._workspace.layout)

    def _outcomes(self, manifest: Manifest, paths: JobLayout) -> Iterator[Inconsistency]:
        lines = read_outcome_lines(paths.outcomes)
        if lines.damaged:
            message = f"{counted(lines.damaged, 'line')} cannot be read"
            yield Inconsistency("journal_damaged", self._below(paths.outcomes), message)
        counts = (
            manifest.state in _DONE or not paths.outcomes.exists()
        )  # what was cut short may count more than it wrote
        missing = outcomes_without_line(manifest, lines) if counts else 0
        if missing > lines.damaged:
            message = f"outcomes.jsonl lacks {counted(missing, 'line')}: what became of so many items is not in it"
            remedy = Remedy.DERIVE if self._is_outcome_known(manifest) else None
            yield Inconsistency("outcomes_missing", manifest.job_id, message, own_remedy=remedy)

    def _is_outcome_known(self, manifest: Manifest) -> bool:
        """Whether a repair can write at least one of the lines that are missing."""
        if manifest.works_on_collection:
            return False
        with suppress(IngestError, OSError, apsw.Error), closing(derived_outcomes(self._workspace, manifest)) as known:
            return next(known, None) is not None
        return False

    def _below(self, path: Path) -> str:
        return str(path.relative_to(self._workspace.layout.root))


def _damaged_log_lines(path: Path) -> int:
    return sum(1 for line, _end in whole_lines(path) if line.strip() and not is_log_line(line))


def is_log_line(line: bytes) -> bool:
    """Whether a line of a log, which has no CRC, is one."""
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False
