"""What a source or an upload chooses otherwise than its collection, and what is in force then. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_serializer, model_validator

from ingest_tui.model.chunk_limits import CHUNK_SIZES, USUAL_SIZES, ChunkUnit
from ingest_tui.model.languages import check_text_languages
from ingest_tui.model.ocr import OcrEngineName, OcrMode, check_languages


def _column_names(value: tuple[str, ...]) -> tuple[str, ...]:
    """Return names of columns, each once, without white space around them."""
    names = tuple(dict.fromkeys(" ".join(name.split()) for name in value))
    if "" in names:
        raise ValueError("the name of a column must not be empty")
    return names


def check_chunks(unit: ChunkUnit, size: int, overlap: int, tokenizer: str) -> None:
    """Raise ValueError for chunks that cannot be."""
    least, most = CHUNK_SIZES[unit]
    if not least <= size <= most:
        raise ValueError(f"chunk_size must be from {least} to {most} {unit}, not {size}")
    if overlap * 2 > size:
        raise ValueError(f"chunk_overlap must be at most half of chunk_size, {size // 2}, not {overlap}")
    if unit == "tokens" and not tokenizer:
        raise ValueError("chunk_unit tokens needs tokenizer: the path of a tokenizer.json")
    if tokenizer and not tokenizer.startswith("/"):
        raise ValueError("tokenizer must be a path that begins with /, whatever folder a worker is started in")


ColumnNames = Annotated[tuple[str, ...], AfterValidator(_column_names)]
TextLanguages = Annotated[tuple[str, ...], AfterValidator(check_text_languages)]
OcrLanguages = Annotated[str, AfterValidator(lambda value: check_languages(value) if value else "")]


class PreferenceOverrides(BaseModel):
    """Preferences of a collection that a source or an upload chooses for itself; None is as the collection says.

    The keys, and what they mean, are those of `CollectionPreferences`. Whoever counts in tokens names the tokenizer.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    chunk_unit: ChunkUnit | None = None
    chunk_size: int | None = Field(default=None, strict=True)
    chunk_overlap: int | None = Field(default=None, ge=0, strict=True)
    tokenizer: str | None = None
    text_columns: ColumnNames | None = None
    context_columns: ColumnNames | None = None
    languages: TextLanguages | None = None
    ocr: OcrMode | None = None
    ocr_languages: OcrLanguages | None = None
    ocr_engine: OcrEngineName | None = None
    trash_days: int | None = Field(default=None, ge=0, strict=True)
    keep_versions: int | None = Field(default=None, ge=1, strict=True)
    version_days: int | None = Field(default=None, ge=0, strict=True)

    @model_validator(mode="after")
    def _chunks_are_possible(self) -> Self:
        if self.chunk_unit is not None:
            size = USUAL_SIZES[self.chunk_unit] if self.chunk_size is None else self.chunk_size
            check_chunks(self.chunk_unit, size, self.chunk_overlap or 0, self.tokenizer or "")
        return self

    @model_serializer
    def chosen(self) -> dict[str, Any]:
        """Return what is chosen, as JSON values."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if value is not None
        }


OVERRIDABLE = tuple(PreferenceOverrides.model_fields)
"""The keys that a source or an upload can choose for itself."""
NO_OVERRIDES = PreferenceOverrides()
Origin = Literal["usual", "collection", "source", "upload"]
"""Where the value of a preference comes from."""


@dataclass(frozen=True, slots=True)
class Overriding:
    """What a source or an upload chooses for itself."""

    origin: Origin = "source"
    overrides: PreferenceOverrides = NO_OVERRIDES

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        """Return what ingestion.json of an uploaded document says; what cannot be read there says nothing."""
        values = record.get("overrides")
        try:
            return cls("upload", PreferenceOverrides.model_validate(values) if values else NO_OVERRIDES)
        except ValueError:
            return cls("upload")


NOTHING_OVERRIDDEN = Overriding()
