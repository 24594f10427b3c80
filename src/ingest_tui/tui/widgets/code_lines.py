"""Code with its syntax set off. The library for that is loaded when there is code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ingest_tui.tui.widgets.text_lines import Span, TonedLine, shown_text

if TYPE_CHECKING:
    from textual.content import Content

MOST_CODE = 100_000
"""Characters that are looked at; the rest of longer code is shown as it is."""
_LANGUAGES = frozenset((
    "bash", "c", "c++", "cpp", "cs", "csharp", "css", "diff", "docker", "dockerfile", "go", "groovy", "haskell",
    "hcl", "html", "ini", "java", "javascript", "js", "json", "jsonc", "jsx", "kotlin", "latex", "lua", "make",
    "makefile", "markdown", "md", "nginx", "perl", "php", "powershell", "properties", "py", "python", "r", "rb", "rs",
    "rst", "ruby", "rust", "scala", "sh", "shell", "sql", "swift", "tex", "toml", "ts", "tsx", "typescript", "xml",
    "yaml", "yml", "zsh",
))  # fmt: skip
"""What a document may name: lexers are chosen by what is written in it, and some take long over hostile input."""
_TONES = (("$text-success", "good"), ("$text-accent", "head"), ("$text-warning", "code"), ("60%", "quiet"))
"""From the styles of the library to the tones of a text, so that the contrast of all themes holds."""


def knows(language: str) -> bool:
    """Tell whether the syntax of a language is set off."""
    return language.lower() in _LANGUAGES


def code_lines(code: str, language: str) -> list[TonedLine]:
    """Return the lines of a piece of code; of an unknown language as they are."""
    lines = [shown_text(line) for line in code.split("\n")]
    if not knows(language):
        return [TonedLine(line) for line in lines]
    return [TonedLine(line, "", tuple(spans)) for line, spans in zip(lines, _spans(lines, language), strict=True)]


def _spans(lines: Sequence[str], language: str) -> list[list[Span]]:
    from textual.highlight import highlight

    found: list[list[Span]] = [[] for _line in lines]
    code = "\n".join(lines)
    head = code[:MOST_CODE]
    content = highlight(head, language=language.lower(), tab_size=1)
    if content.plain == head:  # else what the library counts is something else than what is shown
        _put(found, lines, _toned(content))
    return found


def _toned(content: Content) -> Iterator[Span]:
    for start, end, style in content.spans:
        tone = next((tone for part, tone in _TONES if part in str(style)), "")
        if tone:
            yield Span(start, end, tone)


def _put(found: list[list[Span]], lines: Sequence[str], spans: Iterator[Span]) -> None:
    """Share spans of the whole text out to the lines that they are on; they come in their order."""
    number, begins = 0, 0
    for span in spans:
        while span.start > begins + len(lines[number]):
            begins += len(lines[number]) + 1
            number += 1
        at, line_begins = number, begins
        while at < len(lines) and span.end > line_begins:
            start, end = max(0, span.start - line_begins), min(len(lines[at]), span.end - line_begins)
            if start < end:
                found[at].append(Span(start, end, span.tone))
            line_begins += len(lines[at]) + 1
            at += 1
