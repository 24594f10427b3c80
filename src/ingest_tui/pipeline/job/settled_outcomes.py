"""Outcomes that follow from the plan alone, written again where their lines in the journal of outcomes were lost."""

from __future__ import annotations

from ingest_tui.model.batching import batches
from ingest_tui.model.clock import rfc3339_now
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.plan.plan_writer import settled_outcome
from ingest_tui.store.records.plan_file import read_plan

_BATCH = 500


def restore_settled_outcomes(job: JobContext, finished: set[str]) -> None:
    """Record what the plan says of items that need no work and have no outcome; adds their keys to ``finished``."""
    lines = job.controls.between_checkpoints(read_plan(job.paths.plan))
    at = rfc3339_now()
    outcomes = (settled_outcome(line, at) for line in lines if line.key not in finished)
    lost = (outcome for outcome in outcomes if outcome is not None)
    for batch in batches(lost, _BATCH):
        job.outcomes.record(batch)
        finished.update(outcome.key for outcome in batch)
