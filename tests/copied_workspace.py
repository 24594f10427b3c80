"""A workspace that many tests of a module begin with: made once in a process, and copied for each of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest_tui import open_workspace
from ingest_tui.services.api import WorkspaceHandle


@contextmanager
def copied_workspace(made: Path, root: Path) -> Iterator[WorkspaceHandle]:
    """Copy a workspace that nobody has open to ``root`` and open it there. Its sources stay where they are."""
    shutil.copytree(made, root)
    with open_workspace(root) as handle:
        yield handle
