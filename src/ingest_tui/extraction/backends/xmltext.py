"""Text of an XML document. Nothing outside the document is read, and entities expand within limits."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from xml.etree import ElementTree as ET
from xml.parsers import expat

from ingest_tui.extraction.backends.html import html_to_markdown_text
from ingest_tui.extraction.intake.decoding import decode_declared, decode_text
from ingest_tui.extraction.intake.labels import codec_of
from ingest_tui.extraction.markup.formulas import formula_text
from ingest_tui.extraction.markup.literal_text import fence_around, heading, literal
from ingest_tui.extraction.markup.xml_lists import LIST_ELEMENTS, LISTS, XmlLists
from ingest_tui.extraction.markup.xml_tables import TABLE_ELEMENTS, XmlTable
from ingest_tui.model.errors import ItemError, ItemRejectedError, ProcessingError
from ingest_tui.model.extraction import Finding

_MAX_DEPTH = 500
_TAG = re.compile(r"<[/!?A-Za-z][^<>]{0,10000}(?:>|\Z)")
_WIDE_MARKS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_ENTITIES_NAMED = 5
_UNSAFE_HINT = "entities can grow without end; replace them by their text"
_BLANK_LINES = re.compile(r"\n{3,}")
_REFERENCE = re.compile(r"[&%]([\w:.-]+);")
_MAX_ENTITIES = 10_000
_MAX_ENTITY_CHARACTERS = 100_000
_EXPANDED_FLOOR = 1_000_000
_MOST_EXPANSION = 10
"""How often more text may come out than went in, past the first million characters."""
_ENCODING = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_.:-]{2,40})")
_UTF16_MARKS = tuple(mark for mark, _encoding in _WIDE_MARKS)
_INLINE = frozenset(
    (
        *("a", "b", "i", "em", "strong", "emphasis", "code", "literal", "link", "ulink", "span", "sub", "sup", "tspan"),
        *("xref", "ref", "term"),
    )
)
_INLINE_IN_PROSE = _INLINE | frozenset(
    (
        *("italic", "bold", "monospace", "underline", "overline", "roman", "sans-serif", "sc", "strike"),  # JATS
        *("styled-content", "named-content", "ext-link", "inline-formula"),
        *(
            "subscript",
            "superscript",
            "quote",
            "phrase",
            "firstterm",
            "foreignphrase",
            "citetitle",
            "acronym",
        ),  # DocBook
        *("command", "filename", "function", "classname", "varname", "replaceable", "userinput", "computeroutput"),
        *("guibutton", "guilabel", "wordasword", "trademark"),
        *("hi", "emph", "foreign", "ph", "codeph", "filepath", "q", "u", "tt", "cite"),  # TEI, DITA
    )
)
"""What is in a line of prose; elsewhere an element of that name holds data. Without those that are put side by side."""
_NOTHING_TO_READ = TABLE_ELEMENTS | {"xref", "graphic", "inline-graphic", "imagedata", "anchor", "pb", "lb"}
"""What shows nothing of its own in prose where it has only attributes."""
_PROSE_ROOTS = frozenset(
    (
        *("article", "book", "part", "chapter", "appendix", "preface", "section", "set", "refentry"),  # DocBook, JATS
        *("topic", "concept", "task", "reference", "TEI", "text"),  # DITA, TEI
        *("us-patent-grant", "us-patent-application", "patent-application-publication"),
    )
)
_SECTIONS = frozenset(
    (
        *("article", "book", "part", "chapter", "appendix", "preface", "section", "simplesect", "refentry"),
        *("sect1", "sect2", "sect3", "sect4", "sect5", "refsect1", "refsect2"),
        *("sec", "abstract", "ack", "ref-list", "app", "front-stub"),
        *("topic", "concept", "task", "reference", "div", "div1", "div2", "div3"),
    )
)
_TITLES = frozenset(("title", "article-title", "head", "heading", "invention-title"))
_PREFORMATTED = frozenset(("programlisting", "screen", "literallayout", "codeblock", "msgblock", "preformat", "pre"))
_CODE_LANGUAGE = re.compile(r"[\w+#-]{1,20}")
_BLOCKS = TABLE_ELEMENTS | LIST_ELEMENTS
_MAX_LEVEL = 6
_FEEDS = frozenset(("rss", "feed", "RDF"))
_WRITTEN_IN_HTML = frozenset(("description", "summary", "content", "encoded", "title", "subtitle"))
_LOOKS_LIKE_HTML = re.compile(r"</?[a-zA-Z][^<>]*>|&#?\w{2,31};")


class _Collector:
    """Gathers character data into lines: one per element, inline markup kept within its line.

    In documents of prose (DocBook, JATS, DITA, TEI, patents) the titles of sections are headings, tables tables,
    and listings fences.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._text: list[str] = []
        self._open: list[str] = []
        self._bare: list[tuple[str, dict[str, str]] | None] = []
        self._heading = 0
        self._inline = _INLINE
        self._listing_depth = 0
        self._language = ""
        self._has_title = False
        self._closed_inline = False
        self._table = XmlTable()
        self._lists = XmlLists()
        self._formula: ET.TreeBuilder | None = None
        self._formula_depth = 0
        self.has_dtd = False
        self.unresolved: dict[str, None] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= _MAX_DEPTH:
            raise _too_deep()
        local = name.rpartition(":")[2]
        if self._formula is not None or local == "math":
            self._start_in_formula(local, attributes)
            return
        if not self._open and local in _PROSE_ROOTS:
            self._inline = _INLINE_IN_PROSE
        if self._ends_line(local):
            self.flush()
        elif self._closed_inline and self._open and not (self._is_prose() and not self._open[-1].endswith("synopsis")):
            self._text.append(" ")  # elements of data, one next to the other: their words are not one
        self._closed_inline = False
        self._open.append(local)
        if local in _TITLES and not self._heading:
            self._heading = self._level_of_title(attributes)
        elif local in _PREFORMATTED and not self._listing_depth and not self._table.is_in_cell and self._is_prose():
            self._listing_depth = len(self._open)
            language = _CODE_LANGUAGE.fullmatch(attributes.get("language", ""))
            self._language = language[0] if language else ""
        elif local in _BLOCKS and self._is_prose():
            self._start_block(local, attributes)
        if self._bare:
            self._bare[-1] = None
        self._bare.append((local, attributes) if attributes else None)

    def _start_block(self, local: str, attributes: dict[str, str]) -> None:
        if local in TABLE_ELEMENTS:
            self._table.start(local, attributes, len(self._open), self.lines)
            return
        self._lists.start(local, attributes)
        self._part_from_list(local)

    def _end_block(self, local: str) -> None:
        if local in TABLE_ELEMENTS:
            self._table.end(local, len(self._open), self.lines)
            return
        self._part_from_list(local)
        self._lists.end(local)

    def _part_from_list(self, local: str) -> None:
        """Keep what is before a list and what is below it apart from its items."""
        if local in LISTS and self._lists.is_outermost and not self._table.is_in_cell:
            self.lines.append("")

    def _is_prose(self) -> bool:
        return self._open[0] in _PROSE_ROOTS

    def _ends_line(self, name: str) -> bool:
        return not (self._heading or self._listing_depth or name in self._inline)

    def _level_of_title(self, attributes: dict[str, str]) -> int:
        """Return the level of the heading that the title just opened is; 0 for one that heads no section."""
        if self._open[0] not in _PROSE_ROOTS:
            return 0
        local = self._open[-1]
        if local in ("invention-title", "article-title"):
            level = 0 if self._has_title or "ref-list" in self._open else 1
            self._has_title = True
            return level
        if local == "heading":
            given = attributes.get("level", "")
            return min(int(given) + 1, _MAX_LEVEL) if given.isdecimal() else 2
        parent = self._open[-2] if len(self._open) > 1 else ""
        if parent == "info" or parent.endswith("info") or parent in ("titleblock", "titlegroup"):
            parent = self._open[-3] if len(self._open) > 2 else ""  # noqa: PLR2004 the section that is described
        if parent not in _SECTIONS:
            return 0
        return min(max(1, sum(one in _SECTIONS for one in self._open[:-1])), _MAX_LEVEL)

    def _start_in_formula(self, local: str, attributes: dict[str, str]) -> None:
        if self._formula is None:
            self._formula = ET.TreeBuilder()
            self._bare[-1:] = [None] if self._bare else []
        self._formula_depth += 1
        if self._formula_depth > _MAX_DEPTH:
            raise _too_deep()
        self._formula.start(local, attributes)

    def _end_in_formula(self, formula: ET.TreeBuilder, local: str) -> None:
        self._formula_depth -= 1
        formula.end(local)
        if self._formula_depth == 0:
            self._formula = None
            self._text.append(f" {formula_text(formula.close())} ")

    def end(self, name: str) -> None:
        if self._formula is not None:
            self._end_in_formula(self._formula, name.rpartition(":")[2])
            return
        local = self._open[-1]
        self._end_text(local, self._bare.pop())
        if local in _BLOCKS and self._is_prose():
            self._end_block(local)
        self._closed_inline = local in self._inline
        self._open.pop()

    def _end_text(self, local: str, bare: tuple[str, dict[str, str]] | None) -> None:
        is_seen = not self._listing_depth and not (local in _NOTHING_TO_READ and self._is_prose())
        if bare is not None and is_seen and not "".join(self._text).strip():
            self.flush()
            self.lines.append(" ".join([bare[0], *(f"{key}={value}" for key, value in bare[1].items())]))
        elif self._heading and local in _TITLES:
            level, self._heading = self._heading, 0
            self.flush(level)
        elif local in _WRITTEN_IN_HTML and self._open[:1] and self._open[0] in _FEEDS:
            self._flush_html()
        elif self._listing_depth == len(self._open):
            self._listing_depth = 0
            self._end_listing()
        elif self._ends_line(local):
            self.flush()

    def text(self, data: str) -> None:
        if self._formula is not None:
            self._formula.data(data)
            return
        if self._open[-1:] in (["script"], ["style"]) and self._open[0] == "svg":
            return
        self._closed_inline = False
        self._text.append(data)
        if self._bare and self._bare[-1] is not None and not data.isspace():
            self._bare[-1] = None

    def doctype(self, *_declaration: Any) -> None:
        self.has_dtd = True

    def skipped_entity(self, name: str, is_parameter: bool) -> None:
        """Take an entity that only the DTD explains for what HTML means by it, or keep it as it is written."""
        if not is_parameter:
            written = f"&{name};"
            known = unescape(written)
            if known == written:
                self.unresolved.setdefault(name)
            self.text(known)

    def _flush_html(self) -> None:
        """Take the text of a feed for what readers of feeds show: a page in a text."""
        text = "".join(self._text)
        if not _LOOKS_LIKE_HTML.search(text):
            self.flush()
            return
        self._text.clear()
        try:
            markdown = html_to_markdown_text(text).strip()
        except ProcessingError:
            markdown = " ".join(text.split())
        self.lines += ["", *markdown.split("\n"), ""]

    def flush(self, level: int = 0) -> None:
        """Make a line of the text that is pending, or a heading of that level."""
        line = " ".join("".join(self._text).split())
        self._text.clear()
        if line and self._table.is_in_cell:
            self.lines.append(line)
        elif line and level:
            self.lines += ["", heading(level, line), ""]
        elif line:
            line = f"{self._lists.mark()}{line}"
            self.lines.append(literal(line, below_text=bool(self.lines and self.lines[-1])))

    def _end_listing(self) -> None:
        body = "".join(self._text).strip("\n")
        self._text.clear()
        self.lines += ["", fence_around(body, self._language), ""] if body.strip() else []

    def close(self) -> None:
        """Take what is pending where the document ends."""
        self.flush()
        self._table.close(self.lines)


class _Entities:
    """What a document declares itself: replaced by expat within limits, never fetched.

    Each declaration is measured with what it refers to, so that a few lines cannot stand for gigabytes; how much the
    references give is limited too, in text here and in attributes by expat itself (2.4 and later).
    """

    def __init__(self, size: int) -> None:
        self._sizes: dict[str, int] = {}
        self.outside: dict[str, None] = {}
        self._left = _EXPANDED_FLOOR + size * _MOST_EXPANSION

    def declare(self, name: str, is_parameter: bool, value: str | None, *_where: Any) -> None:
        if value is None:
            self.outside.setdefault(name)
            return
        referred = sum(self._sizes.get(inner, 0) for inner in _REFERENCE.findall(value))
        size = len(value) + referred
        if not is_parameter:
            self._sizes.setdefault(name, size)
        if len(self._sizes) > _MAX_ENTITIES or size > _MAX_ENTITY_CHARACTERS:
            raise _grows(name)

    def spend(self, data: str) -> None:
        """Count text that comes out."""
        self._left -= len(data)
        if self._left < 0:
            raise _grows("")


def _too_deep() -> ItemRejectedError:
    return ItemRejectedError(
        f"elements nested more than {_MAX_DEPTH} deep", code="unsafe_xml", hint="simplify the document"
    )


def _grows(name: str) -> ItemRejectedError:
    which = f"its entity {name[:60]!r}" if name else "its entities"
    return ItemRejectedError(f"{which} would grow far beyond the document", code="unsafe_xml", hint=_UNSAFE_HINT)


def xml_to_text(content: bytes) -> tuple[str, list[Finding]]:
    """Return the text of an XML document, one line per element, and findings.

    An element that holds nothing but attributes gives a line ``name key=value``. Of a document that is not well
    formed, what is after the error is kept with its tags cut out.
    Entities that it declares are replaced by their text, within limits; nothing outside of it is read.
    Raises `ItemRejectedError` (``unsafe_xml``) for a document whose entities grow or that nests too deep, and
    `ProcessingError` (``malformed``) for one that is not well formed and has no text.
    """
    collector = _Collector()
    content, encoding, findings = _readable(content.lstrip(b" \t\r\n"))
    entities = _Entities(len(content))
    parser = _make_parser(collector, entities, encoding)
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        findings.append(Finding("error", "not_well_formed", f"not well-formed XML, kept as text: {error}"))
        parser.buffer_text = False  # hands over what it has read but not reported yet
        collector.close()
        collector.lines += _text_after(content, max(parser.ErrorByteIndex, 0), encoding)
        if not collector.lines:
            raise ProcessingError(
                f"not well-formed XML: {error}", code="malformed", hint="the file may be cut short; fetch it again"
            ) from error
    except (ValueError, LookupError) as error:  # an encoding that expat does not know
        raise ProcessingError(
            f"cannot read this XML: {error}", code="malformed", hint="save it again in UTF-8"
        ) from error
    collector.close()
    if collector.has_dtd:
        findings.append(Finding("warning", "dtd_ignored", "it has a DTD, which is not read"))
    if collector.unresolved:
        names = ", ".join(f"&{name[:40]};" for name in list(collector.unresolved)[:_ENTITIES_NAMED])
        message = f"entities whose text is not in the document are kept as written: {names}"
        findings.append(Finding("warning", "entity_unresolved", message))
    text = _BLANK_LINES.sub("\n\n", "\n".join(collector.lines)).strip("\n")
    return text + ("\n" if text else ""), findings


def _make_parser(collector: _Collector, entities: _Entities, encoding: str | None) -> expat.XMLParserType:
    def text(data: str) -> None:
        entities.spend(data)
        collector.text(data)

    def outside(context: str, *_where: Any) -> int:
        collector.unresolved.setdefault(name := context.split("\f", maxsplit=1)[0].partition("=")[0])
        collector.text(f"&{name};")
        return 1

    parser = expat.ParserCreate(encoding)
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartElementHandler = collector.start
    parser.EndElementHandler = collector.end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = collector.doctype
    parser.SkippedEntityHandler = collector.skipped_entity
    parser.EntityDeclHandler = entities.declare
    parser.ExternalEntityRefHandler = outside
    return parser


def _text_after(content: bytes, offset: int, encoding: str | None) -> list[str]:
    """Return the lines of text from where a document breaks on. Nothing in them is followed."""
    rest = content[offset:]
    encoding = encoding or next((wide for mark, wide in _WIDE_MARKS if content.startswith(mark)), None)
    try:
        text = rest.decode(encoding, "replace") if encoding else decode_text(rest)[0]
    except ItemError:
        text = rest.decode("utf-8", "replace")
    lines = (" ".join(line.split()) for line in unescape(_TAG.sub("\n", text)).split("\n"))
    return [literal(line, below_text=True) for line in lines if line]


def _readable(content: bytes) -> tuple[bytes, str | None, list[Finding]]:
    """Return UTF-8 for a document in an encoding that expat does not know (it reads no multi-byte one but UTF-8/16)."""
    declared = _ENCODING.match(content[:400])
    label = declared[1].decode("ascii") if declared else ""
    if content.startswith(_UTF16_MARKS):
        return content, None, []
    if codec_of(label or "utf-8") == "utf-8" and _is_utf8(content):
        return content, "utf-8", []
    text, _encoding, findings = decode_declared(content, label or "utf-8")
    return text.encode("utf-8", "replace"), "utf-8", findings


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
