"""The fonts and styles of an RTF document: which code page a text is in, and which style is a heading."""

from __future__ import annotations

import codecs
import re

from ingest_tui.extraction.office.symbol_fonts import decode_symbols, is_symbol_font

TABLES = ("fonttbl", "stylesheet")
"""The destinations whose words and texts define fonts and styles."""
MAX_LEVEL = 6
CODEC_OF_DOCUMENT = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850", "ansi": "cp1252"}
_HEADING_NAME = re.compile(r"(?:heading|überschrift|titre|título|titolo) ([1-9])\Z")
_CODEC_OF_CHARSET = {
    77: "mac_roman",
    128: "cp932",
    129: "cp949",
    130: "johab",
    134: "gb18030",
    136: "cp950",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
    254: "cp437",
    255: "cp850",
}
_CODEC_OF_PAGE = {10000: "mac_roman", 65001: "utf-8", 1361: "johab", 936: "gb18030", 10007: "mac_cyrillic"}
"""Those that Python does not call by the number that Windows gives them."""


class Definitions:
    """What the tables of fonts and of styles define. ``codec`` is that of fonts that name none."""

    def __init__(self) -> None:
        self.codec = "cp1252"
        self.levels: dict[int, int] = {}
        self._codecs: dict[int, str] = {}
        self._symbols: dict[int, str] = {}
        self._entry = -1
        self._entry_name = ""

    def take_word(self, table: str, word: str, number: int | None) -> None:
        """Take a control word of one of `TABLES`."""
        if word == ("f" if table == "fonttbl" else "s") and number is not None:
            self._entry, self._entry_name = number, ""
        elif word == "fcharset" and number in _CODEC_OF_CHARSET:
            self._codecs[self._entry] = _CODEC_OF_CHARSET[number]
        elif word == "cpg" and number:
            self._codecs.setdefault(self._entry, codec_of(number, self.codec))
        elif word == "outlinelevel" and number is not None and table == "stylesheet":
            self.levels[self._entry] = min(number + 1, MAX_LEVEL)

    def take_text(self, table: str, text: str) -> None:
        """Take the name of a font or a style, or a part of it; a semicolon ends it."""
        self._entry_name += text
        if ";" not in text:
            return
        name = self._entry_name.partition(";")[0].strip()
        self._entry_name = ""
        if table == "fonttbl":
            if is_symbol_font(name):
                self._symbols[self._entry] = name
            return
        heading = _HEADING_NAME.match(name.lower())
        if heading:
            self.levels[self._entry] = min(int(heading[1]), MAX_LEVEL)

    def decode(self, content: bytes, font: int) -> str:
        """Return the text of bytes that are written in a font."""
        if font in self._symbols:
            return self.in_font(content.decode("latin-1"), font)
        return content.decode(self._codecs.get(font, self.codec), "replace")

    def in_font(self, text: str, font: int) -> str:
        """Return what characters show in a font: those of a font of symbols are signs."""
        symbols = self._symbols.get(font)
        return decode_symbols(text, symbols) if symbols else text


def codec_of(number: int, otherwise: str) -> str:
    """Return the codec of a code page by its number in Windows."""
    try:
        return codecs.lookup(_CODEC_OF_PAGE.get(number, f"cp{number}")).name
    except LookupError:
        return otherwise
