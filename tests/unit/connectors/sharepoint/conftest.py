"""A Graph server in this process, and the library "Documents" of the site "Handbook" in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.graph_server import certificates
from tests.graph_server.items import Drive
from tests.graph_server.running import GraphServer


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GraphServer]:
    """Graph, sign-in and downloads on loopback, with one empty library."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.ca_bundle(tmp_path)))
    with GraphServer() as running:
        running.state.site("sites/handbook", "Handbook").library("Documents", "Shared Documents")
        yield running


@pytest.fixture
def drive(server: GraphServer) -> Drive:
    """The library "Documents"."""
    return server.state.drive("Documents")
