"""Settings are tried before they are saved: what is wrong with them, what would be taken, and where to look."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.credentials.credential_registry import CredentialRegistry
from ingest_tui.model.errors import SourceAccessError, UsageError
from ingest_tui.services.jobs.plan_preview import plan_source
from ingest_tui.services.sources import trials
from ingest_tui.services.sources.sources import ABOVE, add_source
from ingest_tui.store.workspace import Workspace, init_workspace
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.servers.s3_store import SECRET, Bucket, error_xml


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return init_workspace(tmp_path / "workspace")[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with four files, one of them in a folder of drafts."""
    folder = tmp_path / "docs"
    (folder / "drafts").mkdir(parents=True)
    for name in ("a.md", "b.txt", "c.pdf", "drafts/d.md"):
        (folder / name).write_text("some words")
    return folder


def draft(name: str = "docs", config: dict[str, Any] | None = None, **common: Any) -> trials.SourceDraft:
    return trials.SourceDraft("local", name, config or {}, common)


def test_problems_are_next_to_the_setting_they_are_about(workspace: Workspace, folder: Path) -> None:
    """All of them at once, in plain words; nothing is saved."""
    found = trials.source_problems(
        workspace,
        draft("", {"exclude": ["["]}, max_size="huge", since="soon", priority=5000, allow_types=["no-such"],
              collection_id="nowhere"),
    )  # fmt: skip
    assert found.keys() == {"name", "path", "max_size", "since", "priority", "allow_types", "collection_id"}
    assert found["name"] == found["path"] == "this is needed"
    assert trials.source_problems(workspace, draft(config={"path": str(folder)})) == {}
    assert "does not exist" in trials.source_problems(workspace, draft(config={"path": str(folder / "x")}))["path"]
    assert "backend" in trials.source_problems(workspace, draft(config={"path": str(folder)}, backend="no-such"))
    assert workspace.sources.all() == []


def test_a_taken_name_is_reported_unless_it_is_the_one_that_is_edited(workspace: Workspace, folder: Path) -> None:
    """A new source needs a name of its own."""
    add_source(workspace, source_type="local", name="Docs", config={"path": str(folder)})
    assert "already there" in trials.source_problems(workspace, draft("docs", {"path": str(folder)}))["name"]
    assert trials.source_problems(workspace, trials.draft_of(workspace, "docs")) == {}


def test_a_missing_credential_is_reported_at_its_field(workspace: Workspace) -> None:
    """The connector's own check says which entry is not there."""
    config = {"bucket": "shelf", "credential": "nobody"}
    problems = trials.source_problems(workspace, trials.SourceDraft("s3", "shelf", config))
    assert problems.keys() == {"credential"}


def test_a_draft_is_tested_without_being_saved(workspace: Workspace, folder: Path) -> None:
    """The steps are those of a saved source."""
    steps = list(trials.test_draft(workspace, draft(config={"path": str(folder)})))
    assert [(step.name, step.ok) for step in steps] == [("reach", True), ("list", True), ("read", True)]
    with pytest.raises(Exception, match="priority"):
        list(trials.test_draft(workspace, draft(config={"path": str(folder)}, priority=-1)))


def test_a_preview_shows_what_is_taken_and_what_is_left_out(workspace: Workspace, folder: Path) -> None:
    """Types, size and patterns each give their reason, and a limit holds for both parts."""
    (folder / "big.md").write_text("x" * 2000)
    config = {"path": str(folder), "exclude": ["drafts/", "b.*"]}
    items = list(trials.preview_draft(workspace, draft(config=config, deny_types=["pdf"], max_size=1000)))
    told = {item.key: (item.taken, item.reason) for item in items}
    assert told == {
        "a.md": (True, ""),
        "big.md": (False, "too_large"),
        "c.pdf": (False, "type_not_allowed"),
        "b.txt": (False, "left_out"),
        "drafts/d.md": (False, "left_out"),
    }
    assert next(item.detail for item in items if item.key == "drafts/d.md") == "its folder drafts is excluded"
    assert len(list(trials.preview_draft(workspace, draft(config=config), limit=1))) == 2


def test_a_preview_of_what_cannot_be_listed_is_an_error(workspace: Workspace, folder: Path) -> None:
    """As in a sync."""
    with pytest.raises(SourceAccessError):
        list(trials.preview_draft(workspace, draft(config={"path": str(folder / "nowhere")})))


@pytest.fixture
def closed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, in which one cannot be read; by a patch, because root reads all."""
    genuine = os.scandir

    def scandir(path: bytes | int) -> object:
        if not isinstance(path, int) and os.fsencode(path).endswith(b"/drafts"):
            raise PermissionError(13, "Permission denied")
        return genuine(path)

    monkeypatch.setattr("ingest_tui.connectors.local.connector.os.scandir", scandir)
    return folder


def test_an_unreadable_folder_is_not_hidden(workspace: Workspace, closed: Path) -> None:
    """Test, preview and plan each name the folder that no sync could look into; the rest is shown as usual."""
    config = {"path": str(closed)}
    steps = {step.name: step for step in trials.test_draft(workspace, draft(config=config))}
    assert [(name, step.ok) for name, step in steps.items()] == [
        ("reach", True), ("list", True), ("gaps", False), ("read", True),
    ]  # fmt: skip
    assert "drafts: Permission denied" in steps["gaps"].message
    assert "--exclude" in steps["gaps"].hint
    items = {item.key: item for item in trials.preview_draft(workspace, draft(config=config))}
    assert {key for key, item in items.items() if item.taken} == {"a.md", "b.txt", "c.pdf"}
    assert (items["drafts"].reason, items["drafts"].taken) == ("not_looked_into", False)
    assert "Permission denied" in items["drafts"].detail
    add_source(workspace, source_type="local", name="docs", config=config)
    planned = [(action.action, action.key) for action in plan_source(workspace, "docs")]
    assert planned == [("gap", "drafts"), ("ingest", "a.md"), ("ingest", "b.txt"), ("ingest", "c.pdf")]


def test_gaps_are_found_beyond_what_is_shown(workspace: Workspace, closed: Path) -> None:
    """However few items a preview shows, a place that cannot be read is among them."""
    items = list(trials.preview_draft(workspace, draft(config={"path": str(closed)}), limit=1))
    assert [item.reason for item in items] == ["", "not_looked_into"]


def test_folders_are_chosen_by_absolute_path(workspace: Workspace, folder: Path, monkeypatch: Any) -> None:
    """From the typed folder or from home, up and down; what is chosen becomes the path."""
    places = list(trials.browse_for_settings(workspace, "local", {"path": str(folder)}))
    assert [(place.name, place.kind) for place in places[:2]] == [(ABOVE, "folder"), ("drafts", "folder")]
    assert places[0].path == str(folder.parent)
    [_, inner] = trials.browse_for_settings(workspace, "local", {}, places[1].path)
    assert inner.path == str(folder / "drafts" / "d.md")
    assert trials.settings_of_place("local", {}, places[1].path) == {"path": str(folder / "drafts")}
    monkeypatch.setenv("HOME", str(folder))
    assert {place.name for place in trials.browse_for_settings(workspace, "local", {})} >= {"a.md", "drafts"}
    assert ABOVE not in {place.name for place in trials.browse_for_settings(workspace, "local", {"path": "/"})}


def test_buckets_and_then_their_folders_are_chosen(
    workspace: Workspace, moto_port: int, moto_proxy: FaultProxy
) -> None:
    """Without a bucket the store is asked for all; a place in one fills bucket and prefix."""
    bucket = Bucket(moto_port, moto_proxy)
    bucket.put("handbook/a.md", b"words")
    keys = {"type": "aws", "access_key_id": "AKIATEST", "secret_access_key": SECRET}
    CredentialRegistry(workspace.credentials_path).add("store", keys)
    config = {"endpoint_url": bucket.proxy.url, "credential": "store"}
    names = [place.path for place in trials.browse_for_settings(workspace, "s3", config)]
    assert bucket.name in names
    [folder] = trials.browse_for_settings(workspace, "s3", config, bucket.name)
    assert (folder.name, folder.path) == ("handbook", f"{bucket.name}/handbook/")
    chosen = trials.settings_of_place("s3", config, folder.path)
    assert chosen == {"bucket": bucket.name, "prefix": "handbook/"}
    [file] = trials.browse_for_settings(workspace, "s3", config, folder.path)
    assert file.name == "a.md"
    [again] = trials.browse_for_settings(workspace, "s3", config | {"bucket": bucket.name, "prefix": "other/"})
    assert trials.settings_of_place("s3", {"bucket": bucket.name}, again.path) == chosen


def test_a_store_that_does_not_list_its_buckets_says_what_to_do(workspace: Workspace, moto_proxy: FaultProxy) -> None:
    """Many credentials may read a bucket and not list all of them; other answers are no list of buckets."""
    config = {"endpoint_url": moto_proxy.url, "anonymous": True}
    refusal = moto_proxy.add(Fault(status=403, body=error_xml("AccessDenied")))
    with pytest.raises(SourceAccessError, match="list the buckets") as caught:
        list(trials.browse_for_settings(workspace, "s3", config))
    assert "type the name" in caught.value.hint
    moto_proxy.remove(refusal)
    moto_proxy.add(Fault(status=200, body=b"<html/>"))
    with pytest.raises(SourceAccessError, match="no list of buckets"):
        list(trials.browse_for_settings(workspace, "s3", config))


def test_browsing_with_settings_that_miss_something_is_reported(workspace: Workspace) -> None:
    """A site has to be named before its libraries can be shown."""
    with pytest.raises(Exception, match="site"):
        list(trials.browse_for_settings(workspace, "sharepoint", {}))
    with pytest.raises(UsageError):
        list(trials.browse_for_settings(workspace, "s3", {"endpoint_url": "nonsense"}))
