"""Settings of a web source."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from ingest_tui.connectors.web.addresses import SiteScope

LARGEST_PAGE = 16 << 20
"""Bytes of a page: its links are read in memory."""
_LONGEST_ADDRESS = 2000


class WebConfig(BaseModel):
    """Settings of a web source. ``include`` and ``exclude`` are patterns as in .gitignore, from the start."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str = Field(
        min_length=1,
        max_length=_LONGEST_ADDRESS,
        description="where to begin; what is below its folder is taken, e.g. https://example.org/docs/",
        json_schema_extra={"metavar": "URL"},
    )
    sitemap: str = Field(
        default="",
        max_length=_LONGEST_ADDRESS,
        description="the address of its sitemap (empty: what robots.txt names, and /sitemap.xml; none: links alone)",
        json_schema_extra={"metavar": "URL"},
    )
    depth: int = Field(
        default=20, ge=0, le=1000, description="how many links away from there a page may be (0: that page alone)"
    )
    max_pages: int = Field(
        default=10_000, ge=1, le=1_000_000, description="ask for at most so many addresses; the rest is left alone"
    )
    include: tuple[str, ...] = Field(default=(), description="take only what matches, e.g. *.pdf or docs/**")
    exclude: tuple[str, ...] = Field(default=(), description="neither take nor follow what matches, e.g. archive/")
    delay: float = Field(
        default=0.25,
        ge=0,
        le=20,
        description="seconds between two requests; robots.txt may ask for more",
        json_schema_extra={"chooses": False},
    )
    credential: str | None = Field(
        default=None,
        description="the entry of the credential registry to sign in with (basic, token or api_key)",
        json_schema_extra={"metavar": "NAME"},
    )
    allow_private: bool = Field(
        default=False,
        description="read addresses of this machine and of private networks too",
        json_schema_extra={"chooses": False},
    )

    @field_validator("sitemap")
    @classmethod
    def _is_an_address_or_none(cls, value: str) -> str:
        return value if value in {"", "none"} else cls._is_an_address(value)

    @field_validator("sitemap")
    @classmethod
    def _is_of_the_site(cls, value: str, others: ValidationInfo) -> str:
        url = others.data.get("url")
        if url is None or value in {"", "none"}:
            return value
        scope = SiteScope(url)
        if not (scope.resolve(value, value) or "").startswith(f"{scope.origin}/"):
            raise ValueError("it must be an address of the same host as url: sitemaps of others are not read")
        return value

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ValueError("it must be an address like https://example.org/docs/") from None
        if parts.scheme not in {"http", "https"} or not host or port == 0:
            raise ValueError("it must be an address like https://example.org/docs/")
        if "@" in parts.netloc:
            raise ValueError("it must not hold a name or a password: name a credential")
        if any(ord(letter) <= ord(" ") for letter in value):
            raise ValueError("it must not hold spaces or control characters")
        return value
