"""Putting jobs into the queue."""

from __future__ import annotations

from typing import Any

from ingest_tui.model.clock import rfc3339, utc_now
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.model.source import Source
from ingest_tui.store.jobs import new_job_id
from ingest_tui.store.workspace import Workspace


def new_manifest(source: Source, *, kind: str, trigger: str, by: str, **options: Any) -> Manifest:
    """Return the manifest of a job that is about to be queued."""
    moment = utc_now()
    at = rfc3339(moment)
    manifest = Manifest(
        job_id=new_job_id(source.source_id, moment),
        kind=kind,
        source_id=source.source_id,
        collection_id=source.collection_id,
        priority=source.priority,
        trigger=trigger,
        requested_by=by,
        created_at=at,
        updated_at=at,
        options=options,
    )
    manifest.move_to(JobState.QUEUED, at=at, by=by)
    return manifest


def submit_sync(workspace: Workspace, source: Source, *, trigger: str, by: str, **options: Any) -> Manifest:
    """Queue a sync of a source; returns its manifest."""
    manifest = new_manifest(source, kind="sync", trigger=trigger, by=by, **options)
    workspace.jobs.create(manifest)
    return manifest
