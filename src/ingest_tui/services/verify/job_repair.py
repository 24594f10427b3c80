"""Jobs and the queue repaired; a job that somebody works on is left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from ingest_tui.model.counted import counted
from ingest_tui.model.errors import IngestError
from ingest_tui.model.job import Manifest
from ingest_tui.model.outcome import COUNTER_OF
from ingest_tui.services.verify.job_checks import is_log_line
from ingest_tui.services.verify.outcome_checks import outcomes_without_line, read_outcome_lines
from ingest_tui.services.verify.outcomes_again import derived_outcomes
from ingest_tui.store.catalogue.found_documents import REMOVED_BY_PERSON
from ingest_tui.store.fs.atomic import write_pieces_durably
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.job_notices import NoticeStore, leave_queue, note_end
from ingest_tui.store.quarantine import QuarantineFolder
from ingest_tui.store.records.journal import Journal, decode_line, read_journal
from ingest_tui.store.workspace import Workspace

_MISNAMED = ("retired", REMOVED_BY_PERSON)  # what no job does with an item


class JobRepair:
    """Repairs single jobs."""

    def __init__(self, workspace: Workspace, quarantine: QuarantineFolder) -> None:
        self._workspace = workspace
        self._jobs = workspace.jobs
        self._quarantine = quarantine
        self._by_code: dict[str, Callable[[str], Iterator[str]]] = {
            "manifest_damaged": self._move_job,
            "manifest_contradicts": self._restore_state,
            "counters_differ": self._count_again,
            "plan_damaged": self._move_plan,
            "outcomes_missing": self._outcomes_again,
            "notice_damaged": self._note_again,
            "staged_files_left": self._move_staged,
            "job_not_queued": self._queue_again,
            "ended_job_queued": self._leave_queue,
            "queue_entry_without_job": self._remove_entry,
        }

    def repair(self, job_id: str, code: str) -> Iterator[str]:
        """Yield what was done about a job."""
        if code in {"queue_entry_without_job", "notice_damaged"}:  # there may be no job to lock
            yield from self._by_code[code](job_id)
        elif code in self._by_code:
            lock = self._jobs.lock(job_id)
            if lock.try_acquire():
                with lock:
                    yield from self._by_code[code](job_id)

    def _move_job(self, job_id: str) -> Iterator[str]:
        place = self._quarantine.take(self._jobs.paths(job_id).folder, "a job whose manifest cannot be read")
        yield f"the folder of the job is moved to {place}"

    def _restore_state(self, job_id: str) -> Iterator[str]:
        manifest = self._jobs.load(job_id)
        if not manifest.transitions:
            yield from self._move_job(job_id)
            return
        manifest.state = manifest.transitions[-1].to
        self._jobs.save(manifest)
        yield f"its state is {manifest.state} again, as its last transition has it"

    def _count_again(self, job_id: str) -> Iterator[str]:
        manifest = self._jobs.load(job_id)
        _name_again(manifest, self._jobs.paths(job_id).outcomes)
        if _counted_by_outcomes(manifest, self._jobs.paths(job_id).outcomes):
            self._jobs.save(manifest)
            yield "its counters are counted again from its outcomes"

    def _move_plan(self, job_id: str) -> Iterator[str]:
        paths = self._jobs.paths(job_id)
        if outcomes_without_line(self._jobs.load(job_id), read_outcome_lines(paths.outcomes)):
            yield from self._outcomes_again(job_id)  # which are read from the plan
        place = self._quarantine.take(paths.plan, "a plan that is not whole, of a job that has ended")
        yield f"plan.jsonl is moved to {place}"

    def _outcomes_again(self, job_id: str) -> Iterator[str]:
        manifest = self._jobs.load(job_id)
        if manifest.works_on_collection:
            return
        outcomes = [outcome.redacted().as_dict() for outcome in derived_outcomes(self._workspace, manifest)]
        with Journal(self._jobs.paths(job_id).outcomes) as journal:
            journal.append(outcomes)
        if outcomes:
            yield f"{counted(len(outcomes), 'outcome is', 'outcomes are')} written again"

    def _note_again(self, job_id: str) -> Iterator[str]:
        notices = NoticeStore(self._workspace.layout)
        lock = notices.lock(job_id)
        if not lock.try_acquire():  # a worker has it, and looks at it itself
            return
        with lock:
            path = self._workspace.layout.notice(job_id)
            if path.exists() and not _is_readable(notices, job_id):
                yield f"its notice is moved to {self._quarantine.take(path, 'a notice that cannot be read')}"
                yield from self._note_end(job_id)
            if not path.exists():
                notices.remove(job_id)  # its lock

    def _note_end(self, job_id: str) -> Iterator[str]:
        with suppress(IngestError):
            manifest = self._jobs.load(job_id)
            if manifest.ended:
                note_end(self._workspace, manifest)
                yield "whoever is told of ended jobs is told of it, perhaps again"

    def _move_staged(self, job_id: str) -> Iterator[str]:
        for path in sorted(self._jobs.paths(job_id).staging.iterdir()):
            place = self._quarantine.take(path, "staged by a job that has ended")
            yield f"{path.name} is moved to {place}"

    def _queue_again(self, job_id: str) -> Iterator[str]:
        if job_id in self._jobs.requeue_lost():
            yield "it is in the queue again"

    def _leave_queue(self, job_id: str) -> Iterator[str]:
        leave_queue(self._workspace, self._jobs.load(job_id))
        yield "it is out of the queue"

    def _remove_entry(self, job_id: str) -> Iterator[str]:
        entry = FileLock(self._workspace.layout.queue_entry(job_id), must_exist=True)
        if entry.try_acquire():
            with entry, suppress(FileNotFoundError):
                entry.path.unlink()
                yield "its entry is removed from the queue"


def _is_readable(notices: NoticeStore, job_id: str) -> bool:
    try:
        notices.get(job_id)
    except IngestError:
        return False
    return True


def _name_again(manifest: Manifest, path: Path) -> None:
    """Append the lines of listed items again that earlier programs, resuming a job, named retired."""
    misnamed = [line for line in read_journal(path) if (line.get("outcome"), line.get("reason")) == _MISNAMED]
    with Journal(path) as journal:
        journal.append({**line, "outcome": "unchanged"} for line in misnamed)
    manifest.counters.items_retired -= sum(line.get("parent") is None for line in misnamed)


def _counted_by_outcomes(manifest: Manifest, path: Path) -> bool:
    """Count the outcomes of listed items; those without a line were unchanged. Returns whether that can be."""
    found = {line.get("key"): line.get("outcome") for line in read_journal(path) if line.get("parent") is None}
    counters = manifest.counters
    for outcome, name in COUNTER_OF.items():
        if outcome != "retired":
            setattr(counters, name, sum(1 for one in found.values() if one == outcome))
    missing = counters.descriptors_listed - counters.listed_accounted_for
    counters.items_skipped_incremental += max(missing, 0)
    return missing >= 0


def rewrite_journal(quarantine: QuarantineFolder, path: Path) -> Iterator[str]:
    """Keep the lines of a journal or a log that can be read; the whole file as it was is in the quarantine."""
    place = quarantine.copy(path, "a journal with lines that cannot be read")
    is_good = is_log_line if path.name.startswith("log.") else _is_record
    with path.open("rb") as lines:
        good = [line for line in lines if line.endswith(b"\n") and line.strip() and is_good(line)]
    write_pieces_durably(path, good)
    yield f"its {counted(len(good), 'good line is', 'good lines are')} kept; the file as it was is in {place}"


def _is_record(line: bytes) -> bool:
    return decode_line(line) is not None
