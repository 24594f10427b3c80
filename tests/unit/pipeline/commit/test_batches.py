"""How much is committed at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_tui import open_workspace
from ingest_tui.pipeline.commit import committer as commit_module
from ingest_tui.pipeline.commit.batch import CommitBatch
from ingest_tui.pipeline.staged_item import StagedItem
from ingest_tui.store.change import StoreWriter


def test_a_batch_ends_where_much_text_is_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks that parsers have cut are held until they are committed: a batch takes no item beyond the limit."""
    folder = tmp_path / "docs"
    folder.mkdir()
    for number in range(8):
        (folder / f"{number}.txt").write_text(f"Rain fell on day {number}.")
    monkeypatch.setattr(commit_module, "BATCH_BYTES", 1)
    sizes: list[int] = []
    original = CommitBatch.commit

    def counting(self: CommitBatch, writer: StoreWriter, items: list[StagedItem]) -> object:
        sizes.append(len(items))
        return original(self, writer, items)

    monkeypatch.setattr(CommitBatch, "commit", counting)
    with open_workspace(tmp_path / "workspace") as opened:
        opened.add_source("docs", path=str(folder))
        assert opened.sync("docs").counters.items_ingested == 8
    assert sizes == [1] * 8
