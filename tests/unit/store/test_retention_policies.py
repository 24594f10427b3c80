"""Which retention is in force for a document, and what is read to know it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ingest_tui.model.preference_overrides import PreferenceOverrides
from ingest_tui.model.source import UPLOAD_SOURCE, Source
from ingest_tui.store import retention_policies
from ingest_tui.store.document_preferences import document_preferences
from ingest_tui.store.retention_policies import RetentionPolicies
from ingest_tui.store.workspace import init_workspace
from tests.unit.store.catalogue_rows import document


def test_the_records_of_a_source_are_read_once_for_all_its_documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many documents have several versions; an upload alone has its own choice in the record of each."""
    workspace = init_workspace(tmp_path / "ws")[0]
    for name, number in (("notes", 2), ("letters", 5), ("plain", None)):
        overrides = PreferenceOverrides(keep_versions=number)
        workspace.sources.add(
            Source(source_id=name, name=name, source_type="local", source_config={}, overrides=overrides)
        )
    policies = RetentionPolicies(workspace)
    read: list[str] = []

    def counting(*given: Any) -> Any:
        read.append(given[2])
        return document_preferences(*given)

    monkeypatch.setattr(retention_policies, "document_preferences", counting)
    monkeypatch.setattr(workspace.document_store, "ingestion", lambda _folder: {"overrides": {"keep_versions": 7}})
    sources = ["notes", "letters", "plain", "notes", UPLOAD_SOURCE, UPLOAD_SOURCE, "notes", "plain"]
    found = [
        policies.of_document(document(f"{number:032x}", source_id=source, version=2))
        for number, source in enumerate(sources)
    ]
    kept = [None if policy is None else policy.keep_versions for policy in found]
    assert kept == [2, 5, policies.usual.keep_versions, 2, 7, 7, 2, policies.usual.keep_versions]
    assert read == ["notes", "letters", UPLOAD_SOURCE, UPLOAD_SOURCE]
    workspace.close()
