"""Noting an ended job before it leaves the queue, and telling of it: each call is hit with SIGKILL, EIO and ENOSPC.

Whatever is hit, each ended job is in the queue, noted or told, and after the next sync it was told and nothing of it
is left. By default a sample of the points is tried; every point, with a report for each command, by:

    INGEST_TUI_WHOLE=1 pytest -n 0 -s tests/faults/test_notice_crash_points.py
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingest_tui.model.job import JobState
from ingest_tui.model.job_end_hook import JobEndHook
from tests.faults.crash_lab import new_workspace
from tests.faults.syscall_lab import Call, command_line, run, sync_docs
from tests.faults.syscall_trial import SYSTEM_CALL_MARKS, Scenario, check_points, manifests_of, sampled

SAMPLE = 3

pytestmark = SYSTEM_CALL_MARKS


def _cancel_last(root: Path) -> list[str]:
    return command_line(root, "job", "cancel", "last")


def _queue_a_sync(root: Path) -> list[str]:
    return command_line(root, "sync", "docs", "--detach")


@dataclass(frozen=True)
class JobEnd:
    """A command that ends a job, and what is done before it."""

    command: Callable[[Path], list[str]]
    before: tuple[Callable[[Path], list[str]], ...]


ENDS = {
    "sync": JobEnd(sync_docs, ()),
    "cancel": JobEnd(_cancel_last, (sync_docs, _queue_a_sync)),
}


def _told(file: Path) -> Callable[[Path, bool], Iterator[str]]:
    """Return what yields the ended jobs of a workspace that nobody was told of, and at the end what is left."""

    def check(root: Path, is_end: bool) -> Iterator[str]:
        events = map(json.loads, file.read_text().splitlines() if file.exists() else ())
        here = {str(root), str(root.with_name("prepared"))}
        told = {event["job_id"] for event in events if event["workspace"] in here}
        left = [path.name for name in ("notices", "queue") for path in (root / name).glob("*")]
        for manifest in manifests_of(root):
            is_known = manifest.job_id in told or any(name.startswith(manifest.job_id) for name in left)
            if manifest.ended and not is_known:
                yield f"nobody hears of job {manifest.job_id}, {manifest.state}"
        if is_end and manifests_of(root)[-1].state is JobState.SUCCEEDED:
            yield from (f"a sync has left {name}" for name in left)

    return check


def _is_of_notices(call: Call) -> bool:
    """Whether a call works on notices, or takes a job out of the queue after them."""
    return "notices" in call.place or ("queue/" in call.place and call.name in {"unlink", "unlinkat"})


@pytest.fixture(scope="module", params=ENDS)
def scenario(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """A workspace with one document whose ended jobs are all told to a program."""
    ends = ENDS[request.param]
    base = tmp_path_factory.mktemp(request.param)
    told = base / "told.jsonl"
    workspace = new_workspace(base / "prepared", base / "source")
    note = ("/bin/sh", "-c", """printf '%s\\n' "$(cat)" >> "$1" """, "sh", str(told))
    hook = JobEndHook(name="note", command=note, states=())
    settings = workspace.settings.model_copy(update={"on_job_end": (hook,), "parser_processes": 1})
    workspace.layout.settings.write_text(settings.model_dump_json())
    workspace.close()
    (base / "source" / "alpha.md").write_text("# alpha\n\nThe weather in alpha.\n")
    for command in ends.before:
        ending = run(command(base / "prepared"), base)
        assert ending.code == 0, ending
    found = Scenario(base / "prepared", base, ("weather",), ends.command, again=sync_docs, check=_told(told))
    found.run_undisturbed()
    return found


def test_each_job_is_told_after_a_fault_at_any_call(scenario: Scenario) -> None:
    """After a death or an error at any call around a notice, the next process tells of the job and clears it up."""
    assert scenario.lesson is not None
    calls = [call for call in scenario.lesson.mutating if _is_of_notices(call)]
    assert {call.name for call in calls} > {"rename", "unlink"}, "a notice is written, and a job leaves the queue"
    by_role = [[call for call in calls if call.role == role] for role in sorted({call.role for call in calls})]
    points = [point for of_role in by_role for point in sampled(scenario.points(of_role), SAMPLE)]
    check_points(scenario, points, scenario.strike_coordinator)
