"""The full text of an old catalogue made again in the background, while the old one answers."""

from __future__ import annotations

import time
from contextlib import closing

from ingest_tui.model.errors import BusyError
from ingest_tui.store.workspace import Workspace


def continue_reindex(workspace: Workspace, *, seconds: float) -> bool:
    """Bring chunks into the new full text for about so long; returns whether there are more.

    The commit lock is free between batches; where somebody else has it, they do it after what they write.
    """
    deadline = time.monotonic() + seconds
    while _is_incomplete(workspace):
        if time.monotonic() > deadline:
            return True
        try:
            with workspace.committing() as writer:
                writer.continue_reindex()
        except BusyError:
            return True
    return False


def _is_incomplete(workspace: Workspace) -> bool:
    """Ask in a connection of its own: one that stays open would keep the log of the database from being cleared."""
    with closing(workspace.open_to_read()) as catalogue:
        return catalogue.full_text.is_incomplete
