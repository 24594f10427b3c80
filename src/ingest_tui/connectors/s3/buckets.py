"""The buckets of a store, for people who choose one; and folders in them before a source names the bucket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

from ingest_tui.connectors.base import Credentials, Place
from ingest_tui.connectors.s3.client import BucketClient, network_failure
from ingest_tui.connectors.s3.config import S3Config
from ingest_tui.connectors.s3.s3_errors import Explainer, NetworkFailure, StoreFailure
from ingest_tui.model.errors import SourceAccessError

_STAND_IN = "any-bucket"
_FORBIDDEN = 403


def list_buckets(config: dict[str, Any], credentials: Credentials | None) -> Iterator[Place]:
    """Yield the buckets that the credential in ``config`` may see, from one request; the path is the name.

    Raises `SourceAccessError`; many credentials may read a bucket without being allowed to list all of them.
    """
    settings = S3Config.model_validate(config | {"bucket": _STAND_IN, "prefix": ""}).model_copy(update={"bucket": ""})
    client = BucketClient(settings, credentials, connections=1)
    explainer = Explainer("", "", anonymous=settings.anonymous, versions=False)
    try:
        body = _body(client)
    except (StoreFailure, NetworkFailure) as failure:
        if isinstance(failure, StoreFailure) and failure.status == _FORBIDDEN and not failure.of_credential:
            raise SourceAccessError(
                f"no permission to list the buckets ({failure.code})",
                hint="type the name of the bucket; its folders can be browsed then",
                code="forbidden",
            ) from None
        raise explainer.of_source(failure) from None
    for name in _names(body):
        yield Place(name, name, "folder")


def _body(client: BucketClient) -> bytes:
    from urllib3.exceptions import HTTPError

    response = client.send("GET", None, {}, {})
    try:
        return response.read()
    except HTTPError as error:
        response.close()
        raise network_failure(error, "the store") from None


def _names(body: bytes) -> list[str]:
    strange = SourceAccessError(
        "what the store sent is no list of buckets",
        hint="is --endpoint-url the address of an S3 store?",
        code="not_a_listing",
    )
    try:
        root = ET.fromstring(body)  # noqa: S314 - expat bounds entities
    except ET.ParseError:
        raise strange from None
    if root.tag.rpartition("}")[2] != "ListAllMyBucketsResult":
        raise strange
    space = root.tag.rpartition("}")[0] + "}" if root.tag.startswith("{") else ""
    found = (element.findtext(space + "Name") for element in root.iter(space + "Bucket"))
    return [name for name in found if name]
