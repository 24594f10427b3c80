"""A job that embeds and whose worker is killed between any two of its steps ends as if nothing had happened."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.pipeline.embed import embedding as embedding_module
from ingest_tui.services.documents.documents import remove_documents
from ingest_tui.services.documents.trash import empty_trash, list_trash
from ingest_tui.services.embedding import enqueue_embedding
from ingest_tui.services.jobs.jobs import job_items
from ingest_tui.store.fs.atomic import TEMPORARY_PREFIX
from tests.faults.crash_lab import run_queue
from tests.faults.embedding_crashes import copied, run_and_name_steps
from tests.unit.pipeline.embed.embedding_lab import EmbeddingLab

NAMES = ("fox", "leave", "rain", "apple", "pear")


def _prepared(root: Path) -> tuple[EmbeddingLab, str]:
    """A collection with history: embedded, then changed in every way; with a job queued that embeds it."""
    lab = EmbeddingLab(root, is_automatic=False)
    ids = {name: lab.put(name, f"# {name}\n\nThe quick {name}.\n\n## More\n\nThe lazy {name}.\n") for name in NAMES}
    gone = lab.put("gone", "The bucket sync is gone.\n")
    lab.embed()
    lab.put("fox", "# fox\n\nThe quick fox.\n\n## More\n\nA brown fox.\n")
    lab.put("water", "# water\n\nWater the plants.\n")
    remove_documents(lab.workspace, [ids["rain"], gone])
    empty_trash(lab.workspace, [entry for entry in list_trash(lab.workspace) if entry.document.document_id == gone])
    job_id = enqueue_embedding(lab.workspace, "default").job_id
    lab.workspace.close()
    return lab, job_id


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmbeddingLab, str]]:
    """The same for all steps; each works on a copy. One text a batch, so that there are many steps."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(embedding_module, "_TEXTS_AT_ONCE", 1)
        monkeypatch.setattr(embedding_module, "_SECONDS_BETWEEN_COMMITS", 0.0)
        yield _prepared(tmp_path_factory.mktemp("prepared"))


def _end_of(lab: EmbeddingLab, job_id: str) -> dict[str, Any]:
    """Return what a job came to, after checking what must hold whatever happened."""
    lab.assert_whole()
    manifest = lab.workspace.jobs.load(job_id)
    assert manifest.counters.listed_accounted_for == manifest.counters.descriptors_listed
    assert manifest.phases["embed"].done == manifest.phases["embed"].total
    left = [path for path in lab.workspace.root.rglob(f"{TEMPORARY_PREFIX}*") if path.suffix != ".db"]
    assert left == []
    keys = [outcome.key for outcome, _ in job_items(lab.workspace, job_id)]
    assert len(keys) == len(set(keys)), "an outcome is there twice"
    purged = {path.name for path in lab.workspace.layout.documents.rglob("vectors-*")}
    return {"state": manifest.state, "files": purged, "chunks": lab.chunks(), "warnings": manifest.warnings}


@pytest.mark.slow
def test_every_step_of_an_embedding_job_may_be_the_last(prepared: tuple[EmbeddingLab, str], tmp_path: Path) -> None:
    """Killed before any step, the next worker brings it to the same end: no vector lost, doubled or of another text."""
    lab, job_id = prepared
    whole = copied(lab, tmp_path / "undisturbed")
    steps, ended = run_and_name_steps(whole.workspace.root, None)
    assert ended
    wanted = _end_of(whole, job_id)
    assert wanted["state"] == "succeeded"
    assert len(steps) > 40
    failures = []
    for step, name in enumerate(steps):
        trial = copied(lab, tmp_path / f"step-{step}")
        try:
            # The last steps may be fewer: progress is written by the clock.
            run_and_name_steps(trial.workspace.root, step)
            run_queue(trial.workspace)
            assert _end_of(trial, job_id) == wanted
        except AssertionError as error:
            failures.append(f"{step} {name}: {str(error).splitlines()[0] if str(error) else 'failed'}")
        finally:
            trial.workspace.close()
            shutil.rmtree(trial.workspace.root)
    assert not failures, "\n".join(failures)
