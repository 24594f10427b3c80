"""What a site may answer instead of a page, and what that means for a source and for one of its pages."""

from __future__ import annotations

from ingest_tui.model.errors import (
    AuthenticationError,
    IngestError,
    ItemError,
    SourceAccessError,
    TransientItemError,
    TransientSourceError,
)

UNAUTHORIZED, FORBIDDEN, NOT_FOUND, GONE, TOO_MANY, UNAVAILABLE = 401, 403, 404, 410, 429, 503
_SERVER_ERRORS, _TIMED_OUT = 500, 408
_SIGN_IN = "'ingest-tui source edit SOURCE --credential NAME' names the credential to sign in with"
_OPEN_IT = "open the address in a browser, signed in as nobody"


class RequestFailedError(Exception):
    """No page came. ``what`` is a sentence for people, ``may_pass`` says whether it may by itself later.

    ``status`` is that of HTTP, None where there was no answer; ``reason`` is a code of `ItemError`.
    """

    def __init__(
        self,
        what: str,
        *,
        reason: str,
        status: int | None = None,
        may_pass: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.reason = reason
        self.status = status
        self.may_pass = may_pass
        self.retry_after = retry_after

    @property
    def is_gone(self) -> bool:
        """Whether the site says that there is no such page."""
        return self.status in {NOT_FOUND, GONE}


def refusal(status: int, retry_after: float | None) -> RequestFailedError:
    """Return what a status that is neither success nor redirect means."""
    if status in {TOO_MANY, UNAVAILABLE}:
        what = "the site asks for fewer requests" if status == TOO_MANY else "the site is not available for now"
        return RequestFailedError(
            f"{what} ({status})", reason="throttled", status=status, may_pass=True, retry_after=retry_after
        )
    if status >= _SERVER_ERRORS or status == _TIMED_OUT:
        return RequestFailedError(f"the site fails ({status})", reason="network", status=status, may_pass=True)
    if status in {NOT_FOUND, GONE}:
        return RequestFailedError(f"the site has no such page ({status})", reason="not_found", status=status)
    if status == UNAUTHORIZED:
        return RequestFailedError(f"the site asks who is reading ({status})", reason="authentication", status=status)
    if status == FORBIDDEN:
        return RequestFailedError(f"the site does not let us read it ({status})", reason="forbidden", status=status)
    return RequestFailedError(f"the site answers with status {status}", reason="forbidden", status=status)


def source_error(failure: RequestFailedError, shown: str) -> IngestError:
    """Return what a failed request means for the source; ``shown`` is the address, safe to show."""
    message = f"{shown}: {failure.what}"
    if failure.may_pass:
        return TransientSourceError(message, code=failure.reason, retry_after=failure.retry_after)
    if failure.status == UNAUTHORIZED:
        return AuthenticationError(message, hint=_SIGN_IN)
    hint = "name an address that is there" if failure.is_gone else _OPEN_IT
    if failure.reason == "private_address":
        hint = "'ingest-tui source edit SOURCE --allow-private' allows it, for a site of your own network"
    return SourceAccessError(message, hint=hint)


def item_error(failure: RequestFailedError, uri: str) -> IngestError:
    """Return what a failed request means for one page."""
    if failure.status == UNAUTHORIZED:
        return AuthenticationError(failure.what, hint=_SIGN_IN)
    if failure.may_pass:
        return TransientItemError(failure.what, code=failure.reason, retry_after=failure.retry_after, uri=uri)
    hint = _OPEN_IT if failure.reason == "forbidden" else ""
    return ItemError(failure.what, code=failure.reason, hint=hint, uri=uri)
