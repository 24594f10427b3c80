"""Retries, waits and limits around a connector that fails as told."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from ingest_tui.connectors.base import BaseConnector, Capabilities, Listing
from ingest_tui.connectors.delegation import public_names
from ingest_tui.connectors.resilience import CutShortError, ResilientConnector
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.errors import (
    AuthenticationError,
    IngestError,
    ItemError,
    TransientItemError,
    TransientSourceError,
)
from ingest_tui.transport.retrying import Account, RetryPolicy

CONTENT = bytes(range(256)) * 4
PIECE = 100
_numbers = iter(range(10_000))


class NoSettings(BaseModel):
    """Nothing to set."""


class Scripted(BaseConnector):
    """Raises the errors of ``script``, one a call, before it does as it is asked. ``cut_at``: where a body breaks."""

    source_type: ClassVar[str] = "scripted"
    config_model: ClassVar[type[BaseModel]] = NoSettings
    capabilities: ClassVar[Capabilities] = Capabilities(resumes_listing=True, ranged_fetch=True, remote=True)

    def __init__(self, *script: IngestError, cut_at: tuple[int, ...] = (), renewals: int = 0) -> None:
        super().__init__({})
        self.script = list(script)
        self.cut_at = list(cut_at)
        self.renewals = renewals
        self.calls: list[Any] = []
        self.name = f"scripted-{next(_numbers)}"

    def account(self) -> str:
        return self.name

    def reauthenticate(self) -> bool:
        self.renewals -= 1
        return self.renewals >= 0

    def _say(self, call: Any) -> None:
        self.calls.append(call)
        if self.script:
            raise self.script.pop(0)

    async def authenticate(self) -> bool:
        self._say("authenticate")
        return True

    def list(self, cursor: str | None = None) -> Listing:
        for number in range(int(cursor or 0), 3):
            self._say(("list", number))
            yield ListingPage([Descriptor(str(number), f"x://{number}", "f")], str(number + 1))
        return ListingEnd(complete=True)

    @contextmanager
    def fetch(self, descriptor: Descriptor, offset: int = 0) -> Iterator[Iterator[bytes]]:
        self._say(("fetch", offset))
        yield self._pieces(offset)

    def _pieces(self, offset: int) -> Iterator[bytes]:
        stop = self.cut_at.pop(0) if self.cut_at else None
        for start in range(offset, len(CONTENT), PIECE):
            if stop is not None and start >= stop:
                raise TransientItemError("the connection was cut", code="network")
            yield CONTENT[start : start + PIECE]


class Awaiting(Scripted):
    """Awaits something to authenticate, as a connector of others may."""

    async def authenticate(self) -> bool:
        await asyncio.sleep(0)
        return await super().authenticate()


class Unranged(Scripted):
    """Cannot go on in the middle of an item, nor of a listing."""

    capabilities: ClassVar[Capabilities] = Capabilities(remote=True)


def around(inner: BaseConnector, waits: list[float] | None = None, attempts: int = 4) -> ResilientConnector:
    """Return the wrapper with waits that are noted instead of waited."""
    noted: list[float] = [] if waits is None else waits
    return ResilientConnector(inner, sleep=noted.append, policy=RetryPolicy(attempts=attempts, first_wait=0.5))


def keys_of(connector: BaseConnector) -> list[str]:
    """Return the keys of a listing, in order, with repeats."""
    return [descriptor.key for page in connector.list() for descriptor in page.descriptors]


def bytes_of(connector: BaseConnector) -> bytes:
    """Return the bytes of an item."""
    with connector.fetch(Descriptor("a", "x://a", "f")) as pieces:
        return b"".join(pieces)


def busy(retry_after: float | None = None) -> TransientSourceError:
    """Return the error of a source that has too much to do."""
    return TransientSourceError("busy", code="throttled", retry_after=retry_after)


def test_a_listing_goes_on_from_its_last_page() -> None:
    """A page that fails for a while is asked for again, those before it are not, and nothing is missing."""
    inner = Scripted(busy(), busy())
    inner.script = []
    connector = around(inner)
    pages = connector.list()
    next(pages)
    inner.script = [busy(), busy()]
    rest = [descriptor.key for page in pages for descriptor in page.descriptors]
    assert rest == ["1", "2"]
    assert inner.calls == [("list", 0), ("list", 1), ("list", 1), ("list", 1), ("list", 2)]


def test_a_listing_without_cursor_starts_over() -> None:
    """A connector that cannot resume lists from its start again, and what it named before is declared void."""
    inner = Unranged()
    pages = around(inner).list()
    next(pages)
    inner.script = [busy()]
    rest = list(pages)
    assert [page.restarts for page in rest] == [True, False, False, False]
    assert [descriptor.key for page in rest for descriptor in page.descriptors] == ["0", "1", "2"]


def test_a_listing_that_failed_before_its_first_page_has_nothing_to_declare_void() -> None:
    """Nothing was yielded yet, so nothing restarts."""
    inner = Unranged(busy(), busy())
    assert [page.restarts for page in around(inner).list()] == [False, False, False]


def test_a_listing_that_started_over_is_not_resumed_at_its_old_place() -> None:
    """After a connector has started over, a failure leads back to its start, not to the cursor of the first try."""

    class Restarting(Scripted):
        def list(self, cursor: str | None = None) -> Listing:
            if cursor is not None:
                yield ListingPage([], restarts=True)
            yield from super().list()
            return ListingEnd(complete=True)

    inner = Restarting()
    pages = around(inner).list("2")
    assert next(pages).restarts
    inner.script = [busy()]
    rest = list(pages)
    assert [descriptor.key for page in rest for descriptor in page.descriptors] == ["0", "1", "2"]
    assert inner.calls == [("list", 0), ("list", 0), ("list", 1), ("list", 2)]


def test_waits_grow_and_have_an_end() -> None:
    """After the last attempt the error itself comes out; waits are within the exponential bounds."""
    waits: list[float] = []
    inner = Scripted(*[busy() for _ in range(9)])
    with pytest.raises(TransientSourceError):
        keys_of(around(inner, waits))
    assert len(inner.calls) == 4
    assert all(0.25 <= wait <= 0.25 + 0.5 * 2**number for number, wait in enumerate(waits))
    assert len(waits) == 3


def test_waits_have_jitter() -> None:
    """Two connectors do not wait for the same time."""
    first: list[float] = []
    second: list[float] = []
    keys_of(around(Scripted(busy(), busy()), first))
    keys_of(around(Scripted(busy(), busy()), second))
    assert first != second


@pytest.mark.slow
def test_retry_after_is_honoured() -> None:
    """What the source asks for is waited for, and a little more."""
    waits: list[float] = []
    keys_of(around(Scripted(busy(retry_after=17.0)), waits))
    assert 17.0 <= waits[0] <= 17.5


@pytest.mark.parametrize("kind", [Scripted, Awaiting])
def test_who_has_no_event_loop_can_authenticate(kind: type[Scripted]) -> None:
    """What the connector awaits is awaited, and what may pass is tried again, as by `authenticate`."""
    waits: list[float] = []
    inner = kind(busy())
    assert around(inner, waits).authenticate_now() is True
    assert (inner.calls, len(waits)) == (["authenticate", "authenticate"], 1)
    assert asyncio.run(around(kind(busy()), waits).authenticate()) is True


def test_a_locked_item_is_tried_once_more_and_holds_nobody_off() -> None:
    """Who edits a document does so for minutes: one quick try more, then the next sync takes it."""
    inner = Scripted(*[TransientItemError("checked out", retry_after=30.0, code="locked") for _ in range(9)])
    waits: list[float] = []
    with pytest.raises(TransientItemError, match="checked out"):
        bytes_of(ResilientConnector(inner, sleep=waits.append))
    assert len(inner.calls) == 2
    assert sum(waits) < 1.5


def test_an_endless_retry_after_is_an_error() -> None:
    """A source that asks for more than an hour is not waited for."""
    waits: list[float] = []
    with pytest.raises(TransientSourceError):
        keys_of(around(Scripted(busy(retry_after=90_000.0)), waits))
    assert waits == []


@pytest.mark.parametrize("error", [ItemError("gone", code="not_found"), ItemError("no", code="forbidden")])
def test_what_is_permanent_is_not_tried_again(error: ItemError) -> None:
    """An error that time does not heal comes out at once."""
    inner = Scripted(error)
    with pytest.raises(ItemError):
        bytes_of(around(inner))
    assert len(inner.calls) == 1


def test_a_rotated_credential_takes_effect() -> None:
    """After a refusal the credential is read again, once, and the call is made again."""
    inner = Scripted(AuthenticationError("expired"), renewals=1)
    assert keys_of(around(inner)) == ["0", "1", "2"]
    refused = Scripted(AuthenticationError("expired"), AuthenticationError("expired"), renewals=5)
    with pytest.raises(AuthenticationError):
        keys_of(around(refused))
    assert len(refused.calls) == 2


def test_a_cut_download_goes_on_by_range() -> None:
    """Bytes come whole and once although the connection was cut twice."""
    inner = Scripted(cut_at=(300, 700))
    assert bytes_of(around(inner)) == CONTENT
    assert inner.calls == [("fetch", 0), ("fetch", 300), ("fetch", 700)]


def test_progress_starts_the_count_of_attempts_again() -> None:
    """A long download over a bad line ends, as long as each attempt gets further."""
    inner = Scripted(cut_at=tuple(range(100, 1000, 100)))
    assert bytes_of(around(inner, attempts=2)) == CONTENT


def test_a_cut_download_without_ranges_is_begun_again_by_its_receiver() -> None:
    """The receiver is told that what it has is worthless."""
    with pytest.raises(CutShortError, match="cut"):
        bytes_of(around(Unranged(cut_at=(300,))))


def test_one_told_to_wait_all_wait() -> None:
    """A hold-off holds for every source of the account."""
    account = Account()
    account.hold_off(30.0)
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        account._not_before = 0.0

    with account.turn(sleep):
        pass
    assert waits[0] > 29


def test_sources_with_the_same_account_wait_together() -> None:
    """What tells one source to wait holds the other one of its account off, and no third one."""
    first = Scripted(TransientSourceError("slow down", retry_after=0.3, code="throttled"))
    second, third = Scripted(), Scripted()
    second.name = first.name
    told = threading.Event()

    def sleep_of_first(seconds: float) -> None:
        told.set()
        time.sleep(seconds)

    waits: dict[str, list[float]] = {"second": [], "third": []}

    def sleep_of(who: str) -> Any:
        def sleep(seconds: float) -> None:
            waits[who].append(seconds)
            time.sleep(seconds)

        return sleep

    waiting = ResilientConnector(first, sleep=sleep_of_first)
    thread = threading.Thread(target=lambda: list(waiting.list()))
    thread.start()
    assert told.wait(5)
    list(ResilientConnector(third, sleep=sleep_of("third")).list())
    list(ResilientConnector(second, sleep=sleep_of("second")).list())
    thread.join()
    assert waits["third"] == []
    assert 0.0 < sum(waits["second"]) <= 0.3


def test_calls_at_once_are_limited_for_an_account() -> None:
    """Never more calls at a time than the account may have, over several connectors."""
    account = Account(calls_at_once=2)
    most: list[int] = []
    at_once = 0
    lock = threading.Lock()

    def call() -> None:
        nonlocal at_once
        with account.turn(time.sleep):
            with lock:
                at_once += 1
                most.append(at_once)
            time.sleep(0.01)  # long enough that calls which are let in at once overlap
            with lock:
                at_once -= 1

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 2


def test_giving_up_ends_a_wait() -> None:
    """What the wait raises comes out: a job that is cancelled does not wait for its source."""

    class GivenUpError(Exception):
        pass

    def give_up(_seconds: float) -> None:
        raise GivenUpError

    with pytest.raises(GivenUpError):
        keys_of(ResilientConnector(Scripted(busy()), sleep=give_up))


@pytest.mark.parametrize(
    ("answers", "gone"), [([True], True), ([False], False), ([None], False), ([busy(), True], True)]
)
def test_only_true_is_the_word_that_an_item_is_gone(answers: list[object], gone: bool) -> None:
    """It is asked for again while the source is busy; an answer that is none says nothing."""

    class Asked(Scripted):
        def is_gone(self, key: str) -> bool:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer  # type: ignore[return-value] # what a plug-in returns may be anything

    connector = ResilientConnector(Asked(), sleep=lambda _seconds: None)
    assert connector.is_gone("a") is gone
    assert answers == []


DONE_BY_THE_WRAPPER = {"authenticate", "fetch", "is_gone", "list", "origin"}
METHODS = sorted(
    name
    for name, member in vars(BaseConnector).items()
    if not name.startswith("_") and (callable(member) or isinstance(member, classmethod))
)


def test_public_names_are_all_that_a_connector_shows() -> None:
    """What a connector has, by its class or by being made, is among the names that a wrapper passes on."""
    shown = {name for name in dir(Scripted()) if not name.startswith("_")}
    assert shown - {"script", "cut_at", "renewals", "calls", "name"} == public_names()
    assert {"browse_for_settings", "settings_of_place", "vouches_for", "config", "memory"} <= public_names()


@pytest.mark.parametrize("name", sorted(set(METHODS) - DONE_BY_THE_WRAPPER))
def test_every_method_is_that_of_the_connector_within(name: str) -> None:
    """Each method of the contract, class methods too, is called there as asked, and its answer comes back."""
    answer = object()
    is_of_class = isinstance(vars(BaseConnector)[name], classmethod)

    def answering(owner: object, /, *given: object, **named: object) -> object:
        asked.append((owner, given, named))
        return answer

    asked: list[object] = []
    answers = type("Answers", (Scripted,), {name: classmethod(answering) if is_of_class else answering})
    inner = answers()
    connector = ResilientConnector(inner)
    asked.clear()  # the account is asked for when the wrapper is made
    assert getattr(connector, name)("first", second=2) is answer
    assert asked == [(answers if is_of_class else inner, ("first",), {"second": 2})]


@pytest.mark.parametrize("name", sorted(public_names() - set(METHODS)))
def test_every_value_is_that_of_the_connector_within(name: str) -> None:
    """What is declared or was given when the connector was made is read there, also when it changes later."""
    inner = Scripted()
    connector = ResilientConnector(inner)
    assert getattr(connector, name) is getattr(inner, name)
    value = object()
    setattr(connector, name, value)
    assert getattr(inner, name) is getattr(connector, name) is value
