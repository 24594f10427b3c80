"""What an earlier attempt at the same job left behind: drop what is half done, keep what is done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from ingest_tui.model.job import PHASES, Counters, Phase
from ingest_tui.model.outcome import Outcome, OutcomeName
from ingest_tui.pipeline.job_run import JobRun, now
from ingest_tui.pipeline.planning import remove_leftover_plan, work_lines
from ingest_tui.store.atomic import sweep_temporaries
from ingest_tui.store.catalogue import Catalogue
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.journal import read_journal

_BATCH = 500


def drop_half_done(job: JobRun) -> set[str]:
    """Bring disk, catalogue and journal to one state; returns the keys that already have their outcome.

    A version folder that was moved into place but is unknown to the catalogue is removed: its item is done again. An
    item that the catalogue knows as done by this job but whose journal line was lost gets its line.
    """
    job.manifest.counters = Counters()
    job.manifest.phases = {name: Phase() for name in PHASES}
    job.manifest.errors.clear()
    job.manifest.errors_total = 0
    if not job.paths.plan.exists():
        remove_leftover_plan(job)
        return set()
    list(sweep_temporaries(job.paths.folder))
    catalogue = job.workspace.open_catalogue()
    try:
        _drop_uncommitted_versions(job, catalogue)
        finished = _count_finished(job)
        _restore_lost_lines(job, catalogue, finished)
    finally:
        catalogue.close()
    return finished


def _drop_uncommitted_versions(job: JobRun, catalogue: Catalogue) -> None:
    documents = DocumentStore(job.workspace.layout)
    for intent in read_journal(job.paths.commits):
        place = (intent["document_id"], intent["version"])
        if not catalogue.execute("SELECT 1 FROM versions WHERE document_id = ? AND version = ?", place):
            documents.drop_version(intent["collection_id"], *place)


def _count_finished(job: JobRun) -> set[str]:
    finished: set[str] = set()
    for record in read_journal(job.paths.outcomes):
        if record["key"] in finished and record["outcome"] != "retired":
            continue
        finished.add(record["key"])
        job.count([Outcome.from_dict(record)])
    return finished


def _restore_lost_lines(job: JobRun, catalogue: Catalogue, finished: set[str]) -> None:
    for lines in _batches(line for line in work_lines(job) if line["action"] in {"ingest", "move"}):
        pending = [line for line in lines if line["key"] not in finished]
        known = catalogue.locations(job.source.source_id, (line["key"] for line in pending))
        restored = []
        for line in pending:
            location = known.get(line["key"])
            if location is None or location.job_id != job.manifest.job_id:
                continue
            name = cast("OutcomeName", location.outcome)
            restored.append(
                Outcome(
                    location.uri,
                    location.key,
                    name,
                    location.reason,
                    now(),
                    location.detail,
                    document_id=location.document_id,
                    version=location.version,
                    bytes=location.size,
                )
            )
        if restored:
            job.record(restored)
            finished.update(outcome.key for outcome in restored)


def _batches(lines: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for line in lines:
        batch.append(line)
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
