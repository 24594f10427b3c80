"""One page of a bucket: asked for, read, and checked to be what it should."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from ingest_tui.connectors.s3.client import BucketClient, Query, network_failure
from ingest_tui.connectors.s3.s3_errors import Explainer, NetworkFailure, StoreFailure
from ingest_tui.model.clock import storable_ns
from ingest_tui.model.errors import SourceAccessError

PAGE_SIZE = 1000
_RESTORE_STATUS = {"x-amz-optional-object-attributes": "RestoreStatus"}
_BAD_REQUEST = 400
_NOT_UNDERSTOOD = {_BAD_REQUEST, 405, 501}
_LONGEST_PAGE = 1 << 24
"""Bytes; a thousand keys of the longest kind, each byte percent-encoded, are a quarter of it."""
_PIECE = 1 << 16
_LISTING = re.compile(rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?<(\w+:)?(ListBucketResult|ListVersionsResult)[\s/>]")


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

    ``last_key`` is the last name of the page, also when what bears it is left out; ``ascends`` says whether its names
    ascend as bytes do, without which no page can be found by a name. ``entries`` counts all that the page names.
    """

    objects: list[ListedObject]
    folders: list[bytes]
    token: str | None
    last_key: bytes
    ascends: bool
    entries: int


class StartOverError(SourceAccessError):
    """The listing cannot be resumed where it was: what it named until now is void, it has to be listed from its start.

    A listing that has started over already ends with it.
    """

    code = "listing_broken_off"


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
        """Return the page that follows a name or a token, in one request.

        Raises `SourceAccessError`, and `StartOverError` when the store does not accept the token (any more).
        """
        query: Query = {"encoding-type": "url", "max-keys": str(limit or self._page_size)}
        if prefix:
            query["prefix"] = prefix
        if delimiter:
            query["delimiter"] = delimiter
        query |= self._version_query(after, token) if self._versions else self._plain_query(after, token)
        try:
            body = self._ask(query)
        except StoreFailure as failure:
            if token is not None and _refuses_token(failure):
                raise StartOverError(
                    f"the store does not accept its own token for the next page ({failure.code})",
                    hint="sync again; nothing was deleted",
                ) from None
            raise self._explainer.of_source(failure) from None
        except NetworkFailure as failure:
            raise self._explainer.of_source(failure) from None
        return self._read(body, prefix)

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
            return self._body(query)
        except StoreFailure as failure:
            # A store that does not know the attribute: then archived objects look like restored ones.
            if not self._wanted or failure.status not in _NOT_UNDERSTOOD or failure.transient:
                raise
            if failure.of_credential:
                raise
            answer = self._body(query, {})
            self._wanted = {}
            return answer

    def _body(self, query: Query, wanted: dict[str, str] | None = None) -> bytes:
        from urllib3.exceptions import HTTPError

        response = self._client.send("GET", None, query, self._wanted if wanted is None else wanted)
        body = bytearray()
        try:
            while piece := response.read(_PIECE):  # only the read after the last byte shows a cut
                body += piece
                if len(body) > _LONGEST_PAGE:
                    raise _strange("what the store sent is longer than a page of a listing can be")
        except HTTPError as error:
            raise network_failure(error, "the store") from None
        finally:
            response.close()
        return bytes(body)

    def _read(self, body: bytes, prefix: bytes) -> BucketPage:
        # The parser takes anything for an empty listing, also the page of a web server.
        if not _LISTING.match(body):
            raise _strange("what the store sent is not a listing")
        parser, plain_shape, version_shape = _parser()
        from botocore.parsers import ResponseParserError

        answer = {"body": body, "headers": {}, "status_code": 200}
        try:
            parsed = parser.parse(answer, version_shape if self._versions else plain_shape)
            page = _Page(parsed, versions=self._versions).read()
        except ResponseParserError:
            raise _strange("what the store sent is not a listing") from None
        except (KeyError, ValueError):
            raise _strange("the store lists something without a name or a size") from None
        if not all(name.startswith(prefix) for name in (*(listed.key for listed in page.objects), *page.folders)):
            raise _strange("the store lists objects outside the prefix that it was asked for")
        return page


def _refuses_token(failure: StoreFailure) -> bool:
    return failure.status == _BAD_REQUEST and not failure.transient and not failure.of_credential


@cache
def _parser() -> tuple[Any, Any, Any]:
    """Return botocore's parser, which leaves times as they are (its own takes most of the time), and what it reads."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel
    from botocore.parsers import ResponseParserFactory

    factory = ResponseParserFactory()
    factory.set_parser_defaults(timestamp_parser=str)
    model = ServiceModel(Loader().load_service_model("s3", "service-2"), "s3")
    shapes = (model.operation_model(name).output_shape for name in ("ListObjectsV2", "ListObjectVersions"))
    return (factory.create_parser("rest-xml"), *shapes)


def _strange(what: str) -> SourceAccessError:
    return SourceAccessError(
        what, hint="is --endpoint-url the address of an S3 store? nothing was deleted", code="not_a_listing"
    )


class _Page:
    """A page as botocore has read it."""

    def __init__(self, parsed: dict[str, Any], *, versions: bool) -> None:
        self._parsed = parsed
        self._versions = versions
        self._encoded = parsed.get("EncodingType") == "url"

    def _name(self, text: str) -> bytes:
        return unquote_to_bytes(text.replace("+", " ")) if self._encoded else text.encode()

    def _names(self, members: str, name: str) -> list[bytes]:
        return [self._name(member[name]) for member in self._parsed.get(members, ())]

    def read(self) -> BucketPage:
        """Return what the listing needs of it."""
        if "IsTruncated" not in self._parsed:
            raise _strange("what the store sent does not say whether it is all of the listing")
        entries = self._parsed.get("Versions" if self._versions else "Contents", ())
        objects = [self._object(entry) for entry in entries if entry.get("IsLatest", True)]
        keys = [listed.key for listed in objects]
        markers: list[bytes] = []
        if self._versions:
            keys = self._names("Versions", "Key")
            markers = self._names("DeleteMarkers", "Key")
        ascends = all(key <= following for key, following in pairwise(keys))
        last_key = max((*keys[-1:], *markers), default=b"")
        folders = self._names("CommonPrefixes", "Prefix")
        entries = len(keys) + len(markers) + len(folders)
        return BucketPage(objects, folders, self._token(), last_key, ascends, entries)

    def _object(self, entry: dict[str, Any]) -> ListedObject:
        return ListedObject(
            self._name(entry["Key"]),
            entry["Size"],
            entry.get("ETag", "").strip().strip('"'),
            _nanoseconds(entry.get("LastModified", "")),
            entry.get("StorageClass", ""),
            bool(entry.get("RestoreStatus", {}).get("RestoreExpiryDate")),
            entry.get("VersionId") if self._versions else None,
        )

    def _token(self) -> str | None:
        if not self._parsed.get("IsTruncated"):
            return None
        if self._versions:
            key = quote_from_bytes(self._name(self._parsed.get("NextKeyMarker", "")))
            token = f"{key}\n{self._parsed.get('NextVersionIdMarker', '')}" if key else ""
        else:
            token = self._parsed.get("NextContinuationToken", "")
        if not token:
            raise _strange("the store cuts its listing without saying how to continue")
        return token


def _nanoseconds(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return storable_ns(int(moment.replace(microsecond=0).timestamp()) * 1_000_000_000 + moment.microsecond * 1000)
