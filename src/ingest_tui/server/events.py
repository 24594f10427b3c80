"""Events for clients that follow what happens: read once a second for all who listen, while anybody does.

An event tells what is so now, not each step on the way. Its id is the revision of what it is about, so a client that
comes back with Last-Event-ID gets what has changed since, and misses nothing that is still so: events of one reading
are sent by their ids. Whoever is let in no more hears nothing more.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import StreamingResponse

from ingest_tui.server.answers import json_bytes
from ingest_tui.server.caller import Caller

EVENT_TYPE = "text/event-stream"
_SECONDS = 1.0
_KEEP_ALIVE_ROUNDS = 15
"""After so many rounds without an event a comment is sent, so that nobody in between takes the connection for dead."""
_KEEP_ALIVE = b": still here\n\n"


@dataclass(frozen=True, slots=True)
class ServedEvent:
    """Something that is so now. ``mark``: its revision, which only grows; ``is_last``: nothing follows."""

    name: str
    subject: str
    mark: str
    collection_id: str
    data: Any
    is_last: bool = False

    def encoded(self, data: Any) -> bytes:
        """Return it as it is sent; ``data`` is what this client gets of it."""
        return b"event: %s\nid: %s\ndata: %s\n\n" % (self.name.encode(), self.mark.encode(), json_bytes(data))


ReadEvents = Callable[[], Sequence[ServedEvent]]


@dataclass
class _Feed:
    """The events of one question, as they were read last; ``rounds`` counts how often that was."""

    read: ReadEvents
    listeners: int = 0
    rounds: int = 0
    events: Sequence[ServedEvent] = ()
    let_in: frozenset[Caller] = frozenset()
    error: Exception | None = None
    round_done: asyncio.Condition = field(default_factory=asyncio.Condition)
    task: asyncio.Task[None] | None = None

    async def after(self, rounds: int) -> int:
        """Wait until it was read more often than that; returns how often."""
        async with self.round_done:
            await self.round_done.wait_for(lambda: self.rounds > rounds)
        return self.rounds


class TooManyStreamsError(Exception):
    """Whoever asks to follow something follows as much as they may already."""


class Feeds:
    """What is read for those who listen, by question. ``in_thread`` calls what blocks; ``let_in``: who may listen."""

    def __init__(
        self,
        in_thread: Callable[[Callable[[], Any]], Any],
        let_in: Callable[[], frozenset[Caller]],
        seconds: float = _SECONDS,
    ) -> None:
        self._in_thread = in_thread
        self._let_in = let_in
        self._seconds = seconds
        self._feeds: dict[str, _Feed] = {}
        self._streams: dict[object, Caller] = {}
        """Whose each stream is, from its making on until it ends, or nobody can read it any more."""
        self._making = threading.Lock()
        self.is_stopping = False

    @property
    def questions(self) -> int:
        """How many questions are being asked for somebody."""
        return len(self._feeds)

    def listened_to_by(self, caller: Caller) -> int:
        """Return how many streams of events a caller has."""
        return sum(one == caller for one in list(self._streams.values()))

    def response(
        self,
        question: str,
        read: ReadEvents,
        *,
        caller: Caller,
        seen: str,
        shown: Callable[[Any], Any],
        most: int | None = None,
    ) -> StreamingResponse:
        """Return the answer that sends events until the last one: after the mark ``seen``, of what its caller sees.

        Raises `TooManyStreamsError` where the caller has ``most`` streams already, counted from when each was made.
        """
        stream = object()
        with self._making:  # answers are made in several threads
            if most is not None and self.listened_to_by(caller) >= most:
                raise TooManyStreamsError
            self._streams[stream] = caller
        sent = self._counted(stream, self._sent(question, read, caller, seen, shown))
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        response = StreamingResponse(sent, media_type=EVENT_TYPE, headers=headers)
        weakref.finalize(response, self._streams.pop, stream, None)  # one that is never read ends nowhere else
        return response

    async def _counted(self, stream: object, sent: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
        """Yield what is sent, and count the stream no more when it ends."""
        try:
            async with aclosing(sent):
                async for piece in sent:
                    yield piece
        finally:
            self._streams.pop(stream, None)

    async def _sent(
        self,
        question: str,
        read: ReadEvents,
        caller: Caller,
        seen: str,
        shown: Callable[[Any], Any],
    ) -> AsyncGenerator[bytes, None]:
        yield b"retry: 2000\n\n"
        quiet = 0
        marks: dict[str, str] = {}
        async with aclosing(self._rounds(question, read, caller)) as rounds:
            async for events in rounds:
                quiet += 1
                for event in events:
                    if event.mark > marks.get(event.subject, seen) and caller.sees(event.collection_id):
                        marks[event.subject], quiet = event.mark, 0
                        yield event.encoded(shown(event.data))
                    if event.is_last:
                        return
                if quiet >= _KEEP_ALIVE_ROUNDS:
                    quiet = 0
                    yield _KEEP_ALIVE

    async def _rounds(
        self, question: str, read: ReadEvents, caller: Caller
    ) -> AsyncGenerator[Sequence[ServedEvent], None]:
        """Yield what is so, after each round of reading.

        Ends when the server does, when it cannot be read, or when the caller is let in no more.
        """
        feed = self._feeds.setdefault(question, _Feed(read))
        feed.listeners += 1
        if feed.task is None:
            feed.task = asyncio.create_task(self._run(feed))
        known = 0
        try:
            while not self.is_stopping and feed.error is None:
                known = await feed.after(known)
                if caller not in feed.let_in:
                    return
                yield feed.events
        finally:
            feed.listeners -= 1
            if not feed.listeners:
                self._feeds.pop(question, None)
                feed.task.cancel()

    async def _run(self, feed: _Feed) -> None:
        while feed.error is None:
            try:
                feed.events, feed.let_in = await self._in_thread(lambda: (_in_order(feed.read()), self._let_in()))
            except Exception as error:  # noqa: BLE001 - whoever listens connects again, and is told then
                feed.error = error
            async with feed.round_done:
                feed.rounds += 1
                feed.round_done.notify_all()
            await asyncio.sleep(self._seconds)


def _in_order(events: Sequence[ServedEvent]) -> Sequence[ServedEvent]:
    return sorted(events, key=lambda one: one.mark)
