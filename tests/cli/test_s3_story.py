"""A bucket as a source, from adding it to finding its text, by the command line."""

from __future__ import annotations

import os

import pytest

from tests.cli.running import Cli
from tests.servers.fake_bucket import FakeBucket
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.servers.s3_store import SECRET, Bucket, error_xml

pytestmark = pytest.mark.slow


@pytest.fixture
def bucket(moto_port: int, moto_proxy: FaultProxy, cli: Cli) -> Bucket:
    """A bucket with three objects, and an environment that signs."""
    cli.environment |= {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": SECRET}
    bucket = Bucket(moto_port, moto_proxy)
    bucket.put("handbook/a.md", b"# Alpha\n\nalpha words")
    bucket.put("handbook/drafts/b.md", b"# Beta\n\nbeta words")
    bucket.put("other/c.md", b"# Gamma\n\ngamma words")
    return bucket


def test_from_a_bucket_to_its_text(cli: Cli, bucket: Bucket) -> None:
    """Browse, add, test, plan, sync, search, explain and edit a bucket; what is left out is never fetched."""
    cli.run("init")
    settings = ("--bucket", bucket.name, "--endpoint-url", bucket.proxy.url)
    looked = cli.run("source", "browse", "--type", "s3", *settings, "--json").lines
    assert [(place["kind"], place["path"]) for place in looked] == [("folder", "handbook/"), ("folder", "other/")]

    added = cli.run(
        "source", "add", "s3", "shelf", *settings, "--prefix", "handbook/", "--exclude", "drafts/", "--json"
    ).json
    assert added["source_config"]["prefix"] == "handbook/"
    assert f"{bucket.name}/handbook/" in cli.run("source", "list").out
    steps = cli.run("source", "test", "shelf", "--json").lines
    assert [(step["step"], step["ok"]) for step in steps] == [
        ("auth", True), ("reach", True), ("list", True), ("read", True),
    ]  # fmt: skip
    places = cli.run("source", "browse", "shelf").out
    assert "handbook/a.md" in places
    assert "handbook/drafts/" in cli.run("source", "browse", "shelf", "handbook/drafts/").out

    bucket.proxy.requests.clear()
    assert [line["key"] for line in cli.run("plan", "shelf", "--json").lines] == ["handbook/a.md"]
    cli.run("sync", "shelf")
    fetched = [request.target for request in bucket.proxy.requests if "?" not in request.target]
    assert fetched == [f"/{bucket.name}/handbook/a.md"]
    assert "alpha" in cli.run("search", "alpha").out
    told = cli.run("doc", "explain", f"s3://{bucket.name}/handbook/drafts/b.md").out
    assert "exclude patterns" in told

    cli.run("source", "edit", "shelf", "--exclude", "", "--no-versions")
    assert {line["key"] for line in cli.run("plan", "shelf", "--json").lines} == {
        "handbook/a.md", "handbook/drafts/b.md",
    }  # fmt: skip


def test_refused_listing_is_no_bucket_without_news(cli: Cli, bucket: Bucket) -> None:
    """A sync that may not list ends with 1, names the permission, and does not say that there was nothing to do."""
    cli.run("init")
    cli.run("source", "add", "s3", "shelf", "--bucket", bucket.name, "--endpoint-url", bucket.proxy.url)
    bucket.proxy.add(Fault(times=9, status=403, body=error_xml("AccessDenied")))
    ended = cli.run("sync", "shelf", code=1)
    assert "failed · 0 listed: nothing done" in ended.out
    assert f"allow s3:ListBucket on arn:aws:s3:::{bucket.name}" in ended.err


def test_settings_of_one_type_are_no_settings_of_another(cli: Cli, bucket: Bucket) -> None:
    """Each type has its own options, in help and in use; wrong ones are usage errors."""
    cli.write("a.txt")
    cli.init()
    cli.run("source", "add", "s3", "shelf", "--bucket", bucket.name, "--endpoint-url", bucket.proxy.url)
    helps = cli.run_each(
        ("source", "add", "s3", "--help"), ("source", "add", "local", "--help"), ("source", "edit", "shelf", "--help"),
        ("source", "edit", "docs", "--help"), ("source", "edit", "--help"), ("source", "add", "--help"),
    )  # fmt: skip
    assert ["--requester-pays" in told.out for told in helps] == [True, False, True, False, False, False]
    assert ["--follow-symlinks" in told.out for told in helps] == [False, True, False, True, False, False]
    assert ["--collection" in told.out for told in helps] == [True, True, True, True, True, False]
    assert "s3" in helps[-1].out
    for arguments in (
        ("source", "add", "s3", "x", "--path", "docs"),
        ("source", "add", "s3", "x"),
        ("source", "add", "s3", "x", "--bucket", "fits", "--profile", "a", "--anonymous"),
        ("source", "edit", "docs", "--bucket", "fits"),
        ("source", "edit", "shelf", "--path", "docs"),
        ("source", "browse"),
        ("source", "browse", "--type", "ftp"),
        ("source", "browse", "--type", "s3"),
    ):  # fmt: skip
        ended = cli.run(*arguments, code=2)
        assert "hint: " in ended.err, arguments


def test_local_folder_can_be_browsed_too(cli: Cli) -> None:
    """What one type can do the others can; a limit says that there is more."""
    for name in ("a.txt", "b.txt", "folder/c.txt"):
        cli.write(name)
    cli.init()
    assert [place["kind"] for place in cli.run("source", "browse", "docs", "--json").lines] == [
        "folder",
        "item",
        "item",
    ]
    ended = cli.run("source", "browse", "docs", "--limit", "1")
    assert "folder" in ended.out
    assert "--limit 10" in ended.err
    assert cli.run("source", "browse", "docs", "folder", "--json").lines[0]["name"] == "c.txt"


def test_object_that_appears_with_an_older_time_is_taken(cli: Cli) -> None:
    """What is new is told by the key and not by a time; and no request demands checksums, which stores may refuse."""
    cli.run("init")
    words = b"# words"
    with FakeBucket([b"a.md"], size=len(words), body=words) as store:
        place = ("--bucket", "fake", "--endpoint-url", store.settings["endpoint_url"], "--anonymous")
        cli.run("source", "add", "s3", "shelf", *place)
        cli.run("sync", "shelf")
        store.keys, store.modified = [b"a.md", b"b.md"], {b"b.md": "2001-01-31T00:00:00.000Z"}
        counters = cli.run("sync", "shelf", "--json").json["counters"]
        assert counters["items_skipped_incremental"] == 1
        assert counters["items_ingested"] + counters["items_duplicate"] == 1
        assert cli.run("doc", "explain", "s3://fake/b.md", "--json").json["here"]
        assert store.asked_with
        assert not [name for headers in store.asked_with for name in headers if "checksum" in name]


def test_failed_test_ends_with_1_and_names_the_step(cli: Cli, bucket: Bucket) -> None:
    """`source test` of a bucket that is not there says which step failed; nothing shows the secret."""
    cli.run("init")
    cli.run("source", "add", "s3", "shelf", "--bucket", "missing-bucket", "--endpoint-url", bucket.proxy.url)
    ended = cli.run("source", "test", "shelf", code=1)
    assert "FAILED" in ended.out
    assert "missing-bucket" in ended.out
    assert SECRET not in ended.out + ended.err


def test_secrets_of_a_bucket_are_found_nowhere(cli: Cli, bucket: Bucket) -> None:
    """Neither the secret key nor a signature, in the workspace or in what is printed, whatever the store says of it."""
    cli.environment |= {"THE_SECRET": SECRET, "AWS_SECRET_ACCESS_KEY": "of somebody else"}
    cli.run("init")
    keys = ("--secret", "access_key_id=env:AWS_ACCESS_KEY_ID", "--secret", "secret_access_key=env:THE_SECRET")
    cli.run("credential", "add", "store", "--type", "aws", *keys)
    settings = ("--bucket", bucket.name, "--endpoint-url", bucket.proxy.url, "--credential", "store")
    cli.run("source", "add", "s3", "shelf", *settings)
    bucket.proxy.add(
        Fault(lambda request: "a.md" in request.target, status=403, body=error_xml("AccessDenied"), times=9)
    )
    bucket.proxy.add(Fault(lambda request: "b.md" in request.target, cut_after=4))
    calls = [("sync", "shelf"), ("job", "logs", "last"), ("job", "items", "last"), ("source", "test", "shelf")]
    printed = [cli.run(*arguments, code=None) for arguments in calls]
    bucket.proxy.add(Fault(status=403, body=error_xml("SignatureDoesNotMatch"), times=1000))
    calls = [("sync", "shelf"), ("--debug", "source", "test", "shelf"), ("credential", "test", "store")]
    printed += [cli.run(*arguments, code=None) for arguments in calls]
    signed = [request.headers.get("authorization", "") for request in bucket.proxy.requests]
    signatures = {header.rpartition("Signature=")[2] for header in signed if "Signature=" in header}
    assert signatures
    written = [path.read_bytes() + os.fsencode(path) for path in cli.workspace.rglob("*") if path.is_file()]
    written += [(result.out + result.err).encode() for result in printed]
    assert {one for one in {SECRET, *signatures} if any(one.encode() in text for text in written)} == set()
