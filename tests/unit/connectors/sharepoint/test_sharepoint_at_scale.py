"""50,000 items of a Graph that runs as a process of its own, over HTTP."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui.connectors.sharepoint.connector import SharePointConnector
from ingest_tui.store.records.listing_cache import StoredMemory
from tests.graph_server.running import FakeCredentials, RemoteServer, server_process
from tests.unit.connectors.sharepoint.sharepoint_lab import SITE

FILES = 50_000
MOST_MEGABYTES = 60


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> Iterator[RemoteServer]:
    """A server process with one library of many files."""
    with server_process() as server:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", server.ca_bundle)
        server.do("add_library", site="sites/handbook", name="Documents", url_name="Shared Documents")
        server.do("generate", library="Documents", files=FILES, folders=2_500)
        yield server


def peak_megabytes() -> float:
    """Return the largest resident set of this process since `clear_refs` was written."""
    found = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


def list_all(remote: RemoteServer, memory_path: Path) -> tuple[int, float, int, float]:
    """List with a new connector; returns items, seconds, requests and the memory it grew by at most."""
    memory = StoredMemory(memory_path)
    connector = SharePointConnector(
        {"site": SITE, "credential": "intranet"}, credentials=FakeCredentials(remote.credential())
    )
    connector.memory = memory
    next(connector.browse())
    remote.do("forget_requests")
    Path("/proc/self/clear_refs").write_text("5")
    before, items = peak_megabytes(), 0
    started = time.perf_counter()
    for page in connector.list():
        items += len(page.descriptors)
    seconds = time.perf_counter() - started
    most = peak_megabytes() - before
    memory.close()
    return items, seconds, len(remote.do("requests", service="graph")), most


@pytest.mark.slow
def test_many_items_cost_few_requests_and_little_memory(remote: RemoteServer, tmp_path: Path) -> None:
    """Some fifty requests list 50,000 items, three see that nothing changed or that a folder was renamed."""
    for step, most_requests in (("first listing", 60), ("nothing changed", 3), ("folder renamed", 3)):
        if step == "folder renamed":
            remote.do("rename", library="Documents", path="folder 00000", new_path="renamed")
        items, seconds, requests, megabytes = list_all(remote, tmp_path / "memory.db")
        # For whoever runs it with -s.
        print(f"{step}: {items} items, {seconds:.2f} s, {requests} requests, +{megabytes:.0f} MB")  # noqa: T201
        assert items == FILES
        assert requests <= most_requests
        assert megabytes < MOST_MEGABYTES


@pytest.mark.slow
def test_server_process_is_steered_over_http(remote: RemoteServer, tmp_path: Path) -> None:
    """Everything that a test can do in process can be ordered of a server that runs on its own."""
    remote.do("add_library", site="sites/small", name="Small")
    remote.do("put", library="Small", path="a/b.txt", text="alpha")
    remote.do("put", library="Small", path="c.bin", base64="AAEC")
    remote.do("lock", library="Small", path="c.bin")
    remote.do("facets", library="Small", path="a/b.txt", malware={})
    remote.do("close_library", library="Documents")
    remote.do("knobs", largest_page=1, roles=["Sites.Read.All"])
    remote.do("fail", match="/root/delta", status=429, retry_after=1)
    remote.do("grant", site="sites/small", granted=False)
    remote.do("rename", library="Small", path="a", new_path="z")
    remote.do("make_folder", library="Small", path="empty")
    remote.do("remove", library="Small", path="empty")
    remote.do("expire_delta_tokens")
    remote.do("expire_downloads")
    remote.do("revoke_tokens")
    seen = remote.look()
    assert seen["knobs"]["largest_page"] == 1
    assert [library["name"] for library in seen["libraries"]] == ["Documents", "Small"]
    assert remote.do("requests") == []
