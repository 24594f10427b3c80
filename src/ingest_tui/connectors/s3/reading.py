"""Reading one object: exactly what was listed, in pieces, checked at its end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest_tui.connectors.content_checks import NO_CHECKSUM, ContentChecks
from ingest_tui.connectors.s3.checksums import ASK_FOR_CHECKSUM, ContentCheck, check_for
from ingest_tui.connectors.s3.client import BucketClient, network_failure
from ingest_tui.connectors.s3.s3_errors import Explainer, NetworkFailure, StoreFailure, changed_error
from ingest_tui.model.errors import ItemError, SourceAccessError, TransientItemError

if TYPE_CHECKING:
    import urllib3

PIECE = 1 << 18
"""Bytes of a piece: larger ones were no faster on loopback, and each thread holds two of them."""
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)\Z")


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

    def __init__(self, client: BucketClient, explainer: Explainer, *, opaque_etags: bool) -> None:
        self._client = client
        self._explainer = explainer
        self._opaque_etags = opaque_etags
        self.checks: ContentChecks[ContentCheck] = ContentChecks()

    @contextmanager
    def open(self, wanted: WantedObject, offset: int = 0) -> Iterator[Iterator[bytes]]:
        """Give the pieces of an object from ``offset`` on. Raises what `BaseConnector.fetch` raises."""
        if offset and offset >= wanted.size:
            self._conclude(wanted, self.checks.resume(wanted, offset))
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
        if not offset and self._client.access().endpoint_url is None:
            headers |= ASK_FOR_CHECKSUM
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
        check = self.checks.resume(wanted, offset)
        if not offset:
            check = check_for(response.headers, wanted.etag, opaque_etags=self._opaque_etags)
        try:
            for piece in self._received(response, wanted, wanted.size - position):
                start = max(0, offset - position)
                position += len(piece)
                if start < len(piece):
                    fresh = piece[start:] if start else piece
                    if check is not None:
                        check.update(fresh)
                    yield fresh
        except TransientItemError:
            if check is not None:
                self.checks.suspend(wanted, max(offset, position), check)
            raise
        if position > wanted.size:
            raise changed_error(wanted.uri)
        self._conclude(wanted, check)

    def _conclude(self, wanted: WantedObject, check: ContentCheck | None) -> None:
        """Compare what arrived, and note by what: a damaged object is not taken, however often it comes like that."""
        if check is not None and not check.matches():
            raise _damaged(wanted, check)
        self.checks.note(wanted.uri, check.name if check else NO_CHECKSUM)

    def _received(self, response: urllib3.BaseHTTPResponse, wanted: WantedObject, expected: int) -> Iterator[bytes]:
        from urllib3.exceptions import HTTPError

        try:
            while piece := response.read(PIECE):
                expected -= len(piece)
                yield piece
        except HTTPError as error:
            failure = network_failure(error, "the store")
            raise TransientItemError(failure.what, hint=failure.hint, code="network", uri=wanted.uri) from None
        if expected > 0:
            raise TransientItemError("the connection was cut before the end", code="network", uri=wanted.uri)

    def size_now(self, wanted: WantedObject) -> int | None:
        """Return the size of what is at the key now, None when that cannot be found out."""
        try:
            response = self._client.send("HEAD", wanted.key, {}, {})
        except (StoreFailure, NetworkFailure, SourceAccessError):
            return None
        response.close()
        length = response.headers.get("content-length", "")
        return int(length) if length.isdigit() else None


def _damaged(wanted: WantedObject, check: ContentCheck) -> ItemError:
    hint = "the next sync takes it again; when it fails again upload it again"
    if check.name == "md5":
        hint += ", or use --opaque-etags if the ETags of this store are no MD5 sums"
    shown = (
        "the MD5 sum that is its ETag" if check.name == "md5" else f"the checksum that the store keeps ({check.name})"
    )
    return ItemError(
        f"it is damaged, in the store or on the way: its bytes do not have {shown}",
        code="checksum_mismatch",
        hint=hint,
        uri=wanted.uri,
    )


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
