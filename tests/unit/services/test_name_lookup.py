"""Names that name nothing, or may not be used, are answered with what is true of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_tui.model.errors import NotFoundError, UsageError, ValidationError
from ingest_tui.services.damage import find_damage
from ingest_tui.services.name_lookup import source_id_of
from ingest_tui.services.sources.sources import add_source, edit_source
from ingest_tui.store.workspace import Workspace, init_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return a workspace with one source, docs-a."""
    (tmp_path / "docs").mkdir()
    workspace, _ = init_workspace(tmp_path / "ws")
    add_source(workspace, source_type="local", name="docs-a", config={"path": str(tmp_path / "docs")})
    return workspace


def test_name_in_other_letters_finds_nothing_and_names_the_source(workspace: Workspace) -> None:
    """A name that only looks like that of a source means none, and the answer names the one there is."""
    with pytest.raises(NotFoundError, match="no source 'DOCS-A'") as caught:
        source_id_of(workspace, "DOCS-A")
    assert "docs-a" in caught.value.hint


@pytest.mark.parametrize("name", ["upload", "kept-documents"])
def test_reserved_name_is_called_that(workspace: Workspace, tmp_path: Path, name: str) -> None:
    """A name of the program's own is refused as reserved, not as that of a source that could be edited."""
    with pytest.raises(UsageError, match="reserved") as caught:
        add_source(workspace, source_type="local", name=name, config={"path": str(tmp_path / "docs")})
    assert "source edit" not in caught.value.hint


def test_number_too_large_is_called_that(workspace: Workspace) -> None:
    """A setting beyond what a record can hold is refused as a number, not as a name."""
    with pytest.raises(ValidationError, match="number"):
        edit_source(workspace, "docs-a", hold_items=99999999999999999999999)


def test_kept_documents_are_no_damage(workspace: Workspace) -> None:
    """Documents that stay when their source is removed belong to no source that has lost its file."""
    with workspace.catalogue.connection as connection:
        connection.execute(
            "INSERT INTO documents (document_id, collection_id, source_id, source_type, uri, key, title, file_name,"
            " media_type, version, raw_sha256, content_hash, bytes, chunks, backend, state, created_at, updated_at,"
            " job_id) VALUES ('d', 'default', 'kept-documents', 'local', 'u', 'k', 't', 'f', 'm', 1, 'r', 'c', 1, 1,"
            " 'b', 'active', 'x', 'x', 'j')"
        )
    assert [damage for damage in find_damage(workspace) if damage.name.startswith("source")] == []
