"""What a token is, as it is written: which letters, marks and signs make one, and how two are compared. Pure."""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from typing import Final, NamedTuple

# Soft hyphens, zero-width signs, and the marks of writing direction: invisible, and often in the middle of words. There
# Armenian has its signs of questions and of stress, too.
_INVISIBLE = (
    "\u00ad\u034f\u055b\u055c\u055e\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufe00-\ufe0f\ufeff"
)
# Signs for letters: circled ones, units in one square. Python counts them among the symbols.
_SQUARED = "\u2100-\u214f\u249c-\u24e9\u3200-\u33ff"
_MARK = r"(?:\*{1,3}|~~|`{1,2}|</?(?:b|i|u|s|em|strong|sub|sup|mark|small|ins|del|span)>)"
"""Signs of markdown that may be in the middle of a word: ``**W**orldwide``, ``H<sub>2</sub>O``."""
_IN_ABBREVIATIONS = '(?<=[\u0591-\u05f2])"(?=[\u05d0-\u05f2])'
"""A quotation mark in Hebrew, typed for gershayim."""
GERSHAYIM_TYPED: Final = re.compile(_IN_ABBREVIATIONS)
_JOINT = rf"(?:{_MARK}|\\?[.\-@'‘’ʼ׳״\u2010\u2011]|{_IN_ABBREVIATIONS}|(?<=[lL])·(?=[lL])|\\(?=_))"
_MAY_JOIN = r"(?=[*~`<\\.\-@'\"‘’ʼ׳״·\u2010\u2011])"
"""What a joint begins with: looked at first, since most words are followed by a space."""
_ENDING = r"(?:(?=[+#])(?:\+\+|#)(?!\w))?"
# Written without spaces between words, or (Hangul) with endings that nobody types.
_PAIRED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3021-\u3029\u3031-\u3035\u303b\u3040-\u30fa"
    "\u30fc-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_VARIANTS = "\U000e0100-\U000e01ef"  # which shape of an ideograph
REMOVED: Final = re.compile(f"[{_INVISIBLE}{_VARIANTS}]+")
_BEYOND_BASIC_PLANE = re.compile(f"[\U00010000-\U0001efff{_VARIANTS}]")
ANY_MARK: Final = re.compile(_MARK)
_DOT_BETWEEN_PARTS = r"\.(?![0-9])|(?<![0-9])\."
# Letters without what makes them look different: of the same sound, of another keyboard, or in two ways of encoding.
_SPECIAL = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ħ": "h", "ı": "i", "ŋ": "n", "ŧ": "t"}
    | {"ٱ": "ا", "ک": "ك", "ی": "ي", "ہ": "ه", "ھ": "ه", "ە": "ه", "ۀ": "ه", "ۂ": "ه"}
    | {"װ": "וו", "ױ": "וי", "ײ": "יי"}
    | {"ॲ": "अॅ", "ৎ": "ত্", "ੰ": "ਂ", "ஶ": "ஸ", "ൌ": "ൗ"}
    | {"ൺ": "ണ്", "ൻ": "ന്", "ർ": "ര്", "ൽ": "ല്", "ൾ": "ള്", "ൿ": "ക്"}
)
_ALIKE = str.maketrans(dict.fromkeys("‘’ʻʼ'׳״\"·", "") | dict.fromkeys("\u2010\u2011", "-"))
_OTHER_DIGIT = re.compile(r"(?![0-9])\d")
# Accents of Latin, Greek and Cyrillic, vowel signs and the long dash of Arabic, points of Hebrew and of Syriac, and the
# dot below letters of Devanagari that is often left out. Elsewhere (Indic scripts) such marks are letters.
_ACCENTS = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u0711"
    "\u0730-\u074a\u08d3-\u08e1\u08e3-\u08ff\u093c]+"
)
_NASALS_BEFORE: Final = (
    (0x19, 0x15, 0x18),
    (0x1E, 0x1A, 0x1D),
    (0x23, 0x1F, 0x22),
    (0x28, 0x24, 0x27),
    (0x2E, 0x2A, 0x2D),
)
_ANUSVARA, _VIRAMA = 0x02, 0x4D
_INDIC_BLOCKS: Final = (0x900, 0x980, 0xA00, 0xA80, 0xB00, 0xC00, 0xC80)
_BLOCK: Final = 0x80


def _nasals() -> str:
    """Return the pattern of nasals before a consonant of their own kind, and of moon dots in Devanagari and Gujarati.

    Indic scripts also write them as a dot: हिन्दी, हिंदी. The letters are in the same places of each block.
    """
    found = ["ँ", "ઁ"]
    for block in _INDIC_BLOCKS:
        for nasal, first, last in _NASALS_BEFORE:
            found.append(f"{chr(block + nasal)}{chr(block + _VIRAMA)}(?=[{chr(block + first)}-{chr(block + last)}])")
    return "|".join(found)


_NASALS = re.compile(_nasals())
_BASIC_MARKS: Final = (range(0x300, 0x1E00), range(0x3099, 0x309B), range(0xA66F, 0xAC00))
_SUPPLEMENTARY_MARKS: Final = (range(0x10000, 0x1F000), range(0xE0100, 0xE01F0))
_SHORT_I = "и\u0306"


def tokens_of(text: str) -> list[str]:
    """Return the tokens of a text as they are written."""
    return token_pattern(text).findall(text)


def token_pattern(text: str) -> re.Pattern[str]:
    """Return the pattern of one token, as fast as the characters of a text allow."""
    patterns = patterns_for(text)
    return patterns.of_plain if text.isascii() or not patterns.special.search(text) else patterns.of_any


def is_word(token: str) -> bool:
    """Return whether there is something in a token by which it could be found; not so in signs and accents alone."""
    return any(map(str.isalnum, fold(token)))


def fold(text: str) -> str:
    """Return a text without case, accents and compatibility forms: what is compared."""
    if text.isascii():
        return text.lower().replace("'", "")
    text = as_written(text.translate(_ALIKE)).casefold()
    if text.isascii():
        return text
    text = text.translate(_SPECIAL).replace("եւ", "եվ").replace("്്", "്")
    apart = unicodedata.normalize("NFKD", text).replace(_SHORT_I, "\ue000")
    bare = _NASALS.sub(_anusvara, _ACCENTS.sub("", apart))
    return unicodedata.normalize("NFC", bare.replace("\ue000", _SHORT_I))


def as_written(text: str) -> str:
    """Return a text without invisible signs, compatibility forms and the digits of other scripts."""
    text = unicodedata.normalize("NFKC", REMOVED.sub("", text))
    return text if text.isascii() else _OTHER_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), text)


def _anusvara(nasal: re.Match[str]) -> str:
    return chr(ord(nasal[0][0]) // _BLOCK * _BLOCK + _ANUSVARA)


def paired_and_others(text: str) -> list[str]:
    """Return a text in pieces: those of scripts whose words are found by pairs of characters, and those between."""
    return _paired_or_not().findall(text)


@functools.cache
def _paired_or_not() -> re.Pattern[str]:
    return re.compile(f"[{_PAIRED}]+|[^{_PAIRED}]+")  # made when it is needed: that takes 3 ms


def is_paired(text: str) -> bool:
    """Return whether a text is of a script whose words are found by pairs of characters."""
    return not text.isascii() and _is_paired_character(text[0])


@functools.lru_cache(maxsize=4096)
def _is_paired_character(character: str) -> bool:
    return re.match(f"[{_PAIRED}]", character) is not None


class TokenPatterns(NamedTuple):
    """How a text is split into tokens, and these into their parts."""

    special: re.Pattern[str]
    """What may be in a word, and is no letter for `re`."""
    of_plain: re.Pattern[str]
    """A token of a text without such letters: three times as fast as the other one."""
    of_any: re.Pattern[str]
    between_parts: re.Pattern[str]


def patterns_for(text: str) -> TokenPatterns:
    """Return the patterns that know the marks of a text.

    In a class of characters with marks beyond the basic plane `re` compares range by range, which is ten times slower.
    """
    return _patterns(not text.isascii() and _BEYOND_BASIC_PLANE.search(text) is not None)


@functools.cache
def _patterns(every_plane: bool) -> TokenPatterns:
    marks = _combining_marks(*(_SUPPLEMENTARY_MARKS if every_plane else ()))
    special = f"[{_INVISIBLE}{_SQUARED}{marks}]"
    of_plain, of_any = (
        re.compile(rf"{letter}+(?:{_MAY_JOIN}{_JOINT}{letter}+)*{_ENDING}")
        for letter in (r"\w", rf"[\w{_INVISIBLE}{_SQUARED}{marks}]")
    )
    between_parts = re.compile(rf"(?:[^\w.{marks}]|_)+|{_DOT_BETWEEN_PARTS}")
    return TokenPatterns(re.compile(special), of_plain, of_any, between_parts)


def _combining_marks(*further: range) -> str:
    """Return the combining marks as ranges of a character class: words are made of them too, for `re` they are not."""
    ranges: list[list[int]] = []
    for point in itertools.chain(*_BASIC_MARKS, *further):
        if unicodedata.category(chr(point))[0] == "M":
            if ranges and ranges[-1][1] == point - 1:
                ranges[-1][1] = point
            else:
                ranges.append([point, point])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)
