"""A web site of this machine, and connectors to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ingest_tui.connectors.web.connector import WebConnector
from tests.servers.web_site import WebSiteServer

Connect = Callable[..., WebConnector]


@pytest.fixture
def server() -> Iterator[WebSiteServer]:
    """A site without pages at first."""
    with WebSiteServer().serving() as server:
        yield server


@pytest.fixture
def connect(server: WebSiteServer) -> Iterator[Connect]:
    """Makes connectors to the site, which are closed in the end; settings by name."""
    made: list[WebConnector] = []

    def connect(*, max_size: int | None = None, **settings: Any) -> WebConnector:
        config = {"url": f"{server.url}/", "allow_private": True, "delay": 0, **settings}
        made.append(WebConnector(config, max_size=max_size))
        return made[-1]

    yield connect
    for connector in made:
        connector.close()
