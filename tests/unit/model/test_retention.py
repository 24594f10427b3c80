"""What may go by a policy, and what never does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.model.clock import days, rfc3339
from ingest_tui.model.collection import CollectionPreferences
from ingest_tui.model.retention import (
    EndedJob,
    RetentionPolicy,
    VersionAge,
    jobs_to_drop,
    logs_to_drop,
    versions_to_drop,
)

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
numbers = st.none() | st.integers(0, 40)
ages = st.integers(-3, 60)
policies = st.builds(
    lambda keep, versions, jobs, keep_jobs, logs: RetentionPolicy(
        keep_versions=keep or None,
        versions=None if versions is None else days(versions),
        jobs=None if jobs is None else days(jobs),
        keep_jobs=keep_jobs,
        job_logs=None if logs is None else days(logs),
    ),
    numbers, numbers, numbers, st.integers(1, 5), numbers,
)  # fmt: skip


def ago(number: int) -> str:
    return rfc3339(NOW - timedelta(days=number))


@given(policies, st.lists(st.tuples(st.sampled_from("abc"), ages), min_size=1, max_size=8), st.sets(st.integers(1, 8)))
def test_versions_never_lose_the_newest_or_a_pinned_one(
    policy: RetentionPolicy, made: list[tuple[str, int]], pinned: set[int]
) -> None:
    """Whatever the policy, the newest version and those that are named stay, and what goes is outside of both rules."""
    total = len(made)
    versions = [VersionAge(total - place, content, ago(age)) for place, (content, age) in enumerate(made)]
    dropped = versions_to_drop(versions, policy, NOW, pinned=pinned)
    assert total not in dropped
    assert not pinned & set(dropped)
    by_number = {one.version: one for one in versions}
    for number in dropped:
        if policy.keep_versions is not None:
            assert total - number >= policy.keep_versions
        if policy.versions is not None:
            assert by_number[number + 1].ingested_at <= rfc3339(NOW - policy.versions)


def test_a_version_stays_while_either_rule_keeps_it() -> None:
    """The number and the time since a version was replaced each keep it; without either rule all stay."""
    made = [("d", 1), ("c", 5), ("b", 40), ("a", 50)]
    versions = [VersionAge(4 - place, content, ago(age)) for place, (content, age) in enumerate(made)]
    assert versions_to_drop(versions, RetentionPolicy(), NOW) == []
    assert versions_to_drop(versions, RetentionPolicy(keep_versions=2), NOW) == [2, 1]
    assert versions_to_drop(versions, RetentionPolicy(versions=days(30)), NOW) == [1]
    assert versions_to_drop(versions, RetentionPolicy(versions=days(0)), NOW) == [3, 2, 1]
    assert versions_to_drop(versions, RetentionPolicy(keep_versions=2, versions=days(30)), NOW) == [1]
    unknown = [VersionAge(2, "b", "lately"), VersionAge(1, "a", ago(50))]
    assert versions_to_drop(unknown, RetentionPolicy(versions=days(0)), NOW) == []


jobs_of_two_sources = st.lists(
    st.builds(
        lambda source, age, holds, files, names: (source, age, holds, files, names),
        st.sampled_from(["docs", "wiki"]),
        st.none() | ages,
        st.booleans(),
        st.booleans(),
        st.none() | st.integers(0, 9),
    ),
    max_size=12,
)  # fmt: skip


@given(policies, jobs_of_two_sources, st.sets(st.integers(0, 11)))
def test_jobs_that_are_needed_never_go(
    policy: RetentionPolicy, made: list[tuple[str, int | None, bool, bool, int | None]], pinned: set[int]
) -> None:
    """No policy lets a job go that has not ended, that is named, holds deletions or files, or is among the newest."""
    jobs = [
        EndedJob(
            f"job-{place}", source, None if age is None else ago(age), holds, files,
            frozenset() if named is None else frozenset({f"job-{named}"}),
        )
        for place, (source, age, holds, files, named) in enumerate(made)
    ]  # fmt: skip
    dropped = set(jobs_to_drop(jobs, policy, NOW, pinned={f"job-{number}" for number in pinned}))
    needed = {name for job in jobs if job.finished_at is None for name in job.names}
    for place, job in enumerate(jobs):
        newer = [one for one in jobs[:place] if one.source_id == job.source_id]
        older = [one for one in jobs[place:] if one.source_id == job.source_id]
        is_needed = (
            job.finished_at is None
            or job.keeps_files
            or place in pinned
            or len(newer) < policy.keep_jobs
            or any(one.holds or one.job_id in needed for one in older)
        )
        is_old = (
            policy.jobs is not None and job.finished_at is not None and job.finished_at <= rfc3339(NOW - policy.jobs)
        )
        assert (job.job_id in dropped) == (is_old and not is_needed)


def test_logs_go_before_their_jobs() -> None:
    """The log of an ended job goes by an age of its own; that of a job that has not ended stays."""
    jobs = [EndedJob("b", "docs", None), EndedJob("a", "docs", ago(9))]
    assert logs_to_drop(jobs, RetentionPolicy(job_logs=days(7)), NOW) == ["a"]
    assert logs_to_drop(jobs, RetentionPolicy(job_logs=days(10)), NOW) == []
    assert logs_to_drop(jobs, RetentionPolicy(), NOW) == []


def test_a_collection_takes_precedence_over_the_workspace() -> None:
    """What was chosen for a collection counts there; what was not is as in the workspace."""
    usual = RetentionPolicy(trash=days(30), keep_versions=5, versions=days(90))
    assert usual.of_collection(CollectionPreferences()) == usual
    chosen = usual.of_collection(CollectionPreferences(trash_days=0, version_days=7))
    assert (chosen.trash, chosen.keep_versions, chosen.versions) == (days(0), 5, days(7))
