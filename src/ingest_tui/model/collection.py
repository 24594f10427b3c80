"""A collection: a group of documents that are searched and deduplicated together."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ingest_tui.model.chunk_limits import USUAL_SIZES, ChunkRules, ChunkUnit
from ingest_tui.model.embedder import EmbeddingChoice
from ingest_tui.model.identifiers import check_identifier
from ingest_tui.model.ocr import OcrEngineName, OcrMode
from ingest_tui.model.preference_overrides import ColumnNames, OcrLanguages, TextLanguages, check_chunks

SCHEMA_VERSION = 1
DEFAULT_COLLECTION = "default"


class CollectionPreferences(BaseModel):
    """What people chose for a collection. Keys that this version of the program does not know are kept as they are.

    Descriptions are what the command line and the form of the TUI say of a key; None, or empty, is what is usual.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    chunk_unit: ChunkUnit = Field(default="characters", description="what the size of chunks is counted in")
    chunk_size: int | None = Field(
        default=None, strict=True, description="largest chunk with overlap; usual: 1,500 or 384 tokens"
    )
    chunk_overlap: int = Field(
        default=0, ge=0, strict=True, description="how much may repeat the end of the chunk before"
    )
    tokenizer: str = Field(default="", description="the path of the tokenizer.json that counts tokens")
    text_columns: ColumnNames = Field(default=(), description="columns of tables that become text; usual: all named")
    context_columns: ColumnNames = Field(default=(), description="columns of tables that each row repeats as context")
    languages: TextLanguages = Field(default=(), description="languages of its texts: en, de; usual: any")
    embedder: str = Field(default="", description="what chunks are embedded with")
    embed: Literal["auto", "manual"] = Field(default="auto", description="embed after each sync, or only when asked to")
    search_mode: Literal["text", "vector", "hybrid"] | None = Field(
        default=None, description="how it is searched; usual: hybrid if there are vectors"
    )
    vector_weight: float | None = Field(
        default=None,
        ge=0,
        le=100,
        allow_inf_nan=False,
        description="what vectors count next to words; usual: 1",
    )

    ocr: OcrMode | None = Field(
        default=None,
        description="whether pictures are read; usual: as in the workspace",
    )
    ocr_languages: OcrLanguages = Field(default="", description="the languages that OCR reads, e.g. eng+deu")
    ocr_engine: OcrEngineName | None = Field(default=None, description="what OCR reads with")

    reranker: str = Field(default="", description="what reads the best hits of a search again, to rank them")

    trash_days: int | None = Field(
        default=None,
        ge=0,
        strict=True,
        description="days in the trash; usual: as in the workspace",
    )
    keep_versions: int | None = Field(
        default=None,
        ge=1,
        strict=True,
        description="versions that a document keeps; usual: all",
    )
    version_days: int | None = Field(
        default=None,
        ge=0,
        strict=True,
        description="days that a replaced version is kept; usual: for good",
    )

    @model_validator(mode="after")
    def _chunks_are_possible(self) -> CollectionPreferences:
        check_chunks(self.chunk_unit, self.chunk_rules().size, self.chunk_overlap, self.tokenizer)
        return self

    @field_validator("embedder", "reranker")
    @classmethod
    def _model_is_a_name(cls, value: str) -> str:
        return check_identifier(value) if value else value

    def embedding_choice(self) -> EmbeddingChoice | None:
        """Return what was chosen of embedding; None where nothing was."""
        return EmbeddingChoice(self.embedder, self.embed == "auto") if self.embedder else None

    def chunk_rules(self) -> ChunkRules:
        """Return what decides the chunks of the collection."""
        size = self.chunk_size if self.chunk_size is not None else USUAL_SIZES[self.chunk_unit]
        tokenizer = self.tokenizer if self.chunk_unit == "tokens" else ""
        columns = self.text_columns, self.context_columns
        return ChunkRules(size, self.chunk_overlap, self.chunk_unit, tokenizer, *columns, self.languages)


class Collection(BaseModel):
    """A collection and what people chose for it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: int = SCHEMA_VERSION
    collection_id: str
    name: str
    description: str = ""
    preferences: CollectionPreferences = CollectionPreferences()
    created_at: str = ""
    updated_at: str = ""
    revision: int = Field(default=0, ge=0, description="counts the times it was saved")

    @field_validator("collection_id")
    @classmethod
    def _identifier_is_safe(cls, value: str) -> str:
        return check_identifier(value)
