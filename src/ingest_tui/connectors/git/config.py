"""Settings of a Git source."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ingest_tui.connectors.base import LocalPath

_NEVER_IN_NAMES = re.compile(r"[\x00-\x20\x7f^:?*\[\\~]|^-|\.\.|@\{")


class GitConfig(BaseModel):
    """Settings of a Git source. ``include`` and ``exclude`` are patterns as in .gitignore."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    repository: LocalPath = Field(
        min_length=1,
        description="the folder of the repository: a working copy, a bare one or a mirror",
        json_schema_extra={"browse": True},
    )
    ref: str = Field(
        default="", max_length=255, description="the branch, tag or commit whose files are taken (empty: HEAD)"
    )
    include: tuple[str, ...] = Field(default=(), description="take only what matches, e.g. *.md or docs/**")
    exclude: tuple[str, ...] = Field(default=(), description="leave out what matches, e.g. drafts/")
    hidden: bool = Field(default=False, description="names that start with a dot too")

    @field_validator("ref")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        if _NEVER_IN_NAMES.search(value):  # nor can it be an option or a range for git
            raise ValueError("it is no name of a branch or tag, and no id of a commit")
        return value
