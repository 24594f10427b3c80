"""search: documents by their words and their meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.document_choice import choice_of, choice_options, folder_option
from ingest_tui.cli.session import Session, json_option, pass_session
from ingest_tui.model.counted import counted
from ingest_tui.model.safe_text import safe_display

if TYPE_CHECKING:
    from ingest_tui.model.document import SearchHit

_LISTED_BY = {
    "source": "'ingest-tui source list' shows them",
    "collection": "'ingest-tui collection list' shows them",
}


class QueryCommand(click.Command):
    """A command whose words may begin with a minus: what is no option is explained as a word that must not occur."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; raise `UsageError` for a word that reads like an option."""
        from ingest_tui.model.errors import UsageError

        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if error.option_name.startswith("--"):
                raise
            raise UsageError(
                f"there is no option {error.option_name}",
                hint="put a query with -word in quotes, or -- before it: ingest-tui search -- rain -snow",
            ) from None


@click.command(cls=QueryCommand)
@click.argument("query", nargs=-1, required=True)
@choice_options
@folder_option
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="At most this many hits.")
@click.option(
    "--mode",
    type=click.Choice(["text", "vector", "hybrid"]),
    show_default="hybrid where there are vectors",
    help="By words, by meaning, or by both.",
)
@click.option(
    "--rerank/--no-rerank",
    default=None,
    show_default="where the collection has a reranker",
    help="Have the reranker of the collection rank the best hits again, or not.",
)
@click.option("--path", help="Only with this in their key or address; * stands for anything.")
@click.option("--title", help="Only with this in their title or file name; * stands for anything.")
@click.option("--after", help="Only changed then or later: YYYY, YYYY-MM or YYYY-MM-DD.")
@click.option("--before", help="Only changed before: YYYY, YYYY-MM or YYYY-MM-DD.")
@click.option("--all-chunks", is_flag=True, help="Each chunk that is found, not one for each document.")
@click.option("--explain", is_flag=True, help="Show what each score is made of.")
@json_option
@pass_session
def search(
    session: Session,
    /,
    query: tuple[str, ...],
    limit: int,
    mode: Any,
    rerank: bool | None,
    all_chunks: bool,
    explain: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Find documents by their words, where there are vectors by their meaning too. Any word may occur.

    "quoted words" must follow each other; begin* finds beginnings; -word must not occur, +word must; OR between
    words. Filters: source:, collection:, type:, path:, title:, after:, before:. Put -- before a query that begins
    with a minus.
    """
    from ingest_tui.model.search_query import query_filters

    documents = session.client.documents
    words = " ".join(query)
    filters = query_filters(**{name: options.pop(name) for name in ("path", "title", "after", "before")})
    choice = choice_of(options)
    how = {"mode": mode, "rerank": rerank, "all_chunks": all_chunks}
    hits = documents.search(words, limit=limit, filters=filters, **how, **choice)
    for missing in documents.vectors_missing(mode, query=words, collection_id=choice.get("collection_id")):
        diagnostics.say(f"note: {missing}")
    if as_json:
        show_data(hits)
    else:
        show_hits(hits, explain=explain)
    for one in documents.unknown_filters(words):
        listed = _LISTED_BY.get(one.field, "there are")
        diagnostics.say(f"{one.what}; {listed}: {one.names}")
    for word, suggestion in documents.suggestions(words).items():
        diagnostics.say(f"no document has '{safe_display(word)}'; did you mean '{safe_display(suggestion)}'?")


def show_data(hits: list[SearchHit]) -> None:
    """Print hits as data."""
    from ingest_tui.model.document import SearchHit

    output.data([hit.as_dict() for hit in hits], columns=SearchHit.__slots__)


def show_hits(hits: list[SearchHit], *, explain: bool = False) -> None:
    """Print hits for people, with what their scores are made of on request."""
    if not hits:
        output.line("nothing found")
    for number, hit in enumerate(hits, 1):
        below_title = hit.heading_path.removeprefix(hit.title).removeprefix(" › ")
        where = f" › {below_title}" if below_title else ""
        page = f", page {hit.page}" if hit.page else ""
        score = "" if hit.ranked_score is None else f", score {hit.ranked_score:.2f}"
        output.line(f"{number:2}. {hit.title}{where}   [{hit.document_id[:12]}{page}{score}]")
        output.raw_line(f"    {output.snippet(hit.snippet)}")
        output.line(f"    {hit.uri}")
        if hit.others:
            output.line(f"    and {len(hit.others)} more of its chunks; --all-chunks shows them")
        for one in hit.why if explain else ():
            places = ", ".join(f"{count} in {field}" for field, count in one.found.items())
            chunks = f"in {counted(one.chunks, 'chunk')}" if one.chunks else ""
            output.line(f"      {one.weight:6.2f}  {one.term}  " + "; ".join(filter(None, (places, chunks))))
