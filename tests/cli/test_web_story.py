"""A web site as a source, by the command line."""

from __future__ import annotations

import pytest

from tests.cli.running import Cli
from tests.servers.web_site import Page, WebSiteServer

pytestmark = pytest.mark.slow


def test_from_a_site_to_its_text(cli: Cli) -> None:
    """Add, test and sync: a page is found by its text, with its address; the source has a place."""
    with WebSiteServer().serving() as server:
        server.pages |= {
            "/docs/": Page(b"<h1>Start</h1><p>planes are late</p><a href='travel'>t</a>"),
            "/docs/travel": Page(b"<h1>Travel</h1><p>trains before planes</p>"),
        }
        cli.run("init")
        refused = cli.run("source", "add", "web", "site", "--url", "example.org", code=2)
        assert "https://example.org" in refused.err
        cli.run("source", "add", "web", "site", "--url", f"{server.url}/docs/", "--delay", "0")
        refused = cli.run("source", "test", "site", code=1)
        assert "--allow-private" in refused.out + refused.err
        assert not server.requests
        cli.run("source", "edit", "site", "--allow-private")
        assert all(step["ok"] for step in cli.run("source", "test", "site", "--json").lines)
        cli.run("sync", "site")
        assert f"{server.url}/docs/travel" in cli.run("search", "trains", "--json").out
        assert server.url in cli.run("source", "list").out
