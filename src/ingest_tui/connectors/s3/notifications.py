"""Notifications of a bucket in a queue (SQS): hints that something changed, never the truth about what.

Three forms are understood: those that S3 sends itself, the same through SNS, and those of EventBridge.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from ingest_tui.connectors.s3.access import Access, check_packages
from ingest_tui.model.errors import SourceAccessError, TransientSourceError

_LONGEST_POLL_SECONDS = 20
_MESSAGES = 10
_QUEUE_HOST = re.compile(r"sqs[.-]([a-z0-9-]+)\.")
_REFUSED = {"AccessDenied", "AccessDeniedException", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}
_TIMEOUT_SECONDS = 10


class NotificationQueue:
    """Waits for messages about a bucket. ``belongs`` says of a key whether its messages are for this source to take,
    ``matters`` whether such a key is of interest.
    """

    def __init__(
        self, url: str, bucket: str, *, belongs: Callable[[bytes], bool], matters: Callable[[bytes], bool]
    ) -> None:
        self._url = url
        self._bucket = bucket
        self._belongs = belongs
        self._matters = matters
        self._client: Any = None
        self._lock = threading.Lock()

    def wait(self, access: Access, timeout: float) -> bool:
        """Return True when something of interest changed, False when ``timeout`` seconds passed without word.

        Messages about what belongs to this source are taken from the queue, others stay in it. Raises
        `SourceAccessError`.
        """
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            messages = self._receive(access, min(_LONGEST_POLL_SECONDS, max(0, int(left))))
            mine = [(message, keys) for message in messages if (keys := self._mine(message)) is not None]
            self._delete(access, [message for message, _ in mine])
            if any(self._matters(key) for _, keys in mine for key in keys):
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if left < 1:
                time.sleep(left)  # the queue waits for whole seconds only

    def _mine(self, message: dict[str, Any]) -> list[bytes] | None:
        """Return the keys of ours that a message names; None when it is not for this source."""
        named = list(changes_in(message.get("Body", "")))
        if not any(bucket == self._bucket and (key is None or self._belongs(key)) for bucket, key in named):
            return None
        return [key for bucket, key in named if bucket == self._bucket and key is not None and self._belongs(key)]

    def _receive(self, access: Access, seconds: int) -> list[dict[str, Any]]:
        answer = self._call(access, "receive_message", MaxNumberOfMessages=_MESSAGES, WaitTimeSeconds=seconds)
        return list(answer.get("Messages", ()))

    def _delete(self, access: Access, messages: list[dict[str, Any]]) -> None:
        if messages:
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages)
            ]
            self._call(access, "delete_message_batch", Entries=entries)

    def _call(self, access: Access, operation: str, **parameters: Any) -> dict[str, Any]:
        check_packages()
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            client = self._connected(access)
            answer: dict[str, Any] = getattr(client, operation)(QueueUrl=self._url, **parameters)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _REFUSED or error.response["ResponseMetadata"]["HTTPStatusCode"] == 403:  # noqa: PLR2004
                raise SourceAccessError(
                    "the queue with notifications is not there, or may not be read",
                    hint="check --sqs and allow sqs:ReceiveMessage and sqs:DeleteMessage on it",
                    code="forbidden",
                ) from None
            raise TransientSourceError("the queue with notifications fails for now", code="network") from None
        except BotoCoreError as error:
            what = f"the queue with notifications cannot be reached ({type(error).__name__})"
            raise TransientSourceError(what, code="network") from None
        return answer

    def _connected(self, access: Access) -> Any:
        with self._lock:
            if self._client is None:
                self._client = _client(self._url, access)
            return self._client

    def close(self) -> None:
        """Close the connections; others are made if it is asked again."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def forget_access(self) -> None:
        """Sign with what the credential says again, from the next request on."""
        with self._lock:
            self._client = None


def _client(url: str, access: Access) -> Any:
    import boto3
    from botocore.config import Config

    parts = urlsplit(url)
    match = _QUEUE_HOST.match(parts.hostname or "")
    keys = access.keys()
    session = boto3.session.Session(
        aws_access_key_id=keys.access_key if keys else None,
        aws_secret_access_key=keys.secret_key if keys else None,
        aws_session_token=keys.token if keys else None,
        region_name=match[1] if match else access.region,
    )
    timeout = _LONGEST_POLL_SECONDS + _TIMEOUT_SECONDS
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=_TIMEOUT_SECONDS, read_timeout=timeout)
    return session.client("sqs", endpoint_url=f"{parts.scheme}://{parts.netloc}", config=config)


def changes_in(body: str) -> Iterator[tuple[str, bytes | None]]:
    """Yield the ``(bucket, key)`` that a message names; the key is None for one that only tests the queue.

    Whatever else is in the queue names nothing.
    """
    try:
        event = json.loads(body)
    except ValueError:
        return
    if not isinstance(event, dict):
        return
    if event.get("Type") == "Notification" and isinstance(event.get("Message"), str):
        yield from changes_in(event["Message"])
    elif event.get("Event") == "s3:TestEvent":
        yield str(event.get("Bucket")), None
    elif isinstance(event.get("detail"), dict):  # EventBridge, whose keys are not encoded
        yield _text(event["detail"], "bucket", "name"), _text(event["detail"], "object", "key").encode()
    else:
        for record in event.get("Records") or ():
            key = _text(record, "s3", "object", "key")
            yield _text(record, "s3", "bucket", "name"), unquote_to_bytes(key.replace("+", " "))


def _text(value: Any, *path: str) -> str:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
