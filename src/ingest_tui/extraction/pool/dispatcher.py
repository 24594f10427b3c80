"""The thread of a parser pool: it shares tasks out to processes, takes their results, and blames what harms them."""

from __future__ import annotations

import errno
import logging
import selectors
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ingest_tui.extraction.pool.confinement import Confinement
from ingest_tui.extraction.pool.orphans import kill_orphans
from ingest_tui.extraction.pool.process import Flight, ParserProcess
from ingest_tui.extraction.pool.task import (
    WINDOW_MILLISECONDS,
    WINDOW_TASKS,
    Job,
    drop_outputs,
    result_of,
    take_outputs,
    wire_form,
)
from ingest_tui.extraction.pool.task_queue import TaskQueue, Walls
from ingest_tui.model.extraction import AtWork, ParseResult, ParseTask
from ingest_tui.model.parse_limits import FileLimits, ParseLimits, file_limits

_log = logging.getLogger(__name__)

_MAX_ATTEMPTS = 4
_MAX_FAILED_STARTS = 3
_LONGEST_WAIT_SECONDS = 0.25
_SOON_SECONDS = 0.025
_START_MILLISECONDS = 50.0
"""A process uses more than that to start, and to load what reads documents: for less work there is none besides one."""
_START_SECONDS = 0.25
"""How long a task may take before what is next to it is worth a process all the same."""
_CHEAP_SHARE = 0.05
_FITTING_SECONDS = 2.0
_IDLE_SECONDS = 30.0
"""How long processes without work may hold memory that others need before anybody looks."""
_NOTED_SECONDS = 0.1
"""What is at work is noted that often; small files come and go thousands of times a second."""
_PERHAPS_OF_OTHERS = ("memory", "crashed")
"""Reasons that a file gets only from a process that has parsed nothing before."""


class Dispatcher:
    """Runs the tasks of a queue in up to ``workers`` processes, each within ``limits``. `run` is its thread."""

    def __init__(
        self,
        queue: TaskQueue,
        workers: int,
        limits: ParseLimits,
        *,
        confinement: Confinement | None,
        parser: str | None,
        processes_now: Callable[[int], int],
    ) -> None:
        self._queue = queue
        self._most_workers = self._workers = workers
        self._processes_now = processes_now
        self._next_fitting = 0.0
        self._limits = limits
        self._confinement = confinement
        self._parser = parser
        self._processes: list[ParserProcess] = []
        self._failed_starts = 0
        self._has_welcomed = False
        self._selector = selectors.DefaultSelector()
        self._selector.register(queue.wake_fd, selectors.EVENT_READ, None)
        self.failure: BaseException | None = None
        self.at_work: tuple[AtWork, ...] = ()
        """What is being parsed; replaced as a whole, for whoever asks from another thread."""
        self._noted_at = 0.0
        self.processes_started = 0

    def run(self) -> None:
        """Dispatch until the queue is closed and empty; what fails is kept as ``failure``."""
        try:
            while self._turn():
                pass
        except BaseException as error:  # noqa: BLE001 the pool raises it to whoever closes it
            _log.debug("the parser pool has failed", exc_info=True)  # who closes it says so, in words
            self.failure = self._queue.callback_error = error
        finally:
            self._end()

    def _turn(self) -> bool:
        self._apply_cancels()
        self._fit_to_room()
        self._share_out()
        if self._queue.is_done:
            return False
        is_soon = self._is_answered_soon()
        timeout: float | None = 0.0
        if self._queue.falls_asleep(has_room=self._has_room(), may_gather=is_soon):
            timeout = _SOON_SECONDS if is_soon else self._longest_wait()
        for key, mask in self._selector.select(timeout):
            if key.data is None:
                self._queue.wake_up()
            else:
                self._attend(key.fd, key.data, mask)
        self._check_limits()
        return True

    def _is_answered_soon(self) -> bool:
        """Whether a process should be done with a small task in a moment, and has not already taken long over it."""
        lately = time.monotonic() - 2 * _SOON_SECONDS
        at_work = [one for one in self._serving() if one.in_flight]
        return any(one.in_flight_weight < WINDOW_MILLISECONDS and one.began_at > lately for one in at_work)

    def _longest_wait(self) -> float | None:
        if not any(process.in_flight for process in self._processes):
            return _IDLE_SECONDS if self._processes else None
        return min(_LONGEST_WAIT_SECONDS, self._limits.silence_seconds / 4, self._limits.total_seconds / 4)

    def _fit_to_room(self) -> None:
        """Look how many processes there is room for now, and let those that are too many end after what they parse."""
        if time.monotonic() < self._next_fitting:
            return
        self._next_fitting = time.monotonic() + _FITTING_SECONDS
        self._workers = max(1, min(self._most_workers, self._processes_now(self._most_workers)))
        serving = sorted(self._serving(), key=lambda one: one.in_flight_weight)
        for process in serving[: max(0, len(serving) - self._workers)]:
            self._retire(process)
            self._let_go_of_retired(process)

    def _has_room(self) -> bool:
        serving = self._serving()
        return self._is_worth_another(serving) or any(not process.in_flight for process in serving)

    def _is_worth_another(self, serving: list[ParserProcess]) -> bool:
        """Whether one more process may start: there is room for it, and more to do than its start takes."""
        if len(serving) >= self._workers:
            return False
        at_work = [process for process in serving if process.in_flight]
        lately = time.monotonic() - _START_SECONDS
        if not at_work or any(process.said_hello and process.began_at < lately for process in at_work):
            return True
        in_flight = sum(process.in_flight_weight for process in at_work)
        return in_flight + self._queue.weight_waiting(_START_MILLISECONDS) > _START_MILLISECONDS

    def _serving(self) -> list[ParserProcess]:
        return [process for process in self._processes if not process.is_retiring]

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
            waiting, serving = self._queue.count_waiting(), self._serving()
            is_short = waiting and all(one.in_flight for one in serving) and self._is_worth_another(serving)
            if len(serving) >= self._workers or not (self._queue.wants_all or is_short):
                break
            self._start()
        if not waiting:
            self._steal(serving)
            serving = self._serving()
        room = [one for one in serving if one.in_flight_weight < WINDOW_MILLISECONDS / 2]
        for process in sorted(room, key=lambda one: one.in_flight_weight):
            if len(process.in_flight) <= WINDOW_TASKS // 2:
                self._fill(process, len(serving))
        for process in self._processes:
            if process.outgoing:
                self._write(process)

    def _fill(self, process: ParserProcess, sharers: int) -> None:
        room = WINDOW_TASKS - len(process.in_flight)
        for job in self._queue.take(sharers, room, process.in_flight_weight, is_idle=not process.in_flight):
            process.queue(wire_form(job), Flight(job, job.cost))

    def _steal(self, serving: list[ParserProcess]) -> None:
        """Let a process without work have what another has not begun."""
        idle = [one for one in serving if not one.in_flight]
        backlog = [one for one in serving if len(one.in_flight) > 1 and one.said_hello]
        if not backlog or (not idle and not self._is_worth_another(serving)):
            return
        longest = max(backlog, key=lambda one: one.in_flight_weight)
        if longest.in_flight_weight < WINDOW_MILLISECONDS / 8 and time.monotonic() - longest.began_at < 0.05:  # noqa: PLR2004
            return  # it will be done before the other has begun
        if not idle:
            self._start()
        self._queue.put_back([flight.payload for flight in longest.take_back()])

    def _start(self) -> ParserProcess:
        process = ParserProcess.start(self._limits, confinement=self._confinement, parser=self._parser)
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
        self._queue.count_finished(finished)
        if process.served >= self._limits.max_tasks_per_process:
            self._retire(process)
        self._let_go_of_retired(process)

    def _let_go_of_retired(self, process: ParserProcess) -> None:
        if process.is_retiring and not process.in_flight:
            self._forget(process.stdin_fd)
            process.finish()

    def _land(self, process: ParserProcess, line: dict[str, Any]) -> int:
        """Deliver one result; return how many tasks that finishes.

        Raises as `result_of` for what is no result, ValueError for one of a task that it does not have.
        """
        flight = process.in_flight.get(line["seq"])
        if flight is None:
            if line["seq"] > process.taken_back_to:
                raise ValueError("nobody asked for it")
            return 0
        is_spent, result = line["retire"], result_of(line["result"], flight.payload.task)
        if process.scratch and (result.status in {"parsed", "container"} or result.members):
            result = _taken(result, line["seq"], process.scratch, flight.payload.task)
        process.land(line["seq"])
        process.served += 1.0 if flight.weight > 1.0 else _CHEAP_SHARE
        if is_spent:
            self._retire(process)
        if result.reason == "memory":
            if self._gets_its_own(flight.payload, line["seq"], result.reason):
                return 0
            detail, hint = flight.payload.limits.out_of_memory()
            result = replace(result, detail=detail, hint=hint)
        self._queue.deliver(flight.payload, result)
        return 1

    def _take_note(self, process: ParserProcess, line: dict[str, Any]) -> None:
        if "returned" in line:
            if line["returned"] > process.taken_back_to and not process.is_retiring:
                raise ValueError("nobody asked for it")
            flight = process.land(line["returned"])
            if flight is not None:
                self._queue.put_back([flight.payload])
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
        unprivileged: bool,
    ) -> None:
        is_first = not self._has_welcomed
        process.greet(pid=pid, children_contained=children_contained)
        self._failed_starts = 0
        self._has_welcomed = True
        self._queue.note_walls(Walls(network_isolated, children_contained, landlock, seccomp, unprivileged))
        if is_first and not children_contained:
            kill_orphans()  # of a pool whose process was killed

    def _fail(self, job: Job, reason: str, detail: str, hint: str = "") -> None:
        drop_outputs(job.task)
        self._queue.deliver(job, ParseResult(job.task.task_id, "failed", reason, detail, hint))
        self._queue.count_finished(1)

    # --- failures -------------------------------------------------------------------------------------------------

    def _forget(self, fd: int) -> None:
        if fd >= 0 and fd in self._selector.get_map():
            self._selector.unregister(fd)

    def _retire(self, process: ParserProcess) -> None:
        if not process.is_retiring:
            process.is_retiring = True
            self._queue.put_back([flight.payload for flight in process.take_back()])

    def _check_limits(self) -> None:
        now = time.monotonic()
        for process in self._processes:
            if process.in_flight and process.kill_reason is None:
                passed = process.overdue(self._limits_of(process.begun_seq(), process), now)
                if passed:
                    process.kill("timeout", *passed)
        self._note_what_is_at_work(now)

    def _note_what_is_at_work(self, now: float) -> None:
        if self.at_work and not any(process.in_flight for process in self._processes):
            self.at_work = ()
        elif now - self._noted_at > _NOTED_SECONDS:
            self._noted_at = now
            at_work = [process.at_work() for process in self._processes if process.said_hello]
            self.at_work = tuple(one for one in at_work if one is not None)

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
        drop_outputs(job.task)
        job.had_its_own = True
        process = self._start()
        process.queue(wire_form(job), Flight(job, 0.0))
        return True

    def _try_again(self, jobs: list[Job], reason: str, detail: str) -> None:
        """Queue again what was only in the same pipe; nothing, when no process comes up at all."""
        is_hopeless = self._failed_starts >= _MAX_FAILED_STARTS
        if is_hopeless:
            self._failed_starts = 0
            jobs = [*jobs, *self._queue.take_all()]
        again: list[Job] = []
        for job in jobs:
            job.attempts += 1
            if is_hopeless or job.attempts >= _MAX_ATTEMPTS:
                self._fail(job, reason, detail)
                continue
            drop_outputs(job.task)
            again.append(job)
        self._queue.put_back(again)

    def _apply_cancels(self) -> None:
        cancels = self._queue.take_cancels()
        if not cancels:
            return
        for process in self._processes:
            self._queue.put_back([flight.payload for flight in process.take_back()])
        given_up = self._queue.take_matching(cancels)
        for process in self._processes:
            if any(matches(one.payload.task.task_id) for one in process.in_flight.values() for matches in cancels):
                process.kill("cancelled", "given up on request")
        for job in given_up:
            self._fail(job, "cancelled", "given up on request")

    def _end(self) -> None:
        try:
            for process in self._processes:
                process.kill("cancelled", "the pool was closed")
            for process in self._processes:
                process.bury()
            self._processes.clear()
            self._selector.close()
        finally:
            self._queue.end()


def _taken(result: ParseResult, seq: int, scratch: str, task: ParseTask) -> ParseResult:
    """Return a result whose text and members are where its task wants them, or that of not getting them there."""
    try:
        take_outputs(result, seq, scratch, task)
    except OSError as error:
        is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        reason = "disk_full" if is_full else "unreadable"
        return ParseResult(result.task_id, "failed", reason, f"its text cannot be kept: {error.strerror}")
    return result
