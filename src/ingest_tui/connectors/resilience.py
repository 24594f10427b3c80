"""Retries, Retry-After, and limits: stacked around any connector, in this one place.

What may succeed later (`TransientSourceError`, `TransientItemError`) is tried again after a wait that grows and has
jitter, or after what the source asked for when that is longer. A refused credential is read anew once, which is how a
rotated one takes effect in a running job. Everything else is passed on at once. Sources with the same account share
its limit of calls at a time, and its hold-off: when one is told to wait, all wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import apsw
import tenacity

from ingest_tui.connectors.base import BaseConnector, Listing, Place, Sample, TestStep
from ingest_tui.connectors.containment import DescriptorChecks, is_text_by_name, item_failure, source_failure
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.document import IngestedDocument
from ingest_tui.model.errors import (
    AuthenticationError,
    IngestError,
    ItemError,
    SourceAccessError,
    TransientItemError,
    TransientSourceError,
)
from ingest_tui.model.sighting import Sighting

CALLS_AT_ONCE = 32
_ATTEMPTS_AT_LOCKED = 2
LONGEST_RETRY_AFTER = 3600.0
_Result = TypeVar("_Result")
Sleep = Callable[[float], None]
"""Waits for so many seconds; raises to give up (the job is cancelled)."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long. Seconds. An attempt that got further (a page, some bytes) starts the count anew."""

    attempts: int = 6
    first_wait: float = 0.5
    longest_wait: float = 60.0


POLICY = RetryPolicy()


class Account:
    """Whom a source sees calling: how many calls at once, and until when to hold off."""

    def __init__(self, calls_at_once: int = CALLS_AT_ONCE) -> None:
        self._calls = threading.BoundedSemaphore(calls_at_once)
        self._not_before = 0.0

    def hold_off(self, seconds: float) -> None:
        """Let nobody call for so long."""
        self._not_before = max(self._not_before, time.monotonic() + seconds)

    @contextmanager
    def turn(self, sleep: Sleep) -> Iterator[None]:
        """Wait for the hold-off to pass and for a free call, then hold that."""
        while (remaining := self._not_before - time.monotonic()) > 0:
            sleep(remaining)
        while not self._calls.acquire(timeout=0.25):
            sleep(0.0)
        try:
            yield
        finally:
            self._calls.release()


_accounts: dict[str, Account] = {}
_accounts_lock = threading.Lock()


def account_of(connector: BaseConnector, calls_at_once: int = CALLS_AT_ONCE) -> Account:
    """Return what all connectors of this process with the same account share; the first call sets the limit."""
    with _accounts_lock:
        return _accounts.setdefault(connector.account(), Account(calls_at_once))


def may_block(connector: BaseConnector) -> bool:
    """Whether a `fetch` may keep whoever calls it waiting for ever: over a network, or in the code of others."""
    inner = connector.inner if isinstance(connector, ResilientConnector) else connector
    return connector.capabilities.remote or not type(inner).__module__.startswith("ingest_tui.")


class ResilientConnector(BaseConnector):
    """A connector that tries again. ``sleep`` is how the job waits: it counts the time and gives up when cancelled."""

    def __init__(
        self,
        inner: BaseConnector,
        *,
        sleep: Sleep = time.sleep,
        policy: RetryPolicy | None = None,
        calls_at_once: int = CALLS_AT_ONCE,
    ) -> None:
        # Not of the base class: the settings were checked when the inner one was made.
        self.inner = inner
        self.source_type = inner.source_type  # type: ignore[misc]
        self.config_model = inner.config_model  # type: ignore[misc]
        self.capabilities = inner.capabilities  # type: ignore[misc]
        self.config = inner.config
        self.max_size = inner.max_size
        self.credentials = inner.credentials
        self.memory = inner.memory
        self._sleep = sleep
        self._policy = policy or POLICY
        self._account = account_of(inner, calls_at_once)
        self._renewing = threading.Lock()
        # Ours are held to the contract by mypy and the conformance suite; a check costs a microsecond an item.
        self._is_foreign = not type(inner).__module__.startswith("ingest_tui.")

    async def authenticate(self) -> bool:
        """Authenticate, trying again while the source is not to be had."""
        return await asyncio.to_thread(self._try, self._authenticate)

    def _authenticate(self) -> bool:
        try:
            return asyncio.run(self.inner.authenticate())
        except BaseException as error:  # noqa: BLE001 - the code of others may raise anything
            raise source_failure(error, "signing in") from None

    def list(self, cursor: str | None = None) -> Listing:
        """List; a listing that was cut is resumed behind its last page where the connector can, else it restarts."""
        self.inner.memory = self.memory
        pages = _Pages(self.inner, cursor)
        checks = DescriptorChecks()
        while True:
            page = self._try(pages.following)
            if isinstance(page, ListingEnd):
                return checks.end(page)
            yield checks.page(page) if self._is_foreign else page

    @contextmanager
    def fetch(self, descriptor: Descriptor, offset: int = 0) -> Iterator[Iterator[bytes]]:
        """Fetch; a cut download goes on where it stopped when the connector can range, else the error is passed on."""
        download = _Download(self.inner, descriptor, offset)
        try:
            first = self._try(download.following)
            yield self._rest(download, first)
        finally:
            download.close()

    def _rest(self, download: _Download, piece: bytes | None) -> Iterator[bytes]:
        while piece is not None:
            yield piece
            piece = self._try(download.following)

    # What needs no second try

    def validate_config(self) -> None:
        """Check the settings."""
        self.inner.validate_config()

    def choice(self) -> str:
        """Return what decides which items a listing names."""
        return self.inner.choice()

    def check_credential(self) -> str | None:
        """Return whose credential is used."""
        return self.inner.check_credential()

    def browse(self, path: str = "") -> Iterator[Place]:
        """Walk into a place."""
        return self.inner.browse(path)

    def sample(self) -> Sample:
        """Yield what a listing would, for people who look."""
        return self.inner.sample()

    def load_documents(self) -> AsyncIterator[IngestedDocument]:
        """Yield parsed documents, for scripts."""
        return self.inner.load_documents()

    async def read(self, descriptor: Descriptor) -> bytes:
        """Read one item whole, for scripts."""
        return await self.inner.read(descriptor)

    def origin(self, descriptor: Descriptor) -> dict[str, str]:
        """Return what the record of a version keeps of where it came from; where the connector fails, that it did."""
        try:
            origin = self.inner.origin(descriptor)
            if not is_text_by_name(origin):
                raise TypeError("origin must return texts by name")  # noqa: TRY301
        except BaseException as error:  # noqa: BLE001 - the code of others may raise anything; the document is here
            return {**(descriptor.metadata or {}), "origin_error": item_failure(error, descriptor).message}
        return origin

    def key_of(self, address: str) -> str | None:
        """Return the key that an address means."""
        return self.inner.key_of(address)

    def wait_for_hint(self, timeout: float) -> bool | None:
        """Wait for word from the source."""
        return self.inner.wait_for_hint(timeout)

    def test_steps(self) -> Iterator[TestStep]:
        """Test without retries: people wait for the answer."""
        return self.inner.test_steps()

    def account(self) -> str:
        """Return whom the source sees calling."""
        return self.inner.account()

    def reauthenticate(self) -> bool:
        """Forget what was derived from the credential."""
        return self.inner.reauthenticate()

    def vouches_for(self, stored: str, listed: str, *, read_after_ns: int) -> bool:
        """Whether a fingerprint of an older form is of the listed item."""
        return self.inner.vouches_for(stored, listed, read_after_ns=read_after_ns)

    def local_path(self, descriptor: Descriptor) -> str | None:
        """Return the path of the original where it is a local file."""
        return self.inner.local_path(descriptor)

    def sight(self, key: str) -> Sighting:
        """Return what is at a key now."""
        return self.inner.sight(key)

    def explain_left_out(self, key: str) -> str | None:
        """Return why a listing would not name a key."""
        return self.inner.explain_left_out(key)

    def watch_path(self) -> str | None:
        """Return the folder to watch."""
        return self.inner.watch_path()

    # How often

    def _try(self, call: Callable[[], _Result]) -> _Result:
        try:
            return self._call(call)
        except (AuthenticationError, TransientSourceError, TransientItemError) as error:
            return self._try_again(call, error)

    def _call(self, call: Callable[[], _Result]) -> _Result:
        if not self.capabilities.remote:
            return call()
        with self._account.turn(self._sleep):
            return call()

    def _try_again(self, call: Callable[[], _Result], first_error: IngestError) -> _Result:
        """Go on after a first attempt that failed."""
        pending: IngestError | None = first_error
        renewed = False

        def attempt() -> _Result:
            nonlocal pending, renewed
            error, pending = pending, None
            try:
                if error is not None:
                    raise error
                return self._call(call)
            except AuthenticationError:
                if renewed or not self._renew():
                    raise
                renewed = True
                return self._call(call)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_may_succeed_later),
            stop=self._was_the_last,
            wait=self._wait,
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(attempt)

    def _renew(self) -> bool:
        with self._renewing:
            return self.inner.reauthenticate()

    def _was_the_last(self, state: tenacity.RetryCallState) -> bool:
        # Somebody has it open: that takes minutes, and each wait would hold a place that other items could use.
        most = _ATTEMPTS_AT_LOCKED if _is_locked(state) else self._policy.attempts
        return state.attempt_number >= min(most, self._policy.attempts)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        policy = self._policy
        error = state.outcome.exception() if state.outcome else None
        asked = float(getattr(error, "retry_after", None) or 0.0)
        if asked and not _is_locked(state):
            self._account.hold_off(asked)
            return asked + random.uniform(0.0, policy.first_wait)  # noqa: S311 - so that not all come at once
        backoff = tenacity.wait_random_exponential(multiplier=policy.first_wait, max=policy.longest_wait)
        return policy.first_wait / 2 + backoff(state)


def _is_locked(state: tenacity.RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    return isinstance(error, TransientItemError) and error.reason == "locked"


def _may_succeed_later(error: BaseException) -> bool:
    if not isinstance(error, (TransientSourceError, TransientItemError)):
        return False
    return (error.retry_after or 0.0) <= LONGEST_RETRY_AFTER


class _Pages:
    """A listing that can be taken up again after it broke: a generator that has raised is at its end."""

    def __init__(self, inner: BaseConnector, cursor: str | None) -> None:
        self._inner = inner
        self._cursor = cursor
        self._pages: Listing | None = None
        self._yielded = False

    def following(self) -> ListingPage | ListingEnd:
        if self._pages is None:
            self._pages = self._inner.list(self._cursor)
            if self._yielded and self._cursor is None:
                # Merged with a second listing, the first would keep what has gone in between.
                self._yielded = False
                return ListingPage([], restarts=True)
        try:
            page = next(self._pages)
        except StopIteration as stop:
            return stop.value if isinstance(stop.value, ListingEnd) else ListingEnd(complete=False)
        except (OSError, IngestError, apsw.Error) as error:
            # What the disk of the workspace refuses (a connector may remember its listing) is for the job to answer.
            self._pages = None
            if isinstance(error, IngestError) or not isinstance(error, (ConnectionError, TimeoutError)):
                raise
            raise source_failure(error, "listing") from None
        except BaseException as error:  # noqa: BLE001 - the code of others may raise anything
            self._pages = None
            raise source_failure(error, "listing") from None
        if not isinstance(page, ListingPage):
            raise source_failure(TypeError(f"list must yield ListingPages, not {type(page).__name__}"), "listing")
        self._yielded = True
        if page.restarts:
            self._cursor = None
        if self._inner.capabilities.resumes_listing and page.cursor is not None:
            self._cursor = page.cursor
        return page


class _Download:
    """The bytes of one item, reopened where they were cut when the connector can range."""

    def __init__(self, inner: BaseConnector, descriptor: Descriptor, offset: int) -> None:
        self._inner = inner
        self._descriptor = descriptor
        self._start = offset
        self._received = 0
        self._context: Any = None
        self._pieces: Iterator[bytes] | None = None

    def following(self) -> bytes | None:
        """Return the next piece, or None at the end."""
        try:
            piece = self._next_piece()
        except SourceAccessError as error:
            self._give_up_unless_ranged(error)
            raise
        except BaseException as error:  # noqa: BLE001 - the code of others may raise anything
            failure = item_failure(error, self._descriptor)
            self._give_up_unless_ranged(failure)
            raise failure from None
        if piece is not None:
            self._received += len(piece)
        return piece

    def _next_piece(self) -> bytes | None:
        if self._pieces is None:
            self._context = self._inner.fetch(self._descriptor, self._start + self._received)
            self._pieces = iter(self._context.__enter__())
        piece = next(self._pieces, None)
        if piece is not None and not isinstance(piece, bytes):
            if not isinstance(piece, (bytearray, memoryview)):
                raise TypeError(f"fetch must yield bytes, not {type(piece).__name__}")
            return bytes(piece)
        return piece

    def _give_up_unless_ranged(self, error: IngestError) -> None:
        """Close what was cut; raises `CutShortError` where it cannot be reopened behind what was received."""
        if not isinstance(error, (TransientSourceError, TransientItemError)):
            return
        with contextlib.suppress(Exception):
            self.close()
        if self._received and not self._inner.capabilities.ranged_fetch:
            raise CutShortError(error.message, hint=error.hint, code=error.reason) from None

    def close(self) -> None:
        """Close what is open."""
        context, self._context, self._pieces = self._context, None, None
        if context is None:
            return
        try:
            context.__exit__(None, None, None)
        except SourceAccessError:
            raise
        except BaseException as error:  # noqa: BLE001 - the code of others may raise anything
            raise item_failure(error, self._descriptor) from None


class CutShortError(ItemError):
    """A download broke after its first bytes and cannot go on by range: whoever receives it must begin again."""

    code = "network"
