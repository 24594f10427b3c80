"""Archives in a bucket: their members are documents as those of a folder are, whatever the store answers."""

from __future__ import annotations

import pytest

from ingest_tui.services.documents.explain import explain
from ingest_tui.services.documents.export import Export
from ingest_tui.services.sources.sources import remove_source
from tests.made_files import zip_bytes
from tests.servers.fault_proxy import Fault
from tests.servers.s3_store import error_xml
from tests.unit.pipeline.test_s3_jobs import Synced, bucket, synced

__all__ = ["bucket", "synced"]
pytestmark = pytest.mark.slow

NEW, SAME = ("ingested", "new"), ("unchanged", "same_fingerprint")
ONE, TWO = "# one\n\nalpha words\n", "# two\n\nbeta words\n"


def explained(synced: Synced, key: str) -> tuple[bool, str]:
    """Return whether something is here, and why."""
    answer = explain(synced.workspace.workspace, synced.uri(key))
    return answer.here, answer.reason


def test_archive_of_a_bucket_over_time(synced: Synced) -> None:
    """Its members are listed once, cost nothing while it is the same, change with it and go with it."""
    store = synced.bucket
    for number in range(6):
        store.put(f"{number}.md", b"other words %d" % number)
    store.put("in/a b.zip", zip_bytes({"one.md": ONE, "sub/two x.md": TWO}))
    outcomes = synced.sync()
    assert (outcomes["in/a b.zip!one.md"], outcomes["in/a b.zip"]) == (NEW, NEW)
    assert synced.job.counters.members.ingested == 2
    assert synced.found("beta") == [synced.uri("in/a%20b.zip!sub/two%20x.md")]
    for target in ("in/a%20b.zip!one.md", "in/a b.zip!one.md"):
        assert explained(synced, target) == (True, "present")
    assert explained(synced, "in/a%20b.zip") == (True, "container")
    assert explained(synced, "in/a%20b.zip!none.md") == (False, "not_in_container")

    store.proxy.requests.clear()
    assert set(synced.sync().values()) == {SAME}
    assert all("list-type=2" in request.target for request in store.proxy.requests)

    store.put("in/a b.zip", zip_bytes({"one.md": ONE, "three.md": "# three\n\ngamma words\n"}))
    outcomes = synced.sync()
    assert outcomes["in/a b.zip!one.md"] == ("unchanged", "same_content")
    assert outcomes["in/a b.zip!sub/two x.md"] == ("retired", "not_in_container")
    assert synced.found("gamma") == [synced.uri("in/a%20b.zip!three.md")]
    lines = list(Export(synced.workspace.workspace, form="jsonl", source_id="shelf").lines())
    assert sum("a%20b.zip!" in line for line in lines) == 2

    store.client.delete_object(Bucket=store.name, Key="in/a b.zip")
    outcomes = synced.sync()
    assert outcomes["in/a b.zip!one.md"] == ("retired", "not_listed")
    assert explained(synced, "in/a%20b.zip!one.md") == (False, "not_listed")
    assert synced.found("alpha") == []


def test_archive_that_may_not_be_read_keeps_its_members(synced: Synced) -> None:
    """A refusal says nothing of what is in an archive: its members stay, and come up to date once it can be read."""
    store = synced.bucket
    store.put("a.zip", zip_bytes({"one.md": ONE, "two.md": TWO}))
    synced.sync()
    store.put("a.zip", zip_bytes({"one.md": "# one\n\ndelta words\n"}))
    for status, code in ((403, "AccessDenied"), (404, "NoSuchKey")):
        refusal = store.proxy.add(
            Fault(lambda request: "a.zip" in request.target, times=99, status=status, body=error_xml(code))
        )
        assert {key: outcome for key, (outcome, _) in synced.sync().items()} == {"a.zip": "failed"}
        assert len(synced.found("words")) == 2
        assert explained(synced, "a.zip!one.md")[0]
        assert explained(synced, "a.zip") == (False, "forbidden" if status == 403 else "not_found")
        store.proxy.remove(refusal)
    outcomes = synced.sync()
    assert outcomes["a.zip!one.md"][0] == "ingested"
    assert outcomes["a.zip!two.md"] == ("retired", "not_in_container")


def test_archive_moved_to_cold_storage_keeps_its_members(synced: Synced) -> None:
    """An archive that the store does not give any more is the same as long as its content is."""
    store = synced.bucket
    store.put("a.zip", zip_bytes({"one.md": ONE}))
    synced.sync()
    store.put("a.zip", zip_bytes({"one.md": ONE}), StorageClass="GLACIER")
    synced.sync()
    assert synced.found("alpha") == [synced.uri("a.zip!one.md")]


def test_kept_members_of_a_bucket_are_taken_over_again(synced: Synced) -> None:
    """When the source is added again, it owns the members of its archives again."""
    workspace, store = synced.workspace, synced.bucket
    store.put("a b.zip", zip_bytes({"one.md": ONE}))
    synced.sync()
    remove_source(workspace.workspace, "shelf", keep_documents=True)
    assert synced.found("alpha") == [synced.uri("a%20b.zip!one.md")]
    workspace.add_source("shelf", "s3", bucket=store.name, endpoint_url=store.proxy.url)
    assert synced.sync()["a b.zip!one.md"] == ("unchanged", "same_content")
    assert workspace.workspace.reading.kept_members("default", synced.uri("a%20b.zip")) == {}
