"""What the conformance suite does not ask of the mail connector: names, sign-in, and servers that lie."""

from __future__ import annotations

import resource
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.connectors.mail.connector import MailConnector
from ingest_tui.connectors.mail.folders import UnreadableListError, decode_name, folders_of, key_of_name, quoted
from ingest_tui.connectors.mail.imap_errors import ImapAnswerError, network_error, source_error
from ingest_tui.model.errors import (
    AuthenticationError,
    ItemError,
    SourceAccessError,
    TransientItemError,
    TransientSourceError,
    ValidationError,
)
from tests.conformance.connectors.connector_suite import fetched, listed
from tests.servers.imap_server import ImapFault, ImapServer, any_command, credentials_of


@pytest.fixture
def server() -> Iterator[ImapServer]:
    """A server with an empty mailbox."""
    with ImapServer("me", "canary") as one:
        yield one


def connector_to(server: ImapServer, **settings: Any) -> MailConnector:
    """Return a connector to the mailbox."""
    place = {"host": "127.0.0.1", "port": server.port, "security": "plain", "credential": "mail"}
    return MailConnector(place | settings, credentials=credentials_of("me", "canary"))


@pytest.fixture
def connect(server: ImapServer) -> Iterator[Callable[..., MailConnector]]:
    """Make connectors to the mailbox, which are closed in the end."""
    made: list[MailConnector] = []

    def make(**settings: Any) -> MailConnector:
        made.append(connector_to(server, **settings))
        return made[-1]

    yield make
    for connector in made:
        connector.close()


Connect = Callable[..., MailConnector]


@pytest.mark.parametrize(
    ("name", "delimiter", "key"),
    [
        (b"INBOX", b"/", "INBOX"),
        (b"Entw&APw-rfe", b"/", "Entwürfe"),
        (b"A &- B", b"/", "A & B"),
        (b"&2D3eAA-", b"/", "😀"),
        (b"Lists.python-dev", b".", "Lists/python-dev"),
        (b"a/b.c%", b".", "a%2Fb/c%"),
        ("Größe".encode(), b"/", "Größe"),
        (b"&broken", b"/", "&broken"),
        (b"&AAA", b"/", "&AAA"),
        (b"\xff", b"/", "\\xff"),
        (b"&2D0-", b"/", "&2D0-"),
        (b"flat/name", b"", "flat/name"),
    ],
)
def test_names_of_folders_are_read(name: bytes, delimiter: bytes, key: str) -> None:
    """Modified UTF-7 as text, other delimiters as slashes, and what is neither as it is."""
    assert key_of_name(name, delimiter) == key
    assert decode_name(b"") == ""


def test_a_list_of_folders_is_read_however_it_is_written() -> None:
    """Atoms, quoted names and literals; flags; two spellings of a name are two folders, what is listed twice is one."""
    found = folders_of(
        [
            b'(\\HasNoChildren) "/" INBOX',
            b'(\\Noselect) "/" "with \\"quotes\\" and \\\\"',
            (b'(\\Junk) "." {4}', b"a\r\nb"),
            b'() NIL "&AOQ-"',
            b'() NIL "&AOQ-"',
            '() NIL "ä"'.encode(),
            None,
        ]
    )
    by_key = {one.key: one for one in found}
    assert by_key['with "quotes" and \\'].is_selectable is False
    assert by_key["a\r\nb"].holds_aside == "junk mail"
    assert [key for key in by_key if key.startswith("ä")] == ["ä", "ä (Ã¤)"]
    assert quoted(by_key["a\r\nb"].name) is None, "no command can name it"
    assert quoted(by_key['with "quotes" and \\'].name) == b'"with \\"quotes\\" and \\\\"'
    with pytest.raises(UnreadableListError):
        folders_of([b"<html>"])


def test_folders_are_chosen_by_patterns(server: ImapServer, connect: Connect) -> None:
    """What holds junk or copies is left out unless folders are named; a folder that no command can name is a gap."""
    for folder in (b"INBOX", b"Projects/one", b"Projects/two", b"Old/Projects", b"Junk"):
        server.append(folder, folder.decode(), b"x")
    server.mailboxes[b"Junk"].flags = b"\\Junk"
    for settings, taken in (
        ({}, {"INBOX", "Projects/one", "Projects/two", "Old/Projects"}),
        ({"folder": ["/Projects/**"]}, {"Projects/one", "Projects/two"}),
        ({"folder": ["Junk", "INBOX"]}, {"INBOX", "Junk"}),
        ({"exclude": ["Projects"]}, {"INBOX"}),
    ):
        found, end, _ = listed(connect(**settings))
        assert {key.rpartition("/")[0] for key in found} == taken
        assert end.complete
    server.list_answers = [b'* LIST () "/" {3}\r\na\nb\r\n']
    _, end, _ = listed(connect())
    assert (end.complete, [key for key, _ in end.gaps]) == (False, ["a\nb"])


def test_another_uidvalidity_is_another_folder(server: ImapServer, connect: Connect) -> None:
    """What was listed before is not read as what has its number now; the new listing has keys of its own."""
    server.append(b"INBOX", "one", b"content")
    connector = connect()
    ((key, descriptor),) = listed(connector)[0].items()
    assert connector.key_of(descriptor.uri) == key
    assert connector.key_of("imap://elsewhere/INBOX") is None
    server.mailboxes[b"INBOX"].validity = 7
    connector.close()
    with pytest.raises(Exception, match="made again"):
        fetched(connector, descriptor)
    (again,) = listed(connector)[0]
    assert again != key


def test_a_server_that_leaves_messages_out_proves_nothing(server: ImapServer, connect: Connect) -> None:
    """Fewer messages than it said, or none of a range: the listing fails, and may be had later."""
    for number in range(3):
        server.append(b"INBOX", str(number), b"x")
    half = b'* 1 FETCH (UID 1 RFC822.SIZE 1 INTERNALDATE "x")\r\n%t OK done\r\n'
    for answer in (half, b"%t OK done\r\n", half.replace(b"%t", b"* 2 FETCH (UID 1 RFC822.SIZE 1)\r\n%t")):
        server.faults = [ImapFault(lambda name: name == b"FETCH", answer=answer, goes_on=True)]
        with pytest.raises(TransientSourceError):
            listed(connect())
    server.faults = [ImapFault(lambda name: name == b"LIST", answer=b"%t OK done\r\n", goes_on=True)]
    with pytest.raises(SourceAccessError, match="not IMAP"):
        listed(connect())


def test_a_message_that_is_moved_while_folders_are_listed_is_in_one_of_them(
    server: ImapServer, connect: Connect
) -> None:
    """From a folder that comes later to one that was listed, with others that arrive: it is never taken for gone."""
    for number in range(5):
        server.append(b"INBOX", f"early {number}", b"x")
    server.append(b"Later", "stays", b"x")
    server.append(b"Later", "moved", b"moved content")
    connector = connect()
    connector.page_size = 2
    pages = connector.list()
    keys = {descriptor.key for _ in range(3) for descriptor in next(pages).descriptors}
    assert {key.partition("/")[0] for key in keys} == {"INBOX"}
    server.remove("moved")
    for name in ("arrived", "moved", "arrived too"):
        server.append(b"INBOX", name, b"moved content")
    rest = [descriptor.key for page in pages for descriptor in page.descriptors]
    assert sorted(rest) == ["INBOX/1-6.eml", "INBOX/1-7.eml", "INBOX/1-8.eml", "Later/2-1.eml"]


@pytest.mark.parametrize("answer", [b"* 1 FETCH (UID 1 BODY[]<0> {99999999999}\r\n", b"* X" + b"y" * 2_000_000])
def test_a_huge_answer_is_refused(server: ImapServer, connect: Connect, answer: bytes) -> None:
    """What a server announces is not what memory is taken for."""
    server.append(b"INBOX", "one", b"x")
    connector = connect()
    (descriptor,) = listed(connector)[0].values()
    server.faults = [ImapFault(lambda name: name == b"UID FETCH", answer=answer)]
    tracemalloc.start()
    with pytest.raises(Exception, match="cut") as caught:
        fetched(connector, descriptor)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.retryable  # type: ignore[attr-defined]
    assert peak < 20_000_000


def body_answer(body: bytes, start: int = 0) -> bytes:
    """Return an answer with the body of a message, written in any way."""
    return b"* 1 FETCH (UID 1 BODY[]<%d> %s)\r\n%%t OK done\r\n" % (start, body)


@pytest.mark.parametrize(
    "answer",
    [
        body_answer(b'"Subject: \\"UID 9\\" BODY[]<0> NIL \\\\ {3}"'),
        b'* 1 FETCH (body[]<0> "Subject: \\"UID 9\\" BODY[]<0> NIL \\\\ {3}" UID 1)\r\n%t OK done\r\n',
    ],
)
def test_a_body_may_be_a_quoted_string(server: ImapServer, connect: Connect, answer: bytes) -> None:
    """As RFC 3501 lets servers write short ones, with escapes; what is in it is no part of the answer."""
    content = b'Subject: "UID 9" BODY[]<0> NIL \\ {3}'
    server.append(b"INBOX", "one", content)
    connector = connect()
    (descriptor,) = listed(connector)[0].values()
    server.faults = [ImapFault(lambda name: name == b"UID FETCH", answer=answer, goes_on=True)]
    assert fetched(connector, descriptor) == content
    assert server.faults[0].happened == 1


@pytest.mark.parametrize("body", [b"NIL", b'""', b"{0}\r\n"])
def test_nothing_is_no_message(server: ImapServer, connect: Connect, body: bytes) -> None:
    """Where the listing says that there is something: the whole or the rest is asked again, or the message changed."""
    server.append(b"INBOX", "one", b"content")
    server.append(b"INBOX", "empty", b"")
    connector = connect()
    one, empty = listed(connector)[0].values()
    server.faults = [ImapFault(lambda name: name == b"UID FETCH", answer=body_answer(body), goes_on=True)]
    with pytest.raises(TransientItemError, match="sends nothing of it"):
        fetched(connector, one)
    assert fetched(connector, one) == b"content"
    of_empty = body_answer(body).replace(b"UID 1", b"UID 2")
    server.faults = [ImapFault(lambda name: name == b"UID FETCH", answer=of_empty, goes_on=True)]
    assert fetched(connector, empty) == b""
    assert server.faults[0].happened == 1


@pytest.mark.parametrize("body", [b"NIL", b'""', b"{0}\r\n"])
def test_an_early_end_is_no_end(
    server: ImapServer, connect: Connect, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    """A short piece has its rest; nothing, though more is listed, is the end only where what is before it is there."""
    monkeypatch.setattr("ingest_tui.connectors.mail.connector.PIECE", 4)
    message = server.append(b"INBOX", "one", b"content, and more")
    connector = connect()
    (descriptor,) = listed(connector)[0].values()
    server.faults = [ImapFault(lambda name: name == b"UID FETCH", answer=body_answer(b'"co"'), goes_on=True)]
    assert fetched(connector, descriptor) == b"content, and more"
    assert server.faults[0].happened == 1
    rest = (body_answer(body, 4), body_answer(body, 3))
    server.faults = [ImapFault(lambda name: name == b"UID FETCH", skip=1, answer=rest[0], goes_on=True)]
    server.faults += [ImapFault(lambda name: name == b"UID FETCH", skip=1, answer=rest[1], goes_on=True)]
    with pytest.raises(ItemError) as caught:
        fetched(connector, descriptor)
    assert caught.value.reason == "changed_while_read"
    assert [fault.happened for fault in server.faults] == [1, 1]
    message.content = b"content"
    assert fetched(connector, descriptor) == b"content", "the listed size was a guess"


@pytest.mark.slow
def test_many_messages_are_listed_in_flat_memory(server: ImapServer, connect: Connect) -> None:
    """50,000 messages in pages of a thousand, of which one is held at a time."""
    for number in range(50_000):
        server.append(b"INBOX", "", b"%d" % number)
    pages = connect().list()
    next(pages)
    before, number, most = resident_bytes(), 1000, 0
    for page in pages:
        number += len(page.descriptors)
        most = max(most, resident_bytes())
    assert number == 50_000
    assert most - before < 30_000_000, "all of them are more than 60 MB"


def resident_bytes() -> int:
    """Return how much memory this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_a_token_says_whose_mailbox_it_is_for(server: ImapServer) -> None:
    """A token needs a user, and a credential of another type is refused before anything is asked."""
    credentials = credentials_of("me", "canary")
    entry = type(credentials.get("mail"))
    settings = {"host": "127.0.0.1", "port": server.port, "security": "plain", "credential": "mail"}
    for kind, words in (("token", "user: a token"), ("aws", "needs basic, token or oauth")):
        entry.type = kind
        with pytest.raises(ValidationError, match=words):
            MailConnector(settings, credentials=credentials).validate_config()
    with pytest.raises(AuthenticationError, match="no credential"):
        MailConnector(settings).validate_config()


def test_answers_mean_what_they_say() -> None:
    """Codes tell what may pass; Exchange says when to come back; the words of the server are nowhere."""
    throttled = source_error(ImapAnswerError(b"Request is throttled. Suggested Backoff Time: 92415 milliseconds"), "h")
    assert isinstance(throttled, TransientSourceError)
    assert (throttled.reason, throttled.retry_after) == ("throttled", 92.415)
    assert isinstance(source_error(ImapAnswerError(b"[UNAVAILABLE] secret words"), "h"), TransientSourceError)
    assert isinstance(source_error(ImapAnswerError(b"[AUTHENTICATIONFAILED] secret words"), "h"), AuthenticationError)
    refused = source_error(ImapAnswerError(b"[CANNOT] secret words"), "h")
    assert not refused.retryable
    assert "secret" not in refused.message
    assert "CANNOT" in refused.message
    assert network_error(TimeoutError(), "h").message == "h cannot be reached (no answer in time)"


def test_nothing_but_reading_is_asked(server: ImapServer, connect: Connect) -> None:
    """No command of a listing and a fetch could change the mailbox or mark a message as read."""
    server.append(b"INBOX", "one", b"content")
    connector = connect()
    for descriptor in listed(connector)[0].values():
        assert fetched(connector, descriptor) == b"content"
    assert set(server.commands) == {b"CAPABILITY", b"AUTHENTICATE", b"LIST", b"EXAMINE", b"FETCH", b"UID FETCH"}
    server.faults = [ImapFault(any_command, times=1)]
    connector.close()
