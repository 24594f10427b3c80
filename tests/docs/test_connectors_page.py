"""The connector that docs/connectors.md shows is taken from the page, installed and used."""

from __future__ import annotations

import importlib
import os
import re
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui import get_connector, open_workspace
from ingest_tui.connectors.base import BaseConnector
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import ItemError, SourceAccessError
from ingest_tui.model.source import Source
from ingest_tui.services.api import WorkspaceHandle

PAGE = Path(__file__).parents[2] / "docs" / "connectors.md"


def block(language: str) -> str:
    """Return the page's one block of code in a language."""
    [code] = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return str(code)


def install(folder: Path) -> None:
    """Put the page's package into a folder as pip does, which would fetch its build tools."""
    project = tomllib.loads(block("toml"))["project"]
    (folder / "ingest_tui_table.py").write_text(block("python"), encoding="utf-8")
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    lines = [
        line
        for group, points in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in points.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """A table with three documents, and the page's code as an installed package."""
    install(tmp_path)
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


def connector(tmp_path: Path, **options: Any) -> BaseConnector:
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
    database.execute("UPDATE documents SET body = ?, changed = 2 WHERE id = 0", (b"common again",))
    database.execute("UPDATE documents SET name = 'other.md' WHERE id = 1")
    database.execute("DELETE FROM documents WHERE id = 2")
    counters = workspace.sync("notes").counters
    assert (counters.items_ingested, counters.items_moved, counters.items_retired) == (1, 1, 1)
    assert len(workspace.search("again")) == 1


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


@pytest.mark.usefixtures("database")
def test_text_and_null_are_documents_too(tmp_path: Path) -> None:
    """A TEXT column is read as its bytes in UTF-8, with the size that was listed; NULL and no bytes are empty."""
    with sqlite3.connect(tmp_path / "corpus.db") as database:
        database.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, name TEXT, body TEXT, changed INTEGER)")
        for number, body in enumerate(("K\u00f6ln \u2600", None, "", 7)):
            database.execute("INSERT INTO notes VALUES (?, ?, ?, 1)", (number, f"{number}.md", body))
    reading = get_connector("table", {"database": str(tmp_path / "corpus.db"), "table": "notes"})
    found = [descriptor for page in reading.list() for descriptor in page.descriptors]
    contents = []
    for descriptor in found:
        with reading.fetch(descriptor) as pieces:
            contents.append(b"".join(pieces))
    assert contents == ["K\u00f6ln \u2600".encode(), b"", b"", b"7"]
    assert [descriptor.size for descriptor in found] == [len(content) for content in contents]


@pytest.mark.usefixtures("database")
def test_relative_path_counts_from_where_it_is_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that was added with a relative path is synced from every other folder."""
    monkeypatch.chdir(tmp_path)
    with open_workspace(tmp_path / "ws") as handle:
        handle.add_source("notes", "table", database="corpus.db")
        monkeypatch.chdir("/")
        assert handle.sync("notes").counters.items_ingested == 3


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("wrong", ["no database", "another table", "nothing"])
def test_wrong_database_is_named(tmp_path: Path, wrong: str) -> None:
    """A file that is no database, lacks the table, or is not there fails the step with what to check."""
    path = tmp_path / "other.db"
    if wrong == "no database":
        path.write_bytes(b"words " * 1000)
    if wrong == "another table":
        sqlite3.connect(path).execute("CREATE TABLE others (id)").connection.close()
    [step] = get_connector("table", {"database": str(path)}).test_steps()
    assert not step.ok
    assert "the table cannot be read" in step.message
    assert "check the path" in step.hint


def test_the_commands_of_the_page_work_as_they_stand(tmp_path: Path) -> None:
    """Whoever follows the page in an empty folder has the document found at the end; only pip is left out."""
    install(tmp_path)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, module in (("python", ""), ("ingest-tui", "-m ingest_tui ")):
        (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {module}"$@"\n')
        (tools / name).chmod(0o755)
    pip, _, commands = block("sh").partition("\n")
    assert pip == "pip install -e ./ingest-tui-table"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("INGEST_TUI")}
    environment |= {"PATH": f"{tools}:{environment['PATH']}", "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        ["sh", "-e"],
        input=commands,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Weather: K\u00f6ln" in done.stdout
