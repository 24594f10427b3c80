"""embed, similar."""

from __future__ import annotations

from typing import Any

import click

from ingest_tui.cli import diagnostics
from ingest_tui.cli.document_choice import choice_of, choice_options, folder_option
from ingest_tui.cli.name_arguments import COLLECTION, DOCUMENT
from ingest_tui.cli.session import Session, json_option, pass_session


@click.command()
@click.argument("collection", type=COLLECTION, default="default")
@click.option("--all", "everything", is_flag=True, help="Look at every document, not only at what has changed.")
@click.option("--detach", is_flag=True, help="Only queue; a worker does it.")
@json_option
@pass_session
def embed(session: Session, collection: str, everything: bool, detach: bool, as_json: bool) -> int:
    """Make the vectors that documents of COLLECTION lack, with the embedder that it has chosen, and follow that.

    What was embedded and has not changed keeps its vectors; no model is asked for it again.
    """
    from ingest_tui.cli.sync import follow_unless_detached
    from ingest_tui.services.embedding import enqueue_embedding

    queued = enqueue_embedding(session.workspace, collection, everything=everything)
    return follow_unless_detached(session.client, queued, detach=detach, as_json=as_json)


@click.command()
@click.argument("document", type=DOCUMENT, required=False)
@click.option("--text", metavar="TEXT", help="Look for what is similar to this text instead.")
@choice_options
@folder_option
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="At most this many.")
@json_option
@pass_session
def similar(
    session: Session, /, document: str | None, text: str | None, limit: int, as_json: bool, **options: Any
) -> None:
    """Find documents that are similar to DOCUMENT, or to a text, by their vectors; the best passage of each."""
    from ingest_tui.cli.search import show_data, show_hits
    from ingest_tui.model.errors import UsageError

    documents = session.client.documents
    if (document is None) == (text is None):
        raise UsageError(
            "similar to what? Name a document or give --text", hint="ingest-tui similar --text 'rain gauge'"
        )
    choice = choice_of(options)
    if document is not None:
        hits = documents.similar_to(document, limit=limit, **choice)
    else:
        hits = documents.similar_to_text(text or "", limit=limit, **choice)
    if as_json:
        show_data(hits)
        return
    show_hits(hits)
    if not hits and (hint := documents.hint_without_hits(target=document, **choice)):
        diagnostics.say(f"hint: {hint}")
