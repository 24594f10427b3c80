"""Settings of a Git source."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from ingest_tui.connectors.base import absolute_path
from ingest_tui.connectors.git.address import address_of
from ingest_tui.transport.addresses import is_safe_for_secrets

_NEVER_IN_NAMES = re.compile(r"[\x00-\x20\x7f^:?*\[\\~]|^-|\.\.|@\{")


def _folder_or_address(value: str) -> str:
    return value if address_of(value) is not None else absolute_path(value)


class GitConfig(BaseModel):
    """Settings of a Git source. ``include`` and ``exclude`` are patterns as in .gitignore."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    repository: Annotated[str, AfterValidator(_folder_or_address)] = Field(
        min_length=1,
        max_length=4096,
        description="the folder of the repository, or its address: https://HOST/PATH, USER@HOST:PATH",
        json_schema_extra={"browse": True},
    )
    ref: str = Field(
        default="", max_length=255, description="the branch, tag or commit whose files are taken (empty: HEAD)"
    )
    credential: str | None = Field(
        default=None,
        description="the credential for an address over https (type basic or token)",
        json_schema_extra={"metavar": "NAME"},
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

    @field_validator("credential", mode="before")
    @classmethod
    def _none_when_empty(cls, value: object) -> object:
        return value or None

    @model_validator(mode="after")
    def _credential_has_a_use(self) -> Self:
        if self.credential is None:
            return self
        address = address_of(self.repository)
        if address is None:
            raise ValueError("a folder needs no credential")
        if address.scheme == "ssh":
            raise ValueError("ssh signs in with the keys of the worker's user, not with a credential")
        if not is_safe_for_secrets(address.text):
            raise ValueError("with a credential the address must begin with https://, since a secret is sent there")
        return self
