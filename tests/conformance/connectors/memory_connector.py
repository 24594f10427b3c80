"""A connector to a dictionary: the smallest thing that keeps the promises, with cursors and ranges."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, ClassVar
from urllib.parse import quote

import humanize
from pydantic import BaseModel, ConfigDict, Field

from ingest_tui.connectors.base import BaseConnector, Capabilities, Listing
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.errors import (
    AuthenticationError,
    IngestError,
    ItemError,
    TransientItemError,
    TransientSourceError,
)

PAGE = 10
PIECE = 65_536
_numbers = count(1)


class Item:
    """An item of a memory site; its number survives a rename, its revision rises with each change."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.number = next(_numbers)
        self.revision = 1


class MemorySource:
    """What is on the other side."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.closed: set[str] = set()
        self.forbidden: set[str] = set()
        self.lets_us_in = True
        self.is_there = True
        self.throttled: list[float | None] = []
        self.cut_after: int | None = None
        self.failing: tuple[int, int, type[IngestError]] | None = None
        """How many more requests of listings are answered, how many fail then, and how."""
        self.has_failed = False

    def answer_listing(self) -> None:
        """Fail as the site was told to; called for each request of a listing."""
        self.answer(TransientSourceError)
        if self.failing is not None:
            skip, times, error = self.failing
            self.failing = (max(0, skip - 1), times if skip else times - 1, error)
            if not skip and times > 0:
                self.has_failed = True
                raise error("it was told to fail", hint="let it")

    def answer(self, error: type[TransientSourceError | TransientItemError]) -> None:
        """Fail as the site was told to; called for each request."""
        if not self.is_there:
            raise error("nobody answers", code="network")
        if not self.lets_us_in:
            raise AuthenticationError("the source refuses the credential", hint="renew it")
        if self.throttled:
            raise error("slow down", code="throttled", retry_after=self.throttled.pop())


SOURCES: dict[str, MemorySource] = {}


class MemoryConfig(BaseModel):
    """Settings: the name of a source in `SOURCES`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(min_length=1)


class MemoryConnector(BaseConnector):
    """Lists and reads a `MemorySource`."""

    source_type: ClassVar[str] = "memory"
    config_model: ClassVar[type[BaseModel]] = MemoryConfig
    capabilities: ClassVar[Capabilities] = Capabilities(resumes_listing=True, ranged_fetch=True, remote=True)

    @property
    def _source(self) -> MemorySource:
        return SOURCES[self.config.source]

    async def authenticate(self) -> bool:
        self._source.answer(TransientSourceError)
        return True

    def reauthenticate(self) -> bool:
        return True

    def list(self, cursor: str | None = None) -> Listing:
        self._source.answer_listing()
        names = sorted(name for name in self._source.items if cursor is None or name > cursor)
        gaps = sorted({part for name in names if (part := name.partition("/")[0]) in self._source.closed})
        names = [name for name in names if name.partition("/")[0] not in gaps]
        for start in range(0, len(names), PAGE):
            page = names[start : start + PAGE]
            self._source.answer_listing()
            if self._source.cut_after is not None:
                self._source.cut_after = None
                raise TransientSourceError("the connection was cut", code="network")
            yield ListingPage([self._describe(name) for name in page], page[-1])
        return ListingEnd(complete=not gaps, gaps=tuple((part, "closed") for part in gaps))

    def _describe(self, name: str) -> Descriptor:
        item = self._source.items[name]
        size = len(item.content)
        refusal = ("too_large", self._limit()) if self.max_size is not None and size > self.max_size else None
        return Descriptor(name, f"memory://{quote(name)}", f"{item.number}-{item.revision}", size, None, refusal)

    def _limit(self) -> str:
        return f"the limit of this source is {humanize.naturalsize(self.max_size or 0)}"

    @contextmanager
    def fetch(self, descriptor: Descriptor, offset: int = 0) -> Iterator[Iterator[bytes]]:
        self._source.answer(TransientItemError)
        item = self._source.items.get(descriptor.key)
        if item is None:
            raise ItemError("it is gone since it was listed", code="not_found", uri=descriptor.uri)
        if self.max_size is not None and len(item.content) > self.max_size:
            raise ItemError(f"it grew; {self._limit()}", code="too_large")
        if descriptor.key in self._source.forbidden:
            raise ItemError("no permission to read it", code="forbidden", hint="ask for it")
        if offset and descriptor.fingerprint != f"{item.number}-{item.revision}":
            raise ItemError("it changed after it was listed", code="changed_while_read")
        yield self._pieces(item, offset)

    def _pieces(self, item: Item, offset: int) -> Iterator[bytes]:
        content, revision = item.content, item.revision
        limit, self._source.cut_after = self._source.cut_after, None
        for start in range(offset, len(content), PIECE):
            if limit is not None and start + PIECE > limit:
                raise TransientItemError("the connection was cut", code="network")
            yield content[start : start + PIECE]
        if item.revision != revision:
            raise ItemError("it changed while it was read", code="changed_while_read")


def new_source() -> dict[str, Any]:
    """Make an empty source and return the settings that lead to it."""
    name = f"source-{next(_numbers)}"
    SOURCES[name] = MemorySource()
    return {"source": name}
