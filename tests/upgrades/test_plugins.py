"""Connectors that other people wrote for 0.1.0 go on working: by the import paths and the contract of that time."""

from __future__ import annotations

import sqlite3
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from ingest_tui import open_workspace
from ingest_tui.connectors import registry

CONNECTOR = Path(__file__).with_name("table_connector_0_1_0.txt")
"""The connector that docs/connectors.md showed in 0.1.0, unchanged."""


def test_the_connector_of_the_manual_of_0_1_0_syncs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Imported by the paths that the page named, it is added, tested, synced and follows what changes."""
    (tmp_path / "table_of_0_1_0.py").write_bytes(CONNECTOR.read_bytes())
    monkeypatch.syspath_prepend(str(tmp_path))
    point = EntryPoint("table", "table_of_0_1_0:TableConnector", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda *, group: [point] if group == point.group else [])
    database = sqlite3.connect(tmp_path / "corpus.db", isolation_level=None)
    database.execute("CREATE TABLE documents (id INTEGER PRIMARY KEY, name TEXT, body BLOB, changed INTEGER)")
    rows = [(number, f"note {number}.md", f"# Note {number}\n\nword{number}".encode(), 1) for number in range(3)]
    database.executemany("INSERT INTO documents VALUES (?, ?, ?, ?)", rows)
    with open_workspace(tmp_path / "ws") as handle:
        handle.add_source("notes", "table", database=str(tmp_path / "corpus.db"))
        assert handle.sync("notes").counters.items_ingested == 3
        database.execute("UPDATE documents SET body = ?, changed = 2 WHERE id = 0", (b"another",))
        database.execute("UPDATE documents SET name = 'other.md' WHERE id = 1")
        database.execute("DELETE FROM documents WHERE id = 2")
        counters = handle.sync("notes").counters
        assert (counters.items_ingested, counters.items_moved, counters.items_retired) == (1, 1, 1)
        assert [hit.uri.rpartition("#")[2] for hit in handle.search("another")] == ["0"]
    database.close()
