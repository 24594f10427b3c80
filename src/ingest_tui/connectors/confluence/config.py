"""The settings of a Confluence source."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

WikiKind = Literal["pages", "blogposts", "comments", "attachments"]
_CLOUD_HOSTS = ("atlassian.net", "api.atlassian.com", "jira.com")


class ConfluenceConfig(BaseModel):
    """Settings of a Confluence source. ``include`` and ``exclude`` are patterns as in .gitignore."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(
        min_length=1,
        description="address of Confluence, e.g. https://example.atlassian.net/wiki or https://wiki.example.org",
    )
    credential: str = Field(
        default="",
        description="name of the credential to sign in with (type basic, token or oauth); empty: as anybody",
    )
    space: tuple[str, ...] = Field(
        default=(),
        description="take only the space with this key, e.g. DOC (default: all but personal ones)",
        json_schema_extra={"browse": True},
    )
    take: tuple[WikiKind, ...] = Field(
        default=("pages", "blogposts", "comments", "attachments"),
        min_length=1,
        description="what is taken: pages, blogposts, comments, attachments (default: all four)",
    )
    include: tuple[str, ...] = Field(default=(), description="take only what matches, e.g. *.pdf or DOC/")
    exclude: tuple[str, ...] = Field(default=(), description="leave out what matches, e.g. *.png")
    edition: Literal["auto", "cloud", "data-center"] = Field(
        default="auto", description="which Confluence it is (auto: by the address)"
    )

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        value = value.strip().rstrip("/")
        try:
            parts = urlsplit(value)
            port = parts.port
        except ValueError:
            raise ValueError("it is an address like https://example.atlassian.net/wiki") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
            raise ValueError("it is an address like https://example.atlassian.net/wiki")
        if "@" in parts.netloc:
            raise ValueError("it must not hold a name or a password: use a credential")
        if parts.query or parts.fragment or not value.isascii() or not value.isprintable() or " " in value:
            raise ValueError("it is the address of Confluence as a whole, without a page")
        return value

    @field_validator("space")
    @classmethod
    def _are_keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for key in value:
            if not key or not key.isprintable() or set(key) & set("/,?#% "):
                raise ValueError("a space is named by its key, as in its address: DOC, ~name")
        return tuple(dict.fromkeys(value))

    @property
    def is_cloud(self) -> bool:
        """Whether it is Confluence Cloud."""
        if self.edition != "auto":
            return self.edition == "cloud"
        host = urlsplit(self.url).hostname or ""
        return any(host == name or host.endswith(f".{name}") for name in _CLOUD_HOSTS)
