"""Tiny models that tests make themselves: as good as none, but in the layout of real ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers

SENTENCE = (
    "the quick brown fox jumps over lazy dog leave holiday days off invoice payment bucket sync rain gauge "
    "zahlungsziel 30 tage netto 4711 handbook policy a of and how do i request water plants apple pear h"
)
DIMENSIONS = 16
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def _make_tokenizer(folder: Path, *, cls: bool = False) -> int:
    """Write tokenizer.json; returns how many tokens it has."""
    vocabulary = {word: place for place, word in enumerate((*_SPECIAL, *dict.fromkeys(SENTENCE.split())))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    from tokenizers import normalizers, processors

    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    if cls:
        marks = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
        tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=marks)
    tokenizer.save(str(folder / "tokenizer.json"))
    return len(vocabulary)


def _rows(tokens: int, seed: int) -> Any:
    return np.random.default_rng(seed).normal(size=(tokens, DIMENSIONS)).astype(np.float32)


def make_static_model(folder: Path, *, seed: int = 1, **also: Any) -> Path:
    """Make a static model in the layout of model2vec; ``also`` are further tensors."""
    folder.mkdir(parents=True)
    tokens = _make_tokenizer(folder)
    save_file({"embeddings": _rows(tokens, seed), **also}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"normalize": True}))
    return folder


def make_onnx_model(
    folder: Path, *, seed: int = 2, pooled: bool = False, name: str = "model.onnx", inputs: Sequence[str] = ()
) -> Path:
    """Make an ONNX model: a vector for each token, ``last_hidden_state``; ``pooled`` has their sum as its output."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = _make_tokenizer(folder, cls=True)
    table = numpy_helper.from_array(_rows(tokens, seed), "table")
    names = ("input_ids", "attention_mask", *inputs)
    given = [helper.make_tensor_value_info(one, TensorProto.INT64, ["texts", "tokens"]) for one in names]
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])]
    shape: list[Any] = ["texts", "tokens", DIMENSIONS]
    output = "last_hidden_state"
    initialisers = [table]
    if pooled:
        initialisers.append(numpy_helper.from_array(np.array([1], dtype=np.int64), "axes"))
        nodes.append(helper.make_node("ReduceSum", ["last_hidden_state", "axes"], ["sentence_embedding"], keepdims=0))
        output, shape = "sentence_embedding", ["texts", DIMENSIONS]
    graph = helper.make_graph(
        nodes, "tiny", given, [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)], initialisers
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    onnx.save(model, str(path))
    return folder


def make_cross_encoder(folder: Path, *, classes: int = 1, seed: int = 4) -> Path:
    """Make an ONNX model that reads a query and a text: a number for each class, the sums of what its tokens are."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = _make_tokenizer(folder, cls=True)
    table = numpy_helper.from_array(_rows(tokens, seed)[:, :classes].copy(), "table")
    given = [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["texts", "tokens"])]
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["found"]),
        helper.make_node("ReduceSum", ["found", "axes"], ["logits"], keepdims=0),
    ]
    axes = numpy_helper.from_array(np.array([1], dtype=np.int64), "axes")
    output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["texts", classes])
    graph = helper.make_graph(nodes, "tiny", given, [output], [table, axes])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(folder / "model.onnx")
    )
    return folder
