"""job list, show, items, errors, logs, cancel, pause, resume, priority, retry, approve, refuse, withdraw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.day_argument import DAY
from ingest_tui.cli.groups import CommandGroup
from ingest_tui.cli.logs import logs
from ingest_tui.cli.name_arguments import JOB, SOURCE
from ingest_tui.cli.progress import parsing_lines, warnings_line
from ingest_tui.cli.session import Session, dry_run_option, json_option, pass_session, report_dry_run
from ingest_tui.model.counted import counted
from ingest_tui.model.outcome import OUTCOME_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from ingest_tui.model.job import Manifest
    from ingest_tui.model.outcome import Outcome
    from ingest_tui.services.client import Client

_FOLLOW_SECONDS = 0.25
JOB_STATES = ("queued", "running", "paused", "interrupted", "succeeded", "partial", "failed", "cancelled")
"""Those of `JobState`, whose module '--help' does not load; a test holds both together."""


@click.group(cls=CommandGroup)
def job() -> None:
    """See, cancel, pause, retry and approve jobs. JOB is an id, a unique part of one, or 'last'."""


@job.command("list")
@click.option("--state", "states", multiple=True, type=click.Choice(JOB_STATES), help="Only jobs in this state.")
@click.option("--source", "source_id", type=SOURCE, metavar="NAME", help="Only jobs of this source.")
@click.option("--since", type=DAY, metavar="YYYY-MM-DD", help="Only jobs made on this day (UTC) or later.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most this many.")
@json_option
@pass_session
def list_(
    session: Session,
    states: tuple[str, ...],
    source_id: str | None,
    since: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """List jobs, newest first."""
    client = session.client

    def warn(job_id: str) -> None:
        diagnostics.say(f"warning: job {job_id} cannot be read; 'ingest-tui doctor' reports why")

    day = f"{since:%Y-%m-%d}" if since else ""
    jobs = client.jobs.list(states=states, source_id=source_id, since=day, limit=limit, on_unreadable=warn)
    queue = client.jobs.queue_positions()
    if as_json:
        output.data([_with_position(item, queue) for item in jobs])
        return
    rows = [
        (
            item.job_id,
            f"{item.state} (held)" if item.held and item.held.waits else item.state,
            queue.get(item.job_id, ""),
            f"{item.progress.percent:.0f} %",
            item.counters.descriptors_listed,
            item.counters.items_ingested,
            item.counters.items_failed,
            item.trigger,
            item.updated_at,
        )
        for item in jobs
    ]
    output.table(
        ("JOB", "STATE", "QUEUE", "DONE", "LISTED", "INGESTED", "FAILED", "TRIGGER", "UPDATED"),
        rows,
        empty=output.what_is_empty(
            "no jobs; 'ingest-tui sync SOURCE' starts one",
            of="job list",
            is_narrowed=bool(states or source_id or since),
        ),
    )


@job.command()
@click.argument("job_id", metavar="JOB", type=JOB)
@json_option
@pass_session
def show(session: Session, job_id: str, as_json: bool) -> None:
    """Show the manifest of JOB."""
    manifest = session.client.jobs.get(job_id)
    if as_json:
        output.data(_with_position(manifest, session.client.jobs.queue_positions()))
        return
    print_manifest(session.client, manifest)


def _with_position(manifest: Manifest, queue: dict[str, int]) -> dict[str, Any]:
    """Return the manifest as it is printed: with its place in the queue, null for a job that does not wait."""
    return manifest.model_dump(mode="json", by_alias=True) | {"queue_position": queue.get(manifest.job_id)}


def print_manifest(client: Client, manifest: Manifest) -> None:
    """Print the state of a job for people."""
    output.line(f"job        {manifest.job_id}  ({manifest.kind}, {manifest.trigger}, by {manifest.requested_by})")
    position = client.jobs.queue_positions().get(manifest.job_id)
    queue = f", number {position} in the queue" if position else ""
    output.line(f"state      {manifest.state}{queue}, attempt {manifest.attempt}, {manifest.progress.percent:.0f} %")
    output.line(f"source     {manifest.source_id} → collection {manifest.collection_id}")
    times = (
        f"created {manifest.created_at}, started {manifest.started_at or '-'}, finished {manifest.finished_at or '-'}"
    )
    output.line(f"times      {times}")
    for name, phase in manifest.phases.items():
        output.line(f"{name:10} {phase.state:8} {phase.done} of {phase.total if phase.total is not None else '?'}")
    for line in parsing_lines(manifest):
        output.line(f"parsing    {line}")
    for name, value in manifest.counters.as_flat_dict().items():
        output.line(f"{name:26} {value}")
    if manifest.counters.items_with_warnings:
        output.line(f"warnings   {warnings_line(manifest)}")
    if manifest.held:
        output.line(f"held       {held_line(manifest)}")
    for error in manifest.errors[-10:]:
        output.line(f"error      {error.code}: {error.message}{f' ({error.uri})' if error.uri else ''}")


def held_line(manifest: Manifest) -> str:
    """Say how many deletions a job held, and what became of them or how to answer."""
    held = manifest.held
    number = held.documents if held else 0
    if held and held.answered_by_job:
        return f"{counted(number, 'deletion')}, approved: ingest-tui job show {held.answered_by_job}"
    if held and held.refused_by:
        return f"{counted(number, 'deletion')}, refused by {held.refused_by}"
    if held and held.closed:
        return f"{counted(number, 'deletion')}, which need no answer any more: {held.closed}"
    return (
        f"{counted(number, 'deletion waits', 'deletions wait')}: ingest-tui job approve {manifest.job_id}, or "
        "job refuse"
    )


@job.command()
@click.argument("job_id", metavar="JOB", type=JOB)
@click.option("--outcome", "outcomes", multiple=True, type=click.Choice(OUTCOME_NAMES), help="Only these.")
@click.option("--warnings", "with_warnings", is_flag=True, help="Only those in which something is wrong or odd.")
@click.option("--held", is_flag=True, help="The deletions that wait for approval.")
@json_option
@pass_session
def items(
    session: Session, job_id: str, outcomes: tuple[str, ...], with_warnings: bool, held: bool, as_json: bool
) -> None:
    """Print what became of each item of JOB."""
    client = session.client
    manifest = client.jobs.get(job_id)
    if held:
        lines = [line.as_dict() for line in client.jobs.held_deletions(manifest.job_id)]
        _print_records(lines, ("action", "reason", "key", "document_id"), as_json=as_json, empty="nothing is held")
        return
    chosen = client.jobs.items(manifest.job_id, outcomes=set(outcomes) or None, with_warnings=with_warnings)
    records = (outcome.as_dict() for outcome, _ in chosen) if as_json else _under_parents(chosen)
    columns = ("outcome", "key", "warnings") if with_warnings else ("outcome", "reason", "key", "detail")
    nothing = (
        "no items with warnings" if with_warnings else "no items yet; 'ingest-tui job show JOB' shows how far it is"
    )
    empty = output.what_is_empty(nothing, of="job items JOB", is_narrowed=bool(outcomes))
    _print_records(records, columns, as_json=as_json, empty=empty)


def _under_parents(chosen: Iterable[tuple[Outcome, Any]]) -> Iterator[dict[str, Any]]:
    from ingest_tui.model.outcome import under_parents

    for depth, outcome in under_parents(outcome for outcome, _ in chosen):
        yield outcome.as_dict() | {"key": f"{'  ' * depth}{outcome.key}"}


def _print_records(records: Any, columns: tuple[str, ...], *, as_json: bool, empty: str) -> None:
    if as_json:
        for record in records:
            output.data_line(record)
        return
    rows = [[_cell(record.get(name)) for name in columns] for record in records]
    output.table([name.upper() for name in columns], rows, empty=empty)


def _cell(value: Any) -> Any:
    return "; ".join(value) if isinstance(value, tuple) else value or ""


@job.command()
@click.argument("job_id", metavar="JOB", type=JOB)
@click.option("--by-reason", is_flag=True, help="How many there are for each reason, and what to do.")
@json_option
@pass_session
def errors(session: Session, job_id: str, by_reason: bool, as_json: bool) -> None:
    """Print what failed or was rejected in JOB, and what to do. 'ingest-tui errors list' shows all jobs."""
    client = session.client
    manifest = client.jobs.get(job_id)
    if by_reason:
        _print_reasons(client, manifest.job_id, as_json=as_json)
        return
    failures = [outcome for outcome, _ in client.jobs.items(manifest.job_id, outcomes={"failed", "rejected"})]
    if as_json:
        for outcome in failures:
            output.data_line(outcome.as_dict())
        return
    for error in manifest.errors:
        if error.uri is None:
            output.line(f"job: {error.code}: {error.message}")
            if error.hint:
                output.line(f"  hint: {error.hint}")
    if not failures and not manifest.errors:
        output.line("no errors")
    for outcome in failures:
        output.line(f"{outcome.outcome}: {outcome.key}: {outcome.reason}: {outcome.detail}")
        if outcome.hint:
            output.line(f"  hint: {outcome.hint}")


def _print_reasons(client: Client, job_id: str, *, as_json: bool) -> None:
    groups = client.jobs.reasons(job_id)
    if as_json:
        output.data([group.as_dict() for group in groups])
        return
    for group in groups:
        output.line(f"{group.number:6}  {group.outcome}: {group.reason}  {group.shown_detail}".rstrip())
        if group.hint:
            output.line(f"        hint: {group.hint}")
    if not groups:
        output.line("no errors")


job.add_command(logs)


@job.command()
@click.argument("job_id", metavar="JOB", type=JOB)
@click.option(
    "--timeout", type=click.FloatRange(0), metavar="SECONDS", help="Give up after this long, with exit code 5."
)
@json_option
@pass_session
def wait(session: Session, job_id: str, timeout: float | None, as_json: bool) -> int:
    """Wait until JOB has ended, and end with its exit code, as 'sync' does. A worker must run it: this does not.

    Exit codes: 0 succeeded, 1 failed or cancelled, 3 done with failed items, 5 --timeout, 6 deletions wait.
    """
    from ingest_tui.cli.progress import FollowedLog, JobProgress
    from ingest_tui.cli.sync import report_end

    client = session.client
    with JobProgress(wanted=not as_json) as progress, FollowedLog(client, job_id) as log:

        def show(seen: Manifest) -> None:
            progress.show(seen)
            log.show()

        manifest = client.workers.wait_for(job_id, show, timeout=timeout)
    if as_json:
        output.data(manifest)
    else:
        report_end(manifest)
    return diagnostics.exit_code_of(manifest)


def _acting(name: str, help_text: str, done: str, wanted: str) -> click.Command:
    """Return a command that does one thing with one job and says so. ``wanted``: what the job is to be."""

    @click.argument("job_id", metavar="JOB", type=JOB)
    @dry_run_option
    @json_option
    @pass_session
    def command(session: Session, job_id: str, dry_run: bool, as_json: bool) -> None:
        jobs = session.client.jobs
        if dry_run:
            manifest = jobs.before_change(job_id, wanted=wanted)
            planned = manifest.model_dump(mode="json", by_alias=True)
            report_dry_run(f"would {name} {manifest.job_id}, which is {manifest.state}", planned, as_json=as_json)
            return
        manifest = getattr(jobs, name)(job_id)
        if as_json:
            output.data(manifest)
        else:
            output.line(f"{done} {manifest.job_id}")

    return click.command(name, help=help_text)(command)


job.add_command(_acting("cancel", "Cancel JOB; what is committed stays.", "cancelling", "cancelled"))
job.add_command(_acting("pause", "Pause JOB until it is resumed.", "pausing", "paused"))
job.add_command(_acting("resume", "Resume a paused JOB.", "resuming", "resumed"))


@job.command()
@click.argument("job_id", metavar="JOB", type=JOB)
@click.argument("priority", type=click.IntRange(0, 1000))
@json_option
@pass_session
def priority(session: Session, job_id: str, priority: int, as_json: bool) -> None:
    """Let JOB run sooner (lower PRIORITY) or later than others."""
    manifest = session.client.jobs.set_priority(job_id, priority)
    if as_json:
        output.data(manifest)
    else:
        output.line(f"{manifest.job_id} has priority {priority}")


@job.command()
@click.argument("job_id", metavar="JOB", type=JOB)
@click.option("--failed-only", is_flag=True, help="Only the items that failed.")
@click.option("--detach", is_flag=True, help="Only queue; a worker does it.")
@json_option
@pass_session
def retry(session: Session, job_id: str, failed_only: bool, detach: bool, as_json: bool) -> int:
    """Do an ended JOB again."""
    return _follow_new(session, session.client.jobs.retry(job_id, failed_only=failed_only), detach, as_json)


@job.command()
@click.argument("job_id", metavar="JOB", type=JOB)
@click.option("--detach", is_flag=True, help="Only queue; a worker does it.")
@json_option
@pass_session
def approve(session: Session, job_id: str, detach: bool, as_json: bool) -> int:
    """Approve the deletions that JOB holds; only those still gone are carried out."""
    jobs = session.client.jobs
    held = jobs.get(job_id).held
    if held and held.closed:
        diagnostics.say(f"note: {held.closed}; only what it misses too is retired")
    return _follow_new(session, jobs.approve(job_id), detach, as_json)


@job.command()
@click.argument("job_id", metavar="JOB", type=JOB)
@json_option
@pass_session
def refuse(session: Session, job_id: str, as_json: bool) -> None:
    """Refuse the deletions that JOB holds: the documents stay."""
    manifest = session.client.jobs.refuse(job_id)
    if as_json:
        output.data(manifest)
    else:
        output.line(f"refused the deletions that {manifest.job_id} held")


@job.command()
@click.argument("job_id", metavar="JOB", type=JOB)
@json_option
@pass_session
def withdraw(session: Session, job_id: str, as_json: bool) -> None:
    """Take back an approval of what JOB holds, while no worker has begun."""
    manifest = session.client.jobs.withdraw(job_id)
    if as_json:
        output.data(manifest)
    else:
        output.line(f"the deletions of {manifest.job_id} are held again")


def _follow_new(session: Session, manifest: Manifest, detach: bool, as_json: bool) -> int:
    from ingest_tui.cli.sync import follow_and_report

    if not detach:
        manifest = follow_and_report(session.client, manifest.job_id, quiet=as_json)
    if as_json:
        output.data(manifest)
    elif detach:
        output.line(f"queued {manifest.job_id}")
    return 0 if detach else diagnostics.exit_code_of(manifest)
