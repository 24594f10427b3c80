"""Models in a folder, through onnxruntime: an ONNX file (quantised ones too), ``tokenizer.json``, mean or CLS pooling.

The layout is that of sentence-transformers exports: what it says of pooling (``1_Pooling/config.json``) and of the
longest input (``sentence_bert_config.json``, ``tokenizer_config.json``) is used where the settings say nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest_tui.embedding.base import BackendContext, EmbedderError, EmbeddingBackend
from ingest_tui.embedding.model_folder import TOKENIZER, ModelFolder
from ingest_tui.embedding.settings import OnnxSettings
from ingest_tui.model.counted import counted

_NAMES = ("model.onnx", "model_quantized.onnx", "model_int8.onnx", "model_qint8.onnx", "model_fp16.onnx")
_FILES = tuple(f"{folder}{name}" for folder in ("", "onnx/") for name in _NAMES)
_MAX_TOKENS, _LARGEST_MAX_TOKENS = 512, 65_536
_POOLED_OUTPUTS = ("sentence_embedding", "pooled_output", "pooler_output")
_ERRORS_ONLY = 3
_LONGEST_TEXT = 200_000


class OnnxBackend(EmbeddingBackend[OnnxSettings]):
    """A model that onnxruntime runs on the processor."""

    name = "onnx"

    def __init__(self, settings: OnnxSettings, context: BackendContext) -> None:
        super().__init__(settings, context)
        self._folder = ModelFolder(settings.path)
        self._file = onnx_file(self._folder, settings.file)
        self._pooling = settings.pooling or self._pooling_of_folder()
        self._max_tokens = settings.max_tokens or self._max_tokens_of_folder()
        self._tokenizer = self._folder.tokenizer()
        self._tokenizer.enable_truncation(self._max_tokens)
        self._tokenizer.enable_padding(pad_id=padding_id(self._tokenizer))
        self._session = opened_session(self._folder, self._file, settings.threads)
        self._inputs = {one.name for one in self._session.get_inputs()}
        if "input_ids" not in self._inputs:
            raise EmbedderError(
                f"{self._file.name} takes no input_ids: it is no model of texts",
                hint="name the ONNX file of an embedding model with --file",
                code="model_damaged",
            )
        self._output = self._chosen_output()
        self._dimensions = 0

    def model_name(self) -> str:
        """Return the name of the folder."""
        return self._folder.name

    def revision(self) -> str:
        """Return the digest of the model's files, its pooling and its longest input."""
        return self._folder.digest(
            [*self._files(), self._folder.path / TOKENIZER], self._pooling, str(self._max_tokens)
        )

    def dimensions(self) -> int:
        """Return how long the vectors are: as the file says, or by asking the model once."""
        if not self._dimensions:
            self._dimensions = int(np.asarray(self.vectors(["a"])).shape[-1])
        return self._dimensions

    def vectors(self, texts: Sequence[str]) -> Any:
        """Return the pooled output of the model for texts, padded to the longest of them."""
        encoded = self._tokenizer.encode_batch([text[:_LONGEST_TEXT] for text in texts])
        ids = np.array([one.ids for one in encoded], dtype=np.int64)
        mask = np.array([one.attention_mask for one in encoded], dtype=np.int64)
        if not ids.shape[1]:  # texts of nothing, and a tokenizer that adds no marks
            return np.zeros((len(texts), self.dimensions()))
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        if "position_ids" in self._inputs:
            given["position_ids"] = np.maximum(mask.cumsum(axis=1) - 1, 0)
        unknown = self._inputs - given.keys()
        if unknown:
            raise EmbedderError(
                f"{self._file.name} takes an input that is not known: {min(unknown)}",
                hint="export the model for feature extraction",
                code="model_damaged",
            )
        try:
            found = self._session.run([self._output], {name: given[name] for name in self._inputs})[0]
        except Exception as error:  # noqa: BLE001 - whatever onnxruntime raises for a model that does not fit
            raise self._folder.damaged(self._file, error) from None
        return self._pooled(np.asarray(found), mask)

    def _pooled(self, found: NDArray[Any], mask: NDArray[np.int64]) -> NDArray[Any]:
        if found.ndim == 2:  # noqa: PLR2004 - pooled within the model
            return found
        if found.ndim != 3:  # noqa: PLR2004 - texts, tokens, dimensions
            raise EmbedderError(
                f"{self._file.name} gives an output of {counted(found.ndim, 'dimension')}",
                hint="export the model for feature extraction",
                code="model_damaged",
            )
        if self._pooling == "cls":
            first: NDArray[Any] = found[:, 0]
            return first
        weights = mask[:, :, None].astype(np.float64)
        pooled: NDArray[Any] = (found * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1.0)
        return pooled

    def _chosen_output(self) -> str:
        names = [str(one.name) for one in self._session.get_outputs()]
        if self.settings.pooling is None:
            for name in _POOLED_OUTPUTS[:1]:
                if name in names:
                    return name
        return next((name for name in names if name not in _POOLED_OUTPUTS), names[0])

    def _files(self) -> list[Path]:
        """Return the ONNX file, and the weights that large models keep next to it."""
        weights = (f"{self._file.name}_data", f"{self._file.name}.data")
        return [self._file, *(path for name in weights if (path := self._file.with_name(name)).is_file())]

    def _pooling_of_folder(self) -> str:
        by_first_token = self._folder.setting("1_Pooling/config.json", "pooling_mode_cls_token")
        return "cls" if by_first_token is True else "mean"

    def _max_tokens_of_folder(self) -> int:
        for file, name in (
            ("sentence_bert_config.json", "max_seq_length"),
            ("tokenizer_config.json", "model_max_length"),
        ):
            found = self._folder.setting(file, name)
            # A huge number is how some tokenizers say that they know of no limit.
            if isinstance(found, int) and 0 < found <= _LARGEST_MAX_TOKENS:
                return found
        return _MAX_TOKENS


def onnx_file(folder: ModelFolder, named: str | None) -> Path:
    """Return the ONNX file of a model: the named one, or one of the usual names."""
    return folder.file((named,) if named else _FILES, what="ONNX file")


def padding_id(tokenizer: Any) -> int:
    """Return the token that shorter texts are filled up with."""
    padding = tokenizer.padding or {}
    found = padding.get("pad_id")
    if isinstance(found, int):
        return found
    return next((i for token in ("[PAD]", "<pad>") if (i := tokenizer.token_to_id(token)) is not None), 0)


def opened_session(folder: ModelFolder, file: Path, threads: int) -> Any:
    """Return a model that is ready to run; raises `EmbedderError` for a damaged file."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - whatever onnxruntime raises for a damaged file
        raise folder.damaged(file, error) from None
