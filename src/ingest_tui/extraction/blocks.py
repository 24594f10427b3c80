"""Markdown to elements and links, for backends whose library has no elements of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingest_tui.model.extraction import MAX_LINKS, Element
from ingest_tui.model.markdown_blocks import Block, split_blocks

_TITLE_WITHIN = 8192
_TITLE_LINES = 50
_LIST_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+\S")
_LINK = re.compile(
    r"\]\(<?([^\s<>()]+(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:[ \t]+[\"'][^\n]{0,500})?\)|<((?:https?|mailto):[^\s<>]+)>"
)
_BARE_URL = re.compile(r"https?://[^\s<>\"'`|\\^{}\[\]]{1,2000}")
AROUND_HEADINGS = frozenset(("## Header", "## Footer", "## Comments"))
_MAX_LINK_CHARACTERS = 2_000
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
    elif block.kind == "table" or block.text.startswith("|"):
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


def find_links(markdown: str, *, bare: bool = True) -> list[str]:
    """Return link targets in order, each once, at most `MAX_LINKS`; ``bare`` also takes URLs written as text."""
    found: dict[str, None] = {}
    if "](" in markdown or "<http" in markdown or "<mailto:" in markdown:
        for match in _LINK.finditer(markdown):
            target = match[1] or match[2]
            if len(target) <= _MAX_LINK_CHARACTERS:
                found.setdefault(target)
            if len(found) >= MAX_LINKS:
                return list(found)
    if bare and "://" in markdown:
        for match in _BARE_URL.finditer(markdown):
            url = _without_sentence_end(match[0])
            if url not in found:
                found[url] = None
            if len(found) >= MAX_LINKS:
                break
    return list(found)
