"""The contract of a backend: texts in, unit vectors out, in the same order; what cannot be embedded is an error."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from ingest_tui.credentials.contract import Credentials
from ingest_tui.embedding.settings import BackendSettings
from ingest_tui.model.counted import counted
from ingest_tui.model.embedder import VectorSpace
from ingest_tui.model.errors import IngestError, ItemError
from ingest_tui.transport.retrying import POLICY, RetryPolicy, Sleep

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]
    """One row for each text."""

SettingsType = TypeVar("SettingsType", bound=BackendSettings)
PROBE_TEXT = "The quick brown fox jumps over the lazy dog."
"""What is embedded to learn whether a model works, and whether it is still the same one."""
SEARCH_SECONDS = 15.0
"""How long a search waits for an answer: after that the words alone answer."""
_WHILE_SOMEBODY_WAITS = RetryPolicy(attempts=2, first_wait=0.2, longest_wait=5.0, longest_asked=5.0)


class EmbedderError(IngestError):
    """An embedder cannot be used: its model is missing or wrong, or the endpoint does not do what it should."""

    code = "embedder"


class TextRefusedError(ItemError):
    """The model does not take one of the texts of a batch; the others may be embedded without it."""

    code = "text_refused"


@dataclass(frozen=True, slots=True)
class BackendContext:
    """What a backend gets from whoever uses it: credentials, how to wait, and how often to try again."""

    credentials: Credentials | None = None
    sleep: Sleep = time.sleep
    policy: RetryPolicy = field(default=POLICY)
    answer_seconds: float | None = None
    """How long to wait for an endpoint to begin its answer, or to continue it; as usual where nothing is given."""

    @classmethod
    def while_somebody_waits(cls, credentials: Credentials, answer_seconds: float | None = None) -> BackendContext:
        """Return the context for a person who waits: one more attempt, and none where the endpoint asks for more."""
        return cls(credentials, policy=_WHILE_SOMEBODY_WAITS, answer_seconds=answer_seconds)


class EmbeddingBackend(ABC, Generic[SettingsType]):
    """A model that is ready to be asked. Used by one thread at a time."""

    name: ClassVar[str]
    is_remote: ClassVar[bool] = False
    """Whether it is behind a network, so that a call may take long."""

    def __init__(self, settings: SettingsType, context: BackendContext) -> None:
        self.settings = settings
        self.context = context
        self._space: VectorSpace | None = None

    @property
    def batch_size(self) -> int:
        """How many texts to hand over at once."""
        return self.settings.batch_size

    @property
    def space(self) -> VectorSpace:
        """The space of the vectors. Where the model has to be asked for it, that is done once."""
        if self._space is None:
            self._space = VectorSpace(
                backend=self.name,
                model=self.model_name(),
                revision=self.revision(),
                dimensions=self.dimensions(),
                document_prefix=self.settings.document_prefix,
            )
        return self._space

    def embed_documents(self, texts: Sequence[str]) -> Matrix:
        """Return a unit vector for each text, as float32; a row of zeros where the model knows nothing of a text.

        Raises `TextRefusedError` when the model does not take one of them, `EmbedderError`, and what a network raises.
        """
        return self._embed([self.settings.document_prefix + text for text in texts])

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the unit vector of a query, or zeros; raises what `embed_documents` raises."""
        vector: NDArray[np.float32] = self._embed([self.settings.query_prefix + text])[0]
        return vector

    def _embed(self, texts: Sequence[str]) -> Matrix:
        import numpy as np

        if not texts:
            return np.zeros((0, self.space.dimensions), dtype=np.float32)
        # Lone surrogates are no text that a tokenizer or a request could carry.
        clean = [text.encode("utf-8", "replace").decode() for text in texts]
        return unit_vectors(self.vectors(clean), len(texts), self.dimensions())

    @abstractmethod
    def model_name(self) -> str:
        """Return how people call the model."""

    @abstractmethod
    def revision(self) -> str:
        """Return a digest of all that the vectors depend on, but for the model's name and their dimensions."""

    @abstractmethod
    def dimensions(self) -> int:
        """Return how long the vectors are; the model may have to be asked, once."""

    @abstractmethod
    def vectors(self, texts: Sequence[str]) -> Any:
        """Return what the model gives for texts, one row each: checked and scaled by the caller."""

    def close(self) -> None:
        """Give back what the model holds."""


def unit_vectors(rows: Any, number: int, dimensions: int) -> Matrix:
    """Return rows scaled to length 1, as float32; zeros stay zeros.

    Raises `EmbedderError` for another number of rows or dimensions than was asked for, `TextRefusedError` for values
    that are no numbers.
    """
    import numpy as np

    try:
        matrix = np.asarray(rows, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise EmbedderError(
            "the model's answer holds vectors that are no lists of numbers of one length",
            hint="is it an embedding model?",
            code="bad_answer",
        ) from None
    if matrix.ndim != 2 or len(matrix) != number:  # noqa: PLR2004 - rows and columns
        found = len(matrix) if matrix.ndim else 0
        raise EmbedderError(
            f"the model gave {counted(found, 'vector')} for {counted(number, 'text')}",
            hint="is it an embedding model?",
            code="bad_answer",
        )
    if matrix.shape[1] != dimensions:
        raise EmbedderError(
            f"the model gave vectors of {counted(matrix.shape[1], 'dimension')} instead of {dimensions}",
            hint="was another model put in its place? 'ingest-tui embedder add TYPE NAME' registers that one",
            code="dimensions",
        )
    if not np.isfinite(matrix).all():
        raise TextRefusedError(
            "the model gave a vector that is not finite (NaN or infinity)",
            hint="a damaged or wrongly quantised model does that",
            code="not_finite",
        )
    # A number may be finite and its square not: so the largest of each row becomes 1 first.
    largest = np.abs(matrix).max(axis=1, keepdims=True, initial=0.0)
    matrix = np.divide(matrix, largest, out=np.zeros_like(matrix), where=largest > 0)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    scaled: Matrix = np.divide(matrix, lengths, out=np.zeros_like(matrix), where=lengths > 0).astype(np.float32)
    return scaled
