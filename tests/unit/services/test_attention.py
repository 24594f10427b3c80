"""What needs a person: decided from facts, and gathered from a workspace."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ingest_tui.credentials.summary import CredentialSummary
from ingest_tui.model.clock import rfc3339
from ingest_tui.model.issue import mark_of
from ingest_tui.model.job import HeldDeletions, JobError, JobState, Manifest
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.schedule import Schedule
from ingest_tui.model.source import Source
from ingest_tui.services.attention import AttentionFacts, AttentionItem, list_attention, what_needs_attention
from ingest_tui.services.client import Client
from ingest_tui.services.credentials.credentials import CredentialRow
from ingest_tui.services.metrics import metrics_text
from ingest_tui.services.monitoring import check_health
from ingest_tui.services.overview import CollectionTotals
from ingest_tui.services.sources.health import SourceSummary
from ingest_tui.store.catalogue.rows import KillRow
from ingest_tui.store.fs.disk import Room
from ingest_tui.store.workspace import Workspace, init_workspace
from ingest_tui.worker.living_workers import WorkerInfo
from ingest_tui.worker.supervision import WorkerIssue

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
AT = "2026-11-21T08:00:00.000Z"


def manifest(state: str = "succeeded", **values: Any) -> Manifest:
    """Return a job of `docs`."""
    return Manifest(
        job_id="20261121-080000-docs-aaaa",
        source_id="docs",
        collection_id="default",
        created_at=AT,
        updated_at=AT,
        state=JobState(state),
        **values,
    )


def synced(**values: Any) -> SourceSummary:
    """Return a source that is well; ``values`` of the source itself begin with ``source_``."""
    own = {name.removeprefix("source_"): values.pop(name) for name in list(values) if name.startswith("source_")}
    source = Source(source_id="docs", name="docs", source_type="local", source_config={}, **own)
    return replace(SourceSummary(source, 3, manifest(), None, last_complete_at=AT), **values)


def watching(**values: Any) -> WorkerInfo:
    """Return a worker that watches."""
    return WorkerInfo("1-a", 1, "host", AT, "watch", **values)


def only(**facts: Any) -> AttentionItem:
    """Return the one thing that needs a person."""
    [item] = what_needs_attention(AttentionFacts(NOW, **({"workers": [watching()]} | facts)))
    return item


def test_a_workspace_that_is_well_needs_nobody() -> None:
    """A synced source, a worker, a disk with room, a credential that lasts: the list is empty."""
    row = CredentialRow(CredentialSummary("keys", "basic"), 90, "in 90 days", ("docs",))
    facts = AttentionFacts(NOW, [synced()], credentials=[row], workers=[watching()], room=Room(10**12, 5 * 10**8))
    assert what_needs_attention(facts) == []


def test_held_deletions_name_their_job_and_both_answers() -> None:
    """What is held is a problem; the hint says how to look, how to approve and how to refuse."""
    job = manifest("partial", held=HeldDeletions(documents=214, known=3310, reason="mass_deletion"), finished_at=AT)
    item = only(sources=[synced(last_job=job, holding_job=job)])
    assert (item.level, item.code, item.job_id, item.since) == ("problem", "deletions_held", job.job_id, AT)
    assert "214 deletions of 3,310" in item.message
    assert f"job approve {job.job_id}" in item.hint
    assert f"job refuse {job.job_id}" in item.hint


def test_a_failing_source_says_what_fails_and_since_when() -> None:
    """The newest error is the message, its own hint the hint; without one the test of the source is."""
    error = JobError(code="forbidden", message="AccessDenied", hint="grant s3:GetObject", at=AT)
    failed = manifest("failed", errors=[error], errors_total=1)
    item = only(sources=[synced(last_job=failed, failing_since=AT)])
    assert (item.code, item.message, item.hint, item.since) == (
        "source_failing", "its jobs fail: AccessDenied", "grant s3:GetObject", AT,
    )  # fmt: skip
    assert "source test docs" in only(sources=[synced(last_job=manifest("failed"), failing_since=AT)]).hint


@pytest.mark.parametrize(
    ("days_left", "countdown", "problem", "level", "message"),
    [
        (6, "in 6 days", "", "warning", "expires in 6 days"),
        (-3, "expired 3 days ago", "", "problem", "expired 3 days ago"),
        (None, "", "no such type", "problem", "cannot be used: no such type"),
    ],
)
def test_credentials_that_end_or_cannot_be_used(
    days_left: int | None, countdown: str, problem: str, level: str, message: str
) -> None:
    """Each names the sources that use it; one that nobody uses is left out."""
    row = CredentialRow(CredentialSummary("keys", "basic", problem=problem), days_left, countdown, ("wiki",))
    item = only(credentials=[row])
    assert (item.level, item.credential) == (level, "keys")
    assert item.message == f"{message}; used by wiki"
    assert what_needs_attention(AttentionFacts(NOW, credentials=[replace(row, used_by=())])) == []


def test_a_missing_worker_matters_once_something_waits_or_is_followed() -> None:
    """Jobs that wait are a problem, sources that nobody follows a warning; a worker in the foreground serves nobody."""
    assert only(workers=[], waiting=3, waiting_since=AT).level == "problem"
    assert only(workers=[], sources=[synced(source_watch=True)]).level == "problem"
    assert only(waiting=1, waiting_since=AT).code == "queue_slow"
    assert what_needs_attention(AttentionFacts(NOW, workers=[watching()], waiting=1, waiting_since=rfc3339(NOW))) == []
    foreground = replace(watching(), mode="foreground")
    assert only(workers=[foreground], waiting=1).code == "no_worker"
    assert what_needs_attention(AttentionFacts(NOW, [synced()])) == []


def test_a_task_of_a_worker_that_fails() -> None:
    """An error is reported with the source it concerns; a warning of a worker is none of a person's business."""
    issue = WorkerIssue("watch", "the folder is gone", "error", AT, source_id="docs")
    item = only(workers=[watching(issues=(issue, replace(issue, level="warning")))])
    assert (item.code, item.source_id, item.message) == ("worker_failing", "docs", "watch fails: the folder is gone")


def test_a_disk_without_room() -> None:
    """Below twice its reserve it is a warning, below the reserve a problem: jobs wait."""
    assert only(room=Room(900 * 10**6, 500 * 10**6)).level == "warning"
    item = only(room=Room(400 * 10**6, 500 * 10**6))
    assert (item.level, item.code) == ("problem", "disk_low")


def test_a_source_that_is_not_looked_at_in_time() -> None:
    """Two missed runs and an hour make a source stale; one that fails, works, or only waits for changes is not."""
    every = Schedule(every="1h")
    late, early = "2026-11-21T08:59:59.000Z", "2026-11-21T09:00:01.000Z"
    item = only(sources=[synced(source_schedule=every, last_complete_at=late)])
    assert (item.code, item.since) == ("source_stale", late)
    for well in (
        synced(source_schedule=every, last_complete_at=early),
        synced(source_schedule=every, last_complete_at=late, active_job=manifest("running")),
        synced(source_schedule=every, last_complete_at=late, source_enabled=False),
        synced(last_complete_at=late),
    ):
        assert what_needs_attention(AttentionFacts(NOW, [well], workers=[watching()])) == []
    rescanned = synced(last_complete_at=late, is_rescanned=True)
    assert only(sources=[rescanned], remote_rescan=timedelta(minutes=15)).code == "source_stale"


def test_what_cannot_be_read_is_reported() -> None:
    """A record of a source, and the file of credentials."""
    assert only(unreadable_sources=["handbook"]).subject == "handbook"
    assert only(credential_failure="mode 0644 is too open").code == "credentials_unreadable"


def test_problems_come_before_warnings() -> None:
    """Whatever the order in which they are found."""
    job = manifest("partial", held=HeldDeletions(documents=1, known=3, reason="mass_deletion"))
    new = synced(last_job=None, last_complete_at=None)
    items = what_needs_attention(AttentionFacts(NOW, [new, synced(holding_job=job)], ["x"], quarantined=[("docs", 1)]))
    assert [item.level for item in items] == ["problem", "problem", "warning", "warning"]
    assert "1 deletion of" in items[0].message


def test_what_failed_and_what_was_not_listed_is_reported() -> None:
    """Items that failed are counted by source, uploads too; a look with gaps names its job."""
    item = only(failed=[("upload", 1)])
    assert (item.level, item.code, item.subject, item.message) == (
        "warning", "documents_failed", "upload", "1 document failed",
    )  # fmt: skip
    assert "upload them again" in item.hint
    assert "errors retry" not in item.hint, "it would be refused"
    assert "'ingest-tui errors retry --source docs'" in only(failed=[("docs", 1)]).hint
    torn = manifest("partial", errors_total=3)
    torn.counters.items_failed, torn.counters.members.failed = 1, 1
    item = only(sources=[synced(last_job=torn)])
    assert (item.code, item.message, item.job_id) == (
        "source_incomplete",
        "1 part of it could not be listed",
        torn.job_id,
    )
    torn.counters.items_failed = 2
    assert what_needs_attention(AttentionFacts(NOW, [synced(last_job=torn)])) == []


# Of a workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with one source that was never synced."""
    workspace = init_workspace(tmp_path / "workspace")[0]
    workspace.sources.add(Source(source_id="docs", name="docs", source_type="local", source_config={}, watch=False))
    return workspace


def codes(workspace: Workspace) -> list[str]:
    return [item.code for item in list_attention(workspace) if item.code != "disk_low"]


def test_a_hold_is_seen_behind_a_later_retry(workspace: Workspace) -> None:
    """A job that tries failed items again looks at no source, and closes no hold."""
    held = manifest("partial", held=HeldDeletions(documents=2, known=9, reason="mass_deletion"))
    retry = manifest(options={"known_plan": True}).model_copy(update={"job_id": "20261121-090000-docs-aaaa"})
    for one in (held, retry):
        workspace.jobs.create(one)
        workspace.jobs.leave_queue(one.job_id)
    assert codes(workspace) == ["deletions_held"]


def test_what_kills_parsers_is_counted(workspace: Workspace) -> None:
    """One kill is an accident; documents that are left out for it are reported by source."""
    workspace.jobs.create(manifest())
    workspace.jobs.leave_queue(manifest().job_id)
    rows = [KillRow("docs", name, "f", "crashed", kills, "p") for name, kills in (("a", 1), ("b", 2), ("c", 3))]
    with workspace.catalogue.transaction():
        workspace.catalogue.put_kills(rows)
    [item] = [one for one in list_attention(workspace) if one.code == "documents_quarantined"]
    assert item.message.startswith("2 documents")


def place(key: str, **values: Any) -> KnownPlace:
    """Return an item of ``docs`` that failed."""
    uri, at = f"file:///docs/{key}", AT
    known = KnownPlace(
        "docs", key, uri, "default", None, "f", 9, 1, "failed", "malformed", "cut short", "r", "j", at, None
    )
    return known._replace(**values)


def ignore(workspace: Workspace, places: list[KnownPlace]) -> None:
    marks = [mark_of(one.outcome, one.reason, one.fingerprint, one.size, one.modified_ns) for one in places]
    by_place = [(one.place_key, mark) for one, mark in zip(places, marks, strict=True)]
    workspace.ignored.note(by_place, ignore=True, by="a", at=AT)


Told = dict[str, Any]
"""What each face tells: the codes and the level of health, the health of the source, and two metrics."""


def told_by_all(workspace: Workspace) -> Told:
    """Ask every face that tells what needs a person; they must agree, whatever it is."""
    client = Client(workspace.root)
    listed = [item.as_dict() for item in client.maintenance.attention() if item.code != "disk_low"]
    seen = [item.as_dict() for item in client.maintenance.overview().attention if item.code != "disk_low"]
    health = check_health(workspace)
    found = [item.as_dict() for item in health.items if item.code != "disk_low"]
    assert listed == seen == found
    [summary] = client.sources.list()
    samples: dict[tuple[str, ...], float] = {}
    for family in text_string_to_metric_families(metrics_text(workspace).decode()):
        samples |= {(one.name, *one.labels.values()): one.value for one in family.samples}
    levels = [item.level for item in client.maintenance.attention()]
    assert [samples["ingest_tui_attention", level] for level in ("problem", "warning")] == [
        levels.count("problem"), levels.count("warning"),
    ]  # fmt: skip
    return {
        "codes": [item["code"] for item in found],
        "source": summary.health,
        "failed": samples["ingest_tui_source_failed_items", "docs"],
    }


@pytest.mark.parametrize(
    ("jobs", "failed", "killed", "ignored", "expected"),
    [
        ([{}], 0, 0, 0, Told(codes=[], source="ok", failed=0)),
        ([{"failed": 1}], 1, 0, 0, Told(codes=["documents_failed"], source="1 error", failed=1)),
        ([{"failed": 1}, {}], 1, 0, 0, Told(codes=["documents_failed"], source="1 error", failed=1)),
        ([{"failed": 1}, {}], 0, 0, 0, Told(codes=[], source="ok", failed=0)),
        ([{"failed": 1}], 0, 0, 0, Told(codes=[], source="ok", failed=0)),
        ([{"failed": 3}], 3, 0, 1, Told(codes=["documents_failed"], source="2 errors", failed=2)),
        ([{"failed": 2}], 2, 0, 2, Told(codes=[], source="ok", failed=0)),
        ([{"failed": 2}, {}], 2, 2, 0, Told(codes=["documents_quarantined"], source="2 errors", failed=2)),
        ([{"failed": 2}, {}], 2, 2, 2, Told(codes=[], source="ok", failed=0)),
        (
            [{"failed": 3}, {}], 3, 1, 0,
            Told(codes=["documents_quarantined", "documents_failed"], source="3 errors", failed=3),
        ),
        ([{"failed": 1, "gaps": 1}], 1, 0, 1, Told(codes=["source_incomplete"], source="1 error", failed=0)),
        (
            [{"gaps": 2}], 1, 0, 0,
            Told(codes=["documents_failed", "source_incomplete"], source="3 errors", failed=1),
        ),
        ([{"gaps": 2}, {}], 0, 0, 0, Told(codes=[], source="ok", failed=0)),
    ],
)  # fmt: skip
def test_all_faces_tell_the_same(
    workspace: Workspace, jobs: list[dict[str, int]], failed: int, killed: int, ignored: int, expected: Told
) -> None:
    """status, the Overview, health and metrics: what failed and is not ignored, whichever job that was, and gaps."""
    for number, one in enumerate(jobs):
        total = one.get("failed", 0) + one.get("gaps", 0)
        job = manifest("partial" if total else "succeeded", errors_total=total)
        job = job.model_copy(update={"job_id": f"20261121-0{8 + number}0000-docs-aaaa"})
        job.counters.items_failed = one.get("failed", 0)
        workspace.jobs.create(job)
        workspace.jobs.leave_queue(job.job_id)
    places = [place(f"{number}.pdf") for number in range(failed)]
    with workspace.catalogue.transaction():
        workspace.catalogue.put_locations(places)
        workspace.catalogue.put_kills([KillRow("docs", one.key, "f", "crashed", 2, "p") for one in places[:killed]])
    ignore(workspace, places[:ignored])
    assert told_by_all(workspace) == expected


def test_what_was_ignored_is_news_again_once_it_changes(workspace: Workspace) -> None:
    """Somebody ignored other bytes, or another reason: the item counts."""
    job = manifest()
    workspace.jobs.create(job)
    workspace.jobs.leave_queue(job.job_id)
    ignore(workspace, [place("a.pdf"), place("b.pdf"), place("gone.pdf")])
    with workspace.catalogue.transaction():
        workspace.catalogue.put_locations([place("a.pdf", size=10), place("b.pdf")])
    assert told_by_all(workspace)["failed"] == 1


def test_a_look_with_gaps_is_no_complete_one(workspace: Workspace) -> None:
    """The last complete look is that of the newest sync whose listing lacks nothing."""
    gap = JobError(code="forbidden", message="a folder", at=AT, phase="list")
    whole = manifest(finished_at=AT)
    torn = manifest("partial", errors=[gap], errors_total=1, finished_at="2026-11-21T09:00:00.000Z")
    torn = torn.model_copy(update={"job_id": "20261121-090000-docs-aaaa"})
    for one in (whole, torn):
        workspace.jobs.create(one)
        workspace.jobs.leave_queue(one.job_id)
    [summary] = Client(workspace.root).sources.list()
    assert summary.last_complete_at == AT
    assert summary.last_job is not None
    assert summary.last_job.job_id == torn.job_id


def test_the_overview_has_it_all(workspace: Workspace) -> None:
    """One call for the first screen: attention, sources, totals of the collections, room."""
    seen = Client(workspace.root).maintenance.overview()
    assert [item.code for item in seen.attention if item.code != "disk_low"] == ["source_never_synced"]
    assert [one.source.source_id for one in seen.sources] == ["docs"]
    assert seen.collections == [CollectionTotals("default", 0, 0)]
    assert seen.room.free > 0
