"""A laboratory for many workers: real processes that work off one queue while some of them are killed at random.

Run as a program it forks the workers from one process that has everything imported already, so that a killed one is
replaced within milliseconds. Each worker is `run_worker` as the headless program runs it; only the parser processes
are left out. What happens is noted in an evidence file, one line a mark and one ``write`` a line, so that the order of
the lines is the order of the events:

    start WORKER JOB SOURCE     a worker owns a job and begins to run it
    rev WORKER JOB NUMBER       it has written this revision of the manifest
    stale WORKER JOB            its writing was refused: somebody else owns the job too
    end WORKER JOB SOURCE       it is about to give the job back
    doomed WORKER               the killer is about to send SIGKILL
    dead WORKER                 that process is gone
"""

from __future__ import annotations

import ctypes
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest

from ingest_tui.model.errors import StaleWriterError
from ingest_tui.model.job import Manifest
from ingest_tui.pipeline.job import recovery as recovery_module
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.job.run import run_job
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.jobs import JobStore
from ingest_tui.store.layout import Layout
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.worker import engine as engine_module
from ingest_tui.worker.loop import run_worker
from tests.faults.crash_lab import quicken

_PR_SET_PDEATHSIG = 1
_MARK_BYTES = 48
_ASKED_SHARE = 0.2


@dataclass(frozen=True)
class Orders:
    """What a run is to do.

    About every ``marks_between_ends`` marks (0: never) a worker is ended: so there are as many ends to a job on a slow
    machine as on a fast one. ``sabotage`` names one of `SABOTAGES`.
    """

    root: str
    evidence: str
    workers: int = 16
    marks_between_ends: int = 0
    seed: int = 1
    most_seconds: float = 60.0
    sabotage: str = ""


@dataclass(frozen=True)
class Report:
    """How a run went. ``fallen``: exit codes of workers that ended although nobody asked or killed them."""

    seconds: float
    kills: int
    polite_ends: int
    fallen: list[int]
    left_in_queue: int


# The evidence


@dataclass
class Findings:
    """What the marks prove. ``faults`` is to be empty; ``owners`` are the workers that ran at least one job."""

    double_owners: list[str] = field(default_factory=list)
    jobs_of_one_source_at_once: list[str] = field(default_factory=list)
    revisions_not_growing: list[str] = field(default_factory=list)
    refused_writers: list[str] = field(default_factory=list)
    starts: int = 0
    owners_killed: int = 0
    owners: set[str] = field(default_factory=set)

    @property
    def faults(self) -> list[str]:
        """Everything that must not happen."""
        return [
            *self.double_owners,
            *self.jobs_of_one_source_at_once,
            *self.revisions_not_growing,
            *self.refused_writers,
        ]


class Judge:
    """Reads the marks in their order.

    A killed worker owns its jobs until it is doomed: from then on the kernel may give them to others at any moment.
    Whatever a worker writes for a job after another one has started it proves two owners, doomed or not.
    """

    def __init__(self) -> None:
        self.findings = Findings()
        self._owners: dict[str, str] = {}
        self._at_work: dict[str, tuple[str, str]] = {}
        self._revisions: dict[str, int] = {}
        self._doomed: set[str] = set()

    def start(self, worker: str, job: str, source: str) -> None:
        self.findings.starts += 1
        self.findings.owners.add(worker)
        before = self._owners.get(job)
        if before is not None and before not in self._doomed:
            self.findings.double_owners.append(f"{job}: {before} and {worker}")
        other_job, its_owner = self._at_work.get(source, (job, ""))
        if other_job != job and its_owner not in self._doomed:
            self.findings.jobs_of_one_source_at_once.append(f"{source}: {other_job} and {job}")
        self._owners[job] = worker
        self._at_work[source] = (job, worker)

    def rev(self, worker: str, job: str, revision: str) -> None:
        self._must_own(worker, job)
        if int(revision) <= self._revisions.get(job, 0):
            self.findings.revisions_not_growing.append(f"{job}: {revision} after {self._revisions[job]}")
        self._revisions[job] = int(revision)

    def stale(self, worker: str, job: str) -> None:
        self.findings.refused_writers.append(f"{job}: {worker}")

    def end(self, worker: str, job: str, source: str) -> None:
        if self._must_own(worker, job):
            del self._owners[job]
        if self._at_work.get(source) == (job, worker):
            del self._at_work[source]

    def doomed(self, worker: str) -> None:
        self._doomed.add(worker)
        self.findings.owners_killed += worker in self._owners.values()

    def dead(self, worker: str) -> None:
        """Nothing follows from it: the marks of the dead are judged by their place among the others."""

    def _must_own(self, worker: str, job: str) -> bool:
        owner = self._owners.get(job)
        if owner != worker:
            self.findings.double_owners.append(f"{job}: {worker} still wrote, its owner was {owner}")
        return owner == worker


def judge(marks: Iterable[str]) -> Findings:
    """Tell what the marks prove."""
    reader = Judge()
    for mark in marks:
        what, *words = mark.split()
        getattr(reader, what)(*words)
    return reader.findings


class Evidence:
    """Appends marks to the evidence file."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def mark(self, *words: object) -> None:
        os.write(self._descriptor, (" ".join(map(str, words)) + "\n").encode())

    @property
    def size(self) -> int:
        """How many bytes all processes have written."""
        return os.fstat(self._descriptor).st_size


# The workers


def _everybody_gets_it(lock: FileLock) -> bool:
    """Take a lock that keeps nobody away."""
    lock._descriptor = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    return True


def _make_the_file(lock: FileLock) -> bool:
    """Take a lock that is the existence of a file, as many programs do: nobody frees it for the dead."""
    if lock.held:
        return False
    try:
        lock.path.parent.mkdir(exist_ok=True)
        lock._descriptor = os.open(f"{lock.path}.held", os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return False
    return True


def _remove_the_file(lock: FileLock) -> None:
    if lock.held:
        Path(f"{lock.path}.held").unlink()
        os.close(lock._descriptor)
        lock._descriptor = -1


def _guards_a_job(lock: FileLock) -> bool:
    return lock.path.parent.parent.name == "jobs" or lock.path.parent.name == "source"


def _sabotage(name: str) -> None:
    """Break the locks of jobs and sources in this process; those of the catalogue and of the slots stay valid."""
    take, release = FileLock.try_acquire, FileLock.release
    broken_take, broken_release = SABOTAGES[name]
    patching = pytest.MonkeyPatch()
    patching.setattr(FileLock, "try_acquire", lambda lock: (broken_take if _guards_a_job(lock) else take)(lock))
    releasing = broken_release or release
    patching.setattr(FileLock, "release", lambda lock: (releasing if _guards_a_job(lock) else release)(lock))


SABOTAGES: dict[str, tuple[Callable[[FileLock], bool], Callable[[FileLock], None] | None]] = {
    "locks that exclude nobody": (_everybody_gets_it, None),
    "locks that outlive their owner": (_make_the_file, _remove_the_file),
}


def _take_notes(evidence: Evidence, worker: str) -> None:
    """Put marks where a job is taken, written and given back."""
    save = JobStore.save

    def noted_run(job: JobContext) -> Manifest:
        names = (worker, job.manifest.job_id, job.source.source_id)
        evidence.mark("start", *names)
        try:
            return run_job(job)
        finally:
            evidence.mark("end", *names)

    def noted_save(self: JobStore, manifest: Manifest, *, durable: bool = True) -> None:
        try:
            save(self, manifest, durable=durable)
        except StaleWriterError:
            evidence.mark("stale", worker, manifest.job_id)
            raise
        evidence.mark("rev", worker, manifest.job_id, manifest.rev)

    patching = pytest.MonkeyPatch()
    patching.setattr(engine_module, "run_job", noted_run)
    patching.setattr(JobStore, "save", noted_save)


def _be_a_worker(orders: Orders, worker: str) -> NoReturn:
    code = 1
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        _take_notes(Evidence(orders.evidence), worker)
        quicken(pytest.MonkeyPatch())
        # A job that kills its workers is given up after five attempts; here the killer is another one.
        recovery_module.ATTEMPTS_WITHOUT_PROGRESS = 1000
        if orders.sabotage:
            _sabotage(orders.sabotage)
        run_worker(open_workspace_at(Path(orders.root)), lambda _message, _fields: None, watch=False)
        code = 0
    finally:
        os._exit(code)


# The killer


class Nursery:
    """Forks workers, kills some of them and puts others in their place."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._evidence = Evidence(orders.evidence)
        self._living: dict[str, int] = {}
        self._born = 0
        self._random = random.Random(orders.seed)
        self.kills = self.polite_ends = 0
        self.fallen: list[int] = []

    def fill(self) -> None:
        """Start workers until there are as many as there should be."""
        while len(self._living) < self._orders.workers:
            self._born += 1
            worker = f"w{self._born}"
            child = os.fork()
            if child == 0:
                _be_a_worker(self._orders, worker)
            self._living[worker] = child

    def end_one(self) -> None:
        """Kill any one of them, or now and then ask it to end, and wait until it is gone."""
        worker = self._random.choice(sorted(self._living))
        child = self._living.pop(worker)
        is_asked_to_end = self._random.random() < _ASKED_SHARE
        if not is_asked_to_end:
            self._evidence.mark("doomed", worker)
        os.kill(child, signal.SIGTERM if is_asked_to_end else signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        self._evidence.mark("dead", worker)
        if code in {-signal.SIGKILL, -signal.SIGTERM}:  # asked before it could listen, a young one ends at once
            self.kills += 1
        elif is_asked_to_end and code == 0:
            self.polite_ends += 1
        else:
            self.fallen.append(code)

    def until_next_end(self) -> int:
        """Return how many bytes of evidence to wait for."""
        return int(self._random.uniform(0.5, 1.5) * self._orders.marks_between_ends * _MARK_BYTES)

    def notice_fallen(self) -> None:
        """Note who ended although nobody killed it."""
        for worker, child in list(self._living.items()):
            gone, status = os.waitpid(child, os.WNOHANG)
            if gone:
                self.fallen.append(os.waitstatus_to_exitcode(status))
                del self._living[worker]

    def end(self) -> None:
        """Ask all to end, as `worker stop` does."""
        for child in self._living.values():
            os.kill(child, signal.SIGTERM)
        for child in self._living.values():
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if code not in {0, -signal.SIGTERM}:  # as above: a young one ends at once
                self.fallen.append(code)
        self._living.clear()


def work_off(orders: Orders) -> Report:
    """Let workers work off the queue under fire; returns when it is empty or the time is over."""
    nursery, evidence = Nursery(orders), Evidence(orders.evidence)
    queue = Layout(Path(orders.root)).queue
    started = time.monotonic()
    next_end = nursery.until_next_end()
    nursery.fill()
    while any(queue.iterdir()) and time.monotonic() < started + orders.most_seconds:
        time.sleep(0.002)  # between two looks at the queue
        if orders.marks_between_ends and evidence.size >= next_end:
            nursery.end_one()
            next_end = evidence.size + nursery.until_next_end()
        nursery.notice_fallen()
        nursery.fill()
    seconds = time.monotonic() - started
    nursery.end()
    return Report(round(seconds, 1), nursery.kills, nursery.polite_ends, nursery.fallen, len(list(queue.iterdir())))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(vars(work_off(Orders(**json.load(sys.stdin))))))
