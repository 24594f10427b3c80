"""The best hits of a search, ranked again by a model that reads the query and each text together."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace

from ingest_tui.model.document import Contribution, SearchHit
from ingest_tui.model.embedder import embedding_text
from ingest_tui.model.errors import GivenUpError, IngestError, UsageError
from ingest_tui.model.reranker import RegisteredReranker
from ingest_tui.store.workspace import Workspace

Find = Callable[[int], list[SearchHit]]
"""Finds so many hits."""
_USUAL_CANDIDATES = 50


def chosen_reranker(workspace: Workspace, collection_id: str | None, *, is_asked_for: bool) -> str:
    """Return the reranker that the searched collections have chosen; empty where they have none, or several.

    Raises `UsageError` for that where one is asked for.
    """
    try:
        collections = workspace.collections.all()
    except IngestError:  # without their records words are still found
        collections = []
    names = {one.preferences.reranker for one in collections if collection_id in {None, one.collection_id}} - {""}
    if len(names) == 1:
        return names.pop()
    if is_asked_for:
        raise UsageError(
            "the searched collections have several rerankers" if names else "no searched collection has a reranker",
            hint=f"choose one with --set reranker=NAME: 'ingest-tui collection prefs {collection_id or 'default'}'",
            code="no_reranker",
        )
    return ""


def reranked(
    workspace: Workspace, reranker_id: str, text: str, limit: int, find: Find, *, is_needed: bool = False
) -> list[SearchHit]:
    """Return the best hits for a query in the order that a reranker gives them; those it did not read follow.

    Where it cannot be asked, that is a warning, and the hits are as they were found, unless it ``is_needed``.
    """
    try:
        reranker = workspace.rerankers.get(reranker_id)
        candidates = int(reranker.settings.get("candidates", _USUAL_CANDIDATES))
    except IngestError as error:
        if is_needed:
            raise
        return _as_found(error, find(limit))
    hits = find(max(limit, candidates) if limit >= 0 else limit)
    first, rest = hits[:candidates], hits[candidates:]
    try:
        scores = _scores(workspace, reranker, text, first)
    except GivenUpError:
        raise
    except IngestError as error:
        if is_needed:
            raise
        return _as_found(error, hits[:limit] if limit >= 0 else hits)
    order = sorted(range(len(first)), key=lambda place: -scores[place])
    ranked = [_with_score(first[place], reranker_id, scores[place]) for place in order]
    return [*ranked, *rest][: limit if limit >= 0 else None]


def _scores(workspace: Workspace, reranker: RegisteredReranker, text: str, hits: list[SearchHit]) -> list[float]:
    if not hits:
        return []
    from ingest_tui.embedding.base import SEARCH_SECONDS
    from ingest_tui.services.rerankers import scores_of

    texts = [embedding_text(hit.heading_path, hit.text) for hit in hits]
    return scores_of(workspace, reranker, text, texts, SEARCH_SECONDS)


def _with_score(hit: SearchHit, reranker_id: str, score: float) -> SearchHit:
    why = (*hit.why, Contribution(f"(reranker {reranker_id})", 0, {}, round(score, 4)))
    return replace(hit, score=round(score, 4), why=why)


def _as_found(error: IngestError, hits: list[SearchHit]) -> list[SearchHit]:
    warnings.warn(f"not ranked again: {error.message}", stacklevel=3)
    return hits
