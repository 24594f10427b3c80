"""Building a generation, switching to it, going back and dropping one: killed before any step, nothing is lost."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest_tui.model.generation import GenerationState
from ingest_tui.model.job import JobState
from ingest_tui.pipeline.embed import embedding as embedding_module
from ingest_tui.pipeline.embed.discarding import discard_overdue
from ingest_tui.pipeline.embed.generations import known_generations
from ingest_tui.services.embedders import add_embedder
from ingest_tui.services.generations import Scope, discard_generation, reembed, revert_generation
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.submit import queue_due_embeddings
from tests.faults.crash_lab import run_queue
from tests.faults.embedding_crashes import copied, run_and_name_steps
from tests.made_models import make_static_model
from tests.unit.pipeline.embed.embedding_lab import EmbeddingLab


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddingLab]:
    """A collection that is embedded, one text a batch, and another model; each step works on a copy."""
    root = tmp_path_factory.mktemp("embedded")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(embedding_module, "_TEXTS_AT_ONCE", 1)
        monkeypatch.setattr(embedding_module, "_SECONDS_BETWEEN_COMMITS", 0.0)
        lab = EmbeddingLab(root)
        for name in ("fox", "rain"):
            lab.put(name, f"# {name}\n\nThe quick {name}.\n\n## More\n\nThe lazy {name}.\n")
        lab.embed()
        other = str(make_static_model(root / "other", seed=3))
        add_embedder(lab.workspace, backend="static", name="other", settings={"path": other})
        lab.workspace.close()
        yield lab


def _assert_answers_whole(lab: EmbeddingLab) -> str:
    """Check that exactly one generation answers, with a vector of every chunk; returns its embedder."""
    known = known_generations(lab.workspace, "default")
    answering = [one for one in known.generations if one.state is GenerationState.ANSWERING]
    assert len(answering) == 1
    lab.space, lab.key = answering[0].space, answering[0].key
    lab.folder = lab.workspace.layout.vector_log("default", lab.key)
    lab.assert_whole()
    return answering[0].embedder.embedder_id


def _die_before_each_step(
    lab: EmbeddingLab,
    folder: Path,
    *,
    work: Callable[[Workspace], object] = run_queue,
    check: Callable[[EmbeddingLab], None],
) -> list[str]:
    """Run ``work`` once for each of its steps, killed before it, and check what is left; returns the steps."""
    whole = copied(lab, folder / "undisturbed")
    steps, ended = run_and_name_steps(whole.workspace.root, None, work)
    assert ended
    check(whole)
    failures = []
    for step, name in enumerate(steps):
        trial = copied(lab, folder / f"step-{step}")
        try:
            run_and_name_steps(trial.workspace.root, step, work)
            _assert_answers_whole(trial)  # whatever was half done, a search finds everything by meaning
            check(trial)
        except AssertionError as error:
            failures.append(f"{step} {name}: {str(error).splitlines()[0] if str(error) else 'failed'}")
        finally:
            trial.workspace.close()
            shutil.rmtree(trial.workspace.root)
    assert not failures, "\n".join(failures)
    return steps


@pytest.mark.slow
def test_every_step_of_a_build_and_its_switch_may_be_the_last(embedded: EmbeddingLab, tmp_path: Path) -> None:
    """The old vectors answer or the new ones do, never neither; the next worker brings the job to its end, once."""
    lab = copied(embedded, tmp_path / "queued")
    job_id = reembed(lab.workspace, Scope("default"), embedder_id="other").job_id
    lab.workspace.close()

    def check(trial: EmbeddingLab) -> None:
        run_queue(trial.workspace)
        manifest = trial.workspace.jobs.load(job_id)
        assert manifest.state is JobState.SUCCEEDED
        assert manifest.counters.listed_accounted_for == manifest.counters.descriptors_listed
        assert _assert_answers_whole(trial) == "other"
        assert trial.workspace.collections.get("default").preferences.embedder == "other"
        known = known_generations(trial.workspace, "default")
        assert [str(one.state) for one in known.generations] == ["kept", "answering"]
        assert queue_due_embeddings(trial.workspace) == []

    steps = _die_before_each_step(lab, tmp_path, check=check)
    assert "ingest_tui.store.records.generations.write_record" in steps
    assert len(steps) > 30


def test_every_step_of_going_back_and_dropping_may_be_the_last(embedded: EmbeddingLab, tmp_path: Path) -> None:
    """Either generation answers, whole; what comes next by itself ends what was begun."""
    lab = copied(embedded, tmp_path / "switched")
    lab.run(reembed(lab.workspace, Scope("default"), embedder_id="other").job_id)
    lab.workspace.close()

    def go_back_and_drop(workspace: Workspace) -> None:
        revert_generation(workspace, "default")
        discard_generation(workspace, "default")

    def check(trial: EmbeddingLab) -> None:
        queue_due_embeddings(trial.workspace)
        run_queue(trial.workspace)
        discard_overdue(trial.workspace)
        answering = _assert_answers_whole(trial)
        assert trial.workspace.collections.get("default").preferences.embedder == answering
        known = known_generations(trial.workspace, "default").generations
        assert not [one for one in known if one.state is GenerationState.DISCARDED]
        keys = {one.key for one in known}
        names = {path.stem.removeprefix("vectors-") for path in trial.workspace.layout.documents.rglob("vectors-*")}
        assert names == keys, "files of a generation that is gone"

    _die_before_each_step(lab, tmp_path, work=go_back_and_drop, check=check)
