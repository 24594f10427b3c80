"""Settings of an rclone source."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

# What rclone lets a remote be called; options after a comma and backends without a name could run programs.
_NAMED_REMOTE = re.compile(r"[\w.+@][\w.+@ -]*:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class RcloneConfig(BaseModel):
    """Settings of an rclone source. ``include`` and ``exclude`` are patterns as in .gitignore, below the remote."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    remote: str = Field(
        max_length=4096,
        description="a remote of the configuration file and a folder of it, e.g. drive:handbook",
        json_schema_extra={"browse": True, "metavar": "R:PATH"},
    )
    credential: str = Field(
        min_length=1,
        description="the entry of the credential registry that names rclone's configuration file",
        json_schema_extra={"metavar": "NAME", "credential_type": "rclone"},
    )
    hashes: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="tell changes by checksums: auto: where the storage knows them; always: also where it has to read "
        "each file for them",
        json_schema_extra={"chooses": False},
    )
    include: tuple[str, ...] = Field(default=(), description="take only what matches, e.g. *.md or docs/**")
    exclude: tuple[str, ...] = Field(default=(), description="leave out what matches, e.g. drafts/")
    hidden: bool = Field(default=False, description="names that start with a dot too")

    @field_validator("remote")
    @classmethod
    def _is_named(cls, value: str) -> str:
        if value.startswith(":") or "," in value.partition(":")[0]:
            raise ValueError("name a remote of the configuration file; backends and options on the fly are refused")
        found = _NAMED_REMOTE.match(value)
        if found is None:
            raise ValueError("it is no remote: NAME:PATH is needed; a folder of this machine is a source of type local")
        if _CONTROL.search(value) or ".." in value[found.end() :].split("/"):
            raise ValueError("the path after the colon holds control characters or ..")
        return value

    @property
    def name(self) -> str:
        """The remote, as the configuration file calls it."""
        return self.remote.partition(":")[0]

    @property
    def root(self) -> str:
        """The folder within the remote."""
        return self.remote.partition(":")[2]
