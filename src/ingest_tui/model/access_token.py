"""Tokens of the HTTP server: what they allow, and whether one is the one that was given."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ingest_tui.model.identifiers import check_identifier

SCHEMA_VERSION = 1
TokenScope = Literal["read", "write", "admin"]
READ: TokenScope = "read"
WRITE: TokenScope = "write"
ADMIN: TokenScope = "admin"
SCOPES: tuple[TokenScope, ...] = get_args(TokenScope)
"""Each allows what those before it allow."""


def allows(held: TokenScope, needed: TokenScope) -> bool:
    """Whether who holds one scope may do what needs another."""
    return SCOPES.index(held) >= SCOPES.index(needed)


class AccessToken(BaseModel):
    """A token as it is kept: never its secret, but the SHA-256 of it, which is as good since a secret is 256 bits.

    ``collection_id``: the one collection that it sees; None for all. ``expires_at``: RFC 3339; None for never.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    scope: TokenScope = READ
    collection_id: str | None = None
    created_at: str = ""
    created_by: str = ""
    expires_at: str | None = None
    digest: str = Field(pattern=r"^[0-9a-f]{64}$", repr=False)

    @field_validator("name")
    @classmethod
    def _name_is_safe(cls, value: str) -> str:
        return check_identifier(value)

    def has_expired(self, now: datetime) -> bool:
        """Whether it is not valid any more."""
        return self.expires_at is not None and datetime.fromisoformat(self.expires_at) <= now


class AccessTokens(BaseModel):
    """All tokens of a workspace, as they are kept in one file."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: int = SCHEMA_VERSION
    tokens: tuple[AccessToken, ...] = ()
    revision: int = Field(default=0, ge=0)


def digest_of_secret(secret: str) -> str:
    """Return what is kept of a secret."""
    return sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def token_of_secret(tokens: Iterable[AccessToken], secret: str, now: datetime) -> AccessToken | None:
    """Return the valid token whose secret was given. All are compared, each in constant time."""
    digest = digest_of_secret(secret)
    found = None
    for token in tokens:
        if hmac.compare_digest(token.digest, digest) and not token.has_expired(now):
            found = token
    return found
