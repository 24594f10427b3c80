"""HTML to markdown with html-to-markdown: headings, lists, tables and links kept; scripts and styles dropped."""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape
from typing import Any

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.intake.decoding import decode_declared
from ingest_tui.extraction.markup.list_numbers import with_marked_numbers, with_shown_numbers
from ingest_tui.extraction.markup.literal_text import literal
from ingest_tui.extraction.markup.row_spans import with_spans_within_parts
from ingest_tui.extraction.markup.shown_parts import convert_shown
from ingest_tui.extraction.markup.table_heads import with_joined_heads, with_marked_heads
from ingest_tui.extraction.markup.xhtml import close_empty_elements, xhtml_to_html
from ingest_tui.model.errors import ProcessingError
from ingest_tui.model.extraction import Finding

_DOUBTFUL = re.compile(r"^<(?:!--|pre|script|style|textarea)|  \n[ \t]*[|:-]", re.MULTILINE | re.IGNORECASE)
_FENCE = re.compile(r"[ \t]*(`{3,})")
_HEAD_CHARACTERS = 65_536
_DECLARED_WITHIN = 4096
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_.:-]{2,40})")
_TITLE = re.compile(r"<title\b[^>]{0,500}>([^<]{1,2000})</title", re.IGNORECASE)
_LANGUAGE = re.compile(
    r"<html\b[^>]{0,1000}?\s(?:xml:)?lang\s*=\s*[\"']?([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3})", re.IGNORECASE
)


def parse(parse_input: ParseInput) -> Parsed:
    """Return an HTML page as markdown. Raises `ItemError` (``malformed``, ``unsupported_type``)."""
    text, notes, findings = decode_html(parse_input.content)
    markdown = html_to_markdown_text(text)
    if not markdown.strip() and "<div" in text and len(text) > _HEAD_CHARACTERS:
        raise ProcessingError("nested too deep to be read", code="malformed", hint="simplify the page")
    title, language = find_html_title(text), find_html_language(text)
    return Parsed(markdown, title=title, language=language, warnings=notes, findings=findings)


def decode_html(content: bytes) -> tuple[str, list[str], list[Finding]]:
    """Return the text of a page, notes and findings; read with the encoding it declares where its bytes are that."""
    declared = _CHARSET.search(content[:_DECLARED_WITHIN]) or _XML_ENCODING.match(content[:400])
    text, encoding, findings = decode_declared(content, declared[1].decode("ascii") if declared else "")
    is_noted = declared is not None and encoding != "utf-8" and not findings
    return text, [f"read as {encoding}, as the page declares"] if is_noted else [], findings


def html_to_markdown_text(text: str) -> str:
    """Return ``text`` (HTML or XHTML) as markdown. Raises `ProcessingError` (``malformed``)."""
    from html_to_markdown import _html_to_markdown as native

    options = _options()  # fails where the library is another one: that is no fault of the page
    try:
        return convert_shown(
            xhtml_to_html(text) or close_empty_elements(text),
            lambda html: _with_literal_lines(_shown_after(str(native.convert(_marked(html), options).content or ""))),
        )
    except Exception as error:
        raise ProcessingError(f"the page cannot be read: {error}"[:300], code="malformed") from error


def _marked(html: str) -> str:
    """Return a page with what its library does not know of tables and lists."""
    return with_marked_numbers(with_marked_heads(with_spans_within_parts(html)))


def _shown_after(markdown: str) -> str:
    return with_shown_numbers(with_joined_heads(markdown))


def _with_literal_lines(markdown: str) -> str:
    """Return a page with what its library leaves: lines that begin as HTML, and lines of dashes below a break."""
    if not _DOUBTFUL.search(markdown):
        return markdown
    fence = above = ""
    lines = markdown.split("\n")
    for at, line in enumerate(lines):
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1] == fence else fence
        elif mark:
            fence = mark[1]
        elif line.startswith("<") or above.endswith("  "):
            lines[at] = literal(line, keeps_quotes=True, below_text=True)
        above = line
    return "\n".join(lines)


@lru_cache(maxsize=1)
def _options() -> Any:
    """Return the options of the native module: the layer above it makes them anew for each page, in 0.1 ms."""
    from html_to_markdown import _html_to_markdown as native

    return native.ConversionOptions(
        bullets="-",
        compact_tables=True,
        extract_metadata=False,
        infer_dimensions=False,
        inline_data_media=native.InlineDataMedia.ALT_TEXT_ONLY,
        # A whole page can stand in one <form>: keep forms, and drop no part of the page on a guess.
        preprocessing=native.PreprocessingOptions(enabled=True, remove_navigation=False, remove_forms=False),
    )


def find_html_title(text: str) -> str | None:
    """Return the title of a page, or None."""
    found = _TITLE.search(text[:_HEAD_CHARACTERS])
    return " ".join(unescape(found[1]).split())[:300] or None if found else None


def find_html_language(text: str) -> str | None:
    """Return the language a page declares (``de``, ``en-GB``), or None."""
    found = _LANGUAGE.search(text[:_HEAD_CHARACTERS])
    return found[1] if found else None
