"""What is signed is what is sent."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any
from unittest import mock

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.connectors.s3.access import AccessKeys
from ingest_tui.connectors.s3.client import BucketClient, Query
from ingest_tui.connectors.s3.config import S3Config

ENDPOINTS = st.sampled_from([None, "http://127.0.0.1:9000", "https://Store.example.org:443/base", "http://[::1]:80"])
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
KEY_ID = "AKIAIOSFODNN7EXAMPLE"


class OneCredential:
    """A registry with one entry."""

    type = "aws"

    def __init__(self, secret: str, token: str | None) -> None:
        self._fields = {"access_key_id": KEY_ID, "secret_access_key": secret, "session_token": token}

    def get(self, name: str) -> Any:
        return self if name == "store" else self._fields.get(name)

    require = get


def sent(client: BucketClient, key: bytes | None, query: Query, headers: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Return target and headers of a request, as they are given to the connection."""
    answer = SimpleNamespace(status=200)
    with mock.patch("urllib3.HTTPConnectionPool.urlopen", return_value=answer) as urlopen:
        client.send("GET", key, query, headers)
    return urlopen.call_args.args[1], urlopen.call_args.kwargs["headers"]


@given(
    endpoint=ENDPOINTS,
    key=st.none() | NAMES.map(str.encode),
    query=st.dictionaries(NAMES, NAMES | NAMES.map(str.encode), max_size=4),
    secret=SECRETS,
    token=st.none() | SECRETS,
    headers=st.sampled_from([{}, {"range": "bytes=7-"}, {"if-match": '"a  b"', "x-amz-request-payer": "requester"}]),
)
def test_what_is_sent_bears_the_signature_of_what_is_sent(
    endpoint: str | None, key: bytes | None, query: Query, secret: str, token: str | None, headers: dict[str, str]
) -> None:
    """Whatever is in key, query and token: who signs the request as it arrives finds the same signature."""
    config = S3Config(bucket="some-bucket", endpoint_url=endpoint, credential="store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("no_proxy", "*")
        client = BucketClient(config, OneCredential(secret, token), connections=1)
        target, arrived = sent(client, key, query, headers)
    proof = arrived["Authorization"]
    signed = proof.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert {"host", "x-amz-date", "x-amz-content-sha256", *headers} <= set(signed)
    moment = dt.datetime.strptime(arrived["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    again = AWSRequest(
        "GET",
        f"http://{arrived['host']}{target}",
        headers={name: value for name, value in arrived.items() if name.lower() in signed},
    )
    with mock.patch.object(botocore.auth, "get_current_datetime", return_value=moment):
        botocore.auth.S3SigV4Auth(Credentials(KEY_ID, secret, token), "s3", "us-east-1").add_auth(again)
    assert again.headers["Authorization"] == proof


@given(secret=SECRETS)
def test_keys_do_not_show_their_secret(secret: str) -> None:
    """The text form of access keys holds none of them: it may end up in a log."""
    assert "AccessKeys object at" in repr(AccessKeys("AKIA", secret, secret))
