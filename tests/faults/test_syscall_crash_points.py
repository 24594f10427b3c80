"""Every system call of a sync that changes the workspace is hit once with SIGKILL, EIO and ENOSPC.

Then a person syncs again. Afterwards nothing is lost, nothing is there twice, nothing is left over. By default a
sample of the points is tried; every point, with a report for each scenario, by:

    INGEST_TUI_WHOLE=1 pytest -n 0 -s tests/faults/test_syscall_crash_points.py
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.crash_lab import new_workspace
from tests.faults.syscall_lab import FAULTS, break_for_good, command_line, run, strike_parser
from tests.faults.syscall_trial import (
    EVERY_POINT,
    SYSTEM_CALL_MARKS,
    Scenario,
    check_points,
    go_on,
    problems_of_ending,
    sampled,
)

SAMPLE = 14
WORDS = ("weather", "alpha", "beta", "gamma", "delta", "stayed", "moved", "vanished", "returned")

pytestmark = SYSTEM_CALL_MARKS


def _prepare(base: Path) -> Path:
    workspace = new_workspace(base / "prepared", base / "source")
    workspace.settings.parser_processes = 1  # so that the parser's calls are the same in every run
    workspace.layout.settings.write_text(workspace.settings.model_dump_json())
    workspace.close()
    return base / "source"


def _write_three_documents(folder: Path) -> None:
    (folder / "alpha.txt").write_text("The weather in alpha is fair.\n")
    (folder / "beta.md").write_text("# Beta\n\nThe weather in beta.\n\n## More\n\nAs in alpha, but with more wind.\n")
    (folder / "gamma.csv").write_text("city,weather\ngamma,rain\ndelta,snow\n")


def _sync(base: Path) -> None:
    ending = run(command_line(base / "prepared", "sync", "docs"), base)
    assert ending.code == 0, ending


@pytest.fixture(scope="module")
def first_sync(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """Three new documents of three formats."""
    base = tmp_path_factory.mktemp("first-sync")
    _write_three_documents(_prepare(base))
    scenario = Scenario(base / "prepared", base, WORDS)
    scenario.run_undisturbed()
    return scenario


@pytest.fixture(scope="module")
def second_sync(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """A new, a changed, a moved, a vanished and a returned document, next to one that stayed as it was."""
    base = tmp_path_factory.mktemp("second-sync")
    folder = _prepare(base)
    _write_three_documents(folder)
    returned = "This file was away for a while, and with it all that it says of last year's weather.\n"
    (folder / "returned.txt").write_text(returned)
    (folder / "stayed.html").write_text("<h1>Stayed</h1><p>The weather stayed the same for all the week.</p>")
    (folder / "was").mkdir()
    (folder / "was" / "moved.txt").write_text("This file moved with its folder, and all that it says of the weather.\n")
    _sync(base)
    (folder / "returned.txt").unlink()
    _sync(base)
    (folder / "returned.txt").write_text(returned)
    (folder / "alpha.txt").write_text("The weather in alpha has changed.\n")
    (folder / "was").rename(folder / "is")  # a file that is renamed by itself would be read again
    (folder / "gamma.csv").unlink()
    (folder / "delta.md").write_text("# Delta\n\nNew: the weather in delta, with snow on every other day.\n")
    scenario = Scenario(base / "prepared", base, WORDS)
    scenario.run_undisturbed()
    return scenario


@pytest.fixture(scope="module")
def slow_sync(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """The first sync on a disk so slow that progress is written meanwhile, by a thread of its own."""
    base = tmp_path_factory.mktemp("slow-sync")
    _write_three_documents(_prepare(base))
    scenario = Scenario(base / "prepared", base, WORDS)
    scenario.run_undisturbed(delays=("syncfs:delay_enter=400ms",))
    return scenario


def test_nothing_to_strike_is_no_success(first_sync: Scenario) -> None:
    """Where strace sees no call that changes the workspace, the sweep fails instead of passing with 0 points."""
    with pytest.raises(AssertionError, match="no call to strike"):
        first_sync.try_all([], first_sync.strike_parser)


def test_scenarios_do_what_they_promise(first_sync: Scenario, second_sync: Scenario) -> None:
    """Both scenarios together have every kind of work, done by threads that are all known, in calls of many kinds."""
    done = {line[1:3] for scenario in (first_sync, second_sync) for line in scenario.expected_done}
    assert done == {
        ("ingested", "new"), ("ingested", "changed"), ("ingested", "returned"), ("moved", "renamed"),
        ("retired", "not_listed"),
    }  # fmt: skip
    for scenario in (first_sync, second_sync):
        assert scenario.lesson is not None
        assert {call.role for call in scenario.lesson.mutating} - {"ticker"} == {"main", "job", "commit", "parser"}
        names = {call.name for call in scenario.lesson.mutating}
        assert names > {"write", "pwrite64", "fsync", "fdatasync", "syncfs", "openat", "rename", "unlink", "mkdir"}
        assert len(scenario.lesson.mutating) > 250


@pytest.mark.parametrize("scenario_name", ["first_sync", "second_sync"])
def test_sync_ends_the_same_after_a_fault_at_any_call(scenario_name: str, request: pytest.FixtureRequest) -> None:
    """A sync whose worker dies or meets an error at any call that changes the workspace ends as if nothing had been."""
    scenario: Scenario = request.getfixturevalue(scenario_name)
    assert scenario.lesson is not None
    # The ticker writes when time has passed, which is not the same in every run: it has a test of its own.
    calls = [call for call in scenario.lesson.mutating if call.role != "ticker"]
    check_points(scenario, sampled(scenario.points(calls), SAMPLE), scenario.strike_coordinator)


def test_sync_ends_the_same_after_a_fault_while_progress_is_written(slow_sync: Scenario) -> None:
    """Progress that cannot be written, or a death while it is, costs no more than the progress."""
    assert slow_sync.lesson is not None
    calls = [call for call in slow_sync.lesson.mutating if call.role == "ticker"][:3]
    assert [call.name for call in calls] == ["openat", "write", "rename"]
    points = slow_sync.points(calls)
    check_points(slow_sync, points if EVERY_POINT else points[::4], slow_sync.strike_coordinator)


@pytest.mark.parametrize(
    ("names", "first"), [("fsync,fdatasync,syncfs", 1), ("syncfs", 1), ("rename", 3), ("pwrite64", 40)]
)
def test_sync_on_a_disk_that_stays_broken_ends_with_an_error(first_sync: Scenario, names: str, first: int) -> None:
    """A disk that refuses every write from some moment on ends a sync; once it is fixed the next one goes on."""
    assert first_sync.lesson is not None
    root = first_sync.fresh(f"broken-{first}-{names}")
    ending = break_for_good(root, first_sync.lesson, names, first)
    assert ending.code == 1, ending
    assert [*problems_of_ending(ending, "EIO"), *go_on(root), *first_sync.problems_of(root, "EIO")] == []


def test_sync_ends_the_same_after_a_fault_in_a_parser(first_sync: Scenario) -> None:
    """A parser that dies or cannot write its text costs at most another sync, and only for its own document."""
    root = first_sync.fresh("parser")
    ending, calls = strike_parser(root, None, "")
    assert ending.code == 0, ending
    points = first_sync.points(call for call in calls if call.mutates)
    assert len(points) == 3 * len(FAULTS) * 2  # three texts, each made and written
    check_points(first_sync, points if EVERY_POINT else points[::5], first_sync.strike_parser)
