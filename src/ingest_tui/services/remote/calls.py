"""The calls that a server answers, by the name that the client has for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ingest_tui.services.remote import document_calls, job_calls, search_calls, source_calls, upload_calls

CALLS: Mapping[str, Callable[..., Any]] = {
    **job_calls.CALLS,
    **source_calls.CALLS,
    **document_calls.CALLS,
    **search_calls.CALLS,
    **upload_calls.CALLS,
}
"""Each takes the server, then what the service takes after the workspace."""
