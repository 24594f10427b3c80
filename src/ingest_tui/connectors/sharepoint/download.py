"""The bytes of one item, from the pre-authenticated address that Graph gives for it.

That address is a key to the file for some minutes: it is asked for when it is needed, used at once, and never kept,
logged, or named in an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import requests

from ingest_tui.connectors.content_checks import NO_CHECKSUM, ContentChecks
from ingest_tui.connectors.sharepoint.graph import GraphSession
from ingest_tui.connectors.sharepoint.graph_errors import GraphError, item_error_of_graph, malware_error
from ingest_tui.connectors.sharepoint.items import DriveItem, fingerprint_of, read_item, too_large
from ingest_tui.connectors.sharepoint.quickxor import QuickXorHash
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import ItemChangedError, ItemError, TransientItemError, TransientSourceError
from ingest_tui.model.file_names import safe_extension
from ingest_tui.transport.retry_after import seconds_to_wait

PIECE = 1 << 18
"""What a cut connection loses at most."""
_ADDRESS = "@microsoft.graph.downloadUrl"
_FIELDS = f"id,name,size,eTag,lastModifiedDateTime,parentReference,file,folder,package,malware,deleted,{_ADDRESS}"
_EXPIRED = {401, 403, 404, 410}
_OK, _PARTIAL, _NOT_SATISFIABLE, _LOCKED = 200, 206, 416, 423
_THROTTLED = {429, 503, 509}
_OFFICE = ("doc", "dot", "pot", "pps", "ppt", "vsd", "xla", "xls", "xlt")
REWRITTEN = frozenset(
    [f"{stem}{ending}" for stem in _OFFICE for ending in ("", "b", "m", "x")]
    + ["aspx", "htm", "html", "master", "mht", "mhtml", "mpp", "msg", "one", "onepkg", "pdf", "pub", "xps", "xsn"]
)
"""Extensions of what SharePoint rewrites: Office files (promoted properties, labels), pages, and what rights management
encrypts when it is downloaded (Office, PDF, XPS)."""


class _Now(NamedTuple):
    """An item as it is now, and the address of its bytes."""

    item: DriveItem
    address: str


class Download:
    """Fetches one listed item. What comes is checked against what Graph says of the item while it is fetched.

    Bytes that differ are those of an item that changed while it was read when its eTag is another one now. Else they
    are damaged, unless the item is of a type that SharePoint itself rewrites (`REWRITTEN`): of these it may name size
    and checksum of other bytes than it gives, and asking again would bring the same. They are taken, and the record
    says that they differ.
    """

    def __init__(
        self,
        session: GraphSession,
        descriptor: Descriptor,
        max_size: int | None,
        checks: ContentChecks[QuickXorHash],
    ) -> None:
        metadata = descriptor.metadata or {}
        self._session = session
        self._descriptor = descriptor
        self._max_size = max_size
        self._checks = checks
        self._item_id = metadata.get("item_id", "")
        self._path = f"/drives/{metadata.get('drive_id', '')}/items/{self._item_id}"
        self._listed_as = (self._path, descriptor.fingerprint)

    @contextmanager
    def opened(self, offset: int) -> Iterator[Iterator[bytes]]:
        """Open the item and yield its bytes from ``offset`` on, in pieces of at most `PIECE`."""
        now = self._look()
        self._check_listed(now.item, offset)
        response = self._request(now.address, offset)
        if response.status_code in _EXPIRED:
            response.close()
            response = self._request(self._look().address, offset)
        try:
            yield self._pieces(response, now.item, offset)
        finally:
            response.close()

    # Asking for the item

    def _look(self) -> _Now:
        """Return the item as it is now, with a fresh address; raises what speaks against fetching it."""
        raw = self._ask(_FIELDS)
        item = read_item(raw)
        if item.kind == "malware":
            raise malware_error(self._descriptor.uri)
        if item.kind != "file" or "deleted" in raw:
            raise ItemError("it is no longer a file", code="not_found", uri=self._descriptor.uri)
        if self._max_size is not None and item.size is not None and item.size > self._max_size:
            raise ItemError(f"it grew to {too_large(item.size, self._max_size)}", code="too_large")
        address = raw.get(_ADDRESS)
        if not isinstance(address, str) or not address:
            address = self._redirect()
        return _Now(item, address)

    def _check_listed(self, now: DriveItem, offset: int) -> None:
        """Refuse another content than the listed one: its text would be kept under the fingerprint of that.

        A listing may have no checksum where the item itself has one; then the two cannot be compared.
        """
        listed, found = self._descriptor.fingerprint, fingerprint_of(now, self._item_id)
        if found == listed or not (offset or listed[:2] == found[:2]):
            return
        metadata = (self._descriptor.metadata or {}) | {"etag": now.etag}
        raise ItemChangedError(
            "it changed while it was read",
            hint="the next sync takes it again",
            uri=self._descriptor.uri,
            now=self._descriptor._replace(
                fingerprint=found, size=now.size, modified_ns=now.modified_ns, metadata=metadata
            ),
        )

    def _ask(self, fields: str) -> dict[str, Any]:
        try:
            return self._session.get(f"{self._path}?$select={fields}")
        except GraphError as error:
            raise item_error_of_graph(error, self._descriptor.uri) from None
        except TransientSourceError as error:
            raise self._passing(error) from None

    def _redirect(self) -> str:
        """Not every cloud names the address with the item; the redirect of its content always does."""
        try:
            address = self._session.redirect_of(f"{self._path}/content")
        except GraphError as error:
            raise item_error_of_graph(error, self._descriptor.uri) from None
        except TransientSourceError as error:
            raise self._passing(error) from None
        if not address:
            raise ItemError("Microsoft Graph gives no address for its content", code="unreadable")
        return address

    # Reading

    def _request(self, address: str, offset: int) -> requests.Response:
        try:
            return self._session.open_download(address, offset)
        except TransientSourceError as error:
            raise self._passing(error) from None

    def _pieces(self, response: requests.Response, item: DriveItem, offset: int) -> Iterator[bytes]:
        checksum = self._checks.resume(self._listed_as, offset)
        if not offset and item.content_hash:
            checksum = QuickXorHash()
        if response.status_code == _NOT_SATISFIABLE and offset:
            if offset != item.size:
                raise self._changed()
            self._conclude(item, checksum, offset)
            return
        position = offset
        try:
            for piece in self._received(response, self._check_answer(response, offset)):
                if checksum is not None:
                    checksum.update(piece)
                position += len(piece)
                yield piece
        except TransientItemError:
            if checksum is not None:
                self._checks.suspend(self._listed_as, position, checksum)
            raise
        self._conclude(item, checksum, position)

    def _received(self, response: requests.Response, skip: int) -> Iterator[bytes]:
        expected = response.headers.get("Content-Length", "")
        received = 0
        try:
            for piece in response.iter_content(PIECE):
                received += len(piece)
                if skip >= len(piece):
                    skip -= len(piece)
                    continue
                yield piece[skip:] if skip else piece
                skip = 0
        except requests.RequestException:
            raise self._cut() from None
        if expected.isdigit() and received != int(expected):
            raise self._cut()

    def _conclude(self, item: DriveItem, checksum: QuickXorHash | None, size: int) -> None:
        """Compare what arrived with what Graph said of the item, and note by what."""
        matches = checksum is not None and checksum.base64digest() == item.content_hash
        if matches:
            self._checks.note(self._descriptor.uri, "quickxor")
            return
        self._check_unchanged(item)
        differs = checksum is not None or (item.size is not None and item.size != size)
        if differs and safe_extension(item.name) not in REWRITTEN:
            raise self._damaged()
        self._checks.note(self._descriptor.uri, "differs" if differs else NO_CHECKSUM)

    def _check_answer(self, response: requests.Response, offset: int) -> int:
        """Return how many bytes to skip; raises for an answer that is not the content."""
        status = response.status_code
        if status == _OK:
            return offset  # the range was ignored, all of it comes
        if status == _PARTIAL and response.headers.get("Content-Range", "").startswith(f"bytes {offset}-"):
            return 0
        if status in _THROTTLED:
            wait = seconds_to_wait(response.headers.get("Retry-After"))
            raise TransientItemError("SharePoint throttles us", code="throttled", retry_after=wait)
        if status == _LOCKED:
            raise TransientItemError("it is locked", code="locked", hint="somebody has it open or checked out")
        if status in _EXPIRED:
            raise ItemError(
                f"SharePoint refuses the address that Microsoft Graph gave for it ({status})",
                code="forbidden",
                hint="a policy of the site may forbid downloading, or block this machine's address",
                uri=self._descriptor.uri,
            )
        raise TransientItemError(f"SharePoint's download service fails for now ({status})", code="network")

    def _check_unchanged(self, before: DriveItem) -> None:
        now = read_item(self._ask(_FIELDS.removesuffix(f",{_ADDRESS}")))
        if (now.etag, now.content_hash, now.size) != (before.etag, before.content_hash, before.size):
            raise self._changed()

    # Errors

    def _changed(self) -> ItemError:
        return ItemError(
            "it changed while it was read",
            code="changed_while_read",
            hint="the next sync takes it again",
            uri=self._descriptor.uri,
        )

    def _damaged(self) -> ItemError:
        return ItemError(
            "it is damaged, in SharePoint or on the way: its bytes do not have its size and its checksum",
            code="checksum_mismatch",
            hint="the next sync takes it again; when it fails again upload it again",
            uri=self._descriptor.uri,
        )

    def _cut(self) -> TransientItemError:
        return TransientItemError("the connection was cut before its end", code="network", uri=self._descriptor.uri)

    def _passing(self, error: TransientSourceError) -> TransientItemError:
        """While one item is fetched, a failing network fails that item for now; retrying is for others to decide."""
        return TransientItemError(
            error.message, hint=error.hint, code=error.reason, retry_after=error.retry_after, uri=self._descriptor.uri
        )
