"""Searching by words, by meaning, or by both: which rankings a query gets, and how they become one."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from ingest_tui.model.document import Contribution, SearchHit
from ingest_tui.model.embedder import no_embedder
from ingest_tui.model.errors import IngestError, UnknownWordsError
from ingest_tui.model.fusion import Ranking, fused, shares_of
from ingest_tui.model.generation import Generation
from ingest_tui.model.search_query import SearchQuery
from ingest_tui.store.catalogue.chosen_documents import ChosenDocuments
from ingest_tui.store.catalogue.queries import DocumentChoice, search_text
from ingest_tui.store.workspace import Workspace

if TYPE_CHECKING:
    from ingest_tui.services.nearest import SearchedVectors

SearchMode = Literal["text", "vector", "hybrid"]
MODES: tuple[SearchMode, ...] = get_args(SearchMode)
_BY_WORDS, _BY_MEANING = 20, 50
"""So many hits of each ranking are fused, at least. One by words costs a look at its text."""
_USUAL_WEIGHT = 1.0
"""What a ranking by vectors counts next to one by words."""


class _Found(NamedTuple):
    """What one way found. ``floor``: the score of what it did not find, see `Ranking`."""

    hits: list[SearchHit]
    weight: float
    floor: float
    way: str = "meaning"


def search_in_mode(
    workspace: Workspace,
    query: SearchQuery,
    mode: SearchMode | None,
    *,
    limit: int,
    all_chunks: bool,
    choice: DocumentChoice,
    generation: Generation | None = None,
) -> list[SearchHit]:
    """Return the best hits for a query, by words, by vectors or by both; None: by both where there are vectors.

    What must or must not occur decides in each mode. Raises `UsageError` for a mode that needs vectors where there are
    none, and what the model raises; without a mode that is a warning, and the words alone answer. So they do in hybrid
    for words that no model knows.
    """
    mode = mode or _preferred(workspace, choice)
    text = " ".join(word.text for clause in query.clauses for word in clause.words)
    if mode == "text" or not text or limit == 0:
        return search_text(workspace.reading, query, limit=limit, all_chunks=all_chunks, **choice)
    searched = _searched(workspace, choice, generation, is_asked_for=mode is not None)
    if not searched:
        return search_text(workspace.reading, query, limit=limit, all_chunks=all_chunks, **choice)
    most = limit if limit < 0 or mode == "vector" else max(limit, _BY_MEANING)
    try:
        by_meaning = _by_meaning(workspace, query, text, searched, choice, most, all_chunks=all_chunks)
    except IngestError as error:
        if mode == "vector" or (mode is not None and not isinstance(error, UnknownWordsError)):
            raise
        warnings.warn(f"searched by words alone: {error.message}", stacklevel=2)
        by_meaning = []
    by_words = []
    if mode != "vector":
        most = limit if limit < 0 else max(limit, _BY_WORDS)
        hits = search_text(workspace.reading, query, limit=most, all_chunks=all_chunks, **choice)
        # Where all that have a word are here, the others have nothing of the query.
        floor = hits[-1].score if len(hits) == most else 0.0
        by_words = [_Found(hits, 1.0, floor, "words")]
    rankings = [one for one in (*by_words, *by_meaning) if one.hits]
    if len(rankings) == 1:
        return _cut([_explained(hit) for hit in rankings[0].hits], limit)
    return _cut(_joined(rankings, all_chunks=all_chunks), limit)


def _preferred(workspace: Workspace, choice: DocumentChoice) -> SearchMode | None:
    """Return how the collection that is searched wants to be searched; by vectors only where it can have some."""
    named = choice.get("collection_id")
    if named is None:
        return None
    preferences = workspace.collections.get(named).preferences
    if preferences.search_mode == "text" or preferences.embedding_choice() is not None:
        return preferences.search_mode
    return None


def _searched(
    workspace: Workspace, choice: DocumentChoice, generation: Generation | None, *, is_asked_for: bool
) -> list[SearchedVectors]:
    """Return the vectors of the collections that are searched; raises why there are none where they are asked for.

    What works on vectors is loaded only where a collection has an embedder.
    """
    named = choice.get("collection_id")
    try:
        chosen = _with_embedder(workspace, named, is_asked_for=is_asked_for)
    except IngestError:  # without their records words are still found
        if is_asked_for:
            raise
        return []
    if not chosen:
        if is_asked_for:
            raise no_embedder(named, workspace.embedders.names())
        return []
    from ingest_tui.services.nearest import vectors_of

    found, problems = [], []
    for collection_id in chosen:
        try:
            found.append(vectors_of(workspace, collection_id, generation))
        except IngestError as error:
            problems.append(error)
    if is_asked_for and not found:
        raise problems[0]
    return found


def collections_by_meaning(workspace: Workspace, mode: SearchMode | None, collection_id: str | None) -> list[str]:
    """Return the collections whose vectors a search in a mode asks, see `search_in_mode`; all where none is named."""
    try:
        mode = mode or _preferred(workspace, {"collection_id": collection_id})
        if mode == "text":
            return []
        return _with_embedder(workspace, collection_id, is_asked_for=mode is not None)
    except IngestError:
        return []


def _with_embedder(workspace: Workspace, named: str | None, *, is_asked_for: bool) -> list[str]:
    return [
        one.collection_id
        for one in workspace.collections.all()
        if named in {None, one.collection_id}
        and one.preferences.embedding_choice() is not None
        and (is_asked_for or one.preferences.search_mode != "text")
    ]


def _by_meaning(
    workspace: Workspace,
    query: SearchQuery,
    text: str,
    searched: list[SearchedVectors],
    choice: DocumentChoice,
    limit: int,
    *,
    all_chunks: bool,
) -> list[_Found]:
    """Return a ranking for each collection: vectors of two spaces cannot be compared, ranks can.

    Raises what a model raises, but that it knows nothing of the words only where none knows them.
    """
    from ingest_tui.services.nearest import nearest_hits, query_vector

    found = []
    unknown: UnknownWordsError | None = None
    for one in searched:
        try:
            vector = query_vector(workspace, one, text)
        except UnknownWordsError as error:
            unknown = error
            continue
        chosen = None
        if _narrows(query) or narrows(choice):
            chosen = ChosenDocuments(workspace.reading, {**choice, "collection_id": one.collection_id}, query)
        hits = nearest_hits(workspace, one, vector, chosen, limit=limit, all_chunks=all_chunks)
        preferred = workspace.collections.get(one.collection_id).preferences.vector_weight
        weight = _USUAL_WEIGHT if preferred is None else preferred
        found.append(_Found(hits, weight, min((hit.score for hit in hits), default=0.0)))
    if unknown is not None and not found:
        raise unknown
    return found


def narrows(choice: DocumentChoice) -> bool:
    """Whether a choice leaves out documents of a collection that could be found."""
    folder = choice.get("folder")
    if folder is not None and folder.source_id:  # above all sources is everything
        return True
    others = (value for name, value in choice.items() if name not in {"collection_id", "state", "folder"})
    return any(value is not None and value != "" for value in others)


def _narrows(query: SearchQuery) -> bool:
    """Whether a query leaves out documents whatever they mean: by a filter, or by what must or must not occur."""
    return bool(query.filters or query.excluded) or any(clause.required for clause in query.clauses)


def _joined(rankings: list[_Found], *, all_chunks: bool) -> list[SearchHit]:
    """Return the hits of all rankings as one; what the words found is shown as they found it, with its marks."""
    first: dict[object, SearchHit] = {}
    ranked = []
    for found in rankings:
        by_key = {hit.chunk_id if all_chunks else hit.document_id: hit for hit in found.hits}
        for key, hit in by_key.items():
            first.setdefault(key, hit)
        ranked.append(Ranking({key: hit.score for key, hit in by_key.items()}, found.weight, found.floor))
    why: dict[object, list[Contribution]] = {key: [] for key in first}
    for found, shares in zip(rankings, shares_of(ranked), strict=True):
        for rank, (item, share) in enumerate(shares.items(), 1):
            why[item].append(Contribution(f"(rank {rank} by {found.way})", 0, {}, round(share, 4)))
    return [
        replace(first[item], score=round(score, 4), why=(*first[item].why, *why[item]))
        for item, score in fused(ranked).items()
    ]


def _explained(hit: SearchHit) -> SearchHit:
    """Return a hit with what its score is, where that is how near its vector is."""
    return hit if hit.why else replace(hit, why=(Contribution("(cosine)", 0, {}, hit.score),))


def _cut(hits: list[SearchHit], limit: int) -> list[SearchHit]:
    return hits if limit < 0 else hits[:limit]
