"""One connection to an IMAP server: signed in, with bounded answers. Nothing that it does changes the mailbox."""

from __future__ import annotations

import base64
import imaplib
import re
import select
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from ingest_tui.connectors.mail.config import MailConfig
from ingest_tui.connectors.mail.folders import MailFolder, UnreadableListError, folders_of, quoted
from ingest_tui.connectors.mail.imap_errors import (
    ImapAnswerError,
    cut_error,
    network_error,
    refused_credential,
    source_error,
)
from ingest_tui.model.errors import AuthenticationError, SourceAccessError

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
LARGEST_ANSWER = 32 << 20
"""Bytes of all answers to one command: those about a thousand messages, or one piece of one, have less than one MB."""
_UID = re.compile(rb"\bUID (\d{1,10})\b")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d{1,19})\b")
_DATE = re.compile(rb'\bINTERNALDATE "([^"]{1,40})"')
_NUMBER = re.compile(rb"(\d{1,10}) \(")
_BODY_IN_LINE = re.compile(rb'BODY\[\]<\d{1,19}> (?:NIL\b|"([^"\\]*(?:\\.[^"\\]*)*)")', re.IGNORECASE)
"""A body that is no literal: a quoted string, or NIL."""
_ESCAPED = re.compile(rb"\\(.)")


class OpenedFolder(NamedTuple):
    """A folder as it was when it was opened: how many messages it has, and what their UIDs are good for.

    ``next_uid`` is what the next message gets at least; None where the server does not say.
    """

    number: int
    uid_validity: int
    next_uid: int | None


class ListedMessage(NamedTuple):
    """One message: its UID, its size in bytes as the server says, and when it was received, as the server writes it."""

    uid: int
    size: int
    received: str


class MailLogin(NamedTuple):
    """Who signs in: with a password, or with a token (XOAUTH2)."""

    user: str
    secret: str
    is_token: bool


class _Bounded(imaplib.IMAP4):
    """Counts the bytes of an answer, so that no server fills the memory."""

    left = LARGEST_ANSWER

    def _take(self, number: int) -> None:
        self.left -= number
        if self.left < 0:
            raise self.abort("the answer is too large")

    def read(self, size: int) -> bytes:
        self._take(size)
        return super().read(size)

    def readline(self) -> bytes:
        try:
            line = super().readline()
        except imaplib.IMAP4.error:  # longer than a line may be
            raise self.abort("the answer is too large") from None
        self._take(len(line))
        return line


class _BoundedTls(_Bounded, imaplib.IMAP4_SSL):
    """The same over TLS from the start."""


class ImapSession:
    """A connection. Used by one thread at a time."""

    def __init__(self, config: MailConfig, sign_in: MailLogin) -> None:
        """Connect and sign in; raises `SourceAccessError`."""
        self._where = f"{config.host}:{config.port_number}"
        self._opened: tuple[bytes, OpenedFolder] | None = None
        with self._failing_as_a_source():
            self._imap = _connected(config)
        try:
            with self._failing_as_a_source():
                self._sign_in(sign_in)
                self._imap.sock.settimeout(READ_SECONDS)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection, without a word: nothing is to be saved."""
        with suppress(OSError, imaplib.IMAP4.error):
            self._imap.shutdown()

    @property
    def is_usable(self) -> bool:
        """Whether the other end is still there; what it has sent unasked ends a session as well."""
        poll = select.poll()
        try:
            poll.register(self._imap.sock, select.POLLIN)
        except (OSError, ValueError):
            return False
        return not poll.poll(0)

    def folders(self) -> list[MailFolder]:
        """Return the folders of the mailbox; raises `SourceAccessError` also where there is none, not even INBOX."""
        with self._failing_as_a_source():
            can = b" ".join(self._ask(lambda imap: imap.capability())).upper().split()  # more than before signing in
            has_uses = b"SPECIAL-USE" in can and b"LIST-EXTENDED" in can
            pattern = '"*" RETURN (SPECIAL-USE)' if has_uses else '"*"'
            answers = self._ask(lambda imap: imap.list('""', pattern))
            try:
                found = folders_of(answers)
            except UnreadableListError:
                found = []
            if not found:
                raise ImapAnswerError(is_refusal=False)
        return found

    def check(self) -> None:
        """Have the server say that it is there; raises `SourceAccessError`."""
        with self._failing_as_a_source():
            self._ask(lambda imap: imap.noop())

    def open(self, folder: MailFolder, *, again: bool = False) -> OpenedFolder:
        """Open a folder to read it, unless it is open already; ``again``: as it is now.

        Raises `ImapAnswerError` where the server refuses this folder, `SourceAccessError`.
        """
        if self._opened is not None and self._opened[0] == folder.name and not again:
            return self._opened[1]
        self._opened = None
        written = quoted(folder.name)
        if written is None:
            raise ImapAnswerError(b"[CANNOT] ")
        with self._failing_as_a_source(refusals=True):
            self._ask(lambda imap: imap.select(written, readonly=True))  # type: ignore[arg-type] # bytes go as they are
            number, validity, next_uid = (self._number_of(name) for name in ("EXISTS", "UIDVALIDITY", "UIDNEXT"))
            if number is None or validity is None:
                raise ImapAnswerError(is_refusal=False)
        self._opened = (folder.name, OpenedFolder(number, validity, next_uid))
        return self._opened[1]

    def messages(self, first: int, last: int) -> list[ListedMessage]:
        """Return the messages of the open folder from one number to another, all of them.

        While only numbers are asked for no message loses its own (RFC 3501, 7.4.1). Raises `SourceAccessError`.
        """
        with self._failing_as_a_source():
            answers = self._ask(lambda imap: imap.fetch(f"{first}:{last}", "(UID RFC822.SIZE INTERNALDATE)"))
            found = dict(_listed(answers))
            if found.keys() != set(range(first, last + 1)) or len({one.uid for one in found.values()}) != len(found):
                raise ImapAnswerError(b"[EXPUNGEISSUED] ")
        return [found[number] for number in sorted(found)]

    def piece(self, uid: int, offset: int, size: int) -> bytes | None:
        """Return a part of a message of the open folder, shorter or empty at its end; None where it is gone.

        Servers also send less of it, and nothing (or NIL) for a message that another connection has removed.
        Raises `ImapAnswerError` where the server refuses it, `SourceAccessError`.
        """
        with self._failing_as_a_source(refusals=True):
            answers = self._ask(lambda imap: imap.uid("FETCH", str(uid), f"(BODY.PEEK[]<{offset}.{size}>)"))
            for answer in answers:
                body: bytes | None
                head, body = answer[:2] if isinstance(answer, tuple) else _body_in_line(answer or b"")
                if f"BODY[]<{offset}>".encode() not in head.upper() or _uid_of(answers, head) not in {uid, None}:
                    continue
                if body is None or len(body) > size:
                    raise ImapAnswerError(is_refusal=False)
                return body
        return None

    def _number_of(self, name: str) -> int | None:
        _, values = self._imap.response(name)
        return int(values[-1]) if values and values[-1] is not None and values[-1].isdigit() else None

    def _ask(self, command: Callable[[imaplib.IMAP4], tuple[str, Any]]) -> list[Any]:
        """Return the untagged answers to a command; raises `ImapAnswerError` unless it ends with OK."""
        self._imap.left = LARGEST_ANSWER
        try:
            kind, answers = command(self._imap)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:  # BAD
            raise ImapAnswerError(_bytes_of(error)) from None
        if kind != "OK":
            said = answers[-1] if answers and isinstance(answers[-1], bytes) else b""
            raise ImapAnswerError(said)
        return list(answers)

    def _sign_in(self, who: MailLogin) -> None:
        try:
            if who.is_token:
                text = f"user={who.user}\1auth=Bearer {who.secret}\1\1"
                self._imap.authenticate("XOAUTH2", _answering_once(text.encode()))
            elif "AUTH=PLAIN" in self._imap.capabilities:
                self._imap.authenticate("PLAIN", _answering_once(f"\0{who.user}\0{who.secret}".encode()))
            elif "LOGINDISABLED" in self._imap.capabilities:
                raise AuthenticationError(
                    f"{self._where} lets nobody sign in with a password over this connection",
                    hint="use --security tls or starttls, or a token",
                )
            else:
                _refuse_line_ends(who, self._where)
                self._imap.login(who.user, who.secret)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            failure = ImapAnswerError(_bytes_of(error))
            if failure.may_pass:
                raise failure from None
            raise refused_credential(self._where, failure.code) from None

    @contextmanager
    def _failing_as_a_source(self, *, refusals: bool = False) -> Iterator[None]:
        """Raise what a failure means for the source; ``refusals``: what is refused for good is for the caller."""
        try:
            yield
        except ImapAnswerError as failure:
            if refusals and failure.is_refusal and not failure.may_pass and not failure.is_of_credential:
                raise
            raise source_error(failure, self._where) from None
        except imaplib.IMAP4.error as error:
            raise cut_error(self._where, _bytes_of(error)) from None
        except OSError as error:
            raise network_error(error, self._where) from None


def _connected(config: MailConfig) -> _Bounded:
    if config.security == "tls":
        return _BoundedTls(config.host, config.port_number, ssl_context=_tls(config), timeout=CONNECT_SECONDS)
    imap = _Bounded(config.host, config.port_number, timeout=CONNECT_SECONDS)
    if config.security == "starttls":
        try:
            imap.starttls(_tls(config))
        except imaplib.IMAP4.abort:
            imap.shutdown()
            raise
        except imaplib.IMAP4.error:
            imap.shutdown()
            raise SourceAccessError(
                f"{config.host}:{config.port_number} has no STARTTLS; nothing was sent", hint="use --security tls"
            ) from None
        except BaseException:
            imap.shutdown()
            raise
    return imap


def _tls(config: MailConfig) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=config.ca_file)
    except OSError:
        raise SourceAccessError(
            "the file of --ca-file cannot be read as certificates", hint="it is a PEM file"
        ) from None


def _answering_once(text: bytes) -> Callable[[bytes], bytes]:
    """Return what answers a server that asks for the credential, once: what it asks next is told by its errors."""
    from ingest_tui.model.redaction import remember_secret

    remember_secret(base64.b64encode(text).decode())
    answers = iter([text])
    return lambda _question: next(answers, b"")


def _refuse_line_ends(who: MailLogin, where: str) -> None:
    if not (who.user + who.secret).isprintable() or not (who.user + who.secret).isascii():
        raise AuthenticationError(
            f"{where} takes passwords of plain ASCII only (it has no AUTH=PLAIN)", hint="choose another password"
        )


def _bytes_of(error: Exception) -> bytes:
    said: Any = error.args[0] if error.args else b""
    return said if isinstance(said, bytes) else str(said).encode()


def _listed(answers: list[Any]) -> Iterator[tuple[int, ListedMessage]]:
    for answer in answers:
        if not isinstance(answer, bytes):
            continue
        number, uid, size, date = (pattern.search(answer) for pattern in (_NUMBER, _UID, _SIZE, _DATE))
        if number and uid and size:  # what else comes was not asked for: flags that somebody changes
            yield int(number[1]), ListedMessage(int(uid[1]), int(size[1]), date[1].decode("latin-1") if date else "")


def _body_in_line(line: bytes) -> tuple[bytes, bytes | None]:
    """Return an answer of one line without the text of its body, and that text; None where it has none."""
    found = _BODY_IN_LINE.search(line)
    if found is None:
        return line, None
    rest = line[: found.start(1)] + line[found.end(1) :] if found[1] else line
    return rest, _ESCAPED.sub(rb"\1", found[1] or b"")


def _uid_of(answers: list[Any], head: bytes) -> int | None:
    """Return the UID of an answer with a body: before the body, or after it where it is in the line that follows."""
    found = _UID.search(head)
    if found is None:
        found = next((_UID.search(one) for one in answers if isinstance(one, bytes) and _UID.search(one)), None)
    return int(found[1]) if found else None
