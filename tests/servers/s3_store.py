"""Buckets on a real server, with everything that a connector to them needs."""

from __future__ import annotations

import itertools
from typing import Any

import boto3
from botocore.config import Config

from ingest_tui.connectors.s3.connector import S3Connector
from ingest_tui.model.errors import NotFoundError
from tests.servers.fault_proxy import FaultProxy

SECRET = "canary/of+the/secret/key"
_numbers = itertools.count(1)


class StaticCredential:
    """A registry entry that needs no resolving."""

    def __init__(self, name: str, fields: dict[str, str], kind: str = "aws") -> None:
        self.name = name
        self.type = kind
        self.fields = fields

    @property
    def digest(self) -> str:
        return repr(self.fields)

    @property
    def identity(self) -> str:
        return f"{self.type} {self.name}"

    def get(self, field: str, default: str | None = None) -> str | None:
        return self.fields.get(field, default)

    def require(self, field: str) -> str:
        return self.fields[field]


class StaticCredentials:
    """A credential registry with what a test puts into it."""

    def __init__(self, *entries: StaticCredential) -> None:
        self.entries = {entry.name: entry for entry in entries}

    def get(self, name: str) -> StaticCredential:
        if name not in self.entries:
            raise NotFoundError(f"no credential {name}", hint="add it")
        return self.entries[name]


def error_xml(code: str, more: str = "") -> bytes:
    """Return the body of an error as S3 sends it, with a message that must not be shown."""
    return f"<Error><Code>{code}</Code><Message>quotes {SECRET}</Message>{more}</Error>".encode()


def server_client(port: int) -> Any:
    """Return a boto3 client straight to a server."""
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="AKIATEST",
        aws_secret_access_key=SECRET,
        config=Config(s3={"addressing_style": "path"}),
    )


class Bucket:
    """A new bucket; connectors reach it through a proxy, tests fill it directly."""

    def __init__(self, server_port: int, proxy: FaultProxy) -> None:
        self.proxy = proxy
        self.name = f"bucket-{next(_numbers)}"
        self.client = server_client(server_port)
        self.client.create_bucket(Bucket=self.name)
        self.settings: dict[str, Any] = {"bucket": self.name, "endpoint_url": proxy.url, "credential": "store"}

    def connector(self, *, max_size: int | None = None, **settings: Any) -> S3Connector:
        """Return a new connector to the bucket."""
        entry = StaticCredential("store", {"access_key_id": "AKIATEST", "secret_access_key": SECRET})
        return S3Connector(self.settings | settings, max_size=max_size, credentials=StaticCredentials(entry))

    def put(self, name: str, content: bytes, **more: Any) -> None:
        """Write an object."""
        self.client.put_object(Bucket=self.name, Key=name, Body=content, **more)

    def keep_versions(self) -> None:
        """Keep the versions of objects from now on."""
        self.client.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})
