"""audit, and audit export."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from ingest_tui.cli import output
from ingest_tui.cli.groups import CommandGroup
from ingest_tui.cli.session import Session, json_option, pass_session

_FOLLOW_SECONDS = 0.5

_words_option = click.option(
    "--contains", "words", default="", metavar="WORDS", help="Only lines with all of these words; !word leaves out."
)
_since_option = click.option(
    "--since", default="", metavar="TIME", help="Only from then on: 2026-11-21, or with a time."
)


@click.group(cls=CommandGroup, invoke_without_command=True)
@click.option("--follow", "-f", is_flag=True, help="Go on as lines are added.")
@_words_option
@_since_option
@json_option
@pass_session
@click.pass_context
def audit(ctx: click.Context, session: Session, follow: bool, words: str, since: str, as_json: bool) -> None:
    """Print who did what, when, with which outcome; 'audit export FILE' writes it to a file."""
    if ctx.invoked_subcommand is not None:
        return
    from ingest_tui.services.jobs.audit_trail import AuditQuery, audit_from

    query, offset = AuditQuery(words, since), 0
    while True:
        for entry, end in audit_from(session.workspace, offset):
            offset = end
            if not query.takes(entry):
                continue
            if as_json:
                output.data_line(entry)
                continue
            details = " ".join(f"{name}={value}" for name, value in entry.get("details", {}).items())
            line = "  ".join(str(entry[name]) for name in ("at", "by", "action", "target", "outcome"))
            output.line(f"{line}  {details}".rstrip())
        if not follow:
            return
        sys.stdout.flush()
        time.sleep(_FOLLOW_SECONDS)


@audit.command()
@click.argument("target", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--format", "file_format", type=click.Choice(["jsonl", "csv"]), help="Default: as FILE ends, else jsonl.")
@click.option("--force", is_flag=True, help="Replace FILE when it is there.")
@_words_option
@_since_option
@json_option
@pass_session
def export(
    session: Session, target: Path, file_format: str | None, force: bool, words: str, since: str, as_json: bool
) -> None:
    """Write who did what, when, to FILE: JSON lines or CSV, whole or not at all."""
    from ingest_tui.services.jobs.audit_trail import AuditQuery, export_audit

    place, number = export_audit(
        session.workspace, target, AuditQuery(words, since), file_format=file_format or "", replace=force
    )
    if as_json:
        output.data({"file": str(place), "entries": number})
    else:
        output.line(f"{number} lines written to {place}")
