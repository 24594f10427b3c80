"""The tasks of a parser pool: what callers hand in, and what they wait for. Shared by them and the dispatcher."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from ingest_tui.extraction.pool.task import WORTHWHILE_MILLISECONDS, Job, take_share
from ingest_tui.model.errors import BusyError
from ingest_tui.model.extraction import ParseResult

_log = logging.getLogger(__name__)

Matches = Callable[[str], bool]


class Walls(NamedTuple):
    """What the kernel holds the processes of a pool with. ``landlock`` is the version of its ABI, 0 for none."""

    network_isolated: bool
    children_contained: bool
    landlock: int
    seccomp: bool
    unprivileged: bool
    """Whether it has no capability, also as root."""


class TaskQueue:
    """Tasks that wait, and how many have no result yet. The first part is for callers, the second for the dispatcher.

    ``wake_fd`` becomes readable when the dispatcher, having said that it sleeps, has something to do.
    """

    def __init__(self, max_waiting: int) -> None:
        self._max_waiting = max_waiting
        self._state = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._unfinished = 0
        self._open: dict[int, str] = {}
        self._settling = 0
        self._cancels: list[Matches] = []
        self._is_closing = False
        self._is_asleep = False
        self._may_gather = False
        self._gathered = 0.0
        self._has_ended = False
        self._walls: Walls | None = None
        self._is_stirred = False
        self.wants_all = False
        """Whether all processes are to be started, however few the tasks are."""
        self.callback_error: BaseException | None = None
        self.wake_fd, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    # --- for callers ----------------------------------------------------------------------------------------------

    def put(self, job: Job, *, may_block: bool) -> None:
        """Queue a job; blocks while too many wait, if it may. Raises `BusyError` once the pool is closing."""
        with self._state:
            while may_block and len(self._waiting) >= self._max_waiting and not self._is_closing:
                self._wake()
                self._state.wait()
            if self._is_closing:
                raise BusyError("the parser pool is closed")
            self._waiting.append(job)
            self._unfinished += 1
            self._open[id(job)] = job.task.task_id
            self._gathered += job.cost
            if not self._may_gather or self._gathered >= 2 * WORTHWHILE_MILLISECONDS:
                self._wake()

    def want_all(self) -> None:
        """Have all processes started now."""
        with self._state:
            self.wants_all = self._is_stirred = True
            self._wake()

    def wait_for_walls(self, seconds: float) -> Walls | None:
        """Return what the first process has reported, waiting for it as long as that."""
        with self._state:
            self._state.wait_for(lambda: self._walls is not None, seconds)
            return self._walls

    def cancel(self, matches: Matches, *, wait: bool) -> None:
        """Give up the tasks whose id matches; with ``wait`` return when each has its result."""
        with self._state:
            self._cancels.append(matches)
            self._wake()
            self._settling += wait
            while wait and not self._has_ended and any(map(matches, self._open.values())):
                self._state.wait(1.0)
            self._settling -= wait

    def wait_until_done(self) -> None:
        """Wait until every task has its result."""
        with self._state:
            self._state.wait_for(lambda: not self._unfinished)

    def close(self) -> None:
        """Take no more tasks, once every one has its result."""
        with self._state:
            self._state.wait_for(lambda: not self._unfinished or self._has_ended)
            self._is_closing = True
            self._state.notify_all()
            self._wake()

    def _wake(self) -> None:
        if self._is_asleep:
            self._is_asleep = False
            with contextlib.suppress(BlockingIOError):
                os.write(self._wake_write, b"w")

    # --- for the dispatcher ---------------------------------------------------------------------------------------

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do and nothing more will come."""
        with self._state:
            return self._is_closing and not self._unfinished

    def falls_asleep(self, *, has_room: bool, may_gather: bool) -> bool:
        """Whether the dispatcher may sleep, to be woken by the next call that concerns it: nothing has come since.

        ``may_gather``: it will wake by itself in a moment, so small tasks need not wake it until there are a few.
        """
        with self._state:
            self._may_gather, self._gathered = may_gather, 0.0
            is_done = self._is_closing and not self._unfinished
            has_work = bool(self._cancels or (self._waiting and has_room) or is_done or self._is_stirred)
            self._is_asleep, self._is_stirred = not has_work, False
            return self._is_asleep

    def wake_up(self) -> None:
        """Read what has woken the dispatcher."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.wake_fd, 4096)

    def count_waiting(self) -> int:
        """Return how many jobs wait."""
        with self._state:
            return len(self._waiting)

    def weight_waiting(self, enough: float) -> float:
        """Return how many milliseconds the jobs that wait should take, or what is more than ``enough`` of them."""
        weight = 0.0
        with self._state:
            for job in self._waiting:
                weight += job.cost
                if weight > enough:
                    break
        return weight

    def take(self, sharers: int, room: int, weight: float, *, is_idle: bool) -> list[Job]:
        """Take what goes into the pipe of one process next, no more than its fair share among ``sharers``."""
        with self._state:
            fair = max(1, -(-len(self._waiting) // (2 * sharers)))
            was_full = len(self._waiting) >= self._max_waiting
            taken = take_share(self._waiting, room, fair, weight, is_idle=is_idle)
            if was_full and taken:
                self._state.notify_all()
        return taken

    def put_back(self, jobs: list[Job]) -> None:
        """Queue jobs before all others, in their order."""
        with self._state:
            self._waiting.extendleft(reversed(jobs))

    def take_all(self) -> list[Job]:
        """Take every job that waits."""
        with self._state:
            jobs, self._waiting = list(self._waiting), deque()
            self._state.notify_all()
        return jobs

    def take_cancels(self) -> list[Matches]:
        """Return which tasks were given up since the last call."""
        with self._state:
            cancels, self._cancels = self._cancels, []
        return cancels

    def take_matching(self, cancels: list[Matches]) -> list[Job]:
        """Take the waiting jobs that any of these matches."""
        with self._state:
            given_up = [job for job in self._waiting if any(matches(job.task.task_id) for matches in cancels)]
            ids = {id(job) for job in given_up}
            self._waiting = deque(job for job in self._waiting if id(job) not in ids)
            self._state.notify_all()
        return given_up

    def note_walls(self, walls: Walls) -> None:
        """Note what holds the processes."""
        with self._state:
            self._walls = walls
            self._state.notify_all()

    def deliver(self, job: Job, result: ParseResult) -> None:
        """Give a job its result. It counts as unfinished until `count_finished`."""
        try:
            job.on_result(result)
        except Exception as error:  # noqa: BLE001 the pool raises it when it is closed
            _log.debug("on_result failed for %s", job.task.task_id, exc_info=True)
            self.callback_error = self.callback_error or error
        with self._state:
            self._open.pop(id(job), None)
            if self._settling:
                self._state.notify_all()

    def count_finished(self, count: int) -> None:
        """Count jobs that have their results."""
        if count:
            with self._state:
                self._unfinished -= count
                if not self._unfinished:
                    self._state.notify_all()

    def end(self) -> None:
        """Let everybody go who waits: there is no dispatcher any more."""
        with self._state:
            os.close(self.wake_fd)
            os.close(self._wake_write)
            self._is_asleep = False
            self._is_closing = self._has_ended = True
            self._unfinished = 0
            self._state.notify_all()
