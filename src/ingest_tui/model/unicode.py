"""Text that every file and every database of ours can hold."""

from __future__ import annotations


def as_unicode(text: str) -> str:
    r"""Return ``text`` with lone surrogates written out (``\udcff``): Python has them where a name is not UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
