"""Palm databases, as books for Mobipocket and Kindle are: their records, and the two ways to compress text.

The form is described at wiki.mobileread.com/wiki/MOBI and /PDB; HUFF/CDIC after the readers that agree on it.
"""

from __future__ import annotations

import struct

MAX_TEXT_BYTES = 256 * 1024**2
_HEADER_BYTES = 78
_ENTRY_BYTES = 8
_MAX_RECORD_BYTES = 65_536
_MAX_PHRASE_BYTES = 65_536
_MAX_HELD_BYTES = 4 * 1024**2
"""What a record of 4,096 bytes of text may hold at most: a thousand times as much."""
_MAX_PHRASE_DEPTH = 30


def records_of(content: bytes) -> list[bytes]:
    """Return the records of a database. Raises ValueError or `struct.error` for one that is damaged."""
    (count,) = struct.unpack_from(">H", content, 76)
    starts = [struct.unpack_from(">I", content, _HEADER_BYTES + _ENTRY_BYTES * at)[0] for at in range(count)]
    if not starts or starts != sorted(starts) or starts[-1] > len(content):
        raise ValueError("its list of records is damaged")
    return [content[start:end] for start, end in zip(starts, [*starts[1:], len(content)], strict=True)]


def without_trailing_entries(record: bytes, flags: int) -> bytes:
    """Return a record of text without what follows it, as the flags of the book say."""
    end = len(record)
    for bit in range(1, 16):
        if flags >> bit & 1:
            end -= _size_at_end(record[:end])
    if flags & 1 and end > 0:
        end -= (record[end - 1] & 3) + 1
    return record[: max(end, 0)]


def _size_at_end(data: bytes) -> int:
    """Return the size of an entry, which is written backwards in its last bytes, seven bits in each."""
    size = shift = 0
    for byte in reversed(data[-4:]):
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte & 0x80:
            break
    return size


def decompress(data: bytes) -> bytes:
    """Return what a record of PalmDOC holds: at most ten bytes for each two. Raises ValueError."""
    out = bytearray()
    at = 0
    while at < len(data):
        byte = data[at]
        at += 1
        if 1 <= byte <= 8:  # noqa: PLR2004 so many bytes as they are
            out += data[at : at + byte]
            at += byte
        elif byte < 0x80:  # noqa: PLR2004 the character itself
            out.append(byte)
        elif byte >= 0xC0:  # noqa: PLR2004 a space and a character
            out += bytes((0x20, byte ^ 0x80))
        else:
            _repeat(out, (byte << 8) | int.from_bytes(data[at : at + 1], "big"))
            at += 1
    return bytes(out)


def _repeat(out: bytearray, pair: int) -> None:
    distance, length = (pair >> 3) & 0x7FF, (pair & 7) + 3
    if not 0 < distance <= len(out):
        raise ValueError("its compressed text is damaged")
    for _byte in range(length):
        out.append(out[-distance])


class HuffmanReader:
    """Decompresses HUFF/CDIC, from the records of its tables. Raises ValueError, LookupError or `struct.error`."""

    def __init__(self, tables: list[bytes]) -> None:
        huff, *dictionaries = tables
        if not huff.startswith(b"HUFF") or not all(one.startswith(b"CDIC") for one in dictionaries):
            raise ValueError("its tables of compression are damaged")
        codes_at, limits_at = struct.unpack_from(">II", huff, 8)
        self._codes = struct.unpack_from(">256I", huff, codes_at)
        limits = struct.unpack_from(">64I", huff, limits_at)
        self._lowest = [0, *(limits[2 * at] << (31 - at) for at in range(32))]
        self._highest = [0, *(((limits[2 * at + 1] + 1) << (31 - at)) - 1 for at in range(32))]
        self._phrases: list[tuple[bytes, bool]] = []
        for one in dictionaries:
            self._add_phrases(one)

    def _add_phrases(self, dictionary: bytes) -> None:
        total, bits = struct.unpack_from(">II", dictionary, 8)
        for at in range(min(1 << min(bits, 16), total - len(self._phrases))):
            (offset,) = struct.unpack_from(">H", dictionary, 16 + 2 * at)
            (length,) = struct.unpack_from(">H", dictionary, 16 + offset)
            phrase = dictionary[18 + offset : 18 + offset + (length & 0x7FFF)]
            self._phrases.append((phrase, bool(length & 0x8000)))

    def decompress(self, data: bytes, depth: int = 0) -> bytes:
        """Return what a record holds; a phrase that is compressed itself is kept as what it holds."""
        if depth > _MAX_PHRASE_DEPTH:
            raise ValueError("its phrases have no end")
        if len(data) > _MAX_RECORD_BYTES:
            raise ValueError("a record is too long")
        out = bytearray()
        bits, left = int.from_bytes(data + bytes(4), "big"), len(data) * 8
        while left > 0:
            window = (bits >> left) & 0xFFFFFFFF
            length, phrase = self._code_at(window)
            left -= length
            if left < 0:
                break
            out += self._phrase(phrase, depth)
            if len(out) > (_MAX_PHRASE_BYTES if depth else _MAX_HELD_BYTES):
                raise ValueError("its phrases are too long")
        return bytes(out)

    def _code_at(self, window: int) -> tuple[int, int]:
        """Return the length of the code at the beginning of 32 bits, and the number of its phrase."""
        entry = self._codes[window >> 24]
        length, highest = entry & 0x1F, ((entry >> 8) + 1 << (32 - (entry & 0x1F))) - 1
        if not length:
            raise ValueError("its compressed text is damaged")
        if not entry & 0x80:
            while window < self._lowest[length]:
                length += 1
            highest = self._highest[length]
        return length, (highest - window) >> (32 - length)

    def _phrase(self, number: int, depth: int) -> bytes:
        phrase, is_plain = self._phrases[number]
        if not is_plain:
            phrase = self.decompress(phrase, depth + 1)
            self._phrases[number] = phrase, True
        return phrase
