"""Formulas as one line of text, with gaps between what are words, numbers and cells.

They come in MathML (W3C, presentation) and in that of Office (ECMA-376 part 1, 22.1), whose names do not overlap.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

_MAX_DEPTH = 100
_TOKENS = frozenset(("mi", "mn", "mo", "mtext", "ms", "ci", "cn", "csymbol", "t"))
_NOT_SHOWN = frozenset(("annotation", "annotation-xml", "mphantom", "mprescripts", "none", "maligngroup", "malignmark"))
_SCRIPTS = {
    "msub": "_",
    "munder": "_",
    "msup": "^",
    "mover": "^",
    "msubsup": "_^",
    "munderover": "_^",
    "ssub": "_",
    "ssup": "^",
    "ssubsup": "_^",
    "limlow": "_",
    "limupp": "^",
}
_LISTS = {"mtable": "; ", "mtr": ", ", "mlabeledtr": ", ", "m": "; ", "mr": ", ", "eqarr": "; "}
_PLACED = {"mfrac": "({0})/({1})", "mroot": "{1}√({0})", "f": "({0})/({1})", "rad": "{0}√({1})"}
_OPENING = ("(", "[", "{", "⟨")
_CLOSING = (")", "]", "}", "⟩", ",", ";", "!", "′")
_INVISIBLE = re.compile("[\u2061-\u2064\u200b]")
_WORD = re.compile(r"\w+\Z")
_VOID = frozenset(("mspace", "mprescripts", "none", "maligngroup", "malignmark", "br", "img"))
_OPENS, _CLOSES = "\ue0fa", "\ue0fb"
_NEXT_TO_FORMULA = re.compile(rf"(?<=[^\W_]){_OPENS}|{_CLOSES}(?=[^\W_]|{_OPENS})")


def formula_text(math: ET.Element) -> str:
    """Return a formula as a line: ``speed = (distance)/(time)``, ``x^2``, a matrix as ``1, 2; 3, 4``.

    What it is called (``alttext``) stands for a formula that shows nothing. Annotations are left out.
    """
    return _text(math, 0) or " ".join(math.get("alttext", "").split())


def marked_formula(math: ET.Element) -> str:
    """Return a formula for a place in a text that is still put together; `with_formulas_apart` sees its whole text."""
    return f"{_OPENS}{formula_text(math)}{_CLOSES}"


def with_formulas_apart(text: str) -> str:
    """Return a text with a gap between a formula and a word next to it, and none before a comma."""
    if _OPENS not in text:
        return text
    return _NEXT_TO_FORMULA.sub(" ", text).replace(_OPENS, "").replace(_CLOSES, "")


def formula_of_tags(tags: str) -> str:
    """Return the formula of an element as it is written in a page or a document; it need not be well-formed."""
    builder = _Builder()
    builder.feed(tags)
    return formula_text(builder.tree())


def _local(element: ET.Element) -> str:
    return str(element.tag).rpartition("}")[2].rpartition(":")[2].lower()


def _text(element: ET.Element, depth: int) -> str:  # noqa: PLR0911 one line per kind of element
    name = _local(element)
    if name in _NOT_SHOWN:
        return ""
    if name in _TOKENS or depth > _MAX_DEPTH:
        return " ".join(_INVISIBLE.sub("", "".join(element.itertext())).split())
    inner = [one for one in element if not _local(one).endswith("pr")]  # properties, in formulas of Office
    parts = [_text(one, depth + 1) for one in inner]
    if name in _LISTS:
        return _LISTS[name].join(filter(None, parts))
    if name in _PLACED and len(parts) == 2:  # noqa: PLR2004 places in each of them
        return _PLACED[name].format(*parts)
    if name in _SCRIPTS and len(parts) == len(_SCRIPTS[name]) + 1:
        marks = zip(_SCRIPTS[name], parts[1:], strict=True)
        return parts[0] + "".join(f"{mark}{_grouped(part)}" for mark, part in marks if part)
    shown = [element.text or "", *(text for one, part in zip(inner, parts, strict=True) for text in (part, one.tail))]
    line = _row([" ".join(text.split()) for text in shown if text])
    if name == "mfenced":
        return f"{element.get('open', '(')}{', '.join(filter(None, parts))}{element.get('close', ')')}"
    if name == "d":
        return f"{_sign(element, 'begchr', '(')}{', '.join(filter(None, parts))}{_sign(element, 'endchr', ')')}"
    if name == "nary" and len(parts) == 3:  # noqa: PLR2004 from, to, of what
        marks = zip("_^", parts, strict=False)
        return " ".join(
            [_sign(element, "chr", "∫") + "".join(f"{m}{_grouped(part)}" for m, part in marks if part), parts[2]]
        )
    return f"√({line})" if name == "msqrt" else line


def _sign(element: ET.Element, name: str, usual: str) -> str:
    """Return a sign that the properties of an element of Office name."""
    signs = (one for properties in element if _local(properties).endswith("pr") for one in properties)
    chosen = next((one for one in signs if _local(one) == name), None)
    return usual if chosen is None else next((value for key, value in chosen.items() if key.endswith("val")), usual)


def _grouped(script: str) -> str:
    return script if _WORD.match(script) or len(script) == 1 else f"({script})"


def _row(parts: list[str]) -> str:
    """Return what is next to each other with gaps between, but none within brackets and before signs that close."""
    line = ""
    for part in filter(None, parts):
        is_argument = part.startswith(_OPENING) and line[-1:].isalnum()
        line += part if line.endswith(_OPENING) or part.startswith(_CLOSING) or is_argument else f" {part}"
    return line.strip()


class _Builder(HTMLParser):
    """Builds a tree of tags as they come; what closes nothing is passed over."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._root = ET.Element("math")
        self._open = [self._root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag.rpartition(":")[2] == "math" and len(self._open) == 1 and not len(self._root):
            self._root.attrib.update({key: value or "" for key, value in attrs})
            return
        one = ET.SubElement(self._open[-1], tag, {key: value or "" for key, value in attrs})
        if tag not in _VOID and len(self._open) <= _MAX_DEPTH:
            self._open.append(one)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        ET.SubElement(self._open[-1], tag, {key: value or "" for key, value in attrs})

    def handle_endtag(self, tag: str) -> None:
        if any(one.tag == tag for one in self._open[1:]):
            while self._open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        parent = self._open[-1]
        if len(parent):
            parent[-1].tail = (parent[-1].tail or "") + data
        else:
            parent.text = (parent.text or "") + data

    def tree(self) -> ET.Element:
        self.close()
        return self._root
