"""Japanese in 7 bits and in EUC with the characters of NEC and IBM, which Windows writes and Python's codecs refuse."""

from __future__ import annotations

import re

_ISO_2022_JP = "iso2022_jp_ext"
_EUC_JP = "euc_jp"
_ESCAPES = re.compile(rb"(\x1b(?:\$[@B]|\([BJI]|\$\(D))")
_TWO_BYTES = (b"\x1b$@", b"\x1b$B")
_KANA = b"\x1b(I"
_PAIRS = re.compile(rb"(?:[\xa1-\xfe]{2})+")


def decode_strictly(content: bytes, codec: str) -> str:
    """Return the text of these bytes in this codec. Raises `UnicodeDecodeError`."""
    try:
        return content.decode(codec)
    except UnicodeDecodeError:
        if codec == _ISO_2022_JP:
            return _iso_2022_jp(content)
        if codec == _EUC_JP:
            return _euc_jp(content)
        raise


def _iso_2022_jp(content: bytes) -> str:
    first, *rest = _ESCAPES.split(content)
    parts = [first.decode("ascii")]
    for escape, run in zip(rest[::2], rest[1::2], strict=True):
        body = run.rstrip(b"\r\n")
        if escape in _TWO_BYTES and len(body) % 2 == 0:
            parts.append(_as_shift_jis(body).decode("cp932") + run[len(body) :].decode("ascii"))
        elif escape == _KANA:
            parts.append(bytes(byte | 0x80 if byte > 0x20 else byte for byte in run).decode("cp932"))  # noqa: PLR2004
        else:
            parts.append((escape + run).decode(_ISO_2022_JP))
    return "".join(parts)


def _euc_jp(content: bytes) -> str:
    parts: list[str] = []
    at = 0
    for match in _PAIRS.finditer(content):
        parts.append(content[at : match.start()].decode(_EUC_JP))
        try:
            parts.append(match[0].decode(_EUC_JP))
        except UnicodeDecodeError:
            parts.append(_as_shift_jis(bytes(byte & 0x7F for byte in match[0])).decode("cp932"))
        at = match.end()
    return "".join((*parts, content[at:].decode(_EUC_JP)))


def _as_shift_jis(pairs: bytes) -> bytes:
    """Return rows and cells of JIS X 0208, two bytes each, as Shift_JIS counts them."""
    written = bytearray()
    for row, cell in zip(pairs[::2], pairs[1::2], strict=True):
        written.append((row + 1 >> 1) + (0x70 if row < 0x5F else 0xB0))  # noqa: PLR2004
        written.append(cell + (0x7E if row % 2 == 0 else 0x1F if cell < 0x60 else 0x20))  # noqa: PLR2004
    return bytes(written)
