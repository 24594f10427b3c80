"""Texts of binary workbooks ([MS-XLS] 2.5.293 and following): one or two bytes a character, cut anywhere by records."""

from __future__ import annotations

import struct

_TWO_BYTES, _FAR_EAST, _RICH = 0x01, 0x04, 0x08


def read_text(body: bytes, at: int, count_bytes: int) -> str:
    """Return a text that begins with its length in characters and its flags."""
    count = int.from_bytes(body[at : at + count_bytes], "little")
    at += count_bytes
    flags = body[at] if at < len(body) else 0
    at += 1 + (2 if flags & _RICH else 0) + (4 if flags & _FAR_EAST else 0)
    return _decode(body[at:], count, two_bytes=bool(flags & _TWO_BYTES))


def read_shared_strings(parts: list[bytes]) -> list[str]:
    """Return the strings of a table, as far as they go. ``parts``: its record, then those that continue it."""
    if not parts or len(parts[0]) < 8:  # noqa: PLR2004 two counts
        return []
    table = _Table(parts)
    count = struct.unpack_from("<I", parts[0], 4)[0]
    strings: list[str] = []
    while len(strings) < count and not table.is_at_end():
        strings.append(table.read_string())
    return strings


def _decode(content: bytes, count: int, *, two_bytes: bool) -> str:
    if two_bytes:
        return content[: count * 2].decode("utf-16-le", "replace")
    return content[:count].decode("latin-1")


class _Table:
    """A place in a sequence of records. Where characters go on in the next one, that begins with flags of its own."""

    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts
        self._part = 0
        self._at = 8

    def is_at_end(self) -> bool:
        """Go to the next record at the end of one; say whether there is none."""
        while self._part < len(self._parts) and self._at >= len(self._parts[self._part]):
            self._part += 1
            self._at = 0
        return self._part >= len(self._parts)

    def read_string(self) -> str:
        """Return the next string."""
        count = int.from_bytes(self._take(2), "little")
        flags = (self._take(1) or b"\x00")[0]
        runs = int.from_bytes(self._take(2), "little") if flags & _RICH else 0
        extension = int.from_bytes(self._take(4), "little") if flags & _FAR_EAST else 0
        text = self._read_characters(count, two_bytes=bool(flags & _TWO_BYTES))
        self._take(runs * 4 + extension)
        return text

    def _read_characters(self, count: int, *, two_bytes: bool) -> str:
        out: list[str] = []
        while count > 0:
            if self._part >= len(self._parts):
                break
            left = (len(self._parts[self._part]) - self._at) // (2 if two_bytes else 1)
            taken = min(count, left)
            size = taken * (2 if two_bytes else 1)
            out.append(_decode(self._parts[self._part][self._at : self._at + size], taken, two_bytes=two_bytes))
            self._at += size
            count -= taken
            if count:
                self._part, self._at = self._part + 1, 0
                two_bytes = bool((self._take(1) or b"\x00")[0] & _TWO_BYTES)
        return "".join(out)

    def _take(self, count: int) -> bytes:
        taken = b""
        while count > len(taken) and not self.is_at_end():
            piece = self._parts[self._part][self._at : self._at + count - len(taken)]
            self._at += len(piece)
            taken += piece
        return taken
