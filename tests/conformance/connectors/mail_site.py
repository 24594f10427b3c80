"""A mailbox as the other side of a connector: a small server in this process that takes messages of any bytes."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.connectors.mail import imap_session
from ingest_tui.connectors.mail.connector import MailConnector, WantedMessage
from tests.conformance.connectors.connector_suite import RemoteSite
from tests.conformance.connectors.interruptions import Failure
from tests.servers.imap_server import ImapFault, ImapServer, any_command, credentials_of, no_sign_in

PAGE_SIZE = 10
READ_SECONDS = imap_session.READ_SECONDS
THROTTLED = b"%t NO Request is throttled.%w\r\n"
FAULTS: dict[Failure, dict[str, Any]] = {
    "throttled": {"answer": b"%t NO [LIMIT] later\r\n", "goes_on": True},
    "broken": {"answer": b"%t NO [UNAVAILABLE] a disk is away\r\n", "goes_on": True},
    "timeout": {"silent": True},
    "closed": {},
    "cut": {"cut_after": 30},
    "forbidden": {"answer": b"%t NO [NOPERM] not you\r\n", "goes_on": True},
    "malformed": {"answer": b"<html><body>Welcome</body></html>\r\n"},
    "empty": {"answer": b"%t OK done\r\n", "goes_on": True},
}


class MailSite(RemoteSite):
    """A mailbox in which the folder of a name is a folder, and a message is known by its name."""

    page_size = PAGE_SIZE
    keeps_connections = True
    secret = "canary of the mailbox"

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server = ImapServer("me", self.secret)
        self._monkeypatch = monkeypatch
        self._port = 0
        self._failure = ImapFault(any_command, times=0)

    def connector(self, *, max_size: int | None = None) -> BaseConnector:
        site = self

        class NamedMail(MailConnector):
            """Names messages as the suite does: the server gives them numbers."""

            def _key(self, place: WantedMessage) -> str:
                return site.name_of(place)

        settings = {
            "host": "127.0.0.1",
            "port": self._port or self.server.port,
            "security": "plain",
            "credential": "mail",
        }
        connector = NamedMail(settings, max_size=max_size, credentials=credentials_of("me", self.secret))
        connector.page_size = PAGE_SIZE
        return connector

    def name_of(self, place: WantedMessage) -> str:
        """Return what the suite calls a message."""
        mailbox = self.server.mailboxes[encoded(place.folder)]
        return next(one.name for one in mailbox.messages if one.uid == place.uid)

    def put(self, name: str, content: bytes) -> None:
        folder = name.rpartition("/")[0]
        with contextlib.suppress(KeyError):
            self.server.remove(name)
        self.server.append(encoded(folder) if folder else b"INBOX", name, content)

    replace = put

    def rename(self, name: str, new_name: str) -> None:
        self.put(new_name, self.server.remove(name).content)

    def remove(self, name: str) -> None:
        self.server.remove(name)

    def close_part(self, name: str) -> None:
        self.server.mailbox(encoded(name)).refusal = b"[NOPERM] closed"

    def forbid(self, name: str) -> None:
        self.server.forbidden.add(name)

    def interrupt(self, failure: Failure, *, skip: int, times: int) -> None:
        if failure == "timeout":
            self._monkeypatch.setattr(imap_session, "READ_SECONDS", 0.5)
        self._failure = ImapFault(no_sign_in, times=times, skip=skip, **FAULTS[failure])
        self.server.faults.append(self._failure)

    def recover(self) -> bool:
        self.server.faults.remove(self._failure)
        self._monkeypatch.setattr(imap_session, "READ_SECONDS", READ_SECONDS)
        return self._failure.happened > 0

    def lock_out(self) -> None:
        self.server.lets_in = False
        self.server.disconnect()

    def let_in(self) -> None:
        self.server.lets_in = True

    def throttle_next(self, times: int, *, retry_after: float | None = None) -> None:
        wait = b"" if retry_after is None else b" Suggested Backoff Time: %d milliseconds" % (retry_after * 1000)
        answer = THROTTLED.replace(b"%w", wait)
        self.server.faults.append(ImapFault(no_sign_in, times=times, answer=answer, goes_on=True))

    def cut_next(self, after: int) -> None:
        """Cut the next answer of a listing after so many bytes, or that with a piece of a message once so many came."""
        pieces, rest = divmod(after, 1 << 18)
        self.server.faults.append(ImapFault(lambda name: name == b"FETCH", cut_after=rest))
        self.server.faults.append(ImapFault(lambda name: name == b"UID FETCH", skip=pieces, cut_after=rest))

    def unplug(self) -> None:
        self._port = 9

    def wrong_settings(self) -> list[dict[str, Any]]:
        right = {"host": "imap.example.org", "credential": "mail"}
        return [
            {},
            {"host": "imap.example.org"},
            {"host": "", "credential": "mail"},
            {"host": 3, "credential": "mail"},
            right | {"novelty": 1},
            right | {"host": "imaps://imap.example.org"},
            right | {"host": "imap.example.org\r\nA1 LOGOUT"},
            right | {"security": "plain"},
            right | {"security": "none"},
            right | {"port": 0},
            right | {"user": "me\r\n"},
            right | {"folder": "INBOX"},
        ]


def encoded(folder: str) -> bytes:
    """Return the path of a folder in modified UTF-7."""
    if folder.isascii():
        return folder.replace("&", "&-").encode()
    return b"/".join(_encoded_part(part) for part in folder.split("/"))


def _encoded_part(part: str) -> bytes:
    import base64

    if part.isascii():
        return part.encode()
    return b"&" + base64.b64encode(part.encode("utf-16-be")).rstrip(b"=").replace(b"/", b",") + b"-"
