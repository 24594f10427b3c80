"""A web site whose folders are pages of links, as the other side of a connector."""

from __future__ import annotations

import html
from typing import Any
from urllib.parse import quote

import pytest

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.connectors.web import client
from ingest_tui.connectors.web.connector import PAGE_SIZE, WebConnector
from tests.conformance.connectors.connector_suite import RemoteSite
from tests.conformance.connectors.interruptions import Failure
from tests.servers.web_site import Page, SiteFault, WebSiteServer

SECRET = "canary-of-the-web-site"
ROOT = "/docs/"
TIMEOUT_SECONDS = 1.0
READ_SECONDS = client.READ_SECONDS
FAULTS: dict[Failure, dict[str, Any]] = {
    "throttled": {"page": Page(b"slow down", status=503)},
    "broken": {"page": Page(b"no", status=500)},
    "timeout": {"hangs": True},
    "closed": {"cut_after": 0},
    "cut": {"cut_after": 20},
    "forbidden": {"page": Page(b"no", status=403)},
    "malformed": {"page": Page(b'{"error": true}')},
    "empty": {"page": Page(b"")},
}


class FakeCredential:
    """An entry of a registry: a key in a header of its own."""

    name, type, digest, identity = "site", "api_key", "1", "somebody"

    def get(self, field: str, default: str | None = None) -> str | None:
        return {"api_key": SECRET}.get(field, default)

    def require(self, field: str) -> str:
        return self.get(field) or ""


class FakeRegistry:
    """A registry that has only that."""

    def get(self, name: str) -> FakeCredential:
        return FakeCredential()


class WebSite(RemoteSite):
    """Files below a folder; its page, and those of folders within, list what is in them and ask not to be taken."""

    page_size = PAGE_SIZE
    keeps_connections = True
    secret = SECRET

    def __init__(self, server: WebSiteServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server = server
        self.url = f"{server.url}{ROOT}"
        self._monkeypatch = monkeypatch
        self._files: dict[str, bytes] = {}
        self._revision = 0
        server.generate = self._index
        server.pages["/robots.txt"] = Page(b"User-agent: *\nDisallow: /private/\n", "text/plain")

    def connector(self, *, max_size: int | None = None) -> BaseConnector:
        config = {"url": self.url, "allow_private": True, "delay": 0, "credential": "site"}
        return WebConnector(config, max_size=max_size, credentials=FakeRegistry())

    def _index(self, target: str) -> Page | None:
        """Return the page of a folder: links to its folders and files."""
        if not target.endswith("/") or not target.startswith(ROOT):
            return None
        inner = target.removeprefix(ROOT)
        within = [quote(name)[len(inner) :] for name in self._files if quote(name).startswith(inner)]
        if inner and not within:
            return None
        links = dict.fromkeys(f"{name.partition('/')[0]}{'/' if '/' in name else ''}" for name in within)
        items = "".join(f'<li><a href="./{html.escape(link)}">one</a></li>\n' for link in links)
        page = f'<html><head><meta name="robots" content="noindex"></head><body><ul>{items}</ul></body></html>'
        return Page(page.encode())

    # What is in it

    def put(self, name: str, content: bytes) -> None:
        self._files[name] = content
        self._revision += 1
        headers = {"ETag": f'"{self._revision}"'}
        self.server.pages[ROOT + quote(name)] = Page(content, "text/plain", headers=headers)

    replace = put

    def rename(self, name: str, new_name: str) -> None:
        content = self._files[name]
        self.remove(name)
        self.put(new_name, content)

    def remove(self, name: str) -> None:
        del self._files[name]
        del self.server.pages[ROOT + quote(name)]

    # What goes wrong with it

    def close_part(self, name: str) -> None:
        self.server.pages[f"{ROOT}{name}/"] = Page(b"no", status=403)

    def forbid(self, name: str) -> None:
        self.server.pages[ROOT + quote(name)] = Page(b"no", status=403)

    def interrupt(self, failure: Failure, *, skip: int, times: int) -> None:
        """Let pages with links fail, and the rules; files that fail are looked at by tests of their own."""
        if failure == "timeout":
            self._monkeypatch.setattr(client, "READ_SECONDS", TIMEOUT_SECONDS)
        self.server.faults = [SiteFault(lambda target: target.endswith("/"), times, skip, **FAULTS[failure])]

    def recover(self) -> bool:
        (fault,), self.server.faults = self.server.faults, []
        self._monkeypatch.setattr(client, "READ_SECONDS", READ_SECONDS)
        return fault.done > 0

    def lock_out(self) -> None:
        self.server.faults = [SiteFault(lambda _target: True, float("inf"), page=Page(b"who?", status=401))]

    def let_in(self) -> None:
        self.server.faults = []

    def throttle_next(self, times: int, *, retry_after: float | None = None) -> None:
        headers = {} if retry_after is None else {"Retry-After": f"{retry_after:.0f}"}
        self.server.faults.append(SiteFault(lambda _target: True, times, page=Page(status=429, headers=headers)))

    def cut_next(self, after: int) -> None:
        self.server.faults.append(SiteFault(lambda _target: True, 1, cut_after=after, least=after + 1))

    def unplug(self) -> None:
        self.url = "http://127.0.0.1:9/docs/"

    def wrong_settings(self) -> list[dict[str, Any]]:
        fits = {"url": "https://example.org/"}
        return [
            {},
            {"url": ""},
            {"url": "example.org"},
            {"url": "ftp://example.org/"},
            {"url": f"https://user:{SECRET}@example.org/"},
            {"url": "https://exa mple.org/"},
            {**fits, "sitemap": "nope"},
            {**fits, "depth": -1},
            {**fits, "max_pages": 0},
            {**fits, "delay": -1},
            {**fits, "novelty": 1},
            {**fits, "include": "*.md"},
        ]
