"""The header that signs requests to Confluence, from a credential that is read when it is needed."""

from __future__ import annotations

import base64
import threading
import time
from typing import TYPE_CHECKING, cast

from ingest_tui.connectors.base import Credential, Credentials
from ingest_tui.connectors.confluence.config import ConfluenceConfig
from ingest_tui.model.errors import AuthenticationError, IngestError
from ingest_tui.model.redaction import remember_secret
from ingest_tui.model.safe_text import safe_display
from ingest_tui.transport.addresses import is_safe_for_secrets

if TYPE_CHECKING:
    from ingest_tui.credentials.credential import RegisteredCredential

_TYPES = ("basic", "token", "oauth")
_RENEWED_BEFORE = 60.0
_UNNAMED_LIFETIME = 300.0


class Signature:
    """Signs for one connector; safe for threads."""

    def __init__(self, config: ConfluenceConfig, credentials: Credentials | None) -> None:
        self._config = config
        self._credentials = credentials
        self._lock = threading.Lock()
        self._kept: dict[str, str] | None = None
        self._until = 0.0
        self._digest: str | None = None

    def credential(self) -> Credential | None:
        """Return the credential, None where there is none to sign in with; raises `AuthenticationError`."""
        name = self._config.credential
        if not name:
            return None
        if self._credentials is None:
            raise AuthenticationError(
                "there is no credential registry to sign in from",
                hint="'ingest-tui credential add NAME --type TYPE' makes one",
            )
        credential = self._credentials.get(name)
        if credential.type not in _TYPES:
            raise AuthenticationError(
                f"the credential '{safe_display(name)}' is of type '{safe_display(credential.type)}'",
                hint="a Confluence source signs in with one of type basic, token or oauth; see docs/confluence.md",
                setting="credential",
            )
        if not is_safe_for_secrets(self._config.url):
            raise AuthenticationError(
                "the address does not begin with https://: the credential could be read on the way",
                hint="name the address with https:// (--url)",
                setting="url",
            )
        return credential

    def headers(self) -> dict[str, str]:
        """Return the headers that sign a request; none without a credential."""
        with self._lock:
            if self._kept is None or time.monotonic() > self._until:
                self._kept = self._made()
            return self._kept

    def renew(self) -> bool:
        """Forget what was made of the credential, which was refused; returns whether it is another one now."""
        with self._lock:
            before, was_oauth = self._digest, self._until < float("inf") and self._kept is not None
            self._kept = None
        try:
            credential = self.credential()
        except IngestError:
            return False
        return credential is not None and (was_oauth or credential.digest != before)

    def _made(self) -> dict[str, str]:
        credential = self.credential()
        self._until = float("inf")
        if credential is None:
            return {}
        self._digest = credential.digest
        if credential.type == "basic":
            pair = f"{credential.require('username')}:{credential.require('password')}".encode()
            name, value = "Authorization", f"Basic {base64.b64encode(pair).decode()}"
        elif credential.type == "token":
            name, scheme = credential.get("header") or "Authorization", credential.get("scheme", "Bearer")
            value = f"{scheme} {credential.require('token')}".strip()
        else:
            from ingest_tui.credentials.providers.oauth import fetch_token

            token = fetch_token(cast("RegisteredCredential", credential))
            self._until = time.monotonic() + (token.expires_in or _UNNAMED_LIFETIME) - _RENEWED_BEFORE
            name, value = "Authorization", f"Bearer {token.value}"
        remember_secret(value.partition(" ")[2] or value)
        return {name: value}
