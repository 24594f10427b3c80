"""The body of an answer, undone of what the site packed it in for the way, never more than a piece at a time."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from ingest_tui.connectors.web.web_errors import RequestFailedError

_PIECE = 1 << 16
_AS_GZIP, _AS_ZLIB = 31, 15
CAN_UNPACK = "gzip, deflate"


def unpacked(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Yield a body as it was before it was packed as the header Content-Encoding says; raises `RequestFailedError`."""
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        return pieces
    if encoding in {"gzip", "x-gzip", "deflate"}:
        return _inflated(pieces, _AS_ZLIB if encoding == "deflate" else _AS_GZIP)
    raise RequestFailedError("the site packs its answer in a way that nobody asked for", reason="malformed")


def _inflated(pieces: Iterator[bytes], form: int) -> Iterator[bytes]:
    stream = zlib.decompressobj(form)
    for packed in pieces:
        rest = packed
        while rest:
            if stream.eof:  # gzip may have several members
                stream = zlib.decompressobj(form)
            try:
                piece = stream.decompress(rest, _PIECE)
            except zlib.error:
                raise RequestFailedError("the site's answer cannot be unpacked", reason="malformed") from None
            rest = stream.unused_data if stream.eof else stream.unconsumed_tail
            if piece:
                yield piece
    if not stream.eof:
        raise RequestFailedError("the site ended its answer in the middle", reason="network", may_pass=True)
