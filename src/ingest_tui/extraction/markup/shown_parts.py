"""What a browser shows of a page and html-to-markdown passes over: formulas, frames written into it, values of fields.

Not shown, and left out: templates, ``noscript``, labels for screen readers, and titles that come up under a pointer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import escape, unescape

from ingest_tui.extraction.markup.formulas import formula_of_tags
from ingest_tui.model.markdown_blocks import split_blocks

_MAX_FRAME_DEPTH = 4
_MAX_FRAMES = 1_000
_ATTRIBUTES = r"((?>(?:[^>=]++|=\s*+(?:\"[^\"]*+\"?|'[^']*+'?)?)*))(>?)"
"""Those of an opening, and its end. One without an end is found too, else each would be read to the end of the page."""
_OPENING = {name: re.compile(rf"<{name}(?=[\s>/]){_ATTRIBUTES}", re.IGNORECASE) for name in ("math", "iframe")}
_CLOSING = {name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in _OPENING}
_INPUT = re.compile(rf"<input(?=[\s>/]){_ATTRIBUTES}", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"(?<![\w:-])([\w:-]++)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_FIELDS = frozenset(("", "text", "search", "email", "tel", "url", "number", "date", "time", "month", "week"))
_BUTTONS = frozenset(("submit", "reset", "button"))
_PLACE = "\ue0fd{}\ue0fd"
"""Stands in a page for a frame; a character that no font of the world has a meaning for."""
_PLACES = re.compile("\ue0fd(\\d{1,4})\ue0fd")

Convert = Callable[[str], str]


def convert_shown(html: str, convert: Convert, depth: int = 0) -> str:
    """Return what ``convert`` makes of a page, with what is written into it as formulas, fields and frames."""
    lowered = html.lower()
    if "<math" in lowered:
        html = "".join(_with_formulas(html))
    if "<input" in lowered:
        html = _INPUT.sub(lambda tag: tag[0] + (escape(_value_of(tag[1]), quote=False) if tag[2] else ""), html)
    if "srcdoc" not in lowered or depth >= _MAX_FRAME_DEPTH:
        return convert(html)
    frames: list[str] = []
    markdown = convert("".join(_with_places(html, frames)))
    shown = [_without_headings(convert_shown(frame, convert, depth + 1)) for frame in frames]
    return "\n".join(_filled(line, shown) if "\ue0fd" in line else line for line in markdown.split("\n"))


def _elements(html: str, name: str) -> Iterator[tuple[re.Match[str], str, int]]:
    """Yield the openings of elements, each with what is in it and where it ends; one that is never closed is empty."""
    at = 0
    is_closed = True
    while (opening := _OPENING[name].search(html, at)) and opening[2]:
        at = opening.end()
        closing = _CLOSING[name].search(html, at) if is_closed else None
        is_closed = closing is not None
        inner = html[at : closing.start()] if closing else ""
        at = closing.end() if closing else at
        yield opening, inner, at


def _with_formulas(html: str) -> Iterator[str]:
    at = 0
    for opening, inner, end in _elements(html, "math"):
        if not inner:
            continue
        yield html[at : opening.start()]
        yield escape(formula_of_tags(f"{opening[0]}{inner}"), quote=False)
        at = end
    yield html[at:]


def _with_places(html: str, frames: list[str]) -> Iterator[str]:
    at = 0
    for opening, _inner, end in _elements(html, "iframe"):
        page = _attributes(opening[1]).get("srcdoc", "")
        if not page.strip() or len(frames) >= _MAX_FRAMES:
            continue
        yield html[at : opening.start()]
        yield f"<p>{_PLACE.format(len(frames))}</p>"
        frames.append(page)
        at = end
    yield html[at:]


def _filled(line: str, frames: list[str]) -> str:
    """Return a line with frames in the places of them: below each other, or in one line within a table or a list."""
    if _PLACES.fullmatch(line.strip()) and not line.startswith(" "):
        return _PLACES.sub(lambda place: frames[int(place[1])].strip("\n"), line)
    return _PLACES.sub(lambda place: " ".join(frames[int(place[1])].replace("|", " ").split()), line)


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


def _value_of(written: str) -> str:
    """Return what a field shows: its value, or what it asks for while it is empty."""
    attributes = _attributes(written)
    kind = attributes.get("type", "").lower()
    if kind in _BUTTONS:
        return f" {attributes.get('value', '')} "
    return f" {attributes.get('value') or attributes.get('placeholder', '')} " if kind in _FIELDS else ""
