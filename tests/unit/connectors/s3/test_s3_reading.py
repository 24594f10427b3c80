"""Reading objects: exactly what was listed, whatever the store does, and a reason for what cannot be had."""

from __future__ import annotations

import base64
import hashlib
import zlib
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.connectors.s3.client import BucketClient
from ingest_tui.connectors.s3.connector import S3Connector
from ingest_tui.connectors.s3.s3_errors import NetworkFailure
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import (
    AuthenticationError,
    IngestError,
    ItemError,
    SourceAccessError,
    TransientItemError,
)
from tests.servers.fake_bucket import FakeBucket
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.servers.s3_store import Bucket, error_xml


def only(connector: S3Connector) -> Descriptor:
    """Return the one descriptor of a listing."""
    ((descriptor,),) = [page.descriptors for page in connector.list()]
    return descriptor


def read(connector: S3Connector, descriptor: Descriptor, offset: int = 0) -> bytes:
    with connector.fetch(descriptor, offset) as pieces:
        return b"".join(pieces)


def reason_of(connector: S3Connector, descriptor: Descriptor, offset: int = 0) -> str:
    with pytest.raises(IngestError) as caught:
        read(connector, descriptor, offset)
    assert caught.value.message.isprintable()
    return caught.value.reason


# A real server


@pytest.fixture
def bucket(moto_port: int, moto_proxy: FaultProxy) -> Bucket:
    return Bucket(moto_port, moto_proxy)


def test_archived_object_is_refused_by_the_listing_and_by_the_store(bucket: Bucket) -> None:
    """An archived object is an outcome before a request is spent on it, and one all the same when it is asked for."""
    bucket.put("a.txt", b"one", StorageClass="GLACIER")
    connector = bucket.connector()
    descriptor = only(connector)
    assert descriptor.refusal is not None
    assert descriptor.refusal[0] == "archived"
    assert reason_of(connector, descriptor) == "archived"


def test_object_encrypted_with_a_key_of_the_customer_is_distinguished(bucket: Bucket) -> None:
    """What cannot be decrypted here fails alone, with a reason of its own."""
    key = b"0" * 32
    bucket.put("a.txt", b"one", SSECustomerAlgorithm="AES256", SSECustomerKey=key)
    connector = bucket.connector()
    descriptor = only(connector)
    message = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided."
    refusal = f"<Error><Code>InvalidRequest</Code><Message>{message}</Message></Error>".encode()
    bucket.proxy.add(Fault(lambda request: "a.txt" in request.target, status=400, body=refusal))
    assert reason_of(connector, descriptor) == "encrypted"


def test_multipart_object_is_read_whole(bucket: Bucket) -> None:
    """The ETag of an object that came in parts is no checksum; its size is checked instead."""
    upload = bucket.client.create_multipart_upload(Bucket=bucket.name, Key="a.bin")["UploadId"]
    place = {"Bucket": bucket.name, "Key": "a.bin", "UploadId": upload}
    parts = [b"x" * 5_242_880, b"y" * 1000]
    etags = [
        bucket.client.upload_part(**place, PartNumber=number, Body=part)["ETag"] for number, part in enumerate(parts, 1)
    ]
    listed_parts = [{"ETag": etag, "PartNumber": number} for number, etag in enumerate(etags, 1)]
    bucket.client.complete_multipart_upload(**place, MultipartUpload={"Parts": listed_parts})
    connector = bucket.connector()
    descriptor = only(connector)
    assert descriptor.fingerprint.endswith("-2")
    assert read(connector, descriptor) == b"".join(parts)


def test_same_size_edit_is_noticed_and_unchanged_object_keeps_its_fingerprint(bucket: Bucket) -> None:
    """The ETag tells an edit of the same size within the same second, and writing the same again is no edit."""
    seen = []
    for content in (b"one", b"two", b"two"):
        bucket.put("a.txt", content)
        seen.append(only(bucket.connector()).fingerprint)
    assert seen[0] != seen[1] == seen[2]


def test_overwritten_object_is_not_taken_for_the_listed_one(bucket: Bucket) -> None:
    """Without versions the store refuses by If-Match; nothing of the new content is taken."""
    bucket.put("a.txt", b"one")
    connector = bucket.connector()
    descriptor = only(connector)
    bucket.put("a.txt", b"two")
    assert reason_of(connector, descriptor) == "changed_while_read"


def test_with_versions_the_listed_version_is_fetched(bucket: Bucket) -> None:
    """An overwrite or a deletion between listing and fetch changes nothing: the version that was listed comes."""
    bucket.keep_versions()
    bucket.put("a.txt", b"older")
    bucket.put("a.txt", b"listed")
    connector = bucket.connector(versions=True)
    descriptor = only(connector)
    bucket.put("a.txt", b"newer")
    assert read(connector, descriptor) == b"listed"
    bucket.client.delete_object(Bucket=bucket.name, Key="a.txt")
    assert read(connector, descriptor, 2) == b"sted"
    origin = connector.origin(descriptor)
    assert origin["etag"] == hashlib.md5(b"listed", usedforsecurity=False).hexdigest()
    assert origin["version_id"]
    assert [page.descriptors for page in connector.list()] in ([], [[]])


def test_versions_of_a_bucket_without_versioning_are_its_objects(bucket: Bucket) -> None:
    """Asking for versions where there are none lists and fetches what is there."""
    bucket.put("a.txt", b"one")
    connector = bucket.connector(versions=True)
    descriptor = only(connector)
    assert descriptor.metadata is None
    assert read(connector, descriptor) == b"one"


def test_versions_are_listed_page_after_page(bucket: Bucket) -> None:
    """Old versions and delete markers between the pages hide nothing and show nothing."""
    bucket.keep_versions()
    for number in range(8):
        for content in (b"old", b"new"):
            bucket.put(f"{number}.txt", content)
    bucket.client.delete_object(Bucket=bucket.name, Key="3.txt")
    connector = bucket.connector(versions=True)
    connector.page_size = 3
    pages = list(connector.list())
    keys = [descriptor.key for page in pages for descriptor in page.descriptors]
    assert sorted(keys) == [f"{number}.txt" for number in range(8) if number != 3]
    first = {descriptor.key for descriptor in pages[0].descriptors}
    rest = {descriptor.key for page in connector.list(pages[0].cursor) for descriptor in page.descriptors}
    assert first | rest == set(keys)


def test_small_offset_and_end_are_exact(bucket: Bucket) -> None:
    """Resuming works at every place, and at the very end there is nothing left to ask for."""
    bucket.put("a.txt", b"0123456789")
    connector = bucket.connector()
    descriptor = only(connector)
    for offset in (1, 9):
        assert read(connector, descriptor, offset) == b"0123456789"[offset:]
    bucket.proxy.requests.clear()
    assert read(connector, descriptor, 10) == b""
    assert not bucket.proxy.requests


def answers(proxy: FaultProxy, status: int, code: str, more: str = "") -> Fault:
    return proxy.add(Fault(times=float("inf"), status=status, body=error_xml(code, more)))


@pytest.mark.parametrize(
    ("status", "code", "kind", "reason"),
    [
        (403, "AccessDenied", ItemError, "forbidden"),
        (403, "InvalidObjectState", ItemError, "archived"),
        (404, "NoSuchKey", ItemError, "not_found"),
        (404, "NoSuchVersion", ItemError, "not_found"),
        (405, "MethodNotAllowed", ItemError, "not_found"),
        (412, "PreconditionFailed", ItemError, "changed_while_read"),
        (416, "InvalidRange", ItemError, "changed_while_read"),
        (400, "KMS.DisabledException", ItemError, "encrypted"),
        (400, "InvalidArgument", ItemError, "unreadable"),
        (503, "SlowDown", TransientItemError, "throttled"),
        (429, "TooManyRequests", TransientItemError, "throttled"),
        (400, "RequestLimitExceeded", TransientItemError, "throttled"),
        (500, "InternalError", TransientItemError, "network"),
        (502, "BadGateway", TransientItemError, "network"),
        (400, "RequestTimeout", TransientItemError, "network"),
        (400, "ExpiredToken", AuthenticationError, "authentication"),
        (403, "InvalidAccessKeyId", AuthenticationError, "authentication"),
        (403, "SignatureDoesNotMatch", AuthenticationError, "authentication"),
        (401, "Unauthorized", AuthenticationError, "authentication"),
        (403, "RequestTimeTooSkewed", SourceAccessError, "clock_skew"),
        (404, "NoSuchBucket", SourceAccessError, "not_found"),
    ],
)
def test_each_refusal_of_a_get_has_its_reason(
    bucket: Bucket, status: int, code: str, kind: type[IngestError], reason: str
) -> None:
    """What is of one item is an error of the item, what is of the credential or the source an error of the source."""
    bucket.put("a.txt", b"one")
    connector = bucket.connector()
    descriptor = only(connector)
    answers(bucket.proxy, status, code)
    with pytest.raises(kind) as caught:
        read(connector, descriptor)
    assert (type(caught.value), caught.value.reason) == (kind, reason)


# Stores that know less


class WithFake:
    """A fake bucket with one object and a connector to it."""

    def __init__(self, bucket: FakeBucket, **settings: Any) -> None:
        self.bucket = bucket
        self.connector = S3Connector(bucket.settings | settings)
        self.descriptor = only(self.connector)


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def test_store_without_if_match_is_seen_through_by_its_etag() -> None:
    """A store that sends the new content all the same is told by the ETag of its answer."""
    with FakeBucket([b"a"], body=b"one", size=3, etag=md5(b"one"), knows_if_match=False) as bucket:
        fake = WithFake(bucket)
        bucket.body, bucket.etag = b"two", md5(b"two")
        assert reason_of(fake.connector, fake.descriptor) == "changed_while_read"


def test_store_without_ranges_is_read_from_its_start() -> None:
    """Where an offset is ignored the beginning is passed over, when the ETag says that it is the same."""
    with FakeBucket([b"a"], body=b"0123456789", size=10, etag=md5(b"0123456789"), knows_ranges=False) as bucket:
        fake = WithFake(bucket)
        assert read(fake.connector, fake.descriptor, 4) == b"456789"
        bucket.answer_headers = {"ETag": ""}
        assert reason_of(fake.connector, fake.descriptor, 4) == "changed_while_read"


def test_other_size_than_listed_is_a_change() -> None:
    """A body that is longer or shorter than the listing said is not taken, with or without an ETag."""
    with FakeBucket([b"a"], body=b"0123456789", size=10, knows_if_match=False) as bucket:
        fake = WithFake(bucket)
        for body in (b"012345678", b"0123456789X"):
            bucket.body, bucket.answer_headers = body, {"ETag": ""}
            assert reason_of(fake.connector, fake.descriptor) == "changed_while_read"
            assert reason_of(fake.connector, fake.descriptor, 4) == "changed_while_read"


def test_damage_on_the_way_is_reported(bucket: Bucket) -> None:
    """Bytes that do not have the MD5 sum of the ETag are not taken; the next time they may come whole."""
    bucket.put("a.txt", b"one")
    connector = bucket.connector()
    descriptor = only(connector)
    bucket.proxy.add(Fault(replace=(b"one", b"onE")))
    assert reason_of(connector, descriptor) == "checksum_mismatch"
    assert read(connector, descriptor) == b"one"


def test_damaged_object_is_not_taken_however_often_it_comes_like_that() -> None:
    """Damage in the store comes alike each time: the object fails, others of the store are read, and nothing is learnt
    from it."""
    with FakeBucket([b"a"], body=b"onE", size=3, etag=md5(b"one")) as bucket:
        fake = WithFake(bucket)
        for _ in range(3):
            with pytest.raises(ItemError) as caught:
                read(fake.connector, fake.descriptor)
            assert caught.value.reason == "checksum_mismatch"
            assert "--opaque-etags" in caught.value.hint
        bucket.body = b"one"
        assert read(fake.connector, fake.descriptor) == b"one"


def test_etags_that_only_look_like_sums_have_to_be_named() -> None:
    """A store whose ETags are no MD5 sums is read when the source says so, and the record says that nothing checked."""
    with FakeBucket([b"a"], body=b"one", size=3, etag=md5(b"something else")) as bucket:
        fake = WithFake(bucket, opaque_etags=True)
        bucket.requests.clear()
        assert read(fake.connector, fake.descriptor) == b"one"
        assert fake.connector.origin(fake.descriptor)["checksum"] == "none"
        assert len(bucket.requests) == 1


def encoded(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


KEPT_SUMS = {
    "sha256": lambda content: hashlib.sha256(content).digest(),
    "sha1": lambda content: hashlib.sha1(content, usedforsecurity=False).digest(),
    "crc32": lambda content: zlib.crc32(content).to_bytes(4, "big"),
}


@pytest.mark.parametrize("name", KEPT_SUMS)
def test_sum_that_the_store_keeps_is_compared(name: str) -> None:
    """It decides also where the ETag only looks like a sum, and is named in the record."""
    with FakeBucket([b"a"], body=b"one", size=3, etag=md5(b"something else")) as bucket:
        bucket.answer_headers = {f"x-amz-checksum-{name}": encoded(KEPT_SUMS[name](b"one"))}
        fake = WithFake(bucket)
        assert read(fake.connector, fake.descriptor) == b"one"
        assert fake.connector.origin(fake.descriptor)["checksum"] == name
        bucket.answer_headers = {f"x-amz-checksum-{name}": encoded(KEPT_SUMS[name](b"onE"))}
        assert reason_of(fake.connector, fake.descriptor) == "checksum_mismatch"


@pytest.mark.parametrize(("endpoint_url", "is_asked"), [(None, True), ("http://127.0.0.1:9000", False)])
def test_checksum_is_asked_of_aws_only(
    monkeypatch: pytest.MonkeyPatch, endpoint_url: str | None, is_asked: bool
) -> None:
    """Other stores may refuse what they do not know."""
    asked: list[dict[str, str]] = []

    def send(_client: BucketClient, _method: str, _key: bytes, _query: object, headers: dict[str, str]) -> None:
        asked.append(headers)
        raise NetworkFailure("nobody answers")

    monkeypatch.setattr(BucketClient, "send", send)
    connector = S3Connector({"bucket": "any", "anonymous": True, "endpoint_url": endpoint_url})
    for offset in (0, 1):
        with pytest.raises(TransientItemError):
            read(connector, Descriptor("a", "s3://any/a", "5-x", 5), offset)
    assert ["x-amz-checksum-mode" in headers for headers in asked] == [is_asked, False]


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-checksum-sha256": f"{encoded(hashlib.sha256(b'x').digest())}-2"},
        {"x-amz-checksum-crc32": encoded(b"1234"), "x-amz-checksum-type": "COMPOSITE"},
        {"x-amz-checksum-crc64nvme": encoded(b"12345678")},
        {"x-amz-checksum-sha256": "?"},
        {},
    ],
    ids=["of parts", "composite", "unknown here", "garbage", "none"],
)
def test_record_says_where_nothing_could_be_compared(headers: dict[str, str]) -> None:
    """A sum of parts, one that is not computed here, and none at all: only the size was compared."""
    with FakeBucket([b"a"], body=b"one", size=3, answer_headers=headers) as bucket:
        fake = WithFake(bucket)
        assert read(fake.connector, fake.descriptor) == b"one"
        assert fake.connector.origin(fake.descriptor)["checksum"] == "none"


def test_download_that_was_cut_is_checked_as_a_whole(bucket: Bucket) -> None:
    """What came before a cut and what came after it are compared together, also when it was cut at its very end."""
    content = bytes(range(256)) * 4000
    bucket.put("a.bin", content)
    connector = bucket.connector()
    descriptor = only(connector)
    for damage in ((b"\x00\x01\x02\x03", b"\x00\x01\x02\x04"), None):
        bucket.proxy.add(Fault(lambda request: "a.bin" in request.target, cut_after=600_000))
        arrived: list[bytes] = []
        with pytest.raises(TransientItemError), connector.fetch(descriptor) as pieces:
            arrived.extend(pieces)
        received = b"".join(arrived)
        if damage:
            bucket.proxy.add(Fault(lambda request: "a.bin" in request.target, replace=damage))
            assert reason_of(connector, descriptor, len(received)) == "checksum_mismatch"
        else:
            assert received + read(connector, descriptor, len(received)) == content
            assert connector.origin(descriptor)["checksum"] == "md5"


def test_sum_is_not_asked_of_an_encrypted_object() -> None:
    """With a key of KMS the ETag is no MD5 sum, and the store says so: no second look."""
    kms = {"x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:eu-central-1:1:key/x"}
    with FakeBucket([b"a"], body=b"one", size=3, etag=md5(b"other"), answer_headers=kms) as bucket:
        fake = WithFake(bucket)
        bucket.requests.clear()
        assert read(fake.connector, fake.descriptor) == b"one"
        assert len(bucket.requests) == 1


def test_agreeing_to_pay_goes_with_every_request() -> None:
    """A bucket whose requester pays wants to hear it in listings and reads."""
    with FakeBucket([b"a"], body=b"one", size=3) as bucket:
        WithFake(bucket, requester_pays=True)
        assert all(headers.get("x-amz-request-payer") == "requester" for headers in bucket.listed_with)


def peak_megabytes() -> float:
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


@pytest.mark.slow
def test_gigabyte_streams_in_constant_memory() -> None:
    """However large an object is, it passes through in pieces."""
    with FakeBucket([b"a"], size=1 << 30) as bucket:
        fake = WithFake(bucket)
        with fake.connector.fetch(fake.descriptor) as pieces:
            next(pieces)
        Path("/proc/self/clear_refs").write_text("5")
        before = peak_megabytes()
        with fake.connector.fetch(fake.descriptor) as pieces:
            assert sum(map(len, pieces)) == 1 << 30
        assert peak_megabytes() - before < 30
