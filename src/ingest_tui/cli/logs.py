"""logs, and job logs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.name_arguments import JOB, SOURCE
from ingest_tui.cli.session import Session, json_option, pass_session
from ingest_tui.model.errors import UsageError
from ingest_tui.model.log import LEVELS

if TYPE_CHECKING:
    from ingest_tui.services.jobs.logs import LogQuery

_FOLLOW_SECONDS = 0.3


@click.command()
@click.argument("job_id", metavar="[JOB]", type=JOB, required=False)
@click.option("--job", "named_job", metavar="JOB", type=JOB, help="The same as JOB.")
@click.option("--follow", "-f", is_flag=True, help="Go on until the job ends; without JOB until Ctrl-C.")
@click.option("--level", type=click.Choice(LEVELS), default="debug", show_default=True, help="This level and above.")
@click.option("--source", type=SOURCE, default="", metavar="NAME", help="Only lines about this source.")
@click.option("--document", default="", metavar="WORDS", help="Only lines about an address that has these words.")
@click.option("--since", default="", metavar="TIME", help="Only lines since: 2026-11-21, or with a time, in UTC.")
@json_option
@pass_session
def logs(
    session: Session,
    job_id: str | None,
    named_job: str | None,
    follow: bool,
    level: str,
    source: str,
    document: str,
    since: str,
    as_json: bool,
) -> int:
    """Print logs: text for people, JSON lines with --json.

    Without JOB: the ends of the logs of the worker and of the newest jobs, in the order of their times; all of these
    logs with --source, --document or --since. With JOB and --follow it ends with the exit code of the job.
    """
    from ingest_tui.services.jobs.logs import LogQuery

    if job_id is not None and named_job is not None:
        raise UsageError("JOB is given twice", hint="give it once")
    if source:
        session.client.sources.get(source)
    query = LogQuery(level, source, document, since)
    chosen = job_id or named_job
    if chosen is None:
        return _all_logs(session, query, follow=follow, as_json=as_json)
    return _log_of_job(session, chosen, query, follow=follow, as_json=as_json)


def _log_of_job(session: Session, job_id: str, query: LogQuery, *, follow: bool, as_json: bool) -> int:
    jobs = session.client.jobs
    full_id = jobs.get(job_id).job_id
    offset = 0
    while True:
        manifest = jobs.get(full_id)
        for record, end in jobs.log(full_id, offset, level=query.level):
            offset = end
            _print([record], query, as_json=as_json, without={"job"})
        if not follow:
            return 0
        if manifest.ended:
            return diagnostics.exit_code_of(manifest)
        sys.stdout.flush()
        time.sleep(_FOLLOW_SECONDS)


def _all_logs(session: Session, query: LogQuery, *, follow: bool, as_json: bool) -> int:
    follower = session.client.jobs.follow_logs(whole=query.is_narrowed)
    while True:
        _print(follower.read(level=query.level), query, as_json=as_json)
        if not follow:
            return 0
        sys.stdout.flush()
        time.sleep(_FOLLOW_SECONDS)


def _print(records: Iterable[dict[str, Any]], query: LogQuery, *, as_json: bool, without: Iterable[str] = ()) -> None:
    for record in filter(query.takes, records):
        if as_json:
            output.data_line(record)
        else:
            output.raw_line(output.log_line(record, without=set(without)))
