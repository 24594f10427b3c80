"""What Microsoft Graph answers when it refuses: read once here, and reported as errors of a source or of an item."""

from __future__ import annotations

from typing import Any

from ingest_tui.credentials.providers.entra import READS_EVERYTHING, missing_permission
from ingest_tui.credentials.providers.entra_clouds import GUIDE
from ingest_tui.model.errors import (
    AuthenticationError,
    ItemError,
    SourceAccessError,
    TransientItemError,
    TransientSourceError,
)
from ingest_tui.model.safe_text import safe_display

_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _GONE, _LOCKED = 401, 403, 404, 410, 423
_THROTTLED = {429, 503, 509}
_PASSING = {408, 500, 502, 504}
_LONGEST_WORDS = 300


class GraphError(Exception):
    """An answer of Graph that is no success, before anybody knows what it means for a source or an item.

    ``status`` is that of HTTP, ``code`` and ``words`` are Graph's own, ``codes`` all codes down to the innermost,
    ``retry_after`` is in seconds, ``location`` the address Graph points to with a 410.
    """

    def __init__(
        self, status: int, error: dict[str, Any], *, retry_after: float | None = None, location: str | None = None
    ) -> None:
        self.status = status
        self.codes = list(_codes_of(error))
        self.code = self.codes[0] if self.codes else f"HTTP {status}"
        words = error.get("message")
        self.words = safe_display(words if isinstance(words, str) else "", limit=_LONGEST_WORDS)
        inner = error.get("innerError") or error.get("innererror")
        request_id = inner.get("request-id") if isinstance(inner, dict) else None
        self.request_id = request_id if isinstance(request_id, str) else None
        self.retry_after = retry_after
        self.location = location
        super().__init__(self.description)

    @property
    def description(self) -> str:
        """What Graph said, in its own words: the real error is never hidden behind ours."""
        code = safe_display(self.code, limit=80)
        return f"{self.status} {code}: {self.words}" if self.words else f"{self.status} {code}"

    @property
    def throttled(self) -> bool:
        """Whether Graph asks to be called less."""
        return self.status in _THROTTLED


def _codes_of(error: dict[str, Any]) -> list[str]:
    codes = []
    for _ in range(8):
        code = error.get("code")
        if isinstance(code, str) and code:
            codes.append(code)
        inner = error.get("innerError") or error.get("innererror")
        if not isinstance(inner, dict):
            break
        error = inner
    return codes


def source_error(  # noqa: PLR0911 - one return for each meaning
    error: GraphError, what: str, roles: list[str] | None = None
) -> SourceAccessError:
    """Return what a Graph error means for the source. ``what`` names what was asked for ("the site …").

    ``roles`` are the permissions in the token, for the reason of a refusal; None when there is no token.
    """
    details: dict[str, Any] = {"graph_code": error.code, "request_id": error.request_id}
    if error.throttled:
        return TransientSourceError(
            "Microsoft Graph throttles us", code="throttled", retry_after=error.retry_after, **details
        )
    if error.status in _PASSING:
        return TransientSourceError(
            f"Microsoft Graph fails for now ({error.description})",
            code="network",
            retry_after=error.retry_after,
            **details,
        )
    if error.status == _UNAUTHORIZED:
        hint = _missing_permission(roles) or f"has the app been disabled, or its consent withdrawn? See {GUIDE}#errors"
        return AuthenticationError(
            f"Microsoft Graph refuses the token for {what} ({error.description})", hint=hint, **details
        )
    if error.status == _FORBIDDEN:
        return SourceAccessError(
            f"no permission to read {what} ({error.description})",
            hint=_missing_permission(roles) or _not_granted(roles),
            code="forbidden",
            **details,
        )
    if error.status == _LOCKED:
        return SourceAccessError(
            f"{what} is locked ({error.description})",
            hint="an administrator locked it; it can be read again once it is unlocked. Nothing was deleted",
            code="locked",
            **details,
        )
    if error.status == _NOT_FOUND:
        return SourceAccessError(
            f"Microsoft Graph does not find {what} ({error.description})",
            hint=f"does the address open in a browser, and is the tenant the right one? See {GUIDE}#errors",
            code="not_found",
            **details,
        )
    return SourceAccessError(
        f"Microsoft Graph does not answer for {what} ({error.description})", hint=f"see {GUIDE}#errors", **details
    )


def _missing_permission(roles: list[str] | None) -> str:
    missing = missing_permission(roles)
    if roles is None or not missing:
        return ""
    held = f"only {', '.join(roles)}" if roles else "no permission at all"
    return f"the token holds {safe_display(held, limit=200)}: {missing}"


def _not_granted(roles: list[str] | None) -> str:
    if roles is not None and not any(role in READS_EVERYTHING for role in roles):
        return (
            "the app holds Sites.Selected, but this site was not granted to it (or the grant is not effective yet): "
            f"see {GUIDE}#grant"
        )
    return f"an access policy may restrict the site, see {GUIDE}#errors"


def item_error_of_graph(  # noqa: PLR0911 - one return for each meaning
    error: GraphError, uri: str
) -> ItemError | SourceAccessError:
    """Return what a Graph error means for one item that was to be fetched."""
    details: dict[str, Any] = {"uri": uri, "graph_code": error.code, "request_id": error.request_id}
    codes = {code.lower() for code in error.codes}
    if error.status == _UNAUTHORIZED:
        return source_error(error, "an item")
    if "malwaredetected" in codes:
        return malware_error(uri)
    if error.status in {_NOT_FOUND, _GONE}:
        return ItemError("it is gone since it was listed", code="not_found", **details)
    if error.status == _LOCKED:
        return TransientItemError(
            f"it is locked ({error.description})",
            code="locked",
            hint="somebody has it open or checked out; the next sync tries it again",
            retry_after=error.retry_after,
            **details,
        )
    if error.throttled:
        return TransientItemError(
            "Microsoft Graph throttles us", code="throttled", retry_after=error.retry_after, **details
        )
    if error.status in _PASSING:
        return TransientItemError(
            f"Microsoft Graph fails for now ({error.description})",
            code="network",
            retry_after=error.retry_after,
            **details,
        )
    if error.status == _FORBIDDEN:
        return ItemError(
            f"no permission to read it ({error.description})",
            code="forbidden",
            hint=f"the app may read the site but not this item, see {GUIDE}#errors",
            **details,
        )
    return ItemError(f"Microsoft Graph does not give it ({error.description})", code="unreadable", **details)


def malware_error(uri: str) -> ItemError:
    """Return the error of an item that Microsoft found to be malware."""
    return ItemError("Microsoft found malware in it and blocks it", code="malware", uri=uri)
