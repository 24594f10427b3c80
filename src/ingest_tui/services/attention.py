"""What in a workspace needs a person now: one list, for the first screen, ``status``, and whoever monitors.

`what_needs_attention` decides and asks nobody; `list_attention` gathers the facts, from records that are small
whatever the number of documents: no folder is walked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import humanize

from ingest_tui.model.clock import rfc3339, utc_now
from ingest_tui.model.counted import counted, noun
from ingest_tui.model.errors import IngestError
from ingest_tui.model.source import UPLOAD_SOURCE
from ingest_tui.services.credentials.credentials import CredentialRow, list_credentials
from ingest_tui.services.failed_items import failed_items
from ingest_tui.services.sources.health import SourceSummary, list_sources
from ingest_tui.store.fs.disk import Room, room_in
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.living_workers import WorkerInfo, living_workers

Level = Literal["problem", "warning"]
_SERVING = frozenset({"watch", "queue"})
_LONGEST_IN_QUEUE = timedelta(hours=1)
_MISSED_RUNS = 2
_GRACE = timedelta(hours=1)
_LITTLE_ROOM = 2
"""Warn where less than so many times the reserve of the disk is free."""


@dataclass(frozen=True, slots=True)
class AttentionItem:
    """One thing that needs a person. ``code`` is stable; ``action`` says in a few words what to do, ``hint`` with what.

    ``since``: RFC 3339, None where nobody knows. ``source_id``, ``job_id`` and ``credential`` name what it is about,
    as far as it is about one.
    """

    level: Level
    code: str
    subject: str
    message: str
    action: str
    hint: str
    since: str | None = None
    source_id: str = ""
    job_id: str = ""
    credential: str = ""

    @property
    def key(self) -> str:
        """What stays the same as long as it is the same thing."""
        return f"{self.code}/{self.source_id or self.credential or self.subject}"

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class AttentionFacts:
    """What is known of a workspace at the moment ``now`` (UTC).

    ``waiting``: how many jobs are queued, ``waiting_since`` when the oldest was made. ``quarantined``: how many
    documents killed their parsers, by source; ``failed``: how many others failed. ``credential_failure``: why the
    credentials cannot be read.
    """

    now: datetime
    sources: Sequence[SourceSummary] = ()
    unreadable_sources: Sequence[str] = ()
    credentials: Sequence[CredentialRow] = ()
    credential_failure: str = ""
    workers: Sequence[WorkerInfo] = ()
    waiting: int = 0
    waiting_since: str | None = None
    quarantined: Sequence[tuple[str, int]] = ()
    failed: Sequence[tuple[str, int]] = ()
    room: Room | None = None
    remote_rescan: timedelta = timedelta(minutes=15)


def list_attention(workspace: Workspace) -> list[AttentionItem]:
    """Return what needs a person now, the worst first."""
    return what_needs_attention(_facts(workspace))


def attention_of(workspace: Workspace, summaries: Sequence[SourceSummary]) -> list[AttentionItem]:
    """Like `list_attention` for a caller that has asked for all sources already."""
    return what_needs_attention(_facts(workspace, summaries))


def what_needs_attention(facts: AttentionFacts) -> list[AttentionItem]:
    """Decide what needs a person: problems before warnings, each kind in the order of the functions below."""
    found = [
        *_holds(facts.sources),
        *_of_disk(facts.room),
        *_of_workers(facts),
        *_unreadable(facts.unreadable_sources),
        *_failing(facts.sources),
        *_of_credentials(facts),
        *_quarantined(facts.quarantined),
        *_failed(facts.failed),
        *_listed_with_gaps(facts.sources),
        *_stale(facts),
        *_never_synced(facts.sources),
    ]
    return sorted(found, key=lambda item: item.level != "problem")


def _facts(workspace: Workspace, summaries: Sequence[SourceSummary] | None = None) -> AttentionFacts:
    failure, credentials = "", list[CredentialRow]()
    try:
        credentials = list_credentials(workspace)
    except IngestError as error:
        failure = error.message
    waiting, failed = workspace.jobs.waiting(), failed_items(workspace)
    return AttentionFacts(
        now=utc_now(),
        sources=list_sources(workspace) if summaries is None else summaries,
        unreadable_sources=workspace.sources.unreadable(),
        credentials=credentials,
        credential_failure=failure,
        workers=living_workers(workspace),
        waiting=len(waiting),
        waiting_since=min((job.created_at for job in waiting), default=None),
        quarantined=list(failed.quarantined.items()),
        failed=list(failed.others.items()),
        room=room_in(workspace.root, workspace.settings.disk_reserve),
        remote_rescan=timedelta(seconds=workspace.settings.remote_rescan_seconds),
    )


def _holds(sources: Iterable[SourceSummary]) -> Iterator[AttentionItem]:
    for summary in sources:
        job = summary.holding_job
        if job is not None and job.held is not None:
            number = job.held.documents
            yield AttentionItem(
                "problem",
                "deletions_held",
                summary.source.source_id,
                f"{counted(number, 'deletion')} of {counted(job.held.known, 'document')} "
                f"{noun(number, 'waits', 'wait')} for a person",
                "approve or refuse",
                f"'ingest-tui job items {job.job_id} --held' lists them; 'ingest-tui job approve {job.job_id}' or "
                f"'ingest-tui job refuse {job.job_id}' answers",
                job.finished_at or job.created_at,
                summary.source.source_id,
                job.job_id,
            )


def _of_disk(room: Room | None) -> Iterator[AttentionItem]:
    if room is None or room.free >= _LITTLE_ROOM * room.reserve:
        return
    level: Level = "warning" if room.has(0) else "problem"
    message = f"{humanize.naturalsize(room.free)} free, of which {humanize.naturalsize(room.reserve)} are kept free"
    message += "" if room.has(0) else ": jobs wait for room"
    hint = "'ingest-tui prune --dry-run' and 'ingest-tui trash list' show what could go"
    yield AttentionItem(level, "disk_low", "disk", message, "make room", hint)


def _of_workers(facts: AttentionFacts) -> Iterator[AttentionItem]:
    start = "'ingest-tui worker start' starts one"
    if not any(worker.mode in _SERVING for worker in facts.workers):
        following = [one for one in facts.sources if one.source.enabled and (one.source.watch or one.source.schedule)]
        if facts.waiting:
            message = f"none runs, and {counted(facts.waiting, 'job waits', 'jobs wait')}"
            since = facts.waiting_since
            yield AttentionItem("problem", "no_worker", "worker", message, "start a worker", start, since)
        elif following:
            message = f"none runs: changes in {counted(len(following), 'source')} go unnoticed"
            yield AttentionItem("problem", "no_worker", "worker", message, "start a worker", start)
    elif facts.waiting_since is not None and facts.waiting_since < rfc3339(facts.now - _LONGEST_IN_QUEUE):
        hint = "'ingest-tui job list' shows which, and what runs meanwhile"
        message = "a job waits for more than an hour"
        yield AttentionItem("warning", "queue_slow", "queue", message, "see what runs", hint, facts.waiting_since)
    for worker in facts.workers:
        for issue in worker.issues:
            if issue.level == "error":
                yield AttentionItem(
                    "problem",
                    "worker_failing",
                    issue.source_id or f"worker {worker.pid}",
                    f"{issue.task} fails: {issue.message}",
                    "see the log",
                    "'ingest-tui worker status' shows it; it is tried again",
                    issue.since,
                    issue.source_id,
                )


def _unreadable(names: Iterable[str]) -> Iterator[AttentionItem]:
    for name in names:
        message, hint = "the record of this source cannot be read", "'ingest-tui doctor' reports why"
        yield AttentionItem("problem", "source_unreadable", name, message, "repair the file", hint)


def _failing(sources: Iterable[SourceSummary]) -> Iterator[AttentionItem]:
    for summary in sources:
        last = summary.last_job
        if summary.failing_since is None or last is None:
            continue
        source_id = summary.source.source_id
        error = last.errors[-1] if last.errors else None
        yield AttentionItem(
            "problem",
            "source_failing",
            source_id,
            f"its jobs fail: {error.message}" if error is not None else "its jobs fail",
            "test the source",
            (error.hint if error is not None else "") or f"'ingest-tui source test {source_id}' shows what fails",
            summary.failing_since,
            source_id,
            last.job_id,
        )


def _of_credentials(facts: AttentionFacts) -> Iterator[AttentionItem]:
    if facts.credential_failure:
        hint = "'ingest-tui doctor' reports why"
        yield AttentionItem(
            "problem", "credentials_unreadable", "credentials", facts.credential_failure, "repair the file", hint
        )
    for row in facts.credentials:
        if row.level == "ok" or not row.used_by:
            continue
        name, problem = row.summary.name, row.summary.problem
        about = f"cannot be used: {problem}" if problem else row.countdown
        if not problem and row.days_left is not None and row.days_left >= 0:
            about = f"expires {about}"
        yield AttentionItem(
            "problem" if row.level == "problem" else "warning",
            "credential_unusable" if problem else "credential_expires",
            name,
            f"{about}; used by {', '.join(row.used_by)}",
            "correct it" if problem else "rotate",
            f"'ingest-tui credential test {name}' shows what is wrong; 'ingest-tui credential set --help' changes it",
            credential=name,
        )


def _quarantined(numbers: Iterable[tuple[str, int]]) -> Iterator[AttentionItem]:
    for source_id, number in numbers:
        what = "document kills its parser and is" if number == 1 else "documents kill their parsers and are"
        yield AttentionItem(
            "warning",
            "documents_quarantined",
            source_id,
            f"{number:,} {what} left out",
            "look at them",
            f"'ingest-tui errors list --source {source_id}' shows them; {_how_to_try_again(source_id)}",
            source_id=source_id,
        )


def _failed(numbers: Iterable[tuple[str, int]]) -> Iterator[AttentionItem]:
    for source_id, number in numbers:
        yield AttentionItem(
            "warning",
            "documents_failed",
            source_id,
            f"{counted(number, 'document')} failed",
            "look at them",
            f"'ingest-tui errors list --source {source_id}' shows what failed and why; {_how_to_try_again(source_id)}",
            source_id=source_id,
        )


def _how_to_try_again(source_id: str) -> str:
    """Return what has failed documents read again: of an upload nobody has the file any more."""
    if source_id == UPLOAD_SOURCE:
        return f"upload them again, or have them left out: 'ingest-tui errors ignore --source {source_id}'"
    return f"'ingest-tui errors retry --source {source_id}' tries again"


def _listed_with_gaps(sources: Iterable[SourceSummary]) -> Iterator[AttentionItem]:
    for summary in sources:
        last = summary.last_job
        if last is None or not summary.listing_gaps:
            continue
        parts = counted(summary.listing_gaps, "part")
        yield AttentionItem(
            "warning",
            "source_incomplete",
            summary.source.source_id,
            f"{parts} of it could not be listed",
            "see what",
            f"'ingest-tui job errors {last.job_id}' shows which, and why",
            last.finished_at,
            summary.source.source_id,
            last.job_id,
        )


def _stale(facts: AttentionFacts) -> Iterator[AttentionItem]:
    """Yield the sources whose last complete look is older than what looks at them by itself allows."""
    for summary in facts.sources:
        source, last = summary.source, summary.last_complete_at
        interval = _interval(summary, facts.remote_rescan)
        if not source.enabled or interval is None or last is None or summary.failing_since or summary.active_job:
            continue
        if last < rfc3339(facts.now - _MISSED_RUNS * interval - _GRACE):
            yield AttentionItem(
                "warning",
                "source_stale",
                source.source_id,
                "was not looked at completely for longer than it should be",
                "sync it",
                f"'ingest-tui sync {source.source_id}' looks at it now",
                last,
                source.source_id,
            )


def _interval(summary: SourceSummary, remote_rescan: timedelta) -> timedelta | None:
    """Return how often a source is looked at by itself; None where that is not known, or only changes count."""
    schedule = summary.source.schedule
    if schedule is not None:
        return schedule.interval or None
    return remote_rescan if summary.is_rescanned else None


def _never_synced(sources: Iterable[SourceSummary]) -> Iterator[AttentionItem]:
    for summary in sources:
        source_id = summary.source.source_id
        if summary.source.enabled and summary.last_job is None and summary.active_job is None:
            hint = f"'ingest-tui plan {source_id}' shows what a sync would do, 'ingest-tui sync {source_id}' does it"
            yield AttentionItem(
                "warning", "source_never_synced", source_id, "was never synced", "sync it", hint, source_id=source_id
            )
