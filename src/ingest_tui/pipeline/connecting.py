"""From a source of the workspace to its connector: the one place where credentials meet them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from pathlib import Path

from ingest_tui.connectors.base import BaseConnector, Credential, Credentials
from ingest_tui.connectors.containment import of_one_source
from ingest_tui.connectors.registry import get_connector
from ingest_tui.model.preferences_in_force import source_in_force
from ingest_tui.model.source import Source
from ingest_tui.pipeline.work_folders import FolderOfLook
from ingest_tui.store.workspace import Workspace


def connect(workspace: Workspace, source: Source) -> BaseConnector:
    """Return a new connector for a source; nothing is reached yet.

    Raises ValueError for an unknown type and `ValidationError` for settings that cannot work.
    """
    _keep_libraries_quiet()
    with of_one_source(source.source_id):
        return get_connector(
            source.source_type,
            source.source_config,
            max_size=int(source.max_size),
            credentials=registry_for(workspace),
        )


@contextmanager
def connection(workspace: Workspace, source: Source) -> Iterator[BaseConnector]:
    """Give a new connector for a look at a source, and let go of what it keeps open in the end.

    Raises what `connect` raises.
    """
    with looking(workspace, connect(workspace, source), source.source_id) as connector:
        yield connector


@contextmanager
def looking(workspace: Workspace, connector: BaseConnector, source_id: str | None = None) -> Iterator[BaseConnector]:
    """Give a connector what it needs for a look that leaves no trace, and let go of what it keeps open in the end."""
    with ExitStack() as until_closed:
        if connector.capabilities.keeps_files:
            connector.work_folder = FolderOfLook(workspace, source_id, until_closed)
        try:
            yield connector
        finally:
            disconnect(connector)


def disconnect(connector: BaseConnector) -> None:
    """Let go of what a connector keeps open. It may be of another package: what it says is of no use any more."""
    with suppress(Exception):
        connector.close()


def with_preferences(workspace: Workspace, source: Source) -> Source:
    """Return a source as it works: with what its collection says where it says nothing. It is never saved so."""
    return source_in_force(source, workspace.collections.get(source.collection_id).preferences)


def _keep_libraries_quiet() -> None:
    """Let what libraries log go nowhere: raw text of theirs, tracebacks even, must not reach a screen of ours.

    What went wrong comes out as an error in words of ours.
    """
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.NullHandler())


def registry_for(workspace: Workspace) -> Credentials:
    """Return the credential registry that the sources of a workspace use; its file is read when it is asked."""
    return _RegistryOnDemand(workspace.credentials_path)


class _RegistryOnDemand:
    """The registry in a file. Its code is loaded with the first question: a source of local files never asks one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, name: str) -> Credential:
        """Return an entry as the file has it now; raises `NotFoundError`."""
        return self._registry.get(name)

    @cached_property
    def _registry(self) -> Credentials:
        from ingest_tui.credentials.credential_registry import CredentialRegistry

        return CredentialRegistry(self._path)
