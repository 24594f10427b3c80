"""Mailboxes of an IMAP server: each message is an item, each folder a folder."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.utils import mktime_tz, parsedate_tz
from typing import Any, ClassVar, NamedTuple
from urllib.parse import quote, unquote

import humanize
from pydantic import BaseModel

from ingest_tui.connectors.base import BaseConnector, Capabilities, Credential, Credentials, Listing, Place
from ingest_tui.connectors.filtering import build_filter
from ingest_tui.connectors.mail.config import MailConfig
from ingest_tui.connectors.mail.folders import MailFolder
from ingest_tui.connectors.mail.imap_errors import ImapAnswerError, item_error, refused_item
from ingest_tui.connectors.mail.imap_session import ImapSession, ListedMessage, MailLogin, OpenedFolder
from ingest_tui.model.argument_types import checks_types
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.errors import (
    AuthenticationError,
    IngestError,
    ItemError,
    TransientItemError,
    TransientSourceError,
    ValidationError,
)
from ingest_tui.model.hashing import short_digest
from ingest_tui.model.safe_text import safe_display

CONCURRENCY = 3
"""Connections of one account that fetch: mail servers allow some ten, and the person's own programs need theirs."""
PIECE = 1 << 18
_MESSAGE = re.compile(r"(?P<folder>.+);UIDVALIDITY=(?P<validity>\d+)/;UID=(?P<uid>\d+)\Z")
_CREDENTIAL_TYPES = ("basic", "token", "oauth")


class WantedMessage(NamedTuple):
    """What an address (RFC 5092) names: the message of that UID, as long as the folder is the same."""

    folder: str
    uid_validity: int
    uid: int


class MailConnector(BaseConnector):
    """Mailboxes of an IMAP server.

    A message never changes, so its fingerprint is where it is: folder, UIDVALIDITY and UID. One that is moved, or whose
    folder got another UIDVALIDITY, is read again and known by its content. Flags are ignored, and nothing is changed.
    """

    source_type: ClassVar[str] = "mail"
    config_model: ClassVar[type[BaseModel]] = MailConfig
    capabilities: ClassVar[Capabilities] = Capabilities(fetch_concurrency=CONCURRENCY, ranged_fetch=True, remote=True)
    config: MailConfig
    page_size = 1000

    def __init__(
        self, config: dict[str, Any], *, max_size: int | None = None, credentials: Credentials | None = None
    ) -> None:
        super().__init__(config, max_size=max_size, credentials=credentials)
        self._where = f"{self.config.host}:{self.config.port_number}"
        host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
        user = f"{quote(self.config.user, safe='')}@" if self.config.user else ""
        self._uri_start = f"imap://{user}{host}:{self.config.port_number}/"
        self._filter = build_filter(self.config.folder, self.config.exclude)
        self._lock = threading.Lock()
        self._idle: list[ImapSession] = []
        self._folders: dict[str, MailFolder] = {}

    # Access

    def validate_config(self) -> None:
        """The credential must be there and of a type that can sign in."""
        entry = self._entry()
        if entry.type not in _CREDENTIAL_TYPES:
            raise ValidationError(
                f"credential {entry.name!r} is of type {entry.type!r}; a mail source needs basic, token or oauth",
                hint="'ingest-tui credential add NAME --type basic' adds one",
                setting="credential",
            )
        if entry.type != "basic" and not self.config.user:
            raise ValidationError(
                "user: a token does not say whose mailbox it is for", hint="e.g. me@example.org", setting="user"
            )

    def _entry(self) -> Credential:
        if self.credentials is None:
            raise AuthenticationError("there is no credential to sign in with", hint="see 'ingest-tui credential list'")
        return self.credentials.get(self.config.credential)

    def check_credential(self) -> str | None:
        """Return who signs in."""
        who = self._sign_in()
        return f"{'token' if who.is_token else 'password'} of {safe_display(who.user)}"

    def _sign_in(self) -> MailLogin:
        """Return who signs in, with the secret as it is now."""
        entry = self._entry()
        if entry.type == "basic":
            return MailLogin(self.config.user or entry.require("username"), entry.require("password"), is_token=False)
        if entry.type == "token":
            return MailLogin(self.config.user, entry.require("token"), is_token=True)
        from ingest_tui.credentials.providers.oauth import fetch_token

        return MailLogin(self.config.user, fetch_token(entry).value, is_token=True)

    async def authenticate(self) -> bool:
        """Sign in."""
        with self._session() as session:
            session.check()
        return True

    def reauthenticate(self) -> bool:
        """Close what is signed in; the credential is read again by the next connection."""
        self.close()
        return True

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for session in idle:
            session.close()

    @contextmanager
    def _session(self) -> Iterator[ImapSession]:
        """Give a connection, which is kept for the next call unless something fails on it."""
        session = self._kept_session() or ImapSession(self.config, self._sign_in())
        try:
            yield session
        except BaseException:
            session.close()
            raise
        with self._lock:
            self._idle.append(session)

    def _kept_session(self) -> ImapSession | None:
        while True:
            with self._lock:
                session = self._idle.pop() if self._idle else None
            if session is None or session.is_usable:
                return session
            session.close()

    # Listing

    def list(self, cursor: str | None = None) -> Listing:  # noqa: ARG002 - a folder is listed from its start
        """List folder by folder. One that is refused is a gap; each other is listed as it was when it was opened.

        Then what has arrived since in those that were listed first: else a message that is moved there meanwhile, from
        one that is listed last, would be in neither.
        """
        gaps: list[tuple[str, str]] = []
        seen: list[tuple[MailFolder, OpenedFolder, int]] = []
        with self._session() as session:
            for folder in self._read_folders(session):
                if not self._takes(folder):
                    continue
                try:
                    opened = session.open(folder, again=True)
                except ImapAnswerError as failure:
                    gaps.append((folder.key, f"the folder cannot be opened: {failure.in_words}"))
                    continue
                last_uid = 0
                for messages in self._pages(session, opened):
                    last_uid = max(last_uid, messages[-1].uid)
                    yield ListingPage([self._describe(folder, opened, message) for message in messages])
                seen.append((folder, opened, last_uid))
            for folder, before, last_uid in seen[:-1]:
                try:
                    opened = session.open(folder, again=True)
                except ImapAnswerError as failure:
                    gaps.append((folder.key, f"the folder cannot be opened again: {failure.in_words}"))
                    continue
                if opened.uid_validity != before.uid_validity:
                    raise TransientSourceError("a folder was made again while it was listed")
                if opened.next_uid is None or opened.next_uid != before.next_uid:
                    for messages in self._arrived_after(last_uid, session, opened):
                        yield ListingPage([self._describe(folder, opened, message) for message in messages])
        return ListingEnd(complete=not gaps, gaps=tuple(gaps))

    def _arrived_after(self, uid: int, session: ImapSession, opened: OpenedFolder) -> Iterator[Sequence[ListedMessage]]:
        """Yield the messages of a folder whose UIDs are larger, those at its end first."""
        last = opened.number
        while last > 0:
            first = max(1, last - self.page_size + 1)
            messages = session.messages(first, last)
            arrived = [message for message in messages if message.uid > uid]
            if arrived:
                yield arrived
            if len(arrived) < len(messages):
                return
            last = first - 1

    def _read_folders(self, session: ImapSession) -> Iterator[MailFolder]:
        self._folders = {folder.key: folder for folder in session.folders()}
        return iter(self._folders.values())

    def _takes(self, folder: MailFolder) -> bool:
        if not folder.is_selectable or (folder.holds_aside and not self.config.folder):
            return False
        return self._filter.takes(folder.key.encode("utf-8", "surrogateescape"))

    def _describe(self, folder: MailFolder, opened: OpenedFolder, message: ListedMessage) -> Descriptor:
        place = WantedMessage(folder.key, opened.uid_validity, message.uid)
        received_ns = _nanoseconds(message.received)
        return Descriptor(
            self._key(place),
            f"{self._uri_start}{quote(folder.key)};UIDVALIDITY={opened.uid_validity}/;UID={message.uid}",
            f"{short_digest(folder.key, length=16)}-{opened.uid_validity}-{message.uid}",
            message.size,
            received_ns,
            refusal=self._refusal(message.size),
            metadata={"folder": folder.key, "received": message.received},
        )

    def _key(self, place: WantedMessage) -> str:
        return f"{place.folder}/{place.uid_validity}-{place.uid}.eml"

    def _refusal(self, size: int) -> tuple[str, str] | None:
        if self.max_size is None or size <= self.max_size:
            return None
        return "too_large", f"{humanize.naturalsize(size)}; {self._limit()}"

    def _limit(self) -> str:
        return f"the limit of this source is {humanize.naturalsize(self.max_size or 0)}"

    def browse(self, path: str = "") -> Iterator[Place]:
        """Yield the folders directly in one, by name; then its messages, newest last."""
        with self._session() as session:
            yield from self._folders_in(session, path)
            folder = self._folders.get(path)
            if folder is None or not folder.is_selectable:
                return
            try:
                opened = session.open(folder, again=True)
            except ImapAnswerError as failure:
                raise ItemError(f"the folder cannot be opened: {failure.in_words}", code="forbidden") from None
            for messages in self._pages(session, opened):
                for message in messages:
                    one = self._describe(folder, opened, message)
                    yield Place(one.key.rpartition("/")[2], one.key, "item", one.size, one.modified_ns)

    def _folders_in(self, session: ImapSession, path: str) -> Iterator[Place]:
        within = f"{path}/" if path else ""
        keys = [folder.key for folder in self._read_folders(session)]
        below = (key.removeprefix(within) for key in keys if key.startswith(within))
        for name in sorted({rest.partition("/")[0] for rest in below}):
            yield Place(name, within + name, "folder")

    def _pages(self, session: ImapSession, opened: OpenedFolder) -> Iterator[Sequence[ListedMessage]]:
        for first in range(1, opened.number + 1, self.page_size):
            yield session.messages(first, min(first + self.page_size - 1, opened.number))

    @classmethod
    def browse_for_settings(cls, config: dict[str, Any], path: str, credentials: Credentials | None) -> Iterator[Place]:
        """Yield the folders of the mailbox."""
        wanted = {name: value for name, value in config.items() if name not in {"folder", "exclude"}}
        connector = cls(wanted, credentials=credentials)
        try:
            with connector._session() as session:
                yield from connector._folders_in(session, path)
        finally:
            connector.close()

    @classmethod
    def settings_of_place(cls, config: dict[str, Any], path: str) -> dict[str, Any]:  # noqa: ARG003 - it is absolute
        """Return the folder; a slash before it has it mean that one alone, not one of its name elsewhere."""
        return {"folder": [f"/{path}"]}

    # Reading

    @checks_types
    @contextmanager
    def fetch(self, descriptor: Descriptor, offset: int = 0) -> Iterator[Iterator[bytes]]:
        """Read a message piece by piece, without marking it as read."""
        wanted = self._wanted(descriptor.uri)
        if wanted is None:
            raise ItemError("it is no message of this source", code="not_found", uri=descriptor.uri)
        try:
            with self._session() as session:
                self._open(session, wanted, descriptor.uri)
                yield self._pieces(session, wanted, descriptor, offset)
        except IngestError as error:
            raise item_error(error, descriptor.uri) from None

    def _open(self, session: ImapSession, wanted: WantedMessage, uri: str) -> None:
        folder = self._folders.get(wanted.folder)
        if folder is None:
            folder = next((one for one in self._read_folders(session) if one.key == wanted.folder), None)
        if folder is None:
            raise ItemError("its folder is gone since it was listed", code="not_found", uri=uri)
        try:
            opened = session.open(folder)
        except ImapAnswerError as failure:
            raise refused_item(failure, uri, self._where) from None
        if opened.uid_validity != wanted.uid_validity:
            raise ItemError("its folder was made again since it was listed", code="changed_while_read", uri=uri)

    def _pieces(
        self, session: ImapSession, wanted: WantedMessage, descriptor: Descriptor, offset: int
    ) -> Iterator[bytes]:
        """Yield a message up to its end: a short piece is none while the listed size says that more is to come."""
        start, uri, listed = offset, descriptor.uri, descriptor.size or 0
        is_whole = False
        while not is_whole:
            piece = self._piece(session, wanted, uri, start, PIECE)
            if piece is None:
                raise _gone(uri, is_begun=start > 0)
            start += len(piece)
            is_whole = not piece or (len(piece) < PIECE and start >= listed)
            if self.max_size is not None and start > self.max_size:  # the size that a server lists may be a guess
                raise ItemError(f"it is larger than listed; {self._limit()}", code="too_large", uri=uri)
            if piece:
                yield piece
        if start < listed:
            self._refuse_cut(session, wanted, uri, start)

    def _piece(self, session: ImapSession, wanted: WantedMessage, uri: str, start: int, size: int) -> bytes | None:
        try:
            return session.piece(wanted.uid, start, size)
        except ImapAnswerError as failure:
            raise refused_item(failure, uri, self._where) from None
        except TransientSourceError as error:
            raise item_error(error, uri) from None

    def _refuse_cut(self, session: ImapSession, wanted: WantedMessage, uri: str, end: int) -> None:
        """Raise unless a message really ends before its listed size, which may be a guess: its last byte is there.

        Of a message that another connection has removed a server may send nothing from then on (RFC 2180, 4.1).
        """
        if end == 0:
            raise TransientItemError("the server sends nothing of it, though it lists its size", uri=uri)
        if not self._piece(session, wanted, uri, end - 1, 1):
            raise _gone(uri, is_begun=True)

    # Asking

    def _wanted(self, uri: str) -> WantedMessage | None:
        found = _MESSAGE.match(uri.removeprefix(self._uri_start)) if uri.startswith(self._uri_start) else None
        if found is None:
            return None
        return WantedMessage(unquote(found["folder"]), int(found["validity"]), int(found["uid"]))

    def key_of(self, address: str) -> str | None:
        """Return the key of the address of a message; None for other places."""
        wanted = self._wanted(address)
        return self._key(wanted) if wanted is not None else None

    def explain_left_out(self, key: str) -> str | None:
        """Return why a message would not be listed, or None when it would: its folder is not taken."""
        path = key.rstrip("/") if key.endswith("/") else key.rpartition("/")[0]
        folder = self._folders.get(path)
        if folder is not None and folder.holds_aside and not self.config.folder:
            return f"its folder has {folder.holds_aside} (--folder takes it)"
        if not self._filter.takes(path.encode("utf-8", "surrogateescape")):
            return "its folder does not match --folder and --exclude"
        return None


def _gone(uri: str, *, is_begun: bool) -> ItemError:
    if is_begun:
        return ItemError("it was removed while it was read", code="changed_while_read", uri=uri)
    return ItemError("it is gone since it was listed", code="not_found", uri=uri)


def _nanoseconds(received: str) -> int | None:
    parsed = parsedate_tz(received)
    try:
        return int(mktime_tz(parsed)) * 1_000_000_000 if parsed else None
    except (ValueError, OverflowError):
        return None
