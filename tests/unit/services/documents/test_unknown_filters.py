"""Filters of a query that find nothing: those that are reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_tui.services.documents.search import search, unknown_filters
from ingest_tui.store.workspace import Workspace, init_workspace
from tests.unit.store.catalogue_rows import document, put


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with a page of Markdown, and a PDF in the trash."""
    workspace, _ = init_workspace(tmp_path / "ws")
    put(workspace.catalogue, document("page"), "rain")
    put(workspace.catalogue, document("gone", state="retired", media_type="application/pdf", file_name="a.pdf"), "rain")
    return workspace


@pytest.mark.parametrize(
    ("value", "is_known"),
    [
        ("md", True),
        (".MD", True),
        ("m*", True),
        ("text/*", True),
        ("text/", True),
        ("*/mark*", True),
        ("markdown", True),
        ("pdf", False),
        ("application/*", False),
        ("nothing*", False),
    ],
)
def test_a_type_is_unknown_where_it_finds_nothing(workspace: Workspace, value: str, is_known: bool) -> None:
    """Whatever formats there are, and with the patterns that a filter may have; what is excluded is named alike."""
    assert bool(search(workspace, f"rain type:{value}")) is is_known
    for sign in ("", "-"):
        found = [(one.field, one.value) for one in unknown_filters(workspace, f"rain {sign}type:{value}")]
        assert found == ([] if is_known else [("type", value)])
