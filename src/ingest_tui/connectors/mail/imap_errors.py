"""What an IMAP server may answer instead of what was asked for, and what that means for a source and for a message.

Messages name a code that the server gave (RFC 5530), never its text: that may quote what it was sent.
"""

from __future__ import annotations

import re
import ssl

from ingest_tui.model.errors import (
    AuthenticationError,
    IngestError,
    ItemError,
    SourceAccessError,
    TransientItemError,
    TransientSourceError,
)
from ingest_tui.model.safe_text import safe_display

_CODE = re.compile(rb"\[([A-Z][A-Z0-9-]{1,30})[\] ]", re.IGNORECASE)
_BACKOFF = re.compile(rb"Backoff Time: (\d{1,9}) milliseconds", re.IGNORECASE)
"""How Exchange says when to come back; the protocol has no words for it."""
_THROTTLED_CODES = {"LIMIT", "THROTTLED", "OVERQUOTA"}
_THROTTLED_WORDS = re.compile(
    rb"throttl|too many (simultaneous|connections|commands|requests)|rate limit|Backoff", re.IGNORECASE
)
_PASSING = {"UNAVAILABLE", "INUSE", "SERVERBUG", "EXPUNGEISSUED"}
_FORBIDDEN = {"NOPERM", "PRIVACYREQUIRED"}
_CREDENTIAL = {"AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED"}


class ImapAnswerError(Exception):
    """The server answered with NO, BAD or BYE, or with what is no answer.

    ``code`` is that of RFC 5530, empty where it gave none. ``is_refusal``: it understood, and does not do it.
    """

    def __init__(self, said: bytes = b"", *, is_refusal: bool = True) -> None:
        found = _CODE.search(said)
        self.code = found[1].decode().upper() if found else ""
        self.is_refusal = is_refusal
        backoff = _BACKOFF.search(said)
        self.retry_after = int(backoff[1]) / 1000 if backoff else None
        self.is_throttled = self.code in _THROTTLED_CODES or _THROTTLED_WORDS.search(said) is not None
        super().__init__(self.code)

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed later, by itself."""
        return self.is_throttled or self.code in _PASSING

    @property
    def is_of_credential(self) -> bool:
        """Whether the server refuses who we are."""
        return self.code in _CREDENTIAL

    @property
    def in_words(self) -> str:
        """What happened, without the words of the server."""
        code = f" ({self.code})" if self.code else ""
        if self.is_throttled:
            return f"the server asks to slow down{code}"
        return f"the server refuses it{code}" if self.is_refusal else "the server's answer is not IMAP, or is not whole"


def source_error(failure: ImapAnswerError, where: str) -> SourceAccessError:
    """Return what an answer means for a source; ``where`` is the server, for people."""
    message = f"{safe_display(where)}: {failure.in_words}"
    if failure.is_throttled:
        return TransientSourceError(message, code="throttled", retry_after=failure.retry_after)
    if failure.may_pass:
        return TransientSourceError(message, code="network", retry_after=failure.retry_after)
    if failure.is_of_credential:
        return refused_credential(where, failure.code)
    return SourceAccessError(message, hint="look at the log of the mail server; nothing was deleted")


def refused_credential(where: str, code: str = "") -> AuthenticationError:
    """Return the error of a server that does not let us in."""
    shown = f" ({code})" if code else ""
    return AuthenticationError(
        f"{safe_display(where)} refuses the credential{shown}",
        hint="check user and password, or whether the token is still good; does the account allow IMAP?",
    )


def network_error(error: OSError, where: str) -> SourceAccessError:
    """Return what a connection that failed means."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return SourceAccessError(
            f"{safe_display(where)}: its certificate is not to be trusted ({safe_display(error.verify_message)})",
            hint="is --host the name in the certificate? --ca-file names who signed it",
        )
    if isinstance(error, ssl.SSLError):
        return TransientSourceError(
            f"{safe_display(where)}: TLS fails", hint="is it --security starttls on this --port?", code="network"
        )
    cause = "no answer in time" if isinstance(error, TimeoutError) else error.strerror or type(error).__name__
    return TransientSourceError(
        f"{safe_display(where)} cannot be reached ({safe_display(cause)})",
        hint="check the network, --host and --port",
        code="network",
    )


def cut_error(where: str, said: bytes = b"") -> TransientSourceError:
    """Return the error of a connection that ended, with what a BYE said."""
    farewell = ImapAnswerError(said)
    if farewell.is_throttled:
        message = f"{safe_display(where)}: {farewell.in_words}"
        return TransientSourceError(message, code="throttled", retry_after=farewell.retry_after)
    return TransientSourceError(f"{safe_display(where)}: the connection was cut", code="network")


def item_error(error: IngestError, uri: str) -> IngestError:
    """Return what a failure of the connection means for one message that was being read."""
    if isinstance(error, TransientSourceError):
        return TransientItemError(
            error.message, hint=error.hint, code=error.reason, retry_after=error.retry_after, uri=uri
        )
    return error


def refused_item(failure: ImapAnswerError, uri: str, where: str) -> IngestError:
    """Return what an answer means for one message."""
    if failure.may_pass or failure.is_of_credential:
        return item_error(source_error(failure, where), uri)
    hint = "give the account the right to read it (lrs)"
    code = "forbidden" if failure.is_refusal else "malformed"
    return ItemError(f"the message cannot be read: {failure.in_words}", hint=hint, code=code, uri=uri)
