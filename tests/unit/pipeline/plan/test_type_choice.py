"""Allowed and denied types of a source, through whole jobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui import open_workspace
from ingest_tui.connectors.local.connector import LocalConnector
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.documents.explain import explain
from ingest_tui.services.jobs.jobs import job_items
from ingest_tui.services.jobs.plan_preview import plan_source
from ingest_tui.services.sources.sources import edit_source

PAGE = "<!DOCTYPE html><p>apples"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[WorkspaceHandle]:
    """A workspace with a source of a text, a page, and a page without an extension."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "words.txt").write_text("words")
    (docs / "page.html").write_text(PAGE)
    (docs / "nameless").write_text(PAGE + " again")
    with open_workspace(tmp_path / "ws") as handle:
        handle.add_source("docs", path=str(docs))
        yield handle


def fates(workspace: WorkspaceHandle) -> dict[str, tuple[str, str, str]]:
    """Sync and return key → outcome, reason and phase."""
    manifest = workspace.sync("docs")
    assert manifest.counters.descriptors_listed == manifest.counters.listed_accounted_for
    found = (outcome for outcome, _ in job_items(workspace.workspace, manifest.job_id))
    return {one.key: (one.outcome, one.reason, one.phase) for one in found}


def test_denied_names_are_never_fetched(workspace: WorkspaceHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the extension rules out is rejected from the listing, what only its bytes tell once they are here."""
    edit_source(workspace.workspace, "docs", deny_types=["html"])
    genuine = LocalConnector.fetch
    fetched: list[str] = []

    def noting(self: LocalConnector, descriptor: Descriptor, offset: int = 0) -> object:
        fetched.append(descriptor.key)
        return genuine(self, descriptor, offset)

    monkeypatch.setattr(LocalConnector, "fetch", noting)
    planned = {action.key: (action.action, action.reason) for action in plan_source(workspace.workspace, "docs")}
    assert planned["page.html"] == ("reject", "type_not_allowed")
    assert planned["nameless"] == ("ingest", "new")
    assert fates(workspace) == {
        "words.txt": ("ingested", "new", "commit"),
        "page.html": ("rejected", "type_not_allowed", "list"),
        "nameless": ("rejected", "type_not_allowed", "extract"),
    }
    assert sorted(fetched) == ["nameless", "words.txt"]


@pytest.mark.slow
def test_changing_the_choice_tries_again_what_was_refused(workspace: WorkspaceHandle) -> None:
    """Rejected items are looked at again when the lists change, and only then; what is here stays here."""
    edit_source(workspace.workspace, "docs", allow_types=["text"])
    assert {key for key, fate in fates(workspace).items() if fate[0] == "rejected"} == {"page.html", "nameless"}
    assert fates(workspace)["nameless"][0] == "unchanged"
    edit_source(workspace.workspace, "docs", allow_types=["html"])
    assert fates(workspace) == {
        "words.txt": ("rejected", "type_not_allowed", "list"),
        "page.html": ("ingested", "new", "commit"),
        "nameless": ("ingested", "new", "commit"),
    }
    assert len(workspace.search("words")) == 1


def test_known_bytes_do_not_slip_in(workspace: WorkspaceHandle, tmp_path: Path) -> None:
    """The same page, here from another source already, is no duplicate in a source that takes none."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "copy").write_text(PAGE + " again")
    assert fates(workspace)["nameless"][0] == "ingested"
    workspace.add_source("more", path=str(tmp_path / "more"))
    edit_source(workspace.workspace, "more", deny_types=["html"])
    manifest = workspace.sync("more")
    assert (manifest.counters.items_rejected, manifest.counters.items_duplicate) == (1, 0)


def test_explain_tells_of_the_choice(workspace: WorkspaceHandle, tmp_path: Path) -> None:
    """For what is not here for its type `doc explain` names the type and the command, before and after a sync."""
    edit_source(workspace.workspace, "docs", deny_types=["html"])
    before = explain(workspace.workspace, str(tmp_path / "docs" / "page.html"))
    assert "leaves it out: it is html, and the source takes no html" in before.verdict
    workspace.sync("docs")
    for name in ("page.html", "nameless"):
        after = explain(workspace.workspace, str(tmp_path / "docs" / name))
        assert not after.here
        assert "type_not_allowed: it is html, and the source takes no html" in after.verdict
        assert "--deny-type" in after.hint
