"""Outcomes that follow from the plan alone, written again where their lines in the journal of outcomes were lost."""

from __future__ import annotations

from itertools import islice

from ingest_tui.model.outcome import Outcome
from ingest_tui.pipeline.job_run import JobRun, now
from ingest_tui.pipeline.planning import QUARANTINE_HINT, SETTLED_WHILE_PLANNING
from ingest_tui.store.plans import read_plan

_BATCH = 500


def restore_settled_outcomes(job: JobRun, finished: set[str]) -> None:
    """Record what the plan says of items that need no work and have no outcome; adds their keys to ``finished``."""
    lines = (
        line
        for line in read_plan(job.paths.plan)
        if line["action"] in SETTLED_WHILE_PLANNING and line["key"] not in finished
    )
    while batch := list(islice(lines, _BATCH)):
        job.record(
            [
                Outcome(
                    line["uri"],
                    line["key"],
                    SETTLED_WHILE_PLANNING[line["action"]],
                    line["reason"],
                    now(),
                    line.get("detail", ""),
                    QUARANTINE_HINT if line["action"] == "quarantine" else "",
                    document_id=line.get("document_id"),
                    bytes=line.get("size"),
                    phase="list",
                )
                for line in batch
            ]
        )
        finished.update(line["key"] for line in batch)
