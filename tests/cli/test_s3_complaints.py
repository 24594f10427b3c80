"""What users of other tools complain about when they sync buckets, as whole syncs from the command line.

That nothing unchanged is fetched and that no key climbs out of the workspace is in tests/unit/pipeline/test_s3_jobs.py.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.cli.running import Cli
from tests.servers.fake_bucket import FakeBucket
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.servers.s3_store import SECRET, Bucket

pytestmark = pytest.mark.slow


@pytest.fixture
def bucket(moto_port: int, moto_proxy: FaultProxy, cli: Cli) -> Bucket:
    """An empty bucket that is the source ``shelf``."""
    cli.environment |= {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": SECRET}
    bucket = Bucket(moto_port, moto_proxy)
    cli.run("init")
    cli.run("source", "add", "s3", "shelf", "--bucket", bucket.name, "--endpoint-url", bucket.proxy.url)
    return bucket


def add_fake(cli: Cli, bucket: FakeBucket, url: str | None = None) -> None:
    """Make a bucket that exists only as a rule the source ``shelf``."""
    cli.run("init")
    url = url or str(bucket.settings["endpoint_url"])
    cli.run("source", "add", "s3", "shelf", "--bucket", "fake", "--endpoint-url", url, "--anonymous")


def synced(cli: Cli, code: int = 0) -> dict[str, Any]:
    """Sync the source; returns the manifest of the job."""
    cli.run("sync", "shelf", code=code)
    newest = cli.run("job", "list", "--json").json[0]
    manifest: dict[str, Any] = cli.run("job", "show", newest["job_id"], "--json").json
    return manifest


def outcomes(cli: Cli, manifest: dict[str, Any]) -> dict[str, str]:
    """Return what became of each key."""
    lines = cli.run("job", "items", manifest["job_id"], "--json").lines
    return {line["key"]: f"{line['outcome']} {line['reason']}" for line in lines}


def test_edit_of_the_same_size_is_taken(cli: Cli, bucket: Bucket) -> None:
    """Other bytes of the same number are another content."""
    bucket.put("a.md", b"# Note\n\nthe hawk nests")
    synced(cli)
    bucket.put("a.md", b"# Note\n\nthe duck nests")
    assert outcomes(cli, synced(cli)) == {"a.md": "ingested changed"}
    assert "duck" in cli.run("doc", "text", f"s3://{bucket.name}/a.md").out


def test_key_next_to_keys_below_it_does_not_collide(cli: Cli, bucket: Bucket) -> None:
    """What would be a file and a folder of one name on a disk are three documents, like names that differ by case."""
    keys = ["a", "a/b", "a/b/c.md", "A", "a/"]
    for key in keys:
        bucket.put(key, f"# Note\n\nthe words of {key!r}, spelled {key.encode().hex()}".encode())
    assert outcomes(cli, synced(cli)) == dict.fromkeys(keys, "ingested new")
    assert "'a/b'" in cli.run("doc", "text", f"s3://{bucket.name}/a/b").out


def test_archive_is_no_flood_of_errors_and_what_is_restored_is_taken(cli: Cli) -> None:
    """Archived objects are skipped with a reason, without a request for each; a restored one is taken."""
    keys = [b"%03d.md" % number for number in range(120)]
    with FakeBucket(keys, body=b"# Note\n\nrestored words", storage_class="DEEP_ARCHIVE") as bucket:
        bucket.size = len(bucket.body or b"")
        add_fake(cli, bucket)
        first = synced(cli)
        assert (first["counters"]["items_rejected"], first["errors_total"]) == (120, 0)
        assert set(outcomes(cli, first).values()) == {"rejected archived"}
        assert len(bucket.requests) == bucket.listings
        assert "restore it" in cli.run("doc", "explain", "s3://fake/000.md").out
        bucket.restored = frozenset(keys[:1])
        second = outcomes(cli, synced(cli))
        assert second.pop("000.md") == "ingested new"
        assert not any(told.startswith("ingested") for told in second.values())


def test_looking_at_a_large_bucket_does_not_list_it(cli: Cli) -> None:
    """Testing a connection takes a page, whatever else is there."""
    with FakeBucket([b"%07d.md" % number for number in range(200_000)], body=b"x") as bucket:
        add_fake(cli, bucket)
        assert bucket.requests == []
        cli.run("source", "test", "shelf")
        assert bucket.listings <= 3


def test_object_that_comes_late_with_an_early_time_is_taken(cli: Cli) -> None:
    """No time decides what is new: all objects of this bucket bear the same one, before and after."""
    with FakeBucket([b"b.md"], body=b"# Note\n\nwords") as bucket:
        bucket.size = len(bucket.body or b"")
        add_fake(cli, bucket)
        synced(cli)
        bucket.keys = [b"a.md", b"b.md"]
        assert outcomes(cli, synced(cli))["a.md"].split()[0] in {"ingested", "duplicate"}


def test_checksums_of_the_store_stand_in_no_way(cli: Cli) -> None:
    """None is asked for; that of the whole, which some stores send with a part, is not held against the part."""
    content = b"# Note\n\n" + b"words of a long note\n" * 20_000
    checksum = base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()
    headers = {"x-amz-checksum-crc32": checksum, "x-amz-checksum-type": "FULL_OBJECT"}
    with FakeBucket([b"long.md"], size=len(content), body=content, answer_headers=headers) as bucket:
        port = urlsplit(str(bucket.settings["endpoint_url"])).port
        assert port
        with FaultProxy(port) as proxy:
            proxy.add(Fault(lambda request: "?" not in request.target, cut_after=200_000))
            add_fake(cli, bucket, proxy.url)
            assert outcomes(cli, synced(cli)) == {"long.md": "ingested new"}
            asked = [request.headers for request in proxy.requests if "?" not in request.target]
    assert [headers.get("range") for headers in asked] == [None, "bytes=200000-"]
    assert not any("checksum" in name for headers in asked for name in headers)
