"""With what a Git source signs in to a server over HTTP."""

from __future__ import annotations

from ingest_tui.connectors.base import Credential, Credentials
from ingest_tui.connectors.git.address import RepositoryAddress
from ingest_tui.model.errors import ValidationError
from ingest_tui.model.safe_text import safe_display

_TYPES = ("basic", "token")
_NAME_WITH_TOKENS = "x-access-token"
"""The name that goes with a token unless the address has one: most servers take any."""


def credential_for(name: str, credentials: Credentials | None) -> Credential:
    """Return an entry of the registry; raises `ValidationError` for one that is of no use here, `NotFoundError`."""
    if credentials is None:
        raise ValidationError(
            f"the source names the credential '{safe_display(name)}', but there are no credentials here",
            hint="'ingest-tui credential add NAME --type TYPE' makes one",
        )
    entry = credentials.get(name)
    if entry.type not in _TYPES:
        raise ValidationError(
            f"credential '{safe_display(name)}' is of type {entry.type!r}; a git source needs one of type 'basic' or"
            " 'token'",
            hint="see credentials.example.json",
            setting="credential",
        )
    return entry


def name_and_password(entry: Credential, address: RepositoryAddress) -> tuple[str, str]:
    """Return what git answers a server with; the secret is resolved now. Raises `AuthenticationError`."""
    if entry.type == "token":
        return address.user or _NAME_WITH_TOKENS, entry.require("token")
    return entry.require("username"), entry.require("password")
