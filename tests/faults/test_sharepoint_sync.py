"""Whole syncs of a SharePoint site, with what goes wrong there, and with a process that is killed while it lists."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.connectors.sharepoint.connector import SharePointConnector
from ingest_tui.credentials.credential_registry import CredentialRegistry
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.job import Manifest
from ingest_tui.model.source import Source
from ingest_tui.pipeline import connecting
from ingest_tui.services.jobs.jobs import job_items, job_plan
from ingest_tui.store.records.listing_cache import StoredMemory
from ingest_tui.store.workspace import Workspace, init_workspace
from tests.faults.crash_lab import DIED, quicken, sync
from tests.graph_server import certificates
from tests.graph_server.items import Drive
from tests.graph_server.running import FakeCredentials, GraphServer
from tests.graph_server.state import CLIENT_ID, CLIENT_SECRET, TENANT_ID

pytestmark = pytest.mark.slow

SETTINGS = {"site": "https://contoso.sharepoint.com/sites/handbook", "credential": "intranet"}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GraphServer]:
    """Graph, sign-in and downloads on loopback."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.ca_bundle(tmp_path)))
    with GraphServer() as running:
        running.state.site("sites/handbook", "Handbook").library("Documents", "Shared Documents")
        yield running


@pytest.fixture
def drive(server: GraphServer) -> Drive:
    """The library "Documents" with six files."""
    drive = server.state.drive("Documents")
    for number in range(6):
        drive.put(f"folder {number % 2}/{number}.txt", f"common number{number}".encode())
    return drive


def connector_to(server: GraphServer, memory: StoredMemory, **options: Any) -> SharePointConnector:
    """Return a connector with a memory on disk."""
    connector = SharePointConnector(SETTINGS, credentials=FakeCredentials(server.credential()), **options)
    connector.memory = memory
    return connector


@pytest.fixture
def workspace(server: GraphServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace with the site as its source, whose jobs run in this process."""
    quicken(monkeypatch)
    memories: list[StoredMemory] = []

    def made(_source_type: str, _config: dict[str, Any], **options: Any) -> SharePointConnector:
        memories.append(StoredMemory(tmp_path / "remembered.db"))
        return connector_to(server, memories[-1], max_size=options.get("max_size"))

    monkeypatch.setattr(connecting, "get_connector", made)
    workspace, _ = init_workspace(tmp_path / "workspace")
    workspace.sources.save(Source(source_id="docs", name="Docs", source_type="sharepoint", source_config=SETTINGS))
    yield workspace
    workspace.close()
    for memory in memories:
        memory.close()


def outcomes(workspace: Workspace, manifest: Manifest) -> dict[str, tuple[str, str]]:
    """Return what became of each item of a job."""
    return {one.key: (one.outcome, one.reason) for one, _ in job_items(workspace, manifest.job_id)}


def test_story_of_a_site(workspace: Workspace, server: GraphServer, drive: Drive) -> None:
    """First everything; then nothing; then a change, a rename, a move of a folder and a delete, fetching one file."""
    first = sync(workspace)
    assert (first.state, first.counters.items_ingested) == ("succeeded", 6)
    server.state.forget_requests()
    second = sync(workspace)
    assert (second.state, second.counters.items_skipped_incremental) == ("succeeded", 6)
    assert server.state.requests("downloads") == []
    assert len(server.state.requests("graph", "/root/delta")) == 1
    drive.put("folder 0/0.txt", b"common changed")
    drive.rename("folder 0/2.txt", "folder 0/renamed.txt")
    drive.rename("folder 1", "moved")
    drive.remove("folder 0/4.txt")
    third = sync(workspace)
    counters = third.counters
    assert (third.state, counters.items_fetched, counters.items_moved, counters.items_retired) == ("succeeded", 1, 4, 1)
    assert sorted(line.reason for line in job_plan(workspace, third.job_id)) == [
        "changed", "not_listed", *["renamed"] * 4
    ]  # fmt: skip


def test_odd_items_end_in_outcomes(workspace: Workspace, server: GraphServer, drive: Drive) -> None:
    """Notebook, infected, locked, forbidden, empty, too large: each has its outcome, and the others are ingested."""
    drive.put("Notes/Section.one", b"x")
    drive.at("Notes").extra = {"package": {"type": "oneNote"}}
    drive.put("bad.txt", b"x").extra = {"malware": {}}
    drive.put("locked.txt", b"locked common").status = (423, "resourceLocked")
    drive.put("secret.txt", b"x").status = (403, "accessDenied")
    drive.put("empty.txt", b"")
    manifest = sync(workspace)
    found = outcomes(workspace, manifest)
    assert {
        key: found[f"Documents/{key}"] for key in ("Notes", "bad.txt", "locked.txt", "secret.txt", "empty.txt")
    } == {
        "Notes": ("rejected", "onenote_package"),
        "bad.txt": ("rejected", "malware"),
        "locked.txt": ("failed", "locked"),
        "secret.txt": ("failed", "forbidden"),
        "empty.txt": ("empty", "no_text"),
    }
    assert (manifest.state, manifest.counters.items_ingested) == ("partial", 6)
    drive.at("locked.txt").status = None
    again = sync(workspace)
    assert outcomes(workspace, again)["Documents/locked.txt"] == ("ingested", "new")


def test_site_that_lost_its_permission_retires_nothing(workspace: Workspace, server: GraphServer, drive: Drive) -> None:
    """A site that is no longer granted, a library that is closed, a folder gone: no document goes."""
    sync(workspace)
    site = server.state.site("sites/handbook")
    site.granted = False
    denied = sync(workspace)
    assert (denied.state, denied.errors[-1].code) == ("failed", "forbidden")
    site.granted = True
    site.library("Archive").put("a.txt", b"archive common")
    sync(workspace)
    drive.status = (423, "resourceLocked")
    closed = sync(workspace)
    assert (closed.state, closed.counters.items_retired) == ("partial", 0)
    drive.status = None
    assert sync(workspace).counters.items_skipped_incremental == 7


def test_resync_retires_only_what_is_gone(workspace: Workspace, server: GraphServer, drive: Drive) -> None:
    """After a 410, documents that are still there are unchanged, and the one that is gone is retired."""
    sync(workspace)
    drive.remove("folder 0/0.txt")
    server.state.expire_delta_tokens()
    manifest = sync(workspace)
    counters = manifest.counters
    assert (manifest.state, counters.items_skipped_incremental, counters.items_retired) == ("succeeded", 5, 1)


@pytest.mark.parametrize("resync", [False, True])
@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("page", [1, 2, 4, 5])
def test_killed_listing_goes_on(
    server: GraphServer, drive: Drive, tmp_path: Path, page: int, kept: bool, resync: bool
) -> None:
    """A process that is killed just before or after keeping a page: the next one asks for the rest, and has all."""
    for number in range(40):
        drive.put(f"more/{number:02}.txt", b"x")
    path = tmp_path / "remembered.db"
    if resync:
        memory = StoredMemory(path)
        assert len(list_keys(server, memory)) == 46
        memory.close()
        server.state.expire_delta_tokens()
    server.state.knobs.largest_page = 10
    child = os.fork()
    if child == 0:
        list_and_die(server, StoredMemory(path), page, kept)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == DIED
    server.state.forget_requests()
    memory = StoredMemory(path)
    assert len(list_keys(server, memory)) == 46
    asked = len(server.state.requests("graph", "/root/delta"))
    memory.close()
    assert asked <= 6 - (page - 2 if page > 2 else 0)


def list_keys(server: GraphServer, memory: StoredMemory) -> set[str]:
    """List to the end."""
    pages = connector_to(server, memory).list()
    return {descriptor.key for page in pages for descriptor in page.descriptors}


def list_and_die(server: GraphServer, memory: StoredMemory, change: int, kept: bool) -> None:
    """List in a forked process that ends at its change number ``change`` of the memory, before or after it."""
    genuine, number = memory.apply, 0

    def mortal(**changes: Any) -> None:
        nonlocal number
        number += 1
        if number == change and not kept:
            os._exit(DIED)
        genuine(**changes)
        if number == change:
            os._exit(DIED)

    memory.apply = mortal  # type: ignore[method-assign]
    try:
        list_keys(server, memory)
    finally:
        os._exit(0)


def test_rotated_secret_takes_effect_in_a_running_job(
    server: GraphServer, drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file gets a new secret, and the old one ends with its tokens while a job fetches: the job goes on."""
    quicken(monkeypatch)
    workspace, _ = init_workspace(tmp_path / "workspace")
    secret = tmp_path / "secret"
    secret.write_text(CLIENT_SECRET)
    secret.chmod(0o600)
    fields = {"tenant_id": TENANT_ID, "client_id": CLIENT_ID, "authority": server.authority}
    entry = {"type": "entra", "graph_url": server.state.graph_url, "client_secret": f"file:{secret}", **fields}
    registry = CredentialRegistry(workspace.credentials_path)
    registry.add("intranet", entry)
    workspace.sources.save(Source(source_id="docs", name="Docs", source_type="sharepoint", source_config=SETTINGS))
    fetched: list[str] = []
    fetch = SharePointConnector.fetch

    def rotating(connector: SharePointConnector, descriptor: Descriptor, offset: int = 0) -> Any:
        fetched.append(descriptor.key)
        if len(fetched) == 3:
            registry.change("intranet", {"client_secret": "literal:rotated-secret"})
            server.state.apps[CLIENT_ID]["secret"] = "rotated-secret"
            server.state.revoke_tokens()
        return fetch(connector, descriptor, offset)

    monkeypatch.setattr(SharePointConnector, "fetch", rotating)
    assert drive.status is None
    manifest = sync(workspace)
    assert (manifest.state, manifest.counters.items_ingested, manifest.errors_total) == ("succeeded", 6, 0)
    assert len(fetched) > 6, "no fetch met the end of the old token"
    workspace.close()
