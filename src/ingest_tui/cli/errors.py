"""errors list, retry, ignore, unignore: what failed, was refused, or has (nearly) no text, over all jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.groups import CommandGroup
from ingest_tui.cli.selector_options import selector_of, selector_options
from ingest_tui.cli.session import Session, dry_run_option, json_option, pass_session, report_dry_run
from ingest_tui.model.counted import counted
from ingest_tui.model.issue import ISSUE_KINDS

if TYPE_CHECKING:
    from ingest_tui.model.selector import Selector
    from ingest_tui.services.jobs.error_inbox import Issue


@click.group(cls=CommandGroup)
def errors() -> None:
    """See, retry and ignore what failed, was refused, or has (nearly) no text, over all jobs.

    Only the last look at each item counts. ITEM is an address, a key, the path of a local file, or a document.
    """


def _narrowing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose among the errors."""
    options = (
        click.option("--kind", "kinds", multiple=True, type=click.Choice(ISSUE_KINDS), help="Only of this kind."),
        click.option("--reason", "reasons", multiple=True, help="Only with this reason, as 'errors list' names it."),
    )
    command = selector_options(command)
    for option in reversed(options):
        command = option(command)
    return command


@errors.command("list")
@_narrowing
@click.option("--ignored", is_flag=True, help="Those that are ignored.")
@click.option("--by-reason", is_flag=True, help="How many there are for each reason, and what to do.")
@click.option("--limit", type=click.IntRange(1), default=200, show_default=True, help="At most this many.")
@json_option
@pass_session
def list_(
    session: Session,
    /,
    kinds: tuple[str, ...],
    reasons: tuple[str, ...],
    ignored: bool,
    by_reason: bool,
    limit: int,
    as_json: bool,
    **options: Any,
) -> None:
    """List the errors, newest first."""
    from ingest_tui.services.jobs.error_inbox import groups_with_hints

    selector = selector_of(options)
    found = _listed(session, kinds, reasons, selector, ignored=ignored)
    empty = _empty(ignored=ignored, is_narrowed=bool(kinds or reasons or not selector.is_empty))
    if by_reason:
        groups = groups_with_hints(session.workspace, found)
        if as_json:
            output.data([group.as_dict() for group in groups])
            return
        for group in groups:
            output.line(f"{group.number:6}  {group.kind}: {group.reason}  {group.shown_detail}".rstrip())
            output.line(f"        hint: {group.hint}")
        if not groups:
            output.line(empty)
        return
    if as_json:
        output.data([issue.as_dict() for issue in found[:limit]])
        return
    rows = [(one.kind, one.reason, one.source_id, one.key, one.detail, one.at) for one in found[:limit]]
    output.table(("KIND", "REASON", "SOURCE", "KEY", "DETAIL", "LAST"), rows, empty=empty)
    if len(found) > limit:
        output.line(f"{limit} of {len(found)}; --limit shows more, --by-reason gathers them")


def _empty(*, ignored: bool, is_narrowed: bool) -> str:
    nothing = "nothing is ignored" if ignored else "no errors"
    return output.what_is_empty(nothing, of="errors list", is_narrowed=is_narrowed)


def _choosing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the items that a command is for: named, or all that the options leave."""
    command = dry_run_option(command)
    command = click.option("--all", "all_of_them", is_flag=True, help="All that the other options leave.")(command)
    return click.argument("items", metavar="[ITEM]...", nargs=-1)(_narrowing(command))


def _chosen(
    session: Session,
    items: tuple[str, ...],
    all_of_them: bool,
    kinds: tuple[str, ...],
    reasons: tuple[str, ...],
    *,
    ignored: bool = False,
    **options: Any,
) -> list[Issue]:
    from ingest_tui.model.errors import UsageError
    from ingest_tui.services.jobs.error_inbox import find_issues

    selector = selector_of(options)
    narrowed = bool(kinds or reasons or not selector.is_empty)
    if bool(items) == (narrowed or all_of_them):
        hint = "--kind, --reason, --source, --collection, --type, --path, --older-than, or --all"
        raise UsageError("name items, or choose them by options", hint=hint)
    if items:
        return find_issues(session.workspace, items, ignored=ignored)
    return _listed(session, kinds, reasons, selector, ignored=ignored)


def _listed(
    session: Session, kinds: tuple[str, ...], reasons: tuple[str, ...], selector: Selector, *, ignored: bool
) -> list[Issue]:
    from ingest_tui.services.jobs.error_inbox import list_open_issues

    return list_open_issues(
        session.workspace,
        kinds=kinds,
        reasons=reasons,
        source_id=selector.source_id,
        ignored=ignored,
        selector=selector,
    )


def _report_chosen(chosen: list[Issue], what: str, *, as_json: bool) -> None:
    """Print the items that a command would be for."""
    lines = [f"  {one.source_id}: {one.key}: {one.reason}" for one in chosen]
    items = {"items": [one.as_dict() for one in chosen]}
    report_dry_run("\n".join([f"would {what} {counted(len(chosen), 'item')}", *lines]), items, as_json=as_json)


@errors.command()
@_choosing
@click.option("--detach", is_flag=True, help="Only queue; a worker does it.")
@json_option
@pass_session
def retry(session: Session, /, detach: bool, dry_run: bool, as_json: bool, **choice: Any) -> int:
    """Fetch and read items again: one job for each source, whatever jobs they failed in."""
    from ingest_tui.cli.sync import follow_and_report
    from ingest_tui.services.jobs.error_inbox import retry_issues

    chosen = _chosen(session, **choice)
    if dry_run:
        _report_chosen(chosen, "retry", as_json=as_json)
        return 0
    report = retry_issues(session.workspace, chosen)
    for one in report.left_out[:5]:
        diagnostics.say(f"warning: left out {one['source_id']}: {one['key']}: {one['reason']}")
    if report.left_out_total:
        diagnostics.say(f"warning: {counted(report.left_out_total, 'item is', 'items are')} not retried")
    code = 0
    if not detach:
        for job_id in report.jobs:
            manifest = follow_and_report(session.client, job_id, quiet=as_json)
            code = max(code, diagnostics.exit_code_of(manifest))
    if as_json:
        output.data(report.as_dict())
    elif detach:
        for job_id in report.jobs:
            output.line(f"queued {job_id}")
    return code


def _ignoring(name: str, help_text: str, done: str, *, ignore: bool) -> click.Command:
    """Return the command that ignores items, or its opposite."""

    @_choosing
    @json_option
    @pass_session
    def command(session: Session, /, dry_run: bool, as_json: bool, **choice: Any) -> None:
        from ingest_tui.services.jobs.error_inbox import ignore_issues

        chosen = _chosen(session, **choice, ignored=not ignore)
        if dry_run:
            _report_chosen(chosen, name, as_json=as_json)
            return
        number = ignore_issues(session.workspace, chosen, ignore=ignore)
        if as_json:
            output.data({name: number})
        else:
            output.line(done.format(number))

    return click.command(name, help=help_text)(command)


_IGNORE_HELP = "Show items no more, until they change or something else is wrong with them."
errors.add_command(
    _ignoring("ignore", _IGNORE_HELP, "{} ignored; 'ingest-tui errors list --ignored' shows them", ignore=True)
)
errors.add_command(_ignoring("unignore", "Show ignored items again.", "{} are shown again", ignore=False))
