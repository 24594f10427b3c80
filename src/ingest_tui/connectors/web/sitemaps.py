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
        self.has_read = False
        """Whether there is one."""
        self.is_cut = False
        """Whether there were too many to read them all."""
        for address in first:
            self._add(address)

    def _add(self, address: str) -> None:
        found = self._scope.resolve(address, f"{self._scope.origin}/")
        if found is None or found in self._seen or not found.startswith(f"{self._scope.origin}/"):
            return
        if len(self._seen) >= MOST_FILES:
            self.is_cut = True
            return
        self._seen.add(found)
        self._waiting.append(found)

    def is_guess(self, address: str) -> bool:
        """Whether nobody said that there is a sitemap: then it is no failure that there is none."""
        return address in self._guesses

    def addresses(self) -> Iterator[str]:
        """Yield the sitemaps, while they are read."""
        while self._waiting:
            yield self._waiting.popleft()

    def keys_in(self, address: str) -> Iterator[str]:
        """Yield the keys of the source that one sitemap names; raises `RequestFailedError` where it is not whole."""
        with self._client.get(address) as answer:
            if answer.leads_to is not None:
                self._add(answer.leads_to)
                return
            sitemap = SitemapText(answer)
            for location in sitemap.locations():
                if sitemap.is_index:
                    self._add(location)
                    continue
                found = self._scope.resolve(location, address)
                key = self._scope.key_of(found) if found else None
                if key is not None:
                    yield key
            self.has_read = True


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
