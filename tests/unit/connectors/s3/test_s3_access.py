"""Who signs, where requests go, and what is said when that does not work."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.connectors.registry import get_connector
from ingest_tui.connectors.s3.access import Access, aws_endpoint
from ingest_tui.connectors.s3.client import _Route
from ingest_tui.connectors.s3.config import S3Config
from ingest_tui.connectors.s3.connector import S3Connector
from ingest_tui.model.errors import (
    AuthenticationError,
    IngestError,
    MissingDependencyError,
    NotFoundError,
    SourceAccessError,
    ValidationError,
)
from tests.graph_server.running import FakeCredential, FakeCredentials
from tests.servers.certificates import own_certificate
from tests.servers.fake_bucket import FakeBucket
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.servers.processes import rclone_executable, rclone_process
from tests.servers.s3_store import SECRET, Bucket, StaticCredential, StaticCredentials, error_xml


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def bucket(moto_port: int, moto_proxy: FaultProxy) -> Bucket:
    return Bucket(moto_port, moto_proxy)


def signer_seen_by(proxy: FaultProxy) -> str:
    """Return the access key id and region of the newest request, as the store sees them."""
    proof = proxy.requests[-1].headers["authorization"]
    key_id, _day, region, *_ = proof.partition("Credential=")[2].partition(",")[0].split("/")
    return f"{key_id} {region}"


def reach(connector: S3Connector) -> None:
    assert asyncio.run(connector.authenticate())


# Whose credential


def test_credential_of_the_registry_signs(bucket: Bucket) -> None:
    """Key, session token and region come from the entry; its secret is in no request."""
    fields = {
        "access_key_id": "AKIAREGISTRY",
        "secret_access_key": SECRET,
        "session_token": "short-lived",
        "region": "eu-central-1",
    }
    connector = S3Connector(bucket.settings, credentials=StaticCredentials(StaticCredential("store", fields)))
    reach(connector)
    assert signer_seen_by(bucket.proxy) == "AKIAREGISTRY eu-central-1"
    assert bucket.proxy.requests[-1].headers["x-amz-security-token"] == "short-lived"
    assert connector.check_credential() == "signs as access key …STRY of credential 'store'"
    assert not any(SECRET in str(request) for request in bucket.proxy.requests)


def test_renewed_credential_is_read_again(bucket: Bucket) -> None:
    """After `reauthenticate` the entry is asked again: it may have been renewed meanwhile."""
    entry = StaticCredential("store", {"access_key_id": "AKIAOLD", "secret_access_key": SECRET})
    connector = S3Connector(bucket.settings, credentials=StaticCredentials(entry))
    reach(connector)
    entry.fields["access_key_id"] = "AKIANEW"
    reach(connector)
    assert signer_seen_by(bucket.proxy).startswith("AKIAOLD")
    assert connector.reauthenticate()
    reach(connector)
    assert signer_seen_by(bucket.proxy).startswith("AKIANEW")


def test_environment_signs_when_nothing_is_named(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a credential it is the usual chain of the AWS tools, with its region."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    reach(S3Connector({"bucket": bucket.name, "endpoint_url": bucket.proxy.url}))
    assert signer_seen_by(bucket.proxy) == "AKIAENVIRONMENT eu-west-3"


def test_profile_signs_and_names_its_endpoint(bucket: Bucket, tmp_path: Path) -> None:
    """A profile brings keys, region and endpoint; the settings of the source go before them."""
    (tmp_path / "config").write_text(
        f"[profile archive]\nregion = eu-north-1\nendpoint_url = {bucket.proxy.url}\n"
        f"aws_access_key_id = AKIAPROFILE\naws_secret_access_key = {SECRET}\n"
    )
    reach(S3Connector({"bucket": bucket.name, "profile": "archive"}))
    assert signer_seen_by(bucket.proxy) == "AKIAPROFILE eu-north-1"
    reach(S3Connector({"bucket": bucket.name, "profile": "archive", "region": "eu-south-1"}))
    assert signer_seen_by(bucket.proxy) == "AKIAPROFILE eu-south-1"


def test_anonymous_requests_are_not_signed(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """A public bucket is read without a signature, also where keys are at hand."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    reach(S3Connector({"bucket": bucket.name, "endpoint_url": bucket.proxy.url, "anonymous": True}))
    assert "authorization" not in bucket.proxy.requests[-1].headers


@pytest.mark.parametrize(
    ("settings", "kind", "words"),
    [
        ({}, AuthenticationError, "no credentials"),
        ({"profile": "nobody"}, AuthenticationError, "'nobody'"),
        ({"credential": "missing"}, NotFoundError, "missing"),
        ({"credential": "token"}, ValidationError, "'aws'"),
    ],
)
def test_missing_credential_is_reported_with_a_way_out(
    settings: dict[str, Any], kind: type[IngestError], words: str
) -> None:
    """Nothing to sign with, or nothing that fits, is reported before the store is asked."""
    credentials = StaticCredentials(StaticCredential("token", {"token": "x"}, kind="token"))
    connector = S3Connector({"bucket": "any"} | settings, credentials=credentials)
    with pytest.raises(kind, match=words) as caught:
        reach(connector)
    assert caught.value.hint
    (step,) = connector.test_steps()
    assert (step.name, step.ok) == ("auth", False)


def test_credential_without_a_registry_is_reported() -> None:
    """A source that names a credential where there is no registry says what to do."""
    with pytest.raises(ValidationError, match="no credentials here"):
        reach(S3Connector({"bucket": "any", "credential": "store"}))


def test_accounts_differ_by_store_and_credential() -> None:
    """Two sources share waits and limits only when the store sees the same caller."""
    settings: list[dict[str, Any]] = [
        {"credential": "a"},
        {"credential": "b"},
        {"profile": "a"},
        {"anonymous": True},
        {},
        {"credential": "a", "endpoint_url": "http://127.0.0.1:9"},
    ]
    accounts = [S3Connector({"bucket": "any"} | setting).account() for setting in settings]
    assert len(set(accounts)) == len(accounts)
    assert S3Connector({"bucket": "other", "credential": "a"}).account() == accounts[0]


# What is missing


@pytest.mark.parametrize("package", ["boto3", "urllib3"])
def test_missing_package_names_the_extra(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the packages of the extra are not installed, adding a source says how to get them."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError) as caught:
        get_connector("s3", {"bucket": "any"}).validate_config()
    assert caught.value.hint == 'pip install "ingest-tui[s3]"'
    assert package in caught.value.message


def test_credential_of_another_type_is_refused_when_the_source_is_added() -> None:
    """A token signs nothing: that shows before the source is saved, and not in its first sync."""
    credentials = FakeCredentials(FakeCredential({"token": "x" * 9}, type_="token", name="wiki"))
    connector = get_connector("s3", {"bucket": "any", "credential": "wiki"}, credentials=credentials)
    with pytest.raises(ValidationError, match="'aws'") as caught:
        connector.validate_config()
    assert caught.value.context["setting"] == "credential"


def answered(bucket: Bucket, status: int, code: str, **settings: Any) -> SourceAccessError:
    """Return the error of a listing that the store refuses."""
    fault = bucket.proxy.add(Fault(times=9, status=status, body=error_xml(code)))
    with pytest.raises(SourceAccessError) as caught:
        reach(bucket.connector(**settings))
    bucket.proxy.remove(fault)
    return caught.value


def test_missing_permission_is_named(bucket: Bucket) -> None:
    """The error of a forbidden listing names the missing permission and on what; versions need another one."""
    error = answered(bucket, 403, "AccessDenied")
    assert error.reason == "forbidden"
    assert f"s3:ListBucket on arn:aws:s3:::{bucket.name}" in error.hint
    assert "s3:ListBucketVersions" in answered(bucket, 403, "AccessDenied", versions=True).hint
    anonymous = answered(bucket, 403, "AccessDenied", credential=None, anonymous=True)
    assert "not public" in anonymous.hint


def test_missing_bucket_and_wrong_clock_are_distinguished(bucket: Bucket) -> None:
    """What people can fix has a code of its own."""
    assert answered(bucket, 404, "NoSuchBucket").reason == "not_found"
    assert answered(bucket, 403, "RequestTimeTooSkewed").reason == "clock_skew"
    assert isinstance(answered(bucket, 400, "ExpiredToken"), AuthenticationError)
    assert answered(bucket, 400, "InvalidRequest").reason == "source_access"


# Where requests go


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (301, {"x-amz-bucket-region": "eu-west-1"}, error_xml("PermanentRedirect")),
        (400, {}, error_xml("AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>")),
    ],
)
def test_region_that_the_store_names_is_followed(
    bucket: Bucket, status: int, headers: dict[str, str], body: bytes
) -> None:
    """A bucket in another region is found by what the store says, once, and then remembered."""
    bucket.proxy.add(
        Fault(
            lambda request: "/us-east-1/" in request.headers["authorization"],
            times=9,
            status=status,
            headers=headers,
            body=body,
        )
    )
    connector = bucket.connector()
    reach(connector)
    assert signer_seen_by(bucket.proxy) == "AKIATEST eu-west-1"
    assert len(bucket.proxy.requests) == 2
    reach(connector)
    assert len(bucket.proxy.requests) == 3


def test_regions_that_lead_in_circles_end(bucket: Bucket) -> None:
    """A store that names another region each time is given up."""
    for number in range(9):
        body = error_xml("AuthorizationHeaderMalformed", f"<Region>r-{number}</Region>")
        bucket.proxy.add(Fault(status=400, body=body))
    with pytest.raises(AuthenticationError):
        reach(bucket.connector())
    assert len(bucket.proxy.requests) == 3


def test_redirect_to_another_host_is_not_followed(bucket: Bucket) -> None:
    """No signed request goes where an answer points to."""
    bucket.proxy.add(Fault(status=307, headers={"Location": "http://127.0.0.1:9/elsewhere"}))
    with pytest.raises(SourceAccessError):
        reach(bucket.connector())
    assert len(bucket.proxy.requests) == 1


@pytest.mark.parametrize(
    ("settings", "region", "expected"),
    [
        ({"bucket": "plain"}, "eu-west-1", "https://plain.s3.eu-west-1.amazonaws.com"),
        ({"bucket": "plain"}, "cn-north-1", "https://plain.s3.cn-north-1.amazonaws.com.cn"),
        ({"bucket": "plain"}, "us-gov-west-1", "https://plain.s3.us-gov-west-1.amazonaws.com"),
        ({"bucket": "plain"}, "eusc-de-east-1", "https://plain.s3.eusc-de-east-1.amazonaws.eu"),
        ({"bucket": "plain"}, "zz-future-9", "https://plain.s3.zz-future-9.amazonaws.com"),
        ({"bucket": "dotted.name"}, "eu-west-1", "https://s3.eu-west-1.amazonaws.com/dotted.name"),
        ({"bucket": "UpperCase"}, "us-east-1", "https://s3.us-east-1.amazonaws.com/UpperCase"),
        ({"bucket": "b-1", "endpoint_url": "http://minio:9000/"}, "x", "http://minio:9000/b-1"),
        ({"bucket": "b-1", "endpoint_url": "https://host/base"}, "x", "https://host/base/b-1"),
        ({"bucket": "b-1", "endpoint_url": "https://oss.example", "addressing": "virtual"}, "x",
         "https://b-1.oss.example"),
        ({"bucket": "plain", "addressing": "path"}, "eu-west-1", "https://s3.eu-west-1.amazonaws.com/plain"),
    ],
)  # fmt: skip
def test_bucket_has_its_address(settings: dict[str, Any], region: str, expected: str) -> None:
    """AWS wants the bucket before the host where its certificate covers that, other stores in the path."""
    config = S3Config(**settings)
    route = _Route(config, Access(lambda: None, "", region, config.endpoint_url), region, 1)
    scheme = (config.endpoint_url or aws_endpoint(region)).partition(":")[0]
    assert f"{scheme}://{route.host}{route.bucket_path}" == expected


def test_proxy_of_the_environment_is_used(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP_PROXY is asked with the whole address, unless NO_PROXY excepts the store."""
    monkeypatch.setenv("http_proxy", bucket.proxy.url)
    connector = bucket.connector(endpoint_url="http://store.invalid:9000")
    bucket.proxy.add(Fault(status=404, body=error_xml("NoSuchBucket")))
    with pytest.raises(SourceAccessError, match="no bucket"):
        reach(connector)
    assert bucket.proxy.requests[-1].target.startswith(f"http://store.invalid:9000/{bucket.name}?")
    monkeypatch.setenv("no_proxy", "store.invalid")
    with pytest.raises(SourceAccessError, match="cannot be resolved"):
        reach(bucket.connector(endpoint_url="http://store.invalid:9000"))


def test_certificate_has_to_be_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate of nobody known is refused for good, with a way out; AWS_CA_BUNDLE makes it known."""
    context, certificate = own_certificate(tmp_path)
    with FakeBucket([b"a"], tls=context) as bucket:
        with pytest.raises(SourceAccessError, match="certificate") as caught:
            reach(S3Connector(bucket.settings))
        assert not caught.value.retryable
        assert "AWS_CA_BUNDLE" in caught.value.hint
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
        reach(S3Connector(bucket.settings))


# A store that checks signatures


@pytest.mark.skipif(rclone_executable() is None, reason="there is no rclone here; the dev extra brings one")
def test_signatures_are_accepted_by_a_store_that_checks_them(tmp_path: Path) -> None:
    """Odd names, listings and ranges are signed as the store expects; a wrong secret is reported."""
    names = ["a.txt", "ü/100%.txt", "with space+plus.txt", "a=b&c.txt", "日本/語.txt"]
    for name in names:
        path = tmp_path / "shelf" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"0123456789")
    with rclone_process(["--auth-key", f"AKIARCLONE,{SECRET}", str(tmp_path)]) as port:
        fields = {"access_key_id": "AKIARCLONE", "secret_access_key": SECRET}
        settings = {"bucket": "shelf", "endpoint_url": f"http://127.0.0.1:{port}", "credential": "store"}
        connector = S3Connector(settings, credentials=StaticCredentials(StaticCredential("store", fields)))
        reach(connector)
        found = {descriptor.key: descriptor for page in connector.list() for descriptor in page.descriptors}
        assert set(found) == set(names)
        for descriptor in found.values():
            with connector.fetch(descriptor) as pieces:
                assert b"".join(pieces) == b"0123456789"
            with connector.fetch(descriptor, 7) as pieces:
                assert b"".join(pieces) == b"789"
        wrong = StaticCredential("store", fields | {"secret_access_key": "wrong"})
        with pytest.raises(SourceAccessError) as caught:
            reach(S3Connector(settings, credentials=StaticCredentials(wrong)))
        assert caught.value.hint
