"""Backends by name; each is imported when it is used, its settings can be read without its packages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final, NamedTuple

import pydantic

from ingest_tui.embedding.base import BackendContext, EmbeddingBackend
from ingest_tui.embedding.reranking import Reranker
from ingest_tui.embedding.settings import (
    CrossEncoderSettings,
    OnnxSettings,
    OpenAISettings,
    RerankEndpointSettings,
    StaticSettings,
)
from ingest_tui.model.errors import MissingDependencyError, UsageError, ValidationError
from ingest_tui.model.invalid_values import refusal_in_words
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.similar_names import did_you_mean

_SETTINGS_LISTED_BY: Final = {
    "embedder": "'ingest-tui embedder add TYPE --help' lists the settings",
    "reranker": "'ingest-tui reranker add TYPE --help' lists the settings",
}


class ModelKind(NamedTuple):
    """A kind of model: its settings, what it is in one sentence, where its class is, which extra brings it.

    ``stays_open``: it takes so long to open that a process keeps it for its next search.
    """

    settings: type[pydantic.BaseModel]
    summary: str
    place: str
    extra: str
    packages: tuple[str, ...]
    stays_open: bool = False


BACKENDS: Mapping[str, ModelKind] = {
    "openai": ModelKind(
        OpenAISettings,
        "any endpoint that speaks the protocol of OpenAI: OpenAI, Azure, vLLM, Ollama, TEI",
        "ingest_tui.embedding.openai:OpenAIBackend",
        "vectors",
        ("numpy", "safetensors", "urllib3"),
    ),
    "onnx": ModelKind(
        OnnxSettings,
        "a model in a folder: an ONNX file and tokenizer.json",
        "ingest_tui.embedding.onnx:OnnxBackend",
        "onnx",
        ("numpy", "onnxruntime", "safetensors", "tokenizers"),
    ),
    "static": ModelKind(
        StaticSettings,
        "a static model in a folder, in the layout of model2vec: safetensors and tokenizer.json",
        "ingest_tui.embedding.static:StaticBackend",
        "static",
        ("numpy", "safetensors", "tokenizers"),
    ),
}


class ModelKinds(NamedTuple):
    """All kinds of one sort of model, which messages call ``noun``."""

    noun: str
    kinds: Mapping[str, ModelKind]

    def named(self, name: str) -> ModelKind:
        """Return a kind; raises `UsageError` naming the known ones."""
        if name not in self.kinds:
            known = ", ".join(self.kinds)
            raise UsageError(
                f"unknown type of {self.noun} '{safe_display(name, limit=64)}'",
                hint=f"{did_you_mean(name, self.kinds)}known types: {known}",
            )
        return self.kinds[name]

    def missing_extra(self, name: str) -> MissingDependencyError | None:
        """Return the error for a kind whose packages are not installed, else None."""
        missing = missing_packages(self.named(name).packages)
        if not missing:
            return None
        return MissingDependencyError(
            f"{self.noun}s of type {name} need what is not installed: {', '.join(missing)}",
            hint=f'pip install "ingest-tui[{self.named(name).extra}]"',
        )

    def checked(self, name: str, settings: Mapping[str, Any]) -> pydantic.BaseModel:
        """Return the settings of a kind; raises `ValidationError` with what is wrong, `UsageError` for its name."""
        try:
            return self.named(name).settings.model_validate(dict(settings))
        except pydantic.ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "settings"
            option = f"--{field.replace('_', '-')}"
            if first["type"] == "missing":
                message = f"{_with_article(self.noun)} of type {name} needs {option}"
                raise ValidationError(message, hint=f"add {option}") from None
            raise ValidationError(
                refusal_in_words(error, whole="settings"),
                hint=_SETTINGS_LISTED_BY[self.noun].replace("TYPE", name),
            ) from None

    def opened(self, name: str, settings: Mapping[str, Any], context: BackendContext | None) -> Any:
        """Return a model that is ready to be asked.

        Raises what `checked` raises, `MissingDependencyError`, and `EmbedderError` for a model that is not there.
        """
        checked = self.checked(name, settings)
        missing = self.missing_extra(name)
        if missing is not None:
            raise missing
        module, _, class_name = self.named(name).place.partition(":")
        return getattr(import_module(module), class_name)(checked, context or BackendContext())


def missing_packages(packages: Sequence[str]) -> list[str]:
    """Return those of some packages that are not installed."""
    from importlib.util import find_spec

    return [package for package in packages if find_spec(package) is None]


def _with_article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


EMBEDDERS: Final = ModelKinds("embedder", BACKENDS)
RERANKERS: Final = ModelKinds(
    "reranker",
    {
        "endpoint": ModelKind(
            RerankEndpointSettings,
            "any endpoint with /rerank: Cohere, Jina, vLLM, TEI",
            "ingest_tui.embedding.rerank_endpoint:EndpointReranker",
            "vectors",
            ("urllib3",),
        ),
        "onnx": ModelKind(
            CrossEncoderSettings,
            "a cross-encoder in a folder: an ONNX file and tokenizer.json",
            "ingest_tui.embedding.cross_encoder:CrossEncoder",
            "onnx",
            ("numpy", "onnxruntime", "tokenizers"),
            stays_open=True,
        ),
    },
)


def missing_extra(name: str) -> MissingDependencyError | None:
    """Return the error for a backend whose packages are not installed, else None."""
    return EMBEDDERS.missing_extra(name)


def open_backend(
    name: str, settings: Mapping[str, Any], context: BackendContext | None = None
) -> EmbeddingBackend[Any]:
    """Return a backend that is ready to be asked; raises what `ModelKinds.opened` raises."""
    backend: EmbeddingBackend[Any] = EMBEDDERS.opened(name, settings, context)
    return backend


def open_reranker(name: str, settings: Mapping[str, Any], context: BackendContext | None = None) -> Reranker[Any]:
    """Return a reranker that is ready to be asked; raises what `ModelKinds.opened` raises."""
    reranker: Reranker[Any] = RERANKERS.opened(name, settings, context)
    return reranker
