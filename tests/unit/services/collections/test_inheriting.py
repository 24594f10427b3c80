"""What sources and searches take from the preferences of their collection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui import open_workspace
from ingest_tui.model.errors import ValidationError
from ingest_tui.pipeline.connecting import with_preferences
from ingest_tui.pipeline.job.ocr import ocr_of
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.collections.preferences import plan_preferences, save_preferences
from ingest_tui.services.documents.search_modes import _preferred
from ingest_tui.services.jobs.plan_preview import plan_source
from ingest_tui.services.sources.sources import edit_source


@pytest.fixture
def handle(tmp_path: Path) -> Iterator[WorkspaceHandle]:
    """A workspace with a source of one file in the default collection."""
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "rain.txt").write_text("it rained")
    with open_workspace(tmp_path / "workspace") as opened:
        opened.add_source("docs", path=str(folder))
        yield opened


def choose(handle: WorkspaceHandle, **values: object) -> None:
    save_preferences(handle.workspace, plan_preferences(handle.workspace, "default", values))


def test_a_source_inherits_ocr_and_may_say_otherwise(handle: WorkspaceHandle) -> None:
    """The source says first, then its collection, then the workspace; its record stays as it is."""
    workspace = handle.workspace
    choose(handle, ocr="auto", ocr_languages="deu+eng")

    source = with_preferences(workspace, workspace.sources.get("docs"))
    request = ocr_of(source, workspace.settings)

    assert (request.mode, request.languages, request.engine) == ("auto", ("deu", "eng"), "tesseract")
    edit_source(workspace, "docs", ocr="never")
    source = with_preferences(workspace, workspace.sources.get("docs"))
    assert ocr_of(source, workspace.settings).mode == "never"
    assert workspace.sources.get("docs").ocr_languages == ""
    with pytest.raises(ValidationError, match="ocr_languages"):
        choose(handle, ocr_languages="no language!")


def test_what_was_synced_by_preferences_is_planned_as_unchanged(handle: WorkspaceHandle) -> None:
    """A plan, and so a watch, follows the same preferences as the sync before: it finds nothing to do."""
    choose(handle, ocr_languages="deu", ocr_engine="tesseract", ocr="auto")
    assert handle.sync("docs").state == "succeeded"

    assert [line.action for line in plan_source(handle.workspace, "docs")] == ["skip"]


def test_a_search_of_one_collection_is_by_its_mode(handle: WorkspaceHandle) -> None:
    """By words where that was chosen; by vectors only where there can be some; over all collections nobody prefers."""
    handle.sync("docs")
    choose(handle, search_mode="text")
    assert _preferred(handle.workspace, {"collection_id": "default"}) == "text"
    assert _preferred(handle.workspace, {}) is None
    choose(handle, search_mode="vector")
    assert _preferred(handle.workspace, {"collection_id": "default"}) is None
    assert len(handle.search("rained", collection_id="default")) == 1
