"""Light markup languages to markdown: their titles become headings, their blocks of code fences, their tables tables.

Nothing that a document includes is followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import dedent
from unicodedata import east_asian_width

from ingest_tui.extraction.markup.asciidoc_tables import asciidoc_table
from ingest_tui.extraction.markup.latex_tables import split_at_tabulars
from ingest_tui.extraction.markup.literal_text import fence_around, heading, literal
from ingest_tui.extraction.markup.org_tables import org_table
from ingest_tui.extraction.markup.rst_tables import rst_table, simple_ends

_MAX_LEVEL = 6
_RST_UNDERLINE = re.compile(r"([=\-~^\"'`#*+:.<>_])\1*[ \t]*\Z")
_RST_SHORTEST = 3
_RST_CODE = re.compile(
    r"([ \t]*)\.\. (?:code|code-block|sourcecode|parsed-literal|prompt|doctest)::[ \t]*([\w+#-]{0,20})[^\n]*\Z"
)
_RST_OPTION = re.compile(r"[ \t]+:[\w-]{1,40}:")
_ASCIIDOC_TITLE = re.compile(r"(={1,6})[ \t]+(\S.*?)(?:[ \t]+\1)?[ \t]*\Z")
_ASCIIDOC_MARKDOWN_TITLE = re.compile(r"#{1,6}[ \t]+\S")
_ASCIIDOC_BLOCK = re.compile(r"(-{4,}|\.{4,}|\+{4,}|/{4,}|={4,}|\*{4,}|_{4,}|```\w*|\|===)[ \t]*\Z")
_ASCIIDOC_UNDERLINE = re.compile(r"(=|-|~|\^|\+)\1+[ \t]*\Z")
_ASCIIDOC_LEVELS = "=-~^+"
_ASCIIDOC_OFF_BY = 2
_ASCIIDOC_SOURCE = re.compile(r"\[(?:source)?,[ \t]*([\w+#-]{1,20})[^\]]*\][ \t]*\Z")
_ORG_TITLE = re.compile(r"(\*+)[ \t]+(?:(?:TODO|DONE)[ \t]+)?(?:\[#\w\][ \t]+)?(\S.*?)(?:[ \t]+:[\w@:]+:)?[ \t]*\Z")
_ORG_DOCUMENT_TITLE = re.compile(r"#\+title:[ \t]*(\S.*)\Z", re.IGNORECASE)
_ORG_BEGIN = re.compile(r"[ \t]*#\+begin_(src|example)(?:[ \t]+([\w+#-]{1,20}))?.*\Z", re.IGNORECASE)
_ORG_END = re.compile(r"[ \t]*#\+end_(src|example)[ \t]*\Z", re.IGNORECASE)
_ORG_COMMA = re.compile(r"\A([ \t]*),(?=,*(?:\*|#\+))")
_LATEX_TITLE = re.compile(
    r"[ \t]*\\(title|part|chapter|section|subsection|subsubsection|paragraph|frametitle)\*?"
    r"(?:\[[^\]]*\])?\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}[ \t]*(?:\\label\{[^{}]*\})?[ \t]*(?:%.*\Z)?"
)
_LATEX_TITLE_BEGINS = re.compile(
    r"[ \t]*\\(?:title|part|chapter|section|subsection|subsubsection|paragraph|frametitle)\*?(?:\[[^\]]*\])?\{"
)
_MAX_TITLE_LINES = 6
_LATEX_COMMAND = re.compile(r"\\[A-Za-z]+\*?[ \t]*|[{}~]|\\\\")
_LATEX_LEVELS = {
    "title": 1,
    "part": 1,
    "chapter": 1,
    "section": 2,
    "subsection": 3,
    "subsubsection": 4,
    "paragraph": 5,
    "frametitle": 3,
}


def rst_to_markdown(text: str) -> str:
    """Return reStructuredText with its titles as headings, its literal blocks as fences, and its tables.

    The levels are in the order in which the marks first occur; one above a title, too, is another mark.
    """
    levels: dict[tuple[str, bool], int] = {}
    out: list[str] = []
    lines = text.splitlines()
    ends = simple_ends(lines)
    at = 0
    while at < len(lines):
        line = lines[at]
        if table := rst_table(lines, at, ends):
            out += ["", table.markdown, ""]
            at = table.end
            continue
        at += 1
        code = _RST_CODE.match(line)
        if code or (line.rstrip().endswith("::") and not line.lstrip().startswith(".. ")):
            out += [] if code else [line]
            at, fenced = _rst_block(lines, at, _indent(line), code[2] if code else "")
            out += fenced
        elif line.lstrip().startswith(">>> "):
            end = next((number for number in range(at, len(lines)) if not lines[number].strip()), len(lines))
            out += ["", fence_around(dedent("\n".join(lines[at - 1 : end])), "python"), ""]
            at = end
        elif (mark := _RST_UNDERLINE.match(line)) and out and _is_rst_title(out[-1], line):
            title = out.pop().strip()
            has_overline = bool(out) and out[-1].rstrip() == line.rstrip()
            if has_overline:
                out.pop()
            level = levels.setdefault((mark[1], has_overline), min(len(levels) + 1, _MAX_LEVEL))
            out += ["", heading(level, title), ""]
        else:
            out.append(_text_line(line, out))
    return "\n".join(out).lstrip("\n")


def _text_line(line: str, above: list[str], *, keeps_quotes: bool = False) -> str:
    return literal(line, keeps_quotes=keeps_quotes, below_text=bool(above and above[-1]))


def _is_rst_title(title: str, underline: str) -> bool:
    if not title.strip() or title.startswith(("    ", "\t", "#")):
        return False
    return len(underline.rstrip()) >= min(_RST_SHORTEST, _columns(title)) and not _RST_UNDERLINE.match(title)


def _columns(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text.rstrip())


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _rst_block(lines: list[str], at: int, indent: int, language: str) -> tuple[int, list[str]]:
    """Return where the lines below that are indented further end, and they in a fence, their options above it."""
    options: list[str] = []
    indent_of_options = _indent(lines[at]) if at < len(lines) else 0
    while at < len(lines) and (
        _RST_OPTION.match(lines[at]) or (options and lines[at].strip() and _indent(lines[at]) > indent_of_options)
    ):
        options.append(lines[at].strip())
        at += 1
    end = at
    while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) > indent):
        end += 1
    body = "\n".join(lines[at:end]).strip("\n")
    if not body.strip():
        return end, ["", *options, ""]
    return end, ["", *options, "", fence_around(dedent(body), language), ""]


def asciidoc_to_markdown(text: str) -> str:
    """Return AsciiDoc with its titles as headings, its listings as fences, and its tables."""
    out: list[str] = []
    lines = text.splitlines()
    language = ""
    at = 0
    while at < len(lines):
        line = lines[at]
        attributes = _attributes_above(out) if line[:1] in "|,:" else ""
        if table := asciidoc_table(lines, at, attributes):
            if attributes:
                out.remove(attributes)
            out += ["", table.markdown, ""]
            at = table.end
            continue
        at += 1
        if _is_asciidoc_underline(line, out):
            out[-1:] = ["", heading(_ASCIIDOC_LEVELS.index(line[0]) + 1, out[-1].strip()), ""]
        elif (block := _ASCIIDOC_BLOCK.match(line)) and block[1][0] in "-.+/`" and (not out or block[1] != out[-1]):
            at, shown = _asciidoc_block(lines, at, language)
            out += shown
        elif title := _ASCIIDOC_TITLE.match(line):
            out += ["", heading(len(title[1]), title[2]), ""]
        elif source := _ASCIIDOC_SOURCE.match(line):
            language = source[1]
            continue
        else:
            is_title = _ASCIIDOC_MARKDOWN_TITLE.match(line) is not None
            out.append(line if is_title else _text_line(line, out, keeps_quotes=True))
        language = ""
    return "\n".join(out).lstrip("\n")


def _attributes_above(out: list[str]) -> str:
    """Return the line in brackets that says how a table is written, right above it or above its title."""
    above = [line for line in out[-2:] if line.startswith("[") and line.endswith("]")]
    return above[-1] if above and (out[-1] == above[-1] or out[-1].startswith(".")) else ""


def _asciidoc_block(lines: list[str], at: int, language: str) -> tuple[int, list[str]]:
    """Return where the block ends whose edge is above ``at``, and what is shown of it: a listing as a fence."""
    edge = lines[at - 1].rstrip()
    closing = "```" if edge.startswith("```") else edge
    end = next((number for number in range(at, len(lines)) if lines[number].rstrip() == closing), len(lines))
    body = lines[at:end]
    if edge[0] in "-.`":
        return end + 1, [fence_around("\n".join(body), edge.strip("`") if edge[0] == "`" else language)]
    return end + 1, [literal("\n".join(lines[at - 1 : end + 1]))]


def _is_asciidoc_underline(line: str, above: list[str]) -> bool:
    """Say whether a line is below a title of about its length; else it is the edge of a block."""
    if not above or not _ASCIIDOC_UNDERLINE.match(line) or not above[-1][:1].isalnum():
        return False
    is_alone = len(above) < 2 or not above[-2].strip()  # noqa: PLR2004 the line above the title
    return is_alone and abs(len(line.rstrip()) - _columns(above[-1])) <= _ASCIIDOC_OFF_BY


def org_to_markdown(text: str) -> str:
    """Return Org with its headlines as headings, below its title where it has one, and its source blocks as fences."""
    lines = text.splitlines()
    below = int(any(_ORG_DOCUMENT_TITLE.match(line) for line in lines[:50]))
    out: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if line.lstrip().startswith("|"):
            table = org_table(lines, at)
            out += ["", table.markdown, ""]
            at = table.end
            continue
        at += 1
        if begin := _ORG_BEGIN.match(line):
            end = next((number for number in range(at, len(lines)) if _ORG_END.match(lines[number])), len(lines))
            body = "\n".join(_ORG_COMMA.sub(r"\1", one) for one in lines[at:end])
            out.append(fence_around(body, begin[2] or ""))
            at = end + 1
        elif title := _ORG_DOCUMENT_TITLE.match(line):
            out += [heading(1, title[1]), ""]
        elif headline := _ORG_TITLE.match(line):
            out += ["", heading(min(len(headline[1]) + below, _MAX_LEVEL), headline[2]), ""]
        else:
            out.append(_text_line(_ORG_COMMA.sub(r"\1", line), out))
    return "\n".join(out).lstrip("\n")


def _with_whole_titles(lines: list[str]) -> Iterator[str]:
    """Yield lines; a title that goes on over the next ones is one line."""
    at = 0
    while at < len(lines):
        whole, used = lines[at], 1
        while used < _MAX_TITLE_LINES and whole.count("{") > whole.count("}") and _LATEX_TITLE_BEGINS.match(whole):
            more = lines[at + used].strip() if at + used < len(lines) else ""
            if not more:
                break
            whole, used = f"{whole.rstrip('%')} {more}", used + 1
        is_whole = whole.count("{") <= whole.count("}")
        yield whole if is_whole else lines[at]
        at += used if is_whole else 1


def latex_to_markdown(text: str) -> str:
    """Return LaTeX with its titles as headings, its tables, and what is between in fences, as it is written."""
    out: list[str] = []
    between: list[str] = []

    def close() -> None:
        body = "\n".join(between).strip("\n")
        for before, table in split_at_tabulars(body) if body.strip() else ():
            out.extend([fence_around(before.strip("\n"), "latex")] if before.strip() else [])
            out.extend([table] if table else [])
        between.clear()

    for line in _with_whole_titles(text.splitlines()):
        at = 0
        while (title := _LATEX_TITLE.match(line, at)) and (name := " ".join(_LATEX_COMMAND.sub(" ", title[2]).split())):
            close()
            out.append(heading(_LATEX_LEVELS[title[1]], name))
            at = title.end()
        between.append(line[at:])
    close()
    return "\n\n".join(out)
