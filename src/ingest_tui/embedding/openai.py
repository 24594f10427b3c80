"""Endpoints that speak the protocol of OpenAI: ``POST …/embeddings`` (OpenAI, Azure, vLLM, Ollama, TEI)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import orjson

from ingest_tui.embedding.base import PROBE_TEXT, BackendContext, EmbedderError, EmbeddingBackend
from ingest_tui.embedding.endpoint import Endpoint
from ingest_tui.embedding.settings import OpenAISettings
from ingest_tui.model.counted import counted
from ingest_tui.model.hashing import short_digest


class OpenAIBackend(EmbeddingBackend[OpenAISettings]):
    """A model behind an endpoint."""

    name = "openai"
    is_remote = True

    def __init__(self, settings: OpenAISettings, context: BackendContext) -> None:
        super().__init__(settings, context)
        self._endpoint = Endpoint(settings, context, "/embeddings")
        self._dimensions = settings.dimensions or 0

    def model_name(self) -> str:
        """Return the model that is asked for."""
        return self.settings.model

    def revision(self) -> str:
        """Return a digest of the address: the same name may mean another model elsewhere."""
        return short_digest(self.settings.endpoint, self.settings.model_revision)

    def dimensions(self) -> int:
        """Return how long the vectors are: as it was asked for, or by asking the model once."""
        if not self._dimensions:
            self.vectors([PROBE_TEXT])
        return self._dimensions

    def vectors(self, texts: Sequence[str]) -> list[list[float]]:
        """Return the vectors of texts in their order, trying again where that may help."""
        request: dict[str, Any] = {"model": self.settings.model, "input": list(texts)}
        if self.settings.dimensions:
            request["dimensions"] = self.settings.dimensions
        body = orjson.dumps(request)
        rows = _rows(self._endpoint.post(body), len(texts))
        self._dimensions = self._dimensions or len(rows[0])
        return rows

    def close(self) -> None:
        """Close the connections."""
        self._endpoint.close()


def _rows(content: bytes, number: int) -> list[list[float]]:
    """Return the vectors of an answer, in the order of the texts; raises `EmbedderError` for one that has others."""
    try:
        # NaN is no JSON, but some endpoints write it: then it is the one text that is at fault, not the answer.
        items = json.loads(content)["data"]
        places = [item.get("index", place) for place, item in enumerate(items)]
        rows = {place: item["embedding"] for place, item in zip(places, items, strict=True)}
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise EmbedderError(
            "the endpoint's answer is no list of embeddings",
            hint="check that --endpoint ends where /embeddings follows, as in …/v1",
            code="bad_answer",
        ) from None
    if len(items) != number or sorted(rows, key=str) != sorted(range(number), key=str):
        raise EmbedderError(
            f"the endpoint gave {counted(len(items), 'vector')} for {counted(number, 'text')}",
            hint="use a smaller --batch-size",
            code="bad_answer",
        )
    if not all(isinstance(row, list) and row for row in rows.values()):
        raise EmbedderError(
            "the endpoint's answer holds vectors that are no lists of numbers",
            hint="is it an embedding model?",
            code="bad_answer",
        )
    return [rows[place] for place in range(number)]
