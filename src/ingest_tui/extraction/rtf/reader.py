"""Rich Text Format (specification 1.9.1) as markdown: words whole, by the code pages of their fonts.

No kept library reads it so: striprtf gives plain lines and leaves out tables and notes, and xberg sets a space where a
format ends, also within words, and reads no code pages of DOS.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from ingest_tui.extraction.markup.literal_text import labelled
from ingest_tui.extraction.rtf.definitions import CODEC_OF_DOCUMENT, MAX_LEVEL, TABLES, Definitions, codec_of
from ingest_tui.extraction.rtf.story import RtfStory

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|([^\\{}\r\n\x00]+)|[\r\n\x00]+|\\",
    re.DOTALL,
)
_BRACE = re.compile(rb"[{}]|\\[\\{}]|\\bin(\d{1,9}) ?")
_GROUP = re.compile(rb"[\r\n ]*\{")
_UNICODE_FORM = re.compile(rb"[\r\n ]*\{\\\*\\ud(?![a-z])")
_LINK = re.compile(r"HYPERLINK\s+\"([^\"\s]+)\"")
_SIGNS = {
    "emdash": "—",
    "endash": "–",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
    "rdblquote": "”",
    "bullet": "•",
    "tab": "\t",
    "line": "\n",
    "emspace": " ",
    "enspace": " ",
    "qmspace": " ",
    "nestcell": " ",
    "nestrow": " ",
}
_SIGNS_OF_SYMBOLS = {b"~": "\u00a0", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}"}
_PARAGRAPH_ENDS = frozenset(("par", "sect", "page", "column"))
_SKIPPED = frozenset(
    ("colortbl", "pict", "nonshppict", "objdata", "themedata", "datastore", "ftnsep", "ftnsepc", "aftnsep", "aftnsepc")
)
_ENTERED = frozenset(("annotation", "atnauthor", "fldinst", "shpinst", "shptxt", "shppict", "pn", "ud"))
"""Destinations that are marked as ones to pass over, and yet lead to text."""
_ASIDE = {
    **dict.fromkeys(("header", "headerl", "headerr", "headerf"), "header"),
    **dict.fromkeys(("footer", "footerl", "footerr", "footerf"), "footer"),
}

_TICK_TOKENS = 5000


@dataclass(slots=True)
class RtfDocument:
    """What a document shows. ``markdown`` holds its body, notes, headers, footers and comments."""

    markdown: str
    title: str
    links: list[str]


@dataclass(slots=True)
class _State:
    """What a group inherits and may change for itself."""

    story: RtfStory
    place: str = "text"
    font: int = -1
    fallback: int = 1
    level: int = 0
    in_table: bool = False
    hidden: bool = False
    at_end: Callable[[], None] | None = None


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self.body = RtfStory()
        self.asides: dict[str, dict[str, None]] = {"header": {}, "footer": {}}
        self.notes: list[str] = []
        self.comments: list[str] = []
        self.links: dict[str, None] = {}
        self.names: dict[str, list[str]] = {"title": [], "atnauthor": [], "fldinst": []}
        self._definitions = Definitions()
        self._default_font = -1
        self._note_numbers = {"": 0, "e": 0}
        self._pending = bytearray()
        self._units: list[int] = []
        self._passed = 0
        self._starred = False
        self._looks_for_unicode = True
        self.state = _State(self.body)
        self._stack: list[_State] = []

    def read(self, tick: Callable[[], None]) -> None:
        """Read all tokens; groups that are never closed end with the document. ``tick`` is called on the way."""
        at = tokens = 0
        content = self._content
        while at < len(content):
            match = _TOKEN.match(content, at)
            if match is None:
                break
            at = match.end()
            tokens += 1
            if tokens % _TICK_TOKENS == 0:
                tick()
            word, number, byte, symbol, brace, text = match.groups()
            if text is not None:
                self._bytes(text)
            elif byte is not None:
                self._bytes(bytes((int(byte, 16),)))
            elif brace is not None:
                self._group(opens=brace == b"{")
            elif word is not None:
                at = self._control(word.decode("ascii"), int(number) if number else None, at)
            elif symbol is not None:
                self._symbol(symbol)
        self._flush()
        while self._stack:
            self._group(opens=False)

    def _group(self, *, opens: bool) -> None:
        self._flush()
        self._passed = 0
        self._starred = False
        if opens:
            self._stack.append(self.state)
            self.state = replace(self.state, at_end=None)
        elif self._stack:
            at_end = self.state.at_end
            self.state = self._stack.pop()
            if at_end is not None:
                at_end()

    def _skipped_to(self, at: int) -> int:
        """Return where the group that is open at ``at`` ends: before its closing brace."""
        depth = 0
        while match := _BRACE.search(self._content, at):
            at = match.end()
            if match[1]:
                at += int(match[1])
            elif match[0] == b"{":
                depth += 1
            elif match[0] == b"}":
                depth -= 1
                if depth < 0:
                    return match.start()
        return len(self._content)

    def _control(self, word: str, number: int | None, at: int) -> int:
        if word == "u" and number is not None:
            self._unicode(number)
            return at
        starred, self._starred = self._starred, False
        if word == "bin":
            return at + max(number or 0, 0)
        if word == "upr" and self._looks_for_unicode:
            return self._after_ansi(at)
        self._flush()
        self._passed = 0
        if word in _SKIPPED or (starred and word not in _ENTERED):
            return self._skipped_to(at)
        if word in _SIGNS:
            self._text(_SIGNS[word])
        elif self.state.place in TABLES:
            self._definitions.take_word(self.state.place, word, number)
        elif not self._destination(word, at) and not self._paragraph(word, number):
            self._format(word, number)
        return at

    def _after_ansi(self, at: int) -> int:
        """Return where the Unicode form of a text begins, whose first form is for readers that know none."""
        ansi = _GROUP.match(self._content, at)
        end = self._skipped_to(ansi.end()) + 1 if ansi else at
        unicode = _UNICODE_FORM.match(self._content, end) if ansi else None
        self._looks_for_unicode = unicode is not None  # one without it is damaged: no further groups are measured
        return end if unicode else at

    def _destination(self, word: str, at: int) -> bool:
        state = self.state
        if word in (*TABLES, "info", "shpinst", "pn"):
            state.place = word
        elif word in self.names and not (word == "title" and state.place != "info"):
            self.names[word].clear()
            state.place = word
        elif word in _ASIDE:
            self._aside(_ASIDE[word])
        elif word == "footnote":
            self._note(at)
        elif word == "annotation":
            self._comment()
        elif word in ("shptxt", "result"):
            self._box() if word == "shptxt" else None
            state.place = "text"
        elif word in ("listtext", "pntext"):
            state.place = "marker"
        elif word == "fldrslt":
            self._link()
        elif word == "field":
            self.names["fldinst"].clear()
        else:
            return False
        return True

    def _paragraph(self, word: str, number: int | None) -> bool:
        state = self.state
        if word in _PARAGRAPH_ENDS:
            if state.place == "text":
                state.story.end_paragraph(state.level, in_table=state.in_table)
        elif word == "pard":
            state.level, state.in_table = 0, False
        elif word == "intbl":
            state.in_table = number != 0
        elif word == "cell":
            state.story.end_cell()
        elif word in ("row", "trowd"):
            state.story.end_row()
        elif word == "trhdr":
            state.story.is_head = True
        elif word == "outlinelevel" and number is not None:
            state.level = min(number + 1, MAX_LEVEL) if number < 9 else 0  # noqa: PLR2004 nine means body text
        elif word == "s" and number is not None:
            state.level = self._definitions.levels.get(number, 0)
        else:
            return False
        return True

    def _format(self, word: str, number: int | None) -> None:
        state = self.state
        if word == "f" and number is not None:
            state.font = number
        elif word == "plain":
            state.font, state.hidden = self._default_font, False
        elif word in ("v", "deleted"):
            state.hidden = number != 0
        elif word == "uc" and number is not None:
            state.fallback = max(0, min(number, 100))
        elif word == "deff" and number is not None:
            self._default_font = state.font = number
        elif word == "ansicpg" and number:
            self._definitions.codec = codec_of(number, self._definitions.codec)
        elif word in CODEC_OF_DOCUMENT:
            self._definitions.codec = CODEC_OF_DOCUMENT[word]

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self._starred = True
            return
        self._flush()
        if symbol in b"\r\n":
            self._paragraph("par", None)
        else:
            self._text(_SIGNS_OF_SYMBOLS.get(symbol, ""))

    # --- characters ---

    def _bytes(self, content: bytes) -> None:
        if self._passed:
            passed = min(self._passed, len(content))
            self._passed -= passed
            content = content[passed:]
        if content:
            self._flush_units()
            self._pending += content

    def _unicode(self, number: int) -> None:
        self._flush_bytes()
        self._units.append(number & 0xFFFF)
        self._passed = self.state.fallback

    def _flush(self) -> None:
        if self._pending:
            self._flush_bytes()
        if self._units:
            self._flush_units()

    def _flush_bytes(self) -> None:
        if not self._pending:
            return
        content = bytes(self._pending)
        self._pending.clear()
        self._text(self._definitions.decode(content, self.state.font))

    def _flush_units(self) -> None:
        if self._units:
            units = b"".join(unit.to_bytes(2, "little") for unit in self._units)
            self._units.clear()
            self._text(self._definitions.in_font(units.decode("utf-16-le", "replace"), self.state.font))

    def _text(self, text: str) -> None:
        state = self.state
        if state.place == "text":
            if not state.hidden:
                state.story.parts.append(text)
        elif state.place == "marker":
            state.story.marker += text
        elif state.place in self.names:
            self.names[state.place].append(text)
        elif state.place in TABLES:
            self._definitions.take_text(state.place, text)

    # --- texts within the text ---

    def _begin(self, done: Callable[[list[str]], None]) -> None:
        story = RtfStory()
        self.state.story, self.state.place = story, "text"
        self.state.level, self.state.in_table, self.state.hidden = 0, False, False
        self.state.at_end = lambda: done(story.finished())

    def _aside(self, kind: str) -> None:
        self._begin(lambda blocks: self.asides[kind].update(dict.fromkeys(blocks)))

    def _note(self, at: int) -> None:
        kind = "e" if self._content.startswith(b"\\ftnalt", at) else ""
        self._note_numbers[kind] += 1
        label = f"[^{kind}{self._note_numbers[kind]}]"
        self._text(label)
        self._begin(lambda blocks: self.notes.append(labelled(f"{label}:", blocks) or f"{label}:"))

    def _comment(self) -> None:
        author = "".join(self.names["atnauthor"]).strip()

        def done(blocks: list[str]) -> None:
            if text := labelled(f"- {author}:" if author else "-", blocks):
                self.comments.append(text)

        self._begin(done)

    def _box(self) -> None:
        parent = self.state.story
        self._begin(parent.blocks.extend)

    def _link(self) -> None:
        found = _LINK.search("".join(self.names["fldinst"]))
        self.state.place = "text" if self.state.place in (*self.names, "text") else self.state.place
        if found is None:
            return
        target, story = found[1], self.state.story
        self.links.setdefault(target)
        start, blocks = len(story.parts), len(story.blocks)

        def done() -> None:
            text = "".join(story.parts[start:])
            if text.strip() and len(story.blocks) == blocks and "://" in target:
                story.parts[start:] = [f"[{text}]({target})"]

        self.state.at_end = done


def read_rtf(content: bytes, tick: Callable[[], None]) -> RtfDocument:
    """Return what a document shows; a damaged one as far as it goes. ``tick`` is called every few thousand tokens."""
    reader = _Reader(content.removeprefix(b"\xef\xbb\xbf"))
    reader.read(tick)
    blocks = [*reader.body.finished(), *reader.notes]
    for heading, kind in (("Header", "header"), ("Footer", "footer")):
        blocks += [f"## {heading}", *reader.asides[kind]] if reader.asides[kind] else []
    blocks += ["## Comments", "\n".join(reader.comments)] if reader.comments else []
    title = " ".join("".join(reader.names["title"]).split())[:300]
    return RtfDocument("\n\n".join(blocks) + "\n", title, list(reader.links))
