"""What a forced sync does with bytes that are known, and what becomes of an item that grows while it is fetched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from ingest_tui import open_workspace
from ingest_tui.connectors.local.connector import LocalConnector
from ingest_tui.extraction.pool.pool import ParserPool
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.extraction import ParseTask
from ingest_tui.model.source import Source
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.jobs.jobs import job_items

LIMIT = 1000


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """The folder of the source, with one file."""
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.txt").write_text("common words")
    return folder


@pytest.fixture
def workspace(tmp_path: Path, docs: Path) -> Iterator[WorkspaceHandle]:
    """A workspace with the folder as its source, which takes files of up to a thousand bytes."""
    with open_workspace(tmp_path / "ws") as handle:
        handle.workspace.sources.save(
            Source(
                source_id="docs", name="Docs", source_type="local", source_config={"path": str(docs)}, max_size=LIMIT
            )
        )
        yield handle


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were handed to the parsers."""
    names: list[str] = []
    genuine = ParserPool.submit

    def noting(self: ParserPool, task: ParseTask, on_result: object) -> None:
        names.append(task.file_name)
        genuine(self, task, on_result)  # type: ignore[arg-type]

    monkeypatch.setattr(ParserPool, "submit", noting)
    return names


def outcomes(workspace: WorkspaceHandle, *, force: bool = False) -> dict[str, tuple[str, str]]:
    """Sync; return outcome and reason of each item."""
    job_id = workspace.sync("docs", force=force).job_id
    return {item.key: (item.outcome, item.reason) for item, _ in job_items(workspace.workspace, job_id)}


def test_force_reads_known_bytes_under_a_new_key(workspace: WorkspaceHandle, docs: Path, parsed: list[str]) -> None:
    """A copy of what is known is not parsed; with --force it is, as everything else, and stays a duplicate."""
    workspace.sync("docs")
    (docs / "b.txt").write_text("common words")
    parsed.clear()
    assert outcomes(workspace)["b.txt"] == ("duplicate", "same_content")
    assert parsed == []
    (docs / "c.txt").write_text("common words")
    assert outcomes(workspace, force=True)["c.txt"] == ("duplicate", "same_content")
    assert sorted(parsed) == ["a.txt", "b.txt", "c.txt"]
    assert len(workspace.documents) == 1


def test_force_reads_a_renamed_file_again(workspace: WorkspaceHandle, docs: Path, parsed: list[str]) -> None:
    """With --force a new key is not taken for a known document by its fingerprint alone: it is fetched and parsed."""
    workspace.sync("docs")
    (docs / "a.txt").rename(docs / "b.txt")
    parsed.clear()
    outcomes(workspace, force=True)
    assert parsed == ["b.txt"]
    assert len(workspace.documents) == 1


def test_an_item_that_outgrows_its_limit_is_rejected(
    workspace: WorkspaceHandle, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was listed within the limit and has more bytes when it is fetched is not taken in, whole or in part."""
    genuine = LocalConnector.fetch
    (docs / "full.txt").write_bytes(b"x" * 10)
    given = {"a.txt": LIMIT + 1, "full.txt": LIMIT}
    read: dict[str, int] = {}

    @contextmanager
    def growing(self: LocalConnector, descriptor: Descriptor, offset: int = 0) -> Iterator[Iterator[bytes]]:
        def pieces() -> Iterator[bytes]:
            for _number in range(given[descriptor.key]):
                read[descriptor.key] = read.get(descriptor.key, 0) + 1
                yield b"x"
            if given[descriptor.key] > LIMIT:
                raise AssertionError("it was read on beyond the limit")

        with genuine(self, descriptor, offset):
            yield pieces()

    monkeypatch.setattr(LocalConnector, "fetch", growing)
    assert outcomes(workspace) == {"a.txt": ("rejected", "too_large"), "full.txt": ("ingested", "new")}
    assert read["a.txt"] == LIMIT + 1
    assert len(workspace.documents) == 1


@pytest.mark.parametrize("lost", ["raw.txt", "normalized.md"])
@pytest.mark.parametrize("how", ["missing", "changed"])
def test_a_forced_sync_makes_a_version_of_what_was_lost(workspace: WorkspaceHandle, lost: str, how: str) -> None:
    """A file of the stored version that is gone, or is not what was committed, is read again; then nothing differs."""
    outcomes(workspace)
    [document] = workspace.documents
    path = workspace.workspace.layout.version("default", document.document_id, 1) / lost
    path.unlink() if how == "missing" else path.write_text("uncommon word")
    assert outcomes(workspace) == {"a.txt": ("unchanged", "same_fingerprint")}
    assert outcomes(workspace, force=True) == {"a.txt": ("ingested", "forced")}
    assert workspace.text(document.document_id) == "common words"
    assert outcomes(workspace, force=True).get("a.txt", ("unchanged", ""))[0] == "unchanged"


def test_a_forced_sync_adds_what_an_older_program_did_not_look_for(workspace: WorkspaceHandle, docs: Path) -> None:
    """`doc columns` says so of a table whose record has no types."""
    (docs / "t.csv").write_text("name,amount\na,1\nb,2\n")
    outcomes(workspace)
    document = next(one for one in workspace.documents if one.key == "t.csv")
    record = workspace.workspace.layout.version("default", document.document_id, 1) / "ingestion.json"
    known = orjson.loads(record.read_bytes())
    for table in known["columns"]:
        del table["fields"]
    record.write_bytes(orjson.dumps(known))
    outcomes(workspace, force=True)
    again = workspace.workspace.layout.version("default", document.document_id, 2) / "ingestion.json"
    assert all("fields" in table for table in orjson.loads(again.read_bytes())["columns"])
