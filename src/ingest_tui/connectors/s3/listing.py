"""Listing a bucket: page after page at first, in several key ranges at once when it turns out to be large.

A key range is a part of the key space, from after one key up to another: together they always cover everything that is
still to be listed, whatever is there, so nothing depends on guesses about folders. The names of folders serve only
to choose where a key range is cut.

Only a store that is known to list in the order of the bytes of keys is cut, or resumed after a name: that the pages so
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
class KeyRange:
    """Keys after ``after`` up to and with ``until`` (None: to the end). ``token`` is that of its next page."""

    after: bytes = b""
    until: bytes | None = None
    token: str | None = None

    @property
    def is_found_by_name(self) -> bool:
        """Whether it can only be resumed after a name, or ends at one."""
        return self.until is not None or (bool(self.after) and self.token is None)


class BucketListing:
    """One listing of a bucket below a prefix. ``is_ordered``: the store is known to list in the order of bytes."""

    def __init__(self, reader: PageReader, prefix: bytes, *, lanes: int = LANES, is_ordered: bool = False) -> None:
        self._reader = reader
        self._prefix = prefix
        self._lanes = lanes
        self._is_ordered = is_ordered

    def pages(self, cursor: str | None = None) -> Iterator[ObjectPage]:
        """Yield pages of objects, each with the cursor after it. An object may come twice, none is left out.

        Raises `SourceAccessError`; what was yielded until then stays true, and its cursor continues from there. With
        `StartOverError` it does not: then the bucket has to be listed from its start, by a listing that expects no
        order.
        """
        key_ranges = _key_ranges_of(cursor)
        if not self._is_ordered and any(key_range.is_found_by_name for key_range in key_ranges):
            raise _disordered()
        if len(key_ranges) == 1:
            key_ranges = yield from self._one_after_the_other(key_ranges[0])
        if key_ranges:
            yield from _SideBySide(self._reader, self._prefix, key_ranges, self._lanes).pages()

    def _one_after_the_other(self, key_range: KeyRange) -> Generator[ObjectPage, None, list[KeyRange]]:
        """List until the end, or until it pays to cut what is left; returns the key ranges of that."""
        next_cut = PAGES_IN_A_ROW
        number = 0
        forward = ForwardCheck()
        while True:
            page = self._reader.page(self._prefix, after=key_range.after, token=key_range.token)
            forward.check(page)
            number += 1
            if self._is_ordered and not _follows(page, key_range.after):
                raise _disordered()
            ended = _advance(key_range, page)
            objects = _up_to(page.objects, key_range.until)
            if objects or not ended:
                yield objects, _cursor_of([] if ended else [key_range], by_token=not self._is_ordered)
            if ended:
                return []
            if self._is_ordered and self._lanes > 1 and number >= next_cut:
                parts = cut(self._reader, self._prefix, key_range)
                if len(parts) > 1:
                    return parts
                next_cut = number * 2


def _disordered() -> StartOverError:
    return StartOverError(
        "the store does not list in the order of the bytes of keys", hint="set --listing-order auto, then sync again"
    )


def _follows(page: BucketPage, after: bytes) -> bool:
    """Whether a page holds what its request asked for: keys in the order of their bytes, all after ``after``."""
    return page.ascends and (not page.objects or page.objects[0].key > after)


def _advance(key_range: KeyRange, page: BucketPage) -> bool:
    """Note that a page was listed; returns whether it was the last of the key range."""
    key_range.after = max(key_range.after, page.last_key)
    key_range.token = page.token
    return page.token is None or (key_range.until is not None and key_range.after >= key_range.until)


def _up_to(objects: list[ListedObject], until: bytes | None) -> list[ListedObject]:
    if until is None or not objects or objects[-1].key <= until:
        return objects
    return [listed for listed in objects if listed.key <= until]


def _key_ranges_of(cursor: str | None) -> list[KeyRange]:
    if cursor is None:
        return [KeyRange()]
    try:
        return [
            KeyRange(unquote_to_bytes(after), None if until is None else unquote_to_bytes(until), token)
            for after, until, token in json.loads(cursor)
        ]
    except (ValueError, TypeError, AttributeError):
        raise StartOverError("the kept place of the listing is damaged", hint="sync again") from None


def _cursor_of(key_ranges: list[KeyRange], *, by_token: bool = False) -> str:
    """Return the text of what is left. A name outlives a token, which stands for it only where names do not ascend."""
    return json.dumps(
        [
            (
                quote_from_bytes(key_range.after),
                None if key_range.until is None else quote_from_bytes(key_range.until),
                key_range.token if by_token else None,
            )
            for key_range in key_ranges
        ]
    )


def cut(reader: PageReader, prefix: bytes, key_range: KeyRange, parts: int = 2 * LANES) -> list[KeyRange]:
    """Return what is left of a key range in parts that follow one another; one part when no folder shows where to cut.

    Asks for the folders after ``key_range.after``, from the prefix down to the folder of that key.
    """
    below = key_range.after[len(prefix) :]
    folders = below.split(b"/")[:-1]
    for depth in range(min(len(folders), _DEEPEST_CUT) + 1):
        parent = prefix + b"".join(folder + b"/" for folder in folders[:depth])
        found = reader.page(parent, after=key_range.after, delimiter="/").folders
        borders = [
            name for name in found if name > key_range.after and (key_range.until is None or name < key_range.until)
        ]
        if borders != sorted(set(borders)):
            break
        if borders:
            step = -(-len(borders) // parts)
            ends: list[bytes | None] = [*borders[::step], key_range.until]
            starts = [key_range.after, *borders[::step]]
            made = [KeyRange(start, end) for start, end in zip(starts, ends, strict=True)]
            made[0].token = key_range.token
            return made
    return [key_range]


@dataclass(slots=True)
class _News:
    """What a lane reports of a key range: a page of it, that it was cut, or an error."""

    key_range: int
    objects: list[ListedObject] | None = None
    after: bytes = b""
    ended: bool = False
    parts: dict[int, KeyRange] | None = None
    error: BaseException | None = None


class _SideBySide:
    """Lists several key ranges at once. Lanes hand pages over through a short queue: memory stays bounded."""

    def __init__(self, reader: PageReader, prefix: bytes, key_ranges: list[KeyRange], lanes: int) -> None:
        self._reader = reader
        self._prefix = prefix
        self._lanes = lanes
        self._left = dict(enumerate(key_ranges))
        self._next_number = len(key_ranges)
        self._waiting = deque((number, _copied(key_range)) for number, key_range in self._left.items())
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
                key_range = self._left[news.key_range]
                key_range.after = news.after
                if news.ended:
                    del self._left[news.key_range]
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
            number, key_range = work
            try:
                self._list(number, key_range)
            except IngestError as error:
                self._report(_News(number, error=error))
                return
            except Exception as error:  # noqa: BLE001 - whatever it is, the listing must not go on without this part
                self._report(_News(number, error=error))
                return

    def _take(self) -> tuple[int, KeyRange] | None:
        with self._changed:
            self._idle += 1
            while not self._waiting and not self._stopped.is_set():
                self._changed.wait()
            if self._stopped.is_set():
                return None
            self._idle -= 1
            return self._waiting.popleft()

    def _report(self, news: _News) -> None:
        while not self._stopped.is_set():
            try:
                self._news.put(news, timeout=_LOOK_SECONDS)
            except queue.Full:
                continue
            return

    def _list(self, number: int, key_range: KeyRange) -> None:
        pages, next_cut = 0, PAGES_IN_A_ROW
        forward = ForwardCheck()
        while not self._stopped.is_set():
            page = self._reader.page(self._prefix, after=key_range.after, token=key_range.token)
            forward.check(page)
            pages += 1
            if not _follows(page, key_range.after):
                raise _disordered()
            ended = _advance(key_range, page)
            objects = _up_to(page.objects, key_range.until)
            self._report(_News(number, objects, key_range.after, ended))
            if ended:
                return
            if pages >= next_cut and self._has_room():
                next_cut = pages * 2
                self._cut(number, key_range)

    def _has_room(self) -> bool:
        with self._changed:
            return self._idle > 0 and not self._waiting and len(self._left) < _MOST_STRETCHES

    def _cut(self, number: int, key_range: KeyRange) -> None:
        """Give the later parts of a key range to idle lanes; the consumer hears of them before of their pages."""
        first, *others = cut(self._reader, self._prefix, key_range)
        if not others:
            return
        with self._changed:
            parts = {self._next_number + place: part for place, part in enumerate(others)}
            self._next_number += len(others)
        self._report(_News(number, parts={number: first} | parts))
        key_range.until = first.until
        with self._changed:
            self._waiting.extend((place, _copied(part)) for place, part in parts.items())
            self._changed.notify_all()


def _copied(key_range: KeyRange) -> KeyRange:
    return KeyRange(key_range.after, key_range.until, key_range.token)
