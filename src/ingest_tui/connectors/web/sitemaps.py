"""Sitemaps: lists of addresses that a site gives itself (sitemaps.org), packed or not, and lists of such lists.

They are cut at their marks rather than parsed: entities that a document declares stand for nothing here.
"""

from __future__ import annotations

import html
from collections import deque
from collections.abc import Iterator
from itertools import chain

from ingest_tui.connectors.web.addresses import LONGEST, SiteScope
from ingest_tui.connectors.web.client import SiteAnswer, WebClient
from ingest_tui.connectors.web.decoding import unpacked
from ingest_tui.connectors.web.robots import Robots
from ingest_tui.connectors.web.web_errors import RequestFailedError

LARGEST = 50 << 20
"""Bytes of one, unpacked, as sitemaps.org has it."""
MOST_FILES = 2000
_BEGIN, _END = b"<loc>", b"</loc>"
_INDEX, _SET = b"sitemapindex", b"urlset"
_GZIP = b"\x1f\x8b"
_KEPT = 6 * LONGEST
"""Bytes: more than an address may have, escaped."""
_CDATA = ("<![CDATA[", "]]>")
NONE = "none"


class SitemapWalk:
    """The sitemaps of a site, those that they name too, each once. ``named`` is that of the settings, if any."""

    def __init__(self, client: WebClient, scope: SiteScope, robots: Robots, named: str) -> None:
        self._client = client
        self._scope = scope
        guess = f"{scope.origin}/sitemap.xml"
        first = [] if named == NONE else [named] if named else [*robots.sitemaps, guess]
        self._guesses = set() if named else {guess} - set(robots.sitemaps)
        self._waiting: deque[str] = deque()
        self._seen: set[str] = set()
        self._read: set[str] = set()
        self._leads: dict[str, str] = {}
        self._is_cut = False
        self._names_elsewhere = False
        self.goes_by_guess = not named and not robots.sitemaps
        """Whether nobody said where there is one."""
        taken = [self._add(address) for address in first]
        self._is_partly_elsewhere = not all(taken)

    def _add(self, address: str) -> bool:
        """Take a sitemap, once; returns False where it is none of this host."""
        found = self._scope.resolve(address, f"{self._scope.origin}/")
        if found is None or not found.startswith(f"{self._scope.origin}/"):
            return False
        if found in self._seen:
            return True
        if len(self._seen) >= MOST_FILES:
            self._is_cut = True
            return True
        self._seen.add(found)
        self._waiting.append(found)
        return True

    def is_guess(self, address: str) -> bool:
        """Whether nobody said that there is a sitemap: then it is no failure that there is none."""
        return address in self._guesses

    @property
    def read(self) -> frozenset[str]:
        """Which there are: ``named`` ones, and one by the ``guess``."""
        is_guess_read = any(self._end_of(address) in self._read for address in self._guesses)
        is_named_read = bool(self._read) and not self.goes_by_guess
        return frozenset(["guess"] * is_guess_read + ["named"] * is_named_read)

    def misses_some(self, *, had_one: bool) -> bool:
        """Whether it did not read all that there may be.

        A guess that leads away proves nothing where the site never had a sitemap (``had_one``), and those of other
        hosts that robots.txt names may have been there ever since.
        """
        unread = {address for address in self._leads if self._end_of(address) not in self._read}
        may_miss = bool(unread) or self._is_partly_elsewhere
        misses = self._is_cut or self._names_elsewhere or bool(unread - self._guesses)
        return misses or (had_one and may_miss)

    def _end_of(self, address: str) -> str:
        """Return where an address leads in the end."""
        passed: set[str] = set()
        while address in self._leads and address not in passed:
            passed.add(address)
            address = self._leads[address]
        return address

    def addresses(self) -> Iterator[str]:
        """Yield the sitemaps, while they are read."""
        while self._waiting:
            yield self._waiting.popleft()

    def keys_in(self, address: str) -> Iterator[str]:
        """Yield the keys of the source that one sitemap names; raises `RequestFailedError` where it is not whole."""
        with self._client.get(address) as answer:
            if answer.leads_to is not None:
                self._leads[address] = self._scope.resolve(answer.leads_to, address) or ""
                self._add(answer.leads_to)
                return
            sitemap = SitemapText(answer)
            for location in sitemap.locations():
                if sitemap.is_index:
                    self._names_elsewhere = not self._add(location) or self._names_elsewhere
                    continue
                found = self._scope.resolve(location, address)
                key = self._scope.key_of(found) if found else None
                if key is not None:
                    yield key
            self._read.add(address)


class SitemapText:
    """One sitemap, read piece by piece. ``is_index``: it names sitemaps, no pages."""

    def __init__(self, answer: SiteAnswer) -> None:
        pieces = answer.pieces()
        first = next(pieces, b"")
        pieces = chain([first], pieces)
        self._pieces = unpacked(pieces, "gzip") if first.startswith(_GZIP) else pieces
        self.is_index = False

    def locations(self) -> Iterator[str]:
        """Yield the addresses; raises `RequestFailedError` where it is no sitemap, or does not come to its end."""
        rest, read, kind = b"", 0, b""
        for piece in self._pieces:
            rest += piece
            read += len(piece)
            if read > LARGEST:
                raise RequestFailedError("a sitemap is larger than one may be", reason="malformed")
            if not kind:
                kind = next((name for name in (_INDEX, _SET) if b"<" + name in rest), b"")
                self.is_index = kind == _INDEX
            *parts, rest = rest.split(_END)
            for part in parts:
                found = part.rpartition(_BEGIN)[2] if _BEGIN in part else b""
                if found:
                    yield _text_of(found)
            rest = rest[-_KEPT:]
        if not kind or b"</" + kind + b">" not in rest:
            raise RequestFailedError("a sitemap is none, or ends in the middle", reason="malformed")


def _text_of(location: bytes) -> str:
    text = location.decode("utf-8", "replace").strip()
    if text.startswith(_CDATA[0]):
        return text.removeprefix(_CDATA[0]).removesuffix(_CDATA[1]).strip()
    return html.unescape(text)
