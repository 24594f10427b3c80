"""The columns of the panels of the overview, and how what they show is put in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import nlargest
from typing import TYPE_CHECKING

from ingest_tui.model.clock import seconds_since_epoch
from ingest_tui.model.job_order import job_order
from ingest_tui.tui import wording
from ingest_tui.tui.views.jobs.jobs_model import JobRow
from ingest_tui.tui.views.overview.activity import Activity
from ingest_tui.tui.views.sources.source_words import HEALTH_TONES, health_words
from ingest_tui.tui.widgets.columns import Cell, Column
from ingest_tui.tui.widgets.glyphs import Glyphs

if TYPE_CHECKING:
    from ingest_tui.services.attention import AttentionItem
    from ingest_tui.services.overview import CollectionTotals, Overview
    from ingest_tui.services.sources.health import SourceSummary

JOBS_IN_HEALTH = 8
TIMELINE_SECONDS, TIMELINE_CELLS, MOST_ENDED = 6 * 3600.0, 24, 50
ACTIVITY_LINES, ACTIVITY_WORDS = 5, 24
"""Lines of the panel, and the cells that their words take."""
_LEVELS = {"problem": 0, "warning": 1, "": 2, "ok": 3}
_LATE_SECONDS = 60
_FEW = 10
_LEAST_SHOWN = 0.1


def attention_columns(now: Callable[[], float]) -> list[Column[AttentionItem]]:
    """What needs a person: what it is about, what is wrong, what to do, and for how long it has been so."""

    def subject(item: AttentionItem) -> Cell:
        bad = item.level == "problem"
        return Cell(f"{'!' if bad else '?'} {item.subject}", "bad" if bad else "warn")

    return [
        Column("subject", "ABOUT", 18, subject),
        Column("message", "WHAT", 0, lambda item: Cell(item.message)),
        Column("action", "DO", 19, lambda item: Cell(item.action, "accent"), from_width=60),
        Column("since", "SINCE", 5, lambda item: Cell(_age(item.since, now()), "quiet"), right=True, from_width=50),
    ]


def source_columns(now: Callable[[], float], health_of: Callable[[str], str]) -> list[Column[SourceSummary]]:
    """The board of sources; ``health_of`` returns the bars of a source's last jobs."""

    def name(summary: SourceSummary) -> Cell:
        glyph = {"problem": "!", "warning": "?", "ok": "+"}.get(summary.level, "-")
        return Cell(f"{glyph} {summary.source.source_id}", HEALTH_TONES.get(summary.level, "quiet"))

    def health(summary: SourceSummary) -> Cell:
        return Cell(health_words(summary, now())[2:], HEALTH_TONES.get(summary.level, "quiet"))

    return [
        Column("name", "NAME", 0, name, share=2),
        Column("documents", "DOCS", 9, lambda summary: Cell(f"{summary.documents:,}"), right=True),
        Column("look", "LOOKED AT", 9, lambda one: Cell(_age(one.last_complete_at, now())), right=True),
        Column("next", "NEXT", 10, lambda one: Cell(next_words(one, now()), "quiet"), right=True, from_width=60),
        Column("jobs", "JOBS", 8, lambda one: Cell(health_of(one.source.source_id)), from_width=50),
        Column("health", "HEALTH", 0, health, from_width=66, share=3),
    ]


def running_columns(glyphs: Glyphs) -> list[Column[JobRow]]:
    """The jobs that run or wait: how far they are, and for how long they will go on."""

    def bar(row: JobRow) -> Cell:
        if row.state != "running":
            return Cell(wording.state_word(row.state), wording.tone(row.state))
        return Cell(glyphs.bar(row.percent / 100, 14), "running")

    def eta(row: JobRow) -> Cell:
        return Cell(wording.duration(row.eta_seconds) if row.state == "running" else "", "quiet")

    return [
        Column("source", "SOURCE", 0, lambda row: Cell(row.source_id or row.collection_id)),
        Column("bar", "DONE", 14, bar),
        Column("percent", "", 4, lambda row: Cell(f"{row.percent:.0f}%" if row.state == "running" else ""), right=True),
        Column("eta", "ETA", 6, eta, right=True),
    ]


def collection_columns() -> list[Column[CollectionTotals]]:
    """What each collection holds."""
    return [
        Column("name", "NAME", 0, lambda one: Cell(one.collection_id)),
        Column("documents", "DOCS", 10, lambda one: Cell(f"{one.documents:,}"), right=True),
        Column("chunks", "CHUNKS", 12, lambda one: Cell(f"{one.chunks:,}"), right=True),
        Column("to_embed", "TO EMBED", 10, _to_embed, right=True),
    ]


def _to_embed(one: CollectionTotals) -> Cell:
    if one.to_embed is None:
        return Cell("-", "quiet")
    return Cell(f"{one.to_embed:,}", "warn" if one.to_embed else "good")


def timeline_columns(now: Callable[[], float], glyphs: Glyphs) -> list[Column[JobRow]]:
    """The jobs that have ended: when, within the last hours, how, and how long they took."""

    def when(row: JobRow) -> Cell:
        start, end = seconds_since_epoch(row.started_at or row.created_at), seconds_since_epoch(row.finished_at)
        begin = now() - TIMELINE_SECONDS
        if start is None or end is None:
            return Cell("")
        line = glyphs.span((start - begin) / TIMELINE_SECONDS, (end - begin) / TIMELINE_SECONDS, TIMELINE_CELLS)
        return Cell(line, wording.tone(row.state))

    def state(row: JobRow) -> Cell:
        return Cell(wording.state_word(row.state), wording.tone(row.state))

    return [
        Column("source", "SOURCE", 0, lambda row: Cell(row.source_id or row.collection_id)),
        Column("state", "ENDED", 11, state),
        Column("when", "LAST 6 HOURS", TIMELINE_CELLS, when, from_width=58),
        Column("items", "ITEMS", 6, lambda row: Cell(wording.count(row.done)), right=True, from_width=44),
        Column("took", "TOOK", 6, lambda row: Cell(wording.duration(row.seconds_taken(now())), "quiet"), right=True),
        Column("ago", "AGO", 4, lambda row: Cell(_age(row.finished_at, now()), "quiet"), right=True),
    ]


def last_ended(rows: Iterable[JobRow]) -> list[JobRow]:
    """Return the jobs that ended last, the newest first."""
    return nlargest(MOST_ENDED, (row for row in rows if row.ended), key=lambda row: row.finished_at)


def by_health(summaries: Iterable[SourceSummary]) -> list[SourceSummary]:
    """Return the sources with what is wrong first."""
    return sorted(summaries, key=lambda one: (_LEVELS.get(one.level, 2), not one.source.enabled, one.source.source_id))


def unfinished(rows: Iterable[JobRow]) -> list[JobRow]:
    """Return the jobs that work or wait: those that work first, then in their order."""
    ranks = {"running": 0, "paused": 1, "interrupted": 2}
    waiting = [row for row in rows if not row.ended and row.state != wording.UNREADABLE]
    return sorted(waiting, key=lambda row: (ranks.get(row.state, 3), row.priority, job_order(row.job_id)))


def last_states(rows: Iterable[JobRow]) -> dict[str, list[str]]:
    """Return how the last jobs of each source ended, the newest last."""
    found: dict[str, list[tuple[object, str]]] = {}
    for row in rows:
        if row.ended and row.source_id:
            found.setdefault(row.source_id, []).append((job_order(row.job_id), row.state))
    return {name: [state for _order, state in sorted(jobs)[-JOBS_IN_HEALTH:]] for name, jobs in found.items()}


def next_words(summary: SourceSummary, now: float) -> str:
    """Return what starts the next sync: ``in 19m`` for a schedule, and what else there is."""
    if summary.active_job is None and summary.next_run_at is not None:
        moment = seconds_since_epoch(summary.next_run_at)
        if moment is not None:
            return f"in {wording.duration(moment - now)}" if moment - now >= _LATE_SECONDS else "now"
    return summary.next_run or "-"


def activity_lines(
    hour: Activity, day: Activity, glyphs: Glyphs, cells: int, *, waiting: int
) -> list[tuple[str, str, str]]:
    """Return lines of what was done: a name, a sparkline in ``cells`` cells, and the newest value or the highest.

    ``waiting``: how many jobs are queued now.
    """
    megabytes = [size / 1e6 for size in hour.bytes]
    return [
        ("docs/min   1h", glyphs.sparkline(hour.documents, cells, full_from=1), f"{_rate(hour.documents[-1])} now"),
        ("MB/min     1h", glyphs.sparkline(megabytes, cells, full_from=_LEAST_SHOWN), f"{_rate(megabytes[-1])} now"),
        ("queue      1h", glyphs.sparkline(hour.queue, cells, full_from=1), f"{waiting} now"),
        ("docs/min  24h", glyphs.sparkline(day.documents, cells, full_from=1), f"{_rate(max(day.documents))} max"),
        ("queue     24h", glyphs.sparkline(day.queue, cells, full_from=1), f"{_rate(max(day.queue))} max"),
    ]


def _rate(value: float) -> str:
    """Return a rate in two figures or more: ``0.4``, ``206``, ``1.2k``; nothing is ``0``, next to nothing ``<0.1``."""
    if 0 < value < _LEAST_SHOWN:
        return "<0.1"
    return f"{value:.1f}" if 0 < value < _FEW else wording.count(round(value))


def disk_words(overview: Overview) -> str:
    """Return the room on the disk and the size of the catalogue."""
    return f"disk {wording.size(overview.room.free)} free · catalogue {wording.size(overview.catalogue_bytes)}"


def _age(moment: str | None, now: float) -> str:
    return wording.age(moment, now)
