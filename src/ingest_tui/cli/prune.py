"""prune."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click
import humanize

from ingest_tui.cli import output
from ingest_tui.cli.name_arguments import COLLECTION
from ingest_tui.cli.read_only import refusal
from ingest_tui.cli.session import Session, confirm, dry_run_option, json_option, pass_session, yes_option
from ingest_tui.model.counted import counted

if TYPE_CHECKING:
    from ingest_tui.services.workspace_prune import Prunable, PruneKind, PruneReport

_KINDS = ("trash", "versions", "jobs", "logs", "staging")


@click.command()
@click.option("--kind", "kinds", multiple=True, type=click.Choice(_KINDS), help="Only of this kind; may be repeated.")
@click.option("--collection", type=COLLECTION, metavar="NAME", help="Only of this collection.")
@dry_run_option
@yes_option
@json_option
@pass_session
def prune(
    session: Session, kinds: tuple[str, ...], collection: str | None, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Delete for good what the workspace need not keep any more, by its settings and those of its collections.

    A worker does so by itself once a day. Exit code 6: nobody agreed.
    """
    from ingest_tui.services.workspace_prune import PruneReport, prunable, prune_workspace

    if session.read_only and not dry_run:
        raise refusal("prune")
    found = prunable(session.workspace, cast("tuple[PruneKind, ...]", kinds), collection_id=collection)
    report = PruneReport.of(found)
    if not dry_run:
        if found and not yes and not as_json:
            _show(report)
        if found:
            size = humanize.naturalsize(report.total_bytes)
            confirm(f"Delete {counted(report.total_items, 'item')} for good, {size}?", yes=yes, as_json=as_json)
        report = prune_workspace(session.workspace, found)
    if as_json:
        output.data(_as_dict(report, found if dry_run else [], dry_run=dry_run))
    elif dry_run:
        _show(report)
        output.line(f"would delete {counted(report.total_items, 'item')}, {humanize.naturalsize(report.total_bytes)}")
    else:
        output.line(f"deleted {counted(report.total_items, 'item')}, {humanize.naturalsize(report.total_bytes)} freed")


def _show(report: PruneReport) -> None:
    rows = [
        (kind, f"{number:,}", humanize.naturalsize(report.bytes[kind]))
        for kind, number in report.items.items()
        if number
    ]
    output.table(("KIND", "ITEMS", "SPACE"), rows, empty="nothing to delete")


def _as_dict(report: PruneReport, found: list[Prunable], *, dry_run: bool) -> dict[str, object]:
    kinds = {kind: {"items": number, "bytes": report.bytes[kind]} for kind, number in report.items.items()}
    totals = {"items": report.total_items, "bytes": report.total_bytes}
    return {"dry_run": dry_run, **totals, "kinds": kinds, "found": [one.as_dict() for one in found]}
