"""Workspaces are never sources, and documents are read the same way from scripts."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ingest_tui import get_connector, open_workspace
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import ItemError, ValidationError

EXAMPLES = Path(__file__).parents[4] / "examples" / "documents"


def test_workspace_inside_a_source_is_left_out(tmp_path: Path) -> None:
    """A source that holds its own workspace takes its documents and stays the same from sync to sync."""
    (tmp_path / "note.md").write_text("a note")
    with open_workspace(tmp_path / "workspace") as workspace:
        workspace.add_source("here", path=str(tmp_path))
        first, second = workspace.sync("here"), workspace.sync("here")
        assert (first.counters.descriptors_listed, second.counters.descriptors_listed) == (1, 1)
        with pytest.raises(ValidationError, match="is a workspace"):
            workspace.add_source("itself", path=str(tmp_path / "workspace"))
    connector = get_connector("local", {"path": str(tmp_path)})
    assert "workspace" in (connector.explain_left_out("workspace/workspace.json") or "")


def test_load_documents_reads_office_files_too() -> None:
    """Scripts that load documents inside an event loop get what a sync gets, Office files included."""

    async def names() -> set[str]:
        connector = get_connector("local", {"path": str(EXAMPLES)})
        return {document.metadata["file_name"] async for document in connector.load_documents()}

    loaded = asyncio.run(names())
    assert {"maintenance.docx", "training.pptx", "glossary.rtf", "readme.txt", "barometer.pdf"} <= loaded


def test_load_documents_reads_nothing_outside_its_folder(tmp_path: Path) -> None:
    """A file that was replaced by a link out of the folder after the listing is not read, links followed or not."""
    folder = tmp_path / "docs"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("SECRET")
    (folder / "a.txt").symlink_to(tmp_path / "secret.txt")
    for follow in (False, True):
        connector = get_connector("local", {"path": str(folder), "follow_symlinks": follow})
        with pytest.raises(ItemError):
            asyncio.run(connector.read(Descriptor("a.txt", "file:///a.txt", "1")))
