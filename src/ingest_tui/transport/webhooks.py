"""Calling a webhook: one POST of JSON, without following where it is redirected to."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any

from ingest_tui.model.errors import IngestError, TransientSourceError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.transport.addresses import is_safe_for_secrets
from ingest_tui.transport.retry_after import seconds_to_wait

_MAY_PASS = frozenset({408, 425, 429, 500, 502, 503, 504})


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry what is told, and its signature, to wherever it leads."""

    def redirect_request(self, *_of_the_answer: Any) -> None:
        return None


def post_json(url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> None:
    """Send a body once, through the proxy of the environment; the answer is not read.

    Raises `TransientSourceError` for what may pass, `IngestError` for any other refusal. The URL may be a secret and is
    in no message.
    """
    if not is_safe_for_secrets(url):
        raise IngestError("the url is neither https nor of this machine", hint="use https://")
    request = urllib.request.Request(  # noqa: S310 - https, or loopback
        url, body, {"Content-Type": "application/json", **headers}, method="POST"
    )
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=seconds):
            return
    except urllib.error.HTTPError as error:
        answer = f"it answered {error.code}"
        if error.code in _MAY_PASS:
            raise TransientSourceError(
                answer, retry_after=seconds_to_wait(error.headers.get("Retry-After")), code="network"
            ) from None
        raise IngestError(answer, hint="check the url and what the receiver expects") from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        cause = reason.strerror if isinstance(reason, OSError) and reason.strerror else type(reason).__name__
        raise TransientSourceError(f"it cannot be reached ({safe_display(cause)})", code="network") from None
    except ValueError:
        raise IngestError("the url is not valid", hint="write it as https://host/path") from None
