"""audit, and audit export."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from ingest_tui.cli import output
from ingest_tui.cli.diagnostics import EXIT_FAILED_ITEMS
from ingest_tui.cli.groups import CommandGroup
from ingest_tui.cli.session import Session, json_option, pass_session
from ingest_tui.model.counted import counted

_FOLLOW_SECONDS = 0.5

_words_option = click.option(
    "--contains", "words", default="", metavar="WORDS", help="Only lines with all of these words; !word leaves out."
)
_since_option = click.option(
    "--since", default="", metavar="TIME", help="Only from then on: 2026-11-21, or with a time."
)

_until_option = click.option(
    "--until", default="", metavar="TIME", help="Only up to then, that day, minute or second included."
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
@_until_option
@json_option
@pass_session
def export(
    session: Session,
    target: Path,
    file_format: str | None,
    force: bool,
    words: str,
    since: str,
    until: str,
    as_json: bool,
) -> None:
    """Write who did what, when, to FILE: JSON lines or CSV, whole or not at all.

    Kept elsewhere, JSON lines prove what the audit was: 'audit check FILE' compares.
    """
    from ingest_tui.services.jobs.audit_trail import AuditQuery, export_audit

    place, number = export_audit(
        session.workspace, target, AuditQuery(words, since, until), file_format=file_format or "", replace=force
    )
    if as_json:
        output.data({"file": str(place), "entries": number})
    else:
        output.line(f"{counted(number, 'line')} written to {place}")


@audit.command()
@click.argument("export_file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@json_option
@pass_session
def check(session: Session, export_file: Path, as_json: bool) -> int:
    """Check FILE, an earlier export of JSON lines: each line is as it was written, and is in the audit of now.

    Exit code 3: lines were changed, in FILE or here, or are no more here.
    """
    from ingest_tui.services.jobs.audit_check import check_export

    report = check_export(session.workspace, export_file)
    if as_json:
        output.data(report.as_dict())
    else:
        for numbers, what in ((report.changed, "changed in the export"), (report.not_here, "not in the audit of now")):
            if numbers:
                output.line(f"{what}: line {', '.join(map(str, numbers))}")
        output.line(
            (f"{counted(report.lines, 'line')}, {counted(report.gaps, 'gap')}")
            + (", all as they were written" if report.is_clean else "")
        )
    return 0 if report.is_clean else EXIT_FAILED_ITEMS
