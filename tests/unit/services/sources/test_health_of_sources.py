"""What the list of sources says of their health: from their jobs, their credentials, and what starts the next sync."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.credentials.credential_registry import CredentialRegistry
from ingest_tui.model.job import HeldDeletions, JobError, JobState, Manifest
from ingest_tui.model.source import Source
from ingest_tui.services.collections.collections import add_collection
from ingest_tui.services.collections.preferences import plan_preferences, save_preferences
from ingest_tui.services.sources.health import SourceSummary, list_sources
from ingest_tui.store.workspace import Workspace, init_workspace

TODAY = date(2026, 11, 21)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return init_workspace(tmp_path / "workspace")[0]


def add_source(workspace: Workspace, source_id: str = "docs", source_type: str = "local", **values: Any) -> None:
    workspace.sources.save(Source(source_id=source_id, name=source_id, source_type=source_type, **values))


def add_job(workspace: Workspace, day: int, state: str, source_id: str = "docs", **values: Any) -> None:
    """Put an ended job of a day in November on disk."""
    at = f"2026-11-{day:02d}T08:00:00.000Z"
    manifest = Manifest(
        job_id=f"202611{day:02d}-080000-{source_id}-aaaa",
        source_id=source_id,
        collection_id="default",
        created_at=at,
        updated_at=at,
        state=JobState(state),
        **values,
    )
    workspace.jobs.create(manifest)
    workspace.jobs.leave_queue(manifest.job_id)


def only(workspace: Workspace) -> SourceSummary:
    [summary] = list_sources(workspace, today=TODAY)
    return summary


def test_failing_since_the_first_failure_behind_the_last_good_job(workspace: Workspace) -> None:
    """The failures before a good job do not count, and cancelled jobs say nothing."""
    add_source(workspace)
    for day, state in ((10, "failed"), (12, "succeeded"), (14, "failed"), (15, "cancelled"), (16, "failed")):
        add_job(workspace, day, state)
    summary = only(workspace)
    assert summary.failing_since == "2026-11-14T08:00:00.000Z"
    assert (summary.level, summary.health) == ("problem", "failing since 2026-11-14")


def test_jobs_of_a_source_with_a_longer_name_are_not_its_own(workspace: Workspace) -> None:
    """`docs` and `docs-old` share the beginning of their job ids, not their fate."""
    add_source(workspace)
    add_source(workspace, "docs-old")
    add_job(workspace, 14, "failed", "docs-old")
    docs, old = list_sources(workspace, today=TODAY)
    assert (docs.last_job, docs.health) == (None, "")
    assert old.level == "problem"


def test_a_good_job_with_errors_or_held_deletions_is_a_warning(workspace: Workspace) -> None:
    """What failed and what waits for a person is reported; a job without either is ok."""
    add_source(workspace)
    add_job(workspace, 12, "succeeded")
    assert (only(workspace).level, only(workspace).health) == ("ok", "ok")
    error = JobError(code="malformed", message="cut short", at="2026-11-13T08:00:00.000Z")
    add_job(workspace, 13, "partial", errors=[error], errors_total=1)
    assert (only(workspace).level, only(workspace).health) == ("warning", "1 error")
    add_job(workspace, 14, "partial", held=HeldDeletions(documents=12, known=14, reason="mass_deletion"))
    assert only(workspace).health == "12 deletions wait for approval"


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"expires": "2026-11-24"}, ("warning", "credential ends in 3 days")),
        ({"expires": "2026-11-19"}, ("problem", "credential expired 2 days ago")),
        ({"expires": "2027-11-19"}, ("", "")),
        ({"token": ""}, ("problem", "credential wiki cannot be used")),
        (None, ("problem", "no credential wiki")),
    ],
)
def test_a_credential_that_ends_is_reported_before_it_does(
    workspace: Workspace, entry: dict[str, str] | None, told: tuple[str, str]
) -> None:
    """Missing, broken, expired or soon expired: the source that uses it says so."""
    add_source(workspace, source_config={"path": "/x", "credential": "wiki"})
    registry = CredentialRegistry(workspace.credentials_path)
    registry.add("other", {"type": "token", "token": "env:OTHER"})
    if entry is not None:
        registry.add("wiki", {"type": "token", "token": "env:WIKI", **{k: v for k, v in entry.items() if v}})
        if "token" in entry:
            text = registry.path.read_text().replace('"env:WIKI"', '"env:not a name"')
            registry.path.write_text(text)
    summary = only(workspace)
    assert (summary.level, summary.health) == told


def test_what_starts_the_next_sync(workspace: Workspace) -> None:
    """By hand, on change, every quarter of an hour, or not at all."""
    add_source(workspace, "a")
    add_source(workspace, "b", watch=True)
    add_source(workspace, "c", watch=True, enabled=False)
    add_source(workspace, "d", "s3", watch=True)
    add_source(workspace, "e", "nobody-knows", watch=True)
    add_source(workspace, "f", "git", watch=True)
    told = {summary.source.source_id: summary.next_run for summary in list_sources(workspace)}
    assert told == {
        "a": "by hand",
        "b": "on change",
        "c": "disabled",
        "d": "every 15 min",
        "e": "cannot be watched",
        "f": "on change",
    }


def test_damaged_credentials_do_not_hide_the_sources(workspace: Workspace) -> None:
    """A credentials file that cannot be read is a matter of its own."""
    add_source(workspace, source_config={"path": "/x", "credential": "wiki"})
    workspace.credentials_path.write_text("{")
    assert only(workspace).health == ""


def test_a_source_that_was_never_synced_costs_no_look_at_the_jobs_of_others(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only jobs whose id names the source are read, however many others there are."""
    add_source(workspace, "fresh")
    for day in range(1, 20):
        add_job(workspace, day, "succeeded", "other")
    monkeypatch.setattr(workspace.jobs, "load", lambda job_id: pytest.fail(f"read {job_id}"))
    assert only(workspace).last_job is None


def test_the_label_and_the_columns_of_a_source(workspace: Workspace) -> None:
    """The label is a name that is not the identifier; columns are those that the collection of the source chose."""
    add_source(workspace)
    assert (only(workspace).label, only(workspace).columns_in_words) == ("", "")
    add_collection(workspace, "cities")
    values = {"text_columns": "city, people", "context_columns": "year"}
    save_preferences(workspace, plan_preferences(workspace, "cities", values))
    workspace.sources.save(Source(source_id="towns", name="Towns of 2026", source_type="local", collection_id="cities"))
    summary = next(one for one in list_sources(workspace, today=TODAY) if one.source.source_id == "towns")
    assert (summary.label, summary.columns_in_words) == ("Towns of 2026", "city, people; context: year")
