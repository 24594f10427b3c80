"""What is registered under a name and used by collections: an embedder, a reranker. Its type and its settings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION: Final = 1


class RegisteredModel(BaseModel, ABC):
    """The record of a model: the type of its backend, and the settings that this was given."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: int = SCHEMA_VERSION
    name: str
    backend: str
    settings: dict[str, Any] = Field(default_factory=dict)
    created_at: str = ""
    updated_at: str = ""
    revision: int = Field(default=0, ge=0, description="counts the times it was saved")

    @property
    @abstractmethod
    def identifier(self) -> str:
        """The identifier under which it is stored, and which collections name."""

    @property
    @abstractmethod
    def summary(self) -> str:
        """What model it is, in a few words."""
