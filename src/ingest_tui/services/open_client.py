"""The services on a workspace that is open already: what a command calls them through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ingest_tui.services.client import Client

if TYPE_CHECKING:
    from ingest_tui.store.workspace import Workspace


class OpenWorkspaceClient(Client):
    """A client whose calls share one workspace. ``find`` returns it, at the first call; whoever opened it closes it."""

    def __init__(self, root: Path, find: Callable[[], Workspace]) -> None:
        super().__init__(root)
        self._find = find

    @contextmanager
    def opened(self) -> Iterator[Workspace]:
        """Give the workspace, which stays open."""
        yield self._find()
