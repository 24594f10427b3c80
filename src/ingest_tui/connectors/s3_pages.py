"""One page of a bucket: asked for, read, and checked to be what it should."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes
from xml.etree import ElementTree as ET

from ingest_tui.connectors.s3_errors import Explainer, NetworkFailure, StoreFailure
from ingest_tui.connectors.s3_http import BucketClient, network_failure
from ingest_tui.connectors.s3_signing import Query
from ingest_tui.model.errors import SourceAccessError

PAGE_SIZE = 1000
_RESTORE_STATUS = {"x-amz-optional-object-attributes": "RestoreStatus"}
_NOT_UNDERSTOOD = {400, 405, 501}
_ROOTS = {"ListBucketResult", "ListVersionsResult"}


class ListedObject(NamedTuple):
    """What a listing says of an object. ``restored``: readable for now, although its class is an archive."""

    key: bytes
    size: int
    etag: str
    modified_ns: int | None
    storage_class: str
    restored: bool
    version_id: str | None


class BucketPage(NamedTuple):
    """Objects and folders (common prefixes) of a page, and the token of the next one; None after the last.

    ``last_key`` is the last name of the page, also when what bears it is left out; ``sorted`` tells whether its names
    ascend as bytes do, without which no page can be found by a name.
    """

    objects: list[ListedObject]
    folders: list[bytes]
    token: str | None
    last_key: bytes
    ascends: bool


class PageReader:
    """Asks for pages. Used by several threads."""

    def __init__(self, client: BucketClient, explainer: Explainer, *, versions: bool, page_size: int) -> None:
        self._client = client
        self._explainer = explainer
        self._versions = versions
        self._page_size = page_size
        self._wanted = dict(_RESTORE_STATUS)

    def page(
        self, prefix: bytes, *, after: bytes = b"", token: str | None = None, delimiter: str = "", limit: int = 0
    ) -> BucketPage:
        """Return the page that follows a name or a token, in one request. Raises `SourceAccessError`."""
        query: Query = {"encoding-type": "url", "max-keys": str(limit or self._page_size)}
        if prefix:
            query["prefix"] = prefix
        if delimiter:
            query["delimiter"] = delimiter
        query |= self._version_query(after, token) if self._versions else self._plain_query(after, token)
        return self._read(self._ask(query))

    def _plain_query(self, after: bytes, token: str | None) -> Query:
        query: Query = {"list-type": "2"}
        if token is not None:
            query["continuation-token"] = token
        elif after:
            query["start-after"] = after
        return query

    def _version_query(self, after: bytes, token: str | None) -> Query:
        query: Query = {"versions": ""}
        if token is not None:
            key, _, version = token.rpartition("\n")
            query["key-marker"] = unquote_to_bytes(key)
            if version:
                query["version-id-marker"] = version
        elif after:
            query["key-marker"] = after
        return query

    def _ask(self, query: Query) -> bytes:
        try:
            try:
                return self._body(query)
            except StoreFailure as failure:
                # A store that does not know the attribute: then archived objects cannot be told from restored ones.
                if not self._wanted or failure.status not in _NOT_UNDERSTOOD or failure.passing:
                    raise
                if failure.of_credential:
                    raise
                self._wanted = {}
                return self._body(query)
        except (StoreFailure, NetworkFailure) as failure:
            raise self._explainer.of_source(failure) from None

    def _body(self, query: Query) -> bytes:
        from urllib3.exceptions import HTTPError

        response = self._client.send("GET", None, query, self._wanted)
        try:
            return response.read()
        except HTTPError as error:
            response.close()
            raise network_failure(error, "the store") from None

    def _read(self, body: bytes) -> BucketPage:
        try:
            root = ET.fromstring(body)  # noqa: S314 - expat bounds entities
        except ET.ParseError:
            raise _strange("what the store sent is not a listing") from None
        if root.tag.rpartition("}")[2] not in _ROOTS:
            raise _strange("what the store sent is not a listing")
        return _PageParser(root, versions=self._versions).page()


def _strange(what: str) -> SourceAccessError:
    return SourceAccessError(
        what, hint="is --endpoint-url the address of an S3 store? nothing was deleted", code="not_a_listing"
    )


class _PageParser:
    """Reads the XML of a page."""

    def __init__(self, root: ET.Element, *, versions: bool) -> None:
        self._root = root
        self._versions = versions
        self._space = root.tag.rpartition("}")[0] + "}" if root.tag.startswith("{") else ""
        self._encoded = self._text("EncodingType") == "url"

    def _text(self, name: str) -> str:
        return (self._root.findtext(self._space + name) or "").strip()

    def _name(self, text: str) -> bytes:
        return unquote_to_bytes(text.replace("+", " ")) if self._encoded else text.encode()

    def page(self) -> BucketPage:
        objects: list[ListedObject] = []
        last_key, ascends = b"", True
        for element in self._root.iterfind(self._space + ("Version" if self._versions else "Contents")):
            listed, is_latest = self._object(element)
            ascends = ascends and listed.key >= last_key
            last_key = listed.key
            if is_latest:
                objects.append(listed)
        markers = (self._name(text) for text in self._texts("DeleteMarker", "Key")) if self._versions else ()
        last_key = max((last_key, *markers))
        folders = [self._name(text) for text in self._texts("CommonPrefixes", "Prefix")]
        return BucketPage(objects, folders, self._token(), last_key, ascends)

    def _texts(self, name: str, inner: str) -> list[str]:
        found = (element.findtext(self._space + inner) for element in self._root.iterfind(self._space + name))
        return [text for text in found if text is not None]

    def _object(self, element: ET.Element) -> tuple[ListedObject, bool]:
        start = len(self._space)
        fields = {child.tag[start:]: child.text or "" for child in element}
        try:
            key, size = fields["Key"], int(fields["Size"])
        except (KeyError, ValueError):
            raise _strange("the store lists something without a name or a size") from None
        restored = False
        if "RestoreStatus" in fields:
            status = element.find(self._space + "RestoreStatus")
            restored = status is not None and bool(status.findtext(self._space + "RestoreExpiryDate"))
        listed = ListedObject(
            self._name(key),
            size,
            fields.get("ETag", "").strip().strip('"'),
            _nanoseconds(fields.get("LastModified", "")),
            fields.get("StorageClass", ""),
            restored,
            fields.get("VersionId") if self._versions else None,
        )
        return listed, not self._versions or fields.get("IsLatest", "true") == "true"

    def _token(self) -> str | None:
        if self._text("IsTruncated") != "true":
            return None
        if self._versions:
            key = quote_from_bytes(self._name(self._text("NextKeyMarker")))
            token = f"{key}\n{self._text('NextVersionIdMarker')}" if key else ""
        else:
            token = self._text("NextContinuationToken")
        if not token:
            raise _strange("the store cuts its listing without saying how to go on")
        return token


def _nanoseconds(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return int(moment.replace(microsecond=0).timestamp()) * 1_000_000_000 + moment.microsecond * 1000
