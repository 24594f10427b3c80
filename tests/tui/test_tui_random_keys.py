"""Nothing breaks under random keys, and nothing is done to another row than the chosen ones.

`RANDOM_KEYS_SEED` (numbers between commas) and `RANDOM_KEYS_ROUNDS` play others, for instance for an hour;
`RANDOM_KEYS_SHRINK=1` looks for the few rounds that break.
"""

from __future__ import annotations

import os
import shutil
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.services.sources.sources import add_source
from ingest_tui.store.workspace import open_workspace_at
from tests.tui.random_keys import play, rounds_of, shrunk, watched
from tests.tui.stories import add_job, add_outcomes, let_answer, outcome, run_story, send_together, sync_by_hand, until

ROUNDS = int(os.environ.get("RANDOM_KEYS_ROUNDS", "250"))
SEEDS = [int(seed) for seed in os.environ.get("RANDOM_KEYS_SEED", "1,2,3").split(",")]


@pytest.fixture
def busy(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with sources, documents, jobs in all states, and errors."""
    monkeypatch.chdir(tmp_path)  # what is exported and written goes here
    with closing(open_workspace_at(root)) as workspace:
        for name in ("docs", "wiki", "minutes"):
            (tmp_path / name).mkdir()
            for number in range(12):
                (tmp_path / name / f"{name}-{number:02d}.md").write_text(f"# {name} {number}\n\nRain and {number}.\n")
            (tmp_path / name / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
            add_source(workspace, source_type="local", name=name, config={"path": str(tmp_path / name)})
    sync_by_hand(root, "docs")
    for number, state in enumerate(("running", "queued", "paused", "failed", "partial", "cancelled") * 3):
        job_id = f"20261121-0630{number:02d}-docs-{number:04d}"
        add_job(root, job_id, state, listed=9, failed=1, errors=["it is encrypted"])
        add_outcomes(root, job_id, [outcome("a.md"), outcome("b.pdf", "failed", "malformed", detail="no PDF")])
    return root


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_random_keys_break_nothing(busy: Path, tmp_path: Path, seed: int) -> None:
    """No crash, no dialog that stays, no action on a row that was not chosen."""
    rounds = rounds_of(seed, ROUNDS)

    def broken(some: object) -> str:
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(busy, copy)
        return play(copy, some)  # type: ignore[arg-type]

    what = broken(rounds)
    if what and os.environ.get("RANDOM_KEYS_SHRINK"):
        few = shrunk(rounds, lambda some: bool(broken(some)))
        what = f"{what}\nshrunk to {few}: {broken(few)}"
    assert not what, f"seed {seed}: {what}"


def test_shrinking_leaves_what_breaks() -> None:
    """Of many rounds the two that break together."""
    rounds = rounds_of(7, 60)
    needed = {rounds[11], rounds[42]}
    assert set(shrunk(rounds, lambda some: needed <= set(some))) == needed


def test_what_was_chosen_is_remembered_for_what_acts_later(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mouse chooses another row while a job is being paused, for which keys wait; one that nobody has chosen is
    noticed."""
    for number in range(2):
        add_job(root, f"20261121-06310{number}-docs-aaa{number}", "running")
    begun, may_act, acted = threading.Event(), threading.Event(), threading.Event()

    async def story(app: Any, pilot: Any) -> None:
        let_answer(app.client.jobs, pause=lambda _job_id: acted.set())
        witness = watched(app, monkeypatch)
        acts = witness.acts

        def acts_late(name: str, target: Any) -> None:
            begun.set()
            may_act.wait(timeout=30)
            acts(name, target)

        let_answer(witness, acts=acts_late)
        await until(pilot, lambda: app.model.complete and len(app.screen.table.rows) == 2)
        table = app.screen.table
        send_together(app, "p", "j")
        await until(pilot, begun.is_set)
        assert table.cursor == 0
        table.move(1)
        may_act.set()
        await until(pilot, acted.is_set)
        assert witness.wrong == []
        await until(pilot, lambda: app.input_queue.is_quiet and table.cursor == 1)
        app.screen.ask_each(["other"], app.client.jobs.pause, done="", say=str, then=len)
        await until(pilot, lambda: len(witness.wrong) == 1)

    run_story(root, story)
