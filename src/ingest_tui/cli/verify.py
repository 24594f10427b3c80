"""verify."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.diagnostics import EXIT_FAILED_ITEMS
from ingest_tui.cli.name_arguments import SOURCE
from ingest_tui.cli.progress import LineProgress
from ingest_tui.cli.read_only import refusal
from ingest_tui.cli.session import Session, json_option, pass_session
from ingest_tui.model.counted import counted
from ingest_tui.model.inconsistency import Inconsistency

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ingest_tui.services.verify.repair import Repaired


@click.command()
@click.option("--deep", is_flag=True, help="Hash every raw file and every text again, which reads all documents.")
@click.option("--source", type=SOURCE, default="", metavar="NAME", help="Only documents and jobs of this source.")
@click.option("--since", default="", metavar="TIME", help="Only what has changed since: 2026-11-21, or with a time.")
@click.option("--repair", is_flag=True, help="Bring back what can be brought back; no only copy is deleted.")
@json_option
@pass_session
def verify(session: Session, deep: bool, source: str, since: str, repair: bool, as_json: bool) -> int:
    """Check everything of the workspace against everything, next to running jobs.

    Without --repair nothing is changed. Exit codes: 0 all is well, 3 something is not as it must be.
    """
    from ingest_tui.services.verify.verify import VerifyScope, verify

    if repair and session.read_only:
        raise refusal("verify --repair")
    scope, shown = VerifyScope(deep, source, since), LineProgress()
    done: list[Repaired] = []
    found: list[Inconsistency] = []
    if repair:
        from ingest_tui.services.verify.repair import verify_and_repair

        results: Iterable[Repaired | Inconsistency] = verify_and_repair(session.workspace, scope, shown)
    else:
        results = verify(session.workspace, scope, shown)
    for one in results:
        diagnostics.show_progress("")
        if isinstance(one, Inconsistency):
            found.append(one)
        else:
            done.append(one)
        if not as_json:
            output.line(_in_words(one))
    diagnostics.show_progress("")
    if as_json:
        answer = {"clean": not found, "findings": [one.as_dict() for one in found]}
        output.data(answer | ({"repaired": [one.as_dict() for one in done]} if repair else {}))
    else:
        output.line(counted(len(found), "finding") if found else "all is as it must be")
    return EXIT_FAILED_ITEMS if found else 0


def _in_words(one: Repaired | Inconsistency) -> str:
    if not isinstance(one, Inconsistency):
        return f"repaired: {one.subject or 'workspace'}: {one.done}"
    kind = one.kind
    return f"{kind.part}: {one.subject or 'workspace'}: {one.message}  [{one.code}; {one.remedy}]"
