"""The contract of a reranker: a query and texts in, one number for each text out, the higher the better it answers."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from ingest_tui.embedding.base import BackendContext, EmbedderError
from ingest_tui.embedding.settings import RerankerSettings
from ingest_tui.model.counted import counted

SettingsType = TypeVar("SettingsType", bound=RerankerSettings)


class Reranker(ABC, Generic[SettingsType]):
    """A model that is ready to be asked. Used by one thread at a time."""

    name: ClassVar[str]

    def __init__(self, settings: SettingsType, context: BackendContext) -> None:
        self.settings = settings
        self.context = context

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return how well each text answers a query, in the order of the texts.

        Raises `EmbedderError` for an answer that is none, and what a network raises.
        """
        if not texts:
            return []
        # Lone surrogates are no text that a tokenizer or a request could carry.
        clean = [text[: self.settings.max_characters].encode("utf-8", "replace").decode() for text in (query, *texts)]
        return _checked(self.raw_scores(clean[0], clean[1:]), len(texts))

    @abstractmethod
    def raw_scores(self, query: str, texts: Sequence[str]) -> Sequence[Any]:
        """Return what the model gives for texts, one value each: checked by the caller."""

    def close(self) -> None:
        """Give back what the model holds."""


def _checked(scores: Sequence[Any], number: int) -> list[float]:
    """Return scores as numbers; raises `EmbedderError` for another number of them, and for what is no number."""
    if len(scores) != number:
        raise _no_answer(f"the reranker gave {counted(len(scores), 'score')} for {counted(number, 'text')}")
    if not all(isinstance(score, int | float) and math.isfinite(score) for score in scores):
        raise _no_answer("the reranker gave a score that is no number")
    return [float(score) for score in scores]


def _no_answer(message: str) -> EmbedderError:
    return EmbedderError(message, hint="is it a model that ranks texts for a query?", code="bad_answer")
