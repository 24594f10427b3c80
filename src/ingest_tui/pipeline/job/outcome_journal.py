"""The outcomes of a job: each on disk in its journal, and counted in the manifest."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ingest_tui.model.job import JobError, Manifest
from ingest_tui.model.outcome import Outcome
from ingest_tui.store.records.job_log import JobLog
from ingest_tui.store.records.journal import Journal


class OutcomeJournal(Journal):
    """Appends outcomes, and counts them in a manifest. What failed is an error of the job, and in its log."""

    def __init__(self, path: Path, manifest: Manifest, log: JobLog) -> None:
        super().__init__(path)
        self._manifest = manifest
        self._log = log

    def record(self, outcomes: Iterable[Outcome]) -> None:
        """Write outcomes, durable in one go, and count them."""
        outcomes = [outcome.redacted() for outcome in outcomes]
        self.append(outcome.as_dict() for outcome in outcomes)
        self.count(outcomes)

    def count(self, outcomes: Iterable[Outcome]) -> None:
        """Count outcomes that are in the journal."""
        for outcome in outcomes:
            if outcome.parent is None:
                self._manifest.counters.count(outcome.outcome)
            else:
                self._manifest.counters.count_member(outcome.outcome)
            self._manifest.counters.items_with_warnings += bool(outcome.warnings)
            if outcome.outcome == "failed":
                self._note_failed(outcome)

    def _note_failed(self, outcome: Outcome) -> None:
        self._manifest.add_error(
            JobError(
                code=outcome.reason,
                message=outcome.detail or outcome.reason,
                hint=outcome.hint,
                uri=outcome.uri,
                phase=outcome.phase,
                at=outcome.at,
            )
        )
        self._log.event("warning", outcome.detail, document=outcome.uri, reason=outcome.reason, phase=outcome.phase)
