"""plan.jsonl of a job: written whole, and read only when it is whole.

Its last line is ``{"action": "end", "lines": N, …}`` with the number of lines before it. A plan that lacks it, has a
line too few or too many, or one whose CRC is wrong, decides nothing: the job lists its source again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args

from ingest_tui.model.errors import PlanDamagedError
from ingest_tui.model.plan import ActionName
from ingest_tui.store.records.journal import Journal, decode_line, last_record

Line = dict[str, Any]
_BEGINNINGS = {action: f'{{"action":"{action}"'.encode() for action in get_args(ActionName)}
_SETTLED_WHILE_PLANNING = frozenset({"skip", "reject", "quarantine"})


def write_known_plan(path: Path, lines: list[Line]) -> None:
    """Write the plan of a job that lists nothing: its items are known already."""
    with Journal(path) as journal:
        journal.append([*lines, {"action": "end", "listed": len(lines), "complete": True, "lines": len(lines)}])


def is_whole(lines: Iterable[Line]) -> bool:
    """Whether every line that `read_plan` yields of a plan is as it was written; reads all of it."""
    try:
        for _line in lines:
            pass
    except PlanDamagedError:
        return False
    return True


def read_plan(path: Path) -> Iterator[Line]:
    """Yield the lines of a plan, the last one too; raises `PlanDamagedError` where it is not as it was written.

    There are none of a plan that is not there (yet).
    """
    try:
        handle = path.open("rb")
    except FileNotFoundError:
        return
    with handle:
        end: Line | None = None
        for number, written in enumerate(handle):
            line = decode_line(written)
            if line is None or end is not None:
                raise _damaged(path, f"line {number + 1} cannot be read")
            if line.get("action") == "end":
                end = line
                if end.get("lines", number) != number:
                    raise _damaged(path, f"it has {number} lines of {end['lines']}")
            yield line
        if end is None:
            raise _damaged(path, "its end is missing")


def plan_end(path: Path) -> Line:
    """Return the last line of a plan; raises `PlanDamagedError` when it has none."""
    end = last_record(path)
    if end is None or end.get("action") != "end":
        raise _damaged(path, "its end is missing")
    return end


def work_lines(path: Path, only: frozenset[ActionName] | None = None) -> Iterator[Line]:
    """Yield the lines that need work, or ``only`` those of some actions, and the last one.

    Lines of other actions are not even decoded, which each of the steps of a job would do again. Raises
    `PlanDamagedError` for a line that cannot be read: what it asked for would be left out in silence.
    """
    passed_over = tuple(
        beginning
        for action, beginning in _BEGINNINGS.items()
        if action in _SETTLED_WHILE_PLANNING or (only is not None and action not in only)
    )
    end = plan_end(path)
    if end.get("work") == 0:
        yield end
        return
    with path.open("rb") as handle:
        for number, written in enumerate(handle):
            if written.startswith(passed_over):
                continue
            line = decode_line(written)
            if line is None:
                raise _damaged(path, f"line {number + 1} cannot be read")
            yield line


def _damaged(path: Path, why: str) -> PlanDamagedError:
    return PlanDamagedError(
        f"the plan of job {path.parent.name} is damaged: {why}", hint="sync again: the source is listed again"
    )
