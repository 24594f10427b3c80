"""What Confluence answers when it refuses, as the errors that people get."""

from __future__ import annotations

from typing import Any

from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import (
    AuthenticationError,
    ItemError,
    SourceAccessError,
    TransientItemError,
    TransientSourceError,
)
from ingest_tui.model.safe_text import safe_display

GUIDE = "docs/confluence.md"
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, _GONE, _TIMED_OUT, _THROTTLED, _BROKEN = 401, 403, 404, 410, 408, 429, 500
_UNAVAILABLE = 503
_MOST_SAID = 200


class AnswerError(Exception):
    """An answer that is no success, before anybody knows what it means for a source or an item.

    ``status`` is that of HTTP, ``words`` are Confluence's own, ``retry_after`` is in seconds.
    """

    def __init__(self, status: int, words: str = "", retry_after: float | None = None) -> None:
        self.status = status
        self.retry_after = retry_after
        self.said = " ".join(filter(None, (str(status or ""), safe_display(words, limit=_MOST_SAID))))
        super().__init__(self.said)

    @property
    def is_throttled(self) -> bool:
        """Whether Confluence asks to be called less."""
        return self.status == _THROTTLED or (self.status == _UNAVAILABLE and self.retry_after is not None)

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed later."""
        return self.is_throttled or self.status == _TIMED_OUT or self.status >= _BROKEN


def unreachable(error: Exception) -> TransientSourceError:
    """Return the error of a Confluence that does not answer, or whose answer was cut."""
    return TransientSourceError(
        f"Confluence cannot be reached ({type(error).__name__})",
        hint="check the address, the network and the proxy; nothing was deleted",
        code="network",
    )


def not_confluence() -> TransientSourceError:
    """Return the error of an answer that cannot be Confluence's."""
    return TransientSourceError(
        "something other than Confluence answers",
        hint="does the address open in a browser without a sign-in page between? Nothing was deleted",
        code="network",
    )


def source_error(error: AnswerError, what: str) -> SourceAccessError:
    """Return what an answer means for the source; ``what`` names what was asked for ("space DOC")."""
    if error.may_pass:
        return TransientSourceError(
            "Confluence throttles us" if error.is_throttled else f"Confluence fails for now ({error.said})",
            code="throttled" if error.is_throttled else "network",
            retry_after=error.retry_after,
        )
    if error.status == UNAUTHORIZED:
        return AuthenticationError(
            f"Confluence refuses the credential ({error.said})",
            hint=f"is it the current one? Cloud takes an address of mail and an API token, see {GUIDE}",
        )
    if error.status == FORBIDDEN:
        return SourceAccessError(
            f"no permission to read {what} ({error.said})",
            hint=f"let the account that signs in read it: {GUIDE} names what it needs; nothing was deleted",
            code="forbidden",
        )
    if error.status in (NOT_FOUND, _GONE):
        return SourceAccessError(
            f"Confluence does not find {what} ({error.said})",
            hint="is it the address of Confluence as a whole (of Cloud it ends in /wiki), and may the account see it?"
            " Nothing was deleted",
            code="not_found",
        )
    return SourceAccessError(f"Confluence does not answer for {what} ({error.said})", hint=f"see {GUIDE}")


def item_error(error: AnswerError, descriptor: Descriptor) -> ItemError | SourceAccessError:
    """Return what an answer means for one item."""
    where: dict[str, Any] = {"uri": descriptor.uri}
    if error.may_pass:
        return TransientItemError(
            "Confluence throttles us" if error.is_throttled else f"Confluence fails for now ({error.said})",
            code="throttled" if error.is_throttled else "network",
            retry_after=error.retry_after,
            **where,
        )
    if error.status == UNAUTHORIZED:
        return source_error(error, "it")
    if error.status in (NOT_FOUND, _GONE):
        return ItemError(
            "it is no longer there, or may not be seen any more",
            code="not_found",
            hint="nothing to do: the next complete look at the source decides",
            **where,
        )
    if error.status == FORBIDDEN:
        return ItemError(
            f"no permission to read it ({error.said})",
            code="forbidden",
            hint=f"let the account that signs in read it; see {GUIDE}",
            **where,
        )
    return ItemError(f"Confluence does not give it ({error.said})", code="unreadable", hint=f"see {GUIDE}", **where)
