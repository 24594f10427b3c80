"""source add --from-file, and source export: many sources in one file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.export import STDOUT, force_option, to_option
from ingest_tui.cli.formats import as_json as json_text
from ingest_tui.cli.formats import as_yaml, chosen_format
from ingest_tui.cli.name_arguments import SOURCE
from ingest_tui.cli.session import Session, dry_run_option, json_option, pass_session
from ingest_tui.cli.source_notes import may_exclude_documents, report_earlier_documents, report_missing_for_ocr
from ingest_tui.model.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ingest_tui.services.sources.many import SourceStep

_STDIN = Path("-")
_DONE = {"add": ("added", "would add"), "change": ("changed", "would change"), "leave": ("left", "would leave")}
"""What is said of a step, and of a step that a dry run would do."""


@click.command()
@click.option(
    "--from-file",
    "file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Add the sources of a YAML or JSON file, as 'source export' writes it; - is standard input.",
)
@click.option("--replace", is_flag=True, help="With --from-file: change sources that are there with other settings.")
@dry_run_option
@json_option
@pass_session
@click.pass_context
def add_many(
    ctx: click.Context, session: Session, /, file: Path | None, replace: bool, dry_run: bool, as_json: bool
) -> None:
    """Add a source of TYPE under NAME, or all sources of a file.

    'ingest-tui source add TYPE --help' lists the settings of a type.

    --from-file checks all sources of FILE before it adds the first: what is wrong is reported with its line, and
    nothing is changed. A source that is there with the same settings is left alone; with others it is an error, unless
    --replace has it changed to what the file says. What a source of the file leaves out is as usual, not as it was.
    Sources that the file does not have stay. The keys are those of 'ingest-tui source show SOURCE --json'; a credential
    is named, never written out. Relative paths count from the current folder.
    """
    if ctx.invoked_subcommand is not None:
        if file is not None or replace or dry_run or as_json:
            raise click.UsageError("A type and what is for --from-file do not go together.", ctx)
        return
    if file is None:
        raise click.UsageError("Give a TYPE, or --from-file FILE.", ctx)
    text = _read(file)
    sources = session.client.sources
    named = "standard input" if file == _STDIN else str(file)
    try:
        steps = sources.check_many(text, replaces=replace) if dry_run else sources.add_many(text, replaces=replace)
        done = _reported(session, steps, dry_run=dry_run, as_json=as_json)
    except _bad_sources() as error:
        for problem in () if as_json else error.problems:
            diagnostics.say(problem.in_words(named))
        raise
    if as_json:
        output.data({"sources": [_as_data(step) for step in done], "dry_run": dry_run})
        return
    numbers = {action: sum(step.action == action for step in done) for action in _DONE}
    output.line(", ".join(f"{_DONE[action][dry_run]} {number:,}" for action, number in numbers.items()))
    if numbers["add"] and not dry_run:
        output.line("next: ingest-tui sync --all")


def _bad_sources() -> type[Any]:
    from ingest_tui.services.sources.source_file import BadSourcesError

    return BadSourcesError


def _read(file: Path) -> str:
    from ingest_tui.model.errors import ValidationError
    from ingest_tui.services.sources.source_file import LARGEST_FILE

    if file == _STDIN:
        content = sys.stdin.buffer.read(LARGEST_FILE + 1)
    else:
        with file.open("rb") as opened:
            content = opened.read(LARGEST_FILE + 1)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValidationError("the file is not text in UTF-8", hint="save it as UTF-8") from None


def _reported(session: Session, steps: Iterable[SourceStep], *, dry_run: bool, as_json: bool) -> list[SourceStep]:
    done = []
    for step in steps:
        done.append(step)
        if not as_json:
            fields = f": {', '.join(step.changed)}" if step.changed else ""
            output.line(f"{_DONE[step.action][dry_run]} source {step.source.source_id}{fields}")
        if not dry_run:
            _report_notes(session, step)
    return done


def _report_notes(session: Session, step: SourceStep) -> None:
    source = step.source
    if step.action != "leave":
        report_missing_for_ocr(session, source)
    if step.action == "add":
        report_earlier_documents(session, source.source_id)
    elif step.before is not None and may_exclude_documents(session, step.before, source):
        what = f"documents that the new settings of source {source.source_id} exclude"
        diagnostics.say(f"note: {what} stay searchable until a person approves that they go")


def _as_data(step: SourceStep) -> dict[str, Any]:
    source = step.source
    return {"action": step.action, "source_id": source.source_id, "name": source.name, "changed": list(step.changed)}


@click.command()
@click.argument("sources", metavar="[SOURCE]...", nargs=-1, type=SOURCE)
@to_option
@force_option
@json_option
@pass_session
def export(session: Session, sources: tuple[str, ...], to: Path, force: bool, as_json: bool) -> int:
    """Write sources as a file that can be added --from-file: all of them, or those that are named.

    YAML, or JSON with --json. Settings that are as usual are left out. A credential is only named: the file holds no
    secret, and whoever adds the sources elsewhere adds the credentials there first.
    """
    from ingest_tui.model.errors import UsageError

    if as_json and chosen_format() == "csv":
        raise UsageError("sources are no table that could be read again", hint="-o yaml, or -o json")
    records = session.client.sources.export(sources)
    value = {"schema_version": 1, "sources": records}
    text = json_text(value, indent=True) + "\n" if as_json and chosen_format() != "yaml" else as_yaml(value)
    if to == STDOUT:
        output.raw_text(text)
    else:
        place = session.client.records.write(to, text, replace=force)
        diagnostics.say(f"exported {counted(len(records), 'source')} to {place}")
    lost = [] if sources else session.client.sources.unreadable()
    for name in lost:
        diagnostics.say(f"warning: source {name} cannot be read and is left out; 'ingest-tui doctor' shows why")
    return diagnostics.EXIT_FAILED_ITEMS if lost else 0
