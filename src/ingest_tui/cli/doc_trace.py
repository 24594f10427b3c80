"""doc trace."""

from __future__ import annotations

import click

from ingest_tui.cli import output
from ingest_tui.cli.session import Session, json_option, pass_session


@click.command()
@click.argument("target", metavar="DOCUMENT|JOB|HASH")
@json_option
@pass_session
def trace(session: Session, target: str, as_json: bool) -> None:
    """Show where a document came from: jobs, manifests, hashes, places, audit; from a job or a hash, back to it.

    A hash is the SHA-256 of the bytes that were fetched, or of the text.
    """
    from ingest_tui.services.documents.trace import trace as find

    found = list(find(session.workspace, target))
    if as_json:
        output.data([one.as_dict() for one in found])
        return
    for number, one in enumerate(found):
        if number:
            output.line()
        output.line(f"document  {one.document.document_id}  {one.document.state}  {one.document.uri}")
        for version in one.versions:
            row = version.row
            output.line(f"version   {row.version}  {row.ingested_at}  {version.folder}")
            output.line(f"  raw     {row.raw_sha256}")
            output.line(f"  text    {row.content_hash}")
            by = f"  {version.job_state}, for {version.requested_by}" if version.manifest else ""
            output.line(f"  job     {row.job_id}{by}  {version.manifest}".rstrip())
        for place in one.places:
            output.line(f"place     {place.source_id}  {place.key}  {place.uri}")
        for line in one.audit:
            output.line(f"audit     {line['at']}  {line['by']}  {line['action']}  {line['target']}  {line['outcome']}")
