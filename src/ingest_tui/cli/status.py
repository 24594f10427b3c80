"""status: what needs a person now, or the state of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ingest_tui.cli import output
from ingest_tui.cli.job import print_manifest
from ingest_tui.cli.name_arguments import JOB
from ingest_tui.cli.session import Session, json_option, pass_session

if TYPE_CHECKING:
    from ingest_tui.services.client import Client


@click.command()
@click.argument("job_id", metavar="[JOB]", type=JOB, required=False)
@json_option
@pass_session
def status(session: Session, job_id: str | None, as_json: bool) -> None:
    """Print what needs you now; with JOB, the state of that job as an IngestionStatusResponse.

    What fails in the workers right now goes to stderr.
    """
    from ingest_tui.cli.worker import say_issues

    client = session.client
    say_issues(client.workers.list())
    if job_id is None:
        _print_attention(client, as_json=as_json)
    elif as_json:
        output.data(client.jobs.status(job_id))
    else:
        print_manifest(client, client.jobs.get(job_id))


def _print_attention(client: Client, *, as_json: bool) -> None:
    items = client.maintenance.attention()
    if as_json:
        output.data([item.as_dict() for item in items])
        return
    for item in items:
        since = f" since {item.since}" if item.since else ""
        output.line(f"{item.level}: {item.subject}: {item.message}{since}")
        output.line(f"  {item.action}: {item.hint}")
    if not items:
        output.line("nothing needs you")
