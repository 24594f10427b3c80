"""Settings of a mail source."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from ingest_tui.connectors.base import LocalPath

Security = Literal["tls", "starttls", "plain"]
USUAL_PORTS: dict[Security, int] = {"tls": 993, "starttls": 143, "plain": 143}
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\.?\Z|[0-9A-Fa-f:.]{2,45}\Z")
_THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}


class MailConfig(BaseModel):
    """Settings of a mail source. ``folder`` and ``exclude`` are patterns as in .gitignore, for the paths of folders."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(
        min_length=1,
        description="the host of the IMAP server, e.g. imap.example.org",
        json_schema_extra={"metavar": "HOST"},
    )
    credential: str = Field(
        min_length=1,
        description="name of the credential to sign in with: basic (name and password), or token or oauth (XOAUTH2)",
        json_schema_extra={"metavar": "NAME", "credential_types": ["basic", "token", "oauth"]},
    )
    user: str = Field(
        default="", max_length=320, description="whose mailbox: needed with a token, else the name of the credential"
    )
    folder: tuple[str, ...] = Field(
        default=(),
        description="take only these folders, e.g. INBOX or Projects/** (default: all but junk, trash and drafts)",
        json_schema_extra={"browse": True, "metavar": "GLOB"},
    )
    exclude: tuple[str, ...] = Field(default=(), description="leave out these folders, e.g. Lists/")
    security: Security = Field(
        default="tls",
        description="how the connection is kept private: TLS from its start, STARTTLS, or not at all (plain)",
        json_schema_extra={"chooses": False},
    )
    port: int | None = Field(
        default=None, ge=1, le=65_535, description="the port (default 993, or 143 without TLS from the start)"
    )
    ca_file: Annotated[LocalPath | None, BeforeValidator(lambda value: value or None)] = Field(
        default=None,
        description="the PEM file of who signed the server's certificate, where the system does not know them",
        json_schema_extra={"metavar": "FILE", "chooses": False},
    )
    allow_plain: bool = Field(
        default=False,
        description="send password and mails unprotected over the network, with security plain",
        json_schema_extra={"chooses": False},
    )

    @field_validator("host")
    @classmethod
    def _is_a_host(cls, value: str) -> str:
        host = value.strip().strip("[]").lower()
        if not _HOST.match(host):
            raise ValueError("not the name or address of a host; --port names the port")
        return host

    @field_validator("user")
    @classmethod
    def _is_plain_text(cls, value: str) -> str:
        if not value.isprintable():
            raise ValueError("it holds control characters")
        return value

    @model_validator(mode="after")
    def _is_private(self) -> Self:
        if self.security == "plain" and not self.allow_plain and self.host not in _THIS_MACHINE:
            raise ValueError("plain is only for this machine: use tls or starttls, or --allow-plain")
        return self

    @property
    def port_number(self) -> int:
        """The port that is connected to."""
        return self.port or USUAL_PORTS[self.security]
