"""`source test`: try a connector step by step, with the time of each."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from ingest_tui.connectors.containment import source_failure
from ingest_tui.model.counted import counted
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.errors import IngestError, ItemError
from ingest_tui.model.gap_remedies import remedy_of
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.volumes import gap_name

_DOING = {
    "auth": "looking at its credential",
    "reach": "signing in",
    "list": "listing",
    "gaps": "listing",
    "read": "reading",
}
_LOOKED_FOR_GAPS_SECONDS = 1.0


@dataclass(slots=True)
class TestStep:
    """One step of `source test`: what was tried, whether it worked, what was seen, what to do when it failed."""

    __test__ = False  # not a test class, whatever its name says to pytest

    name: str
    ok: bool
    message: str
    milliseconds: float = 0.0
    hint: str = ""


class _Capabilities(Protocol):
    @property
    def remote(self) -> bool: ...


class Probed(Protocol):
    """What of a connector is tried."""

    @property
    def capabilities(self) -> _Capabilities:
        """What it declares of itself."""
        ...

    def check_credential(self) -> str | None:
        """Return what signs in, in words; None where nothing does."""
        ...

    async def authenticate(self) -> bool:
        """Reach the source."""
        ...

    def list(self) -> Iterator[ListingPage]:
        """Yield pages; returns a `ListingEnd`."""
        ...

    def fetch(self, descriptor: Descriptor) -> AbstractContextManager[Iterator[bytes]]:
        """Open an item."""
        ...


def probe(connector: Probed) -> Iterator[TestStep]:
    """Yield the steps auth (where there is a credential), reach, list, read; stops after the first that fails.

    Lists one page, and on for at most a second where that costs no requests: places that cannot be looked into are a
    step of their own, ``gaps``, that failed. Reads the first piece of one item.
    """
    import asyncio  # with all it brings 10 ms, and most commands reach no source

    stopwatch = Stopwatch()
    name = "auth"
    readable: Descriptor | None = None
    try:
        signing = connector.check_credential()
        if signing is not None:
            yield stopwatch.step(name, safe_display(signing))
        name = "reach"
        asyncio.run(connector.authenticate())
        yield stopwatch.step(name, "the source answers and access is granted")
        name = "list"
        pages = _ProbedPages(connector)
        page = next(pages, None)
        descriptors = page.descriptors if page else []
        found = f"{counted(len(descriptors), 'item')} on the first page" if descriptors else "nothing matches"
        yield stopwatch.step(name, found if descriptors or page is None else "nothing on the first page matches")
        if gaps := pages.gaps_found_soon():
            name = "gaps"
            yield _step_of_gaps(stopwatch, gaps, is_bounded=pages.is_bounded)
        readable = next((descriptor for descriptor in descriptors if not descriptor.refusal), None)
        if readable is None:
            return
        name = "read"
        with connector.fetch(readable) as pieces:
            first = next(pieces, b"")
        yield stopwatch.step(name, f"read {counted(len(first), 'byte')} of {safe_display(readable.key)}")
    except GeneratorExit:
        raise
    except BaseException as error:  # noqa: BLE001 the code of others may raise anything: it is what the test is for
        about = f"{safe_display(readable.key)}: " if name == "read" and readable is not None else ""
        yield stopwatch.failed(name, source_failure(error, _DOING[name]), about)


class _ProbedPages:
    """The pages of a listing, and how it ended if that was seen."""

    def __init__(self, connector: Probed) -> None:
        self._pages = connector.list()
        self._remote = connector.capabilities.remote
        self._end: ListingEnd | None = None

    def __iter__(self) -> Iterator[ListingPage]:
        return self

    def __next__(self) -> ListingPage:
        try:
            return next(self._pages)
        except StopIteration as end:
            self._end = end.value if isinstance(end.value, ListingEnd) else self._end
            raise StopIteration from None

    @property
    def is_bounded(self) -> bool:
        """Whether it says so of itself, if its end was seen."""
        return self._end is not None and self._end.bounded

    def gaps_found_soon(self) -> tuple[tuple[str, str], ...]:
        """Return the places that cannot be looked into, of a source without a network as far as a second shows."""
        deadline = time.monotonic() + _LOOKED_FOR_GAPS_SECONDS
        if not self._remote:
            for _page in self:
                if time.monotonic() > deadline:
                    break
        return self._end.gaps if self._end is not None else ()


def _step_of_gaps(stopwatch: Stopwatch, gaps: tuple[tuple[str, str], ...], *, is_bounded: bool) -> TestStep:
    key, why = gaps[0]
    more = f" (and {counted(len(gaps) - 1, 'more place')})" if len(gaps) > 1 else ""
    message = f"cannot be looked into: {gap_name(key)}: {safe_display(why)}{more}"
    remedy = remedy_of(why) or "make it readable"
    until_then = "retire only what the source calls gone" if is_bounded else "are partial and retire nothing"
    hint = f"{remedy}, or leave it out with --exclude; until then syncs {until_then}"
    return stopwatch.step("gaps", message, ok=False, hint=hint)


class Stopwatch:
    """Makes the steps, each with the time since the one before."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    def step(self, name: str, message: str, *, ok: bool = True, hint: str = "") -> TestStep:
        """Return the step that has just been done."""
        now = time.perf_counter()
        milliseconds, self._since = (now - self._since) * 1000, now
        return TestStep(name, ok, message, round(milliseconds, 1), hint)

    def failed(self, name: str, error: IngestError, about: str = "") -> TestStep:
        """Return the step that an error ended, with what to do about it."""
        return self.step(name, f"{about}{error.message}", ok=False, hint=error.hint or hint_for(error))


def hint_for(error: IngestError) -> str:
    """Return what to do about an error that gives no hint itself."""
    if error.retryable:
        return "it may pass by itself: try again later"
    if isinstance(error, ItemError):
        return "only this item is concerned; a sync reports each that it cannot read"
    return "'ingest-tui source show SOURCE' shows the settings; are they right?"
