"""The task queue of a parser pool: when the dispatcher is woken, and what goes into one pipe."""

from __future__ import annotations

import select
from collections import deque

import pytest

from ingest_tui.extraction.pool.task import WORTHWHILE_MILLISECONDS, Job, take_share
from ingest_tui.extraction.pool.task_queue import TaskQueue
from ingest_tui.model.extraction import ParseTask
from ingest_tui.model.parse_limits import ParseLimits, file_limits


def job(name: str = "a.md", size: int = 100) -> Job:
    """A job that nobody waits for."""
    task = ParseTask(task_id=name, input_path="", output_path="", file_name=name, size=size)
    return Job(task, lambda _result: None, file_limits(ParseLimits(), size))


def is_woken(queue: TaskQueue) -> bool:
    """Whether the dispatcher would wake."""
    return bool(select.select([queue.wake_fd], [], [], 0)[0])


@pytest.fixture
def queue() -> TaskQueue:
    """A queue without a dispatcher."""
    return TaskQueue(1000)


def test_a_task_wakes_a_dispatcher_with_nothing_to_do(queue: TaskQueue) -> None:
    """The first task is begun at once, however small."""
    assert queue.falls_asleep(has_room=True, may_gather=False)
    queue.put(job(), may_block=True)
    assert is_woken(queue)


def test_small_tasks_are_gathered_while_an_answer_is_near(queue: TaskQueue) -> None:
    """Tiny tasks wake it once there are enough of them, a large one by itself."""
    assert queue.falls_asleep(has_room=True, may_gather=True)
    small = job()
    for _ in range(int(2 * WORTHWHILE_MILLISECONDS / small.cost)):
        queue.put(job(), may_block=True)
    assert not is_woken(queue)
    queue.put(job(), may_block=True)
    assert is_woken(queue)
    queue.wake_up()
    queue.take_all()
    assert queue.falls_asleep(has_room=True, may_gather=True)
    queue.put(job("a.pdf"), may_block=True)
    assert is_woken(queue)


def test_what_is_cancelled_wakes_it_at_once(queue: TaskQueue) -> None:
    """Nobody who gives up waits for small tasks to gather."""
    assert queue.falls_asleep(has_room=True, may_gather=True)
    queue.cancel(lambda _task_id: True, wait=False)
    assert is_woken(queue)


def test_a_pipe_gets_its_fair_share_but_never_a_crumb() -> None:
    """Of costly tasks no more than is fair; of tiny ones as many as are worth a turn."""
    costly, tiny = deque(job("a.pdf") for _ in range(10)), deque(job() for _ in range(30))
    assert len(take_share(costly, 32, 3, 0.0, is_idle=True)) == 3
    taken = take_share(tiny, 32, 1, 0.0, is_idle=True)
    assert WORTHWHILE_MILLISECONDS <= sum(one.cost for one in taken) < WORTHWHILE_MILLISECONDS + taken[0].cost
    assert len(take_share(tiny, 2, 1, 0.0, is_idle=True)) == 2
