"""What is remembered of each address between two crawls: enough to ask whether it changed, and to follow its links."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Literal

from ingest_tui.connectors.base import ListingMemory
from ingest_tui.model.clock import posix_seconds
from ingest_tui.model.hashing import short_digest

_CRAWL, _SITEMAP = "crawl", "sitemap"
_TAKEN_UP_FOR_SECONDS = 24 * 3600.0
_PAGE = "page:"
_SETTLED_SECONDS = 60.0
"""A time of change that is older says which state a page is in (RFC 9110, section 8.8.2.2)."""
_DIGEST = 32


@dataclass(frozen=True, slots=True)
class PageRecord:
    """What an address answered. ``crawl`` is the crawl that asked last; ``links`` and ``target`` are keys.

    ``kind``: a ``page`` that may have links, a ``file``, a ``redirect`` to ``target`` (empty: elsewhere), or ``gone``.
    ``is_listed`` is False for what asks not to be, and for a page that names ``target`` as its canonical address.
    ``is_cut``: it may have further links.
    """

    crawl: str
    kind: Literal["page", "file", "redirect", "gone"]
    fingerprint: str = ""
    etag: str = ""
    last_modified: str = ""
    media_type: str = ""
    size: int | None = None
    is_listed: bool = True
    target: str = ""
    links: tuple[str, ...] = ()
    is_cut: bool = False

    @property
    def conditions(self) -> dict[str, str]:
        """The headers that ask for it only if it changed."""
        if self.kind not in {"page", "file"}:
            return {}
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in headers.items() if value}

    @property
    def modified_ns(self) -> int | None:
        """When it was last changed, as the site says."""
        seconds = _seconds_of(self.last_modified)
        return None if seconds is None else int(seconds) * 1_000_000_000


class PageRecords:
    """The records of a source in its memory, and the crawl that is under way there."""

    def __init__(self, memory: ListingMemory) -> None:
        self._memory = memory
        begun, _, at = (memory.note(_CRAWL) or "").partition(" ")
        is_fresh = bool(at) and posix_seconds() - float(at) < _TAKEN_UP_FOR_SECONDS
        self.crawl = begun if is_fresh else secrets.token_hex(6)
        if not is_fresh:
            memory.apply(notes={_CRAWL: f"{self.crawl} {posix_seconds():.0f}"})

    def get(self, key: str) -> PageRecord | None:
        """Return what an address answered when it was last asked."""
        stored = self._memory.entry(_PAGE + key)
        if stored is None:
            return None
        try:
            fields = json.loads(stored)
            return PageRecord(**{**fields, "links": tuple(fields["links"]), "is_cut": fields["is_cut"]})
        except (ValueError, TypeError, KeyError):  # of another program: it is a cache
            return None

    def put(self, records: Iterable[tuple[str, PageRecord]]) -> None:
        """Keep answers."""
        self._memory.apply(put=((_PAGE + key, json.dumps(asdict(record))) for key, record in records))

    def asked_now(self, record: PageRecord) -> PageRecord:
        """Return a record as that of an answer that says the same."""
        return replace(record, crawl=self.crawl)

    @property
    def sitemaps(self) -> frozenset[str]:
        """Which sitemaps of the site were read: ``named`` ones, one by the ``guess``."""
        noted = self._memory.note(_SITEMAP) or ""
        return frozenset(noted.replace("read", "guess named").split())  # "read": any, as an earlier version noted it

    def note_sitemaps(self, sitemaps: frozenset[str]) -> None:
        """Note which it has."""
        if sitemaps != self.sitemaps:
            self._memory.apply(notes={_SITEMAP: " ".join(sorted(sitemaps)) or None})

    def end(self, sitemaps: frozenset[str]) -> None:
        """Note that the crawl came to its end, and which sitemaps the site has: the next one asks again."""
        self.note_sitemaps(sitemaps)
        self._memory.apply(notes={_CRAWL: None})


def fingerprint_of(key: str, etag: str, last_modified: str, date: str) -> str | None:
    """Return a fingerprint by what a site says of the state of an item; None where that does not tell its states apart.

    Tags of two addresses may be equal without their contents being so: the key is part of it.
    """
    if etag:
        return f"v:{short_digest(key, 'etag', etag, length=_DIGEST)}"
    changed, now = _seconds_of(last_modified), _seconds_of(date)
    if changed is None or now is None or now - changed < _SETTLED_SECONDS:
        return None
    return f"v:{short_digest(key, 'modified', last_modified, length=_DIGEST)}"


def fingerprint_of_content(key: str, digest: str) -> str:
    """Return a fingerprint by the SHA-256 of a content."""
    return f"h:{short_digest(key, digest, length=_DIGEST)}"


def is_by_content(fingerprint: str) -> bool:
    """Whether `fingerprint_of_content` made it."""
    return fingerprint.startswith("h:")


def _seconds_of(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except (TypeError, ValueError, OverflowError):
        return None
