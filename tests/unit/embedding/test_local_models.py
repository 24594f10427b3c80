"""Models in folders: how they are read, and what is said of those that cannot be."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest_tui.embedding import registry
from ingest_tui.embedding.base import EmbedderError, TextRefusedError, unit_vectors
from ingest_tui.embedding.registry import open_backend
from ingest_tui.model.errors import IngestError, MissingDependencyError, UsageError, ValidationError
from tests.made_models import DIMENSIONS, make_onnx_model, make_static_model


def test_mean_and_cls_pooling_are_what_their_names_say(tmp_path: Path) -> None:
    """Mean is over the tokens of the text and not its padding; CLS is the first token; the folder's word counts."""
    folder = make_onnx_model(tmp_path / "model")
    mean = open_backend("onnx", {"path": str(folder)})
    cls = open_backend("onnx", {"path": str(folder), "pooling": "cls"})
    short, _long = mean.embed_documents(["fox", "the quick brown fox jumps over the lazy dog"])
    assert short == pytest.approx(mean.embed_documents(["fox"])[0], abs=1e-6)
    first, second = cls.embed_documents(["fox", "dog"])
    assert first == pytest.approx(second, abs=1e-6), "both begin with the same mark"
    assert mean.space != cls.space
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    assert open_backend("onnx", {"path": str(folder)}).space == cls.space


def test_a_model_that_pools_by_itself_is_taken_as_it_is(tmp_path: Path) -> None:
    """An output ``sentence_embedding`` is the vector; further inputs that transformers take are given."""
    folder = make_onnx_model(tmp_path / "model", pooled=True, inputs=("token_type_ids", "position_ids"))
    model = open_backend("onnx", {"path": str(folder)})
    assert model.embed_documents(["fox", "the lazy dog"]).shape == (2, DIMENSIONS)


def test_quantised_and_nested_files_are_found_and_named_ones_taken(tmp_path: Path) -> None:
    """The usual names are looked for, also below onnx/; --file names another one."""
    folder = make_onnx_model(tmp_path / "model", name="onnx/model_quantized.onnx")
    assert open_backend("onnx", {"path": str(folder)}).space.dimensions == DIMENSIONS
    make_onnx_model(folder, name="special.onnx", seed=9)
    special = open_backend("onnx", {"path": str(folder), "file": "special.onnx"})
    assert special.space != open_backend("onnx", {"path": str(folder)}).space


def test_text_behind_the_longest_input_is_not_read(tmp_path: Path) -> None:
    """A model reads as many tokens as its folder or the settings say."""
    folder = make_onnx_model(tmp_path / "model")
    short = open_backend("onnx", {"path": str(folder), "max_tokens": 4})
    rows = short.embed_documents(["quick brown fox", "quick brown dog"])
    assert rows[0] == pytest.approx(rows[1], abs=1e-6)
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 4}))
    assert open_backend("onnx", {"path": str(folder)}).space == short.space


def test_weights_and_mapping_of_static_models_count(tmp_path: Path) -> None:
    """Newer static models weigh tokens, and several tokens may share a row."""
    plain = open_backend("static", {"path": str(make_static_model(tmp_path / "plain"))})
    tokens = len(plain._rows)  # type: ignore[attr-defined]
    mapping = np.zeros(tokens, dtype=np.int64)
    shared = open_backend("static", {"path": str(make_static_model(tmp_path / "shared", mapping=mapping))})
    rows = shared.embed_documents(["fox", "dog"])
    assert rows[0] == pytest.approx(rows[1])
    weights = np.ones(tokens, dtype=np.float32)
    weights[plain._tokenizer.token_to_id("fox")] = 0.0  # type: ignore[attr-defined]
    weighted = open_backend("static", {"path": str(make_static_model(tmp_path / "weighted", weights=weights))})
    assert weighted.embed_documents(["fox dog"])[0] == pytest.approx(plain.embed_documents(["dog"])[0], abs=1e-6)


def test_a_text_of_unknown_words_has_no_vector_in_a_static_model(tmp_path: Path) -> None:
    """What the model knows nothing of is zeros, not noise."""
    model = open_backend("static", {"path": str(make_static_model(tmp_path / "model"))})
    assert not model.embed_documents(["xyzzy ??"]).any()


def _folder(tmp_path: Path, kind: str) -> Path:
    make = {"onnx": make_onnx_model, "static": make_static_model}[kind]
    return make(tmp_path / "model")


@pytest.mark.parametrize("kind", ["onnx", "static"])
def test_what_is_missing_or_damaged_is_named(tmp_path: Path, kind: str) -> None:
    """No folder, no model, no tokenizer, a torn model, a torn tokenizer: each is an error with a hint."""
    with pytest.raises(EmbedderError, match="there is no folder"):
        open_backend(kind, {"path": str(tmp_path / "nowhere")})
    folder = _folder(tmp_path, kind)
    model = folder / {"onnx": "model.onnx", "static": "model.safetensors"}[kind]
    tokenizer = folder / "tokenizer.json"
    for path in (model, tokenizer):
        whole = path.read_bytes()
        for torn, message in ((whole[: len(whole) // 2], "cannot be read"), (b"", "cannot be read")):
            path.write_bytes(torn)
            with pytest.raises(EmbedderError, match=message) as found:
                open_backend(kind, {"path": str(folder)}).embed_documents(["fox"])
            assert found.value.hint
        path.unlink()
        with pytest.raises(EmbedderError, match="there is no"):
            open_backend(kind, {"path": str(folder)})
        path.write_bytes(whole)
    assert open_backend(kind, {"path": str(folder)}).space.dimensions == DIMENSIONS


@pytest.mark.parametrize("kind", ["onnx", "static"])
def test_another_model_in_the_same_folder_is_another_space(tmp_path: Path, kind: str) -> None:
    """The revision follows the files: a model that was replaced is never taken for the one before."""
    folder = _folder(tmp_path, kind)
    before = open_backend(kind, {"path": str(folder)}).space
    other = {"onnx": make_onnx_model, "static": make_static_model}[kind](tmp_path / "other", seed=7)
    for path in other.iterdir():
        path.replace(folder / path.name)
    after = open_backend(kind, {"path": str(folder)}).space
    assert before.differences(after) == ["revision"]
    assert before.space_id != after.space_id


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"other": np.zeros((3, 2), dtype=np.float32)}, "no vectors"),
        ({"embeddings": np.zeros(3, dtype=np.float32)}, "no vectors"),
        ({"embeddings": np.zeros((3, 2), dtype=np.float32), "mapping": np.array([0, 9])}, "not there"),
        ({"embeddings": np.zeros((3, 2), dtype=np.float32), "mapping": np.array([0, -1])}, "not there"),
        ({"embeddings": np.zeros((3, 2), dtype=np.float32), "weights": np.ones(5)}, "5 weights for 3"),
    ],
)
def test_static_models_whose_parts_do_not_fit_are_refused(tmp_path: Path, tensors: Any, message: str) -> None:
    """A file without vectors, a mapping to rows that are not there, weights of other tokens."""
    from safetensors.numpy import save_file

    folder = make_static_model(tmp_path / "model")
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(EmbedderError, match=message):
        open_backend("static", {"path": str(folder)})


@pytest.mark.parametrize("name", ["openai", "onnx", "static"])
def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch, name: str, tmp_path: Path) -> None:
    """Without the packages of a backend its settings can be read, and the error says what to install."""
    monkeypatch.setattr(registry, "missing_packages", lambda _packages: ["numpy"])
    given = {"endpoint": "https://host/v1", "model": "m"} if name == "openai" else {"path": str(tmp_path)}
    with pytest.raises(MissingDependencyError) as found:
        open_backend(name, given)
    assert found.value.hint == f'pip install "ingest-tui[{registry.BACKENDS[name].extra}]"'


def test_packages_are_looked_for_without_importing_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which packages are missing is known without loading any of them."""

    def refuse(name: str, *_rest: Any, **_options: Any) -> Any:
        raise AssertionError(name)

    with monkeypatch.context() as patched:
        import importlib.util  # noqa: F401 - loaded before imports are refused

        original = builtins.__import__
        patched.setattr(
            builtins,
            "__import__",
            lambda name, *rest, **options: (
                refuse(name) if name in {"numpy", "onnxruntime", "tokenizers"} else original(name, *rest, **options)
            ),
        )
        assert registry.missing_packages(registry.BACKENDS["onnx"].packages) == []


@pytest.mark.parametrize(
    ("name", "settings", "error"),
    [
        ("glove", {}, UsageError),
        ("onnx", {}, ValidationError),
        ("onnx", {"path": "x", "batch_size": 0}, ValidationError),
        ("onnx", {"path": "x", "colour": "red"}, ValidationError),
        ("openai", {"endpoint": "ftp://host", "model": "m"}, ValidationError),
        ("openai", {"endpoint": "https://me:secret@host/v1", "model": "m"}, ValidationError),
        ("openai", {"endpoint": "https://host/v1", "model": ""}, ValidationError),
    ],
)
def test_settings_that_cannot_work_are_refused(name: str, settings: dict[str, Any], error: type[IngestError]) -> None:
    """Unknown types and settings, and values out of range, are refused with words and a hint, never a secret."""
    with pytest.raises(error) as found:
        open_backend(name, settings)
    assert found.value.hint
    assert "secret@" not in found.value.message


@pytest.mark.parametrize(
    ("rows", "message", "error"),
    [
        ([[1.0, 0.0]], "1 vector for 2", EmbedderError),
        ([[1.0], [0.0]], "1 dimension instead of 2", EmbedderError),
        ([[1.0, 0.0], [1.0]], "no lists of numbers", EmbedderError),
        ([[1.0, float("nan")], [1.0, 0.0]], "not finite", TextRefusedError),
        ([[1.0, None], [1.0, 0.0]], "not finite", TextRefusedError),
        ([[1.0, float("inf")], [1.0, 0.0]], "not finite", TextRefusedError),
        (5, "0 vectors for 2", EmbedderError),
    ],
)
def test_vectors_that_are_none_are_refused(rows: Any, message: str, error: type[IngestError]) -> None:
    """Too few, too short, ragged or not finite: nothing of it becomes a vector."""
    with pytest.raises(error, match=message):
        unit_vectors(rows, 2, 2)
