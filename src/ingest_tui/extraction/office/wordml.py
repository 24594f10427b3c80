"""WordprocessingML as text: edits that make a document of Word read as it is shown, and the text of its smaller parts.

The body of a document is edited as text, and only where it holds what is edited: a second parse of it costs more than
reading it. The edits expect the prefix ``w``, which `normalised` sees to.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from xml.etree import ElementTree as ET

from ingest_tui.extraction.markup.formulas import formula_of_tags, marked_formula, with_formulas_apart
from ingest_tui.extraction.markup.literal_text import labelled, literal
from ingest_tui.extraction.office.alternatives import with_one_alternative
from ingest_tui.extraction.office.ooxml import attribute, child, children, descendants, local, refuse_entities
from ingest_tui.extraction.office.symbol_fonts import decode_symbols, is_symbol_font
from ingest_tui.extraction.office.text_boxes import with_boxes_below
from ingest_tui.extraction.office.word_heads import with_marked_heads
from ingest_tui.extraction.office.word_text import TEXT_MARK
from ingest_tui.extraction.tables.table import pipe_table

PLACE = "\ue0ff{}\ue0ff"
"""Stands in the body where another part is shown; a character that no font of the world has a meaning for."""
PLACES = re.compile("\ue0ff(\\d{1,6})\ue0ff")

_LOOKS_LIKE_MARK = re.compile(r"(<w:t\b[^>]*>[ \t]*)(?=[#|>~`*+\d-]|&gt;|&lt;)")
_BEGINS_IN_FORMAT = re.compile(
    r"(<w:p(?: [^<>]*+)?>\s*+(?:<w:pPr>(?>(?:[^<]++|<(?!/?w:(?:pPr|p|r)\b))*)</w:pPr>\s*+)?)"
    r"(?=<w:r(?: [^<>]*+)?>\s*+<w:rPr>(?>(?:[^<]++|<(?!/?w:(?:rPr|r|p|b|i|strike)\b))*)<w:(?:b|i|strike)\b)"
)
_FORMULA = re.compile(r"<m:(oMath|oMathPara)\b[^>]*(?<!/)>(?>(?:[^<]++|<(?!/?m:\1\b))*)</m:\1>", re.DOTALL)
_LETTER_AFTER = re.compile(r"<w:t(?: [^>]*)?>(.)|</w:p>|<m:oMath\b|<w:(?:tab|br)\b", re.DOTALL)
_NEAR_FORMULA = 2_000
_NAMESPACES = re.compile(r'xmlns(?::([\w.-]+))?\s*=\s*["\'][^"\']*/wordprocessingml/(?:2006/)?main["\']')
_STRICT = re.compile(r"http://purl\.oclc\.org/ooxml/(\w+)/(\w+)")
_TAG = re.compile(r"<[^<>!?][^<>]*>")
_ENCODING = re.compile(r"\A\ufeff?\s*<\?xml[^>]*\?>")
_MOVED_AWAY = ("<w:moveFrom ", "</w:moveFrom>")
_COMMENT_MARKS = re.compile(r"<w:comment(?:Reference|RangeStart|RangeEnd)\b[^>]*>")
_NOTE_MARK = re.compile(r"<w:(foot|end)noteReference\b[^>]*?\bw:id=[\"'](-?\d+)[\"'][^>]*>")
_SYMBOL = re.compile(r"<w:sym\b[^>]*>")
_FONT = re.compile(r"w:(?:font|ascii|hAnsi)=[\"']([^\"']*)[\"']")
_CHARACTER = re.compile(r"w:char=[\"']([0-9A-Fa-f]{1,4})[\"']")
_SYMBOL_RUN = re.compile(
    r"(<w:rPr>(?:(?!</w:rPr>).){0,4000}<w:rFonts\b[^>]*(?:Symbol|dings)[^>]*>(?:(?!</w:rPr>).){0,4000}</w:rPr>)"
    r"((?:(?!</w:r>).){0,50000})",
    re.DOTALL,
)
_RUN_TEXT = re.compile(r"(<w:t\b[^>]*>)([^<]*)")
_OTHER_DOCUMENT = re.compile(r"<w:altChunk\b[^>]*?\br:id=[\"']([^\"']*)[\"'][^>]*>")
_GRAPHIC = re.compile(r"<(?:\w+:)?(?:chart|relIds)\b[^>]*?\br:(?:id|dm)=[\"']([^\"']*)[\"'][^>]*>")
_BREAK = re.compile(r"<w:(?:cr|ptab)\b[^>]*/>|<w:br\b[^>]*w:type=[\"']page[\"'][^>]*/>")
_RUBY = re.compile(
    r"<w:rt>((?:(?!</w:rt>).){0,5000})</w:rt>\s*<w:rubyBase>((?:(?!</w:rubyBase>).){0,5000})</w:rubyBase>", re.DOTALL
)
_WORD_ART = re.compile(r"<v:textpath\b[^>]*?\bstring=\"([^\"<]*)\"[^>]*>")
_WORD_ART_END = re.compile(r"</w:(?:pict|object)>")
_FORM_FIELD = re.compile(
    r"<w:fldChar\b[^>]*>\s*<w:ffData>((?:(?!</w:ffData>).){0,20000})</w:ffData>\s*</w:fldChar>", re.DOTALL
)
_CHOSEN = re.compile(r"<w:result\b[^>]*w:val=[\"'](\d{1,4})[\"']")
_CHOICE = re.compile(r"<w:listEntry\b[^>]*w:val=(?:\"([^\"<]*)\"|'([^'<]*)')")
_TICK = re.compile(r"<w:checked\b([^>]*)/?>")
_OFF = re.compile(r"w:val=[\"'](?:0|false|off)[\"']")
_TICK_AT_FIRST = re.compile(r"<w:default\b([^>]*)/?>")
_MAX_RUN = 10_000
_MAX_SPAN = 63
"""Most columns of a table in Word."""
_HIDDEN = re.compile(r"<w:vanish\b(?![^>]*w:val=[\"'](?:0|false|off)[\"'])[^>]*/>")
_RUN_BEGINS = ("<w:r>", "<w:r ")
_NESTED_RUN = re.compile(r"<w:r[ >]")
_DRAWING_END = "</w:drawing>"
_RUN_END = re.compile(r"</w:t>\s*</w:r>")
_TO_NEXT_TEXT = re.compile(r"((?:\s*<(?!w:t[ >]|/w:p>|w:(?:tab|br|cr)\b)[^>]*>){1,200}?)\s*<w:t\b[^>]*>")
_EMPHASIS = re.compile(r"<w:(b|i|u|strike|dstrike|highlight|vertAlign)\b([^>]*)/>")


def normalised(content: bytes) -> str:
    """Return a part as text with the prefix ``w`` and transitional namespaces.

    Raises `ItemRejectedError` (``unsafe_xml``) and `ValueError` for bytes that are no text.
    """
    refuse_entities(content)
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    text = content.decode(encoding)
    if encoding == "utf-16":
        text = _ENCODING.sub("", text)
    if "purl.oclc.org" in text:
        text = _STRICT.sub(r"http://schemas.openxmlformats.org/\1/2006/\2", text)
    prefix = next((match[1] or "" for match in _NAMESPACES.finditer(text[:20_000])), "w")
    return text if prefix == "w" else _with_prefix(text, prefix)


def _with_prefix(text: str, prefix: str) -> str:
    if not prefix:
        text = re.sub(r"<(/?)([A-Za-z_][\w.-]*)(?=[\s/>])", r"<\1w:\2", text)
        return text.replace("xmlns=", "xmlns:w=", 1) if "xmlns:w=" not in text else text
    names = re.compile(rf"(?<=[<\s/:]){re.escape(prefix)}(?=[:=])")
    return _TAG.sub(lambda tag: names.sub("w", tag[0]), text)


class NoteNumbers:
    """The notes in the order in which they are referred to: their own number → the one that is shown."""

    def __init__(self) -> None:
        self.shown: dict[str, dict[str, str]] = {"foot": {}, "end": {}}

    def mark(self, match: re.Match[str]) -> str:
        """Return the mark of a reference as a text of the body."""
        numbers = self.shown[match[1]]
        label = numbers.setdefault(match[2], f"{'e' if match[1] == 'end' else ''}{len(numbers) + 1}")
        return f"<w:t>[^{label}]</w:t>"


def edited_body(xml: str, notes: NoteNumbers, place: Callable[[str], str]) -> str:
    """Return the body as it is shown: moved text once, marks of notes that match, letters of symbol fonts, whole words.

    ``place(relationship)`` returns what stands for another part that is shown there: a `PLACE`, or nothing.
    """
    xml = with_boxes_below(_without_what_is_not_shown(xml))
    if "noteReference" in xml:
        xml = _NOTE_MARK.sub(notes.mark, xml)
    if "<w:sym" in xml:
        xml = _SYMBOL.sub(lambda tag: f"<w:t>{escape(symbol_of(tag[0]), quote=False)}</w:t>", xml)
    if '"Symbol"' in xml or 'dings"' in xml:
        xml = _SYMBOL_RUN.sub(_symbol_run, xml)
    if "<w:ffData" in xml:
        xml = _FORM_FIELD.sub(lambda field: _shown_by_field(field[1]) + field[0], xml)
    if "<w:altChunk" in xml:
        xml = _OTHER_DOCUMENT.sub(lambda tag: f"<w:p><w:r><w:t>{place(tag[1])}</w:t></w:r></w:p>{tag[0]}", xml)
    if "<m:oMath" in xml:
        xml = _FORMULA.sub(_formula_run, xml)
    if ":chart" in xml or ":relIds" in xml:
        xml = _with_graphics(xml, place)
    if "<w:ruby>" in xml:
        xml = _RUBY.sub(r"\2<w:r><w:t xml:space='preserve'> (</w:t></w:r>\1<w:r><w:t>)</w:t></w:r>", xml)
    if "textpath" in xml:
        xml = _with_word_art(xml)
    return _with_marks_of_text(_with_whole_words(_BREAK.sub("<w:br/>", with_marked_heads(xml))))


def _with_marks_of_text(xml: str) -> str:
    """Mark the texts that would be taken for marks, and paragraphs in a format: of several xberg would make one."""
    if _EMPHASIS.search(xml):
        xml = _BEGINS_IN_FORMAT.sub(rf"\1<w:r><w:t>{TEXT_MARK}</w:t></w:r>", xml)
    return _LOOKS_LIKE_MARK.sub(rf"\1{TEXT_MARK}", xml)


def _formula_run(formula: re.Match[str]) -> str:
    """Return a formula as a run, apart from a word or a formula next to it."""
    xml, start, end = formula.string, formula.start(), formula.end()
    before = " " * _has_word_before(xml, start)
    below = _LETTER_AFTER.search(xml, end, end + _NEAR_FORMULA)
    after = " " * (below is not None and (below[1] or "").isalnum())
    return f"<w:r><w:t xml:space='preserve'>{before}{escape(formula_of_tags(formula[0]))}{after}</w:t></w:r>"


def _has_word_before(xml: str, at: int) -> bool:
    """Whether a formula or a letter is right before a place in a paragraph."""
    near = max(0, at - _NEAR_FORMULA)
    text, formula = (xml.rfind(end, near, at) for end in ("</w:t>", "</m:oMath>"))
    gap = max(xml.rfind(tag, near, at) for tag in ("</w:p>", "<w:tab", "<w:br"))
    return max(text, formula) > gap and (formula > text or xml[text - 1].isalnum())


def _shown_by_field(definition: str) -> str:
    """Return what a drop-down or tick box of a form shows as a text; what is typed in is a text of the body."""
    if "<w:ddList" in definition:
        choices = [double or single for double, single in _CHOICE.findall(definition)]
        number = int(chosen[1]) if (chosen := _CHOSEN.search(definition)) else 0
        return f"<w:t>{choices[number]}</w:t>" if number < len(choices) else ""
    if "<w:checkBox" in definition:
        state = _TICK.search(definition) or _TICK_AT_FIRST.search(definition)
        return f"<w:t>{'☒' if state and not _OFF.search(state[1]) else '☐'}</w:t>"
    return ""


def _without_what_is_not_shown(xml: str) -> str:
    if _MOVED_AWAY[0] in xml:
        xml = _without_moved(xml)
    if "<mc:AlternateContent" in xml:
        xml = with_one_alternative(xml)
    if "<w:vanish" in xml:
        xml = _without_hidden(xml)
    return _COMMENT_MARKS.sub("", xml) if "<w:comment" in xml else xml


def _without_moved(xml: str) -> str:
    begin, end = _MOVED_AWAY
    parts: list[str] = []
    at = 0
    while (start := xml.find(begin, at)) >= 0:
        after = xml.find(">", start) + 1
        stop = after if xml[after - 2 : after] == "/>" else xml.find(end, after) + len(end)
        if stop <= start:
            break
        parts.append(xml[at:start])
        at = stop
    return "".join((*parts, xml[at:]))


def _without_hidden(xml: str) -> str:
    """Take out runs that are formatted as hidden; nothing shows them, nor prints them."""
    parts: list[str] = []
    at = 0
    for match in _HIDDEN.finditer(xml):
        properties = xml.rfind("<w:rPr>", max(at, match.start() - _MAX_RUN), match.start())
        start = xml.rfind("<", at, properties) if properties > 0 else -1
        end = xml.find("</w:r>", match.end())
        if start < 0 or end < 0 or not xml.startswith(_RUN_BEGINS, start) or _NESTED_RUN.search(xml, match.end(), end):
            continue  # the mark of a paragraph, or a run with a text box in it
        parts.append(xml[at:start])
        at = end + len("</w:r>")
    return "".join((*parts, xml[at:]))


def symbol_of(tag: str) -> str:
    """Return the character that a ``w:sym`` shows."""
    font, code = _FONT.search(tag), _CHARACTER.search(tag)
    letter = bytes.fromhex(code[1].zfill(4)[-4:]).decode("utf-16-be", "ignore") if code else ""
    return decode_symbols(letter, font[1] if font else "Symbol")


def _symbol_run(match: re.Match[str]) -> str:
    font = next((name for name in _FONT.findall(match[1]) if is_symbol_font(name)), "")
    if not font:
        return match[0]
    return match[1] + _RUN_TEXT.sub(lambda text: text[1] + _decoded(text[2], font), match[2])


def _decoded(text: str, font: str) -> str:
    if "&" in text:
        text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return escape(decode_symbols(text, font), quote=False)


def _with_graphics(xml: str, place: Callable[[str], str]) -> str:
    """Put the places of charts and diagrams after the drawings that show them."""
    parts: list[str] = []
    at = 0
    for match in _GRAPHIC.finditer(xml):
        end = xml.find(_DRAWING_END, match.end())
        if end < 0:
            break
        if end >= at and (mark := place(match[1])):
            end += len(_DRAWING_END)
            parts += [xml[at:end], f"<w:t>{mark}</w:t>"]
            at = end
    return "".join((*parts, xml[at:]))


def _with_word_art(xml: str) -> str:
    """Put the texts of WordArt, which are attributes, after the pictures that show them."""
    parts: list[str] = []
    at = 0
    for match in _WORD_ART.finditer(xml):
        end = _WORD_ART_END.search(xml, match.end())
        if end is None:
            break
        parts += [xml[at : end.end()], f"<w:t>{match[1]}</w:t>"]
        at = max(at, end.end())
    return "".join((*parts, xml[at:]))


def _with_whole_words(xml: str) -> str:
    """Take the emphasis off runs that begin or end within a word: its marks would cut the word in two."""
    spans: set[tuple[int, int]] = set()
    for run_end in _RUN_END.finditer(xml):
        if not xml[run_end.start() - 1].isalnum():
            continue
        between = _TO_NEXT_TEXT.match(xml, run_end.end())
        after = xml[between.end() : between.end() + 1] if between else ""
        if between is None or not after.isalnum():
            continue
        first = _emphasis_of_run_before(xml, run_end.start())
        second = [(one, between.start(1) + one.start()) for one in _EMPHASIS.finditer(between[1])]
        if {one[0] for one, _at in first} == {one[0] for one, _at in second}:
            continue
        for one, start in (*first, *second):
            if "superscript" not in one[2] or after.isalpha():
                spans.add((start, start + len(one[0])))
    parts: list[str] = []
    at = 0
    for start, end in sorted(spans):
        parts.append(xml[at:start])
        at = end
    return "".join((*parts, xml[at:]))


def _emphasis_of_run_before(xml: str, end: int) -> list[tuple[re.Match[str], int]]:
    text = xml.rfind("<w:t", max(0, end - _MAX_RUN), end)
    near = max(0, text - _MAX_RUN)
    start = max(xml.rfind("<w:r>", near, text), xml.rfind("<w:r ", near, text))
    if start < 0:
        return []
    return [(one, start + one.start()) for one in _EMPHASIS.finditer(xml[start:text])]


# --- smaller parts: headers, footers, notes, comments ---------------------------------------------------------------

_NOT_SHOWN = frozenset(("delText", "instrText", "del", "moveFrom", "rPr", "pPr", "annotationRef", "footnoteRef"))
_SIGNS = {"tab": " ", "br": " ", "cr": " ", "ptab": " ", "noBreakHyphen": "-"}


def blocks_of_part(element: ET.Element) -> list[str]:
    """Return the paragraphs and tables within an element as markdown, in order and as they are shown."""
    found: list[str] = []
    for one in children(element):
        name = local(one)
        if name == "p":
            text, boxes = _text_and_boxes(one)
            found += [literal(text)] if text else []
            found += [block for box in boxes for block in blocks_of_part(box)]
        elif name == "tbl":
            rows = [
                [text for cell in descendants(row, "tc") for text in _cells_of(cell)] for row in descendants(one, "tr")
            ]
            found += [table] if (table := pipe_table(rows)) else []
        elif name not in _NOT_SHOWN:
            found += blocks_of_part(one)
    return found


def _cells_of(cell: ET.Element) -> list[str]:
    """Return the text of a cell, with blank ones for the further columns that it spans."""
    span = child(cell, "tcPr", "gridSpan")
    columns = attribute(span, "val") if span is not None else ""
    return [" ".join(_texts(cell)), *[""] * (min(int(columns), _MAX_SPAN) - 1 if columns.isdecimal() else 0)]


def _texts(element: ET.Element) -> list[str]:
    """Return the texts of all paragraphs within an element, also of those in tables and boxes in it."""
    found: list[str] = []
    for one in children(element):
        name = local(one)
        if name == "p":
            text, boxes = _text_and_boxes(one)
            found += [text] if text else []
            found += [text for box in boxes for text in _texts(box)]
        elif name not in _NOT_SHOWN:
            found += _texts(one)
    return found


def _text_and_boxes(paragraph: ET.Element) -> tuple[str, list[ET.Element]]:
    parts: list[str] = []
    boxes: list[ET.Element] = []
    _gather(paragraph, parts, boxes)
    return " ".join(with_formulas_apart("".join(parts)).split()), boxes


def _gather(element: ET.Element, parts: list[str], boxes: list[ET.Element]) -> None:
    for one in children(element):
        name = local(one)
        if name == "t":
            parts.append(one.text or "")
        elif name in _SIGNS:
            parts.append(_SIGNS[name])
        elif name == "oMath":
            parts.append(marked_formula(one))
        elif name == "sym":
            parts.append(
                symbol_of(" ".join(f'w:{key.rpartition("}")[2]}="{value}"' for key, value in one.attrib.items()))
            )
        elif name == "r" and _is_hidden(one):
            continue
        elif name == "txbxContent":
            boxes.append(one)
        elif name == "textpath":
            parts.append(f" {one.get('string', '')} ")
        elif name not in _NOT_SHOWN:
            _gather(one, parts, boxes)


def _is_hidden(run: ET.Element) -> bool:
    hidden = child(run, "rPr", "vanish")
    return hidden is not None and attribute(hidden, "val") not in ("0", "false", "off")


def notes_by_number(root: ET.Element, kind: str) -> dict[str, list[str]]:
    """Return the blocks of the notes (``footnote``, ``endnote``) by their own numbers; not the rules above them."""
    found: dict[str, list[str]] = {}
    for one in descendants(root, kind):
        values = {key.rpartition("}")[2]: value for key, value in one.attrib.items()}
        if "type" not in values or values["type"] == "normal":
            found[values.get("id", "")] = blocks_of_part(one)
    return found


def comment_lines(root: ET.Element) -> list[str]:
    """Return the comments as list items, each with the name of who wrote it."""
    lines: list[str] = []
    for one in descendants(root, "comment"):
        author = next((value for key, value in one.attrib.items() if key.rpartition("}")[2] == "author"), "").strip()
        if text := labelled(f"- {author}:" if author else "-", blocks_of_part(one)):
            lines.append(text)
    return lines
