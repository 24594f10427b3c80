"""What a repair leaves to others comes true: a sync fetches what is missing, a job makes the vectors again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui.model.inconsistency import Inconsistency
from ingest_tui.services.documents.search import search
from ingest_tui.services.jobs.jobs import enqueue_sync
from ingest_tui.services.verify.repair import verify_and_repair
from ingest_tui.services.verify.verify import VerifyScope, verify
from ingest_tui.store.records.journal import read_journal
from ingest_tui.store.workspace import Workspace, open_workspace_at
from tests.unit.services.verify.corruption_lab import WORDS, Place, make_workspace, run_queue

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace that is damaged in copies."""
    return make_workspace(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def place(prepared: Path, tmp_path: Path) -> Place:
    """A copy of it."""
    shutil.copytree(prepared, tmp_path / "workspace")
    return Place(tmp_path / "workspace")


@pytest.fixture
def workspace(place: Place) -> Iterator[Workspace]:
    """The copy, opened; what is in its queue is done."""
    opened = open_workspace_at(place.root)
    run_queue(opened)
    yield opened
    opened.close()


def repaired(workspace: Workspace) -> list[Inconsistency]:
    """Repair, and return what is left."""
    results = verify_and_repair(workspace, VerifyScope(deep=True))
    return [one for one in results if isinstance(one, Inconsistency)]


def text_of(place: Place, which: str) -> str:
    return (place.version(which) / "normalized.md").read_text()


@pytest.mark.parametrize("which", ["0.md", "moved.md", "inside.md", "table.csv"])
@pytest.mark.parametrize("loss", ["raw", "version", "folder"])
def test_the_next_sync_fetches_what_only_the_source_has(
    place: Place, workspace: Workspace, which: str, loss: str
) -> None:
    """It makes a new version of the same document, with the same text; then nothing is left to repair."""
    text, folder = text_of(place, which), place.folder(which)
    if loss == "raw":
        os.truncate(place.raw(which), 3)
    else:
        shutil.rmtree(place.version(which) if loss == "version" else folder)
    assert {one.code for one in repaired(workspace)} == {"awaits_source"}
    enqueue_sync(workspace, "docs")
    run_queue(workspace)
    assert place.folder(which) == folder
    assert text_of(place, which) == text
    assert repaired(workspace) == []


def test_vectors_are_made_again_by_the_job_that_a_repair_queues(place: Place, workspace: Workspace) -> None:
    """A damaged file and a damaged index: after the job every word finds what it found by vectors."""
    before = {word: {hit.document_id for hit in search(workspace, word, mode="vector")} for word in WORDS}
    os.truncate(next(place.version("5.md").glob("vectors-*")), 20)
    next(place.root.glob("vectors/default/*/entries.bin")).unlink()
    assert repaired(workspace) == []
    run_queue(workspace)
    assert {word: {hit.document_id for hit in search(workspace, word, mode="vector")} for word in WORDS} == before
    assert list(place.version("5.md").glob("vectors-*"))
    assert list(verify(workspace, VerifyScope(deep=True))) == []


def test_a_trash_that_is_away_is_not_taken_for_an_emptied_one(place: Place, workspace: Workspace) -> None:
    """Repaired while it is away, the catalogue keeps what was in it; when it is back, nothing is left to repair."""
    trash, away = place.root / "trash", place.root.parent / "away"
    retired = "SELECT document_id FROM documents WHERE state = 'retired' ORDER BY document_id"
    known = place.sql(retired)
    trash.rename(away)
    for _ in ("missing", "empty"):
        assert "folder_missing" in {one.code for one in repaired(workspace)}
        assert place.sql(retired) == known != []
        trash.mkdir(exist_ok=True)
    shutil.rmtree(trash)
    away.rename(trash)
    assert repaired(workspace) == []


def outcomes_of(job: Path) -> set[str]:
    """Return the keys of a job that have an outcome which can be read."""
    return {str(line["key"]) for line in read_journal(job / "outcomes.jsonl")}


def garble(path: Path, number: int) -> None:
    """Damage a line of a file."""
    lines = path.read_bytes().splitlines(keepends=True)
    lines[number] = b"x" + lines[number]
    path.write_bytes(b"".join(lines))


TRACED = {"1.md", "4.md", "5.md", "broken.docx", "pack.zip", "page.html", "table.csv"}
"""What a first sync planned and the catalogue still knows of it."""


@pytest.mark.parametrize(
    ("line", "lost"),
    [(-1, set()), (6, {"broken.docx"}), (1, {"1.md"})],
    ids=["at its end", "in its middle", "at its beginning"],
)
def test_outcomes_come_back_from_a_plan_before_it_is_moved_away(
    place: Place, workspace: Workspace, line: int, lost: set[str]
) -> None:
    """All that its other lines tell is written again, and what became of members, which are in no plan."""
    job = place.job()
    (job / "outcomes.jsonl").unlink()
    garble(job / "plan.jsonl", line)
    assert "plan_damaged" not in {one.code for one in repaired(workspace)}
    assert outcomes_of(job) == {*TRACED, "pack.zip!inside.md"} - lost
    assert not (job / "plan.jsonl").exists()


def test_an_outcome_that_cannot_be_read_comes_back_from_a_damaged_plan(place: Place, workspace: Workspace) -> None:
    """The damaged line is taken out later than the plan is moved away: by then it is written again."""
    job = place.job()
    before = outcomes_of(job)
    garble(job / "outcomes.jsonl", 1)
    garble(job / "plan.jsonl", -1)
    assert outcomes_of(job) == before - {"1.md"}
    assert repaired(workspace) == []
    assert outcomes_of(job) == before
