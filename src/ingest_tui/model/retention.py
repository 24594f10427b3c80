"""How long what is not current any more is kept, and what may go now. Pure: what there is, the policy, the time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from ingest_tui.model.clock import days, moment_of
from ingest_tui.model.collection import CollectionPreferences
from ingest_tui.model.job import Manifest
from ingest_tui.model.kept_versions import newest_with_contents

_OPTIONS_THAT_NAME_JOBS = ("retry_of", "approves")


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """What is kept; None: for good.

    ``trash``: retired documents, and vectors that answered before. Earlier versions stay while either of their rules
    keeps them: ``keep_versions`` counts the newest contents, the current one too, ``versions`` is the time since a
    version was replaced. ``jobs``: the folders of ended jobs; the newest ``keep_jobs`` of each source stay, however
    old. ``job_logs``: the logs in these folders.
    """

    trash: timedelta = timedelta(days=30)
    keep_versions: int | None = None
    versions: timedelta | None = None
    jobs: timedelta | None = None
    keep_jobs: int = 1
    job_logs: timedelta | None = None

    @property
    def limits_versions(self) -> bool:
        """Whether earlier versions ever go by themselves."""
        return self.keep_versions is not None or self.versions is not None

    def of_collection(self, preferences: CollectionPreferences) -> RetentionPolicy:
        """Return the policy with what was chosen for a collection in the place of what the workspace says."""
        trash, keep, age = preferences.trash_days, preferences.keep_versions, preferences.version_days
        return replace(
            self,
            trash=self.trash if trash is None else days(trash),
            keep_versions=self.keep_versions if keep is None else keep,
            versions=self.versions if age is None else days(age),
        )


class VersionAge(NamedTuple):
    """A version of a document as far as retention asks. ``ingested_at`` is when it replaced the one before."""

    version: int
    raw_sha256: str
    ingested_at: str


def versions_to_drop(
    versions: Sequence[VersionAge], policy: RetentionPolicy, now: datetime, *, pinned: Collection[int] = ()
) -> list[int]:
    """Return the numbers of earlier versions that may go. ``versions`` are those of one document, newest first.

    The newest always stays, and so do ``pinned`` ones. One whose time is not known stays as long as time decides.
    """
    if not policy.limits_versions:
        return []
    kept = 1
    if policy.keep_versions is not None:
        kept = max(1, newest_with_contents((one.raw_sha256 for one in versions), policy.keep_versions))
    return [
        earlier.version
        for earlier, later in zip(versions[kept:], versions[kept - 1 :], strict=False)
        if earlier.version not in pinned
        and (policy.versions is None or _is_over(later.ingested_at, policy.versions, now))
    ]


class EndedJob(NamedTuple):
    """A job as far as retention asks. ``source_id`` is the lane for those that work on a collection.

    ``finished_at``: None while it has not ended. ``holds``: its deletions wait for a person. ``keeps_files``: what was
    uploaded to it may be nowhere else. ``names``: the earlier jobs that it refers to.
    """

    job_id: str
    source_id: str
    finished_at: str | None
    holds: bool = False
    keeps_files: bool = False
    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, manifest: Manifest) -> EndedJob:
        """Return what retention asks of a manifest."""
        held = manifest.held
        named = (manifest.options.get(name) for name in _OPTIONS_THAT_NAME_JOBS)
        names = frozenset(str(name) for name in named if name)
        return cls(
            manifest.job_id,
            manifest.lane,
            (manifest.finished_at or "") if manifest.ended else None,
            holds=held is not None and held.waits,
            keeps_files=manifest.keeps_uploaded_files,
            names=names,
        )


def jobs_to_drop(
    jobs: Iterable[EndedJob], policy: RetentionPolicy, now: datetime, *, pinned: Collection[str] = ()
) -> list[str]:
    """Return the jobs whose folders may go. ``jobs`` are those of a workspace, newest first.

    Kept are jobs that have not ended, the ``pinned`` ones, and what holds uploaded files. What holds deletions, or is
    named by a job that has not ended, is kept with all later jobs of its source: their plans say what was seen since.
    """
    limit = policy.jobs
    if limit is None:
        return []
    known = list(jobs)
    needed = {name for job in known if job.finished_at is None for name in job.names}
    kept = set(pinned)
    since_hold: dict[str, list[str]] = {}
    number: dict[str, int] = {}
    overdue = []
    for job in known:
        later = since_hold.setdefault(job.source_id, [])
        later.append(job.job_id)
        if job.holds or job.job_id in needed:
            kept.update(later)
            later.clear()
        number[job.source_id] = number.get(job.source_id, 0) + 1
        is_old = job.finished_at is not None and _is_over(job.finished_at, limit, now)
        if is_old and not job.keeps_files and number[job.source_id] > max(1, policy.keep_jobs):
            overdue.append(job.job_id)
    return [job_id for job_id in overdue if job_id not in kept]


def logs_to_drop(jobs: Iterable[EndedJob], policy: RetentionPolicy, now: datetime) -> list[str]:
    """Return the jobs whose logs may go while the rest of their folders stays."""
    limit = policy.job_logs
    if limit is None:
        return []
    return [job.job_id for job in jobs if job.finished_at is not None and _is_over(job.finished_at, limit, now)]


def _is_over(since: str, limit: timedelta, now: datetime) -> bool:
    """Whether so much time has passed; not where it is not known since when, or by a time from the future."""
    moment = moment_of(since)
    return moment is not None and now - moment >= limit
