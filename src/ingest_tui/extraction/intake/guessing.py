"""Which legacy encoding a text without a label is in: chardet's statistics, with what is likely before any of them.

Measured on sentences in 40 languages by benchmarks/encodings.py; the table is in docs/formats.md.
"""

from __future__ import annotations

import re

_SAMPLE_BYTES = 16 * 1024
_WHOLE_LINE = 400
_AROUND_BYTES = re.compile(rb"[^\n]{0,200}[\x80-\xff][^\n]{0,200}")
_ISO_2022 = re.compile(rb"\x1b(?:\$[@AB]|\$\([DOPQ]|\([BJI])")
# Encodings that files of people are in. Left out: those of mainframes, of phones, and parts of others (ISO 8859-1 and
# -15 are read as Windows-1252), which statistics prefer now and then for a short text of another one.
_LIKELY = (
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874"),
    *("iso8859-2", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-9", "iso8859-13", "koi8-r", "koi8-u"),
    *("cp850", "cp852", "cp866", "cp437", "mac-roman", "mac-cyrillic"),
    *("cp932", "euc-jp", "gb18030", "big5hkscs", "cp949"),
)
_WESTERN = "cp1252"
_BONUS = 1.2
_BONUS_OF_FEW = 5.0
_FEW = 3
_FEW_SHARE = 0.2
_ASCII = bytes(range(128))
# What texts in Western languages, and English ones above all, have beyond ASCII: the same bytes in all of Windows.
_WESTERN_MARKS = frozenset("‘’“”–—…•€°§©®«»".encode("cp1252"))
WESTERN_BYTES = _WESTERN_MARKS | frozenset(
    "äöüÄÖÜßéèêëÉÈÊàâáÀÁçÇîïíìôóòûúùñÑåÅæÆøØ„·×¿¡".encode("cp1252"),
)
_READ_AS = {"cp437": "cp850", "shift_jis_2004": "cp932", "euc_kr": "cp949", "euc_jis_2004": "euc_jp"}
_MIXED_WEIGHT = 0.2
_MIXED_SHARE = 0.1
_LATIN = "A-Za-z\u00c0-\u024f"
_OTHER = "\u0370-\u05ff\u0620-\u06ff\u0e01-\u0e5b"
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_DRAWN_LINE = re.compile(r"([^\W\d_\x00-\x7f])\1{3}")
_MARK_IN_WORD = re.compile(f"[{_LATIN}][“”„§°«»][{_LATIN}]")
_MIXED_WORD = re.compile(f"[{_LATIN}](?=[{_OTHER}])|[{_OTHER}](?=[{_LATIN}])")


def uses_iso_2022(content: bytes) -> str | None:
    """Return the codec of a text that is ASCII with escape sequences for Japanese or Korean, or None."""
    if b"\x1b" not in content or not _ISO_2022.search(content):
        return "iso2022_kr" if b"\x1b$)C" in content else None
    return "iso2022_jp_ext"


def guess_encoding(content: bytes) -> str:
    """Return the codec that a text is most likely in, which is neither UTF-8 nor UTF-16; Windows-1252 in doubt.

    Only what is around bytes beyond ASCII is looked at, wherever that is in the text: a log of 2 MB may have its first
    accent at the end.
    """
    import chardet

    sample = _significant_part(content)
    beyond = sample.translate(None, _ASCII)
    is_little = len(set(beyond)) <= _FEW and len(beyond) <= max(_FEW, len(sample) * _FEW_SHARE)
    if is_little and _WESTERN_MARKS.issuperset(beyond) and _coherence(sample, _WESTERN) == 1:
        return _WESTERN
    bonus = _BONUS_OF_FEW if len(beyond) <= _FEW and WESTERN_BYTES.issuperset(beyond) else _BONUS
    found = chardet.detect_all(sample, ignore_threshold=True, compat_names=False, include_encodings=_LIKELY)
    best, best_score = _WESTERN, 0.0
    for candidate in found:
        name = candidate["encoding"]
        if name is None:
            continue
        codec = _READ_AS.get(name, name)
        score = candidate["confidence"] * (bonus if codec == _WESTERN else 1.0)
        if score > best_score and (score := score * _coherence(sample, codec)) > best_score:
            best, best_score = codec, score
    return best


def _significant_part(content: bytes) -> bytes:
    parts: list[bytes] = []
    size = 0
    for match in _AROUND_BYTES.finditer(content):
        parts.append(match[0])
        size += len(match[0]) + 1
        if size > _SAMPLE_BYTES:
            break
    return b"\n".join(parts)[: _SAMPLE_BYTES + _WHOLE_LINE]


def _coherence(sample: bytes, codec: str) -> float:
    """Return 1 for a text as people write it.

    Less where letters of two scripts, or quotation marks, are within words, where a letter stands for the lines of a
    frame, and for characters that stand for nothing.
    """
    try:
        text = sample.decode(codec)
    except (UnicodeDecodeError, LookupError):
        return 0.0 if codec == _WESTERN else 0.5
    if _PRIVATE.search(text) or _DRAWN_LINE.search(text) or _MARK_IN_WORD.search(text):
        return _MIXED_WEIGHT
    beyond = sum(1 for character in text if character > "\x7f")
    mixed = len(_MIXED_WORD.findall(text))
    return _MIXED_WEIGHT if mixed > beyond * _MIXED_SHARE else 1.0
