"""A bucket of a real server, behind a proxy that makes it fail."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.transport import connections
from tests.conformance.connectors.connector_suite import RemoteSite
from tests.conformance.connectors.interruptions import Failure
from tests.servers.fault_proxy import Fault, FaultProxy, Request
from tests.servers.s3_store import SECRET, Bucket, error_xml

PAGE_SIZE = 10
TIMEOUT_SECONDS = 1
READ_SECONDS = connections.READ_SECONDS
FAULTS: dict[Failure, dict[str, Any]] = {
    "throttled": {"status": 503, "body": error_xml("SlowDown")},
    "broken": {"status": 500, "body": error_xml("InternalError")},
    "timeout": {"delay": TIMEOUT_SECONDS * 2},
    "closed": {"cut_after": 0},
    "cut": {"cut_after": 300},
    "forbidden": {"status": 403, "body": error_xml("AccessDenied")},
    "malformed": {"status": 200, "body": b"<html><body>Welcome</body></html>"},
    "empty": {"status": 200, "body": b"<ListBucketResult></ListBucketResult>"},
}


class S3Site(RemoteSite):
    """A bucket of its own on a moto server."""

    page_size = PAGE_SIZE
    keeps_connections = True
    secret = SECRET

    def __init__(self, server_port: int, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
        self.proxy = proxy
        self.monkeypatch = monkeypatch
        self._failure = Fault(times=0)
        self._planned = 0.0
        self.store = Bucket(server_port, proxy)
        self.bucket, self.client = self.store.name, self.store.client
        self._refusal: Fault | None = None

    def connector(self, *, max_size: int | None = None) -> BaseConnector:
        connector = self.store.connector(max_size=max_size)
        connector.page_size = PAGE_SIZE
        return connector

    # What is in it

    def put(self, name: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=name, Body=content)

    def replace(self, name: str, content: bytes) -> None:
        self.remove(name)
        self.put(name, content)

    def rename(self, name: str, new_name: str) -> None:
        self.client.copy_object(Bucket=self.bucket, Key=new_name, CopySource={"Bucket": self.bucket, "Key": name})
        self.remove(name)

    def remove(self, name: str) -> None:
        self.client.delete_object(Bucket=self.bucket, Key=name)

    # What goes wrong with it

    def _is_listing(self, request: Request) -> bool:
        return request.target.split("?", maxsplit=1)[0] == f"/{self.bucket}"

    def close_part(self, name: str) -> None:
        refusal = error_xml("AccessDenied")
        self.proxy.add(Fault(self._is_listing, times=float("inf"), status=403, body=refusal))

    def forbid(self, name: str) -> None:
        path = f"/{self.bucket}/{quote(name)}"
        refusal = error_xml("AccessDenied")
        self.proxy.add(Fault(lambda request: request.target == path, times=float("inf"), status=403, body=refusal))

    def interrupt(self, failure: Failure, *, skip: int, times: int) -> None:
        left = iter(range(skip))

        def is_meant(request: Request) -> bool:
            return self._is_listing(request) and next(left, None) is None

        if failure == "timeout":
            self.monkeypatch.setattr(connections, "READ_SECONDS", TIMEOUT_SECONDS)
            times = 1
        self._planned = times
        self._failure = self.proxy.add(Fault(is_meant, times, **FAULTS[failure]))

    def recover(self) -> bool:
        self.proxy.remove(self._failure)
        self.monkeypatch.setattr(connections, "READ_SECONDS", READ_SECONDS)
        return self._failure.times < self._planned

    def lock_out(self) -> None:
        refusal = error_xml("InvalidAccessKeyId", "<AWSAccessKeyId>AKIATEST</AWSAccessKeyId>")
        self._refusal = self.proxy.add(Fault(times=float("inf"), status=403, body=refusal))

    def let_in(self) -> None:
        if self._refusal is not None:
            self.proxy.remove(self._refusal)

    def throttle_next(self, times: int, *, retry_after: float | None = None) -> None:
        headers = {} if retry_after is None else {"Retry-After": f"{retry_after:.0f}"}
        self.proxy.add(Fault(times=times, status=503, headers=headers, body=error_xml("SlowDown")))

    def cut_next(self, after: int) -> None:
        self.proxy.add(Fault(cut_after=after))

    def unplug(self) -> None:
        self.store.settings["endpoint_url"] = "http://127.0.0.1:9"

    def wrong_settings(self) -> list[dict[str, Any]]:
        return [
            {},
            {"bucket": ""},
            {"bucket": "a/b"},
            {"bucket": "arn:aws:s3:us-east-1:1:accesspoint/x"},
            {"bucket": "fits", "novelty": 1},
            {"bucket": "fits", "endpoint_url": "ftp://host"},
            {"bucket": "fits", "endpoint_url": f"https://user:{SECRET}@host"},
            {"bucket": "fits", "credential": "a", "profile": "b"},
            {"bucket": "fits", "anonymous": True, "sqs": "https://sqs.example.org/1/q"},
            {"bucket": "fits", "prefix": "x" * 1025},
            {"bucket": "fits", "include": "*.md"},
        ]
