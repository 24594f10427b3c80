"""The endpoints, by subject. The table of all of them is what the server is."""

from __future__ import annotations

from ingest_tui.server.endpoint import AnyEndpoint
from ingest_tui.server.routes import jobs, workspace

ENDPOINTS: tuple[AnyEndpoint, ...] = (*workspace.ENDPOINTS, *jobs.ENDPOINTS)
