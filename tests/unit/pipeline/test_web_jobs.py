"""Whole jobs over a web site: what becomes of documents, and what never makes one go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui import open_workspace
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.jobs.plan_preview import plan_source
from ingest_tui.services.sources.sources import edit_source
from tests.servers.web_site import Page, SiteFault, WebSiteServer

pytestmark = pytest.mark.slow


def article(title: str, text: str, *links: str) -> Page:
    """A page of text."""
    to = "".join(f'<a href="{link}">x</a>' for link in links)
    return Page(f"<!doctype html><title>{title}</title><h1>{title}</h1><p>{text}</p>{to}".encode())


class SyncedSite:
    """A workspace with one source, ``site``."""

    def __init__(self, workspace: WorkspaceHandle, server: WebSiteServer) -> None:
        self.workspace = workspace
        self.server = server

    def sync(self) -> dict[str, int]:
        """Sync and return what was counted."""
        self.job = self.workspace.sync("site")
        counted = self.job.counters
        return {"ingested": counted.items_ingested, "retired": counted.items_retired, "fetched": counted.items_fetched}

    @property
    def keys(self) -> set[str]:
        """The keys of what is known."""
        return {line.key for line in plan_source(self.workspace.workspace, "site")}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SyncedSite]:
    """A site of four items, not synced yet."""
    with WebSiteServer().serving() as server, open_workspace(tmp_path / "workspace") as workspace:
        server.pages |= {
            "/docs/": article("Start", "planes are late", "travel", "pay", "note.txt"),
            "/docs/travel": article("Travel", "trains before planes"),
            "/docs/pay": article("Pay", "not yet decided"),
            "/docs/note.txt": Page(b"a note about tickets", "text/plain"),
        }
        workspace.add_source("site", "web", url=f"{server.url}/docs/", allow_private=True, delay=0)
        yield SyncedSite(workspace, server)


def test_only_what_the_site_calls_gone_is_retired(site: SyncedSite) -> None:
    """A page that nothing leads to any more is asked for itself where a crawl could not see everything."""
    pages = site.server.pages
    assert site.sync() == {"ingested": 4, "retired": 0, "fetched": 4}
    assert site.sync() == {"ingested": 0, "retired": 0, "fetched": 0}
    pages["/docs/pay"] = article("Pay", "decided by lottery")
    assert site.sync()["ingested"] == 1

    pages["/docs/"] = article("Start", "planes are late", "broken", "note.txt")
    pages["/docs/broken"] = Page(status=403)
    del pages["/docs/pay"]
    site.server.faults = [SiteFault(lambda target: target == "/docs/travel", float("inf"), page=Page(status=500))]
    assert site.sync()["retired"] == 1
    assert any("broken" in warning for warning in site.job.warnings)
    site.server.faults = []
    pages["/docs/travel"] = Page(status=301, headers={"Location": "/docs/sorry"})
    assert site.sync()["retired"] == 0
    del pages["/docs/broken"], pages["/docs/travel"]
    pages["/docs/travel"] = article("Travel", "trains before planes")
    assert site.sync()["retired"] == 1, "a crawl that saw everything: nothing leads there, so it is no part of the site"


def test_a_limit_retires_nothing_that_is_there(site: SyncedSite) -> None:
    """What a bounded crawl does not reach stays; what is left out by choice is not asked for."""
    site.sync()
    edit_source(site.workspace.workspace, "site", config={"max_pages": 2})
    del site.server.pages["/docs/note.txt"]
    before = len(site.server.requests)
    planned = {line.key: line.action for line in plan_source(site.workspace.workspace, "site")}
    assert planned == {"/": "skip", "travel": "skip", "pay": "skip", "note.txt": "hold"}, "the choice has changed"
    assert site.server.asked()[before:].count("/docs/pay") == 1
    edit_source(site.workspace.workspace, "site", config={"max_pages": 2, "exclude": ["pay"]})
    before = len(site.server.requests)
    planned = {line.key: line.action for line in plan_source(site.workspace.workspace, "site")}
    assert planned == {"/": "skip", "travel": "skip", "pay": "hold", "note.txt": "hold"}
    assert "/docs/pay" not in site.server.asked()[before:]
