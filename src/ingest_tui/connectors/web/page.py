"""What a page says to a reader that follows links: read in one pass, whatever is in it, without building a tree."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest_tui.extraction.intake.decoding import decode_declared
from ingest_tui.model.errors import ItemRejectedError

MOST_LINKS = 20_000
_LONGEST_VALUE, _LONGEST_TAG = 4000, 1 << 16
_ROBOTS = frozenset({"robots", "ingest-tui"})
_NO_MARKUP = "script|style|template|textarea|title|xmp"
# Each alternative ends at the end of the text where its own end is missing, so that no part is looked at twice.
_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)"
    rf"|<(?:{_NO_MARKUP})\b.*?(?:</(?:{_NO_MARKUP})|\Z)"
    r"|<(a|area|base|link|meta|frame|iframe)(?=[\s/>])"
    r"((?>(?:[^>=]+|=\s*(?:\"[^\"]*(?:\"|\Z)|'[^']*(?:'|\Z)|[^\s>]*))*))(?:>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([^\s=/>\"']+)\s*(?:=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]*)))?")
_TAG = re.compile(r"<[a-z!/?]", re.IGNORECASE)
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
_HEADER_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
_SNIFFED_BYTES = 4096


@dataclass(slots=True)
class PageFacts:
    """Addresses as they are written; those of ``links`` count from ``base``, empty for the address of the page.

    ``is_page``: there is at least one tag. ``noindex`` and ``nofollow`` are what it says to robots. ``is_cut``: there
    may be links that are not among ``links``. An address that is too long to be one has its first letters only.
    """

    links: list[str] = field(default_factory=list)
    base: str = ""
    canonical: str = ""
    noindex: bool = False
    nofollow: bool = False
    is_page: bool = False
    is_cut: bool = False


def facts_of(content: bytes, content_type: str = "") -> PageFacts:
    """Return what a page of HTML says; ``content_type`` is the header, whose charset counts before the page's own."""
    text = _text_of(content, content_type)
    facts = PageFacts(is_page=_TAG.search(text) is not None)
    for found in _TOKEN.finditer(text):
        if found[1]:
            facts.is_cut = facts.is_cut or len(found[2]) > _LONGEST_TAG
            _note(facts, found[1].lower(), dict(_attributes(found[2][:_LONGEST_TAG])))
    return facts


def robots_say(facts: PageFacts, directives: str) -> None:
    """Note what a list of directives for robots says, as in the header X-Robots-Tag."""
    words = set(re.split(r"[\s,;]+", directives.lower()))
    facts.noindex = facts.noindex or bool(words & {"noindex", "none"})
    facts.nofollow = facts.nofollow or bool(words & {"nofollow", "none"})


def _text_of(content: bytes, content_type: str) -> str:
    named = _HEADER_CHARSET.search(content_type)
    inner = _CHARSET.search(content[:_SNIFFED_BYTES])
    label = named[1] if named else inner[1].decode("ascii") if inner else ""
    try:
        return decode_declared(content, label)[0]
    except ItemRejectedError:
        return content.decode("latin-1")


def _attributes(text: str) -> Iterator[tuple[str, str]]:
    for found in _ATTRIBUTE.finditer(text):
        value = found[2] or found[3] or found[4] or ""
        yield found[1].lower(), html.unescape(value).strip()[:_LONGEST_VALUE]


def _note(facts: PageFacts, tag: str, attributes: dict[str, str]) -> None:
    address = attributes.get("href", "")
    relations = attributes.get("rel", "").lower().split()
    if tag in {"frame", "iframe"}:
        address = attributes.get("src", "")
    if tag == "meta":
        if attributes.get("name", "").lower() in _ROBOTS:
            robots_say(facts, attributes.get("content", ""))
    elif tag == "base":
        facts.base = facts.base or address
    elif tag == "link":
        if "canonical" in relations:
            facts.canonical = facts.canonical or address
        elif "next" in relations or "prev" in relations:
            _add(facts, address)
    elif "nofollow" not in relations:
        _add(facts, address)


def _add(facts: PageFacts, address: str) -> None:
    if address and len(facts.links) < MOST_LINKS:
        facts.links.append(address)
    elif address:
        facts.is_cut = True
