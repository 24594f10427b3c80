"""A small IMAP server in a thread, with messages of any bytes, that fails on request. As RFC 3501 has it, no more."""

from __future__ import annotations

import contextlib
import re
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

_COMMAND = re.compile(rb"(?P<tag>\S+) (?P<name>UID FETCH|\S+) ?(?P<rest>.*)\Z", re.DOTALL)
_PIECE = re.compile(rb"(\d+) \(BODY\.PEEK\[\]<(\d+)\.(\d+)>\)\Z")
_RECEIVED = b"30-Nov-2026 10:00:00 +0100"


@dataclass
class Message:
    """A message; ``name`` is what the tests call it."""

    uid: int
    name: str
    content: bytes


@dataclass
class Mailbox:
    """A folder."""

    validity: int
    messages: list[Message] = field(default_factory=list)
    next_uid: int = 1
    refusal: bytes = b""
    flags: bytes = b""


@dataclass
class ImapFault:
    """What is done to the next ``times`` commands that it is meant for, after ``skip`` of them.

    ``answer``: what is sent in place of an answer (``%t`` is the tag), nothing for no answer at all; ``cut_after``: so
    many bytes of the answer. The connection is closed then, unless ``goes_on``. ``silent``: no answer, and no end.
    """

    meant_for: Callable[[bytes], bool]
    times: float = 1
    skip: int = 0
    answer: bytes | None = None
    cut_after: int | None = None
    goes_on: bool = False
    silent: bool = False
    happened: int = 0

    def takes(self, name: bytes) -> bool:
        """Whether a command is failed now."""
        if self.times <= 0 or not self.meant_for(name):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        self.happened += 1
        return True


class ImapServer:
    """Listens on a free port of this machine, as a context manager."""

    def __init__(self, user: str, password: str) -> None:
        self.user, self.password = user, password
        self.mailboxes: dict[bytes, Mailbox] = {b"INBOX": Mailbox(1)}
        self.list_answers: list[bytes] = []
        self.faults: list[ImapFault] = []
        self.commands: list[bytes] = []
        self.lets_in = True
        self.forbidden: set[str] = set()
        self.lock = threading.RLock()
        self._ended = threading.Event()
        self._handlers: set[_Connection] = set()

    def __enter__(self) -> Self:
        handler = type("Handler", (_Connection,), {"server_state": self})
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self.disconnect()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def disconnect(self) -> None:
        """End all connections."""
        with self.lock:
            handlers = list(self._handlers)
        for handler in handlers:
            handler.end()

    def wait_silently(self) -> None:
        """Say nothing until the server ends, or for long enough that whoever waits has given up."""
        self._ended.wait(10)

    def joined(self, handler: _Connection) -> None:
        with self.lock:
            self._handlers.add(handler)

    def left(self, handler: _Connection) -> None:
        with self.lock:
            self._handlers.discard(handler)

    def mailbox(self, name: bytes) -> Mailbox:
        """Return a folder, which is made if it is not there."""
        with self.lock:
            return self.mailboxes.setdefault(name, Mailbox(len(self.mailboxes) + 1))

    def append(self, folder: bytes, name: str, content: bytes) -> Message:
        """Put a message into a folder."""
        with self.lock:
            mailbox = self.mailbox(folder)
            message = Message(mailbox.next_uid, name, content)
            mailbox.next_uid += 1
            mailbox.messages.append(message)
            return message

    def remove(self, name: str) -> Message:
        """Take a message away."""
        with self.lock:
            for mailbox in self.mailboxes.values():
                for message in mailbox.messages:
                    if message.name == name:
                        mailbox.messages.remove(message)
                        return message
        raise KeyError(name)

    def fault_for(self, name: bytes) -> ImapFault | None:
        with self.lock:
            self.commands.append(name)
            return next((fault for fault in self.faults if fault.takes(name)), None)


class _Connection(socketserver.StreamRequestHandler):
    """One connection."""

    server_state: ImapServer

    def setup(self) -> None:
        super().setup()
        self._selected = b""
        self.server_state.joined(self)

    def finish(self) -> None:
        self.server_state.left(self)
        with contextlib.suppress(OSError):
            super().finish()

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self.request.shutdown(2)

    def handle(self) -> None:
        try:
            self.wfile.write(b"* OK ready\r\n")
            while line := self.rfile.readline(1 << 16):
                if not self._answer(line.rstrip(b"\r\n")):
                    return
        except OSError:
            pass

    def _answer(self, line: bytes) -> bool:
        """Answer a command; returns whether the connection goes on."""
        found = _COMMAND.match(line)
        if found is None:
            return False
        tag, name, rest = found["tag"], found["name"].upper(), found["rest"]
        fault = self.server_state.fault_for(name)
        if fault is not None and fault.silent:
            self.server_state.wait_silently()
            return False
        if fault is not None and fault.cut_after is None:
            self.wfile.write((fault.answer or b"").replace(b"%t", tag))
            return fault.goes_on
        with self.server_state.lock:
            answer = self._made(name, rest, tag)
        if answer is None:
            self.wfile.write(b"* BYE\r\n" + tag + b" OK\r\n")
            return False
        if fault is not None:
            self.wfile.write(answer[: fault.cut_after])
            return False
        self.wfile.write(answer)
        return True

    def _made(self, name: bytes, rest: bytes, tag: bytes) -> bytes | None:
        if name == b"LOGOUT":
            return None
        made: dict[bytes, Callable[[bytes], bytes | tuple[bytes, bytes]]] = {
            b"CAPABILITY": lambda _rest: b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n",
            b"NOOP": lambda _rest: b"",
            b"AUTHENTICATE": self._authenticate,
            b"LIST": self._list,
            b"EXAMINE": self._examine,
            b"FETCH": self._fetch,
            b"UID FETCH": self._uid_fetch,
        }
        if name not in made:
            return tag + b" BAD what?\r\n"
        answer = made[name](rest)
        untagged, end = answer if isinstance(answer, tuple) else (answer, b"OK done")
        return untagged + tag + b" " + end + b"\r\n"

    def _authenticate(self, rest: bytes) -> tuple[bytes, bytes]:
        import base64

        self.wfile.write(b"+ \r\n")
        given = base64.b64decode(self.rfile.readline().strip()).split(b"\0")
        expected = [b"", self.server_state.user.encode(), self.server_state.password.encode()]
        if rest.upper() == b"PLAIN" and given == expected and self.server_state.lets_in:
            return b"", b"OK welcome"
        return b"", b"NO [AUTHENTICATIONFAILED] " + b" ".join(given)

    def _list(self, _rest: bytes) -> bytes:
        state = self.server_state
        names = [b"* LIST (" + one.flags + b') "/" "' + name + b'"\r\n' for name, one in state.mailboxes.items()]
        return b"".join([*names, *state.list_answers])

    def _examine(self, rest: bytes) -> tuple[bytes, bytes]:
        self._selected = re.sub(rb"\\(.)", rb"\1", rest.strip()[1:-1])
        mailbox = self.server_state.mailboxes.get(self._selected)
        if mailbox is None:
            return b"", b"NO [NONEXISTENT] no such folder"
        if mailbox.refusal:
            return b"", b"NO " + mailbox.refusal
        lines = b"* FLAGS (\\Seen)\r\n* %d EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY %d] ok\r\n* OK [UIDNEXT %d] ok\r\n"
        return lines % (len(mailbox.messages), mailbox.validity, mailbox.next_uid), b"OK [READ-ONLY] opened"

    def _fetch(self, rest: bytes) -> bytes:
        first, last = (int(number) for number in rest.partition(b" ")[0].split(b":"))
        lines = []
        for number, one in enumerate(self._messages[first - 1 : last], first):
            values = (number, one.uid, len(one.content), _RECEIVED)
            lines.append(b'* %d FETCH (UID %d RFC822.SIZE %d INTERNALDATE "%s")\r\n' % values)
            if number % 7 == 0:  # what nobody has asked for: somebody else has read it
                lines.append(b"* %d FETCH (FLAGS (\\Seen))\r\n" % number)
        return b"".join(lines)

    def _uid_fetch(self, rest: bytes) -> bytes | tuple[bytes, bytes]:
        wanted = _PIECE.match(rest)
        assert wanted is not None, rest
        uid, start, size = (int(number) for number in wanted.groups())
        for number, one in enumerate(self._messages, 1):
            if one.uid == uid:
                if one.name in self.server_state.forbidden:
                    return b"", b"NO [NOPERM] you may not"
                piece = one.content[start : start + size]
                head = b"* %d FETCH (UID %d BODY[]<%d> {%d}\r\n" % (number, uid, start, len(piece))
                return head + piece + b")\r\n"
        return b""

    @property
    def _messages(self) -> list[Message]:
        return self.server_state.mailboxes[self._selected].messages


def any_command(_name: bytes) -> bool:
    return True


def no_sign_in(name: bytes) -> bool:
    """Whether a command is one of what comes after signing in."""
    return name not in {b"CAPABILITY", b"AUTHENTICATE", b"LOGOUT"}


def credentials_of(user: str, password: str) -> Any:
    """Return a registry that has one credential of type basic, whatever it is called."""

    class _Entry:
        name, type, digest, identity = "mail", "basic", "1", user

        def get(self, field_name: str, default: str | None = None) -> str | None:
            return {"username": user, "password": password}.get(field_name, default)

        def require(self, field_name: str) -> str:
            return str(self.get(field_name))

    class _Registry:
        def get(self, _name: str) -> _Entry:
            return _Entry()

    return _Registry()
