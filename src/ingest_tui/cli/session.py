"""What a command needs of its call: the workspace, and how to print."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from ingest_tui.model.naming import safe_display

if TYPE_CHECKING:
    from ingest_tui.store.workspace import Workspace


class RunTui(Protocol):
    """Opens the TUI on a workspace and returns its exit code."""

    def __call__(self, root: Path, *, slow_link: bool) -> int: ...


@dataclass
class Session:
    """The options that stand before the command."""

    root: Path
    debug: bool = False
    run_tui: RunTui | None = None
    credentials_path: Path | None = None

    @cached_property
    def workspace(self) -> Workspace:
        """The workspace of this call, opened when first used."""
        from ingest_tui.services.workspaces import open_at

        return open_at(self.root, self.credentials_path)


def confirm(question: str, *, yes: bool, as_json: bool) -> None:
    """Ask before something is taken away; refused where nobody can answer."""
    import sys

    from ingest_tui.model.errors import RefusedError

    question = safe_display(question)
    if yes:
        return
    refusal = RefusedError(f"{question} Nobody is there to answer.", hint="--yes does it without asking")
    if as_json:
        raise refusal
    try:
        agreed = click.confirm(safe_display(question), err=True)
    except click.exceptions.Abort:
        if sys.stdin.isatty():
            raise
        raise refusal from None
    if not agreed:
        raise click.exceptions.Abort


pass_session = click.make_pass_decorator(Session)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
