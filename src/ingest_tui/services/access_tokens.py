"""Tokens of the HTTP server: who may use it from where, and how far."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from ingest_tui.model.access_token import READ, AccessToken, TokenScope, digest_of_secret, token_of_secret
from ingest_tui.model.clock import rfc3339, rfc3339_now, utc_now
from ingest_tui.model.errors import ValidationError
from ingest_tui.model.identifiers import slug
from ingest_tui.services.name_lookup import collection_id_of
from ingest_tui.store.records.access_tokens import AccessTokenStore
from ingest_tui.store.records.settings import change_setting
from ingest_tui.store.users import requester
from ingest_tui.store.workspace import Workspace

_SECRET_BYTES = 32
_MADE = "server_tokens_made"
_PREFIX = "itk_"
"""Begins every secret, so that scanners of repositories and logs can tell one."""
_LONGEST = timedelta(days=36_500)


class NewToken(NamedTuple):
    """A token that was made, with its secret, which nobody can read again."""

    token: AccessToken
    secret: str


def add_token(
    workspace: Workspace,
    name: str,
    *,
    scope: TokenScope = READ,
    collection: str | None = None,
    valid_for: timedelta | None = None,
) -> NewToken:
    """Make a token; ``collection``: the one that it sees, by identifier or name; ``valid_for``: None for good.

    Raises `UsageError` for a taken name, `NotFoundError` for an unknown collection.
    """
    collection_id = None
    if collection is not None:
        collection_id = workspace.collections.get(collection_id_of(workspace, collection)).collection_id
    if valid_for is not None and not timedelta() < valid_for <= _LONGEST:
        raise ValidationError("a token is valid for longer than nothing and at most 100 years", hint="e.g. 90d")
    secret = _PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    token = AccessToken(
        name=slug(name),
        scope=scope,
        collection_id=collection_id,
        created_at=rfc3339_now(),
        created_by=requester(),
        expires_at=None if valid_for is None else rfc3339(utc_now() + valid_for),
        digest=digest_of_secret(secret),
    )
    change_setting(workspace.layout, _MADE, value=True)  # first: a file that is lost later does not open the server
    AccessTokenStore(workspace.layout).add(token)
    workspace.audit.add(
        at=token.created_at, by=token.created_by, action="token.add", target=token.name,
        scope=scope, collection=collection_id, expires_at=token.expires_at,
    )  # fmt: skip
    return NewToken(token, secret)


def list_tokens(workspace: Workspace) -> list[AccessToken]:
    """Return the tokens by name, those that have expired too."""
    return sorted(AccessTokenStore(workspace.layout).all(), key=lambda one: one.name)


def has_tokens(workspace: Workspace) -> bool:
    """Whether there is or was any token, also one that has expired or was revoked: then nobody is let in without.

    Nor where their file is missing, which was there once.
    """
    return workspace.settings.server_tokens_made or AccessTokenStore(workspace.layout).is_used


def revoke_token(workspace: Workspace, name: str) -> AccessToken:
    """Remove a token: a running server refuses it from its next request on. Raises `NotFoundError`."""
    token = AccessTokenStore(workspace.layout).remove(name)
    workspace.audit.add(at=rfc3339_now(), by=requester(), action="token.revoke", target=token.name)
    return token


def valid_token(workspace: Workspace, secret: str, now: datetime | None = None) -> AccessToken | None:
    """Return the token whose secret this is, None where there is none or it has expired."""
    return token_of_secret(AccessTokenStore(workspace.layout).all(), secret, now or utc_now())


def machine_places(workspace: Workspace) -> list[str]:
    """Return the folders of this machine that answers to others must not name."""
    folders = [str(workspace.root.absolute()), str(Path.home())]
    places = (source.source_config.get("path") for source in workspace.sources.all())
    return [*folders, *(place for place in places if isinstance(place, str))]
