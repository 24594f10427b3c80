"""A task on its way through the pool: what it is expected to cost and what a parser process is told of it."""

from __future__ import annotations

import dataclasses
import os
import stat
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ingest_tui.extraction.intake.formats import BY_EXTENSION, extension_of
from ingest_tui.model.extraction import Finding, ParseResult, ParseTask
from ingest_tui.model.parse_limits import FileLimits

WINDOW_TASKS = 32
WINDOW_MILLISECONDS = 40.0
WORTHWHILE_MILLISECONDS = 2.0
"""Less than that costs more to share out than to parse."""
_LARGE_BYTES = 1024**2

OnResult = Callable[[ParseResult], None]


@dataclass(slots=True)
class Job:
    """A submitted task, who wants its result, and what it may use.

    ``attempts``: how many processes have died around it. ``had_its_own``: whether it had a process that had parsed
    nothing before.
    """

    task: ParseTask
    on_result: OnResult
    limits: FileLimits
    attempts: int = 0
    had_its_own: bool = False
    cost: float = field(init=False)
    """In estimated milliseconds."""

    def __post_init__(self) -> None:
        """Estimate the cost."""
        self.cost = estimate_milliseconds(self.task.file_name, self.task.size, self.task.backend)


def estimate_milliseconds(file_name: str, size: int, backend: str | None = None) -> float:
    """Guess how long a file takes, from its type and its bytes: the right order of magnitude is enough."""
    kind = BY_EXTENSION.get(extension_of(file_name))
    if backend == "unstructured":
        return 100.0 + size / 20_000
    if kind is not None and kind.family == "text":
        return 0.15 + size / 30_000
    if kind is not None and kind.family == "markup":
        return 0.5 + size / 10_000
    return 4.0 + size / 30_000


def take_share(waiting: deque[Job], room: int, fair: int, weight: float, *, is_idle: bool) -> list[Job]:
    """Take from ``waiting`` what goes into the pipe of one process next: at most ``room`` jobs, ``fair`` if not tiny.

    ``weight`` is the cost of what is in the pipe already. A large file goes alone, for nothing small should wait behind
    it; so does one that was in the pipe of a process that died, for it may have been the cause.
    """
    taken: list[Job] = []
    enough = weight + WORTHWHILE_MILLISECONDS
    while waiting and len(taken) < room and weight < WINDOW_MILLISECONDS and (len(taken) < fair or weight < enough):
        job = waiting[0]
        goes_alone = job.task.size > _LARGE_BYTES or job.attempts > 0
        if goes_alone and (taken or not is_idle):
            break
        taken.append(waiting.popleft())
        weight += job.cost
        if goes_alone:
            break
    return taken


def output_in(scratch: str, seq: int) -> str:
    """Return where a confined process writes the text of its task number ``seq``."""
    return f"{scratch}/{seq}.md"


def take_output(written: str, wanted: str) -> None:
    """Move the text that a confined process has written to where its task wants it.

    Raises ValueError for what is no plain file of its own: the process is not believed then.
    """
    try:
        status = os.lstat(written)
    except FileNotFoundError:
        raise ValueError("a result without its text") from None
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        raise ValueError("a text that is no plain file")
    os.rename(written, wanted)  # noqa: PTH104


def wire_form(job: Job) -> dict[str, Any]:
    """Return what a parser process must know of a task, as JSON values."""
    task = job.task
    form = {name: getattr(task, name) for name in _WIRE_FIELDS}
    form["memory_bytes"] = job.limits.memory_bytes
    form["backends_by_type"] = task.backends_by_type or None
    if task.allow_types or task.deny_types:
        form |= {"allow_types": task.allow_types, "deny_types": task.deny_types}
    return form


def result_of(values: dict[str, Any], task: ParseTask) -> ParseResult:
    """Return the result of ``task`` from JSON values; raises ValueError, LookupError or TypeError when it is none."""
    if values["task_id"] != task.task_id:
        raise ValueError(values["task_id"])
    if values.get("validation"):
        values["validation"] = [Finding(**finding) for finding in values["validation"]]
    return ParseResult(**values)


_NOT_AS_THEY_ARE = frozenset(("limits", "size", "backends_by_type", "allow_types", "deny_types"))
_WIRE_FIELDS = tuple(one.name for one in dataclasses.fields(ParseTask) if one.name not in _NOT_AS_THEY_ARE)
