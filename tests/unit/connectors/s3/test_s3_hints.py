"""Notifications of a bucket: which ones are hints, and that the queue is left in order."""

from __future__ import annotations

import json
import time
from typing import Any

import boto3
import pytest

from ingest_tui.connectors.s3.connector import S3Connector
from ingest_tui.connectors.s3.notifications import changes_in
from ingest_tui.model.errors import SourceAccessError, TransientSourceError
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.servers.s3_store import SECRET, Bucket


class Queue:
    """A queue on the server of a bucket."""

    def __init__(self, port: int, bucket: Bucket) -> None:
        self.client = boto3.client(
            "sqs",
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="us-east-1",
            aws_access_key_id="AKIATEST",
            aws_secret_access_key=SECRET,
        )
        own_url = self.client.create_queue(QueueName=bucket.name)["QueueUrl"]
        self.url = f"{bucket.proxy.url}/{own_url.split('/', 3)[3]}"

    def send(self, body: Any) -> None:
        """Put a message into the queue."""
        self.client.send_message(QueueUrl=self.url, MessageBody=json.dumps(body))

    def left(self) -> int:
        """Return how many messages are in the queue, those included that somebody has taken and not removed."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)


@pytest.fixture
def bucket(moto_port: int, moto_proxy: FaultProxy) -> Bucket:
    return Bucket(moto_port, moto_proxy)


@pytest.fixture
def queue(moto_port: int, bucket: Bucket) -> Queue:
    return Queue(moto_port, bucket)


def record(bucket: str, key: str) -> dict[str, Any]:
    return {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}


def test_written_object_is_reported_at_once(bucket: Bucket, queue: Queue) -> None:
    """The notification that the store itself sends is a hint, once, and leaves the queue."""
    arn = queue.client.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bucket.client.put_bucket_notification_configuration(
        Bucket=bucket.name,
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]},
    )
    connector = bucket.connector(sqs=queue.url)
    assert connector.wait_for_hint(0) is False  # what the store sends to try the queue is no hint
    bucket.put("with space+ü.md", b"words")
    assert connector.wait_for_hint(5) is True
    assert connector.wait_for_hint(0) is False
    assert queue.left() == 0


def test_only_what_the_source_takes_is_a_hint(bucket: Bucket, queue: Queue) -> None:
    """What is left out is taken from the queue and tells nothing; what is of others stays for them."""
    queue.send({"Records": [record(bucket.name, "docs/drafts/a.md")]})
    queue.send({"Records": [record(bucket.name, "elsewhere/a.md")]})
    queue.send({"Records": [record("another-bucket", "docs/a.md")]})
    queue.send("what others send")
    connector = bucket.connector(sqs=queue.url, prefix="docs/", exclude=("drafts/",))
    assert connector.wait_for_hint(0) is False
    assert queue.left() == 3
    queue.send({"Records": [record(bucket.name, "elsewhere/b.md"), record(bucket.name, "docs/a.md")]})
    assert connector.wait_for_hint(5) is True
    assert queue.left() == 3


def test_waiting_ends_in_time(bucket: Bucket, queue: Queue) -> None:
    """Without word the call takes as long as was asked for."""
    started = time.monotonic()
    assert bucket.connector(sqs=queue.url).wait_for_hint(1.3) is False
    assert 1.2 < time.monotonic() - started < 6


def test_source_without_a_queue_sends_no_word(bucket: Bucket) -> None:
    """Nothing is waited for where no queue is named."""
    started = time.monotonic()
    assert bucket.connector().wait_for_hint(60) is None
    assert time.monotonic() - started < 1


def test_queue_that_is_missing_or_fails_is_reported(bucket: Bucket, queue: Queue) -> None:
    """A wrong queue is an error with what to allow, a failing one may pass; neither shows the secret."""
    with pytest.raises(SourceAccessError) as caught:
        bucket.connector(sqs=queue.url + "-missing").wait_for_hint(0)
    assert "sqs:ReceiveMessage" in caught.value.hint
    assert not caught.value.retryable
    bucket.proxy.add(Fault(times=9, status=503, body=SECRET.encode()))
    with pytest.raises(TransientSourceError) as caught:
        bucket.connector(sqs=queue.url).wait_for_hint(0)
    assert SECRET not in repr(caught.value)
    with pytest.raises(TransientSourceError):
        bucket.connector(sqs="http://127.0.0.1:9/1/queue").wait_for_hint(0)


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        ({"Records": [record("b", "a+b%2Bc%FF.md")]}, [("b", b"a b+c\xff.md")]),
        ({"Type": "Notification", "Message": json.dumps({"Records": [record("b", "a")]})}, [("b", b"a")]),
        (
            {"detail-type": "Object Created", "detail": {"bucket": {"name": "b"}, "object": {"key": "a+b%2B"}}},
            [("b", b"a+b%2B")],
        ),
        ({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}, [("b", None)]),
        ({"Records": [{}, {"s3": 3}, "x"]}, [("", b"")] * 3),
        ({}, []),
        ([], []),
        ("text", []),
    ],
)
def test_each_form_of_notification_is_understood(body: Any, changes: list[tuple[str, bytes | None]]) -> None:
    """S3's own form, through SNS, and EventBridge's; whatever else there is names nothing."""
    assert list(changes_in(json.dumps(body))) == changes
    assert list(changes_in("{ no json")) == []


def test_connector_declares_that_it_may_notify() -> None:
    """The watch asks only connectors that say so."""
    assert S3Connector.capabilities.notifies
