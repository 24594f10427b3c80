"""The text of a PDF page as PDFium gives it, put right where its font tables are wrong. Pure."""

from __future__ import annotations

import re

from ingest_tui.extraction.page_layout.blocks import HYPHENS

_LEAST_LETTERS = 8
_MOSTLY = 0.8
_NOISE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ue000-\uf8ff\ufffd\U000f0000-\U0010ffff]")
_BLANK_LINES = re.compile(r"\n{3,}")
_NOISE_SHARE = 0.2
_UTF8_AS_UTF16 = re.compile("[\uc280-\udfbf]")


def tidy_page(text: str) -> str:
    """Return a page's text with plain line ends, without marks of hyphens at line ends, and put right as needed."""
    # PDFium marks a hyphen at a line end with U+FFFE, or U+0002 in older releases; the next line continues the word.
    for mark in HYPHENS:
        if mark in text:
            text = text.replace(f"{mark}\r\n", "").replace(f"{mark}\n", "").replace(mark, "")
    lines = (line.rstrip() for line in _read_as_utf8(text).splitlines())
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def is_noise(text: str) -> bool:
    """Say whether much of a text is no character that people read: its font does not say which letters it shows."""
    if not _NOISE.search(text):
        return False
    dense = "".join(text.split())
    return len(dense) >= _LEAST_LETTERS and len(_NOISE.findall(dense)) > len(dense) * _NOISE_SHARE


def _read_as_utf8(text: str) -> str:
    """Put right a text whose fonts give UTF-8 where UTF-16 belongs: each letter of two bytes comes as a Hangul one.

    Of real Korean one syllable in four could be read so; here it has to be most letters beyond ASCII.
    """
    if not _UTF8_AS_UTF16.search(text):
        return text
    beyond = [character for character in text if character > "\xff"]
    wrong = sum(_is_utf8_pair(character) for character in beyond)
    if len(beyond) < _LEAST_LETTERS or wrong < len(beyond) * _MOSTLY:
        return text
    return "".join(
        character.encode("utf-16-be", "surrogatepass").decode("utf-8") if _is_utf8_pair(character) else character
        for character in text
    )


def _is_utf8_pair(character: str) -> bool:
    high, low = divmod(ord(character), 256)
    return 0xC2 <= high <= 0xDF and 0x80 <= low <= 0xBF  # noqa: PLR2004 a letter of two bytes in UTF-8 (RFC 3629)
