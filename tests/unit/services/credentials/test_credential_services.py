"""What a person can do with credentials: use, expiry, findings of doctor, and rotation that touches no document."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.credentials.credential_registry import CredentialRegistry
from ingest_tui.credentials.summary import countdown
from ingest_tui.model.errors import MissingDependencyError, NotFoundError, RefusedError, UsageError, ValidationError
from ingest_tui.model.source import Source
from ingest_tui.services.credentials import credentials as actions
from ingest_tui.services.sources.sources import add_source
from ingest_tui.services.workspaces import doctor
from ingest_tui.store.workspace import Workspace, init_workspace, open_workspace_at
from tests.identity_server import Answer, IdentityServer

TODAY = date(2026, 11, 21)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with one credential, used by two of its three sources."""
    made, _ = init_workspace(tmp_path / "workspace")
    registry = CredentialRegistry(tmp_path / "credentials.json")
    registry.add("wiki", {"type": "basic", "username": "reader", "password": "env:WIKI", "expires": "2026-12-03"})
    for source_id, config in (("a", {"credential": "wiki"}), ("b", {"credential": "wiki"}), ("c", {})):
        made.sources.save(Source(source_id=source_id, name=source_id, source_type="wiki", source_config=config))
    return made


def audit(workspace: Workspace) -> list[dict[str, Any]]:
    return list(workspace.audit.entries())


@pytest.mark.parametrize(
    ("days", "told"),
    [(12, "in 12 days"), (1, "in 1 day"), (0, "today"), (-1, "expired 1 day ago"), (-3, "expired 3 days ago")],
)
def test_the_countdown_in_words(days: int, told: str) -> None:
    """How long a credential lasts is reported in days, before and after its end."""
    assert countdown(TODAY + timedelta(days=days), TODAY) == told
    assert countdown(None, TODAY) == ""


def test_a_list_shows_use_and_expiry(workspace: Workspace) -> None:
    """Each row has the sources that use it, and the days left."""
    [row] = actions.list_credentials(workspace, today=TODAY)
    assert row.as_dict() == {
        "name": "wiki",
        "type": "basic",
        "description": "",
        "expires": "2026-12-03",
        "days_left": 12,
        "used_by": ["a", "b"],
        "fields": {"username": "reader", "password": "env:WIKI"},
        "literals": [],
        "problem": None,
    }
    assert row.countdown == "in 12 days"


def test_adding_and_changing_leave_audit_lines_with_names_only(workspace: Workspace) -> None:
    """The audit log records which fields were set, never to what."""
    actions.add_credential(
        workspace, "key", type_name="sharepoint", expires=TODAY,
        fields={"tenant_id": "t-value", "client_id": "c-value", "client_secret": "hunter22"},
    )  # fmt: skip
    row = actions.change_credential(workspace, "key", fields={"client_secret": "env:NEW"}, unset=["expires"])
    assert (row.summary.type, row.summary.expires, row.summary.literals) == ("entra", None, ())
    actions.remove_credential(workspace, "key")
    lines = audit(workspace)[-3:]
    assert [(line["action"], line["target"]) for line in lines] == [
        ("credential.add", "key"),
        ("credential.set", "key"),
        ("credential.remove", "key"),
    ]
    assert lines[0]["details"] == {"type": "entra", "fields": ["client_id", "client_secret", "tenant_id"]}
    assert lines[1]["details"] == {"fields": ["client_secret", "expires"]}
    assert "value" not in json.dumps(lines)
    assert "hunter22" not in json.dumps(lines)


def test_what_cannot_be_set_is_refused(workspace: Workspace) -> None:
    """Unknown types and fields, and a field that is both set and unset, are reported without values."""
    with pytest.raises(UsageError, match="unknown credential type 'kerberos'"):
        actions.add_credential(workspace, "x", type_name="kerberos", fields={})
    with pytest.raises(ValidationError, match="a credential of type basic has no field 'pasword'") as caught:
        actions.change_credential(workspace, "wiki", fields={"pasword": "hunter22"})
    assert "password" in caught.value.hint
    with pytest.raises(UsageError):
        actions.change_credential(workspace, "wiki", fields={"username": "x"}, unset=["username"])


def test_a_credential_in_use_is_not_removed(workspace: Workspace) -> None:
    """Removing is refused with the sources that use it, unless forced; an unknown one is not found."""
    with pytest.raises(RefusedError, match="used by a, b") as caught:
        actions.remove_credential(workspace, "wiki")
    assert caught.value.context["source_ids"] == ["a", "b"]
    actions.remove_credential(workspace, "wiki", force=True)
    with pytest.raises(NotFoundError):
        actions.remove_credential(workspace, "wiki")


def test_trying_a_credential_goes_step_by_step(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry, each secret, and for a type without a sign-in of its own the connector that finds out."""
    steps = list(actions.test_credential(workspace, "wiki"))
    assert [(step.name, step.ok) for step in steps] == [("entry", True), ("password", False)]
    assert "env:WIKI is not set" in steps[1].message
    monkeypatch.setenv("WIKI", "hunter22")
    steps = list(actions.test_credential(workspace, "wiki"))
    assert [(step.name, step.ok) for step in steps] == [("entry", True), ("password", True), ("sign-in", True)]
    assert "source test a" in steps[2].message
    assert "hunter22" not in repr(steps)
    with pytest.raises(NotFoundError):
        list(actions.test_credential(workspace, "nobody"))


def test_an_entry_that_cannot_be_used_fails_its_first_step(workspace: Workspace) -> None:
    """A broken entry and one of an unknown type fail the step entry, with the reason."""
    path = workspace.credentials_path
    content = json.loads(path.read_text())
    content["credentials"] |= {"odd": {"type": "kerberos"}, "half": {"type": "basic"}}
    path.write_text(json.dumps(content))
    for name, told in (("odd", "unknown credential type"), ("half", "username – this is needed")):
        [step] = actions.test_credential(workspace, name)
        assert (step.name, step.ok) == ("entry", False)
        assert told in step.message


def test_a_key_is_tried_as_its_sources_use_it(
    workspace: Workspace, server: IdentityServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each bucket is asked at its endpoint, in its region, by who pays; a permission that is missing is named."""
    monkeypatch.setenv("KEY", "planted secret key")
    fields = {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "env:KEY"}
    actions.add_credential(workspace, "keys", type_name="aws", fields=fields)
    common = {"credential": "keys", "endpoint_url": server.url, "region": "eu-central-1"}
    for name in ("open", "closed", "sealed", "missing"):
        config = common | {"bucket": f"bucket-{name}", "prefix": "x/", "requester_pays": True}
        add_source(workspace, source_type="s3", name=name, config=config)
    listing = (
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated>'
        "<Contents><Key>x/a.pdf</Key><Size>1</Size><ETag>&quot;0cc175b9c0f1b6a831c399e269772661&quot;</ETag>"
        "<LastModified>2026-01-31T00:00:00.000Z</LastModified></Contents></ListBucketResult>"
    )
    answers = {
        "/bucket-open": Answer(body=listing),
        "/bucket-open/x/a.pdf": Answer(body=b"a", headers=(("ETag", '"0cc175b9c0f1b6a831c399e269772661"'),)),
        "/bucket-closed": _refused(403, "AccessDenied"),
        "/bucket-sealed": Answer(body=listing),
        "/bucket-sealed/x/a.pdf": _refused(403, "AccessDenied", "not authorized to perform: kms:Decrypt"),
        "/bucket-missing": _refused(404, "NoSuchBucket"),
    }
    server.answer = lambda request: answers[request.path.partition("?")[0]]
    steps = list(actions.test_credential(workspace, "keys"))
    told = {(step.message.partition(":")[0], step.name): step for step in steps}
    assert told["open", "read"].ok
    assert "s3:ListBucket" in told["closed", "reach"].hint
    assert "kms:Decrypt" in told["sealed", "read"].hint
    assert "no bucket" in told["missing", "reach"].message
    assert [step.ok for step in steps if step.name == "sign-in"] == [True]
    assert {request.method for request in server.requests} == {"GET"}, "a foreign store's key was shown to STS"
    for request in server.requests:
        assert request.headers["x-amz-request-payer"] == "requester"
        assert "/eu-central-1/" in request.headers["Authorization"]
        assert not [name for name in request.headers if "checksum" in name.lower()], "other stores refuse these"


def _refused(status: int, code: str, message: str = "no") -> Answer:
    return Answer(status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>")


def _sign_in_with_trouble(_credential: Any, _uses: Any) -> Any:
    raise RuntimeError("hunter22")


def _sign_in_without_package(_credential: Any, _uses: Any) -> Any:
    raise MissingDependencyError("needs a package", hint="install it")


@pytest.mark.parametrize(
    ("function", "told", "hint"),
    [
        ("_sign_in_with_trouble", "failed unexpectedly (RuntimeError)", "is its package up to date?"),
        ("_sign_in_without_package", "needs a package", "install it"),
    ],
)
def test_trouble_in_a_sign_in_is_a_failed_step(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, function: str, told: str, hint: str
) -> None:
    """Whatever a library raises becomes a failed step without the library's text."""
    from ingest_tui.credentials import types

    declared = types.BUILT_IN[2]
    other = types.CredentialType(
        declared.name, "x", declared.model, declared.secrets, authenticate=f"{__name__}:{function}"
    )
    monkeypatch.setitem(types._BY_NAME, "basic", other)
    monkeypatch.setenv("WIKI", "hunter22")
    last = list(actions.test_credential(workspace, "wiki"))[-1]
    assert (last.ok, last.message, last.hint) == (False, told, hint)


def findings(workspace: Workspace) -> dict[tuple[str, str], str]:
    """Return what doctor says of credentials: messages by level and name."""
    checks = [check for check in doctor(workspace.root) if check.name.startswith("credential")]
    return {(check.level, check.name): f"{check.message} | {check.hint}" for check in checks}


def test_doctor_warns_ahead(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Doctor warns of expiry 30 days ahead, literals, unknown types, unused entries, files open to their group."""
    monkeypatch.setattr(actions, "_today", lambda: TODAY)
    (tmp_path / "token").write_text("x")
    (tmp_path / "token").chmod(0o640)
    content = json.loads(workspace.credentials_path.read_text())
    content["credentials"] |= {
        "old": {"type": "token", "token": "hunter22", "expires": "2026-11-18"},
        "soon": {"type": "token", "token": "env:A", "expires": "2026-12-21"},
        "later": {"type": "token", "token": "env:A", "expires": "2026-12-22"},
        "grouped": {"type": "token", "token": "file:token"},
        "odd": {"type": "kerberos"},
        "gone": {"type": "token", "token": "file:nowhere"},
    }
    workspace.credentials_path.write_text(json.dumps(content))
    for source_id, name in (("a", "wiki"), ("b", "missing"), ("c", "grouped"), ("d", "gone"), ("e", "old"),
                            ("f", "soon"), ("g", "later")):  # fmt: skip
        source = Source(source_id=source_id, name=source_id, source_type="x", source_config={"credential": name})
        workspace.sources.remove(source_id)
        workspace.sources.add(source)
    told = findings(workspace)
    assert "7 entries" in told["ok", "credentials"]
    assert told["warning", "credential wiki"].startswith("expires in 12 days (2026-12-03)")
    assert told["warning", "credential old"].startswith("expired 3 days ago")
    assert told["warning", "credential soon"].startswith("expires in 30 days")
    assert ("warning", "credential later") not in told
    assert told["warning", "credential grouped"].startswith(f"{tmp_path}/token can be read by its group")
    assert told["warning", "credential odd"].startswith("is used by no source")
    assert "No such file" in told["problem", "credential gone"]
    assert told["problem", "credential missing"].startswith("is not there, but used by b")
    messages = [check.message for check in doctor(workspace.root)]
    assert "the secret itself is in the file: token" in messages
    assert "unknown credential type 'kerberos'" in messages
    assert "hunter22" not in "".join(messages)


def test_doctor_reports_a_file_that_others_can_read(workspace: Workspace) -> None:
    """A file with the wrong mode is a problem, with the command that fixes it; no file at all is fine."""
    workspace.credentials_path.chmod(0o644)
    assert "chmod 600" in findings(workspace)["problem", "credentials"]
    workspace.credentials_path.unlink()
    for source_id in ("a", "b"):
        workspace.sources.remove(source_id)
    assert findings(workspace) == {("ok", "credentials"): f"none yet; they would be in {workspace.credentials_path} | "}


def test_where_the_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Next to the workspace by default; INGEST_TUI_CREDENTIALS names another, and what a caller names comes first."""
    monkeypatch.delenv("INGEST_TUI_CREDENTIALS", raising=False)
    root = tmp_path / "workspace"
    init_workspace(root)
    assert open_workspace_at(root).credentials_path == tmp_path / "credentials.json"
    monkeypatch.setenv("INGEST_TUI_CREDENTIALS", str(tmp_path / "other.json"))
    assert open_workspace_at(root).credentials_path == tmp_path / "other.json"
    assert open_workspace_at(root, tmp_path / "third.json").credentials_path == tmp_path / "third.json"


def test_rotation_changes_nothing_that_is_known_of_documents(workspace: Workspace, tmp_path: Path) -> None:
    """Rotating and removing a credential leave every file of the workspace as it is, but for the audit log."""
    from ingest_tui.services.api import WorkspaceHandle

    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("alpha")
    handle = WorkspaceHandle(workspace)
    handle.add_source("docs", path=str(tmp_path / "docs"))
    handle.sync("docs")
    workspace.close()

    def snapshot() -> dict[Path, bytes]:
        kept = ("audit.jsonl", "audit.lock", "audit.head")
        files = (path for path in workspace.root.rglob("*") if path.is_file() and path.name not in kept)
        return {path: path.read_bytes() for path in files}

    before = snapshot()
    actions.change_credential(workspace, "wiki", fields={"password": "env:ANOTHER"}, expires=TODAY)
    actions.remove_credential(workspace, "wiki", force=True)
    assert snapshot() == before
    assert handle.sync("docs").counters.items_skipped_incremental == 1
