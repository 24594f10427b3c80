"""Our signer says what that of botocore says."""

from __future__ import annotations

import calendar
import datetime as dt
from unittest import mock
from urllib.parse import quote

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.connectors.s3_signing import EMPTY_BODY_SHA256, AccessKeys, Signer, canonical_query

HOSTS = st.sampled_from(["s3.eu-west-1.amazonaws.com", "127.0.0.1:9000", "bucket.example.org"])
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
MOMENTS = st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2040, 1, 1))  # noqa: DTZ001 - taken as UTC


@given(
    host=HOSTS,
    key=KEYS,
    query=st.dictionaries(KEYS, KEYS, max_size=4),
    secret=SECRETS,
    token=st.none() | SECRETS,
    moment=MOMENTS,
    region=st.sampled_from(["us-east-1", "auto"]),
)
def test_signature_is_that_of_botocore(
    host: str, key: str, query: dict[str, str], secret: str, token: str | None, moment: dt.datetime, region: str
) -> None:
    """Whatever is in key, query, secret and token: the same request gets the same signature."""
    path = "/bucket/" + quote(key, safe="/-_.~")
    query_text = canonical_query(dict(query))
    headers = {"x-amz-request-payer": "requester"}
    ours = Signer(region).sign(
        AccessKeys("AKIAIOSFODNN7EXAMPLE", secret, token),
        "GET",
        host,
        path,
        query_text,
        headers,
        calendar.timegm(moment.timetuple()),
    )
    request = AWSRequest("GET", f"http://{host}{path}?{query_text}", headers={**headers, "host": host})
    signer = botocore.auth.S3SigV4Auth(Credentials("AKIAIOSFODNN7EXAMPLE", secret, token), "s3", region)
    with (
        mock.patch.object(botocore.auth, "get_current_datetime", return_value=moment.replace(microsecond=0)),
        mock.patch.object(signer, "payload", return_value=EMPTY_BODY_SHA256),
    ):
        signer.add_auth(request)
    assert ours["authorization"] == request.headers["Authorization"]


@given(secret=SECRETS)
def test_keys_do_not_show_their_secret(secret: str) -> None:
    """The text form of access keys holds none of them: it may end up in a log."""
    assert repr(AccessKeys("AKIA", secret, secret)) == "AccessKeys(…)"
