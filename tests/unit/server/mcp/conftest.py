"""A workspace with two collections, and agents that see all of it or one of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui import open_workspace
from ingest_tui.server.mcp.protocol import make_server
from ingest_tui.server.mcp.reach import Reach
from ingest_tui.services.client import Client
from ingest_tui.services.collections.collections import add_collection
from tests.servers.mcp_agent import Agent

GUIDE = "# Guide\n\n" + "".join(f"Line {number} of the guide on barometers.\n" for number in range(200))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a synced workspace: source docs in the default collection, source notes in private."""
    home = tmp_path_factory.mktemp("mcp")
    for name, text in {
        "docs/guide.md": GUIDE,
        "docs/tide.txt": "The tide follows the moon.\n",
        "docs/storm.txt": "A storm makes the barometer fall.\n",
        "notes/secret.txt": "The password of the safe follows the moon.\n",
        "notes/storm.txt": "Nobody may know of this storm.\n",
    }.items():
        path = home / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (home / "docs" / "broken.docx").write_bytes(b"PK\x03\x04 no document")
    with open_workspace(home / "workspace") as handle:
        add_collection(handle.workspace, "private")
        handle.add_source("docs", path=str(home / "docs"))
        handle.add_source("notes", path=str(home / "notes"), collection="private")
        handle.sync("docs")
        handle.sync("notes")
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of it, whose sources are where they were."""
    shutil.copytree(made / "workspace", tmp_path / "workspace")
    yield tmp_path
    shutil.rmtree(tmp_path / "workspace")


MakeAgent = Callable[..., Agent]


@pytest.fixture
def agent(home: Path) -> MakeAgent:
    """Makes agents: ``collection_id``, ``may_write`` as of `Reach`, ``read_only`` as of the client."""

    def make(*, read_only: bool = False, mode: str = "legacy", **seen: Any) -> Agent:
        reach = Reach(Client(home / "workspace", read_only=read_only), acts_as="mcp:somebody", **seen)
        server = make_server(lambda _context: reach)
        return Agent(lambda: server, mode=mode)

    return make
