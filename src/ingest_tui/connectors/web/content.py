"""The bytes of an item, compared while they are read with what the listing said of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import humanize

from ingest_tui.connectors.web.answers import ContentDigest, is_page
from ingest_tui.connectors.web.client import SiteAnswer
from ingest_tui.connectors.web.config import LARGEST_PAGE
from ingest_tui.connectors.web.records import fingerprint_of, fingerprint_of_content, is_by_content
from ingest_tui.connectors.web.web_errors import RequestFailedError, item_error
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import ItemError

_PIECE = 1 << 20
Again = Callable[[], AbstractContextManager[SiteAnswer]]


class ItemContent:
    """What an answer holds of an item; ``most`` bytes are let through, None: any number."""

    def __init__(self, descriptor: Descriptor, answer: SiteAnswer, most: int | None) -> None:
        self._descriptor = descriptor
        self._answer = answer
        self._most = most
        if answer.leads_to is not None or answer.is_unchanged:
            raise self._changed("the site leads elsewhere from it")
        self._check_size(answer.size or 0)
        if descriptor.fingerprint and not is_by_content(descriptor.fingerprint):
            now = fingerprint_of(
                descriptor.key, *(str(answer.headers.get(name, "")) for name in ("ETag", "Last-Modified", "Date"))
            )
            if now != descriptor.fingerprint:
                raise self._changed("it changed since it was listed")

    def pieces(self, again: Again) -> Iterator[bytes]:
        """Yield the bytes; ``again`` asks for the item once more.

        Raises `ItemError` (``changed_while_read``, ``too_large``), and what a broken connection is.
        """
        try:
            if is_page(self._answer):
                yield from self._page(again)
            else:
                yield from self._file()
        except RequestFailedError as failure:
            raise item_error(failure, self._descriptor.uri) from None

    def _file(self) -> Iterator[bytes]:
        digest, received = ContentDigest(), 0
        for piece in self._answer.pieces():
            received += len(piece)
            self._check_size(received)
            digest.add(piece)
            yield piece
        if is_by_content(self._descriptor.fingerprint) and self._differs(digest.value):
            raise self._changed("it changed since it was listed")

    def _page(self, again: Again) -> Iterator[bytes]:
        """Yield a page that is whole in memory.

        Many pages are made for each reader: one that differs each time it is asked for is taken as it is now.
        """
        content = self._read(self._answer)
        digest = ContentDigest().of([content])
        if is_by_content(self._descriptor.fingerprint) and self._differs(digest):
            with again() as answer:
                if answer.leads_to is not None:
                    raise self._changed("the site leads elsewhere from it")
                latest = self._read(answer)
            if ContentDigest().of([latest]) == digest:
                raise self._changed("it changed since it was listed")
            content = latest
        yield from (content[start : start + _PIECE] for start in range(0, len(content), _PIECE))

    def _read(self, answer: SiteAnswer) -> bytes:
        content = answer.read(LARGEST_PAGE)
        self._check_size(len(content), page=True)
        return content

    def _differs(self, digest: str) -> bool:
        return fingerprint_of_content(self._descriptor.key, digest) != self._descriptor.fingerprint

    def _check_size(self, size: int, *, page: bool = False) -> None:
        most = self._most if not page else min(self._most or LARGEST_PAGE, LARGEST_PAGE)
        if most is not None and size > most:
            message = f"it is larger than the limit of {humanize.naturalsize(most)}"
            raise ItemError(message, code="too_large", uri=self._descriptor.uri)

    def _changed(self, what: str) -> ItemError:
        return ItemError(what, code="changed_while_read", uri=self._descriptor.uri)
