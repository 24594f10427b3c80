"""Rows of a program of before have no checksums: a job that embeds gives them theirs, or makes damaged rows again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ingest_tui.model.embedder import DIGEST_BYTES
from ingest_tui.pipeline.embed.due import is_embedding_due
from ingest_tui.pipeline.embed.generations import known_generations
from ingest_tui.store.vector_rows import ENTRIES, ENTRY_FIELDS, VECTORS, count_damaged, read_state
from ingest_tui.worker.submit import queue_due_embeddings
from tests.unit.pipeline.embed.embedding_lab import EmbeddingLab
from tests.unit.pipeline.embed.test_embedding_jobs import TEXTS
from tests.unit.store.test_vector_rows import as_before

ENTRY_BYTES = np.dtype(ENTRY_FIELDS).itemsize


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[EmbeddingLab]:
    """A workspace whose vectors are as a program without checksums has left them, and whose model is gone."""
    made = EmbeddingLab(tmp_path)
    for name, text in TEXTS.items():
        made.put(name, text)
    made.embed()
    made.put("fox.md", "# Fox\n\nAnother brown fox.\n")
    made.embed()
    made.model.rename(made.model.with_name("gone"))
    as_before(made.folder)
    yield made
    made.workspace.close()


def upgrade(lab: EmbeddingLab) -> None:
    """Let a worker do what is due by itself."""
    [generation] = known_generations(lab.workspace, "default").generations
    assert is_embedding_due(lab.workspace, "default", generation)
    [job] = queue_due_embeddings(lab.workspace)
    assert lab.run(job.job_id).state == "succeeded"
    assert not is_embedding_due(lab.workspace, "default", generation)
    state = read_state(lab.folder, lab.space)
    assert state is not None
    assert state.has_sums
    assert count_damaged(lab.folder, state) == 0
    lab.assert_whole()


def test_whole_rows_get_checksums_as_they_are(lab: EmbeddingLab) -> None:
    """By itself, without a model; those of earlier versions stay."""
    before = lab.digests_in_rows()
    upgrade(lab)
    assert lab.digests_in_rows() == before


def test_a_damaged_vector_is_not_taken_over(lab: EmbeddingLab) -> None:
    """The rows are made again from the vectors of the documents, without a model."""
    path = lab.folder / VECTORS
    data = bytearray(path.read_bytes())
    data[-1] ^= 4
    path.write_bytes(data)
    before = lab.digests_in_rows()
    upgrade(lab)
    rows = lab.rows()
    assert rows is not None
    assert rows.vectors.tobytes() != bytes(data)
    assert len(lab.digests_in_rows()) < len(before)


@pytest.mark.parametrize("position", [4, ENTRY_BYTES - DIGEST_BYTES])
def test_a_row_that_says_another_version_or_text_is_replaced(lab: EmbeddingLab, position: int) -> None:
    """It answers for nothing any more; the chunk that it was of gets a row again."""
    path = lab.folder / ENTRIES
    data = bytearray(path.read_bytes())
    data[-ENTRY_BYTES + position] ^= 4
    path.write_bytes(data)
    upgrade(lab)
