"""What a document calls its encoding: one table of labels for mail, HTML, XML and EPUB, the one that browsers use.

By the WHATWG Encoding Standard a label means the encoding that texts with that label are really in: ``gb2312`` is GBK,
``iso-8859-1`` is windows-1252, ``shift_jis`` has the characters of Windows. Labels that the standard does not know are
those of Python's codecs (``cp437``, ``utf-7``), as old mail has them.
"""

from __future__ import annotations

import codecs

# The decoder of the standard, where Python's codec of that name knows less.
_SUPERSETS = {
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc-kr": "cp949",
    "big5": "big5hkscs",
    "iso-2022-jp": "iso2022_jp_ext",
    "windows-874": "cp874",
    "macintosh": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
    "iso-8859-8-i": "iso8859_8",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
}
_REFUSED_BY_BROWSERS = {"iso-2022-kr": "iso2022_kr", "csiso2022kr": "iso2022_kr", "hz-gb-2312": "hz"}
_NO_TEXT = frozenset(("x-user-defined", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"))
_MULTI_BYTE = frozenset(
    ("gb18030", "cp932", "cp949", "big5hkscs", "iso2022_jp_ext", "euc_jp", "iso2022_kr", "hz", "utf_7", "johab")
)


def codec_of(label: str) -> str | None:
    """Return the name of the codec that reads texts with this label; None for a label that nothing is known of."""
    import webencodings

    found = webencodings.lookup(label.strip("\"' \t"))
    if found is not None:
        if found.name == "replacement":  # browsers refuse these for their safety; in mail they are what they say
            return _REFUSED_BY_BROWSERS.get(label.strip("\"' \t").lower())
        return None if found.name in _NO_TEXT else _SUPERSETS.get(found.name, found.codec_info.name)
    try:
        codec = codecs.lookup(label)
    except (LookupError, ValueError):
        return None
    name = codec.name.replace("-", "_")
    return name if getattr(codec, "_is_text_encoding", False) and name not in _NO_TEXT else None


def is_multi_byte(codec: str) -> bool:
    """Say whether text of this codec can look like ASCII or UTF-8, so that its label has to be believed first."""
    return codec.replace("-", "_") in _MULTI_BYTE or codec.startswith("utf-16")
