"""The settings of each backend. Light: read for options and help before a backend and its packages are loaded."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator


class BackendSettings(BaseModel):
    """What can be set for every backend."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    document_prefix: str = Field(
        default="", description="put before each text, where the model wants it, e.g. 'passage: '"
    )
    query_prefix: str = Field(default="", description="put before each query, where the model wants it, e.g. 'query: '")
    batch_size: int = Field(default=64, ge=1, le=2048, description="texts that are embedded at once")


class EndpointSettings(BaseModel):
    """What every endpoint can be told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint: str = Field(
        description="the address that has /embeddings below it, e.g. https://api.openai.com/v1",
        json_schema_extra={"metavar": "URL"},
    )
    model: str = Field(min_length=1, description="the model to ask for, e.g. text-embedding-3-small")
    credential: str | None = Field(
        default=None,
        description="the entry of the credential registry to sign with: of type token or api_key",
        json_schema_extra={"metavar": "NAME"},
    )
    requests_per_minute: int | None = Field(default=None, gt=0, description="send no more requests than this")

    @field_validator("endpoint")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("an endpoint is written as https://host/v1")
        if parts.username or parts.password:
            raise ValueError("a secret does not belong in the address: name a credential")
        if parts.fragment:
            raise ValueError("an endpoint has no part after #")
        return value


class OpenAISettings(BackendSettings, EndpointSettings):
    """Settings of an endpoint that speaks the protocol of OpenAI."""

    dimensions: int | None = Field(
        default=None, gt=0, description="ask for shorter vectors, where the model has them", json_schema_extra=None
    )
    model_revision: str = Field(default="", description="change it when the endpoint serves another model by that name")


class OnnxSettings(BackendSettings):
    """Settings of a model in a folder: an ONNX file and tokenizer.json."""

    path: str = Field(description="the folder of the model", json_schema_extra={"metavar": "FOLDER"})
    file: str | None = Field(
        default=None, description="the ONNX file in it, e.g. onnx/model_quantized.onnx; unset: the usual names"
    )
    pooling: Literal["mean", "cls"] | None = Field(
        default=None, description="how tokens become one vector; unset: as set in the folder, else mean"
    )
    max_tokens: int | None = Field(
        default=None, gt=0, description="tokens that are read of a text; unset: as set in the folder, else 512"
    )
    threads: int = Field(default=0, ge=0, le=256, description="threads for one batch; 0: one for each core")
    batch_size: int = Field(default=16, ge=1, le=2048, description="texts that are embedded at once")


class StaticSettings(BackendSettings):
    """Settings of a static model in a folder (layout of model2vec): a vector for each token, and tokenizer.json."""

    path: str = Field(description="the folder of the model", json_schema_extra={"metavar": "FOLDER"})
    batch_size: int = Field(default=256, ge=1, le=2048, description="texts that are embedded at once")


class RerankerSettings(BaseModel):
    """What every reranker can be told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidates: int = Field(default=50, ge=2, le=500, description="hits that are ranked again for each search")
    max_characters: int = Field(default=4000, ge=100, le=100_000, description="characters of a text that are read")


class RerankEndpointSettings(RerankerSettings, EndpointSettings):
    """Settings of an endpoint that says how well texts answer a query."""

    endpoint: str = Field(
        description="the address that has /rerank below it, e.g. https://api.jina.ai/v1",
        json_schema_extra={"metavar": "URL"},
    )
    model: str = Field(default="", description="the model to ask for, where the endpoint has several")
    form: Literal["cohere", "tei"] = Field(
        default="cohere", description="how it is asked: as Cohere, Jina and vLLM are, or as TEI is"
    )


class CrossEncoderSettings(RerankerSettings):
    """Settings of a cross-encoder in a folder: an ONNX file and tokenizer.json."""

    path: str = Field(description="the folder of the model", json_schema_extra={"metavar": "FOLDER"})
    file: str | None = Field(
        default=None, description="the ONNX file in it, e.g. onnx/model_quantized.onnx; unset: the usual names"
    )
    max_tokens: int = Field(default=512, gt=0, le=65_536, description="tokens that are read of a query and a text")
    threads: int = Field(default=0, ge=0, le=256, description="threads for one batch; 0: one for each core")
    batch_size: int = Field(default=16, ge=1, le=2048, description="texts that are read at once")
