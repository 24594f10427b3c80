"""Reading one object: exactly what was listed, in pieces, checked at its end."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest_tui.connectors.s3_errors import Explainer, NetworkFailure, StoreFailure, changed_error
from ingest_tui.connectors.s3_http import BucketClient, network_failure
from ingest_tui.model.errors import ItemError, SourceAccessError, TransientItemError

if TYPE_CHECKING:
    import urllib3

PIECE = 1 << 18
"""Bytes of a piece: larger ones were no faster on loopback, and each thread holds two of them."""
_MD5 = re.compile(r"[0-9a-f]{32}\Z")
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)\Z")
# With these the ETag is no MD5 of the content.
_OPAQUE_WITH = ("x-amz-server-side-encryption-customer-algorithm", "x-amz-server-side-encryption-aws-kms-key-id")


@dataclass(frozen=True, slots=True)
class WantedObject:
    """The object of a descriptor. ``etag`` is empty where the store lists none."""

    key: bytes
    uri: str
    size: int
    etag: str
    version_id: str | None


class ObjectReader:
    """Reads the objects of a bucket. Used by several threads."""

    def __init__(self, client: BucketClient, explainer: Explainer) -> None:
        self._client = client
        self._explainer = explainer
        self._etag_is_md5 = True

    @contextmanager
    def open(self, wanted: WantedObject, offset: int = 0) -> Iterator[Iterator[bytes]]:
        """Give the pieces of an object from ``offset`` on. Raises what `BaseConnector.fetch` raises."""
        if offset and offset >= wanted.size:
            yield iter(())
            return
        response, position = self._ask(wanted, offset)
        try:
            yield self._pieces(response, wanted, offset, position)
        finally:
            # One that was read to its end has given its connection back; any other cannot be used again.
            response.close()

    def _ask(self, wanted: WantedObject, offset: int) -> tuple[urllib3.BaseHTTPResponse, int]:
        """Return the answer and the position at which its body begins."""
        headers = {"range": f"bytes={offset}-"} if offset else {}
        if wanted.etag and not wanted.etag.startswith("W/"):
            headers["if-match"] = f'"{wanted.etag}"'
        query: dict[str, str | bytes] = {"versionId": wanted.version_id} if wanted.version_id else {}
        try:
            response = self._client.send("GET", wanted.key, query, headers)
        except (StoreFailure, NetworkFailure) as failure:
            raise self._explainer.of_item(failure, wanted.uri) from None
        position = _position(response, wanted, offset)
        if position is None:
            response.close()
            raise changed_error(wanted.uri)
        return response, position

    def _pieces(
        self, response: urllib3.BaseHTTPResponse, wanted: WantedObject, offset: int, position: int
    ) -> Iterator[bytes]:
        md5 = self._hasher(response, wanted) if not offset else None
        for piece in self._received(response, wanted):
            if md5 is not None:
                md5.update(piece)
            start = max(0, offset - position)
            position += len(piece)
            if start < len(piece):
                yield piece[start:] if start else piece
        if position < wanted.size:
            raise TransientItemError("the connection was cut before the end", code="network", uri=wanted.uri)
        if position > wanted.size:
            raise changed_error(wanted.uri)
        if md5 is not None and md5.hexdigest() != wanted.etag:
            self._look_again(wanted, md5.hexdigest())

    def _received(self, response: urllib3.BaseHTTPResponse, wanted: WantedObject) -> Iterator[bytes]:
        from urllib3.exceptions import HTTPError

        try:
            while piece := response.read(PIECE):
                yield piece
        except HTTPError as error:
            failure = network_failure(error, "the store")
            raise TransientItemError(failure.what, hint=failure.hint, code="network", uri=wanted.uri) from None

    def _hasher(self, response: urllib3.BaseHTTPResponse, wanted: WantedObject) -> hashlib._Hash | None:
        if not self._etag_is_md5 or not _MD5.match(wanted.etag):
            return None
        if any(response.headers.get(name) for name in _OPAQUE_WITH):
            return None
        return hashlib.md5(usedforsecurity=False)

    def _look_again(self, wanted: WantedObject, received_md5: str) -> None:
        """The bytes are not those of the ETag: damaged on the way, or the store's ETags are no MD5 sums.

        Two transfers are not damaged alike: the same bytes twice are what the store has, and its ETags are then not
        taken for sums again.
        """
        md5 = hashlib.md5(usedforsecurity=False)
        response, _ = self._ask(wanted, 0)
        try:
            for piece in self._received(response, wanted):
                md5.update(piece)
        finally:
            response.close()
        if md5.hexdigest() != received_md5:
            raise ItemError(
                "the bytes that arrived are not those that the store has",
                code="checksum_mismatch",
                hint="something on the way damages data; the next sync takes it again",
                uri=wanted.uri,
            )
        self._etag_is_md5 = False

    def size_now(self, wanted: WantedObject) -> int | None:
        """Return the size of what is at the key now, None when that cannot be found out."""
        try:
            response = self._client.send("HEAD", wanted.key, {}, {})
        except (StoreFailure, NetworkFailure, SourceAccessError):
            return None
        response.close()
        length = response.headers.get("content-length", "")
        return int(length) if length.isdigit() else None


def _position(response: urllib3.BaseHTTPResponse, wanted: WantedObject, offset: int) -> int | None:
    """Return where in the object a body begins; None when it is not that of the object which was listed.

    A store may know no If-Match, or no ranges, or send a range with status 200 (rclone does): the headers decide.
    """
    etag = response.headers.get("etag", "").strip().strip('"')
    if wanted.etag and etag and etag != wanted.etag:
        return None
    content_range = response.headers.get("content-range")
    if content_range is not None:
        match = _CONTENT_RANGE.match(content_range)
        is_wanted = match is not None and (int(match[1]), int(match[2])) == (offset, wanted.size)
        return offset if is_wanted else None
    length = response.headers.get("content-length")
    if length is not None and int(length) != wanted.size:
        return None
    # From its start although a range was asked for: only the ETag shows that the beginning is the one we have.
    return 0 if not offset or (wanted.etag and etag) else None
