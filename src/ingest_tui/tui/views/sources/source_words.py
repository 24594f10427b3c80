"""How a source reads: its state, its health, and its settings one by one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ingest_tui.tui import wording
from ingest_tui.tui.views.jobs.jobs_model import JobRow
from ingest_tui.tui.widgets.columns import Cell, Column

if TYPE_CHECKING:
    from ingest_tui.services.sources.outcomes import OutcomeCount
    from ingest_tui.services.sources.sources import SourceSummary

HEALTH_TONES = {"problem": "bad", "warning": "warn", "ok": "good"}
_GLYPHS = {"problem": "!", "warning": "?", "ok": "+"}
_LABEL = 16


def job_columns(now: Callable[[], float]) -> list[Column[JobRow]]:
    """The jobs of a source."""

    def state(row: JobRow) -> Cell:
        return Cell(wording.state_word(row.state), wording.tone(row.state))

    def held(row: JobRow) -> Cell:
        return Cell(wording.count(row.held) if row.held else "", "warn")

    return [
        Column("age", "AGE", 5, lambda row: Cell(wording.age(row.created_at, now()), "quiet"), right=True),
        Column("state", "STATE", 14, state),
        Column("done", "DONE/TOTAL", 12, lambda row: Cell(f"{row.done}/{row.total}"), right=True),
        Column("errors", "ERR", 5, lambda row: Cell(wording.count(row.errors_total)), right=True),
        Column("held", "HELD", 5, held, right=True, from_width=56),
        Column("last", "LAST ERROR", 0, lambda row: Cell(row.last_error, "quiet")),
    ]


def _outcome(one: OutcomeCount) -> Cell:
    return Cell(wording.state_word(one.outcome), wording.tone(one.outcome))


OUTCOME_COLUMNS: list[Column[OutcomeCount]] = [
    Column("number", "ITEMS", 9, lambda one: Cell(f"{one.number:,}"), right=True),
    Column("outcome", "OUTCOME", 12, _outcome),
    Column("reason", "WHY", 20, lambda one: Cell(one.reason.replace("_", " "))),
    Column("hint", "WHAT TO DO", 0, lambda one: Cell(one.hint, "quiet")),
]


def history_line(bars: str, states: Sequence[str]) -> str:
    """Return how the last jobs of a source ended: a bar each, the newest on the right, and how many went well."""
    good = sum(state == "succeeded" for state in states)
    return f"{'last jobs':{_LABEL}} {bars}  {good} of {len(states)} succeeded"


def state_of(summary: SourceSummary) -> str:
    """Return the state of a source: of its unfinished job, else of its last one."""
    if summary.active_job is not None:
        return str(summary.active_job.state)
    if not summary.source.enabled:
        return "disabled"
    return "never synced" if summary.last_job is None else str(summary.last_job.state)


def health_words(summary: SourceSummary, now: float) -> str:
    """Return the health with its glyph; how long a source has been failing counts more than the day it began."""
    if not summary.level:
        return "-"
    words = summary.health
    if summary.failing_since is not None and words.startswith("failing"):
        words = f"failing for {wording.age(summary.failing_since, now)}"
    return f"{_GLYPHS[summary.level]} {words}"


def searchable(summary: SourceSummary) -> str:
    """Return what the filter of the list looks into."""
    source = summary.source
    state = f"{state_of(summary)} {summary.health} {summary.next_run} {'watched' if source.watch else ''}"
    return f"{source.source_id} {source.name} {source.source_type} {source.place} {state}".lower()


def detail_lines(summary: SourceSummary) -> list[tuple[str, str]]:
    """Return the settings and the state of a source as lines with their tones."""
    source, last = summary.source, summary.last_job
    tone = "bad" if summary.level == "problem" else "warn" if summary.level == "warning" else ""
    lines = [
        (f"{source.name or source.source_id}   ({source.source_id})", "head"),
        (_labelled("health", f"{_GLYPHS.get(summary.level, '-')} {summary.health}".rstrip()), tone),
        (_labelled("state", state_of(summary)), ""),
        (_labelled("next sync", summary.next_run), ""),
        *([(_labelled("schedule", source.schedule.in_words), "")] if source.schedule is not None else []),
        (_labelled("documents", f"{summary.documents:,} in {source.collection_id}"), ""),
    ]
    if summary.embedding:
        lines.append((_labelled("embedding", summary.embedding), "bad" if summary.embedding == "failed" else ""))
    if summary.columns_in_words:
        lines.append((_labelled("columns", summary.columns_in_words), ""))
    if last is not None:
        lines.append((_labelled("last job", f"{last.job_id}, {last.state}"), ""))
        counters = last.counters
        counts = f"{counters.descriptors_listed:,} listed, {counters.items_ingested:,} ingested"
        lines.append((_labelled("", f"{counts}, {counters.items_failed:,} failed"), "quiet"))
    lines.append(("", ""))
    lines.append((_labelled("type", source.source_type), ""))
    lines += [
        (_labelled(name, _value(value)), "") for name, value in source.source_config.items() if value not in ("", ())
    ]
    lines += [
        (_labelled("enabled", _value(source.enabled)), ""),
        (_labelled("watch", _value(source.watch)), ""),
        (_labelled("largest", wording.size(int(source.max_size))), ""),
        (_labelled("priority", str(source.priority)), ""),
    ]
    for name, value in (
        ("since", source.since),
        ("types", source.allow_types),
        ("not these types", source.deny_types),
        ("backend", source.extraction.backend),
        ("backends", source.extraction.by_type),
        ("schema", source.schema_file),
        ("archives", source.containers if source.containers != "documents" else ""),
        ("attachments", source.attachments),
        ("violations", source.schema_file and source.schema_violations),
        ("ocr", source.ocr),
        ("ocr languages", source.ocr_languages),
        ("ocr engine", source.ocr_engine),
        ("own choice", source.overrides.chosen()),
    ):
        if value:
            lines.append((_labelled(name, _value(value)), ""))
    return lines


def _labelled(name: str, value: str) -> str:
    return f"{name.replace('_', ' '):{_LABEL}} {value}"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}={one}" for name, one in value.items())
    return str(value)
