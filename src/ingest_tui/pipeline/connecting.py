"""From a source of the workspace to its connector: the one place where credentials meet them."""

from __future__ import annotations

from ingest_tui.connectors.base import BaseConnector, Credentials
from ingest_tui.connectors.registry import get_connector
from ingest_tui.model.source import Source
from ingest_tui.store.workspace import Workspace


def connect(workspace: Workspace, source: Source) -> BaseConnector:
    """Return a new connector for a source; nothing is reached yet.

    Raises ValueError for an unknown type and `ValidationError` for settings that cannot work.
    """
    return get_connector(
        source.source_type,
        source.source_config,
        max_size=int(source.max_size),
        credentials=registry_for(workspace),
    )


def registry_for(workspace: Workspace) -> Credentials | None:  # noqa: ARG001 - there is no registry yet
    """Return the credential registry that the sources of a workspace use; None while there is none."""
    return None
