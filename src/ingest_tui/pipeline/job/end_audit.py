"""The audit log has how a job ended that a person asked for, next to who asked for it."""

from __future__ import annotations

from typing import Any

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.errors import IngestError
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.store.workspace import Workspace

JOB_END = "job.end"
_BY_ITSELF = "sync"


def audit_ending(workspace: Workspace, manifest: Manifest) -> str:
    """Add the line of a job that has ended; returns why that could not be, empty when it is there or need not be.

    Uploads, and jobs that embed or cut a collection again, have one when a person has queued them. A sync has none: one
    may run each minute, and its source shows how the last one ended.
    """
    if manifest.kind == "sync" or manifest.trigger == _BY_ITSELF:
        return ""
    counters = {name: number for name, number in manifest.counters.as_flat_dict().items() if number}
    details: dict[str, Any] = {"kind": manifest.kind, "collection": manifest.collection_id, "counters": counters}
    if manifest.state is JobState.FAILED and manifest.errors:
        details["reason"] = manifest.errors[-1].message
    outcome = "done" if manifest.state is JobState.SUCCEEDED else str(manifest.state)
    try:
        workspace.audit.add(
            at=manifest.finished_at or rfc3339_now(),
            by=manifest.requested_by,
            action=JOB_END,
            target=manifest.job_id,
            outcome=outcome,
            **details,
        )
    except (OSError, IngestError) as error:
        return str(error)
    return ""
