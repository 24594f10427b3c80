"""Tests wait for what they expect, not for a length of time."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]
LETS_TIME_PASS = TESTS / "tui" / "stories.py"
"""Where `until` looks again and again."""


def fixed_pauses(path: Path) -> list[str]:
    """Return where a file has a pilot pause for a number of seconds."""
    return [
        f"{path.name}:{node.lineno}"
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "pause" and (node.args or node.keywords)
    ]


def short_bounds(path: Path) -> list[str]:
    """Return where a file compares with a bound below one on what a clock has measured."""
    return [
        f"{path.name}:{node.lineno}"
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Compare)
        and isinstance(node.ops[-1], ast.Lt | ast.LtE)
        and isinstance(node.comparators[-1], ast.Constant)
        and isinstance(node.comparators[-1].value, float)
        and node.comparators[-1].value < 1
        and any(clock in ast.unparse(node.left) for clock in ("monotonic", "_time()", "cpu_seconds", "measured"))
    ]


def test_no_pilot_pauses_for_a_number_of_seconds(tmp_path: Path) -> None:
    """A screen is waited for with `until` or `at_rest`, however slow the machine is."""
    files = [path for path in TESTS.rglob("*.py") if path != LETS_TIME_PASS]
    assert [place for path in files for place in fixed_pauses(path)] == []
    example = tmp_path / "example.py"
    example.write_text("pilot.pause()\npilot.pause(0.1)\nself.pilot.pause(delay=1)\n")
    assert sorted(fixed_pauses(example)) == ["example.py:2", "example.py:3"]


def test_no_bound_on_time_is_below_a_second(tmp_path: Path) -> None:
    """What takes less than a second on one machine takes longer on one that has other things to do."""
    assert [place for path in TESTS.rglob("*.py") for place in short_bounds(path)] == []
    example = tmp_path / "example.py"
    example.write_text(
        "assert time.monotonic() - before < 0.5\nassert max(measured) <= .35\nassert app.cpu_seconds() < 1\n"
        "assert share < 0.5\n"
    )
    assert sorted(short_bounds(example)) == ["example.py:1", "example.py:2"]
