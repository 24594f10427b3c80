"""Many files, parsed in processes that may hang, crash or eat memory without harming one another.

A pool has one dispatcher thread and up to ``workers`` processes. Small files travel in batches, so that the pipe costs
microseconds per file; a bad file costs itself and nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from ingest_tui.extraction.pool.confinement import Confinement
from ingest_tui.extraction.pool.dispatcher import Dispatcher
from ingest_tui.extraction.pool.task import Job, OnResult
from ingest_tui.extraction.pool.task_queue import TaskQueue
from ingest_tui.extraction.pool.task_queue import Walls as Walls  # noqa: PLC0414 - part of this interface
from ingest_tui.model.extraction import AtWork, ParseTask
from ingest_tui.model.parse_limits import ParseLimits, file_limits


class ParserPool:
    """Parses files in up to ``workers`` processes, each within ``limits``.

    `submit` may be called from any thread. Every submitted task gets exactly one call of its ``on_result``, **from the
    dispatcher thread**: it should be quick, may call `submit` (which then does not block), and must not call `close`.
    What it raises is logged and raised again by `close`. ``max_waiting`` tasks may wait before `submit` blocks.
    ``confinement`` says what the processes may read and write; without one only their limits, namespaces and clean
    environment hold. ``parser`` names another function than `parse.extract`, as ``module:function``.
    ``processes_now(workers)`` is asked every few seconds how many of them there is room for.
    """

    def __init__(
        self,
        workers: int = 2,
        limits: ParseLimits | None = None,
        *,
        max_waiting: int = 1024,
        confinement: Confinement | None = None,
        parser: str | None = None,
        processes_now: Callable[[int], int] = lambda processes: processes,
    ) -> None:
        self._limits = limits or ParseLimits()
        if confinement is not None:
            confinement.sweep()
        self._queue = TaskQueue(max_waiting)
        self._dispatcher = Dispatcher(
            self._queue,
            max(1, workers),
            self._limits,
            confinement=confinement,
            parser=parser,
            processes_now=processes_now,
        )
        self._thread = threading.Thread(target=self._dispatcher.run, name="parser-pool", daemon=True)
        self._thread.start()

    @property
    def failure(self) -> BaseException | None:
        """Why the pool works no more although nobody closed it; what was submitted has no results then."""
        return self._dispatcher.failure

    @property
    def processes_started(self) -> int:
        """How many processes it has started so far."""
        return self._dispatcher.processes_started

    @property
    def at_work(self) -> tuple[AtWork, ...]:
        """What its processes are parsing now, a tenth of a second old or less while there is work."""
        return self._dispatcher.at_work

    def walls(self, seconds: float = 10.0) -> Walls | None:
        """Start the processes and return which walls hold them; None when none has started within ``seconds``."""
        self.warm_up()
        return self._queue.wait_for_walls(seconds)

    def submit(self, task: ParseTask, on_result: OnResult) -> None:
        """Queue a task; blocks while ``max_waiting`` are waiting. Raises `BusyError` once the pool is closing."""
        job = Job(task, on_result, file_limits(task.limits or self._limits, task.size))
        self._queue.put(job, may_block=threading.current_thread() is not self._thread)

    def warm_up(self) -> None:
        """Start all processes now, so that they are ready when the first file is."""
        self._queue.want_all()

    def cancel(self, which: Iterable[str] | Callable[[str], bool], *, wait: bool = False) -> None:
        """Give up tasks by id, or all whose id satisfies a predicate.

        Their results have status ``failed`` and reason ``cancelled``; what is already being parsed is killed. Returns
        at once, or with ``wait`` when each has its result and no process writes for them any more.
        """
        self._queue.cancel(which if callable(which) else frozenset(which).__contains__, wait=wait)

    def drain(self) -> None:
        """Wait until every task submitted so far, and those that their results submit, has its result."""
        self._queue.wait_until_done()

    def close(self, *, cancel: bool = False) -> None:
        """Wait for what is submitted (or give it up with ``cancel``), then end all processes. May be called twice."""
        if cancel:
            self.cancel(lambda _task_id: True)
        self._queue.close()
        self._thread.join()
        error, self._queue.callback_error = self._queue.callback_error, None
        if error is not None:
            raise error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close(cancel=kind is not None)
