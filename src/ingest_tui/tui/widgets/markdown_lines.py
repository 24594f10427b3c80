"""Markdown as it is meant: headings, lists, tables, code and emphasis set off, without their marks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

from ingest_tui.tui.widgets.code_lines import code_lines, knows
from ingest_tui.tui.widgets.text_lines import Span, TonedLine, shown_text

if TYPE_CHECKING:
    from markdown_it.token import Token

MOST_RENDERED = 200_000
"""Characters that are rendered; the rest of a longer text is shown as it is written."""
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,}) *([\w+#.-]*)[^`]*$")
_INLINE_TONES = {"strong_open": "bold", "em_open": "italic", "link_open": "head", "s_open": "quiet"}
_RULE = "─" * 40
_QUOTE, _BULLET, _BETWEEN_CELLS = "│ ", "• ", " │ "


def written_lines(text: str) -> Iterator[TonedLine]:
    """Yield the lines of a text as they are written, with the syntax of code between fences set off."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        yield TonedLine(shown_text(lines[at]), "quiet" if fence else "")
        at += 1
        if fence is None or not knows(fence[2]):
            continue
        end = next((n for n in range(at, len(lines)) if _closes(lines[n], fence[1])), len(lines))
        if end > at:
            yield from code_lines("\n".join(lines[at:end]), fence[2])
        if end < len(lines):
            yield TonedLine(shown_text(lines[end]), "quiet")
        at = end + 1


def _closes(line: str, fence: str) -> bool:
    bare = line.strip()
    return len(bare) >= len(fence) and not bare.strip(fence[0])


def rendered_lines(text: str) -> list[TonedLine]:
    """Return the lines of Markdown as it is meant. Where links lead is shown: their words alone could deceive."""
    from markdown_it import MarkdownIt

    cut = text.rfind("\n", 0, MOST_RENDERED) if len(text) > MOST_RENDERED else len(text)
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text[:cut])
    lines = _Blocks(tokens).lines()
    return [*lines, *(TonedLine(shown_text(line)) for line in text[cut:].split("\n") if text[cut:])]


def _code_of(token: Token) -> Iterable[TonedLine]:
    return _indented(code_lines(token.content.rstrip("\n"), token.info.strip().partition(" ")[0]))


def _html_of(token: Token) -> Iterable[TonedLine]:
    return [TonedLine(shown_text(line), "quiet") for line in token.content.rstrip("\n").split("\n")]


def _rule_of(_token: Token) -> Iterable[TonedLine]:
    return [TonedLine(_RULE, "quiet")]


_STANDING = {"fence": _code_of, "code_block": _code_of, "html_block": _html_of, "hr": _rule_of}
"""The blocks that hold no others, and what makes their lines."""


class _Blocks:
    """The blocks of a text, one below another; what they are in (lists, quotes) is before each line."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._lines: list[TonedLine] = []
        self._before: list[str] = []  # of the items and quotes that are open
        self._numbers: list[int | None] = []  # of the lists that are open: the next number, None with bullets
        self._tone = ""
        self._is_tight = False

    def lines(self) -> list[TonedLine]:
        """Return all lines."""
        at = 0
        while at < len(self._tokens):
            token = self._tokens[at]
            if token.type == "table_open":
                end = next(n for n in range(at, len(self._tokens)) if self._tokens[n].type == "table_close")
                self._table(self._tokens[at:end])
                at = end
            else:
                self._block(token)
            at += 1
        while self._lines and not self._lines[-1].text.strip():
            self._lines.pop()
        return self._lines

    def _block(self, token: Token) -> None:
        kind = token.type
        if kind == "inline":
            self._add_all(inline_lines(token.children or ()))
        elif kind in _STANDING:
            self._add_all(_STANDING[kind](token))
            self._blank()
        elif kind.endswith("_open"):
            self._open(token)
        elif kind.endswith("_close"):
            self._close(kind)

    def _open(self, token: Token) -> None:
        kind = token.type
        if kind == "heading_open":
            self._tone = "head"
        elif kind == "paragraph_open":
            self._is_tight = bool(token.hidden)
        elif kind == "blockquote_open":
            self._before.append(_QUOTE)
        elif kind == "list_item_open":
            self._open_item()
        elif kind == "ordered_list_open":
            self._numbers.append(int(str(token.attrGet("start") or 1)))
        elif kind == "bullet_list_open":
            self._numbers.append(None)

    def _close(self, kind: str) -> None:
        if kind in {"list_item_close", "blockquote_close"}:
            self._before.pop()
        elif kind in {"bullet_list_close", "ordered_list_close"}:
            self._numbers.pop()
            if not self._numbers:
                self._blank()
        elif kind == "heading_close" or not self._is_tight:
            self._tone = ""
            self._blank()

    def _open_item(self) -> None:
        number = self._numbers[-1]
        mark = _BULLET if number is None else f"{number}. "
        if number is not None:
            self._numbers[-1] = number + 1
        self._before.append(mark)

    def _add(self, line: TonedLine) -> None:
        """Add a line below what it is in; the mark of an item is before its first line only."""
        before = "".join(self._before)
        self._before = [part if part == _QUOTE else " " * len(part) for part in self._before]
        tone = line.tone or self._tone
        marked = [Span(0, len(before), "quiet")] if before.strip() else []
        moved = [Span(span.start + len(before), span.end + len(before), span.tone) for span in line.spans]
        self._lines.append(TonedLine(before + line.text, tone, (*marked, *moved)))

    def _add_all(self, lines: Iterable[TonedLine]) -> None:
        for line in lines:
            self._add(line)

    def _blank(self) -> None:
        if self._lines and self._lines[-1].text.strip():
            self._lines.append(TonedLine("".join(part for part in self._before if part == _QUOTE).rstrip(), "quiet"))

    def _table(self, tokens: Sequence[Token]) -> None:
        rows: list[list[TonedLine]] = []
        for token in tokens:
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline":
                rows[-1].append(next(iter(inline_lines(token.children or ())), TonedLine("")))
        widths = [max(cell_len(row[at].text) for row in rows) for at in range(len(rows[0]))]
        for number, row in enumerate(rows):
            self._add(_table_line(row, widths, "bold" if number == 0 else ""))
            if number == 0:
                self._add(TonedLine("─┼─".join("─" * width for width in widths), "quiet"))
        self._blank()


def _table_line(row: Sequence[TonedLine], widths: Sequence[int], tone: str) -> TonedLine:
    text, spans = "", []
    for cell, width in zip(row, widths, strict=True):
        text += _BETWEEN_CELLS if text else ""
        spans += [Span(span.start + len(text), span.end + len(text), span.tone) for span in cell.spans]
        text += cell.text + " " * (width - cell_len(cell.text))
    return TonedLine(text, tone, tuple(spans))


def _indented(lines: Iterable[TonedLine]) -> Iterator[TonedLine]:
    for line in lines:
        yield TonedLine(f"  {line.text}", "", tuple(Span(one.start + 2, one.end + 2, one.tone) for one in line.spans))


def inline_lines(children: Sequence[Token]) -> list[TonedLine]:
    """Return the words of a paragraph in lines, as hard breaks part them, with emphasis, code and links set off."""
    lines: list[TonedLine] = []
    text, spans = "", list[Span]()
    opened: list[tuple[str, int, str]] = []
    for token in children:
        if token.type in _INLINE_TONES:
            opened.append((_INLINE_TONES[token.type], len(text), str(token.attrGet("href") or "")))
        elif token.type.endswith("_close") and opened:
            tone, start, target = opened.pop()
            spans.append(Span(start, len(text), tone))
            shown = shown_text(target)
            if shown and shown != text[start:]:
                spans.append(Span(len(text), len(text) + len(shown) + 3, "quiet"))
                text += f" <{shown}>"
        elif token.type == "hardbreak":
            lines.append(TonedLine(text, "", tuple(spans)))
            text, spans = "", []
            opened = [(tone, 0, target) for tone, _start, target in opened]
        else:
            word = " " if token.type == "softbreak" else shown_text(token.content)
            if token.type == "image":
                word = f"[image: {word} <{shown_text(str(token.attrGet('src') or ''))}>]"
            if token.type in {"code_inline", "image"}:
                spans.append(Span(len(text), len(text) + len(word), "code"))
            text += word
    return [*lines, TonedLine(text, "", tuple(spans))]
