"""Markdown to elements and links, for backends whose library has no elements of its own."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from ingest_tui.model.extraction import MAX_LINKS, Element
from ingest_tui.model.links import MAX_LINK_TEXT, Link
from ingest_tui.model.markdown_blocks import Block, plain_heading, split_blocks

_TITLE_WITHIN = 8192
_TITLE_LINES = 50
_LIST_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+\S")
_LINK = re.compile(
    r"\]\((?:<([^<>\n]+)>|([^\s<>()]+(?:\([^\s<>()]*\)[^\s<>()]*)*))(?:[ \t]+[\"'][^\n]{0,500})?\)"
    r"|<((?:https?|mailto):[^\s<>]+)>"
)
_LINK_DEFINITION = re.compile(
    r"^ {0,3}\[([^\[\]\n]{1,200})\]:[ \t]*<?([^\s<>]+)>?[ \t]*(?:[\"'(][^\n]{0,500})?$", re.MULTILINE
)
_BARE_URL = re.compile(r"https?://[^\s<>\"'`|\\^{}\[\]]{1,2000}")
AROUND_HEADINGS = frozenset(("## Header", "## Footer", "## Comments"))
_MAX_LINK_CHARACTERS = 2_000
_FURTHEST_OPENING = 1_000
_TRAILING = ".,;:!?'*_"


def split_elements(markdown: str) -> list[Element]:
    """Return the blocks of ``markdown``, each with its ``category``.

    Categories: Title (with ``category_depth`` from 0), NarrativeText, ListItem, Table, CodeSnippet.
    """
    return [element for block in split_blocks(markdown) for element in _elements(block)]


def shift_headings(markdown: str, levels: int) -> str:
    """Return ``markdown`` with its headings so many levels further down, for a text that becomes part of another."""
    if "#" not in markdown and "\n=" not in markdown and "\n-" not in markdown:
        return markdown
    parts: list[str] = []
    at = 0
    for block in split_blocks(markdown):
        if block.kind == "heading":
            name = block.text.lstrip(" ").lstrip("#").strip() if block.text.lstrip(" ").startswith("#") else block.name
            parts += [markdown[at : block.start], "#" * min(block.level + levels, 6) + " " + name]
            at = block.start + len(block.text)
    return "".join((*parts, markdown[at:]))


def _elements(block: Block) -> Iterator[Element]:
    if block.kind == "heading":
        yield Element(block.name, {"category": "Title", "category_depth": block.level - 1})
    elif block.kind == "fence":
        inner = block.text.split("\n")
        closed = len(inner) > 1 and not inner[-1].strip("`~ \t")
        yield Element("\n".join(inner[1:-1] if closed else inner[1:]), {"category": "CodeSnippet"})
    elif block.kind == "table":
        yield Element(block.text, {"category": "Table"})
    else:
        yield from map(_paragraph_or_item, _list_items(block.text))


def _list_items(text: str) -> Iterator[str]:
    """Yield the paragraph of a block, and each of its list items with the lines that belong to it."""
    lines: list[str] = []
    for line in text.split("\n"):
        if lines and _LIST_ITEM.match(line):
            yield "\n".join(lines)
            lines = []
        lines.append(line)
    yield "\n".join(lines)


def _paragraph_or_item(text: str) -> Element:
    if _LIST_ITEM.match(text):
        return Element(re.sub(r"\A[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+", "", text), {"category": "ListItem"})
    return Element(text, {"category": "NarrativeText"})


def find_title(markdown: str) -> str | None:
    """Return the first heading among the first 50 lines, or None; those of what is around a text are none."""
    lines = markdown[:_TITLE_WITHIN].replace("\r\n", "\n").split("\n")[:_TITLE_LINES]
    for block in split_blocks("\n".join(lines)):
        if block.kind == "heading" and block.text not in AROUND_HEADINGS:
            return block.name[:300]
    return None


def _without_sentence_end(url: str) -> str:
    """Cut what ends the sentence, not the address: a closing bracket stays when it was opened inside."""
    url = url.rstrip(_TRAILING)
    while url.endswith(")") and url.count(")") > url.count("("):
        url = url[:-1].rstrip(_TRAILING)
    return url


def find_links(markdown: str, *, bare: bool = True) -> list[Link]:
    """Return the links of a text in order, each target once, at most `MAX_LINKS`.

    ``bare`` also takes URLs written as text. Of code blocks only these are taken: what looks like a link is code there.
    """
    found: dict[str, Link] = {}
    code = _CodeBlocks(markdown)
    for target, match in _written_targets(markdown, bare=bare):
        if len(found) >= MAX_LINKS:
            break
        if target in found or not _is_kept(target):
            continue
        if match.re is _BARE_URL or not code.holds(match.start()):
            found[target] = _link_of(target, markdown, match)
    return sorted(found.values(), key=lambda link: link.start or 0)


def _written_targets(markdown: str, *, bare: bool) -> Iterator[tuple[str, re.Match[str]]]:
    """Yield targets with where they are found: links, then definitions of links, then addresses in the text."""
    if any(_has(markdown, mark) for mark in ("](", "<http", "<mailto:")):
        for match in _LINK.finditer(markdown):
            yield match[1] or match[2] or match[3], match
    if _has(markdown, "]:"):
        for match in _LINK_DEFINITION.finditer(markdown):
            yield match[2], match
    if bare and _has(markdown, "://"):
        for match in _BARE_URL.finditer(markdown):
            yield _without_sentence_end(match[0]), match


def _has(text: str, mark: str) -> bool:
    """Whether a text holds a mark. Looking for its first letter alone takes a hundredth of the time."""
    return mark[0] in text and mark in text


def _is_kept(target: str) -> bool:
    return len(target) <= _MAX_LINK_CHARACTERS and not target.startswith("data:")


def _link_of(target: str, markdown: str, match: re.Match[str]) -> Link:
    if match.re is _LINK_DEFINITION:
        return Link(target, match[1], match.start())
    opening = _opening_bracket(markdown, match.start()) if markdown[match.start()] == "]" else -1
    if opening < 0:
        return Link(target, "", match.start())
    text = plain_heading(markdown[opening + 1 : match.start()].replace("\n", " ")).strip()
    return Link(target, text[:MAX_LINK_TEXT], opening)


def _opening_bracket(markdown: str, closing: int) -> int:
    """Return where the bracket opens that is closed here; -1 where it is not within the longest text of a link."""
    depth = 0
    for at in range(closing, max(closing - _FURTHEST_OPENING, 0) - 1, -1):
        letter = markdown[at]
        if letter == "]":
            depth += 1
        elif letter == "[":
            depth -= 1
            if depth == 0:
                return at
    return -1


class _CodeBlocks:
    """Where the code blocks of a text are; looked for when it is asked first, as few texts have both code and links."""

    def __init__(self, markdown: str) -> None:
        self._markdown = markdown
        self._spans: list[tuple[int, int]] | None = [] if not (_has(markdown, "```") or _has(markdown, "~~~")) else None

    def holds(self, offset: int) -> bool:
        """Return whether the character at ``offset`` is in a code block."""
        if self._spans is None:
            self._spans = [
                (block.start, block.start + len(block.text))
                for block in split_blocks(self._markdown)
                if block.kind == "fence"
            ]
        at = bisect_right(self._spans, (offset, len(self._markdown))) - 1
        return at >= 0 and offset < self._spans[at][1]
