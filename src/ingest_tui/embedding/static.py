"""Static models, in the layout of model2vec: a vector for each token, and the mean of those of a text.

The folder holds ``model.safetensors`` (``embeddings``: tokens × dimensions; newer ones also have ``weights`` of tokens
and a ``mapping`` from tokens to rows), ``tokenizer.json`` and ``config.json``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest_tui.embedding.base import BackendContext, EmbedderError, EmbeddingBackend
from ingest_tui.embedding.model_folder import TOKENIZER, ModelFolder
from ingest_tui.embedding.settings import StaticSettings
from ingest_tui.model.counted import counted

_FILES = ("model.safetensors", "embeddings.safetensors")
_EMBEDDINGS = ("embeddings", "embedding.weight", "embedding")
_LONGEST_TEXT = 200_000
"""Characters: a chunk is far shorter, and a tokenizer takes memory by the length of what it is given."""


class StaticBackend(EmbeddingBackend[StaticSettings]):
    """A static model in a folder."""

    name = "static"

    def __init__(self, settings: StaticSettings, context: BackendContext) -> None:
        super().__init__(settings, context)
        self._folder = ModelFolder(settings.path)
        self._file = self._folder.file(_FILES, what="model")
        tensors = self._tensors()
        self._rows, self._weights, self._mapping = _parts(tensors, str(self._file))
        self._tokenizer = self._folder.tokenizer()
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        unknown = self._folder.setting("config.json", "unk_token") or "[UNK]"
        self._unknown = self._tokenizer.token_to_id(str(unknown))

    def model_name(self) -> str:
        """Return the name of the folder."""
        return self._folder.name

    def revision(self) -> str:
        """Return the digest of model and tokenizer."""
        return self._folder.digest([self._file, self._folder.path / TOKENIZER])

    def dimensions(self) -> int:
        """Return how long the vectors are."""
        return int(self._rows.shape[1])

    def vectors(self, texts: Sequence[str]) -> Any:
        """Return the mean of the vectors of the tokens that the model knows; zeros for a text without one."""
        encoded = self._tokenizer.encode_batch([text[:_LONGEST_TEXT] for text in texts], add_special_tokens=False)
        return np.stack([self._mean(one.ids) for one in encoded])

    def _mean(self, ids: Sequence[int]) -> NDArray[np.float64]:
        known = np.array([one for one in ids if one != self._unknown], dtype=np.int64)
        if self._mapping is not None:
            known = known[known < len(self._mapping)]
            places = self._mapping[known]
        else:
            places = known
        inside = places < len(self._rows)
        known, places = known[inside], places[inside]
        if not len(places):
            return np.zeros(self._rows.shape[1])
        rows = self._rows[places].astype(np.float64)
        if self._weights is not None:
            rows *= self._weights[known][:, None]
        mean: NDArray[np.float64] = rows.mean(axis=0)
        return mean

    def _tensors(self) -> dict[str, NDArray[Any]]:
        from safetensors.numpy import load_file

        try:
            return dict(load_file(self._file))
        except Exception as error:  # noqa: BLE001 - whatever the library raises for a damaged file
            raise self._folder.damaged(self._file, error) from None


def _parts(
    tensors: dict[str, NDArray[Any]], shown: str
) -> tuple[NDArray[Any], NDArray[Any] | None, NDArray[np.int64] | None]:
    """Return the vectors of the tokens, their weights, and which row a token has; the latter two where there are any.

    Raises `EmbedderError` for a file that has no vectors, or whose parts do not belong together.
    """
    rows = next((tensors[name] for name in _EMBEDDINGS if name in tensors), None)
    if rows is None or rows.ndim != 2 or not rows.size:  # noqa: PLR2004 - tokens and dimensions
        raise EmbedderError(
            f"{shown} holds no vectors of tokens",
            hint=f"one of its tensors must be {_EMBEDDINGS[0]}",
            code="model_damaged",
        )
    weights, mapping = tensors.get("weights"), tensors.get("mapping")
    if mapping is not None and (
        mapping.ndim != 1 or (mapping.size and not 0 <= mapping.min() <= mapping.max() < len(rows))
    ):
        raise EmbedderError(f"{shown}: its mapping names rows that are not there", code="model_damaged")
    tokens = len(rows) if mapping is None else len(mapping)
    if weights is not None and weights.shape != (tokens,):
        raise EmbedderError(
            f"{shown}: it has {counted(weights.size, 'weight')} for {counted(tokens, 'token')}", code="model_damaged"
        )
    return rows, weights, None if mapping is None else mapping.astype(np.int64)
