"""Trials of `syscall_lab`: a command that met a fault at one system call, run again as a person would, and compared."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.cli.diagnostics import EXIT_FAILED_ITEMS
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.store.verify import verify_store
from ingest_tui.store.workspace import open_workspace_at
from tests.faults.crash_lab import State, leftovers_of, rebuilt_state_of, state_of
from tests.faults.syscall_lab import (
    FAULTS,
    Call,
    Ending,
    Lesson,
    command_line,
    learn,
    reason_to_skip,
    run,
    strike,
    strike_parser,
    sync_docs,
)

ORPHAN_SECONDS = 5.0
ATTEMPTS = 4
SOUND_CODES = {0, 1, 3, 5}
_PR_SET_CHILD_SUBREAPER = 36

SYSTEM_CALL_MARKS = [
    pytest.mark.slow,
    pytest.mark.xdist_group("system calls"),
    pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip() or "strace works"),
    pytest.mark.usefixtures("inherited_orphans"),
]
"""The ``pytestmark`` of a module that strikes system calls: one such test at a time, each seeing orphans."""


# What is to be the same


EVERY_POINT = bool(os.environ.get("INGEST_TUI_WHOLE"))
"""Whether runs on demand try all points; a sample of them otherwise."""


@dataclass
class Documents:
    """What people find in a workspace, whichever job brought it there. ``outcomes``: key to what was done about it."""

    documents: list[dict[str, Any]]
    versions: list[tuple[Any, ...]]
    locations: list[dict[str, Any]]
    answers: dict[str, list[tuple[Any, ...]]]
    folders: list[str]
    texts: dict[str, str]


def documents_of(state: State) -> Documents:
    """Leave out of a state what tells one job from another."""
    documents, locations = (
        [{name: value for name, value in row.items() if name != "job_id"} for row in rows]
        for rows in (state.documents, state.locations)
    )
    return Documents(documents, state.versions, locations, state.answers, state.folders, state.texts)


def done_by_key(state: State) -> Counter[tuple[Any, ...]]:
    """Return what all jobs together have done: (key, outcome, reason, document, version), leaving out what they met
    unchanged and what they failed to do."""
    lines = (line for outcomes in state.outcomes.values() for line in outcomes)
    return Counter(line for line in lines if line[1] not in {"unchanged", "failed"})


def as_it_is(documents: Documents) -> Documents:
    """Leave nothing out."""
    return documents


def as_at_first(state: State, expected: Documents) -> State:
    """Give what was retried the reason that it had at first: an error of the disk made it fail, as the job said."""
    reasons = {row["key"]: row["reason"] for row in expected.locations}

    def first(key: str, reason: str) -> str:
        return reasons.get(key, reason) if reason == "retry" else reason

    locations = [row | {"reason": first(row["key"], row["reason"])} for row in state.locations]
    outcomes = {
        job_id: [(key, outcome, first(key, reason), *others) for key, outcome, reason, *others in lines]
        for job_id, lines in state.outcomes.items()
    }
    return replace(state, locations=locations, outcomes=outcomes)


def nothing_else(_root: Path, _is_end: bool) -> Iterable[str]:
    """Find nothing wrong."""
    return ()


def differences(seen: Documents, expected: Documents) -> list[str]:
    """Name the parts that differ, each with what only one of both has."""
    return [
        f"{part} differ:\n  is       {_only_in(here, there)}\n  expected {_only_in(there, here)}"
        for part in vars(expected)
        if (here := getattr(seen, part)) != (there := getattr(expected, part))
    ]


def _only_in(one: Any, other: Any) -> Any:
    """Return what only one of two lists or dictionaries holds; both whole where merely their order differs."""
    if isinstance(one, dict):
        return {name: value for name, value in one.items() if other.get(name) != value}
    is_same_set = sorted(map(str, one)) == sorted(map(str, other))
    return one if is_same_set else [value for value in one if value not in other]


# Trials


@dataclass(frozen=True)
class Point:
    """A call and what happens to it."""

    call: Call
    fault: str

    def __str__(self) -> str:
        return f"{self.fault} at {self.call}"


@dataclass(frozen=True)
class Verdict:
    """What came of a point. ``hit`` is None when no attempt made the call; ``problems`` is empty when all is well."""

    point: Point
    hit: Call | None
    problems: tuple[str, ...]
    ending: Ending


Strike = Callable[[Path, Point], tuple[Ending, Call | None]]


@dataclass
class Scenario:
    """A workspace with work to do, kept aside, from which every run starts, and how it ends undisturbed.

    ``command`` is what is run, and run again unless there is an ``again``; the second time it may end with one of
    ``codes_again``, where there is nothing left to do. ``plain`` leaves out of a state what differs when part of the
    work was done before. ``check`` yields what else is wrong, right after the fault and at the end (true).
    """

    prepared: Path
    scratch: Path
    words: tuple[str, ...]
    command: Callable[[Path], list[str]] = sync_docs
    codes_again: frozenset[int] = frozenset({0})
    plain: Callable[[Documents], Documents] = as_it_is
    again: Callable[[Path], list[str]] | None = None
    check: Callable[[Path, bool], Iterable[str]] = nothing_else
    lesson: Lesson | None = None
    expected: Documents | None = None
    expected_rebuilt: Documents | None = None
    expected_done: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    _numbers: dict[Call, int] = field(default_factory=dict)
    """Where a call was to be found in the last run that missed it."""

    def run_undisturbed(self, *, delays: tuple[str, ...] = ()) -> None:
        """Learn the calls and the end state."""
        root = self.fresh("undisturbed")
        self.lesson = learn(root, self.command, delays=delays)
        state = state_of(root, self.words)
        self.expected = self.plain(documents_of(state))
        self.expected_done = done_by_key(state)
        assert [*leftovers_of(root), *findings_in(root), *self.check(root, True)] == []
        self.expected_rebuilt = self.plain(documents_of(rebuilt_state_of(root, self.words)))

    def fresh(self, name: str) -> Path:
        """Return a new copy of the prepared workspace."""
        root = self.scratch / name
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(self.prepared, root)
        return root

    def points(self, calls: Iterable[Call]) -> list[Point]:
        """Return every call with every fault."""
        return [Point(call, fault) for call in calls for fault in FAULTS]

    def strike_coordinator(self, root: Path, point: Point) -> tuple[Ending, Call | None]:
        """Hit the process that runs the sync; what another run does at that point need not be a change."""
        assert self.lesson is not None
        target = replace(point.call, number=self._numbers.get(point.call, point.call.number))
        ending, hit, self._numbers[point.call] = strike(root, self.lesson, target, point.fault)
        return ending, hit if hit is not None and hit.mutates else None

    def strike_parser(self, root: Path, point: Point) -> tuple[Ending, Call | None]:
        """Hit a parser process."""
        ending, calls = strike_parser(root, point.call, point.fault)
        hit = [call for call in calls if (call.name, call.number) == (point.call.name, point.call.number)]
        return ending, hit[0] if hit and (point.fault == "SIGKILL" or hit[0].is_injected) else None

    def try_all(self, points: list[Point], strike_at: Strike) -> list[Verdict]:
        """Try points side by side, as many at once as there are processors; without any, nothing would be proved."""
        assert points, "no call to strike: strace has seen none that changes the workspace"
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            return list(threads.map(lambda point: self.try_point(point, strike_at), points))

    def try_point(self, point: Point, strike_at: Strike) -> Verdict:
        """Meet a fault, go on as a person would, and compare with the undisturbed run."""
        name = "-".join([point.fault, point.call.role, point.call.name, str(point.call.number)])
        for _ in range(ATTEMPTS):
            root = self.fresh(name)
            ending, hit = strike_at(root, point)
            if hit is not None or ending.code is None:
                break
        problems = [*problems_of_ending(ending, point.fault)]
        if hit is not None and not problems:
            problems = [
                *findings_in(root),  # whoever opens the workspace next finds it whole
                *self.check(root, False),
                *go_on(root, self.again or self.command, self.codes_again),
                *self.problems_of(root, point.fault, has_failed_items=ending.code == EXIT_FAILED_ITEMS),
            ]
        if problems and (keep := os.environ.get("CRASH_LAB_KEEP")):
            shutil.copytree(root, Path(keep) / self.scratch.name / name, dirs_exist_ok=True)
        shutil.rmtree(root)
        return Verdict(point, hit, tuple(problems), ending)

    def problems_of(self, root: Path, fault: str, *, has_failed_items: bool = False) -> Iterator[str]:
        """Yield how a workspace differs from that of the undisturbed run."""
        assert self.expected is not None
        assert self.expected_rebuilt is not None
        half_made = [job for job in (root / "jobs").iterdir() if not (job / "manifest.json").exists()]
        if half_made:
            yield f"half made: {[str(path.relative_to(root)) for job in half_made for path in (job, *job.rglob('*'))]}"
            return
        state = state_of(root, self.words)
        if has_failed_items:
            state = as_at_first(state, self.expected)
        yield from differences(self.plain(documents_of(state)), self.expected)
        yield from findings_in(root)
        yield from self.check(root, True)
        jobs = manifests_of(root)
        yield from (f"job left {job.state}: {job.errors}" for job in jobs if not job.ended)
        if fault == "SIGKILL":
            yield from (f"job {job.state}: {job.errors}" for job in jobs if job.state is JobState.FAILED)
        if self.command is sync_docs:
            yield from self._problems_of_the_journals(state, jobs)
        if leftovers := [*leftovers_of(root), *map(str, (root / "workers").iterdir())]:
            yield f"leftovers: {leftovers}"
        rebuilt = rebuilt_state_of(root, self.words)
        if has_failed_items:
            rebuilt = as_at_first(rebuilt, self.expected_rebuilt)
        found = differences(self.plain(documents_of(rebuilt)), self.expected_rebuilt)
        yield from (f"after rebuild, {problem}" for problem in found)
        if orphans := orphans_after(ORPHAN_SECONDS):
            yield f"orphans: {orphans}"

    def _problems_of_the_journals(self, state: State, jobs: list[Manifest]) -> Iterator[str]:
        done = done_by_key(state)
        if twice := done - self.expected_done:
            yield f"done twice, or otherwise: {dict(twice)}"
        # A job that could not write its journal has failed and says so; every other has a line for all that it did.
        if (untold := self.expected_done - done) and all(job.state is not JobState.FAILED for job in jobs):
            yield f"done, but in no journal: {dict(untold)}"


def problems_of_ending(ending: Ending, fault: str) -> Iterator[str]:
    """Yield what a person must not see of a process that met a fault."""
    if ending.code is None:
        yield "it hangs"
    if "Traceback" in ending.stderr or "unexpected" in ending.stderr:
        yield f"not a clear error: {ending.stderr[-1500:]}"
    if fault == "SIGKILL" and ending.was_killed:
        return
    if ending.code not in SOUND_CODES:
        yield f"exit code {ending.code}: {ending.stderr[-500:]}"
    if ending.code in {1, 5} and "error: " not in ending.stderr:
        yield f"exit code {ending.code} and no error: {ending.stdout[-500:]}"


def go_on(
    root: Path, command: Callable[[Path], list[str]] = sync_docs, codes: frozenset[int] = frozenset({0})
) -> Iterator[str]:
    """Run the command again, as a person would, some hours later; a job that is paused is resumed first."""
    for mark in (root / "workers").iterdir():
        os.utime(mark, (0, 0))  # torn marks of workers are swept once they are old
    for folder in ("looks", "notices", "collections", "generations"):
        for torn in (root / folder).glob(".tmp.*"):
            os.utime(torn, (0, 0))  # so are torn records
    for job in manifests_of(root):
        if job.state is JobState.PAUSED:
            run(command_line(root, "job", "resume", job.job_id), root.parent)
    ending = run(command(root), root.parent)
    if ending.code not in codes:
        yield f"the next run ends with {ending.code}: {ending.stdout[-300:]}{ending.stderr[-1500:]}"


def findings_in(root: Path) -> list[str]:
    """Open a workspace as any command does and return where catalogue, full text and folders do not agree."""
    workspace = open_workspace_at(root)
    try:
        findings = [str(finding) for finding in verify_store(workspace.layout, workspace.catalogue, deep=True)]
        return [*findings, *(["a change is left unfinished"] if workspace.has_unfinished_change() else [])]
    finally:
        workspace.close()


def manifests_of(root: Path) -> list[Manifest]:
    """Return the manifests of all jobs, oldest first."""
    jobs = open_workspace_at(root).jobs
    return [jobs.load(job_id) for job_id in reversed(jobs.ids()) if jobs.paths(job_id).manifest.exists()]


def unhit_calls(verdicts: list[Verdict]) -> list[str]:
    """Return what was never hit although it was tried. Which of two equal calls is made may depend on timing."""
    hit = {_kind(verdict.hit, verdict.point.fault) for verdict in verdicts if verdict.hit is not None}
    return [
        str(verdict.point)
        for verdict in verdicts
        if verdict.hit is None and not verdict.problems and _kind(verdict.point.call, verdict.point.fault) not in hit
    ]


def _kind(call: Call, fault: str) -> tuple[str, str, str]:
    return call.name, call.place, fault


def sampled(points: list[Point], number: int) -> list[Point]:
    """Return so many points, spread over all calls, each fault as often; every point where that is asked for."""
    if EVERY_POINT or len(points) <= number:
        return points
    step = len(points) // number
    step -= step % len(FAULTS) == 0  # so that the faults take turns
    return points[step // 2 :: step][:number]


def report(name: str, verdicts: list[Verdict], seconds: float) -> str:
    """Return how many points were hit, by kind and by thread, and every problem with what it came of."""
    hit = [verdict for verdict in verdicts if verdict.hit is not None]
    by_fault = Counter(verdict.point.fault for verdict in hit)
    by_role = Counter(verdict.point.call.role for verdict in hit)
    wrong = [verdict for verdict in verdicts if verdict.problems]
    tried = f"{name}: {len(hit)} of {len(verdicts)} points hit in {seconds:.0f} s"
    lines = [f"{tried} ({_counts(by_fault)}; threads: {_counts(by_role)}), {len(wrong)} with problems"]
    lines += [f"  never hit: {point}" for point in unhit_calls(verdicts)]
    for verdict in wrong:
        lines += [f"  {verdict.point}", *(f"    {problem}" for problem in verdict.problems)]
    return "\n".join(lines)


def check_points(scenario: Scenario, points: list[Point], strike_at: Strike) -> None:
    """Try points and report all that went wrong at once: the pattern of the failures tells more than the first."""
    began = time.monotonic()
    verdicts = scenario.try_all(points, strike_at)
    told = report(scenario.scratch.name, verdicts, time.monotonic() - began)
    print(f"\n{told}")  # noqa: T201 - for the run on demand
    if any(verdict.problems for verdict in verdicts) or unhit_calls(verdicts):
        pytest.fail(told, pytrace=False)


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counter.items()))


# Orphans


_of_other_tests: set[int] = set()
"""Children that were there before, such as the server of the tests of the page, which lives as long as they run."""


@contextlib.contextmanager
def inheriting_orphans() -> Iterator[None]:
    """Let this process become the parent of every process below it whose own parent dies, so that it can see them."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    _of_other_tests.update(child for child, _state, _session in _children())
    try:
        yield
    finally:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
        for child, state, _session in _children():
            if state == "Z":
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(child, os.WNOHANG)
        _of_other_tests.clear()


def orphans_after(seconds: float) -> list[str]:
    """Return the commands of inherited processes that live on for ``seconds``.

    What this process starts itself leads a session and is no parser; what it inherits is one or the other.
    """
    deadline = time.monotonic() + seconds
    while True:
        living = [(_command_of(child), child == session) for child, state, session in _children() if state != "Z"]
        orphans = [command for command, is_leader in living if not is_leader or "pool.lockdown" in command]
        orphans = [command for command in orphans if command]
        if not orphans or time.monotonic() > deadline:
            return orphans
        time.sleep(0.05)  # between two looks


def _children() -> list[tuple[int, str, int]]:
    """Return process id, state and session of every child of this process."""
    children = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent, _group, session = status.read_text().rpartition(")")[2].split()[:4]
            child = int(status.parent.name)
            if int(parent) == os.getpid() and child not in _of_other_tests:
                children.append((child, state, int(session)))
    return children


def _command_of(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
