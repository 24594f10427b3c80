"""A soak: processes that do everything at once to one workspace, killed at random, while it is rebuilt again and again.

Run as a program it forks actors from one process that has everything imported already: workers, which are `run_worker`
without parser processes, commanders, which do what people do, and one that rebuilds the catalogue. What none of them
may meet is a finding, one JSON line each in the file of findings; a refusal (busy, not found, wrong usage) is none.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from ingest_tui.model.document import IngestedDocument
from ingest_tui.model.errors import (
    BusyError,
    IngestError,
    NotFoundError,
    RefusedError,
    StaleWriterError,
    StoreError,
    UsageError,
    ValidationError,
)
from ingest_tui.model.hashing import compute_content_hash
from ingest_tui.pipeline.job import recovery as recovery_module
from ingest_tui.services import workspaces
from ingest_tui.services.api import WorkspaceHandle, open_workspace
from ingest_tui.services.documents import documents, uploads
from ingest_tui.services.jobs import holds, jobs
from ingest_tui.services.jobs.source_claims import WaitPolicy
from ingest_tui.services.sources import sources
from ingest_tui.services.verify.verify import VerifyScope, verify
from ingest_tui.store.catalogue.connection import LOST, MISSING
from ingest_tui.store.catalogue.opening import open_catalogue
from ingest_tui.store.fs.leftovers import sweep_leftovers
from ingest_tui.store.verify import verify_store
from ingest_tui.worker.loop import run_worker
from tests.faults.crash_lab import quicken, run_queue

_PR_SET_PDEATHSIG = 1
_REFUSALS = (BusyError, NotFoundError, RefusedError, StaleWriterError, UsageError, ValidationError)
_SOURCES = ("north", "south", "shared")
_WAIT_POLICY = WaitPolicy(2.0, lambda _job: None)
_WORDS = ("rain", "snow", "wind", "hail", "fog", "sun")


@dataclass(frozen=True)
class Orders:
    """What a run is to do. ``seconds_between_kills`` and ``seconds_between_rebuilds`` are means.

    ``without`` names what commanders leave out, to find out what a finding comes from. With ``share_of_losses`` the
    catalogue is removed at that share of the kills.
    """

    root: str
    seconds: float
    seed: int = 1
    workers: int = 2
    commanders: int = 3
    seconds_between_kills: float = 1.0
    seconds_between_rebuilds: float = 3.0
    without: tuple[str, ...] = ()
    share_of_losses: float = 0.0

    @property
    def workspace(self) -> Path:
        return Path(self.root) / "workspace"

    @property
    def findings(self) -> Path:
        return Path(self.root) / "findings.jsonl"

    @property
    def deeds(self) -> Path:
        return Path(self.root) / "deeds.log"

    def folder(self, source: str) -> Path:
        """Return the folder of a source; two of the sources read the same one."""
        return Path(self.root) / "files" / ("north" if source == "shared" else source)


def note(path: Path, line: str) -> None:
    """Append a line with one write, so that lines of several processes do not mix."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, f"{line}\n".encode())
    finally:
        os.close(descriptor)


class Commander:
    """Does what people do, one thing after the other, at random."""

    def __init__(self, orders: Orders, seed: int) -> None:
        self._orders = orders
        self._random = random.Random(seed)
        self._deeds: list[tuple[int, Callable[[WorkspaceHandle], object]]] = [
            (8, self.edit_file),
            (3, self.copy_file),
            (3, self.move_file),
            (3, self.delete_file),
            (4, self.sync),
            (4, self.remove_documents),
            (4, self.restore_document),
            (1, self.remove_source),
            (3, self.add_source),
            (2, self.upload),
            (2, self.register),
            (2, self.cancel_job),
            (2, self.pause_job),
            (4, self.resume_job),
            (1, self.retry_job),
            (1, self.approve_job),
            (3, self.search),
        ]

    def run(self) -> None:
        """Act until killed."""
        while True:
            with open_workspace(self._orders.workspace) as handle:
                for _ in range(20):
                    self._act(handle)

    def _act(self, handle: WorkspaceHandle) -> None:
        chosen = [pair for pair in self._deeds if pair[1].__name__ not in self._orders.without]
        weights, deeds = zip(*chosen, strict=True)
        (deed,) = self._random.choices(deeds, weights)
        try:
            deed(handle)
            note(self._orders.deeds, deed.__name__)
        except _REFUSALS as refusal:
            note(self._orders.deeds, f"{deed.__name__} refused: {type(refusal).__name__}")
        except Exception as error:  # noqa: BLE001 - exactly these are looked for
            if isinstance(error, StoreError) and error.reason in {LOST, MISSING} and self._orders.share_of_losses:
                return  # it was removed in this moment: nothing is done rather than something wrong
            told = {"deed": deed.__name__, "error": repr(error), "where": traceback.format_exc()[-3000:]}
            note(self._orders.findings, json.dumps(told))

    # Files

    def _file(self) -> Path:
        folder = self._orders.folder(self._random.choice(_SOURCES))
        return folder / f"{self._random.randrange(12)}.md"

    def _text(self) -> str:
        return f"# {self._random.choice(_WORDS)}\n\nnumber{self._random.randrange(40)}\n"

    def edit_file(self, _handle: WorkspaceHandle) -> None:
        self._file().write_text(self._text())

    def copy_file(self, _handle: WorkspaceHandle) -> None:
        with contextlib.suppress(FileNotFoundError, shutil.SameFileError):
            shutil.copy2(self._file(), self._file())

    def move_file(self, _handle: WorkspaceHandle) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._file().rename(self._file())

    def delete_file(self, _handle: WorkspaceHandle) -> None:
        self._file().unlink(missing_ok=True)

    # Commands

    def sync(self, handle: WorkspaceHandle) -> None:
        force = self._random.random() < 0.1
        jobs.enqueue_sync(handle.workspace, self._random.choice(_SOURCES), force=force)

    def remove_documents(self, handle: WorkspaceHandle) -> None:
        here = documents.list_documents(handle.workspace, limit=50)
        chosen = self._random.sample(here, min(len(here), self._random.randint(1, 3)))
        if chosen:
            ids = [document.document_id for document in chosen]
            documents.remove_documents(handle.workspace, ids, wait_policy=_WAIT_POLICY)

    def restore_document(self, handle: WorkspaceHandle) -> None:
        retired = documents.list_documents(handle.workspace, state="retired", limit=50)
        if retired:
            documents.restore_document(handle.workspace, self._random.choice(retired).document_id)

    def add_source(self, handle: WorkspaceHandle) -> None:
        name = self._random.choice(_SOURCES)
        sources.add_source(
            handle.workspace, source_type="local", name=name, config={"path": str(self._orders.folder(name))}
        )

    def remove_source(self, handle: WorkspaceHandle) -> None:
        keep = self._random.random() < 0.5
        name = self._random.choice(_SOURCES)
        sources.remove_source(handle.workspace, name, keep_documents=keep, wait_policy=_WAIT_POLICY)

    def upload(self, handle: WorkspaceHandle) -> None:
        folder = Path(self._orders.root) / "uploads" / str(os.getpid())
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self._random.randrange(6)}.md"
        path.write_text(self._text())
        uploads.upload_files(handle.workspace, [path])

    def register(self, handle: WorkspaceHandle) -> None:
        text = self._text()
        name = f"script:{self._random.randrange(6)}"
        handle.register("default", IngestedDocument(text, name, "script", {}, compute_content_hash(text), None))

    def _job(self, handle: WorkspaceHandle) -> str:
        queued = handle.workspace.jobs.queued_ids()
        if not queued:
            raise NotFoundError("no job")
        return self._random.choice(queued)

    def cancel_job(self, handle: WorkspaceHandle) -> None:
        jobs.cancel_job(handle.workspace, self._job(handle))

    def pause_job(self, handle: WorkspaceHandle) -> None:
        jobs.pause_job(handle.workspace, self._job(handle))

    def resume_job(self, handle: WorkspaceHandle) -> None:
        jobs.resume_job(handle.workspace, self._job(handle))

    def _ended_job(self, handle: WorkspaceHandle) -> str:
        ended = [job.job_id for job in jobs.list_jobs(handle.workspace) if job.ended]
        return self._random.choice(ended[:20] or ["none"])

    def retry_job(self, handle: WorkspaceHandle) -> None:
        jobs.retry_job(handle.workspace, self._ended_job(handle))

    def approve_job(self, handle: WorkspaceHandle) -> None:
        holds.approve_job(handle.workspace, self._ended_job(handle))

    def search(self, handle: WorkspaceHandle) -> None:
        handle.search(self._random.choice(_WORDS))


# Actors


def _work(orders: Orders) -> None:
    with open_workspace(orders.workspace) as handle:
        run_worker(handle.workspace, lambda _message, _fields: None, watch=False)


def _rebuild_again_and_again(orders: Orders, seed: int) -> None:
    chance = random.Random(seed)
    with open_workspace(orders.workspace) as handle:
        while True:
            time.sleep(chance.uniform(0.5, 1.5) * orders.seconds_between_rebuilds)
            try:
                report = workspaces.rebuild(handle.workspace)
            except BusyError:
                continue
            note(orders.deeds, "rebuild")
            for problem in report.problems:
                note(orders.findings, json.dumps({"rebuild": problem.as_dict()}))


def _act(orders: Orders, role: str, seed: int) -> None:
    if role == "worker":
        _work(orders)
    elif role == "rebuilder":
        _rebuild_again_and_again(orders, seed)
    else:
        Commander(orders, seed).run()


def _be(orders: Orders, role: str, seed: int) -> NoReturn:
    """Be an actor until killed; one that ends by itself is a finding."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    try:
        _act(orders, role, seed)
    except BaseException:  # noqa: BLE001 - the process ends here
        note(orders.findings, json.dumps({"actor": role, "where": traceback.format_exc()[-3000:]}))
    os._exit(1)


def soak(orders: Orders) -> Counter[str]:
    """Let actors loose on the workspace for a while, killing one now and then; returns how often what was done."""
    chance = random.Random(orders.seed)
    roles = ["worker"] * orders.workers + ["commander"] * orders.commanders + ["rebuilder"]
    living: dict[int, str] = {}
    kills = 0
    deadline = time.monotonic() + orders.seconds
    while time.monotonic() < deadline:
        for role in _missing(roles, living):
            seed = chance.randrange(2**32)
            child = os.fork()
            if child == 0:
                _be(orders, role, seed)
            living[child] = role
        time.sleep(chance.uniform(0.5, 1.5) * orders.seconds_between_kills)
        doomed = chance.choice(sorted(living))
        _kill(doomed)
        kills += 1
        del living[doomed]
        if chance.random() < orders.share_of_losses:
            _lose_catalogue(orders)
    for child in living:
        _kill(child)
    lines = orders.deeds.read_text().splitlines() if orders.deeds.exists() else []
    return Counter(lines) + Counter(kills=kills)


def _lose_catalogue(orders: Orders) -> None:
    for path in orders.workspace.glob("catalogue.db*"):
        path.unlink(missing_ok=True)


def _missing(roles: list[str], living: dict[int, str]) -> list[str]:
    return list((Counter(roles) - Counter(living.values())).elements())


def _kill(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


# The end


def settle(orders: Orders) -> None:
    """Let what is queued come to its end, then sync every source that is there once more."""
    with open_workspace(orders.workspace) as handle:
        sweep_leftovers(handle.workspace.layout)  # as a worker does; the last rebuild was killed, perhaps
        for _turn in range(2):
            for job_id in handle.workspace.jobs.queued_ids():
                with contextlib.suppress(IngestError):
                    jobs.resume_job(handle.workspace, job_id)
            run_queue(handle.workspace)
            for source in handle.sources:
                with contextlib.suppress(UsageError):
                    jobs.enqueue_sync(handle.workspace, source.source_id)
        run_queue(handle.workspace)


def judge(orders: Orders) -> list[str]:
    """Return everything that is wrong in the end."""
    lines = orders.findings.read_text().splitlines() if orders.findings.exists() else []
    with open_workspace(orders.workspace) as handle:
        layout = handle.workspace.layout
        open_catalogue(layout).close()  # made again where it was lost
        lines += [str(finding) for finding in verify(handle.workspace, VerifyScope(deep=True))]
        lines += [f"left in the queue: {job_id}" for job_id in handle.workspace.jobs.queued_ids()]
        before = _answers(handle)
        lines += [str(problem) for problem in workspaces.rebuild(handle.workspace).problems]
        lines += [f"after a rebuild: {finding}" for finding in verify_store(layout, handle.workspace.catalogue)]
        if _answers(handle) != before:
            lines.append("a rebuild changes what is found")
    lines += [f"left over: {path.relative_to(layout.root)}" for path in layout.root.glob("catalogue.rebuild*")]
    return lines


def _answers(handle: WorkspaceHandle) -> list[tuple[str, list[tuple[str, int]]]]:
    found = ((word, handle.search(word, limit=1000)) for word in _WORDS)
    return [(word, sorted((hit.document_id, hit.version) for hit in hits)) for word, hits in found]


def main() -> None:
    """Run the soak that the orders on stdin describe; print what was done and what is wrong as JSON."""
    orders = Orders(**json.loads(sys.stdin.read()))
    quicken(pytest.MonkeyPatch())
    recovery_module.ATTEMPTS_WITHOUT_PROGRESS = 10_000  # these workers are killed at once
    for name in _SOURCES:
        orders.folder(name).mkdir(parents=True, exist_ok=True)
    deeds = soak(orders)
    settle(orders)
    print(json.dumps({"deeds": deeds, "findings": judge(orders)}))  # noqa: T201


if __name__ == "__main__":
    main()
