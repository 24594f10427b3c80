"""What a job asks of whoever parses its files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from ingest_tui.model.extraction import AtWork, ParseResult, ParseTask


class Extractor(Protocol):
    """Parses files, many at a time. Shared by the jobs of a worker; called from several threads."""

    @property
    def failure(self) -> BaseException | None:
        """Why it works no more although nobody closed it; what was submitted has no results then."""

    @property
    def at_work(self) -> tuple[AtWork, ...]:
        """What is being parsed right now, of all jobs."""

    def submit(self, task: ParseTask, on_result: Callable[[ParseResult], None]) -> None:
        """Queue a task; blocks while many are waiting.

        Each task gets exactly one call of its ``on_result``, from another thread; it should be quick.
        """

    def cancel(self, which: Iterable[str] | Callable[[str], bool], *, wait: bool = False) -> None:
        """Give up tasks by id, or all whose id satisfies a predicate; their results are failures, ``cancelled``.

        With ``wait`` it returns when each has its result and nothing is written for them any more.
        """

    def close(self, *, cancel: bool = False) -> None:
        """Wait for what is submitted, or give it up with ``cancel``, and end. May be called twice."""
