"""A desk that gives files to a parser pool and gathers what comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ingest_tui.extraction.pool.pool import ParserPool, Walls
from ingest_tui.model.extraction import ParseResult, ParseTask
from ingest_tui.model.parse_limits import ParseLimits
from tests.unit.extraction.misbehaving import MISBEHAVING

QUICK = ParseLimits(silence_seconds=1.0, total_seconds=3.0)
LOADED_MACHINE_SECONDS = 1.0
"""What a machine that is busy with other tests may be late by."""


class Desk:
    """Writes files, submits them and gathers what comes back."""

    def __init__(self, folder: Path, pool: ParserPool) -> None:
        self.folder = folder
        self.pool = pool
        self.results: dict[str, ParseResult] = {}
        self.order: list[str] = []

    def task(self, task_id: str, content: str | bytes, **options: Any) -> ParseTask:
        source = self.folder / f"{task_id}.in"
        source.write_bytes(content.encode() if isinstance(content, str) else content)
        name = options.pop("file_name", f"{task_id}.txt")
        return ParseTask(
            task_id, str(source), str(self.folder / f"{task_id}.md"), name, source.stat().st_size, **options
        )

    def submit(self, task_id: str, content: str | bytes, **options: Any) -> None:
        self.pool.submit(self.task(task_id, content, **options), self.take)

    def take(self, result: ParseResult) -> None:
        assert result.task_id not in self.results, "a task had two results"
        self.results[result.task_id] = result
        self.order.append(result.task_id)

    def reasons(self) -> dict[str, tuple[str, str]]:
        return {name: (result.status, result.reason) for name, result in self.results.items()}


def run(folder: Path, contents: dict[str, str], limits: ParseLimits = QUICK, workers: int = 2) -> Desk:
    with ParserPool(workers, limits, parser=MISBEHAVING) as pool:
        desk = Desk(folder, pool)
        for task_id, content in contents.items():
            desk.submit(task_id, content)
        pool.drain()
    return desk


def one_bad_of_twenty(folder: Path, order: str, limits: ParseLimits = QUICK) -> ParseResult:
    """Return the result of the bad one, after checking that the other nineteen are parsed."""
    contents = {f"good{number}": f"good text {number}" for number in range(19)}
    items = [*contents.items()]
    items.insert(5, ("bad", f"misbehave:{order}"))
    desk = run(folder, dict(items), limits)
    parsed = {name for name, outcome in desk.reasons().items() if outcome == ("parsed", "")}
    assert parsed - {"bad"} == set(contents), desk.reasons()
    assert (folder / "good7.md").read_text() == "good text 7"
    return desk.results["bad"]


def known_walls(pool: ParserPool) -> Walls:
    """Return which walls hold the processes of a pool, once the first has started."""
    walls = pool.walls()
    assert walls is not None
    return walls


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
