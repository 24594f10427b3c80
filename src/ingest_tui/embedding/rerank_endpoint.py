"""Endpoints that rank texts: ``POST …/rerank`` (Cohere, Jina, vLLM; TEI with names of its own)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from ingest_tui.embedding.base import BackendContext, EmbedderError
from ingest_tui.embedding.endpoint import Endpoint
from ingest_tui.embedding.reranking import Reranker
from ingest_tui.embedding.settings import RerankEndpointSettings


class EndpointReranker(Reranker[RerankEndpointSettings]):
    """A model behind an endpoint."""

    name = "endpoint"

    def __init__(self, settings: RerankEndpointSettings, context: BackendContext) -> None:
        super().__init__(settings, context)
        self._endpoint = Endpoint(settings, context, "/rerank")

    def raw_scores(self, query: str, texts: Sequence[str]) -> Sequence[Any]:
        """Return the scores of an answer in the order of the texts, whatever order it is in."""
        named: dict[str, Any] = {"model": self.settings.model} if self.settings.model else {}
        if self.settings.form == "tei":
            request = {**named, "query": query, "texts": list(texts), "truncate": True}
        else:
            request = {**named, "query": query, "documents": list(texts), "top_n": len(texts)}
        return _in_order(self._endpoint.post(orjson.dumps(request)), len(texts))

    def close(self) -> None:
        """Close the connections."""
        self._endpoint.close()


def _in_order(content: bytes, number: int) -> list[Any]:
    try:
        answer = orjson.loads(content)
        items = answer["results"] if isinstance(answer, dict) else answer
        scores = {item["index"]: item["relevance_score" if "relevance_score" in item else "score"] for item in items}
        return [scores[place] for place in range(number)] if len(items) == number else [*scores.values()]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise EmbedderError(
            "the endpoint's answer is no ranking of the texts",
            hint="check that --endpoint ends where /rerank follows, and --form",
            code="bad_answer",
        ) from None
