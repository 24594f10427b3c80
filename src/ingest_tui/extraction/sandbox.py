"""Many files, parsed in processes that may hang, crash or eat memory without harming one another.

A pool has one dispatcher thread and up to ``workers`` processes. Small files travel in batches, so that the pipe costs
microseconds per file; a bad file costs itself and nothing else.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import selectors
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from types import TracebackType
from typing import Any, NamedTuple, Self

from ingest_tui.extraction.confinement import Confinement
from ingest_tui.extraction.sandbox_job import (
    WINDOW_MILLISECONDS,
    WINDOW_TASKS,
    Job,
    OnResult,
    output_in,
    result_of,
    take_output,
    take_share,
    wire_form,
)
from ingest_tui.extraction.sandbox_orphans import kill_orphans
from ingest_tui.extraction.sandbox_process import Flight, ParserProcess
from ingest_tui.model.errors import BusyError
from ingest_tui.model.extraction import ParseResult, ParseTask
from ingest_tui.model.parse_limits import FileLimits, ParseLimits, file_limits

_log = logging.getLogger(__name__)

_MAX_ATTEMPTS = 4
_MAX_FAILED_STARTS = 3
_LONGEST_WAIT_SECONDS = 0.25
_CHEAP_SHARE = 0.05
_PERHAPS_OF_OTHERS = ("memory", "crashed")
"""Reasons that a file gets only from a process that has parsed nothing before."""


class Walls(NamedTuple):
    """What the kernel holds the processes of a pool with. ``landlock`` is the version of its ABI, 0 for none."""

    network_isolated: bool
    children_contained: bool
    landlock: int
    seccomp: bool


class ParserPool:
    """Parses files in up to ``workers`` processes, each within ``limits``.

    `submit` may be called from any thread. Every submitted task gets exactly one call of its ``on_result``, **from the
    dispatcher thread**: it should be quick, may call `submit` (which then does not block), and must not call `close`.
    What it raises is logged and raised again by `close`. ``max_waiting`` tasks may wait before `submit` blocks.
    ``test_backend`` lets the content of a file order a misbehaviour; for tests only. ``confinement`` says what the
    processes may read and write; without one only their limits, namespaces and clean environment hold.
    """

    def __init__(
        self,
        workers: int = 2,
        limits: ParseLimits | None = None,
        *,
        max_waiting: int = 1024,
        test_backend: bool = False,
        confinement: Confinement | None = None,
    ) -> None:
        self._workers = max(1, workers)
        self._limits = limits or ParseLimits()
        self._max_waiting = max_waiting
        self._test_backend = test_backend
        self._confinement = confinement
        if confinement is not None:
            confinement.sweep()
        self._state = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._unfinished = 0
        self._open: dict[int, str] = {}
        self._settling = 0
        self._cancels: list[Callable[[str], bool]] = []
        self._is_closing = False
        self._wants_all = False
        self._is_asleep = False
        self._callback_error: BaseException | None = None
        self.failure: BaseException | None = None
        """Why the pool works no more although nobody closed it; what was submitted has no results then."""
        self._processes: list[ParserProcess] = []
        self._failed_starts = 0
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        self.network_isolated: bool | None = None
        """Whether parsers are cut off from the network by the kernel; None until the first has started."""
        self.children_contained: bool | None = None
        """Whether the kernel ends with a parser whatever that has started; None until the first has started."""
        self.landlock: int | None = None
        """The version of Landlock that holds parsers, 0 for none; None until the first has started."""
        self.seccomp: bool | None = None
        """Whether the kernel refuses parsers the calls they do not need; None until the first has started."""
        self._walls: Walls | None = None
        self.processes_started = 0
        self._thread = threading.Thread(target=self._run, name="parser-pool", daemon=True)
        self._thread.start()

    # --- called from any thread -----------------------------------------------------------------------------------

    def submit(self, task: ParseTask, on_result: OnResult) -> None:
        """Queue a task; blocks while ``max_waiting`` are waiting. Raises `BusyError` once the pool is closing."""
        job = Job(task, on_result, file_limits(task.limits or self._limits, task.size))
        with self._state:
            if threading.current_thread() is not self._thread:
                while len(self._waiting) >= self._max_waiting and not self._is_closing:
                    self._wake()
                    self._state.wait()
            if self._is_closing:
                raise BusyError("the parser pool is closed")
            self._waiting.append(job)
            self._unfinished += 1
            self._open[id(job)] = task.task_id
            self._wake()

    def walls(self, seconds: float = 10.0) -> Walls | None:
        """Start the processes and return which walls hold them; None when none has started within ``seconds``."""
        self.warm_up()
        deadline = time.monotonic() + seconds
        with self._state:
            while self._walls is None and time.monotonic() < deadline:
                self._state.wait(0.05)
        return self._walls

    def warm_up(self) -> None:
        """Start all processes now, so that they are ready when the first file is."""
        with self._state:
            self._wants_all = True
            self._wake()

    def cancel(self, which: Iterable[str] | Callable[[str], bool], *, wait: bool = False) -> None:
        """Give up tasks by id, or all whose id satisfies a predicate.

        Their results have status ``failed`` and reason ``cancelled``; what is already being parsed is killed. Returns
        at once, or with ``wait`` when each has its result and no process writes for them any more.
        """
        matches = which if callable(which) else frozenset(which).__contains__
        with self._state:
            self._cancels.append(matches)
            self._wake()
            self._settling += wait
            while wait and self._thread.is_alive() and any(map(matches, self._open.values())):
                self._state.wait(1.0)
            self._settling -= wait

    def drain(self) -> None:
        """Wait until every task submitted so far, and those that their results submit, has its result."""
        with self._state:
            while self._unfinished:
                self._state.wait()

    def close(self, *, cancel: bool = False) -> None:
        """Wait for what is submitted (or give it up with ``cancel``), then end all processes. May be called twice."""
        if cancel:
            self.cancel(lambda _task_id: True)
        with self._state:
            while self._unfinished and self._thread.is_alive():
                self._state.wait(1.0)
            self._is_closing = True
            self._state.notify_all()
            self._wake()
        self._thread.join()
        error, self._callback_error = self._callback_error, None
        if error is not None:
            raise error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close(cancel=kind is not None)

    def _wake(self) -> None:
        if self._is_asleep:
            self._is_asleep = False
            with contextlib.suppress(BlockingIOError):
                os.write(self._wake_write, b"w")

    # --- the dispatcher thread ------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while self._turn():
                pass
        except BaseException as error:  # noqa: BLE001 close() raises it to whoever waits
            _log.exception("the parser pool has failed")
            self.failure = self._callback_error = error
        finally:
            self._end()

    def _turn(self) -> bool:
        self._apply_cancels()
        self._share_out()
        with self._state:
            if self._is_closing and not self._unfinished:
                return False
            self._is_asleep = not self._cancels and not (self._waiting and self._has_room())
            timeout = self._longest_wait() if self._is_asleep else 0.0
        for key, mask in self._selector.select(timeout):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_read, 4096)
            else:
                self._attend(key.fd, key.data, mask)
        self._check_limits()
        return True

    def _longest_wait(self) -> float | None:
        if not any(process.in_flight for process in self._processes):
            return None
        return min(_LONGEST_WAIT_SECONDS, self._limits.silence_seconds / 4, self._limits.total_seconds / 4)

    def _has_room(self) -> bool:
        serving = [process for process in self._processes if not process.is_retiring]
        return len(serving) < self._workers or any(not process.in_flight for process in serving)

    def _attend(self, fd: int, process: ParserProcess, mask: int) -> None:
        if process not in self._processes:
            return
        if fd == process.pidfd:
            self._receive(process)
            self._bury(process)
        elif fd == process.stdout_fd:
            self._receive(process)
        elif mask & selectors.EVENT_WRITE:
            self._write(process)
        elif not process.read_noise():
            self._selector.unregister(fd)

    # --- sharing out ----------------------------------------------------------------------------------------------

    def _share_out(self) -> None:
        """Fill the pipes: the emptiest process first, none with so much that another would have nothing."""
        while True:
            with self._state:
                waiting = len(self._waiting)
                serving = [process for process in self._processes if not process.is_retiring]
                missing = self._workers - len(serving)
                wants_more = missing > 0 and (self._wants_all or (waiting and all(one.in_flight for one in serving)))
            if not wants_more:
                break
            self._start()
        if not waiting:
            self._steal(serving)
        room = [one for one in serving if one.in_flight_weight < WINDOW_MILLISECONDS / 2]
        for process in sorted(room, key=lambda one: one.in_flight_weight):
            if len(process.in_flight) <= WINDOW_TASKS // 2:
                self._fill(process, len(serving))
        for process in self._processes:
            if process.outgoing:
                self._write(process)

    def _fill(self, process: ParserProcess, sharers: int) -> None:
        with self._state:
            fair = max(1, -(-len(self._waiting) // (2 * sharers)))
            room = min(WINDOW_TASKS - len(process.in_flight), fair)
            was_full = len(self._waiting) >= self._max_waiting
            taken = take_share(self._waiting, room, process.in_flight_weight, is_idle=not process.in_flight)
            if was_full and taken:
                self._state.notify_all()
        for job, cost in taken:
            process.queue(wire_form(job), Flight(job, cost))

    def _steal(self, serving: list[ParserProcess]) -> None:
        """Let a process without work have what another has not begun."""
        idle = [one for one in serving if not one.in_flight]
        backlog = [one for one in serving if len(one.in_flight) > 1 and one.said_hello]
        if not backlog or (not idle and len(serving) >= self._workers):
            return
        longest = max(backlog, key=lambda one: one.in_flight_weight)
        if longest.in_flight_weight < WINDOW_MILLISECONDS / 8 and time.monotonic() - longest.began_at < 0.05:  # noqa: PLR2004
            return  # it will be done before the other has begun
        self._requeue([flight.payload for flight in longest.take_back()])

    def _requeue(self, jobs: list[Job]) -> None:
        with self._state:
            self._waiting.extendleft(reversed(jobs))

    def _start(self) -> ParserProcess:
        process = ParserProcess.start(self._limits, test_backend=self._test_backend, confinement=self._confinement)
        self.processes_started += 1
        self._processes.append(process)
        for fd in (process.stdout_fd, process.stderr_fd, process.pidfd):
            self._selector.register(fd, selectors.EVENT_READ, process)
        return process

    def _write(self, process: ParserProcess) -> None:
        more = process.write_some()
        is_registered = process.stdin_fd in self._selector.get_map()
        if more and not is_registered:
            self._selector.register(process.stdin_fd, selectors.EVENT_WRITE, process)
        elif is_registered and not more:
            self._selector.unregister(process.stdin_fd)

    # --- results --------------------------------------------------------------------------------------------------

    def _receive(self, process: ParserProcess) -> None:
        if process.forger_is_unknown:
            return  # nothing it says is believed any more
        finished = 0
        try:
            for line in process.read_lines():
                if "result" in line:
                    finished += self._land(process, line)
                else:
                    self._take_note(process, line)
        except (ValueError, LookupError, TypeError):  # not JSON, or JSON of another form
            process.forger_is_unknown = True
            process.kill(
                "crashed", "the parser wrote something that is not a result", "try another backend for this file"
            )
        self._count_finished(finished)
        if process.served >= self._limits.max_tasks_per_process:
            self._retire(process)
        if process.is_retiring and not process.in_flight:
            self._forget(process.stdin_fd)
            process.finish()

    def _land(self, process: ParserProcess, line: dict[str, Any]) -> int:
        """Deliver one result; return how many tasks that finishes. Raises as `result_of` for what is no result."""
        flight = process.in_flight.get(line["seq"])
        if flight is None:
            return 0
        is_spent, result = line["retire"], result_of(line["result"], flight.payload.task)
        if process.scratch and result.status == "parsed":
            result = _taken(result, output_in(process.scratch, line["seq"]), flight.payload.task.output_path)
        process.land(line["seq"])
        process.served += 1.0 if flight.weight > 1.0 else _CHEAP_SHARE
        if is_spent:
            self._retire(process)
        if result.reason == "memory":
            if self._gets_its_own(flight.payload, line["seq"], result.reason):
                return 0
            detail, hint = flight.payload.limits.out_of_memory()
            result = replace(result, detail=detail, hint=hint)
        self._deliver(flight.payload, result)
        return 1

    def _take_note(self, process: ParserProcess, line: dict[str, Any]) -> None:
        if "returned" in line:
            if line["returned"] > process.taken_back_to and not process.is_retiring:
                raise ValueError("nobody asked for it")
            flight = process.land(line["returned"])
            if flight is not None:
                self._requeue([flight.payload])
        elif "hello" in line:
            self._welcome(process, **line["hello"])
        elif line["resident_bytes"] > self._limits.grown_bytes or line["open_files"] * 2 > self._limits.open_files:
            self._retire(process)

    def _welcome(
        self,
        process: ParserProcess,
        *,
        pid: int,
        network_isolated: bool,
        children_contained: bool,
        landlock: int,
        seccomp: bool,
    ) -> None:
        is_first = self.network_isolated is None
        process.greet(pid=pid, children_contained=children_contained)
        self._failed_starts = 0
        self.network_isolated = network_isolated
        self.children_contained = children_contained
        self.landlock, self.seccomp = landlock, seccomp
        with self._state:
            self._walls = Walls(network_isolated, children_contained, landlock, seccomp)
            self._state.notify_all()
        if is_first and not children_contained:
            kill_orphans()  # of a pool whose process was killed

    def _deliver(self, job: Job, result: ParseResult) -> None:
        try:
            job.on_result(result)
        except Exception as error:  # noqa: BLE001 close() raises it
            _log.exception("on_result failed for %s", job.task.task_id)
            self._callback_error = self._callback_error or error
        with self._state:
            self._open.pop(id(job), None)
            if self._settling:
                self._state.notify_all()

    def _count_finished(self, count: int) -> None:
        if count:
            with self._state:
                self._unfinished -= count
                if not self._unfinished:
                    self._state.notify_all()

    def _fail(self, job: Job, reason: str, detail: str, hint: str = "") -> None:
        with contextlib.suppress(OSError):
            os.unlink(job.task.output_path)  # noqa: PTH108 what a dead parser left
        self._deliver(job, ParseResult(job.task.task_id, "failed", reason, detail, hint))
        self._count_finished(1)

    # --- trouble --------------------------------------------------------------------------------------------------

    def _forget(self, fd: int) -> None:
        if fd >= 0 and fd in self._selector.get_map():
            self._selector.unregister(fd)

    def _retire(self, process: ParserProcess) -> None:
        if not process.is_retiring:
            process.is_retiring = True
            self._requeue([flight.payload for flight in process.take_back()])

    def _check_limits(self) -> None:
        now = time.monotonic()
        for process in self._processes:
            if process.in_flight and process.kill_reason is None:
                passed = process.overdue(self._limits_of(process.begun_seq(), process), now)
                if passed:
                    process.kill("timeout", *passed)

    def _limits_of(self, seq: int, process: ParserProcess) -> FileLimits:
        flight = process.in_flight.get(seq)
        return flight.payload.limits if flight is not None else file_limits(self._limits.whatever_the_size(), 0)

    def _bury(self, process: ParserProcess) -> None:
        """Blame the task that was being parsed, give the others to the next process."""
        begun = process.begun_seq()
        for fd in (process.stdout_fd, process.stderr_fd, process.pidfd, process.stdin_fd):
            self._forget(fd)
        status = process.bury()
        self._processes.remove(process)
        if not process.said_hello:
            self._failed_starts += 1
        if process.forger_is_unknown:
            # It may have gone on to another task since: several are tried again, each alone, which tells.
            begun = next(iter(process.in_flight)) if len(process.in_flight) == 1 else 0
        reason, detail, hint = process.cause_of_death(status, self._limits_of(begun, process))
        guilty = process.land(begun)
        others: list[Job] = [flight.payload for flight in process.in_flight.values()]
        process.in_flight.clear()
        died_by_itself = process.kill_reason is None
        if guilty is not None and not (died_by_itself and self._gets_its_own(guilty.payload, begun, reason)):
            self._fail(guilty.payload, reason, detail, hint)
        self._try_again(others, reason, detail)

    def _gets_its_own(self, job: Job, seq: int, reason: str) -> bool:
        """Try a file that died of its process in one that has parsed nothing before; return whether that is done.

        What earlier files left there, in memory or in a library, may have been the cause.
        """
        if reason not in _PERHAPS_OF_OTHERS or seq <= 1 or job.had_its_own:
            return False
        with contextlib.suppress(OSError):
            os.unlink(job.task.output_path)  # noqa: PTH108 what a dead parser left
        job.had_its_own = True
        process = self._start()
        process.queue(wire_form(job), Flight(job, 0.0))
        return True

    def _try_again(self, jobs: list[Job], reason: str, detail: str) -> None:
        """Queue again what was only in the same pipe; nothing, when no process comes up at all."""
        is_hopeless = self._failed_starts >= _MAX_FAILED_STARTS
        if is_hopeless:
            self._failed_starts = 0
            with self._state:
                jobs = [*jobs, *self._waiting]
                self._waiting.clear()
                self._state.notify_all()
        again: list[Job] = []
        for job in jobs:
            job.attempts += 1
            if is_hopeless or job.attempts >= _MAX_ATTEMPTS:
                self._fail(job, reason, detail)
                continue
            with contextlib.suppress(OSError):
                os.unlink(job.task.output_path)  # noqa: PTH108 finished, but its result was lost with the process
            again.append(job)
        self._requeue(again)

    def _apply_cancels(self) -> None:
        with self._state:
            if not self._cancels:
                return
            cancels, self._cancels = self._cancels, []
        for process in self._processes:
            self._requeue([flight.payload for flight in process.take_back()])
        with self._state:
            waiting, self._waiting = list(self._waiting), deque()
            given_up = [job for job in waiting if any(matches(job.task.task_id) for matches in cancels)]
            ids = {id(job) for job in given_up}
            self._waiting.extend(job for job in waiting if id(job) not in ids)
            self._state.notify_all()
        for process in self._processes:
            if any(matches(one.payload.task.task_id) for one in process.in_flight.values() for matches in cancels):
                process.kill("cancelled", "given up on request")
        for job in given_up:
            self._fail(job, "cancelled", "given up on request")

    def _end(self) -> None:
        for process in self._processes:
            process.kill("cancelled", "the pool was closed")
        for process in self._processes:
            process.bury()
        self._processes.clear()
        self._selector.close()
        os.close(self._wake_read)
        with self._state:
            os.close(self._wake_write)
            self._is_asleep = False
            self._is_closing = True
            self._unfinished = 0
            self._state.notify_all()


def _taken(result: ParseResult, written: str, wanted: str) -> ParseResult:
    """Return a result whose text is where its task wants it, or that of not getting it there."""
    try:
        take_output(written, wanted)
    except OSError as error:
        is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        reason = "disk_full" if is_full else "unreadable"
        return ParseResult(result.task_id, "failed", reason, f"its text cannot be kept: {error.strerror}")
    return result
