"""The model of a job that embeds: opened when the first text needs it, and refused when it is another one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ingest_tui.embedding.base import PROBE_TEXT, BackendContext, EmbedderError, EmbeddingBackend, TextRefusedError
from ingest_tui.embedding.registry import open_backend
from ingest_tui.model.embedder import Embedder
from ingest_tui.model.safe_text import safe_display

SAME_MODEL = 0.999
"""Cosine from which two vectors of one text are taken to be of the same model: servers differ in the last digits."""


def likeness_of(probe: Sequence[float], vector: Any) -> float:
    """Return the cosine between the vector of the probe text that is kept and one that a model gives for it now."""
    return sum(one * float(other) for one, other in zip(probe, vector, strict=False))


class Refusal(NamedTuple):
    """Why a text has no vector: the reason of its outcome, and words for people."""

    reason: str
    message: str
    hint: str = ""


NOTHING_KNOWN = Refusal("no_vector", "the model knows nothing of what is in it")


class CheckedModel:
    """Embeds texts. A text that the model does not take is found by halving its batch, and harms no other one."""

    def __init__(
        self,
        embedder: Embedder,
        context: BackendContext,
        *,
        probe: Sequence[float],
        call: Callable[[Callable[[], Any]], Any],
    ) -> None:
        self._embedder = embedder
        self._context = context
        self._call = call
        self._model: EmbeddingBackend[Any] | None = None
        self.probe = tuple(probe)
        """The vector of the probe text that all vectors of the space go with; empty until the model was asked."""

    def embed(self, texts: Sequence[str], checkpoint: Callable[[], None]) -> list[Any]:
        """Return a vector or a `Refusal` for each text. Raises what the model raises when it cannot be used at all."""
        model = self._opened()
        found: list[Any] = []
        for start in range(0, len(texts), model.batch_size):
            checkpoint()
            found += self._batch(model, texts[start : start + model.batch_size])
        return found

    def close(self) -> None:
        """Give back what the model holds."""
        if self._model is not None:
            self._model.close()

    def _batch(self, model: EmbeddingBackend[Any], texts: Sequence[str]) -> list[Any]:
        try:
            rows = self._asked(model, lambda: model.embed_documents(texts))
        except TextRefusedError as error:
            if len(texts) == 1:
                return [Refusal(error.reason, error.message, error.hint)]
            middle = len(texts) // 2
            return self._batch(model, texts[:middle]) + self._batch(model, texts[middle:])
        return [row if row.any() else NOTHING_KNOWN for row in rows]

    def _asked(self, model: EmbeddingBackend[Any], question: Callable[[], Any]) -> Any:
        """Return what a model answers; one behind a network is not waited for when the job is to end."""
        return self._call(question) if model.is_remote else question()

    def _opened(self) -> EmbeddingBackend[Any]:
        if self._model is None:
            self._model = open_backend(self._embedder.backend, self._embedder.settings, self._context)
            self._refuse_another()
        return self._model

    def _refuse_another(self) -> None:
        """Raise `EmbedderError` where the model is not the one that the vectors of before are of."""
        model, name = self._model, safe_display(self._embedder.embedder_id)
        assert model is not None  # noqa: S101 - just opened
        vector = self._asked(model, lambda: model.embed_documents([PROBE_TEXT]))[0]
        changed = self._embedder.space.differences(model.space)
        hint = "put the model back, or 'ingest-tui reembed COLLECTION' makes vectors with it as it is now"
        if changed:
            raise EmbedderError(
                f"embedder {name} is another model than the one that was registered: {', '.join(changed)} differ",
                hint=hint,
                code="model_changed",
            )
        likeness = likeness_of(self.probe, vector)
        if self.probe and likeness < SAME_MODEL:
            raise EmbedderError(
                f"embedder {name} gives other vectors than before: the same text is {likeness:.3f} like itself",
                hint=hint,
                code="model_changed",
            )
        self.probe = self.probe or tuple(round(float(value), 6) for value in vector)
