"""One browser and one server for all tests of the page. Each test has a page of its own, and it must not complain."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.collections.collections import add_collection
from ingest_tui.services.jobs.jobs import enqueue_sync
from tests.cli.running import Cli
from tests.page.chromium import PROGRAM, Chromium, Page
from tests.servers.running_server import running_server

HOSTILE = "<img src=x onerror=alert(1)>\u202egnp.txt"
LONG_LINE = "endless " * (2**20 // 8)
DOCUMENTS = {
    "weather.md": "# Weather\n\nThe barometer falls before a storm.\n",
    "tide.txt": "The tide follows the moon, and no barometer.\n",
    "heading.md": "hostile too\n",
    HOSTILE: "hostile <script>alert(2)</script> \u202eback\u202c to front\n",
    "long.txt": LONG_LINE,
}
TITLES = {"weather.md": "Weather", "note.md": "Note", "heading.md": "<b onclick=alert(3)> and \u202eback"}
NEWER = "# Weather\n\nThe barometer falls before a great storm.\n"


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """The browser."""
    if PROGRAM is None:
        pytest.skip("Chromium is not installed (Debian's package chromium)")
    browser = Chromium(tmp_path_factory.mktemp("chromium"))
    try:
        yield browser
    finally:
        browser.close()


@pytest.fixture(scope="session")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """A workspace with two sources: ``docs``, whose weather has two versions, and ``notes`` in a collection of its own.

    Among the documents are some that are made to harm who looks at them. A job waits for a worker.
    """
    cli = Cli(tmp_path_factory.mktemp("page"))
    with open_workspace(cli.workspace) as handle:
        add_collection(handle.workspace, "notes")
        for name, collection in (("docs", "default"), ("notes", "notes")):
            folder = cli.home / name
            folder.mkdir()
            handle.add_source(name, path=str(folder), collection=collection)
        for name, text in DOCUMENTS.items():
            register(handle, "docs", name, text)
        register(handle, "docs", "weather.md", NEWER)
        register(handle, "notes", "note.md", "A barometer on a desk.\n")
        enqueue_sync(handle.workspace, "docs")
    yield cli
    cli.close()


def register(handle: WorkspaceHandle, source_id: str, name: str, text: str) -> None:
    """Put a document into the collection of a source, without a parser."""
    title = {"title": TITLES[name]} if name in TITLES else {}
    collection = "notes" if source_id == "notes" else "default"
    document = IngestedDocument(text, name, "local", {"file_name": name, **title})
    handle.register(collection, document, source_id=source_id)


@pytest.fixture(scope="session")
def address(calls: Cli) -> Iterator[str]:
    """The address of a server of that workspace, which needs no token."""
    with running_server(calls) as (_process, place):
        yield place


@pytest.fixture
def page(chromium: Chromium, address: str) -> Iterator[Page]:
    """The page, opened. At the end its console has said nothing, and no other host was asked for anything."""
    with chromium.page() as opened:
        opened.open(f"{address}/")
        yield opened
        opened.check(address)
