"""Pictures of what is rarely looked at: folders, a diff, hostile names, nothing at all, and what cannot be read."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from textual.widgets._toast import Toast

from ingest_tui.model.errors import StoreError
from ingest_tui.model.folder import Folder, FolderEntry
from ingest_tui.model.source import Source
from ingest_tui.model.textdiff import diff_texts
from ingest_tui.services.documents.folders import FolderPage
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.tui.app import IngestApp
from ingest_tui.tui.dialogs.dialogs import Choose
from tests.tui.stories import NOW, NOW_TEXT, add_job, at_rest, let_answer, until
from tests.tui.test_tui_snapshots import SIZES, _document, overview_client, shelf_client, still_client

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="pictures are pinned to one Python"),
]

OLD = "# Round\n\nRead the pressure at noon, uncorrected.\nTake leaves out of the funnel.\n\x1b[31mend[/]\n"
NEW = "# Round\n\nRead the pressure at dawn, corrected.\nLook at the mast.\n\x1b[31mend[/]!\n"


def _inside(**choice: Any) -> FolderPage:
    folder = choice["folder"]
    if not folder.source_id:
        return FolderPage([FolderEntry(Folder("handbook"), 1_204, 18_000_000, NOW_TEXT)], [], 1, 0)
    names = ("2019/", "b[x]\x1b]0;x\x07/", "日本語/")
    folders = [FolderEntry(folder.inner(name), 3310, 81_000, NOW_TEXT) for name in names]
    documents = [_document(name) for name in ("contract.pdf", "copy.md")]
    return FolderPage(folders, documents, len(folders), len(documents))


async def _ready(app: Any, pilot: Any) -> None:
    await until(pilot, lambda: app.model.complete and app.knows_workers)


@pytest.mark.parametrize("size", SIZES, ids=["small", "large"])
def test_a_folder_of_documents(root: Path, snap_compare: Any, size: tuple[int, int]) -> None:
    """Folders with their numbers, then documents; what is in the folder under the cursor next to it when wide."""
    client = shelf_client(root)
    let_answer(client.documents, folder=_inside)
    app: Any = IngestApp(root, client=client, now=lambda: NOW)

    async def settle(pilot: Any) -> None:
        await _ready(app, pilot)
        await pilot.press("3")
        await until(pilot, lambda: len(app.screen.table.rows) == 4)
        await pilot.press("b")
        await until(pilot, lambda: len(app.screen.table.rows) == 5)
        await pilot.press("g", "j")
        await at_rest(pilot)

    assert snap_compare(app, terminal_size=size, run_before=settle)


@pytest.mark.parametrize("size", [(80, 24), (120, 35)], ids=["unified", "columns"])
def test_a_diff(root: Path, snap_compare: Any, size: tuple[int, int]) -> None:
    """Words that differ are marked in their lines: in two columns where there is room."""
    client = shelf_client(root)
    let_answer(client.documents, diff=lambda *_which: diff_texts(OLD, NEW, names=("v2", "v3")))
    app: Any = IngestApp(root, client=client, now=lambda: NOW)

    async def settle(pilot: Any) -> None:
        await _ready(app, pilot)
        app.open_document("contract.pdf", "contract.pdf")
        await until(pilot, lambda: app.screen.view == "document" and "kettle" in app.screen.text.plain)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.view == "document" and "noon" in app.screen.text.plain)
        await at_rest(pilot)

    assert snap_compare(app, terminal_size=size, run_before=settle)


def test_overview_with_hostile_names(root: Path, overview_first: None, snap_compare: Any) -> None:
    """Names of sources and messages of jobs that act on terminals and markup."""
    with closing(open_workspace_at(root)) as workspace:
        for number, name in enumerate(("b[/]\x1b[31mred", "\u202etxt.exe", "日本語" * 30)):
            workspace.sources.add(Source(source_id=f"s{number}", name=name, source_type="local", source_config={}))
    add_job(root, "20261121-115000-s0-5t2q", "failed", source_id="s0", listed=3, failed=3,
            at="2026-11-21T11:50:00.000Z", errors=["\x1b]52;c;aGVsbG8=\x07[bold]no[/]\nroom"])  # fmt: skip
    app: Any = IngestApp(root, client=overview_client(root), now=lambda: NOW)

    async def settle(pilot: Any) -> None:
        await _ready(app, pilot)
        await until(pilot, lambda: len(app.screen.board("sources").rows) == 3)
        await at_rest(pilot)

    assert snap_compare(app, terminal_size=(120, 35), run_before=settle)


@pytest.mark.parametrize("key", ["0", "3"], ids=["overview", "documents"])
def test_an_empty_workspace_on_a_large_screen(root: Path, overview_first: None, snap_compare: Any, key: str) -> None:
    """What would be here, and the next key."""
    app: Any = IngestApp(root, client=overview_client(root), now=lambda: NOW)

    async def settle(pilot: Any) -> None:
        await _ready(app, pilot)
        await until(pilot, lambda: bool(app.screen._seen))
        await pilot.press(key)
        await at_rest(pilot)

    assert snap_compare(app, terminal_size=(200, 50), run_before=settle)


@pytest.mark.parametrize(("key", "part", "function"), [
    ("2", "sources", "list"), ("3", "documents", "page"), ("4", "errors", "grouped"),
], ids=["sources", "documents", "errors"])  # fmt: skip
def test_a_view_that_cannot_be_read(root: Path, snap_compare: Any, key: str, part: str, function: str) -> None:
    """What is wrong, with a message that acts on terminals, and the command that repairs it, in place of the rows."""

    def fail(*_words: Any, **_choice: Any) -> None:
        raise StoreError("the catalogue is damaged: \x1b[31m[/]", hint="'ingest-tui rebuild' makes it again")

    client = still_client(root)
    fails: Callable[..., Any] = fail
    let_answer(getattr(client, part), **{function: fails})
    app: Any = IngestApp(root, client=client, now=lambda: NOW)

    async def settle(pilot: Any) -> None:
        await _ready(app, pilot)
        await pilot.press(key)
        await until(pilot, lambda: bool(app.screen.why_unread) and app.screen.main_table.empty == app.screen.why_unread)
        app.clear_notifications()  # they go away after a time of their own
        await until(pilot, lambda: not app.screen.query(Toast))
        await at_rest(pilot)

    assert snap_compare(app, terminal_size=(80, 24), run_before=settle)
