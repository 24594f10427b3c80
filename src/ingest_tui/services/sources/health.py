"""How the sources are doing: what became of their last jobs, since when they fail, and what is about to stop them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice

from ingest_tui.connectors.registry import serving_class
from ingest_tui.credentials.credential_registry import CredentialRegistry
from ingest_tui.credentials.problems import WARNED_DAYS_AHEAD
from ingest_tui.credentials.summary import CredentialSummary, countdown
from ingest_tui.model.clock import rfc3339, utc_now
from ingest_tui.model.counted import counted
from ingest_tui.model.embedding_state import EmbeddingState
from ingest_tui.model.errors import IngestError
from ingest_tui.model.job import KNOWN_PLAN, JobState, Manifest
from ingest_tui.model.source import Source
from ingest_tui.services.embedding_states import states_of_sources
from ingest_tui.services.failed_items import failed_items
from ingest_tui.services.jobs.jobs import as_it_is
from ingest_tui.store.catalogue import queries
from ingest_tui.store.jobs import id_part_of
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.living_workers import living_workers
from ingest_tui.worker.schedules import next_run

_MOST_FAILURES = 200
_JOB_ID = re.compile(r"\d{8}-\d{6}(-.*-)[^-]*")
_ENDED_WELL = frozenset({JobState.SUCCEEDED, JobState.PARTIAL})


@dataclass(slots=True)
class SourceSummary:
    """A source, how many documents it has, its newest jobs, and how it is doing.

    ``failing_since``: when the first of its jobs was made that failed since one that ended well; None when the newest
    did. ``level``: ``ok``, ``warning`` or ``problem``, and ``health`` says why in a few words; both empty for a source
    that was never synced. ``next_run`` says what starts the next sync, ``next_run_at`` when its
    schedule does that. ``embedding``: how far the vectors of its
    documents are, empty where it has none. ``last_complete_at``: when the newest look ended that saw the whole source
    (RFC 3339), None where none of its newest jobs did. ``holding_job``: the job whose deletions wait for a person.
    ``is_rescanned``: it is watched by looking at it at intervals. ``text_columns`` and ``context_columns``: which
    columns of tables its collection chose; empty for all that have a name, and for none. ``failed_items``: how many
    items failed in the last look at them and are not ignored, whichever job that was.
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
    last_complete_at: str | None = None
    holding_job: Manifest | None = None
    is_rescanned: bool = False
    text_columns: tuple[str, ...] = ()
    context_columns: tuple[str, ...] = ()
    failed_items: int = 0

    @property
    def listing_gaps(self) -> int:
        """How many parts of the source the newest job could not list: its errors that are of no item."""
        last = self.last_job
        if last is None or last.state not in _ENDED_WELL:
            return 0
        return max(0, last.errors_total - last.counters.items_failed - last.counters.members.failed)

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
    histories = _histories(workspace, [source.source_id for source in sources])
    active = _active(workspace)
    credentials = _credentials(workspace, sources)
    unwatched = {
        issue.source_id: issue.message
        for worker in living_workers(workspace)
        for issue in worker.issues
        if issue.level == "error" and issue.source_id
    }
    day = today or utc_now().date()
    embedding = states_of_sources(workspace, sources)
    failed = failed_items(workspace)
    chosen = {one.collection_id: one.preferences for one in workspace.collections.all()}
    summaries = []
    for source in sources:
        past = histories[source.source_id]
        documents = int(counts.get(source.source_id, 0))
        summary = SourceSummary(source, documents, past.newest, active.get(source.source_id), past.failing_since)
        summary.last_complete_at, summary.holding_job = past.last_complete_at, past.holding
        summary.embedding, summary.failed_items = embedding[source.source_id], failed.of_source(source.source_id)
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


def last_complete_looks(workspace: Workspace, source_ids: Iterable[str]) -> dict[str, str | None]:
    """Return when each of these sources was last seen whole (RFC 3339); None where none of its newest jobs did that."""
    histories = _histories(workspace, sorted(set(source_ids)))
    return {source_id: history.last_complete_at for source_id, history in histories.items()}


def next_run_at(workspace: Workspace, source: Source) -> str | None:
    """Return when the schedule of a source starts its next sync, RFC 3339; None without one, or while disabled."""
    moment = next_run(workspace, source)
    return None if moment is None else rfc3339(moment)


@dataclass(slots=True)
class _History:
    """What the newest jobs of a source say. ``ended_well``: one of them did, so that older failures do not count."""

    newest: Manifest | None = None
    failing_since: str | None = None
    last_complete_at: str | None = None
    holding: Manifest | None = None
    ended_well: bool = False

    def note(self, manifest: Manifest) -> None:
        """Take in the next older job."""
        self.newest = self.newest or manifest
        if manifest.state is JobState.FAILED and not self.ended_well:
            self.failing_since = manifest.created_at
        if manifest.held is not None and manifest.held.waits and manifest.ended:
            self.holding = self.holding or manifest
        if manifest.state in _ENDED_WELL:
            self.ended_well = True
            if _saw_all(manifest):
                self.last_complete_at = manifest.finished_at or manifest.updated_at


def _saw_all(manifest: Manifest) -> bool:
    """Whether a job that ended well has listed its source, and the listing had no gaps."""
    if manifest.kind != "sync" or manifest.options.get(KNOWN_PLAN):
        return False
    return not any(error.phase == "list" for error in manifest.errors)


def _active(workspace: Workspace) -> dict[str, Manifest]:
    """Return the oldest unfinished job of each source that has one."""
    found: dict[str, Manifest] = {}
    for manifest in workspace.jobs.readable(workspace.jobs.queued_ids()):
        if not manifest.ended:
            found.setdefault(manifest.source_id, manifest)
    return found


def _histories(workspace: Workspace, source_ids: Iterable[str]) -> dict[str, _History]:
    """Return what the newest jobs of each source say: back to the newest complete look, and no further.

    A job id holds the beginning of the source's, so that only jobs are read that may matter.
    """
    job_ids = _ids_by_part(workspace.jobs.ids())
    found = {}
    for source_id in source_ids:
        history = found[source_id] = _History()
        own = job_ids.get(id_part_of(source_id), ())
        for manifest in islice(_of_source(workspace, source_id, own), _MOST_FAILURES):
            history.note(manifest)
            if history.last_complete_at is not None:
                break
    return found


def _ids_by_part(job_ids: Iterable[str]) -> dict[str, list[str]]:
    """Return the ids by the part that those of one source have in common (`id_part_of`), in their order."""
    by_part: dict[str, list[str]] = {}
    for job_id in job_ids:
        match = _JOB_ID.fullmatch(job_id)
        if match is not None:
            by_part.setdefault(match[1], []).append(job_id)
    return by_part


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
        capabilities = serving_class(source.source_type, source.source_config).capabilities
    except (IngestError, ValueError):
        return "cannot be watched"
    if capabilities.watches_paths or (capabilities.notifies and not capabilities.remote):
        return "on change"
    if not capabilities.remote:
        return "cannot be watched"
    summary.is_rescanned = True
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
    held = summary.holding_job.held if summary.holding_job is not None else None
    if held is not None:
        return "warning", f"{counted(held.documents, 'deletion waits', 'deletions wait')} for approval"
    if credential is not None and days_left is not None and days_left <= WARNED_DAYS_AHEAD:
        return "warning", f"credential ends {countdown(credential.expires, today)}"
    if errors := summary.failed_items + summary.listing_gaps:
        return "warning", counted(errors, "error")
    if last is None or last.state not in _ENDED_WELL:
        return "", ""
    return "ok", "ok"
