"""A collection: a group of documents that are searched and deduplicated together."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ingest_tui.model.identifiers import check_identifier

SCHEMA_VERSION = 1
DEFAULT_COLLECTION = "default"


class Collection(BaseModel):
    """A collection and what people chose for it (``preferences``: columns, context fields, selection)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: int = SCHEMA_VERSION
    collection_id: str
    name: str
    description: str = ""
    preferences: dict[str, Any] = Field(default_factory=dict)
    created_at: str = ""
    updated_at: str = ""
    revision: int = Field(default=0, ge=0, description="counts the times it was saved")

    @field_validator("collection_id")
    @classmethod
    def _identifier_is_safe(cls, value: str) -> str:
        return check_identifier(value)
