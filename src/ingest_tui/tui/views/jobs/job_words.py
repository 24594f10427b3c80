"""What is said of a job above its outcomes: its state, how fast it is, and that its counters add up. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rich.cells import cell_len
from textual.content import Content

from ingest_tui.model.clock import seconds_since_epoch
from ingest_tui.model.counted import counted
from ingest_tui.model.job import JobState, Manifest, ParsingItem
from ingest_tui.model.job_counters import Counters
from ingest_tui.model.reasons import ReasonGroup
from ingest_tui.model.safe_text import safe_display
from ingest_tui.tui import wording
from ingest_tui.tui.widgets.columns import Cell, Column, cut_path
from ingest_tui.tui.widgets.sparkline import sparkline

_COLOURS = {"good": "$text-success", "bad": "$text-error", "warn": "$text-warning", "running": "$text-primary"}
_SPARK_CELLS = 24
_PARSING, _LEAST_NAME = " parsing  ", 12
_PARTS = (
    ("ingested", "items_ingested"),
    ("embedded", "items_embedded"),
    ("unchanged", "items_skipped_incremental"),
    ("duplicate", "items_duplicate"),
    ("moved", "items_moved"),
    ("empty", "items_empty"),
    ("rejected", "items_rejected"),
    ("failed", "items_failed"),
)
_ALWAYS_SAID = {"ingested", "failed"}
_SHOWN_ELSEWHERE = {"at", "level", "message", "job", "source", "job_id", "source_id"}


def state_line(manifest: Manifest, queue_position: int | None = None) -> Content:
    """Return the first line: id, state, place in the queue. What changes often is in the line of the rate."""
    state = manifest.state.value
    more = ""
    if queue_position is not None:
        more = f"  number {queue_position} in the queue  priority {manifest.priority}"
    elif manifest.ended:
        more = f"  {manifest.progress.percent:.0f}%"
    return Content.assemble(
        (f" {safe_display(manifest.job_id)}  ", "bold"),
        (wording.state_word(state), _COLOURS.get(wording.tone(state), "$text-muted")),
        more,
    )


def times_line(manifest: Manifest, now: float) -> str:
    """Return who asked for it and when, and how long it took."""
    started = seconds_since_epoch(manifest.started_at)
    ended = seconds_since_epoch(manifest.finished_at)
    took = None if started is None else (ended or now) - started
    worker = f"pid {manifest.worker.pid}" if manifest.worker and not manifest.ended else ""
    parts = [
        f"source {manifest.source_id}",
        manifest.kind,
        f"{manifest.trigger} by {manifest.requested_by or 'nobody'}",
        f"took {wording.duration(took)}" if ended else f"for {wording.duration(took)}",
        worker,
    ]
    if manifest.attempt > 1:
        parts.append(f"attempt {manifest.attempt}")
    return " " + safe_display("  ".join(part for part in parts if part))


def rate_line(manifest: Manifest, rates: Sequence[float]) -> Content | None:
    """Return how far the job is, what remains, how fast it is and was, and what was lost to throttling.

    None when there is nothing to say.
    """
    progress = manifest.progress
    lost = f"  {wording.duration(progress.throttled_seconds)} lost to throttling" if progress.throttled_seconds else ""
    if not rates and manifest.ended:
        return Content(f" rate{lost}") if lost else None
    is_running = manifest.state is JobState.RUNNING
    eta = f"  eta {wording.duration(progress.eta_seconds)}" if is_running else f"  {manifest.state}"
    far = "" if manifest.ended else f" {progress.percent:.0f}%{eta} "
    now = "" if not is_running else f" {progress.items_per_second:.0f}/s  {wording.size(progress.bytes_per_second)}/s"
    most = f"  at most {max(rates):.0f}/s" if rates and max(rates) else ""
    return Content.assemble(far, " rate ", (sparkline(rates, _SPARK_CELLS), "$text-primary"), f"{now}{most}{lost}")


def is_parsing(manifest: Manifest) -> bool:
    """Return whether the job is where it has items parsed."""
    phase = manifest.phases.get("extract")
    return not manifest.ended and (bool(manifest.parsing) or (phase is not None and phase.state == "running"))


def parsing_line(manifest: Manifest, now: float, width: int) -> Content | None:
    """Return what has been parsed for longest and by which process, and how many others are, in ``width`` cells.

    None when the job parses nothing any more, or not yet: between two small items the line stays.
    """
    if not is_parsing(manifest):
        return None
    if not manifest.parsing:
        return Content(f"{_PARSING}-")
    first, others = manifest.parsing[0], len(manifest.parsing) - 1
    more = f"  and {others} more" if others else ""
    told = f" for {wording.duration(first.seconds(now))}  pid {first.pid}{more}"
    name, room = safe_display(first.key), max(_LEAST_NAME, width - len(_PARSING) - len(told))
    return Content.assemble(_PARSING, (name if cell_len(name) <= room else cut_path(name, room), "$text-primary"), told)


def parsing_columns(now: Callable[[], float]) -> list[Column[ParsingItem]]:
    """What is being parsed right now: the item, for how long, and by which process."""
    return [
        Column("key", "ITEM", 0, lambda item: Cell(item.key, "running"), is_path=True),
        Column("for", "FOR", 6, lambda item: Cell(wording.duration(item.seconds(now()))), right=True),
        Column("pid", "PROCESS", 8, lambda item: Cell(str(item.pid), "quiet"), right=True),
    ]


def counters_line(counters: Counters, *, ended: bool) -> str:
    """Return the counters as the sum that they are; what is missing is still to come, or was left undone."""
    numbers = [(name, getattr(counters, counter)) for name, counter in _PARTS]
    said = set() if counters.items_embedded else _ALWAYS_SAID
    parts = [f"{number:,} {name}" for name, number in numbers if number or name in said]
    missing = counters.descriptors_listed - counters.listed_accounted_for
    if missing > 0:
        parts.append(f"{missing:,} {'not done' if ended else 'to come'}")
    others = [
        (counters.items_retired, "item retired" if counters.items_retired == 1 else "items retired"),
        (counters.items_with_warnings, "with warnings"),
        (counters.members.total, "members of archives"),
        (
            counters.versions_deleted,
            "earlier version deleted" if counters.versions_deleted == 1 else "earlier versions deleted",
        ),
        (counters.chunks_written, "chunk" if counters.chunks_written == 1 else "chunks"),
    ]
    rest = "  ".join(f"{number:,} {name}" for number, name in others if number)
    return f" {counters.descriptors_listed:,} listed = {' + '.join(parts)}" + (f"   and {rest}" if rest else "")


def no_outcome(manifest: Manifest | None, *, is_narrowed: bool, has_read_all: bool = True) -> str:
    """Return what is said in place of the outcomes of a job. None, and not all read: they are on their way."""
    if manifest is None or not has_read_all:
        return "reading …"
    if is_narrowed:
        return "no outcome matches"
    return "no document was processed" if manifest.ended else "no document is finished yet"


def issue_line(manifest: Manifest) -> str:
    """Return what asks for a person: held deletions, else the last error, else the last warning."""
    if manifest.held and manifest.held.waits:
        waiting = counted(manifest.held.documents, "deletion waits", "deletions wait")
        return f"{waiting} for a person: H lists them, A approves, N refuses"
    if manifest.errors:
        last = manifest.errors[-1]
        return f"{wording.plural(manifest.errors_total, 'error')}; last: {last.message}" + (
            f" ({last.hint})" if last.hint else ""
        )
    return manifest.warnings[-1] if manifest.warnings else ""


def log_line(record: dict[str, Any], *, timestamps: bool) -> tuple[str, str]:
    """Return a record of the log of a job as one line, and its tone."""
    level = str(record.get("level", "info"))
    rest = " ".join(wording.named(name, value) for name, value in record.items() if name not in _SHOWN_ELSEWHERE)
    at = f"{str(record.get('at', ''))[11:19]} " if timestamps else ""
    tone = {"error": "bad", "warning": "warn", "debug": "quiet"}.get(level, "")
    return f"{at}{level.upper():7} {record.get('message', '')} {rest}".rstrip(), tone


def reason_key(group: ReasonGroup) -> str:
    """Return the key of the row of a reason."""
    return f"{group.outcome}\0{group.reason}"


REASON_COLUMNS: list[Column[ReasonGroup]] = [
    Column(
        "reason",
        "REASON",
        28,
        lambda group: Cell(f"{group.outcome}: {group.reason.replace('_', ' ')}", wording.tone(group.outcome)),
    ),
    Column("number", "ITEMS", 6, lambda group: Cell(wording.count(group.number)), right=True),
    Column("detail", "LAST", 0, lambda group: Cell(group.shown_detail, "quiet"), from_width=110),
    Column("hint", "WHAT TO DO", 0, lambda group: Cell(group.hint)),
]
