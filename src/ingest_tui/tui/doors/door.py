"""What every call to the services begins with: the workspace, opened for the thread that calls."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # For types alone: the first screen is painted before pydantic and the services are loaded.
    from ingest_tui.store.workspace import Workspace


class Door:
    """Opens the workspace in ``root``."""

    def __init__(self, root: Path, *, read_only: bool = False) -> None:
        self.root = root
        self.read_only = read_only

    @contextmanager
    def _workspace(self) -> Iterator[Workspace]:
        from ingest_tui.store.workspace import open_workspace_at

        workspace = open_workspace_at(self.root)
        try:
            yield workspace
        finally:
            workspace.close()

    @contextmanager
    def _changing(self) -> Iterator[Workspace]:
        """Open the workspace for something that changes it; with ``--read-only`` nothing does."""
        if self.read_only:
            from ingest_tui.model.errors import RefusedError

            raise RefusedError("this screen was opened with --read-only", hint="start it without, to change something")
        with self._workspace() as workspace:
            yield workspace
