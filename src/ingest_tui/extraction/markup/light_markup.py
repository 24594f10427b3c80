"""Light markup languages to markdown: their titles become headings, their blocks of code fences; the rest stays.

Nothing that a document includes is followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import dedent
from unicodedata import east_asian_width

_MAX_LEVEL = 6
_RST_UNDERLINE = re.compile(r"([=\-~^\"'`#*+:.<>_])\1*[ \t]*\Z")
_RST_SHORTEST = 3
_RST_CODE = re.compile(
    r"([ \t]*)\.\. (?:code|code-block|sourcecode|parsed-literal|prompt|doctest)::[ \t]*([\w+#-]{0,20})[^\n]*\Z"
)
_RST_OPTION = re.compile(r"[ \t]+:[\w-]{1,40}:")
_ALMOST_HEADING = re.compile(r" {0,3}(?=#{1,6}[ \t])")
_ASCIIDOC_TITLE = re.compile(r"(={1,6})[ \t]+(\S.*?)(?:[ \t]+\1)?[ \t]*\Z")
_ASCIIDOC_BLOCK = re.compile(r"(-{4,}|\.{4,}|\+{4,}|/{4,}|={4,}|\*{4,}|_{4,}|```\w*|\|===)[ \t]*\Z")
_ASCIIDOC_UNDERLINE = re.compile(r"(=|-|~|\^|\+)\1+[ \t]*\Z")
_ASCIIDOC_LEVELS = "=-~^+"
_ASCIIDOC_OFF_BY = 2
_ASCIIDOC_SOURCE = re.compile(r"\[(?:source)?,[ \t]*([\w+#-]{1,20})[^\]]*\][ \t]*\Z")
_ORG_TITLE = re.compile(r"(\*+)[ \t]+(?:(?:TODO|DONE)[ \t]+)?(?:\[#\w\][ \t]+)?(\S.*?)(?:[ \t]+:[\w@:]+:)?[ \t]*\Z")
_ORG_DOCUMENT_TITLE = re.compile(r"#\+title:[ \t]*(\S.*)\Z", re.IGNORECASE)
_ORG_BEGIN = re.compile(r"[ \t]*#\+begin_(src|example)(?:[ \t]+([\w+#-]{1,20}))?.*\Z", re.IGNORECASE)
_ORG_END = re.compile(r"[ \t]*#\+end_(src|example)[ \t]*\Z", re.IGNORECASE)
_ORG_RULE = re.compile(r"[ \t]*\|[-+]+\|?[ \t]*\Z")
_ORG_COMMENT = re.compile(r"[ \t]*#[ \t]")
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
    """Return reStructuredText with its titles as headings and its literal blocks as fences.

    The levels are in the order in which the marks first occur; one above a title, too, is another mark.
    """
    levels: dict[tuple[str, bool], int] = {}
    out: list[str] = []
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        code = _RST_CODE.match(line)
        if code or (line.rstrip().endswith("::") and not line.lstrip().startswith(".. ")):
            out += [] if code else [line]
            at, fenced = _rst_block(lines, at, _indent(line), code[2] if code else "")
            out += fenced
        elif (mark := _RST_UNDERLINE.match(line)) and out and _is_rst_title(out[-1], line):
            title = out.pop().strip()
            has_overline = bool(out) and out[-1].rstrip() == line.rstrip()
            if has_overline:
                out.pop()
            level = levels.setdefault((mark[1], has_overline), min(len(levels) + 1, _MAX_LEVEL))
            out += ["", "#" * level + " " + title, ""]
        else:
            out.append(_no_heading(line))
    return "\n".join(out).lstrip("\n")


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
    while at < len(lines) and _RST_OPTION.match(lines[at]):
        options.append(lines[at].strip())
        at += 1
    end = at
    while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) > indent):
        end += 1
    body = "\n".join(lines[at:end]).strip("\n")
    if not body.strip():
        return end, ["", *options, ""]
    return end, ["", *options, "", fence_around(dedent(body), language), ""]


def fence_around(body: str, language: str) -> str:
    """Return lines as a fenced code block that no run of backticks in them can close."""
    marks = "`" * (max((len(run) for run in re.findall("`{3,}", body)), default=2) + 1)
    return f"{marks}{language}\n{body}\n{marks}"


def _no_heading(line: str) -> str:
    """Return a line that is no title, so that markdown takes it for none either."""
    almost = _ALMOST_HEADING.match(line)
    if almost is None:
        return line
    return "    " + line.lstrip(" ") if almost[0] else "\\" + line


def asciidoc_to_markdown(text: str) -> str:
    """Return AsciiDoc with its titles as headings and its listings as fences."""
    out: list[str] = []
    closing = ""
    language = ""
    for line in text.splitlines():
        if closing:
            is_end = line.rstrip() == closing
            out.append("```" if is_end and closing[0] in "-." else line)
            closing = "" if is_end else closing
        elif _is_asciidoc_underline(line, out):
            out[-1:] = ["", "#" * (_ASCIIDOC_LEVELS.index(line[0]) + 1) + " " + out[-1].strip(), ""]
        elif (block := _ASCIIDOC_BLOCK.match(line)) and block[1][0] in "-.+/" and (not out or block[1] != out[-1]):
            closing = block[1]
            out.append(f"```{language}" if closing[0] in "-." else line)
        elif title := _ASCIIDOC_TITLE.match(line):
            out += ["", "#" * len(title[1]) + " " + title[2], ""]
        elif source := _ASCIIDOC_SOURCE.match(line):
            language = source[1]
            continue
        else:
            out.append(_no_heading(line) if line.startswith(" ") else line)
        language = ""
    if closing and closing[0] in "-.":
        out.append("```")
    return "\n".join(out).lstrip("\n")


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
    in_block = False
    for line in lines:
        if in_block:
            in_block = not _ORG_END.match(line)
            out.append(line if in_block else "```")
        elif begin := _ORG_BEGIN.match(line):
            in_block = True
            out.append(f"```{begin[2] or ''}")
        elif title := _ORG_DOCUMENT_TITLE.match(line):
            out += [f"# {title[1]}", ""]
        elif headline := _ORG_TITLE.match(line):
            out += ["", "#" * min(len(headline[1]) + below, _MAX_LEVEL) + " " + headline[2], ""]
        elif _ORG_COMMENT.match(line):
            out.append(_no_heading(line))
        else:
            out.append(line.replace("+", "|") if _ORG_RULE.match(line) else line)
    return "\n".join([*out, "```"] if in_block else out).lstrip("\n")


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
    """Return LaTeX with its titles as headings and what is between them in fences, as it is written."""
    out: list[str] = []
    between: list[str] = []

    def close() -> None:
        body = "\n".join(between).strip("\n")
        if body.strip():
            out.append(fence_around(body, "latex"))
        between.clear()

    for line in _with_whole_titles(text.splitlines()):
        at = 0
        while (title := _LATEX_TITLE.match(line, at)) and (name := " ".join(_LATEX_COMMAND.sub(" ", title[2]).split())):
            close()
            out.append("#" * _LATEX_LEVELS[title[1]] + " " + name)
            at = title.end()
        between.append(line[at:])
    close()
    return "\n\n".join(out)
