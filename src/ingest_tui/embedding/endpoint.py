"""A model behind an endpoint: one signed request after the other, tried again where that may help.

The credential is resolved at each request, so a rotated one takes effect in a running job. No redirect is followed: it
would carry the key and the texts to wherever it leads.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import orjson
import urllib3

from ingest_tui.credentials.contract import Credential
from ingest_tui.embedding.base import BackendContext, EmbedderError, TextRefusedError
from ingest_tui.embedding.settings import EndpointSettings
from ingest_tui.model.errors import AuthenticationError, IngestError, TransientSourceError
from ingest_tui.model.redaction import remember_secret
from ingest_tui.model.safe_text import safe_display
from ingest_tui.transport.addresses import is_safe_for_secrets
from ingest_tui.transport.connections import READ_SECONDS, connections_to
from ingest_tui.transport.rate_limit import TokenBucket
from ingest_tui.transport.retry_after import seconds_to_wait
from ingest_tui.transport.retrying import Retrier, account_named

_LARGEST_ANSWER = 256 * 2**20
_PIECE = 1 << 20
_ANSWER_WAITS = 4
"""An answer must be whole in so many times the longest wait for its next part."""
_OK, _REDIRECTED, _REFUSED, _NOT_FOUND, _TIMED_OUT, _THROTTLED, _SERVER_ERROR = 200, 300, 400, 404, 408, 429, 500
_FORBIDDEN = (401, 403)
_TEXT_REFUSED = (400, 413, 422)
_SHOWN = 200


class Endpoint:
    """An address that takes JSON by POST; ``page`` is what is asked below it: ``/embeddings``."""

    def __init__(self, settings: EndpointSettings, context: BackendContext, page: str) -> None:
        self._settings = settings
        self._context = context
        self._page = page
        parts = urlsplit(settings.endpoint)
        self._base = f"{parts.scheme}://{parts.netloc}"
        query = f"?{parts.query}" if parts.query else ""
        if settings.credential and not is_safe_for_secrets(settings.endpoint):
            raise EmbedderError(
                f"{safe_display(self._base)} is not reached over TLS: the credential would be readable on the way",
                hint="use https://, or an endpoint on this machine",
                code="insecure_endpoint",
            )
        self._connections, prefix = connections_to(self._base, 1, context.answer_seconds)
        self._target = f"{prefix}{parts.path.rstrip('/')}{page}{query}"
        self._used = ""
        account = account_named(f"embeddings {self._base} {settings.credential or ''}")
        self._retrier = Retrier(account, sleep=context.sleep, policy=context.policy, renew=self._is_rotated)
        per_minute = settings.requests_per_minute
        self._bucket = TokenBucket(per_minute, sleep=context.sleep) if per_minute else None

    def post(self, body: bytes) -> bytes:
        """Return what the endpoint answers to a request.

        Raises `EmbedderError`, `TextRefusedError`, `AuthenticationError` and what a network raises.
        """
        return self._retrier.call(lambda: self._answer(body))

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    def _answer(self, body: bytes) -> bytes:
        if self._bucket is not None:
            self._bucket.take()
        headers = {"Content-Type": "application/json", "Accept": "application/json", **self._signature()}
        try:
            answer = self._connections.urlopen(
                "POST", self._target, body=body, headers=headers, redirect=False, retries=False, preload_content=False
            )
            try:
                content = _read(answer, _ANSWER_WAITS * (self._context.answer_seconds or READ_SECONDS))
            finally:
                answer.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise TransientSourceError(
                f"the endpoint {safe_display(self._base)} cannot be reached ({type(error).__name__})",
                hint="check the address, the network and the proxy",
                code="network",
            ) from None
        if answer.status != _OK:
            raise self._failure(answer.status, answer.headers, content)
        return content

    def _signature(self) -> dict[str, str]:
        """Return the header that signs a request; none without a credential."""
        self._used = ""
        if not self._settings.credential:
            return {}
        name, value = _header_of(self._credential(self._settings.credential))
        remember_secret(value)
        self._used = value
        return {name: value}

    def _credential(self, name: str) -> Credential:
        if self._context.credentials is None:
            raise AuthenticationError(f"there are no credentials to find '{safe_display(name)}' in")
        return self._context.credentials.get(name)

    def _is_rotated(self) -> bool:
        """Whether the credential is another one than the endpoint has just refused."""
        refused = self._used
        try:
            self._signature()
        except IngestError:
            return False
        return bool(self._used) and self._used != refused

    def _failure(self, status: int, headers: Mapping[str, str], content: bytes) -> IngestError:
        """Return what an answer of another status than 200 means."""
        code, message = _error_in(content)
        said = f": {safe_display(message, limit=_SHOWN)}" if message else ""
        where = safe_display(self._base)
        if status in _FORBIDDEN:
            named = self._settings.credential
            hint = f"'ingest-tui credential test {named}' tries it" if named else "name one with --credential"
            return AuthenticationError(f"the endpoint {where} refuses the credential ({status}){said}", hint=hint)
        if status == _THROTTLED and code == "insufficient_quota":
            return EmbedderError(f"the account has no quota left{said}", hint="see the account's billing", code="quota")
        if status in {_TIMED_OUT, _THROTTLED} or status >= _SERVER_ERROR:
            throttled = status == _THROTTLED
            return TransientSourceError(
                f"the endpoint {where} answered {status}{said}",
                retry_after=seconds_to_wait(headers.get("Retry-After")),
                code="throttled" if throttled else "source_transient",
            )
        if status == _NOT_FOUND or code in {"model_not_found", "DeploymentNotFound"}:
            return EmbedderError(
                f"the endpoint {where} has no model '{safe_display(self._settings.model)}' or no {self._page}{said}",
                hint=f"check --model, and that --endpoint ends where {self._page} follows, as in …/v1",
                code="model_unknown",
            )
        if status in _TEXT_REFUSED:
            return TextRefusedError(f"the endpoint {where} does not take a text ({status}){said}")
        hint = "name the address that it leads to" if _REDIRECTED <= status < _REFUSED else "check --endpoint"
        return EmbedderError(f"the endpoint {where} answered {status}{said}", hint=hint, code="bad_answer")


def _header_of(credential: Credential) -> tuple[str, str]:
    if credential.type == "token":
        scheme = credential.get("scheme", "Bearer")
        token = credential.require("token")
        return credential.get("header") or "Authorization", f"{scheme} {token}" if scheme else token
    if credential.type == "api_key":
        return credential.get("header") or "X-API-Key", credential.require("api_key")
    raise EmbedderError(
        f"credential '{safe_display(credential.name)}' is of type {safe_display(credential.type)}",
        hint="an endpoint is signed in to with a credential of type token or api_key",
        code="credential_type",
    )


def _read(answer: urllib3.BaseHTTPResponse, seconds: float) -> bytes:
    """Return the whole answer, for which there is so much time: one byte now and then is never too late by itself."""
    pieces, total = [], 0
    deadline = time.monotonic() + seconds
    while piece := answer.read1(_PIECE, decode_content=True):
        total += len(piece)
        if time.monotonic() > deadline:
            raise TimeoutError(f"not whole after {seconds:g} seconds")
        if total > _LARGEST_ANSWER:
            raise EmbedderError(
                "the endpoint's answer is too long", hint="use a smaller --batch-size", code="bad_answer"
            )
        pieces.append(piece)
    return b"".join(pieces)


def _error_in(content: bytes) -> tuple[str, str]:
    """Return the code and the message of an error, as far as the answer has them."""
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        return "", ""
    error = found.get("error", found) if isinstance(found, dict) else None
    if isinstance(error, str):
        return "", error
    if not isinstance(error, dict):
        return "", ""
    return str(error.get("code") or ""), str(error.get("message") or "")
