"""Two generations of a collection's vectors side by side: what each answers to the same queries, by meaning alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ingest_tui.model.counted import counted
from ingest_tui.model.document import SearchHit
from ingest_tui.model.errors import UnknownWordsError, UsageError
from ingest_tui.model.generation import Generation
from ingest_tui.pipeline.embed.generations import known_generations, nothing_built
from ingest_tui.services.nearest import nearest_hits, query_vector, vectors_of
from ingest_tui.store.workspace import Workspace

_MOST_QUERIES = 1000


@dataclass(frozen=True, slots=True)
class Comparison:
    """A query, and the best documents by each of two generations, each with its best passage; the best first."""

    query: str
    before: Sequence[SearchHit]
    after: Sequence[SearchHit]

    @property
    def shared(self) -> int:
        """How many documents both found."""
        return len({hit.document_id for hit in self.before} & {hit.document_id for hit in self.after})

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        sides = {"before": self.before, "after": self.after}
        hits = {name: [hit.as_dict() for hit in found] for name, found in sides.items()}
        return {"query": self.query, "shared": self.shared, **hits}


def compared_generations(workspace: Workspace, collection_id: str) -> tuple[Generation, Generation]:
    """Return what answers and what is built next to it; where nothing is built, what answered before and what does now.

    Raises `UsageError` where there is only one.
    """
    workspace.collections.get(collection_id)
    known = known_generations(workspace, collection_id)
    if known.answering is not None and known.pending is not None:
        return known.answering, known.pending
    if known.answering is not None and known.kept is not None:
        return known.kept, known.answering
    raise nothing_built(known)


def compare_generations(
    workspace: Workspace, pair: tuple[Generation, Generation], collection_id: str, queries: Sequence[str], *, limit: int
) -> list[Comparison]:
    """Return what two generations of a collection answer to queries. Raises what the models raise."""
    if len(queries) > _MOST_QUERIES:
        raise UsageError(
            f"{counted(len(queries), 'query is', 'queries are')} too many", hint=f"give at most {_MOST_QUERIES}"
        )
    # One generation after the other: only one model is kept open.
    before, after = (_answers(workspace, one, collection_id, queries, limit) for one in pair)
    return [Comparison(*one) for one in zip(queries, before, after, strict=True)]


def _answers(
    workspace: Workspace, generation: Generation, collection_id: str, queries: Sequence[str], limit: int
) -> list[list[SearchHit]]:
    searched = vectors_of(workspace, collection_id, generation)
    answers: list[list[SearchHit]] = []
    for query in queries:
        try:
            vector = query_vector(workspace, searched, query)
        except UnknownWordsError:
            answers.append([])
            continue
        answers.append(nearest_hits(workspace, searched, vector, None, limit=limit))
    return answers
