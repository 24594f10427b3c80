"""Retries and limits around any connector, and downloads and listings that go on where they were cut.

How often and how long is decided in `transport.retrying`. Sources with the same account share its limit of calls at a
time, and its hold-off: when one has to wait, all wait.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import apsw

from ingest_tui.connectors.base import BaseConnector, Listing
from ingest_tui.connectors.containment import DescriptorChecks, is_text_by_name, item_failure, source_failure
from ingest_tui.connectors.delegation import delegating
from ingest_tui.connectors.registry import is_built_in
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.errors import (
    IngestError,
    ItemError,
    SourceAccessError,
    TransientItemError,
    TransientSourceError,
)
from ingest_tui.transport.retrying import CALLS_AT_ONCE, POLICY, Retrier, RetryPolicy, Sleep, account_named


def may_block(connector: BaseConnector) -> bool:
    """Whether a call may keep whoever makes it waiting for ever: over a network, or in the code of others."""
    inner = connector.inner if isinstance(connector, ResilientConnector) else connector
    return connector.capabilities.remote or not is_built_in(type(inner))


@delegating
class ResilientConnector(BaseConnector):
    """A connector that tries again. ``sleep`` is how the job waits: it counts the time and gives up when cancelled.

    What is here is done differently; everything else is that of ``inner``.
    """

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
        self._try = Retrier(
            account_named(inner.account(), calls_at_once) if inner.capabilities.remote else None,
            sleep=sleep,
            policy=policy or POLICY,
            renew=inner.reauthenticate,
        ).call
        self._is_built_in = is_built_in(type(inner))

    async def authenticate(self) -> bool:
        """Authenticate, trying again while the source is not to be had."""
        import asyncio

        return await asyncio.to_thread(self.authenticate_now)

    def authenticate_now(self) -> bool:
        """As `authenticate`, for who has no event loop."""
        return self._try(self._authenticate)

    def _authenticate(self) -> bool:
        try:
            return _result_of(self.inner.authenticate(), needs_loop=not self._is_built_in)
        except BaseException as error:  # noqa: BLE001 - the code of others may raise anything
            raise source_failure(error, "signing in") from None

    def list(self, cursor: str | None = None) -> Listing:
        """List; a listing that was cut is resumed after its last page where the connector can, else it restarts."""
        pages = _ResumablePages(self.inner, cursor)
        checks = DescriptorChecks()
        while True:
            page = self._try(pages.following)
            if isinstance(page, ListingEnd):
                return checks.end(page)
            # A check costs a microsecond an item; a connector of this package needs none.
            yield page if self._is_built_in else checks.page(page)

    @contextmanager
    def fetch(self, descriptor: Descriptor, offset: int = 0) -> Iterator[Iterator[bytes]]:
        """Fetch; a cut download resumes where it stopped when the connector can range, else the error is passed on."""
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

    def is_gone(self, key: str) -> bool:
        """Whether the source says that an item is gone; one that cannot say so is not."""
        try:
            return self._try(lambda: self.inner.is_gone(key)) is True
        except BaseException as error:  # noqa: BLE001 - the code of others may raise anything
            raise source_failure(error, "it was asked for an item") from None

    def origin(self, descriptor: Descriptor) -> dict[str, str]:
        """Return what the record of a version keeps of where it came from; where the connector fails, that it did."""
        try:
            origin = self.inner.origin(descriptor)
            if not is_text_by_name(origin):
                raise TypeError("origin must return texts by name")  # noqa: TRY301
        except BaseException as error:  # noqa: BLE001 - the code of others may raise anything; the document is here
            return {**(descriptor.metadata or {}), "origin_error": item_failure(error, descriptor).message}
        return origin


def _result_of(steps: Coroutine[Any, Any, bool], *, needs_loop: bool) -> bool:
    """Return what a coroutine returns. One that awaits nothing needs no event loop: to load and make it takes 15 ms."""
    if needs_loop:
        import asyncio

        return asyncio.run(steps)
    try:
        steps.send(None)
    except StopIteration as end:
        return bool(end.value)
    steps.close()
    raise RuntimeError("a connector of this package awaits something to authenticate")


class _ResumablePages:
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
        """Close what was cut; raises `CutShortError` where it cannot be reopened after what was received."""
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
