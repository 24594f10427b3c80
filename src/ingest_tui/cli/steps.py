"""The steps of a test of a credential or an embedder, as they come."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ingest_tui.cli import diagnostics, output

if TYPE_CHECKING:
    from ingest_tui.credentials.steps import Step


def report_steps(steps: Iterable[Step], *, as_json: bool, width: int) -> int:
    """Print each step once it is done; return the exit code. ``width`` is that of the column of their names."""
    all_ok = True
    for step in steps:
        all_ok = all_ok and step.ok
        if as_json:
            output.data_line(
                {
                    "step": step.name,
                    "ok": step.ok,
                    "message": step.message,
                    "hint": step.hint,
                    "milliseconds": step.milliseconds,
                }
            )
            continue
        result = "ok" if step.ok else "FAILED"
        output.line(f"{result:7} {step.name:{width}} {step.milliseconds:8.1f} ms  {step.message}")
        if step.hint:
            output.line(f"        hint: {step.hint}")
    return 0 if all_ok else diagnostics.EXIT_FAILED
