"""Outcomes that follow from the plan alone, written again where their lines in the journal of outcomes were lost."""

from __future__ import annotations

from itertools import islice

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.outcome import Outcome
from ingest_tui.model.plan_line import PlanLine
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.plan.planning import QUARANTINE_HINT, settled_as
from ingest_tui.store.records.plan_file import read_plan

_BATCH = 500


def restore_settled_outcomes(job: JobContext, finished: set[str]) -> None:
    """Record what the plan says of items that need no work and have no outcome; adds their keys to ``finished``."""
    lines = job.controls.between_checkpoints(read_plan(job.paths.plan))
    outcomes = (_outcome_of(line) for line in lines if line.key not in finished)
    lost = (outcome for outcome in outcomes if outcome is not None)
    while batch := list(islice(lost, _BATCH)):
        job.outcomes.record(batch)
        finished.update(outcome.key for outcome in batch)


def _outcome_of(line: PlanLine) -> Outcome | None:
    name = settled_as(line.action, line.refusal)
    if name is None:
        return None
    return Outcome(
        line.uri,
        line.key,
        name,
        line.refusal or line.reason,
        rfc3339_now(),
        line.detail,
        QUARANTINE_HINT if line.action == "quarantine" else "",
        document_id=line.document_id,
        bytes=line.size,
        phase="list",
    )
