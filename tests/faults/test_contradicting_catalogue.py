"""Rows of the catalogue that somebody removed or changed by hand: a clear message, or the rebuild, and nothing lost."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from ingest_tui.cli.main import run
from ingest_tui.model.errors import StoreError
from ingest_tui.model.job import JobState
from ingest_tui.services.client import Client
from ingest_tui.services.documents.documents import remove_documents
from ingest_tui.store.catalogue.contradictions import contradiction_in
from ingest_tui.store.catalogue.queries import search_text
from ingest_tui.store.verify import verify_store
from ingest_tui.store.workspace import open_workspace_at
from tests.faults.crash_lab import new_workspace, quicken, sync

pytestmark = pytest.mark.slow

ALPHA = "document_id = (SELECT document_id FROM documents WHERE key = 'alpha.md')"
NEW_NAME = "(SELECT document_id FROM documents WHERE key = 'gamma.md')"
SOME = {
    "all documents removed": "DELETE FROM documents",
    "a document removed": f"DELETE FROM documents WHERE {ALPHA}",
    "its versions removed": f"DELETE FROM versions WHERE {ALPHA}",
    "its chunks removed": f"DELETE FROM chunks WHERE {ALPHA}",
    "an unknown state": f"UPDATE documents SET state = 'zombie' WHERE {ALPHA}",
    "an address that is no text": f"UPDATE locations SET uri = x'ff00' WHERE {ALPHA}",
    "nothing known of itself": "DELETE FROM meta",
    "a table dropped": "DROP TABLE versions",
}
MORE = {
    "a changed document removed": f"DELETE FROM documents WHERE document_id = {NEW_NAME}",
    "a retired document removed": "DELETE FROM documents WHERE state = 'retired'",
    "all versions removed": "DELETE FROM versions",
    "places removed": f"DELETE FROM locations WHERE {ALPHA}",
    "all places removed": "DELETE FROM locations",
    "all chunks removed": "DELETE FROM chunks",
    "full text removed": "DELETE FROM words_docsize",
    "a state that is no text": f"UPDATE documents SET state = x'00' WHERE {ALPHA}",
    "a version that is text": f"UPDATE documents SET version = 'x' WHERE {ALPHA}",
    "a version that is none": f"UPDATE documents SET version = 99 WHERE {ALPHA}",
    "a key that is no text": f"UPDATE locations SET key = x'ff00' WHERE key = 'alpha.md' AND {ALPHA}",
    "an outcome that is no text": f"UPDATE locations SET outcome = x'01' WHERE {ALPHA}",
    "sizes that are text": f"UPDATE locations SET size = 'big', modified_ns = 'then', version = 'v' WHERE {ALPHA}",
    "fingerprints that are no text": "UPDATE locations SET fingerprint = x'01'",
    "times that are no text": "UPDATE documents SET created_at = 'x', updated_at = x'01'",
    "hashes that are no text": "UPDATE documents SET raw_sha256 = x'01', content_hash = x'02'",
    "a collection that cannot be": f"UPDATE documents SET collection_id = 'no/where' WHERE {ALPHA}",
    "another collection": f"UPDATE documents SET collection_id = 'other' WHERE {ALPHA}",
    "an id that leads elsewhere": f"UPDATE documents SET document_id = '../../x' WHERE {ALPHA}",
    "a source that is none": f"UPDATE documents SET source_id = '../x', key = x'00' WHERE {ALPHA}",
    "chunks that are no text": "UPDATE chunks SET text = x'ff', heading = x'ff'",
    "a removal that is no text": "UPDATE locations SET removed_sha256 = x'01' WHERE removed_sha256 <> ''",
    "numbers that are text": "UPDATE documents SET bytes = 'many', chunks = 'few'",
    "a title that is no text": "UPDATE documents SET title = x'ff', media_type = x'fd'",
    "numbers of itself that are none": "UPDATE meta SET value = 'x'",
    "the full text dropped": "DROP TABLE words",
    "a column dropped": "ALTER TABLE locations DROP COLUMN parsers",
}
CASES = [*SOME.items(), *(pytest.param(*case, marks=pytest.mark.slow) for case in MORE.items())]
BY_HAND = pytest.mark.parametrize(("name", "sql"), CASES, ids=[*SOME, *MORE])
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("search", "weather"),
    ("doc", "list"),
    ("doc", "show", "ALPHA"),
    ("doc", "explain", "ALPHA"),
    ("doc", "text", "ALPHA"),
    ("doc", "remove", "ALPHA", "--yes"),
    ("doc", "restore", "EPSILON"),
    ("source", "remove", "docs", "--yes"),
    ("source", "remove", "docs", "--keep-documents", "--yes"),
    ("trash", "list"),
    ("trash", "empty", "--yes"),
    ("plan", "docs"),
    ("sync", "docs"),
    ("sync", "docs", "--force"),
    ("doctor",),
)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace with five documents, one of them in the trash, and a source that has changed since."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        quicken(monkeypatch)
        base = tmp_path_factory.mktemp("contradicting")
        folder = base / "source"
        workspace = new_workspace(base / "prepared", folder)
        for name in ("alpha", "beta", "gamma", "delta", "epsilon"):
            (folder / f"{name}.md").write_text(f"# {name}\n\nThe weather in {name}.\n")
        sync(workspace)
        shutil.copy(folder / "alpha.md", folder / "alpha-again.md")
        sync(workspace)
        rows = workspace.catalogue.execute("SELECT document_id FROM documents WHERE key = 'epsilon.md'")
        remove_documents(workspace, [rows[0][0]])
        (folder / "gamma.md").write_text("# gamma\n\nThe weather in gamma has changed.\n")
        (folder / "delta.md").rename(folder / "delta-moved.md")
        assert contradiction_in(workspace.catalogue) == ""
        workspace.close()
        yield base / "prepared"


def _damaged(prepared: Path, sql: str) -> tuple[Path, dict[str, str]]:
    """Return a copy in which somebody has run a statement, and the ids of the documents by name."""
    root = prepared.with_name("damaged")
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(prepared, root)
    with closing(apsw.Connection(str(root / "catalogue.db"))) as connection:
        found = connection.execute("SELECT key, document_id FROM documents").fetchall()
        connection.execute(sql)
    return root, {str(key).removesuffix(".md").upper(): str(document_id) for key, document_id in found}


@BY_HAND
def test_no_command_fails_without_saying_why(
    prepared: Path, name: str, sql: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command works, or names the rebuild; none ends in an error that nobody expected."""
    del name
    for command in COMMANDS:
        root, ids = _damaged(prepared, sql)
        code = run(["--workspace", str(root), *(ids.get(word, word) for word in command)])
        told = "".join(capsys.readouterr())
        assert "unexpected" not in told, (command, told)
        if code and "is here already" not in told:
            assert "ingest-tui rebuild" in told, (command, told)


def test_the_screen_says_why_too(prepared: Path) -> None:
    """What a screen asks for fails with the reason, and the next call has the catalogue made again."""
    root, ids = _damaged(prepared, MORE["chunks that are no text"])
    client = Client(root)
    with pytest.raises(StoreError, match="contradicts itself") as caught:
        client.documents.search("weather", limit=50)
    assert "rebuild" in caught.value.hint
    assert len(client.documents.search("weather", limit=50)) == len(ids) - 1


@BY_HAND
def test_the_next_syncs_put_it_right(prepared: Path, name: str, sql: str) -> None:
    """After at most one failure with a reason a sync succeeds, all agrees, and every document is found."""
    root, _ids = _damaged(prepared, sql)
    assert run(["--workspace", str(root), "doctor"]) == 1 or "places removed" in name
    workspace = open_workspace_at(root)
    if sync(workspace).state is not JobState.SUCCEEDED:
        workspace.close()
        workspace = open_workspace_at(root)
        assert sync(workspace).state is JobState.SUCCEEDED
    run(["--workspace", str(root), "rebuild"])
    assert contradiction_in(workspace.catalogue) == ""
    assert verify_store(workspace.layout, workspace.catalogue, deep=True) == []
    assert len(search_text(workspace.catalogue, "weather")) == 4
    workspace.close()
