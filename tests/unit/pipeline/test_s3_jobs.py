"""Whole jobs over a bucket of a real server: what becomes of documents."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui import open_workspace
from ingest_tui.pipeline.plan.preview import look_for_work
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.documents.explain import explain
from ingest_tui.services.jobs.jobs import job_items
from ingest_tui.services.jobs.plan_preview import plan_source
from ingest_tui.services.sources.sources import edit_source
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.servers.s3_store import SECRET, Bucket, error_xml

pytestmark = pytest.mark.slow


class Synced:
    """A workspace with one source, ``shelf``, of a new bucket."""

    def __init__(self, workspace: WorkspaceHandle, bucket: Bucket) -> None:
        self.workspace = workspace
        self.bucket = bucket

    def sync(self, *, force: bool = False) -> dict[str, tuple[str, str]]:
        """Sync and return ``(outcome, reason)`` by key."""
        self.job = self.workspace.sync("shelf", force=force)
        items = job_items(self.workspace.workspace, self.job.job_id)
        return {item.key: (item.outcome, item.reason) for item, _ in items}

    def found(self, word: str) -> list[str]:
        """Return the addresses of what a search finds."""
        return sorted(hit.uri for hit in self.workspace.search(word))

    def uri(self, key: str) -> str:
        """Return the address of a plain key."""
        return f"s3://{self.bucket.name}/{key}"


@pytest.fixture
def bucket(moto_port: int, moto_proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    return Bucket(moto_port, moto_proxy)


@pytest.fixture
def synced(tmp_path: Path, bucket: Bucket) -> Iterator[Synced]:
    with open_workspace(tmp_path / "workspace") as workspace:
        workspace.add_source("shelf", "s3", bucket=bucket.name, endpoint_url=bucket.proxy.url)
        yield Synced(workspace, bucket)


def test_bucket_is_mirrored_over_time(synced: Synced) -> None:
    """New, changed, moved, unchanged and deleted objects become what they should, and the record keeps the ETag."""
    bucket = synced.bucket
    for name, content in {"a.md": b"alpha words", "b.md": b"beta words", "c.md": b"gamma words"}.items():
        bucket.put(name, content)
    assert Counter(synced.sync().values()) == {("ingested", "new"): 3}
    assert synced.found("alpha") == [synced.uri("a.md")]
    record = json.loads(next(synced.workspace.workspace.root.glob("documents/**/ingestion.json")).read_bytes())
    assert record["origin"]["etag"] in record["origin"]["fingerprint"]
    assert len(record["origin"]["etag"]) == 32

    bucket.put("a.md", b"delta words")
    bucket.client.copy_object(Bucket=bucket.name, Key="moved/b.md", CopySource={"Bucket": bucket.name, "Key": "b.md"})
    bucket.client.delete_object(Bucket=bucket.name, Key="b.md")
    bucket.client.delete_object(Bucket=bucket.name, Key="c.md")
    bucket.proxy.requests.clear()
    outcomes = synced.sync()
    assert outcomes["a.md"][0] == "ingested"
    assert outcomes["moved/b.md"] == ("moved", "renamed")
    assert outcomes["c.md"][0] == "retired"
    assert synced.found("words") == [synced.uri("a.md"), synced.uri("moved/b.md")]
    assert [request.target for request in bucket.proxy.requests if "?" not in request.target] == [
        f"/{bucket.name}/a.md"
    ], "only what changed is fetched"


def test_unchanged_bucket_costs_listings_only(synced: Synced) -> None:
    """A second sync reads no object and no metadata of one."""
    for number in range(20):
        synced.bucket.put(f"{number}.md", b"words %d" % number)
    synced.sync()
    synced.bucket.proxy.requests.clear()
    assert set(synced.sync().values()) == {("unchanged", "same_fingerprint")}
    assert len(synced.bucket.proxy.requests) == 2
    assert all("list-type=2" in request.target for request in synced.bucket.proxy.requests)


HOSTILE = [
    "../up.md", "a/../../up2.md", "/lead.md", "a//double.md", "./dot.md", "a", "a/b.md", "A/b.md", "tail/",
    "\x1b[2J.md", "new\nline.md", "\u202egpj.md", "e\u0301.md", "\u00e9.md", "bytes:x.md", "s" * 300 + ".md",
    "x/" * 400 + "d.md", "con.md", "a\\b.md", "<img src=x>.md", "%2e%2e/x.md", "+plus plus.md", "\ufeff.md",
    "'; drop table.md", "[red].md", "\t.md", "~root.md", "$(reboot).md", "😀.md",
]  # fmt: skip


def test_hostile_keys_go_through_whole(synced: Synced, tmp_path: Path) -> None:
    """Whatever a key is, its document is found under an address of its own, and nothing lies outside the workspace."""
    before = {path for path in tmp_path.rglob("*") if "workspace" not in path.parts}
    for number, name in enumerate(HOSTILE):
        synced.bucket.put(name, b"hostile words, number n%d" % number)
    outcomes = synced.sync()
    assert Counter(outcomes.values()) == {("ingested", "new"): len(HOSTILE)}
    for number in range(len(HOSTILE)):
        (address,) = synced.found(f"n{number}")
        assert address.isascii()
        assert address.isprintable()
        assert explain(synced.workspace.workspace, address).here
    assert {path for path in tmp_path.rglob("*") if "workspace" not in path.parts} == before
    assert set(synced.sync().values()) == {("unchanged", "same_fingerprint")}


def test_archived_objects_are_outcomes_and_restored_ones_are_taken(synced: Synced) -> None:
    """Archived: rejected without a request; restored: taken; archived again after that: still here, not rejected."""
    bucket = synced.bucket
    for number in range(3):
        bucket.put(f"{number}.md", b"frozen words %d" % number, StorageClass="GLACIER")
    assert set(synced.sync().values()) == {("rejected", "archived")}
    assert synced.job.state == "succeeded"
    assert not [request for request in bucket.proxy.requests if "?" not in request.target]

    restored = (
        b"</StorageClass>",
        b"</StorageClass><RestoreStatus><RestoreExpiryDate>x</RestoreExpiryDate></RestoreStatus>",
    )
    warm = bucket.proxy.add(Fault(lambda request: "list-type" in request.target, times=99, replace=restored))
    bucket.client.restore_object(Bucket=bucket.name, Key="0.md", RestoreRequest={"Days": 1})
    assert look_for_work(synced.workspace.workspace, synced.workspace.sources[0]) == (True, 0)
    outcomes = synced.sync()
    assert outcomes["0.md"] == ("ingested", "new")
    assert outcomes["1.md"] == ("rejected", "archived"), "it says restored, but the store does not give it"
    assert not look_for_work(synced.workspace.workspace, synced.workspace.sources[0])[0]

    bucket.proxy.remove(warm)
    assert synced.sync()["0.md"] == ("unchanged", "same_fingerprint")
    assert synced.found("frozen") == [synced.uri("0.md")]


def test_forbidden_object_fails_alone(synced: Synced) -> None:
    """What may not be read is a failed item with what to do; it is tried again by the next sync."""
    synced.bucket.put("open.md", b"open words")
    synced.bucket.put("closed.md", b"closed words")
    refusal = Fault(lambda request: "closed.md" in request.target, times=99, status=403, body=error_xml("AccessDenied"))
    synced.bucket.proxy.add(refusal)
    outcomes = synced.sync()
    assert outcomes == {"open.md": ("ingested", "new"), "closed.md": ("failed", "forbidden")}
    assert "s3:GetObject" in synced.workspace.jobs[0].errors[0].hint
    synced.bucket.proxy.remove(refusal)
    assert synced.sync()["closed.md"][0] == "ingested"


@pytest.mark.parametrize(
    ("status", "body"), [(403, error_xml("AccessDenied")), (404, error_xml("NoSuchBucket")), (200, b"<html/>")]
)
def test_listing_that_fails_retires_nothing(synced: Synced, status: int, body: bytes) -> None:
    """A refusal, a bucket that is gone or a login page instead of a listing fails the job and touches no document."""
    synced.bucket.put("a.md", b"alpha words")
    synced.sync()
    synced.bucket.proxy.add(Fault(times=99, status=status, body=body))
    assert synced.sync() == {}
    assert synced.job.state == "failed"
    assert synced.found("alpha") == [synced.uri("a.md")]


def test_emptied_bucket_waits_for_a_person(synced: Synced) -> None:
    """A complete listing that is suddenly empty holds the deletions."""
    synced.bucket.put("a.md", b"alpha words")
    synced.sync()
    synced.bucket.client.delete_object(Bucket=synced.bucket.name, Key="a.md")
    synced.sync()
    assert synced.job.state == "partial"
    assert synced.found("alpha") == [synced.uri("a.md")]


def test_too_large_and_left_out_objects_are_never_fetched(synced: Synced) -> None:
    """Size limit and patterns are applied to the listing."""
    edit_source(synced.workspace.workspace, "shelf", config={"exclude": ["drafts/"]}, max_size="1 KB")
    synced.bucket.put("large.md", b"x" * 1001)
    synced.bucket.put("drafts/a.md", b"draft")
    synced.bucket.put("a.md", b"alpha words")
    synced.bucket.proxy.requests.clear()
    assert synced.sync() == {"large.md": ("rejected", "too_large"), "a.md": ("ingested", "new")}
    fetched = [request.target for request in synced.bucket.proxy.requests if "?" not in request.target]
    assert fetched == [f"/{synced.bucket.name}/a.md"]


def test_listed_versions_are_what_is_kept(synced: Synced) -> None:
    """With versions an object that is overwritten right after the listing is taken as listed, with its version id."""
    bucket = synced.bucket
    bucket.keep_versions()
    bucket.put("a.md", b"listed words")
    edit_source(synced.workspace.workspace, "shelf", config={"versions": True})

    def overwrite(request: Any) -> bool:
        if "/a.md" in request.target:
            bucket.put("a.md", b"overwritten words")
        return False

    watcher = bucket.proxy.add(Fault(overwrite))
    assert synced.sync() == {"a.md": ("ingested", "new")}
    assert synced.found("listed") == [synced.uri("a.md")]
    record = json.loads(next(synced.workspace.workspace.root.glob("documents/**/ingestion.json")).read_bytes())
    assert record["origin"]["metadata"]["version_id"]
    bucket.proxy.remove(watcher)
    assert synced.sync()["a.md"][0] == "ingested"
    assert synced.found("overwritten") == [synced.uri("a.md")]


def test_explain_understands_addresses_of_buckets(synced: Synced) -> None:
    """`doc explain` takes s3:// addresses, encoded or not, of what is here, left out, and not there."""
    synced.bucket.put("with space.md", b"spacious words")
    edit_source(synced.workspace.workspace, "shelf", config={"exclude": ["*.txt"]})
    synced.sync()
    told = {
        address: explain(synced.workspace.workspace, f"s3://{synced.bucket.name}/{address}")
        for address in ("with space.md", "with%20space.md", "a.txt", "missing.md")
    }
    assert [explanation.here for explanation in told.values()] == [True, True, False, False]
    assert "patterns" in told["a.txt"].verdict
    assert "no sync has seen it" in told["missing.md"].verdict


def test_plan_fetches_nothing(synced: Synced) -> None:
    """A preview lists and nothing else."""
    synced.bucket.put("a.md", b"alpha words")
    assert [action.action for action in plan_source(synced.workspace.workspace, "shelf")] == ["ingest"]
    assert not [request for request in synced.bucket.proxy.requests if "?" not in request.target]


def test_secret_is_nowhere_in_the_workspace(synced: Synced) -> None:
    """Neither records nor journals nor logs hold what was signed with."""
    synced.bucket.put("a.md", b"alpha words")
    synced.sync()
    synced.bucket.proxy.add(Fault(times=99, status=403, body=error_xml("SignatureDoesNotMatch")))
    synced.sync()
    for folder, _, files in os.walk(synced.workspace.workspace.root):
        for name in files:
            assert SECRET.encode() not in Path(folder, name).read_bytes(), name
