"""Text boxes of a body of WordprocessingML, put below the paragraph that holds them as paragraphs and tables."""

from __future__ import annotations

import re

_MARK = re.compile(r"<(/?w:txbxContent|/w:p|/?w:del)(?=[\s>])[^>]*(?<!/)>")


def with_boxes_below(xml: str) -> str:
    """Return a body whose text boxes follow the paragraphs that hold them; it as it is where its marks do not match.

    Boxes in boxes, too. A box that is deleted with its run is left out.
    """
    if "<w:txbxContent" not in xml:
        return xml
    levels: list[tuple[list[str], list[str]]] = [([], [])]
    deleted = at = 0
    for mark in _MARK.finditer(xml):
        parts, boxes = levels[-1]
        name = mark[1]
        if name in ("w:del", "/w:del"):
            deleted += 1 if name == "w:del" else -1
            continue
        if name == "w:txbxContent":
            levels.append(([], []))
            parts.append(xml[at : mark.end()])
        elif name == "/w:p":
            parts += [xml[at : mark.end()], *boxes]
            boxes.clear()
        elif len(levels) == 1:
            return xml
        else:
            del levels[-1]
            shown = "".join((*parts, xml[at : mark.start()], *boxes))
            levels[-1][0].append(mark[0])
            levels[-1][1].extend([] if deleted else [shown])
        at = mark.end()
    return "".join((*levels[0][0], xml[at:], *levels[0][1])) if len(levels) == 1 else xml
