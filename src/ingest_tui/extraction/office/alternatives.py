"""Alternative content (ECMA-376 part 3) in the text of a part: of paragraphs, tables and boxes only what is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_MAX_DEPTH = 20
_TAG = re.compile(r"<(/?)mc:(AlternateContent|Choice|Fallback)\b[^>]*?(/?)>")
_BEGINS_WITH_BLOCK = re.compile(r"(?:\s*<mc:(?:AlternateContent|Choice)\b[^>]*>)*\s*<w:(?:p|tbl|sdt)[ >]")
_TEXT_BOX = "<w:txbxContent"
_HAS_TEXT = re.compile(r"<w:t(?: [^>]*)?>\s*[^<\s]")


@dataclass(slots=True)
class _Alternatives:
    """One element with alternatives: where it begins, and what is within each branch."""

    start: int
    branches: list[tuple[int, int]] = field(default_factory=list)
    branch_start: int = -1


def with_one_alternative(xml: str) -> str:
    """Return a part in which alternatives of whole paragraphs, tables or text boxes have given way to the one shown.

    That is the first one with a text, else the first. What else is within a run is left to who reads it.
    """
    cuts: list[tuple[int, int]] = []
    stack: list[_Alternatives] = []
    for tag in _TAG.finditer(xml):
        closes, name, is_empty = tag[1], tag[2], tag[3]
        if is_empty:
            continue
        if name == "AlternateContent" and not closes:
            stack.append(_Alternatives(tag.start()))
        elif not stack:
            break  # it is not well formed
        elif name == "AlternateContent":
            done = stack.pop()
            if len(stack) < _MAX_DEPTH:
                cuts += _cuts_of(xml, done, tag.end())
        elif closes:
            stack[-1].branches.append((stack[-1].branch_start, tag.start()))
        else:
            stack[-1].branch_start = tag.end()
    parts: list[str] = []
    at = 0
    for start, end in sorted(cuts):
        if end > at:
            parts.append(xml[at : max(start, at)])
            at = end
    return "".join((*parts, xml[at:]))


def _cuts_of(xml: str, found: _Alternatives, end: int) -> list[tuple[int, int]]:
    """Return what has to go of one element, from its beginning to ``end``; nothing where no branch has blocks."""
    has_boxes = any(xml.find(_TEXT_BOX, *branch) >= 0 for branch in found.branches)
    blocks = [branch for branch in found.branches if has_boxes or _BEGINS_WITH_BLOCK.match(xml, branch[0])]
    if not blocks:
        return []
    shown = next((branch for branch in blocks if _HAS_TEXT.search(xml, *branch)), blocks[0])
    return [(found.start, shown[0]), (shown[1], end)]
