"""Whether somebody has to look after a workspace: what monitors ask every few minutes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from ingest_tui.credentials.problems import WARNED_DAYS_AHEAD
from ingest_tui.model.safe_text import safe_display
from ingest_tui.services.sources.health import list_sources
from ingest_tui.services.stats import Stats, workspace_stats
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.living_workers import living_workers

HealthLevel = Literal["warning", "critical"]
_LONGEST_IN_QUEUE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class HealthFinding:
    """One thing that needs a person: soon (``warning``) or now (``critical``). ``subject`` names what it is about."""

    level: HealthLevel
    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class Health:
    """What was found, the worst first, and the figures that it was found in."""

    findings: tuple[HealthFinding, ...]
    stats: Stats

    @property
    def exit_code(self) -> int:
        """0: all is well, 1: a warning, 2: something is critical; what monitoring plugins end with."""
        return {"critical": 2, "warning": 1}[self.findings[0].level] if self.findings else 0

    @property
    def summary(self) -> str:
        """Return the one line that monitors show."""
        if not self.findings:
            documents, sources = sum(self.stats.documents.values()), len(self.stats.sources)
            return f"OK: {documents} documents of {sources} sources, {self.stats.queue_length} jobs wait"
        first, *others = self.findings
        more = f" (and {len(others)} more)" if others else ""
        return f"{first.level.upper()}: {first.subject}: {first.message}{more}"

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        findings = [{"level": one.level, "subject": one.subject, "message": one.message} for one in self.findings]
        status = ("ok", "warning", "critical")[self.exit_code]
        return {"status": status, "summary": self.summary, "findings": findings}


def check_health(workspace: Workspace, *, oldest_success: timedelta | None = None) -> Health:
    """Look at a workspace as it is; changes nothing and asks no source.

    ``oldest_success``: an enabled source whose last good sync is longer ago, or that had none, is critical.
    """
    stats = workspace_stats(workspace)
    found = [
        *_workers(workspace, stats),
        *_disk(stats),
        *_sources(workspace, stats, oldest_success),
        *_credentials(stats),
        *_queue(stats),
    ]
    return Health(tuple(sorted(found, key=lambda one: one.level != "critical")), stats)


def _workers(workspace: Workspace, stats: Stats) -> Iterator[HealthFinding]:
    needs_one = any(one.enabled and (one.watch or one.schedule is not None) for one in workspace.sources.all())
    if needs_one and not stats.workers.get("watch"):
        yield HealthFinding("critical", "worker", "none is running, and sources are watched or have a schedule")
    elif stats.queue_length and not {"watch", "queue", "foreground"} & stats.workers.keys():
        yield HealthFinding("warning", "worker", f"none is running, and {stats.queue_length} jobs wait")
    for worker in living_workers(workspace):
        for issue in worker.issues:
            level: HealthLevel = "critical" if issue.level == "error" else "warning"
            message = f"{issue.task} fails since {issue.since}: {issue.message}"
            yield HealthFinding(level, f"worker {worker.pid}", safe_display(message))


def _disk(stats: Stats) -> Iterator[HealthFinding]:
    free = f"{stats.disk_free // 2**20} MiB free, {stats.disk_reserve // 2**20} MiB are kept free"
    if stats.disk_free < stats.disk_reserve or stats.paused_for_disk:
        yield HealthFinding("critical", "disk", f"{free}: jobs wait for room")
    elif stats.disk_free < 2 * stats.disk_reserve:
        yield HealthFinding("warning", "disk", f"{free}: jobs will soon wait for room")


def _sources(workspace: Workspace, stats: Stats, oldest_success: timedelta | None) -> Iterator[HealthFinding]:
    for source_id in workspace.sources.unreadable():
        yield HealthFinding(
            "critical", f"source {safe_display(source_id)}", "its file cannot be read; see 'ingest-tui doctor'"
        )
    for summary in list_sources(workspace):
        name = f"source {safe_display(summary.source.source_id)}"
        if summary.level in {"problem", "warning"} and summary.source.enabled:
            yield HealthFinding("critical" if summary.level == "problem" else "warning", name, summary.health)
    for figures in stats.sources:
        if oldest_success is None or not figures.enabled:
            continue
        name, age = f"source {safe_display(figures.source_id)}", figures.success_age_seconds
        if age is None:
            yield HealthFinding("critical", name, "no sync has ended well")
        elif age > oldest_success.total_seconds():
            yield HealthFinding("critical", name, f"the last sync that ended well was at {figures.last_success_at}")


def _credentials(stats: Stats) -> Iterator[HealthFinding]:
    for name, days in stats.credentials.items():
        if days < 0:
            yield HealthFinding("critical", f"credential {safe_display(name)}", f"ended {-days} days ago")
        elif days <= WARNED_DAYS_AHEAD:
            yield HealthFinding("warning", f"credential {safe_display(name)}", f"ends in {days} days")


def _queue(stats: Stats) -> Iterator[HealthFinding]:
    if (stats.oldest_queued_seconds or 0) > _LONGEST_IN_QUEUE.total_seconds():
        hours = int((stats.oldest_queued_seconds or 0) // 3600)
        yield HealthFinding("warning", "queue", f"a job waits for {hours} h; 'ingest-tui job list' shows which")
