"""A plan that is not as it was written decides nothing: the source is listed again, or the job says that it cannot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ingest_tui.model.errors import PlanDamagedError
from ingest_tui.model.job import JobState
from ingest_tui.model.plan_line import NewLook, PlanEnd, PlanLine
from ingest_tui.services.damage import find_damage
from ingest_tui.services.documents.uploads import upload_files
from ingest_tui.services.jobs.holds import approve_job, held_deletions
from ingest_tui.services.jobs.jobs import get_job, job_plan
from ingest_tui.store.catalogue.queries import find_documents
from ingest_tui.store.records.journal import encode_line
from ingest_tui.store.records.plan_file import (
    is_whole,
    plan_end,
    plan_lines_with,
    read_plan,
    work_lines,
    write_known_plan,
)
from ingest_tui.store.workspace import Workspace, open_workspace_at
from tests.faults.crash_lab import Trial, new_workspace, queue_sync, quicken, run_and_die, run_queue, sync

pytestmark = pytest.mark.slow

LINES = [PlanLine("ingest", "new", f"{number}.md", f"file:///{number}.md") for number in range(5)]
RECORDS = [line.as_dict() for line in LINES]
Damage = Callable[[list[bytes]], list[bytes]]
DAMAGES: dict[str, Damage] = {
    "without its end": lambda lines: lines[:-1],
    "torn": lambda lines: [*lines[:-1], lines[-1][:20]],
    "garbled": lambda lines: [lines[0], lines[1].replace(b"key", b"kex"), *lines[2:]],
    "a line lost": lambda lines: [lines[0], *lines[2:]],
    "a line twice": lambda lines: [lines[0], *lines],
    "lines after the end": lambda lines: [*lines, lines[0]],
    "empty": lambda _lines: [],
}
damaged_somehow = pytest.mark.parametrize("damage", DAMAGES)


def spoil(path: Path, damage: str) -> None:
    path.write_bytes(b"".join(DAMAGES[damage](path.read_bytes().splitlines(keepends=True))))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quicken(monkeypatch)


def keys_of(workspace: Workspace) -> list[str]:
    return sorted(document.key for document in find_documents(workspace.catalogue))


@damaged_somehow
def test_a_damaged_plan_is_found_out(tmp_path: Path, damage: str) -> None:
    """A plan that lacks a line, has one too many or one that is not as it was written, is not whole."""
    path = tmp_path / "plan.jsonl"
    write_known_plan(path, LINES)
    assert is_whole(read_plan(path))
    assert list(read_plan(path)) == LINES
    spoil(path, damage)
    assert not is_whole(read_plan(path))


def test_a_plan_of_an_older_program_is_whole_without_a_number_of_lines(tmp_path: Path) -> None:
    """Before lines were counted the end alone said that a plan is whole."""
    path = tmp_path / "plan.jsonl"
    path.write_bytes(b"".join(map(encode_line, [*RECORDS, {"action": "end", "listed": 5, "complete": True}])))
    assert is_whole(read_plan(path))


@pytest.mark.parametrize("wrong", [{"key": None}, {"size": "12"}, {"metadata": {"a": 1}}, {"action": "hold"}], ids=str)
def test_a_line_that_somebody_has_changed_is_damage(tmp_path: Path, wrong: dict[str, object]) -> None:
    """A line whose CRC was made again holds what no line may hold: the plan is damaged to every reader."""
    path = tmp_path / "plan.jsonl"
    write_known_plan(path, LINES)
    _first, *others = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([encode_line(RECORDS[0] | wrong), *others]))
    assert not is_whole(read_plan(path))
    with pytest.raises(PlanDamagedError, match="line 1 cannot be used"):
        list(work_lines(path))
    assert list(plan_lines_with(path, b'"uri"')) == LINES[1:]


def test_an_end_that_somebody_has_changed_is_damage(tmp_path: Path) -> None:
    """The end of a plan without what a listing says of itself is no end."""
    path = tmp_path / "plan.jsonl"
    path.write_bytes(b"".join(map(encode_line, [*RECORDS, {"action": "end", "listed": 5, "complete": "yes"}])))
    assert not is_whole(read_plan(path))
    with pytest.raises(PlanDamagedError, match="complete"):
        plan_end(path)


def test_a_work_line_that_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    """What a garbled line asked for would be left out in silence: the reader says so instead."""
    path = tmp_path / "plan.jsonl"
    write_known_plan(path, LINES)
    spoil(path, "garbled")
    with pytest.raises(PlanDamagedError):
        list(work_lines(path))


def test_the_end_of_a_plan_may_be_long(tmp_path: Path) -> None:
    """The last line is found however much it says."""
    path = tmp_path / "plan.jsonl"
    gaps = tuple((f"place {number}", "x" * 900) for number in range(20))
    end = PlanEnd(5, complete=False, gaps=gaps, gaps_total=20, look=NewLook(1, "", "", {}, 0, 0))
    path.write_bytes(b"".join(map(encode_line, [*RECORDS, end.as_dict()])))
    assert plan_end(path) == end


@damaged_somehow
def test_a_job_with_a_damaged_plan_lists_again(tmp_path: Path, damage: str) -> None:
    """Nothing is retired from a damaged plan: what came back since stays, what is new is taken."""
    source = tmp_path / "source"
    workspace = new_workspace(tmp_path / "ws", source)
    for name in ("stays", "stays-too", "gone"):
        (source / f"{name}.md").write_text(f"# {name}\n\nThe weather.\n")
    sync(workspace)
    (source / "gone.md").unlink()
    (source / "new.md").write_text("# new\n\nThe weather.\n")
    job_id = queue_sync(workspace).job_id
    workspace.close()
    trial = Trial(tmp_path / "ws", tmp_path, ("weather",))
    trial.run_undisturbed()
    root = trial.fresh("interrupted")
    assert run_and_die(root, trial.steps.index("StagingArea.receive"))
    workspace = open_workspace_at(root)
    spoil(workspace.jobs.paths(job_id).plan, damage)
    (source / "gone.md").write_text("# gone\n\nThe weather.\n")
    run_queue(workspace)
    job = get_job(workspace, job_id)
    assert (job.state, job.counters.items_retired) == (JobState.SUCCEEDED, 0)
    assert job.counters.descriptors_listed == job.counters.listed_accounted_for == 4
    assert keys_of(workspace) == ["gone.md", "new.md", "stays-too.md", "stays.md"]
    workspace.close()


def test_an_upload_whose_plan_is_damaged_fails_and_says_so(tmp_path: Path) -> None:
    """Its plan cannot be made again: the job fails with what to do, and the only copy of its files may be ours."""
    workspace = new_workspace(tmp_path / "ws", tmp_path / "source")
    files = [tmp_path / f"{number}.md" for number in range(3)]
    for file in files:
        file.write_text(f"# {file.name}\n\nThe weather.\n")
    job_id = upload_files(workspace, files).job_id
    spoil(workspace.jobs.paths(job_id).plan, "garbled")
    run_queue(workspace)
    job = get_job(workspace, job_id)
    said = (job.errors[-1].code, job.errors[-1].hint)
    assert (job.state, *said) == (JobState.FAILED, "plan_damaged", "upload the files again")
    staged = workspace.jobs.paths(job_id).staging.glob("*/raw.md")
    assert sorted(path.read_bytes() for path in staged) == sorted(file.read_bytes() for file in files)
    assert [found.level for found in find_damage(workspace)] == ["note"]
    workspace.close()


def test_an_upload_whose_plan_does_not_say_what_it_is_fails_and_says_so(tmp_path: Path) -> None:
    """A plan of an upload that lost what was received, its CRCs made again, is damaged: the job names the item."""
    workspace = new_workspace(tmp_path / "ws", tmp_path / "source")
    file = tmp_path / "a.md"
    file.write_text("# a\n\nThe weather.\n")
    job_id = upload_files(workspace, [file]).job_id
    path = workspace.jobs.paths(job_id).plan
    [line] = read_plan(path)
    path.unlink()
    write_known_plan(path, [line._replace(metadata=None)])
    run_queue(workspace)
    job = get_job(workspace, job_id)
    assert (job.state, job.errors[-1].code) == (JobState.FAILED, "plan_damaged")
    assert "a.md" in job.errors[-1].message
    workspace.close()


def test_what_a_damaged_plan_held_is_not_approved(tmp_path: Path) -> None:
    """A list of held deletions that cannot be read whole is neither shown nor approved."""
    source = tmp_path / "source"
    workspace = new_workspace(tmp_path / "ws", source)
    for number in range(3):
        (source / f"{number}.md").write_text(f"# {number}\n\nThe weather.\n")
    sync(workspace)
    for file in source.iterdir():
        file.unlink()
    job = sync(workspace)
    spoil(workspace.jobs.paths(job.job_id).plan, "garbled")
    with pytest.raises(PlanDamagedError):
        held_deletions(workspace, job.job_id)
    with pytest.raises(PlanDamagedError):
        list(job_plan(workspace, job.job_id))
    with pytest.raises(PlanDamagedError):
        approve_job(workspace, job.job_id)
    assert len(keys_of(workspace)) == 3
    workspace.close()
