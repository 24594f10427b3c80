"""Sixteen worker processes on one workspace, ended at random: no job is owned twice, and none is never done.

The default suite works off 240 jobs. The whole, 2,000 jobs and some 450 ends of workers, takes a few minutes:

    INGEST_TUI_WHOLE=1 .venv/bin/python -m pytest -n 0 -s tests/faults/test_many_processes.py -k sixteen
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ingest_tui.model.source import Source
from ingest_tui.store.fs.atomic import TEMPORARY_PREFIX
from ingest_tui.store.fs.leftovers import sweep_small_files
from ingest_tui.store.records.json_files import write_record
from ingest_tui.store.workspace import init_workspace, open_workspace_at
from ingest_tui.worker.living_workers import WorkerRegistration, living_workers
from ingest_tui.worker.submit import submit_sync
from tests import REPOSITORY
from tests.faults.crash_lab import compare, leftovers_of, state_of
from tests.faults.many_lab import Report, judge

pytestmark = pytest.mark.slow

IS_WHOLE = os.environ.get("INGEST_TUI_WHOLE") == "1"
FILES_OF_A_SOURCE = 3


def queue_jobs(base: Path, *, sources: int, jobs_of_a_source: int) -> Path:
    """Make a workspace whose sources each have some jobs queued: the first takes files in, the others look again."""
    workspace, _ = init_workspace(base / "prepared")
    write_record(workspace.layout.settings, workspace.settings.model_copy(update={"max_running_jobs": 16}))
    for number in range(sources):
        folder = base / "files" / f"s{number}"
        folder.mkdir(parents=True)
        for name in range(FILES_OF_A_SOURCE):
            text = f"# Report {name} of s{number}\n\nThe weather in place number{number}x{name}.\n"
            (folder / f"report{name}.md").write_text(text)
        config = {"path": str(folder)}
        source = Source(source_id=f"s{number}", name=folder.name, source_type="local", source_config=config)
        workspace.sources.save(source)
    for turn in range(jobs_of_a_source):
        for source in workspace.sources.all():
            submit_sync(workspace, source, trigger="manual", by="test", **({"force": True} if turn else {}))
    workspace.close()
    return base / "prepared"


def run_lab(prepared: Path, name: str, **orders: object) -> tuple[Path, list[str], Report]:
    """Work off a copy of a workspace; returns the copy, the marks, and how it went."""
    root, evidence = prepared.with_name(name), prepared.with_name(f"{name}.marks")
    shutil.copytree(prepared, root)
    laboratory = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.many_lab"],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    told, errors = laboratory.communicate(json.dumps({"root": str(root), "evidence": str(evidence), **orders}))
    assert laboratory.returncode == 0, errors
    assert list(processes_of_session(laboratory.pid)) == [], "no worker outlives the laboratory"
    assert "sabotage" in orders or errors == "", errors
    return root, evidence.read_text().splitlines(), Report(**json.loads(told))


def processes_of_session(session: int) -> list[int]:
    """Return the living processes of a session."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, _group, its_session = status.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(its_session) == session and state not in {"Z", "X"}:
            found.append(int(status.parent.name))
    return found


def test_sixteen_workers_that_are_ended_at_random(tmp_path: Path) -> None:
    """However workers end, each job has one living owner at a time, every job succeeds, and the documents are right."""
    sources, jobs_of_a_source = (50, 40) if IS_WHOLE else (30, 8)
    words = ("weather", "number7x1", "s3")
    prepared = queue_jobs(tmp_path, sources=sources, jobs_of_a_source=jobs_of_a_source)
    undisturbed, _, _ = run_lab(prepared, "undisturbed", workers=4, most_seconds=1800)
    root, marks, report = run_lab(prepared, "under-fire", marks_between_ends=20, most_seconds=1800)
    findings = judge(marks)
    total = sources * jobs_of_a_source
    print(  # noqa: T201 - the figure that people ask for
        f"\n{total} jobs by {len(findings.owners)} processes in {report.seconds} s, {report.kills} killed"
        f" ({findings.owners_killed} while they owned a job), {report.polite_ends} shut down gracefully,"
        f" {findings.starts} starts: {len(findings.double_owners)} double owners, {report.left_in_queue} never done"
    )
    assert findings.faults == []
    assert report.left_in_queue == 0
    assert report.fallen == []
    compare(state_of(root, words), state_of(undisturbed, words), "under fire")
    states = [state for state, _ in state_of(root, words).jobs.values()]
    assert states == ["succeeded"] * total
    assert_nothing_is_left(root)
    assert findings.starts > total, "interrupted jobs were taken up again"
    assert min(report.kills, findings.owners_killed, len(findings.owners) - 16) >= 5, "it was not under fire"


def assert_nothing_is_left(root: Path) -> None:
    """Nothing half done in the workspace; what only time can judge goes with the next worker.

    Files next to records carry a name that says nothing of whose they are, so a worker sweeps them by their age; marks
    of dead workers go a minute later.
    """
    workspace = open_workspace_at(root)
    for path in (root / "looks").glob(f"{TEMPORARY_PREFIX}*"):
        os.utime(path, (1, 1))
    sweep_small_files(workspace.layout)
    assert [name for name in leftovers_of(root) if not name.startswith("workers/")] == []
    for path in workspace.layout.workers.iterdir():
        os.utime(path, (1, 1))
    assert living_workers(workspace) == []
    WorkerRegistration(workspace, "queue").close()
    assert list(workspace.layout.workers.iterdir()) == []


def test_locks_that_exclude_nobody_are_caught(tmp_path: Path) -> None:
    """Were the locks of jobs and sources no locks, the same laboratory would find jobs with two owners."""
    prepared = queue_jobs(tmp_path, sources=8, jobs_of_a_source=3)
    orders = {"workers": 6, "marks_between_ends": 15, "most_seconds": 4}
    _, marks, _ = run_lab(prepared, "broken", **orders, sabotage="locks that exclude nobody")
    assert judge(marks).double_owners


def test_locks_that_outlive_their_owner_are_caught(tmp_path: Path) -> None:
    """Were a lock the existence of a file, as in many programs, jobs of killed workers would never be done."""
    prepared = queue_jobs(tmp_path, sources=8, jobs_of_a_source=3)
    orders = {"workers": 6, "marks_between_ends": 15, "most_seconds": 4}
    _, marks, report = run_lab(prepared, "broken", **orders, sabotage="locks that outlive their owner")
    assert judge(marks).faults == []
    assert report.left_in_queue


# The judge

SOUND = """
start w1 job1 s1
rev w1 job1 1
start w2 job2 s2
doomed w1
rev w1 job1 2
start w2 job1 s1
dead w1
rev w2 job1 4
end w2 job2 s2
end w2 job1 s1
start w2 job3 s1
end w2 job3 s1
"""


def test_judge_finds_nothing_in_valid_marks() -> None:
    """A job taken from a doomed worker is as it should be, and so are two jobs of a source one after the other."""
    findings = judge(SOUND.strip().splitlines())
    assert findings.faults == []
    assert (findings.starts, findings.owners, findings.owners_killed) == (4, {"w1", "w2"}, 1)


@pytest.mark.parametrize(
    ("marks", "fault"),
    [
        (["start w1 job1 s1", "start w2 job1 s1"], "job1: w1 and w2"),
        (["start w1 job1 s1", "doomed w1", "start w2 job1 s1", "rev w1 job1 9"], "job1: w1 still wrote"),
        (["start w1 job1 s1", "doomed w1", "start w2 job1 s1", "end w1 job1 s1"], "job1: w1 still wrote"),
        (["start w1 job1 s1", "rev w1 job1 3", "rev w1 job1 3"], "job1: 3 after 3"),
        (["start w1 job1 s1", "start w2 job2 s1"], "s1: job1 and job2"),
        (["start w1 job1 s1", "stale w1 job1"], "job1: w1"),
    ],
    ids=["two living owners", "the dead writes", "the dead ends", "revision", "two jobs of a source", "refused"],
)
def test_judge_finds_each_fault(marks: list[str], fault: str) -> None:
    """Each thing that must not happen is seen in the marks."""
    [found] = judge(marks).faults
    assert found.startswith(fault)
