"""The first line of every view: workspace, place, counts, and who works; and the last: its keys. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from textual.content import Content

from ingest_tui.model.counted import counted
from ingest_tui.model.safe_text import safe_display
from ingest_tui.tui import wording
from ingest_tui.tui.views.jobs.jobs_model import JobsModel
from ingest_tui.tui.widgets.columns import cut_path, fit

TINY_WIDTH, TINY_HEIGHT, WIDE = 40, 10, 140
_LEAST_PLACE = 12
_INSIDE = " > "
_MOST_KEYS, _LAST_KEYS = 8, 3


def header(
    name: str,
    place: str,
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
    full, short = (f"{_cut(name, most)}  {mode}" for most in (20, 12))
    place = safe_display(place)
    brand, rest = " ingest ", 0
    for brand, workspace, brief, left_out in (
        (" ingest ", full, False, ""),
        (" ingest ", full, True, ""),
        (" ", short, True, ""),
        (" ", short, True, "zeros"),
        (" ", short, True, "partial"),
    ):
        counts = _counts(jobs, left_out)
        worker = _worker_words(workers, brief=brief)
        rest = len(counts) + len(worker) + 5
        if len(brand) + len(workspace) + cell_len(place) + rest <= width:
            break
    left = len(brand) + len(workspace)
    shown = _place_in(place, max(_LEAST_PLACE, width - left - rest))
    gap = max(2, width - left - cell_len(shown) - rest + 2)
    colour = "$text-success" if workers and not _failing(workers) else "$text-warning"
    return Content.assemble(
        (brand, "$text-accent"), (workspace, "bold"), shown, " " * gap, (counts, "$text-muted"), "  ", (worker, colour),
        " ",
    )  # fmt: skip


def _cut(name: str, most: int) -> str:
    """Return a name whose end is cut where it is too long."""
    shown = safe_display(name)
    return shown if cell_len(shown) <= most else fit(shown, most)


def _place_in(place: str, width: int) -> str:
    """Return where we are in ``width`` cells: without the view, which its tab names, and only then with a name cut."""
    if cell_len(place) <= width:
        return place
    parts = place.split(_INSIDE)[1:] or [place]
    longest = max(range(len(parts)), key=lambda number: cell_len(parts[number]))
    room = width - cell_len(_INSIDE.join(parts)) + cell_len(parts[longest])
    if cell_len(parts[longest]) > room:
        cut = cut_path if "/" in parts[longest] else fit
        parts[longest] = cut(parts[longest], max(2, room))
    return fit(_INSIDE.join(parts), width).rstrip()


def footer(keys: Sequence[tuple[str, str]], width: int) -> Content:
    """Return the most useful keys, each with its word: at most eight, as many as fit; the last three are kept."""
    first, last = list(keys[:-_LAST_KEYS]), list(keys[-_LAST_KEYS:])
    while first and (len(first) + len(last) > _MOST_KEYS or _cells_of([*first, *last]) > width):
        first.pop()
    parts: list[str | tuple[str, str]] = []
    for key, word in [*first, *last]:
        parts += [" ", (key, "bold $text-accent"), f" {word} "]
    return Content.assemble(*parts)


def _cells_of(keys: Sequence[tuple[str, str]]) -> int:
    return sum(len(key) + len(word) + 3 for key, word in keys)


def _counts(jobs: JobsModel, left_out: str = "") -> str:
    """Return how many jobs there are in which state; ``left_out``: zeros, or partial ones too."""
    running = jobs.number("running")
    failed = jobs.number("failed", "interrupted", wording.UNREADABLE)
    partial = jobs.number("partial")
    good = jobs.number("succeeded")
    waiting = jobs.number("queued", "paused")
    counts = [(waiting, "wait"), (running, "run"), (failed, "fail"), (partial, "partial"), (good, "ok")]
    if left_out == "partial":
        counts = [one for one in counts if one[1] != "partial"]
    if not jobs.complete:  # the others may still come: none of them yet is no 0
        return "  ".join([*(f"{wording.count(number)} {word}" for number, word in counts if number), "jobs …"])
    always = set() if left_out else {"run", "fail", "ok"}
    shown = [one for one in counts if one[0] or one[1] in always] or [(0, "run")]
    return "  ".join(f"{wording.count(number)} {word}" for number, word in shown)


def _worker_words(workers: Sequence[Any] | None, *, brief: bool) -> str:
    if workers is None:
        return "  worker …"
    if not workers:
        return "○ no worker: w" if brief else "○ no worker — w starts one"
    failing = _failing(workers)
    if failing:
        return f"! {failing} failing" if brief else f"! worker: {counted(failing, 'task')} failing"
    if brief:
        return f"● pid {workers[0].pid}" if len(workers) == 1 else f"● {counted(len(workers), 'worker')}"
    return f"● worker pid {', '.join(str(worker.pid) for worker in workers[:3])}"


def _failing(workers: Sequence[Any]) -> int:
    """Return how many tasks of the workers fail right now; `worker status` and the sources view name them."""
    return sum(issue.level == "error" for worker in workers for issue in worker.issues)
