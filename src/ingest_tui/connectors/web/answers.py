"""What an answer says of an item: its state, and of a page where its links lead."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ingest_tui.connectors.web.addresses import LONGEST, SiteScope
from ingest_tui.connectors.web.client import AGENT, SiteAnswer
from ingest_tui.connectors.web.config import LARGEST_PAGE
from ingest_tui.connectors.web.page import PageFacts, facts_of, robots_say
from ingest_tui.connectors.web.records import PageRecord, fingerprint_of, fingerprint_of_content
from ingest_tui.connectors.web.web_errors import RequestFailedError

"""Bytes of a page that are looked at; of a file that says nothing of its state, what is compared."""
_PAGES = frozenset({"text/html", "application/xhtml+xml"})
_ENDINGS_OF_PAGES = frozenset(["asp", "aspx", "cfm", "cgi", "do", "htm", "html", "jsp", "php", "shtml", "xhtml"])


def is_page(answer: SiteAnswer) -> bool:
    """Whether it is a page of HTML, by what the site calls it."""
    return answer.media_type in _PAGES


def is_named_as_a_file(key: str) -> bool:
    """Whether an address ends as that of a file does, which leads nowhere."""
    name = key.partition("?")[0].rpartition("/")[2]
    _, dot, ending = name.rpartition(".")
    return bool(dot) and ending.lower() not in _ENDINGS_OF_PAGES


def record_of(key: str, address: str, answer: SiteAnswer, scope: SiteScope, crawl: str) -> PageRecord:
    """Return what is to be known of an answer, reading of it what that takes; raises `RequestFailedError`."""
    etag, last_modified, date = (str(answer.headers.get(name, "")) for name in ("ETag", "Last-Modified", "Date"))
    record = PageRecord(crawl, "file", "", etag, last_modified, answer.media_type, answer.size)
    if is_page(answer):
        return _page_of(record, key, address, answer, scope)
    said = PageFacts()
    _hear(said, answer)
    fingerprint = fingerprint_of(key, etag, last_modified, date)
    if fingerprint is None:
        fingerprint = fingerprint_of_content(key, ContentDigest().of(answer.pieces()))
    return replace(record, fingerprint=fingerprint, is_listed=not said.noindex)


class ContentDigest:
    """The SHA-256 of a content, or of as much of it as is compared."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._left = LARGEST_PAGE

    def add(self, piece: bytes) -> bool:
        """Take a piece; returns whether a further one counts."""
        self._hash.update(piece[: self._left])
        self._left -= min(len(piece), self._left)
        return self._left > 0

    def of(self, pieces: Iterable[bytes]) -> str:
        """Return the digest of pieces, reading no more of them than counts."""
        for piece in pieces:
            if not self.add(piece):
                break
        return self.value

    @property
    def value(self) -> str:
        """The digest of what was taken."""
        return self._hash.hexdigest()


def _page_of(record: PageRecord, key: str, address: str, answer: SiteAnswer, scope: SiteScope) -> PageRecord:
    content = answer.read(LARGEST_PAGE)
    facts = facts_of(content, str(answer.headers.get("Content-Type", "")))
    if not facts.is_page:
        what = "it is called a page and holds no tag" if content else "the page is empty"
        raise RequestFailedError(what, reason="malformed")
    _hear(facts, answer)
    base = (scope.resolve(facts.base, address) if facts.base else None) or address
    is_cut = facts.is_cut or len(content) > LARGEST_PAGE or _are_too_long([facts.base, *facts.links], base, scope)
    links = () if facts.nofollow else tuple(dict.fromkeys(_keys(facts.links, base, scope)))
    canonical = next(_keys([facts.canonical], base, scope), key) if facts.canonical else key
    return replace(
        record,
        kind="page",
        fingerprint=fingerprint_of_content(key, ContentDigest().of([content])),
        size=len(content),
        is_listed=not facts.noindex and canonical == key,
        target=canonical if canonical != key else "",
        links=links,
        is_cut=is_cut,
    )


def _are_too_long(links: Iterable[str], base: str, scope: SiteScope) -> bool:
    """Whether links that are too long for an address begin as those of the source do."""
    return any(_keys((link[: LONGEST // 2] for link in links if len(link) > LONGEST), base, scope))


def _keys(links: Iterable[str], base: str, scope: SiteScope) -> Iterator[str]:
    for link in links:
        address = scope.resolve(link, base)
        key = scope.key_of(address) if address else None
        if key is not None:
            yield key


def _hear(facts: PageFacts, answer: SiteAnswer) -> None:
    """Note what the headers X-Robots-Tag say to all robots, or to this one."""
    for said in answer.headers.getlist("X-Robots-Tag"):
        whom, colon, rest = said.partition(":")
        if not colon or whom.strip().lower() == "unavailable_after":
            robots_say(facts, said)
        elif whom.strip().lower() == AGENT:
            robots_say(facts, rest)
