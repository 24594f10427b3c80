"""Cross-encoders in a folder, through onnxruntime: a query and a text are read together, one number comes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ingest_tui.embedding.base import BackendContext, EmbedderError
from ingest_tui.embedding.model_folder import ModelFolder
from ingest_tui.embedding.onnx import onnx_file, opened_session, padding_id
from ingest_tui.embedding.reranking import Reranker
from ingest_tui.embedding.settings import CrossEncoderSettings

_CLASSES = 2


class CrossEncoder(Reranker[CrossEncoderSettings]):
    """A model that onnxruntime runs on the processor."""

    name = "onnx"

    def __init__(self, settings: CrossEncoderSettings, context: BackendContext) -> None:
        super().__init__(settings, context)
        self._folder = ModelFolder(settings.path)
        self._file = onnx_file(self._folder, settings.file)
        self._tokenizer = self._folder.tokenizer()
        self._tokenizer.enable_truncation(settings.max_tokens, strategy="longest_first")
        self._tokenizer.enable_padding(pad_id=padding_id(self._tokenizer))
        self._session = opened_session(self._folder, self._file, settings.threads)
        self._inputs = [one.name for one in self._session.get_inputs()]

    def raw_scores(self, query: str, texts: Sequence[str]) -> Sequence[Any]:
        """Return the output of the model for each text."""
        size = self.settings.batch_size
        return [score for at in range(0, len(texts), size) for score in self._batch(query, texts[at : at + size])]

    def _batch(self, query: str, texts: Sequence[str]) -> list[Any]:
        try:
            encoded = self._tokenizer.encode_batch([(query, text) for text in texts])
            given = {
                "input_ids": np.array([one.ids for one in encoded], dtype=np.int64),
                "attention_mask": np.array([one.attention_mask for one in encoded], dtype=np.int64),
                "token_type_ids": np.array([one.type_ids for one in encoded], dtype=np.int64),
            }
            found = np.asarray(self._session.run(None, {name: given[name] for name in self._inputs})[0])
        except Exception as error:  # noqa: BLE001 - whatever the libraries raise for a model that does not fit
            raise self._folder.damaged(self._file, error) from None
        if found.ndim == 1:
            found = found[:, None]
        if found.ndim != _CLASSES or found.shape[1] not in {1, _CLASSES}:
            raise EmbedderError(
                f"{self._file.name} gives no number for each text",
                hint="export a cross-encoder, for sequence classification",
                code="model_damaged",
            )
        # Of two classes the second one says that the text answers the query.
        scores = found[:, 0] if found.shape[1] == 1 else found[:, 1] - found[:, 0]
        listed: list[Any] = scores.astype(np.float64).tolist()
        return listed
