"""The header that a request signs in with, from a credential of the registry."""

from __future__ import annotations

from base64 import b64encode

from ingest_tui.connectors.base import Credential, Credentials
from ingest_tui.model.errors import AuthenticationError, ValidationError
from ingest_tui.transport.addresses import is_safe_for_secrets

TYPES = ("api_key", "basic", "token")


def entry_of(name: str, url: str, credentials: Credentials | None) -> Credential:
    """Return the entry that a source names.

    Raises `ValidationError` for one of a type that no site takes, and for a site that it would go to in the clear.
    """
    if credentials is None:
        raise AuthenticationError(
            f"there is no credential registry to find {name!r} in", hint="give --credentials FILE"
        )
    entry = credentials.get(name)
    if entry.type not in TYPES:
        raise ValidationError(
            f"credential {name!r} is of type {entry.type!r}; a web source needs one of type {', '.join(TYPES)}",
            hint="'ingest-tui credential list' shows which there are",
            setting="credential",
        )
    if not is_safe_for_secrets(url):
        raise ValidationError(
            "url: a credential would be sent there in the clear", hint="use https://", setting="credential"
        )
    return entry


def header_of(entry: Credential) -> dict[str, str]:
    """Return the header with the secret, resolved now."""
    if entry.type == "basic":
        pair = f"{entry.require('username')}:{entry.require('password')}".encode()
        return {"Authorization": f"Basic {b64encode(pair).decode()}"}
    if entry.type == "token":
        scheme = entry.get("scheme", "Bearer")
        token = entry.require("token")
        return {entry.get("header", "Authorization") or "Authorization": f"{scheme} {token}" if scheme else token}
    return {entry.get("header", "X-API-Key") or "X-API-Key": entry.require("api_key")}
