"""The connector that docs/connectors.md shows is taken from the page, installed and used."""

from __future__ import annotations

import importlib
import re
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui import get_connector, open_workspace
from ingest_tui.connectors.base import BaseConnector
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import ItemError, SourceAccessError
from ingest_tui.model.source import Source
from ingest_tui.services.api import WorkspaceHandle

PAGE = Path(__file__).parents[2] / "docs" / "connectors.md"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """A table with three documents, and the page's code as an installed package."""
    text = PAGE.read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    [points] = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "ingest_tui_table.py").write_text(code, encoding="utf-8")
    info = tmp_path / "ingest_tui_table-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ingest-tui-table\nVersion: 1.0\n")
    lines = points.replace('[project.entry-points."ingest_tui.connectors"]', "[ingest_tui.connectors]").replace('"', "")
    (info / "entry_points.txt").write_text(lines)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    connection = sqlite3.connect(tmp_path / "corpus.db", isolation_level=None)
    connection.execute("CREATE TABLE documents (id INTEGER PRIMARY KEY, name TEXT, body BLOB, changed INTEGER)")
    for number in range(3):
        connection.execute(
            "INSERT INTO documents VALUES (?, ?, ?, 1)",
            (number, f"note {number}.md", f"# Note {number}\n\ncommon word{number}".encode()),
        )
    yield connection
    connection.close()
    sys.modules.pop("ingest_tui_table", None)


def connector(tmp_path: Path, **options: int) -> BaseConnector:
    """Return the page's connector."""
    return get_connector("table", {"database": str(tmp_path / "corpus.db")}, **options)


@pytest.fixture
def workspace(database: sqlite3.Connection, tmp_path: Path) -> Iterator[WorkspaceHandle]:
    """A workspace with the table as its source."""
    with open_workspace(tmp_path / "ws") as handle:
        config = {"database": str(tmp_path / "corpus.db")}
        handle.workspace.sources.save(
            Source(source_id="notes", name="Notes", source_type="table", source_config=config)
        )
        yield handle


def test_its_documents_are_kept_fresh(workspace: WorkspaceHandle, database: sqlite3.Connection) -> None:
    """A first sync takes all rows in; later ones take what changed, what was renamed and what is gone."""
    assert workspace.sync("notes").counters.items_ingested == 3
    assert workspace.sync("notes").counters.items_skipped_incremental == 3
    database.execute("UPDATE documents SET body = ?, changed = 2 WHERE id = 0", (b"common anew",))
    database.execute("UPDATE documents SET name = 'other.md' WHERE id = 1")
    database.execute("DELETE FROM documents WHERE id = 2")
    counters = workspace.sync("notes").counters
    assert (counters.items_ingested, counters.items_moved, counters.items_retired) == (1, 1, 1)
    assert len(workspace.search("anew")) == 1


def test_it_keeps_the_contract(database: sqlite3.Connection, tmp_path: Path) -> None:
    """Pages with cursors, refusals from the listing, and errors that say what they mean."""
    small = connector(tmp_path, max_size=5)
    small.page_size = 2  # type: ignore[attr-defined]
    pages = list(small.list())
    assert [page.cursor for page in pages] == ["1", "2"]
    assert [descriptor.key for page in small.list("1") for descriptor in page.descriptors] == ["2/note 2.md"]
    assert {descriptor.refusal[0] for page in pages for descriptor in page.descriptors if descriptor.refusal} == {
        "too_large"
    }
    descriptor = pages[0].descriptors[0]
    database.execute("UPDATE documents SET changed = 9 WHERE id = 0")
    with pytest.raises(ItemError, match="changed"), connector(tmp_path).fetch(descriptor):
        pass
    with pytest.raises(ItemError, match="gone"), connector(tmp_path).fetch(Descriptor("77/x", "table:x#77", "f")):
        pass
    (tmp_path / "corpus.db").unlink()
    with pytest.raises(SourceAccessError):
        next(connector(tmp_path).list())
