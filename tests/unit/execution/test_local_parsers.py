"""The parser processes of this machine as an extractor: the answers a job relies on, and what they may write."""

from __future__ import annotations

from pathlib import Path

from ingest_tui.execution.extractor import Extractor
from ingest_tui.execution.local import local_parsers
from ingest_tui.model.extraction import ParseResult, ParseTask
from ingest_tui.model.parse_limits import ParseLimits


def extractor_of(folder: Path) -> Extractor:
    """Return one process that may read below ``folder``."""
    scratch = folder / "parsers"
    return local_parsers(1, ParseLimits(), readable=[folder], scratch=scratch, may_run_programs=False)


def task(folder: Path, name: str, job: str = "job") -> ParseTask:
    """Return the task to read a file that holds its name."""
    (folder / name).write_text(f"words of {name}")
    return ParseTask(f"{job}/{name}", str(folder / name), str(folder / f"{name}.md"), name, 12)


def test_each_task_has_one_result_before_it_is_closed(tmp_path: Path) -> None:
    """`close` waits for what is submitted; the text is where the task wants it."""
    extractor = extractor_of(tmp_path)
    results: list[ParseResult] = []
    for number in range(3):
        extractor.submit(task(tmp_path, f"{number}.txt"), results.append)
    extractor.close()
    extractor.close()
    assert extractor.failure is None
    assert {(result.task_id, result.status) for result in results} == {(f"job/{n}.txt", "parsed") for n in range(3)}
    assert (tmp_path / "0.txt.md").read_text() == "words of 0.txt"


def test_cancelled_tasks_have_a_result_too(tmp_path: Path) -> None:
    """What is given up by the prefix of its job is answered when `cancel` returns; the others are parsed."""
    extractor = extractor_of(tmp_path)
    results: list[ParseResult] = []
    for number in range(40):
        extractor.submit(task(tmp_path, f"{number}.txt", job="other" if number % 2 else "job"), results.append)
    extractor.cancel(lambda task_id: task_id.startswith("other/"), wait=True)
    given_up = [result for result in results if result.task_id.startswith("other/")]
    assert len(given_up) == 20
    assert {(result.status, result.reason) for result in given_up} <= {("failed", "cancelled"), ("parsed", "")}
    extractor.close()
    assert sorted(result.task_id for result in results if result not in given_up) == sorted(
        f"job/{number}.txt" for number in range(0, 40, 2)
    )
    assert all(result.status == "parsed" for result in results if result not in given_up)
