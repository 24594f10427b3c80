"""Light markup languages to markdown: their titles become headings, their blocks of code fences; the rest stays.

Nothing that a document includes is followed.
"""

from __future__ import annotations

import re

_MAX_LEVEL = 6
_RST_UNDERLINE = re.compile(r"([=\-~^\"'`#*+:.<>_])\1{2,}[ \t]*\Z")
_ASCIIDOC_TITLE = re.compile(r"(={1,6})[ \t]+(\S.*?)(?:[ \t]+\1)?[ \t]*\Z")
_ASCIIDOC_BLOCK = re.compile(r"(-{4,}|\.{4,}|\+{4,}|/{4,}|={4,}|\*{4,}|_{4,}|```\w*|\|===)[ \t]*\Z")
_ASCIIDOC_SOURCE = re.compile(r"\[(?:source)?,[ \t]*([\w+#-]{1,20})[^\]]*\][ \t]*\Z")
_ORG_TITLE = re.compile(r"(\*+)[ \t]+(?:(?:TODO|DONE)[ \t]+)?(?:\[#\w\][ \t]+)?(\S.*?)(?:[ \t]+:[\w@:]+:)?[ \t]*\Z")
_ORG_DOCUMENT_TITLE = re.compile(r"#\+title:[ \t]*(\S.*)\Z", re.IGNORECASE)
_ORG_BEGIN = re.compile(r"[ \t]*#\+begin_(src|example)(?:[ \t]+([\w+#-]{1,20}))?.*\Z", re.IGNORECASE)
_ORG_END = re.compile(r"[ \t]*#\+end_(src|example)[ \t]*\Z", re.IGNORECASE)
_LATEX_TITLE = re.compile(
    r"[ \t]*\\(title|part|chapter|section|subsection|subsubsection|paragraph)\*?"
    r"(?:\[[^\]]*\])?\{((?:[^{}]|\{[^{}]*\})*)\}[ \t]*(?:\\label\{[^{}]*\})?[ \t]*(?:%.*)?\Z"
)
_LATEX_COMMAND = re.compile(r"\\[A-Za-z]+\*?[ \t]*|[{}~]|\\\\")
_LATEX_LEVELS = {
    "title": 1,
    "part": 1,
    "chapter": 1,
    "section": 2,
    "subsection": 3,
    "subsubsection": 4,
    "paragraph": 5,
}


def rst_to_markdown(text: str) -> str:
    """Return reStructuredText with its underlined titles as headings, by the order in which their marks first occur."""
    levels: dict[str, int] = {}
    out: list[str] = []
    for line in text.splitlines():
        mark = _RST_UNDERLINE.match(line)
        if mark and out and out[-1].strip() and not out[-1].startswith((" ", "\t", "#")):
            title = out.pop().strip()
            if out and _RST_UNDERLINE.match(out[-1]):
                out.pop()  # the overline of the same title
            level = levels.setdefault(mark[1], min(len(levels) + 1, _MAX_LEVEL))
            out += ["", "#" * level + " " + title, ""]
        else:
            out.append(line)
    return "\n".join(out).lstrip("\n")


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
        elif (block := _ASCIIDOC_BLOCK.match(line)) and block[1][0] in "-.+/" and (not out or block[1] != out[-1]):
            closing = block[1]
            out.append(f"```{language}" if closing[0] in "-." else line)
        elif title := _ASCIIDOC_TITLE.match(line):
            out += ["", "#" * len(title[1]) + " " + title[2], ""]
        elif source := _ASCIIDOC_SOURCE.match(line):
            language = source[1]
            continue
        else:
            out.append(line)
        language = ""
    if closing and closing[0] in "-.":
        out.append("```")
    return "\n".join(out).lstrip("\n")


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
        else:
            out.append(line)
    return "\n".join([*out, "```"] if in_block else out).lstrip("\n")


def latex_to_markdown(text: str) -> str:
    """Return LaTeX with its titles as headings and what is between them in fences, as it is written."""
    out: list[str] = []
    between: list[str] = []

    def close() -> None:
        body = "\n".join(between).strip("\n")
        if body.strip():
            marks = "`" * (max((len(run) for run in re.findall("`{3,}", body)), default=2) + 1)
            out.append(f"{marks}latex\n{body}\n{marks}")
        between.clear()

    for line in text.splitlines():
        title = _LATEX_TITLE.match(line)
        name = " ".join(_LATEX_COMMAND.sub(" ", title[2]).split()) if title else ""
        if title and name:
            close()
            out.append("#" * _LATEX_LEVELS[title[1]] + " " + name)
        else:
            between.append(line)
    close()
    return "\n\n".join(out)
