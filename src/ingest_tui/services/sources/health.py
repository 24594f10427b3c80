"""How the sources are doing: what became of their last jobs, since when they fail, and what is about to stop them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice

from ingest_tui.connectors.registry import connector_class
from ingest_tui.credentials.credential_registry import CredentialRegistry
from ingest_tui.credentials.problems import WARNED_DAYS_AHEAD
from ingest_tui.credentials.summary import CredentialSummary, countdown
from ingest_tui.model.clock import rfc3339, utc_now
from ingest_tui.model.embedding_state import EmbeddingState
from ingest_tui.model.errors import IngestError
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.model.source import Source
from ingest_tui.services.embedding_states import states_of_sources
from ingest_tui.services.jobs.jobs import as_it_is
from ingest_tui.store.catalogue import queries
from ingest_tui.store.jobs import id_part_of
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.living_workers import living_workers
from ingest_tui.worker.schedules import next_run

_MOST_FAILURES = 200
_ENDED_WELL = frozenset({JobState.SUCCEEDED, JobState.PARTIAL})


@dataclass(slots=True)
class SourceSummary:
    """A source, how many documents it has, its newest jobs, and how it is doing.

    ``failing_since``: when the first of its jobs was made that failed since one that ended well; None when the newest
    did. ``level``: ``ok``, ``warning`` or ``problem``, and ``health`` says why in a few words; both empty for a source
    that was never synced. ``next_run`` says what starts the next sync, ``next_run_at`` when its
    schedule does that. ``embedding``: how far the vectors of its
    documents are, empty where it has none. ``text_columns`` and ``context_columns``: which columns of tables its
    collection chose; empty for all that have a name, and for none.
    """

    source: Source
    documents: int
    last_job: Manifest | None
    active_job: Manifest | None
    failing_since: str | None = None
    level: str = ""
    health: str = ""
    next_run: str = ""
    next_run_at: str | None = None
    embedding: EmbeddingState = ""
    text_columns: tuple[str, ...] = ()
    context_columns: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What a person called it, empty where that is its identifier."""
        return "" if self.source.name == self.source.source_id else self.source.name

    @property
    def columns_in_words(self) -> str:
        """The columns that were chosen: ``city, people; context: year``; empty where none were."""
        context = f"context: {', '.join(self.context_columns)}" if self.context_columns else ""
        return "; ".join(part for part in (", ".join(self.text_columns), context) if part)


def list_sources(workspace: Workspace, *, today: date | None = None) -> list[SourceSummary]:
    """Return all sources with what became of them."""
    counts = queries.documents_by_source(workspace.reading)
    sources = workspace.sources.all()
    histories = _histories(workspace, sources)
    credentials = _credentials(workspace, sources)
    unwatched = {
        issue.source_id: issue.message
        for worker in living_workers(workspace)
        for issue in worker.issues
        if issue.level == "error" and issue.source_id
    }
    day = today or utc_now().date()
    embedding = states_of_sources(workspace, sources)
    chosen = {one.collection_id: one.preferences for one in workspace.collections.all()}
    summaries = []
    for source in sources:
        last, failing_since = histories[source.source_id]
        active = next(iter(workspace.jobs.active_for_source(source.source_id)), None)
        summary = SourceSummary(source, int(counts.get(source.source_id, 0)), last, active, failing_since)
        summary.embedding = embedding[source.source_id]
        if source.collection_id in chosen:
            preferences = chosen[source.collection_id]
            summary.text_columns, summary.context_columns = preferences.text_columns, preferences.context_columns
        summary.next_run_at = next_run_at(workspace, source)
        summary.next_run = _next_run(workspace, summary)
        summary.level, summary.health = _health(summary, credentials, day)
        if source.source_id in unwatched and summary.level != "problem":
            summary.level, summary.health = "problem", f"watch fails: {unwatched[source.source_id]}"
        summaries.append(summary)
    return summaries


def next_run_at(workspace: Workspace, source: Source) -> str | None:
    """Return when the schedule of a source starts its next sync, RFC 3339; None without one, or while disabled."""
    moment = next_run(workspace, source)
    return None if moment is None else rfc3339(moment)


def _histories(workspace: Workspace, sources: list[Source]) -> dict[str, tuple[Manifest | None, str | None]]:
    """Return the newest job of each source, and since when its jobs fail.

    A job id holds the beginning of the source's, so that only jobs are read that may matter.
    """
    job_ids = workspace.jobs.ids()
    found: dict[str, tuple[Manifest | None, str | None]] = {}
    for source in sources:
        part = id_part_of(source.source_id)
        newest: Manifest | None = None
        failing_since: str | None = None
        own = (name for name in job_ids if part in name)
        for manifest in islice(_of_source(workspace, source.source_id, own), _MOST_FAILURES):
            newest = newest or manifest
            if manifest.state is JobState.FAILED:
                failing_since = manifest.created_at
            elif manifest.state in _ENDED_WELL:
                break
        found[source.source_id] = newest, failing_since
    return found


def _of_source(workspace: Workspace, source_id: str, job_ids: Iterable[str]) -> Iterator[Manifest]:
    for manifest in workspace.jobs.readable(job_ids):
        if manifest.source_id == source_id:
            yield as_it_is(workspace, manifest)


def _credentials(workspace: Workspace, sources: list[Source]) -> Mapping[str, CredentialSummary] | None:
    """Return the credentials by name; None when no source names one, or the file cannot be read: `doctor` shows why."""
    if not any(source.source_config.get("credential") for source in sources):
        return None
    try:
        return {entry.name: entry for entry in CredentialRegistry(workspace.credentials_path).entries()}
    except (IngestError, OSError):
        return None


def _next_run(workspace: Workspace, summary: SourceSummary) -> str:  # noqa: PLR0911 - one return for each answer
    source = summary.source
    if summary.active_job is not None:
        return "now" if summary.active_job.state is JobState.RUNNING else str(summary.active_job.state)
    if not source.enabled:
        return "disabled"
    if summary.next_run_at is not None:
        return f"{summary.next_run_at[5:10]} {summary.next_run_at[11:16]}Z"
    if not source.watch:
        return "by hand"
    try:
        capabilities = connector_class(source.source_type).capabilities
    except (IngestError, ValueError):
        return "cannot be watched"
    if capabilities.watches_paths:
        return "on change"
    if not capabilities.remote:
        return "cannot be watched"
    return f"every {workspace.settings.remote_rescan_seconds / 60:.0f} min"


def _health(  # noqa: PLR0911 - one return for each answer
    summary: SourceSummary, credentials: Mapping[str, CredentialSummary] | None, today: date
) -> tuple[str, str]:
    """Return the level and the words for a source, the worst first."""
    name = summary.source.source_config.get("credential")
    credential = credentials.get(str(name)) if credentials is not None and name else None
    last = summary.last_job
    if credentials is not None and name and credential is None:
        return "problem", f"no credential {name}"
    if credential is not None and credential.problem:
        return "problem", f"credential {name} cannot be used"
    days_left = (credential.expires - today).days if credential is not None and credential.expires else None
    if credential is not None and days_left is not None and days_left < 0:
        return "problem", f"credential {countdown(credential.expires, today)}"
    if summary.failing_since is not None:
        return "problem", f"failing since {summary.failing_since[:10]}"
    if last is not None and last.held is not None and last.held.waits:
        return "warning", f"{last.held.documents} deletions wait for approval"
    if credential is not None and days_left is not None and days_left <= WARNED_DAYS_AHEAD:
        return "warning", f"credential ends {countdown(credential.expires, today)}"
    if last is not None and last.errors_total:
        return "warning", f"{last.errors_total} error{'' if last.errors_total == 1 else 's'}"
    if last is None or last.state not in _ENDED_WELL:
        return "", ""
    return "ok", "ok"
