"""backup and restore."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click
import humanize

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.progress import LineProgress
from ingest_tui.cli.read_only import refusal
from ingest_tui.cli.session import Session, json_option, pass_session
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import UsageError

if TYPE_CHECKING:
    from ingest_tui.services.backup import BackupReport, RestoreReport

_STREAM = Path("-")
_SHOWN = 5


@click.command()
@click.argument("target", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--base",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="An earlier backup: only what it lacks is written. A restore needs both.",
)
@click.option("--with-credentials", is_flag=True, help="Include the credentials file: the names, not the secrets.")
@click.option("--force", is_flag=True, help="Replace FILE when it is there.")
@json_option
@pass_session
def backup(
    session: Session, target: Path, base: Path | None, with_credentials: bool, force: bool, as_json: bool
) -> int:
    """Write a backup of the workspace to FILE, or to stdout as '-', while a worker may run.

    It is a tar file, compressed with zstd, and is whole or not there. Exit code 3: something in the workspace is not
    as its catalogue says; all that is there is in the backup.
    """
    from ingest_tui.services.backup import back_up, stream_backup

    if target == _STREAM:
        _refuse_on_stdout(as_json=as_json)
    with LineProgress() as shown:
        if target == _STREAM:
            place = _STREAM
            report = stream_backup(
                session.workspace,
                sys.stdout.buffer,
                base=base,
                with_credentials=with_credentials,
                on_progress=shown,
            )
        else:
            place, report = back_up(
                session.workspace,
                target,
                base=base,
                replace=force,
                with_credentials=with_credentials,
                on_progress=shown,
            )
    if as_json:
        output.data({"file": str(place), **report.as_dict()})
    elif place != _STREAM:
        output.line(f"{_in_words(report)} backed up to {place}")
    return _say_problems(report)


def _refuse_on_stdout(*, as_json: bool) -> None:
    if as_json:
        raise UsageError("a backup on stdout is not JSON", hint="name a FILE for a summary in JSON")
    if sys.stdout.isatty():
        raise UsageError("a backup is not shown on a terminal", hint="name a FILE, or send it into a pipe")


def _in_words(report: BackupReport) -> str:
    carried = f", {counted(report.carried, 'file')} as in the earlier one" if report.base else ""
    return f"{counted(report.documents, 'document')}, {humanize.naturalsize(report.bytes)} written{carried},"


def _say_problems(report: BackupReport) -> int:
    for problem in report.problems[:_SHOWN]:
        diagnostics.say(f"warning: {problem}")
    if not report.problems_total:
        return 0
    diagnostics.say(f"warning: {counted(report.problems_total, 'thing is', 'things are')} not as the catalogue says")
    diagnostics.say("hint: 'ingest-tui verify --deep' looks at all of them")
    return diagnostics.EXIT_FAILED_ITEMS


@click.command()
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path, file_okay=False), required=False)
@click.option(
    "--base",
    "bases",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="An earlier backup that FILE rests on; may be given several times.",
)
@click.option("--check", is_flag=True, help="Only read FILE to its end and compare every hash; no FOLDER is needed.")
@click.option("--with-credentials", is_flag=True, help="Restore the credentials file too, to where --credentials says.")
@json_option
@pass_session
def restore(
    session: Session,
    source: Path,
    folder: Path | None,
    bases: tuple[Path, ...],
    check: bool,
    with_credentials: bool,
    as_json: bool,
) -> None:
    """Make a workspace of the backup FILE ('-': stdin) in FOLDER, which is empty or not there.

    Every hash is compared. When that fails, or is killed, there is no workspace in FOLDER.
    """
    from ingest_tui.services.backup import check_backup, restore_backup

    if session.read_only and not check:
        raise refusal("restore")
    if (folder is None) != check:
        raise UsageError("a FOLDER is for restoring, --check for reading only", hint="give one of them")
    stream: Path | BinaryIO = sys.stdin.buffer if source == _STREAM else source
    with LineProgress() as shown:
        if folder is None:
            report = check_backup(stream, bases, on_progress=shown)
        else:
            report = restore_backup(
                stream,
                folder,
                bases,
                credentials_path=session.credentials_path,
                with_credentials=with_credentials,
                on_progress=shown,
            )
    _show(report, folder, as_json=as_json)


def _show(report: RestoreReport, folder: Path | None, *, as_json: bool) -> None:
    if as_json:
        output.data(report.as_dict() | {"restored_to": None if folder is None else str(folder)})
        return
    what = f"the backup of {report.workspace} of {report.created_at}, {humanize.naturalsize(report.bytes)},"
    output.line(f"{what} is whole" if folder is None else f"{what} is restored to {folder}")
    if folder is not None:
        diagnostics.say("hint: 'ingest-tui --workspace FOLDER verify --deep' checks it; its queue waits for a worker")
