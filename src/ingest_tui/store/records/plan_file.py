"""plan.jsonl of a job: written whole, and read only when it is whole.

Its last line is ``{"action": "end", "lines": N, …}`` with the number of lines before it. A plan that lacks it, has a
line too few or too many, or one whose CRC is wrong, decides nothing: the job lists its source again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ingest_tui.model.counted import counted
from ingest_tui.model.errors import PlanDamagedError
from ingest_tui.model.plan_line import ACTION_NAMES, END, ActionName, PlanEnd, PlanLine
from ingest_tui.store.records.journal import Journal, decode_line, last_record, lines_with, read_journal

_BEGINNINGS = {action: f'{{"action":"{action}"'.encode() for action in ACTION_NAMES}
_SETTLED_WHILE_PLANNING = frozenset({"skip", "reject", "quarantine"})


def write_known_plan(path: Path, lines: list[PlanLine]) -> None:
    """Write the plan of a job that lists nothing: its items are known already."""
    end = PlanEnd(listed=len(lines), complete=True, lines=len(lines))
    with Journal(path) as journal:
        journal.append([*(line.as_dict() for line in lines), end.as_dict()])


def is_whole(lines: Iterable[PlanLine]) -> bool:
    """Whether every line that `read_plan` yields of a plan is as it was written; reads all of it."""
    try:
        for _line in lines:
            pass
    except PlanDamagedError:
        return False
    return True


def read_plan(path: Path) -> Iterator[PlanLine]:
    """Yield the lines of a plan; raises `PlanDamagedError` where it is not as it was written.

    There are none of a plan that is not there (yet).
    """
    try:
        handle = path.open("rb")
    except FileNotFoundError:
        return
    with handle:
        end: PlanEnd | None = None
        for number, written in enumerate(handle):
            line = _decode(path, number, written)
            if end is not None:
                raise _damaged(path, f"line {number + 1} cannot be read")
            if isinstance(line, PlanEnd):
                end = line
                if end.lines not in {None, number}:
                    raise _damaged(path, f"it has {counted(number, 'line')} of {end.lines}")
            else:
                yield line
        if end is None:
            raise _damaged(path, "its end is missing")


def lacks_lines(path: Path, end: PlanEnd) -> bool:
    """Whether a plan has another number of lines than its ``end`` says; their bytes are not looked at."""
    with path.open("rb") as handle:
        lines = sum(1 for _line in handle) - 1
    return end.lines not in {None, lines}


def plan_end(path: Path) -> PlanEnd:
    """Return the last line of a plan; raises `PlanDamagedError` when it has none."""
    record = last_record(path)
    if record is None or record.get("action") != END:
        raise _damaged(path, "its end is missing")
    try:
        return PlanEnd.from_dict(record)
    except ValueError as error:
        raise _damaged(path, f"its end cannot be used: {error}") from None


def work_lines(path: Path, only: frozenset[ActionName] | None = None) -> Iterator[PlanLine]:
    """Yield the lines that need work, or ``only`` those of some actions.

    Lines of other actions are not even decoded, which each of the steps of a job would do again. Raises
    `PlanDamagedError` for a line that cannot be read: what it asked for would be left out in silence.
    """
    wanted = ACTION_NAMES - _SETTLED_WHILE_PLANNING if only is None else only
    passed_over = tuple(beginning for action, beginning in _BEGINNINGS.items() if action not in wanted)
    if plan_end(path).work == 0:
        return
    with path.open("rb") as handle:
        for number, written in enumerate(handle):
            if written.startswith(passed_over):
                continue
            line = _decode(path, number, written)
            if isinstance(line, PlanLine) and line.action in wanted:  # an older program wrote members in other orders
                yield line


def plan_lines_with(path: Path, needle: bytes) -> Iterator[PlanLine]:
    """Yield the lines of a plan that hold ``needle`` and can be read: for people, who are shown what there is."""
    return _usable(lines_with(path, needle))


def readable_lines(path: Path) -> Iterator[PlanLine]:
    """Yield the lines of a plan that can be read, also of one that is damaged, which decides nothing any more."""
    return _usable(read_journal(path))


def _usable(records: Iterable[dict[str, Any]]) -> Iterator[PlanLine]:
    for record in records:
        try:
            line = None if record.get("action") == END else PlanLine.from_dict(record)
        except ValueError:
            continue
        if line is not None:
            yield line


def _decode(path: Path, number: int, written: bytes) -> PlanLine | PlanEnd:
    record = decode_line(written)
    if record is None:
        raise _damaged(path, f"line {number + 1} cannot be read")
    try:
        if record.get("action") == END:
            return PlanEnd.from_dict(record)
        return PlanLine.from_dict(record)
    except ValueError as error:
        raise _damaged(path, f"line {number + 1} cannot be used: {error}") from None


def _damaged(path: Path, why: str) -> PlanDamagedError:
    return PlanDamagedError(
        f"the plan of job {path.parent.name} is damaged: {why}", hint="sync again: the source is listed again"
    )
