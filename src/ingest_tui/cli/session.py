"""What a command needs of its call: the workspace, and how to print."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ingest_tui.store.workspace import Workspace


@dataclass
class Session:
    """The options that stand before the command."""

    root: Path
    debug: bool = False

    @cached_property
    def workspace(self) -> Workspace:
        """The workspace of this call, opened when first used."""
        from ingest_tui.services.workspaces import open_at

        return open_at(self.root)


pass_session = click.make_pass_decorator(Session)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
