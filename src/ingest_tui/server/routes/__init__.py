"""The endpoints, by subject. The table of all of them is what the server is."""

from __future__ import annotations

from ingest_tui.server.endpoint import AnyEndpoint
from ingest_tui.server.routes import (
    collections,
    documents,
    events,
    glances,
    in_force,
    ingest,
    job_records,
    jobs,
    searching,
    sources,
    workspace,
)

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    *workspace.ENDPOINTS,
    *glances.ENDPOINTS,
    *jobs.ENDPOINTS,
    *job_records.ENDPOINTS,
    *ingest.ENDPOINTS,
    *sources.ENDPOINTS,
    *collections.ENDPOINTS,
    *documents.ENDPOINTS,
    *in_force.ENDPOINTS,
    *searching.ENDPOINTS,
    *events.ENDPOINTS,
)
