"""eval: how well the search answers judged queries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ingest_tui.cli import output
from ingest_tui.cli.name_arguments import COLLECTION, RERANKER
from ingest_tui.cli.session import Session, json_option, pass_session

if TYPE_CHECKING:
    from ingest_tui.model.relevance import Evaluation


@click.command()
@click.argument("queries", metavar="QUERIES.jsonl", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "--collection", "collections", type=COLLECTION, metavar="NAME", multiple=True,
    help="Search in this collection; several are compared. All documents when it is not given.",
)  # fmt: skip
@click.option(
    "--mode",
    "modes",
    type=click.Choice(["text", "vector", "hybrid"]),
    multiple=True,
    help="Search so; several are compared.",
)
@click.option(
    "--generation",
    "generations",
    type=click.IntRange(1),
    metavar="NUMBER",
    multiple=True,
    help="Ask this generation of the collection's vectors; several are compared. Mode vector where none is given.",
)
@click.option(
    "--rerank",
    "rerankers",
    type=RERANKER,
    metavar="NAME",
    multiple=True,
    help="Have this reranker rank the best hits again; compared with what it is given, and with further ones.",
)
@click.option("--each", is_flag=True, help="Show the rank of the first right answer to each query too.")
@json_option
@pass_session
def evaluate(
    session: Session,
    /,
    queries: Path,
    collections: tuple[str, ...],
    modes: tuple[Any, ...],
    generations: tuple[int, ...],
    rerankers: tuple[str, ...],
    each: bool,
    as_json: bool,
) -> None:
    """Print how well the search answers the judged queries of a file, one JSON object a line:

    {"query": "how do I sync a bucket", "relevant": ["docs/s3.md"]}

    What is relevant is named by address, by id, or by the end of an address. nDCG, recall and MRR are means over all
    queries, from 0 to 1; the first ten documents count.
    """
    from ingest_tui.services.documents import evaluation

    compared: tuple[str | bool | None, ...] = (False, *rerankers) if rerankers else (None,)
    variants = [
        evaluation.Variant(collection, mode, generation, rerank)
        for collection in collections or (None,)
        for mode in modes or (("vector",) if generations else evaluation.MODES[:1])
        for generation in generations or (None,)
        for rerank in compared
    ]
    judged = evaluation.read_queries(queries)
    results = evaluation.evaluate(session.workspace, judged, dict.fromkeys(variants))
    if as_json:
        shown = [one.as_dict() | ({"each": evaluation.ranks_of(one)} if each else {}) for one in results]
        output.data({"queries": len(judged), "results": shown})
        return
    names = ["", *(one.variant.name for one in results)]
    measures = [_measures(one.evaluation) for one in results]
    output.table(names, [(name, *(one[name] for one in measures)) for name in measures[0]], empty="")
    if each:
        ranks = [evaluation.ranks_of(one) for one in results]
        rows = [(query.query, *(one[at]["rank"] or "-" for one in ranks)) for at, query in enumerate(judged)]
        output.line()
        output.table(["rank of the first right answer", *names[1:]], rows, empty="")


def _measures(found: Evaluation) -> dict[str, str]:
    return {
        "queries": f"{found.queries:,}",
        "nDCG@10": f"{found.ndcg:.3f}",
        "recall@10": f"{found.recall:.3f}",
        "MRR": f"{found.mrr:.3f}",
        "without a hit": f"{found.no_hit:.1%}",
        "latency p50": f"{found.p50_ms:.1f} ms",
        "latency p95": f"{found.p95_ms:.1f} ms",
    }
