"""How far each phase of a job is: one line each, with a bar, numbers, and time."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from ingest_tui.model.clock import seconds_since_epoch
from ingest_tui.model.job import PHASES, Manifest, Phase
from ingest_tui.tui import wording
from ingest_tui.tui.widgets.line import Line

_GLYPHS = {"pending": ".", "running": ">", "done": "+", "skipped": "-", "stopped": "x"}
_BARS = ((100, 30), (78, 20), (60, 12), (0, 6))
_FULL, _EMPTY = "━", "─"


def bar(done: int, total: int | None, *, cells: int) -> str:
    """Return a bar of ``cells`` cells; an unknown total gives an empty one."""
    filled = min(cells, cells * done // total) if total else 0
    return _FULL * filled + _EMPTY * (cells - filled)


class PhaseBars(Vertical):
    """Four lines, one for each phase; the others stay empty."""

    DEFAULT_CSS = """
    PhaseBars { height: 4; }
    """

    def compose(self) -> ComposeResult:
        """One line for each phase."""
        for name in PHASES:
            yield Line(id=f"phase-{name}")

    def show(self, manifest: Manifest, now: float) -> None:
        """Show the phases of a job at the moment ``now`` (POSIX seconds)."""
        for place, line in enumerate(PHASES):
            name = manifest.phase_names[place] if place < len(manifest.phase_names) else ""
            phase = _as_it_is(manifest, manifest.phases.get(name, Phase()))
            shown = _phase_line(name, phase, now, self.size.width) if name else Content()
            self.query_one(f"#phase-{line}", Line).say(shown)


def _as_it_is(manifest: Manifest, phase: Phase) -> Phase:
    """Nothing of a job that has ended runs, also where an earlier version has left it so in the manifest."""
    if manifest.ended and phase.state == "running":
        return phase.model_copy(update={"state": "stopped", "finished_at": manifest.finished_at})
    return phase


def _phase_line(name: str, phase: Phase, now: float, width: int) -> Content:
    numbers = f"{phase.done:,}" if phase.total is None else f"{phase.done:,}/{phase.total:,}"
    percent = f"{100 * phase.done // phase.total:3d}%" if phase.total else "    "
    taken = _seconds_taken(phase, now)
    spent = "" if taken is None else wording.duration(taken)
    cells = next(cells for from_width, cells in _BARS if width >= from_width)
    total = phase.total or (1 if phase.state == "done" else None)
    done = phase.done if phase.total else (1 if phase.state == "done" else 0)
    moved = ""
    if phase.bytes:
        moved = wording.size(phase.bytes)
        if phase.bytes_total and phase.bytes_total != phase.bytes:
            moved += f" of {wording.size(phase.bytes_total)}"
    style = {"running": "$text-primary", "done": "$text-success"}.get(phase.state, "$text-muted")
    return Content.assemble(
        f" {name:8}",
        (f"{_GLYPHS[phase.state]} {phase.state:8}", style),
        (bar(done, total, cells=cells), style),
        f" {percent} {numbers:>11}  {spent:>6}  {moved}",
    )


def _seconds_taken(phase: Phase, now: float) -> float | None:
    started = seconds_since_epoch(phase.started_at)
    if started is None:
        return None
    return (seconds_since_epoch(phase.finished_at) or now) - started
