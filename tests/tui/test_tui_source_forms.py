"""Adding and changing sources in forms: validation, browsing, test and preview before saving, other types."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from ingest_tui.credentials.credential_registry import CredentialRegistry
from ingest_tui.services.client import Client
from ingest_tui.services.collections.collections import add_collection, use_collection
from ingest_tui.services.sources.sources import edit_source
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.tui.dialogs.dialogs import Choose, Confirm
from ingest_tui.tui.dialogs.report import TestReport
from ingest_tui.tui.views.credentials.credential_form_screen import AddCredential
from ingest_tui.tui.views.sources.places_screen import Places
from ingest_tui.tui.views.sources.plan_screen import Plan
from ingest_tui.tui.views.sources.preview_screen import Preview
from ingest_tui.tui.views.sources.source_form_screen import ADD_NEW, SourceForm
from ingest_tui.tui.views.sources.sources_screen import SourcesScreen
from ingest_tui.tui.widgets.fields import Choice, Toggle, as_list, as_text
from tests.conformance.connectors.git_site import commit_files, git
from tests.graph_server import certificates
from tests.graph_server.running import GraphServer
from tests.graph_server.state import CLIENT_ID, CLIENT_SECRET, TENANT_ID
from tests.servers.fault_proxy import FaultProxy
from tests.servers.imap_server import ImapServer
from tests.servers.s3_store import SECRET, Bucket
from tests.tui.stories import HOSTILE_NAMES, add_folder, let_answer, run_story, screen_text, until

pytestmark = pytest.mark.slow


def sources_of(root: Path) -> dict[str, Any]:
    workspace = open_workspace_at(root)
    try:
        return {source.source_id: source for source in workspace.sources.all()}
    finally:
        workspace.close()


async def open_form(app: Any, pilot: Any, source_type: str = "local") -> SourceForm:
    """Go to the sources, ask for a new one of a type, and wait for its form."""
    await pilot.press("2", "a")
    await until(pilot, lambda: isinstance(app.screen, Choose))
    names = [name for name, _text in app.screen._options]
    await pilot.press(*["down"] * names.index(source_type), "enter")
    await until(pilot, lambda: isinstance(app.screen, SourceForm) and isinstance(app.focused, Input))
    form: SourceForm = app.screen
    return form


def field(app: Any, name: str) -> Any:
    return app.screen.query_one(f"#field-{name}")


def told(app: Any, name: str) -> str:
    """Return what is below a field."""
    return str(app.screen.query_one(f"#help-{name}").said)


def test_what_is_wrong_is_reported_while_typing_next_to_the_field(root: Path, folder: Path) -> None:
    """A moment after a key; the words of the field come back when it is right."""

    async def story(app: Any, pilot: Any) -> None:
        await open_form(app, pilot)
        assert told(app, "path") == "the folder"
        await pilot.press(*"/nowhere")
        await until(pilot, lambda: told(app, "path").startswith("! the folder"))
        field(app, "path").value = str(folder)
        await until(pilot, lambda: told(app, "path") == "the folder")
        assert field(app, "name").placeholder == "handbook"
        for name, text in (("max_size", "huge"), ("since", "soon"), ("priority", "5000"), ("by_type", "pdf"),
                           ("allow_types", "no-such"), ("backend", "none-such")):  # fmt: skip
            field(app, name).value = text
            await until(pilot, lambda: told(app, name).startswith("!"))  # noqa: B023 - it has been called when the loop goes on
            field(app, name).value = ""
            await until(pilot, lambda: not told(app, name).startswith("!"))  # noqa: B023 - the same
        field(app, "max_size").value = "huge"
        field(app, "path").focus()
        await pilot.press("enter")
        await until(pilot, lambda: app.focused is field(app, "max_size"))
        assert isinstance(app.screen, SourceForm)

    run_story(root, story)
    assert sources_of(root) == {}


def test_all_that_a_form_holds_is_saved(root: Path, folder: Path) -> None:
    """Lists, switches, choices, sizes and days arrive as the command line would have set them."""

    async def story(app: Any, pilot: Any) -> None:
        await open_form(app, pilot)
        for name, text in (
            ("path", str(folder)), ("name", "Team"), ("exclude", 'drafts/, "a,b.txt"'), ("deny_types", "docm"),
            ("max_size", "20MB"), ("since", "2026-01-31"), ("priority", "7"), ("by_type", "pdf=unstructured"),
        ):  # fmt: skip
            field(app, name).value = text
        field(app, "recursive").focus()
        await pilot.press("space")
        field(app, "by_type").value = ""
        field(app, "path").focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TestReport))

    run_story(root, story)
    source = sources_of(root)["team"]
    assert source.source_config == {"path": str(folder), "recursive": False, "exclude": ["drafts/", "a,b.txt"]}
    assert (int(source.max_size), str(source.since), source.priority) == (20_000_000, "2026-01-31", 7)
    assert (source.deny_types, source.name, source.collection_id) == (("docm",), "Team", "default")


def test_a_repository_is_a_source_with_its_branch(root: Path, tmp_path: Path) -> None:
    """The branch stands next to the repository, whose name without its ending is that of the source."""
    repository = tmp_path / "handbook.git"
    repository.mkdir()
    git(repository, "init", "--quiet", "--bare", "--initial-branch=main")
    commit_files(repository, {"travel.md": b"trains"})

    async def story(app: Any, pilot: Any) -> None:
        await open_form(app, pilot, "git")
        field(app, "repository").value = str(repository)
        field(app, "ref").value = "trunk"
        await until(pilot, lambda: "trunk" in told(app, "repository"))
        field(app, "ref").value = "main"
        await until(pilot, lambda: field(app, "name").placeholder == "handbook")
        field(app, "repository").focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TestReport))

    run_story(root, story)
    source = sources_of(root)["handbook"]
    assert source.place == f"{repository}@main"


def test_a_new_source_goes_to_the_collection_in_use(root: Path, folder: Path) -> None:
    """The form offers it, as an upload does; another one can be chosen."""
    workspace = open_workspace_at(root)
    add_collection(workspace, "reports")
    use_collection(workspace, "reports")
    workspace.close()

    async def story(app: Any, pilot: Any) -> None:
        await open_form(app, pilot)
        assert field(app, "collection_id").value == "reports"
        field(app, "path").value = str(folder)
        field(app, "name").value = "Team"
        field(app, "path").focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TestReport))

    run_story(root, story)
    assert sources_of(root)["team"].collection_id == "reports"


def test_a_source_is_changed_and_only_what_was_changed(root: Path, folder: Path) -> None:
    """The form shows what is set; emptied fields go back to their default; the audit names what changed."""
    add_folder(root, folder, since="2026-01-31", deny_types=["docm"], priority=7)

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2")
        await until(pilot, lambda: app.screen.table.rows)
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, SourceForm) and isinstance(app.focused, Input))
        assert [field(app, name).value for name in ("path", "since", "deny_types", "priority")] == [
            str(folder), "2026-01-31", "docm", "7"
        ]  # fmt: skip
        assert field(app, "name").value == "handbook"
        field(app, "name").value = "Handbook of the team"
        field(app, "since").value = ""
        field(app, "exclude").value = "*.txt"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TestReport))
        await pilot.press("escape", "c")
        await until(pilot, lambda: isinstance(app.screen, SourceForm) and isinstance(app.focused, Input))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SourcesScreen))

    run_story(root, story)
    source = sources_of(root)["handbook"]
    assert (source.since, source.source_config["exclude"], source.priority) == (None, ["*.txt"], 7)
    assert source.name == "Handbook of the team"
    workspace = open_workspace_at(root)
    edits = [entry for entry in workspace.audit.entries() if entry["action"] == "source.edit"]
    assert [entry["details"]["changed"] for entry in edits] == [["exclude", "name", "since"]]


def test_a_form_has_the_schedule_and_what_a_source_chooses_itself(root: Path, folder: Path) -> None:
    """Both are checked next to their fields, saved, shown again, and taken away when their fields are emptied."""

    async def story(app: Any, pilot: Any) -> None:
        await open_form(app, pilot)
        for name, text in (("path", str(folder)), ("every", "15m"), ("quiet_hours", "22:00-06:00"),
                           ("chunk_size", "5"), ("text_columns", "title, body")):  # fmt: skip
            field(app, name).value = text
        await until(pilot, lambda: told(app, "chunk_size").startswith("!"))
        field(app, "chunk_size").value = "800"
        await until(pilot, lambda: not told(app, "chunk_size").startswith("!"))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TestReport))
        saved = sources_of(root)["handbook"]
        assert saved.schedule.in_words == "every 15m, quiet 22:00-06:00 UTC"
        assert saved.overrides.chosen() == {"chunk_size": 800, "text_columns": ["title", "body"]}
        await pilot.press("escape", "c")
        await until(pilot, lambda: isinstance(app.screen, SourceForm) and isinstance(app.focused, Input))
        assert [field(app, name).value for name in ("every", "chunk_size", "text_columns", "trash_days")] == [
            "15m", "800", "title, body", ""
        ]  # fmt: skip
        field(app, "every").value = ""
        field(app, "quiet_hours").value = ""
        field(app, "text_columns").value = ""
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TestReport))

    run_story(root, story)
    saved = sources_of(root)["handbook"]
    assert saved.schedule is None
    assert saved.overrides.chosen() == {"chunk_size": 800}


@pytest.mark.parametrize("keeps", [True, False])
def test_a_form_that_is_late_shows_what_has_changed(root: Path, folder: Path, keeps: bool) -> None:
    """Somebody else has saved the source meanwhile: both values are shown; keeping and loading do what they say."""
    add_folder(root, folder, priority=7)

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2")
        await until(pilot, lambda: app.screen.table.rows)
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, SourceForm) and isinstance(app.focused, Input))
        workspace = open_workspace_at(root)
        edit_source(workspace, "handbook", priority=3, deny_types=["docm"])
        workspace.close()
        field(app, "priority").value = "9"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        assert "priority: theirs 3, yours 9" in screen_text(app)
        assert sources_of(root)["handbook"].priority == 3
        await pilot.press(*(["down"] if keeps else []), "enter")
        if keeps:
            await until(pilot, lambda: isinstance(app.screen, TestReport))
            return
        await until(pilot, lambda: isinstance(app.screen, SourceForm) and isinstance(app.focused, Input))
        assert (field(app, "priority").value, field(app, "deny_types").value) == ("3", "docm")
        field(app, "exclude").value = "*.txt"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TestReport))

    run_story(root, story)
    source = sources_of(root)["handbook"]
    assert source.deny_types == ("docm",)
    assert source.priority == (9 if keeps else 3)
    assert source.source_config.get("exclude") == (None if keeps else ["*.txt"])


def test_a_folder_is_browsed_up_and_down_and_fills_the_field(root: Path, folder: Path) -> None:
    """Ctrl+O opens the tree at the typed folder; it opens lazily, closes, goes above, and Enter takes."""
    inner = folder / "policies" / "2026"
    inner.mkdir(parents=True)

    async def story(app: Any, pilot: Any) -> None:
        await open_form(app, pilot)
        field(app, "path").value = str(folder)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, Places) and len(app.screen.table.rows) == 4)
        assert "▸ ../" in screen_text(app)
        assert "1 item" not in screen_text(app)
        await pilot.press("down", "right")
        await until(pilot, lambda: "  ▸ 2026/" in screen_text(app))
        await pilot.press("down", "left")
        assert app.screen.table.current.place.name == "policies"
        await pilot.press("left")
        assert "2026/" not in screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: "  ▸ 2026/" in screen_text(app))
        await pilot.press("enter")
        assert "2026/" not in screen_text(app)
        await pilot.press("G", "enter")
        await until(pilot, lambda: "a folder can be taken" in screen_text(app))
        await pilot.press("g", "enter")
        await until(pilot, lambda: any(row.place.name == "handbook" for row in app.screen.table.rows))
        await pilot.press("slash", *"handb", "enter", "right")
        await until(pilot, lambda: app.screen.table.current.state == "open")
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, SourceForm) and field(app, "path").value == str(folder))

    run_story(root, story)


def test_browsing_what_cannot_be_read_says_why_and_stays(root: Path, folder: Path) -> None:
    """The tree shows the error; Esc goes back to what was entered."""

    client = Client(root)
    places = client.sources.places

    def bad_places(source_type: str, config: dict[str, Any], path: str = "") -> Any:
        if path:
            raise OSError(5, "Input/output [/] error")
        return places(source_type, config, path)

    client.sources.places = bad_places

    async def story(app: Any, pilot: Any) -> None:
        (folder / "inner").mkdir()
        await open_form(app, pilot)
        field(app, "path").value = str(folder)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, Places) and len(app.screen.table.rows) == 4)
        await pilot.press("down", "right")
        await until(pilot, lambda: "the disk reports an error" in screen_text(app) and "! inner/" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, SourceForm) and field(app, "path").value == str(folder))

    run_story(root, story, client=client)


def test_ten_thousand_places_of_hostile_names_are_shown_harmlessly(root: Path, folder: Path) -> None:
    """A long folder comes in slices; names act on nothing; the last one is one key away."""
    from ingest_tui.services.sources.sources import Place

    def many_places(_source_type: str, _config: dict[str, Any], _path: str = "") -> Any:
        for number in range(10_000):
            name = f"{HOSTILE_NAMES[number % len(HOSTILE_NAMES)]}{number}"
            yield Place(name, f"/x/{name}", "folder")

    client = Client(root)
    let_answer(client.sources, places=many_places)

    async def story(app: Any, pilot: Any) -> None:
        await open_form(app, pilot)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, Places) and len(app.screen.table.rows) == 10_000)
        await pilot.press("G")
        assert app.screen.table.cursor == 9_999
        assert "\x1b" not in screen_text(app)
        await pilot.press("slash", *"red")
        await until(pilot, lambda: 0 < len(app.screen.table.rows) < 10_000)

    run_story(root, story, client=client)


def test_a_draft_is_tested_and_previewed_without_being_saved(root: Path, folder: Path) -> None:
    """Ctrl+T shows the steps, Ctrl+R what would be taken and left out and why; neither leaves a source behind."""
    (folder / "big.md").write_text("x" * 5000)

    async def story(app: Any, pilot: Any) -> None:
        form = await open_form(app, pilot)
        field(app, "path").value = str(folder)
        field(app, "exclude").value = "*.txt"
        field(app, "max_size").value = "1KB"
        await pilot.press("ctrl+t")
        await until(pilot, lambda: isinstance(app.screen, TestReport) and "all is well" in screen_text(app))
        await pilot.press("s")
        screen = app.screen
        assert isinstance(screen, TestReport)
        await pilot.press("escape", "ctrl+r")
        await until(pilot, lambda: isinstance(app.screen, Preview) and len(app.screen.table.rows) == 3)
        await until(pilot, lambda: "1 item taken" in screen_text(app) and "1 too large, 1 left out" in screen_text(app))
        await pilot.press("t")
        assert [item.key for item in app.screen.table.rows] == ["welcome.md"]
        await pilot.press("t")
        assert {item.key for item in app.screen.table.rows} == {"big.md", "rules.txt"}
        await pilot.press("slash", *"rules", "enter")
        assert [item.key for item in app.screen.table.rows] == ["rules.txt"]
        await pilot.press("escape")
        assert len(app.screen.table.rows) == 2
        await pilot.press("escape")
        assert app.screen is form
        field(app, "path").value = str(folder / "nowhere")
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "it cannot be listed" in screen_text(app))

    run_story(root, story, size=(120, 40))
    assert sources_of(root) == {}


def test_leaving_a_form_with_something_entered_asks_first(root: Path, folder: Path) -> None:
    """Esc closes an untouched form at once, and asks when something would be lost."""

    async def story(app: Any, pilot: Any) -> None:
        await open_form(app, pilot)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, SourcesScreen))
        form = await open_form(app, pilot)
        await pilot.press(*"/tmp", "escape")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("enter")
        assert app.screen is form
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, SourcesScreen))

    run_story(root, story)


def names_of(table: Any) -> list[str]:
    return [row.place.name for row in table.rows]


def test_a_bucket_is_added_with_a_new_credential_and_browsed(
    root: Path, moto_port: int, moto_proxy: FaultProxy
) -> None:
    """From nothing to a bucket: the credential is made on the way, buckets are chosen from a list; no secret shows."""
    bucket = Bucket(moto_port, moto_proxy)
    bucket.put("handbook/a.md", b"# Alpha")
    seen = ""

    async def story(app: Any, pilot: Any) -> None:
        nonlocal seen
        await open_form(app, pilot, "s3")
        field(app, "endpoint_url").value = bucket.proxy.url
        field(app, "credential").focus()
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, Choose) and "of type aws" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, AddCredential) and isinstance(app.focused, Input))
        field(app, "endpoint_url").value = bucket.proxy.url
        for name, text in (("name", "store"), ("access_key_id", "AKIATEST"), ("secret_access_key", SECRET)):
            field(app, name).focus()
            await pilot.press(*text)
        await until(pilot, lambda: told(app, "secret_access_key") == "kept in the credentials file itself")
        seen += screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TestReport) and "all is well" in screen_text(app), 20)
        seen += screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, SourceForm) and field(app, "credential").value == "store")
        field(app, "bucket").focus()
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, Places) and bucket.name in names_of(app.screen.table))
        await pilot.press("slash", *bucket.name, "enter", "escape")
        app.screen.table.move_to_end(first=True)
        while app.screen.table.current.place.name != bucket.name:
            await pilot.press("j")
        await pilot.press("right")
        await until(pilot, lambda: "handbook" in names_of(app.screen.table))
        await pilot.press("down", "t")
        await until(pilot, lambda: isinstance(app.screen, SourceForm) and field(app, "prefix").value == "handbook/")
        assert field(app, "bucket").value == bucket.name
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TestReport) and "all is well" in screen_text(app), 20)
        seen += screen_text(app)

    run_story(root, story, size=(100, 40))
    assert SECRET not in seen
    assert "AKIATEST" not in seen
    source = sources_of(root)["handbook"]
    assert source.source_config == {
        "bucket": bucket.name, "prefix": "handbook/", "endpoint_url": bucket.proxy.url, "credential": "store"
    }  # fmt: skip
    assert CredentialRegistry(root.parent / "credentials.json").get("store").require("secret_access_key") == SECRET


@pytest.fixture
def graph(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GraphServer]:
    """A site with two libraries, and the credential that opens it."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.ca_bundle(tmp_path)))
    monkeypatch.setenv("APP_SECRET", CLIENT_SECRET)
    with GraphServer() as server:
        server.state.site("sites/handbook", "Handbook").library("Documents", "Shared Documents")
        drive = server.state.drive("Documents")
        drive.put("policies/travel.md", b"# Travel")
        drive.put("policies/drafts/pay.md", b"# Pay")
        server.state.site("sites/handbook").library("Archive", "Archive Library").put("old.md", b"old")
        fields = {"tenant_id": TENANT_ID, "client_id": CLIENT_ID, "authority": server.authority,
                  "graph_url": server.state.graph_url, "client_secret": "env:APP_SECRET"}  # fmt: skip
        registry = CredentialRegistry(root.parent / "credentials.json")
        registry.add("intranet", {"type": "entra", **fields})
        registry.add("other", {"type": "token", "token": "env:OTHER"})
        yield server


def test_a_library_is_chosen_previewed_and_synced(root: Path, graph: GraphServer) -> None:
    """Credentials of the fitting type only; libraries and folders in a tree fill two fields; no listing for a look."""

    async def story(app: Any, pilot: Any) -> None:
        await open_form(app, pilot, "sharepoint")
        field(app, "site").value = "https://contoso.sharepoint.com/sites/handbook"
        field(app, "credential").focus()
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        assert [name for name, _text in app.screen._options] == ["intranet", ADD_NEW]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SourceForm) and field(app, "credential").value == "intranet")
        field(app, "library").focus()
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, Places) and len(app.screen.table.rows) == 2, 20)
        await pilot.press("right")
        await until(pilot, lambda: "  ▸ policies/" in screen_text(app))
        await pilot.press("down", "t")
        await until(pilot, lambda: isinstance(app.screen, SourceForm) and field(app, "folder").value == "policies")
        assert field(app, "library").value == "Documents"
        field(app, "exclude").value = "drafts/"
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "1 item taken" in screen_text(app) and "1 left out" in screen_text(app), 20)
        assert graph.state.requests("graph", "delta") == []
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, SourceForm))
        field(app, "name").focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TestReport) and "all is well" in screen_text(app), 20)
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, Plan) and "1 item, 1 to work on" in screen_text(app), 20)
        await pilot.press("s")
        await until(pilot, lambda: app.model.number("queued") == 1)

    run_story(root, story, size=(110, 50))
    assert sources_of(root)["policies"].source_config["library"] == ["Documents"]


def test_folders_of_a_mailbox_are_chosen_from_the_server(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any credential is offered, the folders come from the server, and what was chosen is tried and saved."""
    with ImapServer("me", "canary") as server:
        server.append(b"Projects/one", "one", b"Subject: one\r\n\r\nwords")
        monkeypatch.setenv("MAILBOX", "canary")
        CredentialRegistry(root.parent / "credentials.json").add(
            "box", {"type": "basic", "username": "me", "password": "env:MAILBOX"}
        )

        async def story(app: Any, pilot: Any) -> None:
            await open_form(app, pilot, "mail")
            for name, value in (("host", "127.0.0.1"), ("port", str(server.port)), ("credential", "box")):
                field(app, name).value = value
            field(app, "security").value = "plain"
            field(app, "folder").focus()
            await pilot.press("ctrl+o")
            await until(pilot, lambda: isinstance(app.screen, Places) and len(app.screen.table.rows) == 2, 20)
            await pilot.press("down", "t")
            await until(pilot, lambda: isinstance(app.screen, SourceForm) and field(app, "folder").value == "/Projects")
            field(app, "name").value = "Letters"
            field(app, "name").focus()
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, TestReport) and "all is well" in screen_text(app), 20)

        run_story(root, story, size=(110, 60))
    assert sources_of(root)["letters"].source_config["folder"] == ["/Projects"]


PLUGIN = '''
from typing import Literal
import pydantic
from ingest_tui.connectors.base import BaseConnector
from ingest_tui.model.descriptor import ListingEnd

class Config(pydantic.BaseModel):
    name: str = pydantic.Field(description="a setting whose name is also one of ours")
    mode: Literal["fast", "slow"] | None = None
    depth: int = 3
    tags: tuple[str, ...] = ("x",)
    verify: bool = True
    credential: str | None = None

class Connector(BaseConnector):
    """Shelves of others [/]."""
    source_type = "shelf"
    config_model = Config
    async def authenticate(self): return True
    def list(self, cursor=None):
        return ListingEnd(complete=True)
        yield
    def fetch(self, descriptor, offset=0): raise NotImplementedError
'''


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Packages of others: one that works, and one that cannot be imported."""
    place = tmp_path / "plugins"
    place.mkdir()
    (place / "shelf_plugin.py").write_text(PLUGIN)
    (place / "broken_plugin.py").write_text("raise RuntimeError('no')")
    info = place / "shelf_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shelf-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[ingest_tui.connectors]\nshelf = shelf_plugin:Connector\nbroken = broken_plugin:Connector\n"
    )
    monkeypatch.syspath_prepend(str(place))
    importlib.invalidate_caches()
    yield
    sys.modules.pop("shelf_plugin", None)


def test_types_of_other_packages_have_forms_of_their_own(root: Path, plugin: Any) -> None:
    """Choices, numbers, lists and switches follow from the model; names that clash with ours are kept apart."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2", "a")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        assert "Shelves of others [/]." in screen_text(app)
        names = [name for name, _text in app.screen._options]
        assert "directory" not in names
        await pilot.press(*["down"] * names.index("broken"), "enter")
        await until(pilot, lambda: any("RuntimeError" in notice.message for notice in app._notifications))
        await open_form(app, pilot, "shelf")
        assert isinstance(field(app, "mode"), Choice)
        assert isinstance(field(app, "verify"), Toggle)
        assert (field(app, "depth").value, field(app, "tags").value) == ("3", "x")
        field(app, "config_name").value = "inner name"
        field(app, "name").value = "Outer"
        field(app, "depth").value = "5"
        field(app, "mode").focus()
        await until(pilot, lambda: field(app, "mode").has_focus)
        await pilot.press("right", "right")
        await until(pilot, lambda: field(app, "mode").value == "slow")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TestReport))

    run_story(root, story, size=(100, 50))
    assert sources_of(root)["outer"].source_config == {"name": "inner name", "mode": "slow", "depth": 5}


def test_lists_are_written_between_commas_and_read_back() -> None:
    """What a list holds comes back, commas and quotation marks too."""
    for parts in ([], ["a"], ["a", "b c"], ["a,b", 'say "x"', "c"], ["*.md", "!draft.md"]):
        assert as_list(as_text(parts)) == parts
    assert as_text(None) == ""


@pytest.mark.parametrize("size", [(30, 8), (60, 15), (80, 24), (200, 60)])
def test_a_form_lives_through_any_size(root: Path, folder: Path, size: tuple[int, int]) -> None:
    """Resized while it is open, it keeps what was entered and its keys."""

    async def story(app: Any, pilot: Any) -> None:
        await open_form(app, pilot)
        field(app, "path").value = str(folder)
        await pilot.resize_terminal(*size)
        await pilot.pause()
        await pilot.press("tab", "tab", "space", "shift+tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, TestReport))

    run_story(root, story)
    assert sources_of(root)["handbook"].watch


def test_enter_right_behind_a_key_saves_once(root: Path, folder: Path) -> None:
    """The look that a key has asked for does not void the one that saving waits for, however slow a look is."""

    client = Client(root)
    problems = client.sources.problems
    keys_are_pressed = threading.Event()

    def slow_problems(draft: Any) -> dict[str, str]:
        assert keys_are_pressed.wait(20)
        return problems(draft)

    client.sources.problems = slow_problems

    async def story(app: Any, pilot: Any) -> None:
        await open_form(app, pilot)
        field(app, "path").value = str(folder)
        await pilot.press("enter", "enter")
        keys_are_pressed.set()
        await until(pilot, lambda: isinstance(app.screen, TestReport))

    run_story(root, story, client=client)
    assert list(sources_of(root)) == ["handbook"]


def test_tab_goes_from_field_to_field_and_ends_at_the_buttons(root: Path) -> None:
    """No stop on the way at what only a mouse needs."""

    async def story(app: Any, pilot: Any) -> None:
        form = await open_form(app, pilot)
        visited = [app.focused.id]
        for _ in range(len(form.form.fields) + 3 if form.form else 0):
            await pilot.press("tab")
            visited.append(app.focused.id)
        assert visited[0] == "field-path"
        assert all(name.startswith("field-") for name in visited[:-4])
        assert visited[-4:] == ["button-save", "button-test", "button-preview", "button-cancel"]

    run_story(root, story)
