"""stats and health."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click
import humanize

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.selector_options import Age
from ingest_tui.cli.session import Session, json_option, pass_session
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import IngestError

if TYPE_CHECKING:
    from ingest_tui.services.stats import SourceFigures, Stats


@click.command()
@click.option("--metrics", metavar="FILE", help="Write them to FILE in the text format of Prometheus; -: stdout.")
@json_option
@pass_session
def stats(session: Session, metrics: str | None, as_json: bool) -> None:
    """Show how the workspace is doing in figures: documents, jobs, sources, disk, credentials."""
    if metrics is not None:
        _write_metrics(session, metrics)
        return
    from ingest_tui.services.stats import workspace_stats

    figures = workspace_stats(session.workspace)
    if as_json:
        output.data(figures.as_dict())
    else:
        _show(figures)


def _write_metrics(session: Session, target: str) -> None:
    from ingest_tui.services.metrics import MetricsTarget, metrics_text, write_metrics

    if target == "-":
        output.block(metrics_text(session.workspace).decode())
        return
    place = MetricsTarget.parse(target if "/" in target else f"./{target}").file
    if place is not None:
        write_metrics(session.workspace, place)


def _show(figures: Stats) -> None:
    documents = ", ".join(f"{number:,} in {name}" for name, number in figures.documents.items())
    jobs = ", ".join(f"{number:,} {state}" for state, number in sorted(figures.jobs.items()))
    workers = ", ".join(f"{number} {mode}" for mode, number in figures.workers.items())
    free, total = humanize.naturalsize(figures.disk_free), humanize.naturalsize(figures.disk_total)
    output.line(f"documents    {documents or 'none'}")
    output.line(f"jobs         {jobs or 'none'}; {figures.queue_length} wait")
    output.line(f"workers      {workers or 'none'}; {counted(figures.worker_issues, 'task')} failing")
    output.line(f"disk         {free} of {total} free, {humanize.naturalsize(figures.disk_reserve)} are kept free")
    for name, days in figures.credentials.items():
        output.line(f"credential   {name}: {counted(days, 'day')} left")
    for name, number in figures.index_lag.items():
        output.line(f"vectors      {name}: {counted(number, 'document')} without")
    rows = [_row(one) for one in figures.sources]
    headers = ("SOURCE", "DOCUMENTS", "LAST GOOD SYNC", "NEWEST SYNC", "SECONDS", "FETCHED", "NEXT")
    output.table(headers, rows, empty="no sources")


def _row(one: SourceFigures) -> tuple[str, ...]:
    job = one.last_job
    taken = "-" if job is None or job.seconds is None else f"{job.seconds:.1f}"
    fetched = "-" if job is None else humanize.naturalsize(job.bytes_fetched)
    newest = "-" if job is None else job.state
    return (
        one.source_id,
        f"{one.documents:,}",
        one.last_success_at or "never",
        newest,
        taken,
        fetched,
        one.next_run_at or "-",
    )


class _NoAnswerError(click.UsageError):
    exit_code = diagnostics.EXIT_UNKNOWN


class _MonitorCommand(click.Command):
    """A command whose wrong usage is no finding either: monitors take 2 for critical, and 3 for unknown."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the call; what is wrong in it ends with 3."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            raise _NoAnswerError(error.message, error.ctx) from error


@click.command(cls=_MonitorCommand)
@click.option(
    "--max-age", type=Age(), help="Critical when the last good sync of a source is longer ago: 90m, 12h, 2d, 1w."
)
@json_option
@pass_session
def health(session: Session, max_age: timedelta | None, as_json: bool) -> int:
    """Say in one line whether somebody has to look, for monitors.

    Exit codes are those of monitoring plug-ins, not those of other commands. 0: OK. 1: WARNING. 2: CRITICAL. 3 and
    above: UNKNOWN, it could not be looked at: 3 for wrong usage and failures, 4 for no workspace, 5 for a busy one, 6
    for one that is refused.
    """
    from ingest_tui.services.monitoring import check_health

    try:
        found = check_health(session.workspace, oldest_success=max_age)
    except Exception as error:
        if session.debug:
            raise
        cause = session.cause_of(error)
        if isinstance(cause, IngestError):
            return max(diagnostics.fail(cause, as_json=as_json), diagnostics.EXIT_UNKNOWN)
        return max(diagnostics.fail_unexpectedly(cause, as_json=as_json), diagnostics.EXIT_UNKNOWN)
    if as_json:
        output.data(found.as_dict())
    else:
        output.line(found.summary)
    return found.exit_code
