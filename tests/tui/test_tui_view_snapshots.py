"""Pictures of every view at every size: full of what acts on terminals, empty, and unreadable; one program for all."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pytest_textual_snapshot import SVGImageExtension  # type: ignore[import-untyped]
from syrupy.assertion import SnapshotAssertion
from textual.widgets._toast import Toast

from ingest_tui.model.errors import StoreError
from ingest_tui.services.client import Client
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.tui.navigation.views import VIEWS
from tests.tui.stories import NOW_TEXT, add_job, at_rest, let_answer, run_story, screen_text, until
from tests.tui.test_tui_collection_snapshots import collection_page
from tests.tui.test_tui_snapshots import HELD, overview_client, shelf_client, still_client
from tests.tui.test_tui_source_snapshots import _credentials, _summaries

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("overview_first"),
    pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="pictures are pinned to one Python"),
    pytest.mark.parametrize("size", [(80, 24), (120, 35), (200, 50)], ids=["small", "broad", "large"]),
]
HOSTILE = "\x1b]0;x\x07日本語[/].txt"


@pytest.fixture
def pictures(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """The pictures of a test, a file each."""
    return snapshot.use_extension(SVGImageExtension)


def _is_shown(app: Any, view: str) -> bool:
    return bool(app.screen.view == view)


def _compare_views(root: Path, client: Client, size: tuple[int, int], pictures: SnapshotAssertion) -> None:
    """Go from view to view as people do, and compare each with its picture."""
    different: list[str] = []

    async def story(app: Any, pilot: Any) -> None:
        for key, view in VIEWS.items():
            await pilot.press(key)
            await until(pilot, partial(_is_shown, app, view.name))
            await until(pilot, lambda: "reading …" not in screen_text(app))
            app.clear_notifications()  # they go away after a time of their own
            await until(pilot, lambda: not app.screen.query(Toast))
            await at_rest(pilot)
            if app.export_screenshot() != pictures(name=view.name):
                different.append(view.name)

    run_story(root, story, size=size, client=client)
    assert not different


def test_full_views(busy: Path, size: tuple[int, int], pictures: SnapshotAssertion) -> None:
    """What a workspace has after a while, with names and messages that act on terminals and markup."""
    with closing(open_workspace_at(busy)) as workspace:
        for minute, (action, target, outcome) in enumerate([
            ("source.add", "handbook", "done"), ("job.sync", "20261121-115800-handbook-7k3q", "done"),
            ("document.remove", HOSTILE, "done"), ("credential.add", "team-sharepoint", "refused"),
        ]):  # fmt: skip
            at = f"2026-11-21T11:0{minute}:00.000Z"
            workspace.audit.add(at=at, by="ann@search-01", action=action, target=target, outcome=outcome, via="cli")
    add_job(busy, "20261121-115000-policies-5t2q", "partial", source_id="policies", listed=3310,
            at="2026-11-21T11:50:00.000Z", held=HELD)  # fmt: skip
    (busy / "worker.log").write_text(
        f'{{"at":"{NOW_TEXT}","level":"error","message":"the bucket answers 503 \\u001b[31m","source":"b[/]"}}\n'
    )
    client = overview_client(busy, shelf_client(busy))
    let_answer(client.sources, list=_summaries, unreadable=lambda: ["odd"])
    let_answer(client.credentials, file=lambda: "/srv/credentials.json", list=_credentials)
    let_answer(client.collections, pages=lambda: [collection_page("default")], unreadable=list)
    _compare_views(busy, client, size, pictures)


def test_empty_views(root: Path, size: tuple[int, int], pictures: SnapshotAssertion) -> None:
    """What each view would show, why it is empty, and the next key."""
    client = overview_client(root)
    let_answer(client.audit, lines_from=lambda _offset: ([], 0))
    let_answer(client.credentials, file=lambda: "/srv/credentials.json", list=list)
    _compare_views(root, client, size, pictures)


def test_unreadable_views(root: Path, size: tuple[int, int], pictures: SnapshotAssertion) -> None:
    """What is wrong, with a message that acts on terminals, and the command that repairs it, in place of the rows."""

    def fail(*_words: Any, **_choice: Any) -> Any:
        raise StoreError("the catalogue is damaged: \x1b[31m[/]", hint="'ingest-tui rebuild' makes it again")

    add_job(root, "20261121-115000-policies-5t2q", "failed", source_id="policies")
    (root / "jobs" / "20261121-115000-policies-5t2q" / "manifest.json").write_text("{")
    fails: Callable[..., Any] = fail
    client = still_client(root)
    for part, function in (
        (client.maintenance, "overview"), (client.sources, "list"), (client.documents, "page"),
        (client.errors, "grouped"), (client.jobs, "get"), (client.jobs, "items"), (client.jobs, "follow_logs"),
        (client.credentials, "list"), (client.audit, "lines_from"), (client.collections, "pages"),
    ):  # fmt: skip
        let_answer(part, **{function: fails})
    _compare_views(root, client, size, pictures)
