"""The first line of every view: workspace, place, counts, and who works. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual.content import Content

from ingest_tui.model.safe_text import safe_display
from ingest_tui.tui import wording
from ingest_tui.tui.navigation.views import VIEWS
from ingest_tui.tui.views.jobs.jobs_model import JobsModel

TINY_WIDTH, TINY_HEIGHT, WIDE = 40, 10, 140
_LEAST_PLACE = 12


def header(
    name: str,
    place: str,
    view: str,
    width: int,
    *,
    jobs: JobsModel,
    workers: Sequence[Any] | None,
    read_only: bool = False,
) -> Content:
    """Return the line in at most ``width`` cells. ``workers`` None: not known yet."""
    counts = _counts(jobs)
    if width < TINY_WIDTH:
        return Content(f"ingest {counts}")
    mode = "read-only  " if read_only else ""
    left = f" ingest {safe_display(name, limit=20)}  {mode}"
    short = f" {safe_display(name, limit=12)}  {mode}"
    worker, rest = "", 0
    for start, brief in ((left, False), (left, True), (short, True)):
        left, worker = start, _worker_words(workers, brief=brief)
        rest = len(counts) + len(worker) + 5
        views = _views(view, width - len(left) - rest - _LEAST_PLACE) if width >= WIDE else ""
        if views or (width < WIDE and len(left) + len(place) + rest <= width):
            left += views
            break
    left += safe_display(place, limit=max(_LEAST_PLACE, width - len(left) - rest))
    gap = max(2, width - len(left) - rest + 2)
    colour = "$text-success" if workers and not _failing(workers) else "$text-warning"
    return Content.assemble(left, " " * gap, counts, "  ", (worker, colour), " ")


def _views(view: str, room: int) -> str:
    """Return the views with their keys, as long as there is room for all; the one that is shown is in brackets."""
    names = {known.name: f"{key} {known.title}" for key, known in VIEWS.items()}
    for gap in ("  ", " "):
        line = gap.join(f"[{name}]" if view == known else name for known, name in names.items())
        if len(line) + 3 <= room:
            return f"{line} | "
    return ""


def _counts(jobs: JobsModel) -> str:
    running = jobs.number("running")
    failed = jobs.number("failed", "partial", "interrupted", wording.UNREADABLE)
    good = jobs.number("succeeded")
    waiting = jobs.number("queued", "paused")
    counts = f"{running} run  {failed} fail  {wording.count(good)} ok"
    return f"{waiting} wait  {counts}" if waiting else counts


def _worker_words(workers: Sequence[Any] | None, *, brief: bool) -> str:
    if workers is None:
        return "  worker …"
    if not workers:
        return "○ no worker: w" if brief else "○ no worker — w starts one"
    failing = _failing(workers)
    if failing:
        return f"! {failing} failing" if brief else f"! worker: {failing} task{'s' if failing > 1 else ''} failing"
    if brief:
        return f"● pid {workers[0].pid}" if len(workers) == 1 else f"● {len(workers)} workers"
    return f"● worker pid {', '.join(str(worker.pid) for worker in workers[:3])}"


def _failing(workers: Sequence[Any]) -> int:
    """Return how many tasks of the workers fail right now; `worker status` and the sources view name them."""
    return sum(issue.level == "error" for worker in workers for issue in worker.issues)
