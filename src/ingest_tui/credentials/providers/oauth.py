"""OAuth 2.0 client credentials (RFC 6749, section 4.4): fetch a token, say what is refused."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import quote_plus, urlencode

from ingest_tui.credentials.contract import Credential
from ingest_tui.credentials.credential import RegisteredCredential
from ingest_tui.credentials.steps import Step
from ingest_tui.model.errors import AuthenticationError, TransientSourceError
from ingest_tui.model.redaction import remember_secret
from ingest_tui.model.safe_text import safe_display

TIMEOUT_SECONDS = 30.0
_LARGEST_ANSWER = 1_048_576
_SERVER_ERROR = 500

# RFC 6749, section 5.2. What else a server writes is not shown: it may quote what it was sent.
_REFUSALS: Mapping[str, tuple[str, str]] = {
    "invalid_client": ("the client id or its secret is refused", "check client_id; is the secret the current one?"),
    "unauthorized_client": ("the client may not use client credentials", "allow the grant for it at the provider"),
    "invalid_scope": ("the scope is not granted to the client", "grant it at the provider, or ask for less"),
    "invalid_request": ("the server does not understand the request", "try client_authentication 'body'"),
    "invalid_grant": ("the grant is refused", "check the client at the provider"),
    "unsupported_grant_type": ("the server knows no client credentials grant", "check token_url"),
}


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """An access token. ``expires_in`` is in seconds from now, None when the server named none."""

    value: str
    expires_in: float | None
    scope: str | None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the client's secret to wherever it leads."""

    def redirect_request(self, *_of_the_answer: Any) -> None:
        return None


def fetch_token(credential: Credential) -> Token:
    """Fetch a token; for connectors too.

    Raises `AuthenticationError` with what the server refuses, `TransientSourceError` when it cannot be reached, and
    what `Credential.get` raises.
    """
    try:
        with urllib.request.build_opener(_NoRedirect).open(_request(credential), timeout=TIMEOUT_SECONDS) as answer:
            content = _parsed(answer.read(_LARGEST_ANSWER))
    except urllib.error.HTTPError as error:
        raise _refusal(error.code, _parsed(_body_of(error))) from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        cause = reason.strerror if isinstance(reason, OSError) and reason.strerror else type(reason).__name__
        raise TransientSourceError(
            f"token_url cannot be reached ({safe_display(cause)})", hint="check token_url, the network and the proxy"
        ) from None
    value = content.get("access_token")
    if not isinstance(value, str) or not value:
        raise AuthenticationError("the server's answer holds no access token", hint="check token_url")
    remember_secret(value)
    expires_in, scope = content.get("expires_in"), content.get("scope")
    return Token(
        value,
        float(expires_in) if isinstance(expires_in, int | float) else None,
        scope if isinstance(scope, str) else None,
    )


def authenticate(credential: RegisteredCredential, _uses: Sequence[Mapping[str, Any]]) -> Iterator[Step]:
    """Yield the steps sign-in and scope."""
    try:
        token = fetch_token(credential)
    except (AuthenticationError, TransientSourceError) as error:
        yield Step("sign-in", False, error.message, error.hint)
        return
    lasts = "" if token.expires_in is None else f", good for {token.expires_in:.0f} seconds"
    yield Step("sign-in", True, f"the server gave a token{lasts}")
    asked = (credential.get("scope") or "").split()
    # RFC 6749, section 5.1: a server that grants what was asked for need not name it.
    missing = [scope for scope in asked if scope not in token.scope.split()] if token.scope is not None else []
    if missing:
        yield Step("permission", False, f"not granted: {', '.join(missing)}", "grant it to the client at the provider")
    elif asked:
        yield Step("permission", True, f"granted: {', '.join(asked)}")


def _request(credential: Credential) -> urllib.request.Request:
    client_id, secret = credential.require("client_id"), credential.require("client_secret")
    form = {"grant_type": "client_credentials"}
    form |= {name: value for name in ("scope", "audience") if (value := credential.get(name))}
    headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
    if credential.get("client_authentication") == "body":
        form |= {"client_id": client_id, "client_secret": secret}
    else:
        # RFC 6749, section 2.3.1: both are form-encoded before they become user and password.
        pair = base64.b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()
        remember_secret(pair)
        headers["Authorization"] = f"Basic {pair}"
    remember_secret(quote_plus(secret))
    url = credential.require("token_url")
    return urllib.request.Request(url, urlencode(form).encode(), headers, method="POST")  # noqa: S310 - https, or loopback


def _body_of(error: urllib.error.HTTPError) -> bytes:
    try:
        with error:
            return error.read(_LARGEST_ANSWER)
    except (OSError, HTTPException):
        return b""


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _refusal(status: int, content: Mapping[str, Any]) -> AuthenticationError | TransientSourceError:
    code = content.get("error")
    if isinstance(code, str) and code in _REFUSALS:
        message, hint = _REFUSALS[code]
        return AuthenticationError(f"{message} ({code})", hint=hint)
    if status >= _SERVER_ERROR:
        return TransientSourceError(f"the server answered {status}", hint="try again later")
    return AuthenticationError(f"the server answered {status}", hint="check token_url and client_id")
