"""The settings of a local folder."""

from __future__ import annotations

import warnings
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ingest_tui.connectors.base import absolute_path


class LocalConfig(BaseModel):
    """Settings of a local folder. ``include`` and ``exclude`` are patterns as in .gitignore."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(min_length=1, description="the folder", json_schema_extra={"browse": True})
    recursive: bool = Field(default=True, description="folders within it too")
    include: tuple[str, ...] = Field(default=(), description="take only what matches, e.g. *.md or docs/**")
    exclude: tuple[str, ...] = Field(default=(), description="leave out what matches, e.g. drafts/")
    hidden: bool = Field(default=False, description="names that start with a dot too")
    follow_symlinks: bool = Field(default=False, description="follow links that stay within the folder")

    @model_validator(mode="before")
    @classmethod
    def _accept_source_path(cls, data: Any) -> Any:
        """Read the legacy name of ``path``; where both are given, ``path`` is used."""
        if not isinstance(data, dict) or "source_path" not in data:
            return data
        if "path" in data:
            warnings.warn("both source_path and path are given; path is used", stacklevel=2)
        return {"path": data["source_path"]} | {name: value for name, value in data.items() if name != "source_path"}

    @field_validator("path", mode="before")
    @classmethod
    def _is_utf8(cls, value: object) -> object:
        if isinstance(value, str) and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise ValueError("the path is not UTF-8; name the folder by a link whose name is") from None
        return value

    @field_validator("path")
    @classmethod
    def _absolute(cls, value: str) -> str:
        return absolute_path(value)
