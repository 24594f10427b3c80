"""Listing a bucket: page after page at first, in several stretches at once when it turns out to be large.

A stretch is a part of the key space, from behind one key up to another: together they always cover everything that is
still to be listed, whatever stands there, so nothing depends on guesses about folders. The names of folders serve only
to choose where a stretch is cut.

Only a store that is known to list in the order of the bytes of keys is cut, or resumed behind a name: that the pages so
far were in order proves nothing about the next one. Any other is listed page after page, and resumed by its own token.

The cursor of a page is what is still to be listed then. It is short: at most `_MOST_STRETCHES` of them.
"""

from __future__ import annotations

import json
import queue
import threading
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from urllib.parse import quote_from_bytes, unquote_to_bytes

from ingest_tui.connectors.s3.listing_progress import ForwardCheck
from ingest_tui.connectors.s3.pages import BucketPage, ListedObject, PageReader, StartOverError
from ingest_tui.model.errors import IngestError

PAGES_IN_A_ROW = 10
"""So many pages are listed one after the other before a cut pays: up to 10,000 objects cost no request more."""
LANES = 8
_PAGES_WAITING = 4
_MOST_STRETCHES = 32
_DEEPEST_CUT = 4
_LOOK_SECONDS = 0.5

ObjectPage = tuple[list[ListedObject], str | None]


@dataclass(slots=True)
class Stretch:
    """Keys behind ``after`` up to and with ``until`` (None: to the end). ``token`` is that of its next page."""

    after: bytes = b""
    until: bytes | None = None
    token: str | None = None

    @property
    def is_found_by_name(self) -> bool:
        """Whether it can only be resumed behind a name, or ends at one."""
        return self.until is not None or (bool(self.after) and self.token is None)


class BucketListing:
    """One listing of a bucket below a prefix. ``is_ordered``: the store is known to list in the order of bytes."""

    def __init__(self, reader: PageReader, prefix: bytes, *, lanes: int = LANES, is_ordered: bool = False) -> None:
        self._reader = reader
        self._prefix = prefix
        self._lanes = lanes
        self._is_ordered = is_ordered

    def pages(self, cursor: str | None = None) -> Iterator[ObjectPage]:
        """Yield pages of objects, each with the cursor behind it. An object may come twice, none is left out.

        Raises `SourceAccessError`; what was yielded until then stays true, and its cursor goes on from there. With
        `StartOverError` it does not: then the bucket has to be listed from its start, by a listing that expects no
        order.
        """
        stretches = _stretches_of(cursor)
        if not self._is_ordered and any(stretch.is_found_by_name for stretch in stretches):
            raise _disordered()
        if len(stretches) == 1:
            stretches = yield from self._one_after_the_other(stretches[0])
        if stretches:
            yield from _SideBySide(self._reader, self._prefix, stretches, self._lanes).pages()

    def _one_after_the_other(self, stretch: Stretch) -> Generator[ObjectPage, None, list[Stretch]]:
        """List until the end, or until it pays to cut what is left; returns the stretches of that."""
        next_cut = PAGES_IN_A_ROW
        number = 0
        forward = ForwardCheck()
        while True:
            page = self._reader.page(self._prefix, after=stretch.after, token=stretch.token)
            forward.check(page)
            number += 1
            if self._is_ordered and not _follows(page, stretch.after):
                raise _disordered()
            ended = _advance(stretch, page)
            objects = _up_to(page.objects, stretch.until)
            if objects or not ended:
                yield objects, _cursor_of([] if ended else [stretch], by_token=not self._is_ordered)
            if ended:
                return []
            if self._is_ordered and self._lanes > 1 and number >= next_cut:
                parts = cut(self._reader, self._prefix, stretch)
                if len(parts) > 1:
                    return parts
                next_cut = number * 2


def _disordered() -> StartOverError:
    return StartOverError(
        "the store does not list in the order of the bytes of keys", hint="set --listing-order auto, then sync again"
    )


def _follows(page: BucketPage, after: bytes) -> bool:
    """Whether a page holds what its request asked for: keys in the order of their bytes, all behind ``after``."""
    return page.ascends and (not page.objects or page.objects[0].key > after)


def _advance(stretch: Stretch, page: BucketPage) -> bool:
    """Note that a page was listed; returns whether it was the last of the stretch."""
    stretch.after = max(stretch.after, page.last_key)
    stretch.token = page.token
    return page.token is None or (stretch.until is not None and stretch.after >= stretch.until)


def _up_to(objects: list[ListedObject], until: bytes | None) -> list[ListedObject]:
    if until is None or not objects or objects[-1].key <= until:
        return objects
    return [listed for listed in objects if listed.key <= until]


def _stretches_of(cursor: str | None) -> list[Stretch]:
    if cursor is None:
        return [Stretch()]
    try:
        return [
            Stretch(unquote_to_bytes(after), None if until is None else unquote_to_bytes(until), token)
            for after, until, token in json.loads(cursor)
        ]
    except (ValueError, TypeError, AttributeError):
        raise StartOverError("the kept place of the listing is damaged", hint="sync again") from None


def _cursor_of(stretches: list[Stretch], *, by_token: bool = False) -> str:
    """Return the text of what is left. A name outlives a token, which stands for it only where names do not ascend."""
    return json.dumps(
        [
            (
                quote_from_bytes(stretch.after),
                None if stretch.until is None else quote_from_bytes(stretch.until),
                stretch.token if by_token else None,
            )
            for stretch in stretches
        ]
    )


def cut(reader: PageReader, prefix: bytes, stretch: Stretch, parts: int = 2 * LANES) -> list[Stretch]:
    """Return what is left of a stretch in parts that follow one another; one part when no folder shows where to cut.

    Asks for the folders behind ``stretch.after``, from the prefix down to the folder of that key.
    """
    below = stretch.after[len(prefix) :]
    folders = below.split(b"/")[:-1]
    for depth in range(min(len(folders), _DEEPEST_CUT) + 1):
        parent = prefix + b"".join(folder + b"/" for folder in folders[:depth])
        found = reader.page(parent, after=stretch.after, delimiter="/").folders
        borders = [name for name in found if name > stretch.after and (stretch.until is None or name < stretch.until)]
        if borders != sorted(set(borders)):
            break
        if borders:
            step = -(-len(borders) // parts)
            ends: list[bytes | None] = [*borders[::step], stretch.until]
            starts = [stretch.after, *borders[::step]]
            made = [Stretch(start, end) for start, end in zip(starts, ends, strict=True)]
            made[0].token = stretch.token
            return made
    return [stretch]


@dataclass(slots=True)
class _News:
    """What a lane reports of a stretch: a page of it, that it was cut, or an error."""

    stretch: int
    objects: list[ListedObject] | None = None
    after: bytes = b""
    ended: bool = False
    parts: dict[int, Stretch] | None = None
    error: BaseException | None = None


class _SideBySide:
    """Lists several stretches at once. Lanes hand pages over through a short queue: memory stays bounded."""

    def __init__(self, reader: PageReader, prefix: bytes, stretches: list[Stretch], lanes: int) -> None:
        self._reader = reader
        self._prefix = prefix
        self._lanes = lanes
        self._left = dict(enumerate(stretches))
        self._next_number = len(stretches)
        self._waiting = deque((number, _copied(stretch)) for number, stretch in self._left.items())
        self._idle = 0
        self._changed = threading.Condition()
        self._news: queue.Queue[_News] = queue.Queue(_PAGES_WAITING)
        self._stopped = threading.Event()

    def pages(self) -> Iterator[ObjectPage]:
        """Yield pages in the order in which they come."""
        for number in range(self._lanes):
            threading.Thread(target=self._run_lane, name=f"list-{number}", daemon=True).start()
        try:
            while self._left:
                news = self._news.get()
                if news.error is not None:
                    raise news.error
                if news.parts is not None:
                    self._left |= news.parts
                    continue
                stretch = self._left[news.stretch]
                stretch.after = news.after
                if news.ended:
                    del self._left[news.stretch]
                if news.objects or not news.ended:
                    yield news.objects or [], _cursor_of(list(self._left.values()))
        finally:
            self._stop()

    def _stop(self) -> None:
        """Let the lanes end; those that wait for an answer end when it comes."""
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()

    def _run_lane(self) -> None:
        while (work := self._take()) is not None:
            number, stretch = work
            try:
                self._list(number, stretch)
            except IngestError as error:
                self._tell(_News(number, error=error))
                return
            except Exception as error:  # noqa: BLE001 - whatever it is, the listing must not go on without this part
                self._tell(_News(number, error=error))
                return

    def _take(self) -> tuple[int, Stretch] | None:
        with self._changed:
            self._idle += 1
            while not self._waiting and not self._stopped.is_set():
                self._changed.wait()
            if self._stopped.is_set():
                return None
            self._idle -= 1
            return self._waiting.popleft()

    def _tell(self, news: _News) -> None:
        while not self._stopped.is_set():
            try:
                self._news.put(news, timeout=_LOOK_SECONDS)
            except queue.Full:
                continue
            return

    def _list(self, number: int, stretch: Stretch) -> None:
        pages, next_cut = 0, PAGES_IN_A_ROW
        forward = ForwardCheck()
        while not self._stopped.is_set():
            page = self._reader.page(self._prefix, after=stretch.after, token=stretch.token)
            forward.check(page)
            pages += 1
            if not _follows(page, stretch.after):
                raise _disordered()
            ended = _advance(stretch, page)
            objects = _up_to(page.objects, stretch.until)
            self._tell(_News(number, objects, stretch.after, ended))
            if ended:
                return
            if pages >= next_cut and self._has_room():
                next_cut = pages * 2
                self._cut(number, stretch)

    def _has_room(self) -> bool:
        with self._changed:
            return self._idle > 0 and not self._waiting and len(self._left) < _MOST_STRETCHES

    def _cut(self, number: int, stretch: Stretch) -> None:
        """Give the later parts of a stretch to idle lanes; the consumer hears of them before of their pages."""
        first, *others = cut(self._reader, self._prefix, stretch)
        if not others:
            return
        with self._changed:
            parts = {self._next_number + place: part for place, part in enumerate(others)}
            self._next_number += len(others)
        self._tell(_News(number, parts={number: first} | parts))
        stretch.until = first.until
        with self._changed:
            self._waiting.extend((place, _copied(part)) for place, part in parts.items())
            self._changed.notify_all()


def _copied(stretch: Stretch) -> Stretch:
    return Stretch(stretch.after, stretch.until, stretch.token)
