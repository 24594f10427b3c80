"""Lists of documents by what somebody names."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_tui.model.errors import NotFoundError, ValidationError
from ingest_tui.services.documents.documents import list_documents
from ingest_tui.store.workspace import init_workspace


@pytest.mark.parametrize("name", ["a\udcffb", "né", "\x00", "nobody"])
def test_a_source_that_cannot_be_is_none(tmp_path: Path, name: str) -> None:
    """Words that are no text, and names that nobody has, are refused as sources, never an error of the catalogue."""
    workspace, _ = init_workspace(tmp_path / "ws")
    with pytest.raises((NotFoundError, ValidationError)):
        list_documents(workspace, source_id=name)
    workspace.close()
