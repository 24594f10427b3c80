"""The endpoints, by subject. The table of all of them is what the server is."""

from __future__ import annotations

from ingest_tui.server.endpoint import AnyEndpoint
from ingest_tui.server.routes import collections, documents, events, ingest, jobs, searching, sources, workspace

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    *workspace.ENDPOINTS,
    *jobs.ENDPOINTS,
    *ingest.ENDPOINTS,
    *sources.ENDPOINTS,
    *collections.ENDPOINTS,
    *documents.ENDPOINTS,
    *searching.ENDPOINTS,
    *events.ENDPOINTS,
)
