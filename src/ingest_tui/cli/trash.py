"""trash list, restore, empty."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.doc import restore as restore_documents
from ingest_tui.cli.groups import CommandGroup
from ingest_tui.cli.name_arguments import SOURCE
from ingest_tui.cli.selector_options import Age
from ingest_tui.cli.session import Session, confirm, dry_run_option, json_option, pass_session, yes_option
from ingest_tui.model.clock import rfc3339
from ingest_tui.model.counted import counted

if TYPE_CHECKING:
    from ingest_tui.services.documents.trash import TrashEntry

_MOST_SHOWN = 20


@click.group(cls=CommandGroup)
def trash() -> None:
    """See, restore and delete retired documents; what is older than trash_days is deleted by itself."""


@trash.command(name="list")
@click.option("--source", type=SOURCE, metavar="NAME", help="Only of this source.")
@json_option
@pass_session
def list_entries(session: Session, source: str | None, as_json: bool) -> None:
    """List what is in the trash, the oldest first, and when it will be deleted."""
    from ingest_tui.services.documents.trash import list_trash

    entries = list_trash(session.workspace, source_id=source)
    if as_json:
        output.data([entry.as_dict() for entry in entries])
        return
    rows = [_row(entry) for entry in entries]
    nothing = output.what_is_empty("the trash is empty", of="trash list", is_narrowed=source is not None)
    output.table(("DOCUMENT", "RETIRED", "DELETED AFTER", "REASON", "ADDRESS"), rows, empty=nothing)


def _row(entry: TrashEntry) -> tuple[str, str, str, str, str]:
    retired = "unknown" if entry.retired_at is None else rfc3339(entry.retired_at)[:16]
    deleted = "only by hand" if entry.deleted_after is None else rfc3339(entry.deleted_after)[:10]
    return entry.document.document_id, retired, deleted, entry.reason, entry.document.uri


trash.add_command(restore_documents)


@trash.command()
@click.option("--older-than", type=Age(), help="Only what was retired at least so long ago: 90m, 12h, 30d, 2w.")
@click.option("--source", type=SOURCE, metavar="NAME", help="Only of this source.")
@dry_run_option
@yes_option
@json_option
@pass_session
def empty(
    session: Session, older_than: timedelta | None, source: str | None, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Delete documents of the trash for good, with all their versions. Exit code 6: nobody agreed."""
    from ingest_tui.services.documents.trash import chosen_to_empty, empty_trash

    entries = chosen_to_empty(session.workspace, older_than=older_than, source_id=source)
    if dry_run:
        _report(entries, "would delete", 0 if as_json else len(entries), as_json=as_json, dry_run=True)
        return
    if not yes and not as_json:
        for entry in entries[:_MOST_SHOWN]:
            diagnostics.say(f"  {entry.document.title}  {entry.document.uri}")
    if entries:
        confirm(f"Delete {counted(len(entries), 'document')} for good?", yes=yes, as_json=as_json)
    _report(entries, "deleted", empty_trash(session.workspace, entries), as_json=as_json, dry_run=False)


def _report(entries: list[TrashEntry], verb: str, number: int, *, as_json: bool, dry_run: bool) -> None:
    if as_json:
        documents = [entry.as_dict() for entry in entries]
        output.data({"deleted": number, "dry_run": dry_run, "documents": documents})
        return
    if dry_run:
        rows = [_row(entry) for entry in entries]
        output.table(("DOCUMENT", "RETIRED", "DELETED AFTER", "REASON", "ADDRESS"), rows, empty="nothing to delete")
    output.line(
        (f"{verb} {counted(number, 'document')}") if entries else "nothing was deleted: nothing in the trash fits"
    )
