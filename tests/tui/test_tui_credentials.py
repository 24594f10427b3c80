"""The Credentials view: what is shown, the forms, tests, rotation and removal; and that no secret reaches a screen."""

from __future__ import annotations

import json
import stat
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from ingest_tui.credentials.credential_registry import CredentialRegistry
from ingest_tui.model.source import Source
from ingest_tui.services.client import Client
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.tui.dialogs.dialogs import Choose, Confirm
from ingest_tui.tui.dialogs.report import LinesReport, TestReport
from ingest_tui.tui.views.credentials.credential_form_screen import AddCredential, CredentialForm
from ingest_tui.tui.views.credentials.credentials_screen import CredentialsScreen
from tests.identity_server import Answer, IdentityServer
from tests.tui.stories import HOSTILE_NAMES, at_rest, run_story, said, screen_text, until

pytestmark = pytest.mark.slow

SECRET = "hunter22-canary"


@pytest.fixture
def file(root: Path) -> Path:
    """Where the credentials of the workspace are."""
    return root.parent / "credentials.json"


def add(file: Path, name: str = "wiki", *, days: int | None = None, **fields: str) -> None:
    """Put an entry into the file; ``days`` from today it ends."""
    entry = {"type": "basic", "username": "reader", "password": "env:WIKI_PASSWORD"} | fields
    if days is not None:
        entry["expires"] = (datetime.now(UTC).date() + timedelta(days=days)).isoformat()
    CredentialRegistry(file).add(name, entry)


def add_user(root: Path, source_id: str, credential: str = "wiki") -> None:
    workspace = open_workspace_at(root)
    config = {"path": "/x", "credential": credential}
    workspace.sources.save(Source(source_id=source_id, name=source_id, source_type="local", source_config=config))
    workspace.close()


def entries(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text())["credentials"])


def field(app: Any, name: str) -> Any:
    return app.screen.query_one(f"#field-{name}")


def told(app: Any, name: str) -> str:
    return str(app.screen.query_one(f"#help-{name}").said)


async def show(app: Any, pilot: Any, number: int) -> None:
    """Go to the view and wait for its rows."""
    await pilot.press("6")
    await until(pilot, lambda: isinstance(app.screen, CredentialsScreen) and len(app.screen.table.rows) == number)


async def form_is_open(app: Any, pilot: Any, kind: type = CredentialForm) -> None:
    await until(pilot, lambda: isinstance(app.screen, kind) and isinstance(app.focused, Input))


def test_an_empty_view_says_what_a_credential_is(root: Path) -> None:
    """And where the file would be."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("6")
        await until(pilot, lambda: "No credentials yet." in screen_text(app))
        await until(pilot, lambda: "credentials.json" in said(app, "hint"))

    run_story(root, story, size=(120, 30))


def test_expiry_counts_down_in_words_and_glyphs(root: Path, file: Path) -> None:
    """What ends first is first when that is asked for; who uses it is named; the hint says what to do."""
    add(file, "calm", days=400)
    add(file, "soon", days=3)
    add(file, "gone", days=-2)
    add(file, "never")
    add_user(root, "handbook", "soon")

    async def story(app: Any, pilot: Any) -> None:
        await show(app, pilot, 4)
        text = screen_text(app)
        for words in ("? in 3 days", "! expired 2 days ago", "+ in 400 days", "handbook"):
            assert words in text
        await pilot.press("o", "down", "enter")
        assert [row.summary.name for row in app.screen.table.rows] == ["gone", "soon", "calm", "never"]
        assert "expired 2 days ago" in said(app, "hint")
        await pilot.press("j")
        assert "R rotates it" in said(app, "hint")
        await pilot.press("slash", *"handbook", "enter")
        assert [row.summary.name for row in app.screen.table.rows] == ["soon"]

    run_story(root, story, size=(100, 30))


def test_a_credential_is_added_with_a_reference_and_tested(root: Path, file: Path, monkeypatch: Any) -> None:
    """Type, fields, what was understood of a secret that nobody sees; the test runs at once."""
    monkeypatch.setenv("WIKI_PASSWORD", SECRET)

    async def story(app: Any, pilot: Any) -> None:
        await show(app, pilot, 0)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, Choose) and "name and password" in screen_text(app))
        names = [name for name, _text in app.screen._options]
        await pilot.press(*["down"] * names.index("basic"), "enter")
        await form_is_open(app, pilot, AddCredential)
        await pilot.press("enter")
        await until(pilot, lambda: told(app, "name") == told(app, "username") == "! this is needed")
        for name, text in (("name", "wiki"), ("username", "reader"), ("password", "env:not a name")):
            field(app, name).focus()
            await pilot.press(*text)
        await until(pilot, lambda: told(app, "password").startswith("! env: takes the name"))
        field(app, "password").value = "env:WIKI_PASSWORD"
        await until(pilot, lambda: told(app, "password") == "taken from env:WIKI_PASSWORD")
        field(app, "expires").value = "next year"
        await until(pilot, lambda: told(app, "expires").startswith("! must be a day"))
        field(app, "expires").value = "2099-12-31"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TestReport) and "all is well" in screen_text(app))
        assert "password" in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen.table.rows) == 1)

    run_story(root, story, size=(100, 40))
    assert entries(file) == {
        "wiki": {"type": "basic", "username": "reader", "password": "env:WIKI_PASSWORD", "expires": "2099-12-31"}
    }
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_literal_is_typed_unseen_and_never_shown_again(root: Path, file: Path) -> None:
    """Not in the form, the list, the detail, the notices, the clipboard, nor by a picture of the screen."""
    seen: list[str] = []
    copied: list[str] = []

    async def story(app: Any, pilot: Any) -> None:
        app.copy_to_clipboard = copied.append
        await show(app, pilot, 0)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        names = [name for name, _text in app.screen._options]
        await pilot.press(*["down"] * names.index("token"), "enter")
        await form_is_open(app, pilot, AddCredential)
        await pilot.press(*"api", "tab", *SECRET)
        await until(pilot, lambda: told(app, "token") == "kept in the credentials file itself")
        await pilot.press("shift+home", "ctrl+c", "ctrl+x")
        assert field(app, "token").value == ""
        await pilot.press(*SECRET)
        seen.extend([screen_text(app), app.export_screenshot()])
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TestReport) and "all is well" in screen_text(app))
        seen.append(screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: "? secret in the file" in screen_text(app))
        for keys in ("enter", "escape R", "escape c", "escape D", "escape y"):
            await pilot.press(*keys.split())
            await at_rest(pilot)
            seen.extend([screen_text(app), app.export_screenshot()])
        seen.extend(notice.message for notice in app._notifications)

    run_story(root, story, size=(160, 48))
    assert entries(file)["api"]["token"] == SECRET
    assert not any(SECRET in text for text in [*seen, *copied])
    assert SECRET not in "".join(json.dumps(entry) for entry in _audit(root))


def _audit(root: Path) -> list[dict[str, Any]]:
    workspace = open_workspace_at(root)
    try:
        return list(workspace.audit.entries())
    finally:
        workspace.close()


def test_rotation_changes_the_secret_and_nothing_else(root: Path, file: Path) -> None:
    """The form asks for secrets alone and says where they are now; what stays empty stays."""
    add(file, days=3)
    add_user(root, "handbook")

    async def story(app: Any, pilot: Any) -> None:
        await show(app, pilot, 1)
        await pilot.press("R")
        await form_is_open(app, pilot)
        assert [one.name for one in app.screen.form.fields] == ["password"]
        assert told(app, "password").startswith("now: env:WIKI_PASSWORD")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, CredentialsScreen))
        await pilot.press("R")
        await form_is_open(app, pilot)
        await pilot.press(*"env:WIKI_NEW", "enter")
        await until(pilot, lambda: isinstance(app.screen, TestReport) and "is not set" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.table.rows[0].summary.fields["password"] == "env:WIKI_NEW")

    before = entries(file) if file.exists() else {}
    run_story(root, story, size=(110, 30))
    assert entries(file)["wiki"] == before["wiki"] | {"password": "env:WIKI_NEW"}
    assert [line["action"] for line in _audit(root)] == ["credential.set"]


def test_another_way_to_sign_in_takes_the_place_of_the_first(root: Path, file: Path) -> None:
    """A certificate in the place of a client secret, in one step: an entry has either."""
    CredentialRegistry(file).add(
        "intranet", {"type": "entra", "tenant_id": "t", "client_id": "c", "client_secret": "env:OLD"}
    )

    async def story(app: Any, pilot: Any) -> None:
        for new, name in (("file:/keys/app.pem", "certificate"), ("env:AGAIN", "client_secret")):
            await pilot.press("6")
            await until(pilot, lambda: isinstance(app.screen, CredentialsScreen) and len(app.screen.table.rows) == 1)
            await pilot.press("R")
            await form_is_open(app, pilot)
            field(app, name).focus()
            await pilot.press(*new, "enter")
            await until(pilot, lambda: isinstance(app.screen, TestReport))
            await pilot.press("escape")

    run_story(root, story, size=(110, 30))
    assert entries(file)["intranet"] == {
        "type": "entra", "tenant_id": "t", "client_id": "c", "client_secret": "env:AGAIN"
    }  # fmt: skip


def test_description_expiry_and_plain_fields_are_changed_and_emptied(root: Path, file: Path) -> None:
    """What is emptied is taken out; secrets are not even asked for."""
    add(file, days=3, description="old")

    async def story(app: Any, pilot: Any) -> None:
        await show(app, pilot, 1)
        await pilot.press("c")
        await form_is_open(app, pilot)
        assert not app.screen.query("#field-password")
        field(app, "username").value = "editor"
        field(app, "description").value = "the new one"
        field(app, "expires").value = ""
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, CredentialsScreen))
        await until(pilot, lambda: app.screen.table.rows[0].summary.description == "the new one")

    run_story(root, story)
    assert entries(file)["wiki"] == {
        "type": "basic", "username": "editor", "password": "env:WIKI_PASSWORD", "description": "the new one"
    }  # fmt: skip


def test_what_the_other_side_says_is_reported_step_by_step(root: Path, file: Path) -> None:
    """A sign-in that is refused fails in its step, with what to do, and the secret is in none of them."""
    with IdentityServer() as server:
        CredentialRegistry(file).add(
            "crm",
            {"type": "oauth", "token_url": f"{server.url}/token", "client_id": "c", "client_secret": SECRET},
        )
        refusal = {"error": "invalid_client", "error_description": f"wrong {SECRET}"}
        server.answer = lambda _request: Answer(401, refusal)

        async def story(app: Any, pilot: Any) -> None:
            await show(app, pilot, 1)
            await pilot.press("t")
            await until(pilot, lambda: "it does not work yet" in screen_text(app))
            assert "! failed" in screen_text(app)
            assert SECRET not in screen_text(app)

        run_story(root, story)


def test_removing_a_used_credential_names_the_sources(root: Path, file: Path) -> None:
    """Cancel has the focus; only a second thought removes what sources use."""
    add(file)
    add(file, "free")
    add_user(root, "handbook")

    async def story(app: Any, pilot: Any) -> None:
        await show(app, pilot, 2)
        await pilot.press("asterisk", "D")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        text = screen_text(app)
        assert "wiki: used by handbook" in text
        assert "free: used by no source" in text
        assert "The sources that use it cannot sign in any more." in " ".join(text.replace("│", " ").split())
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, CredentialsScreen))
        assert len(app.screen.table.rows) == 2
        await pilot.press("D", "tab", "enter")
        await until(pilot, lambda: "No credentials yet." in screen_text(app))

    run_story(root, story)
    assert entries(file) == {}


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [("{", 0o600, "cannot be read"), ('{"schema_version": 1, "credentials": {}}', 0o644, "chmod 600")],
)
def test_a_file_that_cannot_be_used_is_reported_with_what_to_do(
    root: Path, file: Path, text: str, mode: int, words: str
) -> None:
    """Damaged, or readable by others: the view says so and keeps running when it is fixed."""
    file.write_text(text)
    file.chmod(mode)

    def replace_file() -> None:
        file.unlink()
        add(file)

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("6")
        await until(pilot, lambda: words in screen_text(app))
        replace_file()
        await pilot.press("r")
        await until(pilot, lambda: len(app.screen.table.rows) == 1)

    run_story(root, story, size=(140, 30))


def test_entries_that_cannot_be_used_show_their_problem_and_no_value(root: Path, file: Path) -> None:
    """Unknown types, misplaced values: the hint says what is wrong, the values stay unseen."""
    file.write_text(json.dumps({"schema_version": 1, "credentials": {
        "odd": {"type": "kerberos", "ticket": SECRET}, "half": {"type": "basic", "username": "x"}, "none": 7,
    }}))  # fmt: skip
    file.chmod(0o600)

    async def story(app: Any, pilot: Any) -> None:
        await show(app, pilot, 3)
        for _ in range(3):
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, LinesReport))
            assert SECRET not in screen_text(app)
            await pilot.press("escape", "j")
            await pilot.pause()
            assert SECRET not in screen_text(app)
        assert "unknown credential type" in said(app, "hint")
        await pilot.press("R")
        await until(pilot, lambda: any("unknown credential type" in one.message for one in app._notifications))

    run_story(root, story, size=(160, 40))


def test_ten_thousand_entries_of_hostile_names(root: Path) -> None:
    """The list is virtual, and no name acts."""
    from ingest_tui.credentials.summary import CredentialSummary
    from ingest_tui.services.credentials.credentials import CredentialRow

    def many_credentials(*, today: date | None = None) -> list[CredentialRow]:
        assert today is None
        return [
            CredentialRow(
                CredentialSummary(f"{HOSTILE_NAMES[number % len(HOSTILE_NAMES)]}{number}", "aws", is_known=True,
                                  fields={"region": HOSTILE_NAMES[number % 7]}),
                number - 5_000, f"in {number} days", (HOSTILE_NAMES[number % 3],),
            )
            for number in range(10_000)
        ]  # fmt: skip

    client = Client(root)
    client.credentials.list = many_credentials

    async def story(app: Any, pilot: Any) -> None:
        await show(app, pilot, 10_000)
        for keys in ("G", "enter", "escape k k", "o down enter", "D"):
            await pilot.press(*keys.split())
            await pilot.pause()
            assert "\x1b" not in screen_text(app)
        await pilot.press("escape", "slash", *"4711", "enter")
        await until(pilot, lambda: len(app.screen.table.rows) == 1)

    run_story(root, story, client=client, size=(160, 40))


def test_a_named_credentials_file_reaches_the_screens(root: Path, tmp_path: Path, monkeypatch: Any) -> None:
    """What the command line was told by --credentials is what the view shows, tests and writes."""
    other = tmp_path / "elsewhere.json"
    add(other, "there")
    monkeypatch.setenv("INGEST_TUI_CREDENTIALS", str(other))

    async def story(app: Any, pilot: Any) -> None:
        await show(app, pilot, 1)
        await until(pilot, lambda: "elsewhere.json" in app.screen.query_one("#credential-detail").plain)
        await pilot.press("D", "tab", "enter")
        await until(pilot, lambda: "No credentials yet." in screen_text(app))

    async def story_of_none(app: Any, pilot: Any) -> None:
        await show(app, pilot, 0)
        await until(pilot, lambda: "elsewhere.json" in said(app, "hint"))

    run_story(root, story, size=(200, 40))
    run_story(root, story_of_none, size=(200, 40))
    assert entries(other) == {}
    assert not (root.parent / "credentials.json").exists()
