"""Pictures of sources, credentials and their forms, small and wide; what they show is the same on every machine."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from ingest_tui.credentials.summary import CredentialSummary
from ingest_tui.credentials.types import credential_type
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.model.plan_line import PlanLine
from ingest_tui.model.source import Source
from ingest_tui.services.client import Client
from ingest_tui.services.credentials.credentials import CredentialRow
from ingest_tui.services.sources.sources import Place, SourceSummary
from ingest_tui.services.sources.trials import PreviewItem
from ingest_tui.tui.app import IngestApp
from ingest_tui.tui.views.credentials.credential_form_screen import AddCredential, CredentialForm
from ingest_tui.tui.views.credentials.credentials_screen import CredentialsScreen
from ingest_tui.tui.views.sources.places_screen import Places
from ingest_tui.tui.views.sources.plan_screen import Plan
from ingest_tui.tui.views.sources.preview_screen import Preview
from ingest_tui.tui.views.sources.remove_source_screen import RemoveSources
from ingest_tui.tui.views.sources.source_form_screen import SourceForm
from ingest_tui.tui.views.sources.sources_screen import SourcesScreen
from tests.tui.stories import NOW, at_rest, until
from tests.tui.test_tui_snapshots import still_client

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="pictures are pinned to one Python"),
]
SIZES = [(80, 24), (160, 48)]


def _job(source_id: str, state: str, at: str, **values: Any) -> Manifest:
    made = Manifest(
        job_id=f"20261121-110000-{source_id}-aaaa", source_id=source_id, collection_id="default", created_at=at,
        updated_at=at, finished_at=at, state=JobState(state), **values,
    )  # fmt: skip
    made.counters.descriptors_listed, made.counters.items_ingested = 812, 800
    return made


def _summaries() -> list[SourceSummary]:
    def source(source_id: str, source_type: str, config: dict[str, Any], **values: Any) -> Source:
        return Source(source_id=source_id, name=source_id, source_type=source_type, source_config=config, **values)

    handbook = source("handbook", "local", {"path": "/srv/handbook", "exclude": ["drafts/"]}, watch=True)
    invoices = source("invoices", "s3", {"bucket": "invoices", "prefix": "2026/", "credential": "store"})
    legal = source("legal", "sharepoint", {"site": "https://contoso.sharepoint.com/sites/legal", "credential": "m365"})
    old = source("old", "local", {"path": "/srv/old"}, enabled=False)
    return [
        SourceSummary(handbook, 812, _job("handbook", "succeeded", "2026-11-21T11:00:00.000Z"), None, None, "ok",
                      "ok", "on change"),
        SourceSummary(invoices, 12_400, _job("invoices", "failed", "2026-11-21T09:00:00.000Z"), None,
                      "2026-11-18T09:00:00.000Z", "problem", "failing since 2026-11-18", "by hand"),
        SourceSummary(legal, 96, _job("legal", "succeeded", "2026-11-20T12:00:00.000Z"), None, None, "warning",
                      "credential ends in 3 days", "every 15 min"),
        SourceSummary(old, 0, None, None, None, "", "", "disabled"),
    ]  # fmt: skip


def _credentials() -> list[CredentialRow]:
    def row(name: str, kind: str, days: int | None, told: str, used: tuple[str, ...], **more: Any) -> CredentialRow:
        expires = date.fromordinal(date(2026, 11, 21).toordinal() + days) if days is not None else None
        return CredentialRow(CredentialSummary(name, kind, True, expires=expires, **more), days, told, used)

    return [
        row("crm", "oauth", -2, "expired 2 days ago", (), fields={"client_secret": "env:CRM_SECRET"}),
        row("m365", "entra", 3, "in 3 days", ("legal",), description="app Ingest, tenant contoso",
            fields={"tenant_id": "0000-1111", "client_id": "2222-3333", "certificate": "file:/etc/keys/m365.pem"}),
        row("odd [/]", "kerberos", None, "", (), problem="unknown credential type 'kerberos'",
            hint="known types: aws, entra"),
        row("store", "aws", 200, "in 200 days", ("invoices", "scans"), literals=("secret_access_key",),
            fields={"access_key_id": "env:AWS_KEY", "secret_access_key": "literal", "region": "eu-central-1"}),
    ]  # fmt: skip


def _places(_source_type: str, _config: dict[str, Any], path: str = "") -> Any:
    if path:
        yield Place("2026", f"{path}/2026", "folder")
        yield Place("welcome.md", f"{path}/welcome.md", "item", 1830)
        return
    for name in ("..", "archive", "handbook", "scans [bold]"):
        yield Place(name, f"/srv/{name}", "folder")
    yield Place("notes\x1b[31m.txt", "/srv/notes.txt", "item", 240)


def _preview(_draft: Any, **_limits: Any) -> Any:
    yield PreviewItem("handbook/welcome.md", 1830, None, True)
    yield PreviewItem("handbook/scan.pdf", 81_000_000, None, False, "too_large", "81.0 MB; the limit is 50.0 MB")
    yield PreviewItem("drafts/x\x1b[31m.md", 20, None, False, "left_out", "its folder drafts is excluded")


def _plan(_source_id: str, **_choice: Any) -> Any:
    for number in range(12):
        yield PlanLine("ingest", "new", f"new-{number}.md", "file:///x", size=1000)
    yield PlanLine("ingest", "changed", "rules.txt", "file:///x", "fingerprint was 1-2", size=900)
    yield PlanLine("retire", "not_listed", "gone.md", "file:///x")
    for number in range(800):
        yield PlanLine("skip", "same_fingerprint", f"{number}.md", "file:///x", size=2000)


def picture_client(root: Path) -> Client:
    """Return a client whose answers are the same everywhere."""
    client = still_client(root)
    sources: Any = client.sources
    sources.list, sources.places, sources.preview, sources.plan = _summaries, _places, _preview, _plan
    sources.count_documents_to_retire = lambda _source_ids: 13_212
    credentials: Any = client.credentials
    credentials.file, credentials.list = lambda: "/srv/credentials.json", _credentials
    return client


Settle = Callable[[IngestApp, Any], Awaitable[None]]


def picture(root: Path, snap_compare: Any, size: tuple[int, int], settle: Settle) -> None:
    """Compare one screen with its picture."""
    app = IngestApp(root, client=picture_client(root), now=lambda: NOW)

    async def before(pilot: Any) -> None:
        await until(pilot, lambda: app.model.complete and app.knows_workers)
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, SourcesScreen) and len(app.screen.table.rows) == 4)
        await settle(app, pilot)
        await at_rest(pilot)

    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", SIZES)
def test_sources(root: Path, snap_compare: Any, size: tuple[int, int]) -> None:
    """The list, with the failing one under the cursor; on a wide screen its settings next to it."""

    async def settle(_app: IngestApp, pilot: Any) -> None:
        await pilot.press("j")

    picture(root, snap_compare, size, settle)


@pytest.mark.parametrize("size", SIZES)
def test_the_form_of_a_source(root: Path, snap_compare: Any, size: tuple[int, int]) -> None:
    """A new folder whose path is wrong: the message is by the field."""

    async def settle(app: IngestApp, pilot: Any) -> None:
        app.push_screen(SourceForm(app.client, "local"))
        await until(pilot, lambda: isinstance(app.screen, SourceForm) and isinstance(app.focused, Input))
        await pilot.press(*"/nowhere")
        await until(pilot, lambda: "does not exist" in str(app.screen.query_one("#help-path").said))  # type: ignore[attr-defined]

    picture(root, snap_compare, size, settle)


@pytest.mark.parametrize("size", SIZES)
def test_the_tree_of_places(root: Path, snap_compare: Any, size: tuple[int, int]) -> None:
    """Folders, one of them open."""

    async def settle(app: IngestApp, pilot: Any) -> None:
        app.push_screen(Places(app.client, "local", {}))
        await until(pilot, lambda: isinstance(app.screen, Places) and len(app.screen.table.rows) == 5)
        await pilot.press("j", "j", "right")
        await until(pilot, lambda: len(app.screen.table.rows) == 7)  # type: ignore[attr-defined]

    picture(root, snap_compare, size, settle)


@pytest.mark.parametrize("size", SIZES)
def test_a_preview(root: Path, snap_compare: Any, size: tuple[int, int]) -> None:
    """What is taken, what is left out and why."""

    async def settle(app: IngestApp, pilot: Any) -> None:
        from ingest_tui.services.sources.trials import SourceDraft

        app.push_screen(Preview(app.client, SourceDraft("local", "handbook", {})))
        await until(pilot, lambda: isinstance(app.screen, Preview) and len(app.screen.table.rows) == 3)

    picture(root, snap_compare, size, settle)


@pytest.mark.parametrize("size", SIZES)
def test_a_plan(root: Path, snap_compare: Any, size: tuple[int, int]) -> None:
    """The groups of a plan."""

    async def settle(app: IngestApp, pilot: Any) -> None:
        app.push_screen(Plan(app.client, "handbook"))
        await until(pilot, lambda: isinstance(app.screen, Plan) and len(app.screen.table.rows) == 4)

    picture(root, snap_compare, size, settle)


@pytest.mark.parametrize("size", SIZES)
def test_the_question_before_a_removal(root: Path, snap_compare: Any, size: tuple[int, int]) -> None:
    """What goes with two sources."""

    async def settle(app: IngestApp, pilot: Any) -> None:
        await pilot.press("space", "space", "D")
        await until(pilot, lambda: isinstance(app.screen, RemoveSources))

    picture(root, snap_compare, size, settle)


@pytest.mark.parametrize("size", SIZES)
def test_credentials(root: Path, snap_compare: Any, size: tuple[int, int]) -> None:
    """The list; what ends soon under the cursor."""

    async def settle(app: IngestApp, pilot: Any) -> None:
        await pilot.press("6")
        await until(pilot, lambda: isinstance(app.screen, CredentialsScreen) and len(app.screen.table.rows) == 4)
        await pilot.press("j")

    picture(root, snap_compare, size, settle)


@pytest.mark.parametrize("size", SIZES)
def test_the_form_of_a_credential(root: Path, snap_compare: Any, size: tuple[int, int]) -> None:
    """A new one, with a secret that was typed unseen."""

    async def settle(app: IngestApp, pilot: Any) -> None:
        app.push_screen(AddCredential(app.client, credential_type("basic")))
        await until(pilot, lambda: isinstance(app.screen, AddCredential) and isinstance(app.focused, Input))
        await pilot.press(*"wiki", "tab", *"reader", "tab", *"env:WIKI")

    picture(root, snap_compare, size, settle)


@pytest.mark.parametrize("size", SIZES)
def test_the_form_of_a_rotation(root: Path, snap_compare: Any, size: tuple[int, int]) -> None:
    """Where the secrets are now, and fields for new ones."""

    async def settle(app: IngestApp, pilot: Any) -> None:
        app.push_screen(CredentialForm(app.client, credential_type("aws"), row=_credentials()[3], rotates=True))
        await until(pilot, lambda: isinstance(app.screen, CredentialForm) and isinstance(app.focused, Input))

    picture(root, snap_compare, size, settle)
