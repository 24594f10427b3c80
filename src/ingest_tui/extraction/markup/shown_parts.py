"""What a browser shows of a page and html-to-markdown passes over or
takes for markup: formulas, frames written into the page, and texts in fields of several lines.

Not shown, and left out: templates, ``noscript``, what is in fields of one line, labels for screen readers, and titles
that come up under a pointer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from html import escape, unescape

from ingest_tui.extraction.markup.formulas import formula_of_tags
from ingest_tui.model.markdown_blocks import split_blocks

_MAX_FRAME_DEPTH = 4
_MAX_FRAMES = 1_000
# As in HTML, what is never closed goes to the end of the page; so each part of it is looked at once.
_ATTRIBUTES = r"(?>(?:[^>=]++|=\s*+(?:\"[^\"]*+\"?|'[^']*+'?)?)*)"
_TAG = re.compile(
    r"<!--.*?(?:-->|\Z)"
    rf"|<(script|style|textarea|title)(?=[\s>/])(?P<given>{_ATTRIBUTES})(?:>|\Z)(?P<raw>.*?)(?:</\1(?=[\s>/])|\Z)"
    rf"|<(?P<closes>/?)(?P<name>math|iframe)(?=[\s>/])(?P<attributes>{_ATTRIBUTES})(?:>|\Z)"
    rf"|</?[a-z]{_ATTRIBUTES}(?:>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_RULE_PART = re.compile(r"[{};]")
_HIDES = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_SHOWS = re.compile(r"display\s*+:\s*+(?!none)|visibility\s*+:\s*+(?!hidden)", re.IGNORECASE)
_NAME = re.compile(r"[.#][\w-]+")
_SIMPLE_SELECTOR = re.compile(r"\s*+(?:textarea)?([.#][\w-]+)\s*+\Z", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_ATTRIBUTE = re.compile(r"(?<![\w:-])([\w:-]++)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")

Convert = Callable[[str], str]


def convert_shown(html: str, convert: Convert, depth: int = 0) -> str:
    """Return what ``convert`` makes of a page, with what is written into it as formulas and frames."""
    lowered = html.lower()
    if "<math" in lowered:
        html = "".join(_with_formulas(html))
    if "<textarea" in lowered:
        html = "".join(_with_typed_texts(html))
    if "srcdoc" not in lowered or depth >= _MAX_FRAME_DEPTH:
        return convert(html)
    frames: list[str] = []
    place = f"frame{sha256(html.encode('utf-8', 'replace')).hexdigest()[:24]}x"  # which no page can have in it
    markdown = convert("".join(_with_places(html, place, frames)))
    shown = [_without_headings(convert_shown(frame, convert, depth + 1)) for frame in frames]
    places = re.compile(rf"{place}(\d{{1,4}})z")
    return "\n".join(_filled(line, places, shown) if place in line else line for line in markdown.split("\n"))


def _elements(html: str, name: str) -> Iterator[tuple[int, str, str, int]]:
    """Yield where each element begins, its attributes, what is in it and where it ends.

    One that is not closed before the next begins ends where it is opened. What only looks like one in a comment, a
    script, a style, a field or an attribute is none.
    """
    opening: re.Match[str] | None = None
    for tag in _TAG.finditer(html):
        if (tag["name"] or "").lower() != name:
            continue
        if tag["closes"]:
            if opening is not None:
                yield opening.start(), opening["attributes"], html[opening.end() : tag.start()], tag.end()
            opening = None
            continue
        if opening is not None:
            yield opening.start(), opening["attributes"], "", opening.end()
        opening = tag
    if opening is not None:
        yield opening.start(), opening["attributes"], "", opening.end()


def _with_formulas(html: str) -> Iterator[str]:
    at = 0
    for start, attributes, inner, end in _elements(html, "math"):
        if not inner:
            continue
        yield html[at:start]
        yield escape(formula_of_tags(f"<math{attributes}>{inner}"), quote=False)
        at = end
    yield html[at:]


def _with_typed_texts(html: str) -> Iterator[str]:
    """Yield a page in which the texts of fields with several lines are kept as typed; what hides them stays."""
    at = 0
    hidden, shown = _hidden_and_shown_by_styles(html)
    for tag in _TAG.finditer(html):
        if (tag[1] or "").lower() == "textarea" and tag["raw"].strip():
            attributes = tag["given"].rstrip().removesuffix("/")  # in HTML a slash closes no field
            if hidden and _is_hidden(_attributes(attributes), hidden, shown):
                yield from (html[at : tag.start()], "<i></i" if tag.end("raw") < tag.end() else "")
                at = tag.end()
                continue
            yield from (html[at : tag.start()], f"<pre{attributes}>", tag["raw"].replace("<", "&lt;"), "</pre")
            yield "" if tag.end("raw") < tag.end() else ">"
            at = tag.end()
    yield html[at:]


def _is_hidden(attributes: dict[str, str], hidden: set[str], shown: set[str]) -> bool:
    """Whether styles hide a field for sure: one that others show again is read."""
    names = _selectors_of(attributes)
    return bool(names & hidden) and not names & shown and not _SHOWS.search(attributes.get("style", ""))


def _hidden_and_shown_by_styles(html: str) -> tuple[set[str], set[str]]:
    """Return the classes (``.name``) and ids (``#name``) that the styles of a page hide, and those they may show."""
    hidden: set[str] = set()
    shown: set[str] = set()
    styles = (_COMMENT.sub("", tag["raw"]) for tag in _TAG.finditer(html) if (tag[1] or "").lower() == "style")
    for selectors, declarations, is_within in (rule for style in styles for rule in _rules(style)):
        if _SHOWS.search(declarations):
            if "textarea" in selectors.lower() and selectors.strip().lower() != "textarea":
                return set(), set()  # it may be any field
            shown.update(_NAME.findall(selectors))
        elif _HIDES.search(declarations) and not is_within:
            hidden |= {found[1] for one in selectors.split(",") if (found := _SIMPLE_SELECTOR.match(one))}
    return hidden, shown


def _rules(style: str) -> Iterator[tuple[str, str, bool]]:
    """Yield whom each rule is for, what it says, and whether it is within another, as those for some media are."""
    depth = at = 0
    selectors = ""
    for part in _RULE_PART.finditer(style):
        if part[0] == "{":
            selectors = style[at : part.start()]
            depth += 1
        elif part[0] == "}":
            if selectors:
                yield selectors, style[at : part.start()], depth > 1
            selectors = ""
            depth = max(depth - 1, 0)
        elif selectors:
            continue
        at = part.end()


def _selectors_of(attributes: dict[str, str]) -> set[str]:
    return {f"#{attributes.get('id', '')}", *(f".{name}" for name in attributes.get("class", "").split())}


def _with_places(html: str, place: str, frames: list[str]) -> Iterator[str]:
    at = 0
    for start, attributes, _inner, end in _elements(html, "iframe"):
        page = _attributes(attributes).get("srcdoc", "")
        if not page.strip() or len(frames) >= _MAX_FRAMES:
            continue
        yield html[at:start]
        yield f"<p>{place}{len(frames)}z</p>"
        frames.append(page)
        at = end
    yield html[at:]


def _filled(line: str, places: re.Pattern[str], frames: list[str]) -> str:
    """Return a line with frames in the places of them: below each other, or in one line within a table or a list."""
    if places.fullmatch(line.strip()) and not line.startswith(" "):
        return places.sub(lambda place: frames[int(place[1])].strip("\n"), line)
    return places.sub(lambda place: " ".join(frames[int(place[1])].replace("|", " ").split()), line)


def _without_headings(markdown: str) -> str:
    """Return a frame with its headings in bold: what is below the frame on the page is not below them."""
    parts: list[str] = []
    at = 0
    for block in split_blocks(markdown):
        if block.kind == "heading":
            parts += [markdown[at : block.start], f"**{block.name}**"]
            at = block.start + len(block.text)
    return "".join((*parts, markdown[at:]))


def _attributes(written: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(written):
        found.setdefault(name.lower(), unescape(double or single or bare))
    return found
