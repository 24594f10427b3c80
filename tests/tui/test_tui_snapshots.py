"""Pictures of screens. After a change that is meant: ``pytest tests/tui -k snapshots --snapshot-update``."""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.model.document import Document, SearchHit
from ingest_tui.model.errors import StoreError
from ingest_tui.model.issue import Issue, IssueGroup, IssueKind, group_issues
from ingest_tui.model.job import HeldDeletions
from ingest_tui.model.source import Source
from ingest_tui.services.client import Client
from ingest_tui.services.documents.documents import DocumentPage, remarks_of
from ingest_tui.services.overview import Overview
from ingest_tui.store.fs.disk import Room
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.tui.app import IngestApp
from ingest_tui.tui.views.audit.audit_screen import AuditScreen
from ingest_tui.tui.views.documents.documents_screen import DocumentsScreen
from ingest_tui.tui.views.errors.errors_screen import ErrorsScreen
from ingest_tui.tui.views.jobs.job_pane import JobPane
from ingest_tui.tui.views.jobs.job_screen import JobScreen
from ingest_tui.tui.views.jobs.jobs_screen import JobsScreen
from ingest_tui.tui.views.logs.logs_screen import LogsScreen
from ingest_tui.tui.views.sources.source_screen import SourceScreen
from tests.tui.stories import NOW, NOW_TEXT, add_job, at_rest, let_answer, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="pictures are pinned to one Python"),
]


HELD = HeldDeletions(documents=214, known=3310, reason="mass_deletion")


class _StillWorker:
    """A worker that always runs, and is always the same."""

    issues = ()
    pid = 4412

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


def still_client(root: Path) -> Client:
    """Return a client of a workspace where one worker always runs."""
    client = Client(root)
    let_answer(client.workers, list=lambda: [_StillWorker()])
    return client


def overview_client(root: Path, client: Client | None = None) -> Client:
    """Return a still client, or this one, whose disk and catalogue are always as large."""
    client = client or still_client(root)
    overview = client.maintenance.overview

    def still() -> Overview:
        seen = overview()
        needs = [item for item in seen.attention if item.code not in {"disk_low", "no_worker"}]
        return replace(seen, attention=needs, room=Room(412_000_000_000, 0), catalogue_bytes=1_200_000_000)

    let_answer(client.maintenance, overview=still)
    return client


def _jobs(app: IngestApp) -> JobsScreen:
    assert isinstance(app.screen, JobsScreen)
    return app.screen


def _pane(app: IngestApp) -> JobPane:
    pane = _jobs(app).side_pane
    assert pane is not None
    return pane


def test_jobs_at_80_by_24(busy: Path, snap_compare: Any) -> None:
    """The list of jobs in a small terminal."""
    app: Any = IngestApp(busy, client=still_client(busy), now=lambda: NOW)

    async def settle(pilot: Any) -> None:
        await until(pilot, lambda: app.model.complete and app.knows_workers and len(_jobs(app).table.rows) == 6)
        await pilot.press("j", "j", "j", "space")

    assert snap_compare(app, terminal_size=(80, 24), run_before=settle)


def test_jobs_with_one_beside_at_200_by_50(busy: Path, snap_compare: Any) -> None:
    """The list of jobs in a large terminal, with the running job next to it."""
    app: Any = IngestApp(busy, client=still_client(busy), now=lambda: NOW)

    async def settle(pilot: Any) -> None:
        await until(pilot, lambda: app.model.complete and app.knows_workers and len(_jobs(app).table.rows) == 6)
        await pilot.press("j")
        await until(pilot, lambda: len(_pane(app).items.rows) == 27 and _pane(app).manifest is not None)
        await until(pilot, lambda: "password" in _pane(app).log_lines.plain)

    assert snap_compare(app, terminal_size=(200, 50), run_before=settle)


@pytest.mark.parametrize("size", [(80, 24), (120, 35), (200, 50)], ids=["small", "broad", "large"])
def test_overview(busy: Path, overview_first: None, snap_compare: Any, size: tuple[int, int]) -> None:
    """The first screen: what needs a person, one of it with a hostile message, sources, what runs, what was done."""
    del overview_first
    add_job(busy, "20261121-115000-policies-5t2q", "partial", source_id="policies", listed=3310,
            at="2026-11-21T11:50:00.000Z", held=HELD)  # fmt: skip
    with closing(open_workspace_at(busy)) as workspace:
        for name in ("scans", "mail", "new"):
            workspace.sources.add(Source(source_id=name, name=name, source_type="local", source_config={}))
    app: Any = IngestApp(busy, client=overview_client(busy), now=lambda: NOW)

    async def settle(pilot: Any) -> None:
        await until(pilot, lambda: app.model.complete and app.knows_workers)
        await until(pilot, lambda: len(app.screen.board("sources").rows) == 4)
        await until(pilot, lambda: len(app.screen.board("running").rows) == 2)

    assert snap_compare(app, terminal_size=size, run_before=settle)


@pytest.mark.parametrize("size", [(80, 24), (120, 35)], ids=["small", "broad"])
def test_overview_of_an_empty_workspace(
    root: Path, overview_first: None, snap_compare: Any, size: tuple[int, int]
) -> None:
    """Nothing needs anybody: what a source is, and the next key."""
    app: Any = IngestApp(root, client=overview_client(root), now=lambda: NOW)

    async def settle(pilot: Any) -> None:
        await until(pilot, lambda: app.model.complete and app.knows_workers)
        await until(pilot, lambda: bool(app.screen._seen))

    assert snap_compare(app, terminal_size=size, run_before=settle)


@pytest.mark.parametrize("size", [(80, 24), (120, 35), (200, 50)], ids=["small", "broad", "large"])
def test_the_page_of_a_source(busy: Path, snap_compare: Any, size: tuple[int, int]) -> None:
    """Its jobs, its items by outcome, its settings; the address and a message of it act on terminals."""
    with closing(open_workspace_at(busy)) as workspace:
        config = {"path": "/srv/\x1b]0;x\x07b[/]/scans"}
        workspace.sources.add(Source(source_id="scans", name="scans", source_type="local", source_config=config))
    app: Any = IngestApp(busy, client=still_client(busy), now=lambda: NOW)

    async def settle(pilot: Any) -> None:
        await until(pilot, lambda: app.model.complete and app.knows_workers)
        app.open_source_here("scans")
        await until(pilot, lambda: isinstance(app.screen, SourceScreen))
        await at_rest(pilot)

    assert snap_compare(app, terminal_size=size, run_before=settle)


@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=["small", "large"])
def test_overview_that_cannot_be_read(
    root: Path, overview_first: None, snap_compare: Any, size: tuple[int, int]
) -> None:
    """What is wrong, with a message that acts on terminals, and the command that repairs it."""

    def fail() -> Overview:
        raise StoreError("the catalogue is damaged: \x1b[31m[/]", hint="'ingest-tui rebuild' makes it again")

    client = still_client(root)
    let_answer(client.maintenance, overview=fail)
    app: Any = IngestApp(root, client=client, now=lambda: NOW)

    async def settle(pilot: Any) -> None:
        await until(pilot, lambda: app.model.complete and app.knows_workers)
        await until(pilot, lambda: bool(app.screen._failure))

    assert snap_compare(app, terminal_size=size, run_before=settle)


SIZES = [(80, 24), (160, 48)]


@pytest.mark.parametrize("size", SIZES, ids=["small", "large"])
def test_logs(busy: Path, snap_compare: Any, size: tuple[int, int]) -> None:
    """The lines of all logs, one of them long, the cursor above the last."""
    (busy / "worker.log").write_text(
        f'{{"at":"2026-11-21T11:57:00.000Z","level":"info","message":"worker started","worker":"4412-aa"}}\n'
        f'{{"at":"{NOW_TEXT}","level":"error","message":"the bucket answers 503 \\u001b[31m {"very " * 30}slowly",'
        f'"job":"20261121-113000-legal-6c5v","source":"legal"}}\n'
    )
    app: Any = IngestApp(busy, client=still_client(busy), now=lambda: NOW)

    async def settle(pilot: Any) -> None:
        await until(pilot, lambda: app.model.complete and app.knows_workers)
        await pilot.press("5")
        await until(pilot, lambda: isinstance(app.screen, LogsScreen) and len(app.screen._shown) == 4)
        await pilot.press("k")

    assert snap_compare(app, terminal_size=size, run_before=settle)


@pytest.mark.parametrize("size", SIZES, ids=["small", "large"])
def test_audit(busy: Path, snap_compare: Any, size: tuple[int, int]) -> None:
    """Who did what, one of it refused, one with a hostile name."""
    workspace = open_workspace_at(busy)
    for minute, (action, target, outcome_word) in enumerate(
        [("source.add", "handbook", "done"), ("job.sync", "20261121-115800-handbook-7k3q", "done"),
         ("document.remove", "\x1b]0;x\x07日本語[/].txt", "done"), ("credential.add", "team-sharepoint", "refused")]
    ):  # fmt: skip
        at = f"2026-11-21T11:0{minute}:00.000Z"
        workspace.audit.add(at=at, by="ann@search-01", action=action, target=target, outcome=outcome_word, via="cli")
    workspace.close()
    app: Any = IngestApp(busy, client=still_client(busy), now=lambda: NOW)

    async def settle(pilot: Any) -> None:
        await until(pilot, lambda: app.model.complete and app.knows_workers)
        await pilot.press("7")
        await until(pilot, lambda: isinstance(app.screen, AuditScreen) and len(app.screen.table.rows) == 4)
        await pilot.press("j")

    assert snap_compare(app, terminal_size=size, run_before=settle)


@pytest.mark.parametrize("size", SIZES)
def test_a_job_in_detail(busy: Path, snap_compare: Any, size: tuple[int, int]) -> None:
    """The running job: rate, phases, the sum of its counters; its errors by reason, next to the outcomes when wide."""
    app: Any = IngestApp(busy, client=still_client(busy), now=lambda: NOW)

    async def settle(pilot: Any) -> None:
        await until(pilot, lambda: app.model.complete and app.knows_workers and len(_jobs(app).table.rows) == 6)
        await pilot.press("j", "enter")
        await until(pilot, lambda: isinstance(app.screen, JobScreen) and len(app.screen.pane.items.rows) == 27)
        await until(pilot, lambda: len(app.screen.pane.reasons.rows) == 2 and app.screen.pane.manifest is not None)
        await pilot.press("b")
        await until(pilot, lambda: app.screen.pane.reasons.has_focus)

    assert snap_compare(app, terminal_size=size, run_before=settle)


def _page(**_choice: Any) -> DocumentPage:
    return DocumentPage([_document(name) for name in ("contract.pdf", "copy.md", "日本語[/].txt", "\x1b[31m.csv")], 4)


def _document(document_id: str) -> Document:
    return Document(document_id, "default", "handbook", "local", f"file:///srv/{document_id}", document_id,
                    f"Title of {document_id}", document_id, "text/plain", 3, "a" * 64, "b" * 64, 18_233, 4,
                    "text 1", "active", NOW_TEXT, NOW_TEXT, "20261121-115800-handbook-7k3q")  # fmt: skip


def _text(document_id: str, _version: int | None = None) -> str:
    return f"# Title of {document_id}\n\nThe kettle is in the kitchen.\n" * 4


def _record(_document_id: str) -> dict[str, Any]:
    return {
        "language": "en",
        "pages": 2,
        "warnings": ["odd \x1b[2J"],
        "origin": {"etag": "abc", "metadata": {"a": "b"}},
    }


def _versions(_document_id: str) -> list[dict[str, Any]]:
    return [{"version": number, "current": number == 3, "ingested_at": NOW_TEXT, "bytes": 100 * number,
             "backend": "text 1", "job_id": "20261121-115800-handbook-7k3q", "raw_sha256": "c" * 64,
             "version_label": f"contract.pdf (version {number})"}
            for number in (3, 2, 1)]  # fmt: skip


def _hits(_words: str, **_choice: Any) -> list[SearchHit]:
    return [SearchHit(name, f"{name}:0", name, f"file:///srv/{name}", "default", 1, "",
                      f"the \x02kettle\x03 of {name}", "", 9.5 - number)
            for number, name in enumerate(("copy.md", "contract.pdf"))]  # fmt: skip


_TROUBLES: tuple[tuple[IssueKind, str, str, str], ...] = (
    ("failed", "timeout", "slow.pdf", "no progress for 60 s"),
    ("failed", "timeout", "b[/]\x1b[31m.pdf", "no progress for 60 s"),
    ("rejected", "unsupported_type", "film.mov", "video/quicktime"),
    ("thin", "little_text", "scan.pdf", "12 characters of 812,331 bytes"),
)


def _errors(**_choice: Any) -> tuple[list[IssueGroup], list[Issue]]:
    issues = tuple(
        Issue(kind, reason, "handbook", key, f"file:///srv/{key}", detail, "default", None, 10, "job", NOW_TEXT,
                key)
        for kind, reason, key, detail in _TROUBLES
    )  # fmt: skip
    groups = (replace(group, hint=f"what to do about {group.reason}") for group in group_issues(issues))
    return list(groups), list(issues)


class _Explanation:
    def lines(self) -> list[str]:
        return [f"not here: failed at {NOW_TEXT}", "what jobs noted, oldest first:", "  planned: ingest (new)"]


def shelf_client(root: Path) -> Client:
    """Return a client to four documents that are always the same, and to their errors."""
    client = still_client(root)
    shelf: Any = client.documents
    shelf.page, shelf.get, shelf.text, shelf.record, shelf.versions = _page, _document, _text, _record, _versions
    shelf.embedding, shelf.details = lambda _id: "", lambda _ids: {}
    shelf.search, shelf.remarks, shelf.explain = _hits, lambda _id: remarks_of(_record("")), lambda _at: _Explanation()
    client.errors.grouped = _errors
    return client


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("keys", ["j", "s k e t t", "j enter", "j enter h"], ids=["list", "search", "text", "versions"])
def test_documents(root: Path, snap_compare: Any, size: tuple[int, int], keys: str) -> None:
    """The list with the text next to it when wide, a search with its hits, one document, and its versions."""
    app: Any = IngestApp(root, client=shelf_client(root), now=lambda: NOW)

    async def settle(pilot: Any) -> None:
        await until(pilot, lambda: app.model.complete and app.knows_workers)
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, DocumentsScreen) and len(app.screen.table.rows) == 4)
        await pilot.press(*keys.split())
        await at_rest(pilot)

    assert snap_compare(app, terminal_size=size, run_before=settle)


@pytest.mark.parametrize("size", SIZES)
def test_errors(root: Path, snap_compare: Any, size: tuple[int, int]) -> None:
    """Reasons with their numbers, one of them open, and the story of a document next to it when wide."""
    app: Any = IngestApp(root, client=shelf_client(root), now=lambda: NOW)

    async def settle(pilot: Any) -> None:
        await until(pilot, lambda: app.model.complete and app.knows_workers)
        await pilot.press("4")
        await until(pilot, lambda: isinstance(app.screen, ErrorsScreen) and len(app.screen.table.rows) == 3)
        await pilot.press("enter")
        await until(pilot, lambda: len(app.screen.table.rows) == 5)
        await pilot.press("j", "j")
        await at_rest(pilot)

    assert snap_compare(app, terminal_size=size, run_before=settle)
