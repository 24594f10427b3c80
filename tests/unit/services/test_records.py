"""Records as texts: read, edited and saved again, or written to a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.model.errors import IngestError, NotFoundError, RefusedError, ValidationError
from ingest_tui.services.record_texts import record_text, save_source_text, write_text
from ingest_tui.services.sources.sources import add_source
from ingest_tui.store.workspace import Workspace, init_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with one source."""
    workspace, _ = init_workspace(tmp_path / "ws")
    (tmp_path / "docs").mkdir()
    config = {"path": str(tmp_path / "docs"), "include": ["*.md"]}
    add_source(workspace, source_type="local", name="Docs", config=config)
    return workspace


def edited(before: str, **changes: Any) -> str:
    """Return a record with other values."""
    return json.dumps(json.loads(before) | changes)


def test_a_source_is_saved_as_it_was_edited(workspace: Workspace) -> None:
    """What was changed is changed, what was taken out is gone, and the audit names the fields."""
    before = record_text(workspace, "source", "docs")
    config = {"path": json.loads(before)["source_config"]["path"]}
    save_source_text(workspace, "docs", edited(before, watch=True, source_config=config), before)
    source = workspace.sources.get("docs")
    assert source.watch
    assert "include" not in source.source_config
    last = list(workspace.audit.entries())[-1]
    assert (last["action"], last["details"]["changed"]) == ("source.edit", ["include", "watch"])


@pytest.mark.parametrize(
    "changes",
    [{"wacth": True}, {"source_id": "other"}, {"source_type": "s3"}, {"priority": -3}, {"source_config": {"path": 3}},
     {"collection_id": "nowhere"}, {"source_config": {}}, {"allow_types": ["nonsense"]}],
)  # fmt: skip
def test_what_is_not_valid_leaves_the_source_alone(workspace: Workspace, changes: dict[str, Any]) -> None:
    """Misspelt fields, another id, and settings that the connector does not take are refused with a reason."""
    before = workspace.sources.get("docs")
    text = record_text(workspace, "source", "docs")
    with pytest.raises(IngestError) as caught:
        save_source_text(workspace, "docs", edited(text, **changes), text)
    assert caught.value.message
    assert workspace.sources.get("docs") == before


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"x"'])
def test_what_is_no_object_is_refused(workspace: Workspace, text: str) -> None:
    """The error says what is wrong with the text."""
    with pytest.raises(ValidationError):
        save_source_text(workspace, "docs", text, record_text(workspace, "source", "docs"))


def test_unknown_records_are_named(workspace: Workspace) -> None:
    """There is no record of what there is not."""
    for kind in ("job", "source", "document"):
        with pytest.raises(NotFoundError):
            record_text(workspace, kind, "20261121-000000-nowhere-aaaa")


def test_a_text_goes_into_a_new_private_file(workspace: Workspace, tmp_path: Path) -> None:
    """Whole, mode 0600, and never over something that is there."""
    place = write_text(workspace, tmp_path / "out.json", "text \udc80\n")
    assert place.read_text() == "text \\udc80\n"
    assert place.stat().st_mode & 0o777 == 0o600
    with pytest.raises(RefusedError):
        write_text(workspace, place, "other")
