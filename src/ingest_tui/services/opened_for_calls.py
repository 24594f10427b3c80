"""How a face has the workspace at hand: opened for each call, or kept for one thread meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest_tui.store.catalogue.rebuild_progress import RebuildProgress
    from ingest_tui.store.workspace import Workspace


class _KeptOpen(threading.local):
    """What `OpenedForCalls.kept_open` keeps in one thread: ``workspace`` is None until a call needs it."""

    kept: ExitStack | None = None
    workspace: Workspace | None = None


@contextmanager
def _catalogue_named_as_cause(workspace: Workspace) -> Iterator[None]:
    """Raise, for what a catalogue that contradicts itself made fail, that it does."""
    try:
        yield
    except Exception as error:
        from ingest_tui.services import workspaces

        cause = workspaces.failure_of_catalogue(workspace, error)
        if cause is None:
            raise
        raise cause from error


class OpenedForCalls:
    """Opens the workspace at ``root`` for calls from any thread, only to read it with ``read_only``."""

    def __init__(self, root: Path, *, read_only: bool) -> None:
        self.root = root
        self.read_only = read_only
        self._of_thread = _KeptOpen()
        self.on_rebuild: Callable[[RebuildProgress], None] | None = None
        """Hears, in the thread of a call, of a catalogue that was lost and is made again for it."""

    def check(self) -> None:
        """Open the workspace; raises what is wrong with it."""
        with self.opened():
            return

    @contextmanager
    def opened(self) -> Iterator[Workspace]:
        """Open the workspace for one call."""
        with closing(self._open()) as workspace, _catalogue_named_as_cause(workspace):
            yield workspace

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Let the calls of this thread use one workspace meanwhile, opened by the first of them: for one request.

        Each reads what is committed by then; the settings are those of the first. What yields opens one of its own,
        which it may need for longer.
        """
        with ExitStack() as kept:
            self._of_thread.kept = kept
            try:
                yield
            finally:
                self._of_thread.kept = self._of_thread.workspace = None

    @contextmanager
    def for_call(self) -> Iterator[Workspace]:
        """Give the workspace for one call: what `kept_open` keeps in this thread, or one of its own."""
        mine = self._of_thread
        if mine.kept is None:
            with self.opened() as workspace:
                yield workspace
            return
        if mine.workspace is None:
            mine.workspace = mine.kept.enter_context(closing(self._open()))
        mine.workspace.has_opened_catalogue = False  # by this call: what it does not read is not why it fails
        with _catalogue_named_as_cause(mine.workspace):
            yield mine.workspace

    def _open(self) -> Workspace:
        from ingest_tui.store.workspace import open_workspace_at

        workspace = open_workspace_at(self.root)
        workspace.is_read_only = self.read_only
        if self.on_rebuild is not None:
            workspace.on_rebuild = self.on_rebuild
        return workspace
