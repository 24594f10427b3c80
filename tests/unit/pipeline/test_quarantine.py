"""Documents that kill their parser: tried twice, then left alone until something about them has changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest_tui import open_workspace
from ingest_tui.execution import local as local_execution
from ingest_tui.model.extraction import ParseResult, ParseTask
from ingest_tui.model.job import Manifest
from ingest_tui.pipeline.plan import rules as plan_rules
from ingest_tui.pipeline.plan.preview import look_for_work
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.documents.explain import explain
from ingest_tui.services.jobs.jobs import job_items, retry_job
from ingest_tui.services.workers import follow_job

Killer = Callable[[str], str]


class Parsers:
    """Stands in for the parser processes; ``killed_by`` names the reason that a file's text dies of, or ''."""

    failure = None
    at_work = ()
    killed_by: Killer = staticmethod(lambda _text: "")
    parsed: list[str]

    def __init__(self, *_arguments: Any, **_options: Any) -> None:
        pass

    def submit(self, task: ParseTask, on_result: Callable[[ParseResult], None]) -> None:
        text = Path(task.input_path).read_text()
        Parsers.parsed.append(task.file_name)
        reason = Parsers.killed_by(text)
        if reason:
            on_result(ParseResult(task.task_id, "failed", reason, f"it {reason}"))
        else:
            Path(task.output_path).write_text(text)
            on_result(ParseResult(task.task_id, "parsed", backend="plain", content_hash=f"{hash(text):064x}"[-64:]))

    def cancel(self, _which: object, *, wait: bool = False) -> None:
        pass

    def close(self, **_options: Any) -> None:
        pass


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkspaceHandle:
    """A workspace with two good files and one that kills."""
    monkeypatch.setattr(local_execution, "ParserPool", Parsers)
    monkeypatch.setattr(Parsers, "parsed", [], raising=False)
    monkeypatch.setattr(Parsers, "killed_by", staticmethod(lambda text: "crashed" if "bad" in text else ""))
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in ("one", "two", "bad"):
        (docs / f"{name}.txt").write_text(f"{name} text")
    handle = open_workspace(tmp_path / "ws")
    handle.add_source("docs", path=str(docs))
    return handle


def failed(handle: WorkspaceHandle, manifest: Manifest) -> list[tuple[str, str]]:
    """Return key and reason of what failed."""
    return [(o.key, o.reason) for o, _ in job_items(handle.workspace, manifest.job_id, outcomes={"failed"})]


def kill_twice(handle: WorkspaceHandle) -> None:
    """Sync until the bad file has killed its parser twice."""
    for _ in range(2):
        manifest = handle.sync("docs")
        assert failed(handle, manifest) == [("bad.txt", "crashed")]
    assert Parsers.parsed.count("bad.txt") == 2


def test_the_third_sync_leaves_it_alone(workspace: WorkspaceHandle) -> None:
    """What killed its parser twice is neither read nor parsed, and every sync says that it failed, and why."""
    kill_twice(workspace)
    third = workspace.sync("docs")
    assert Parsers.parsed.count("bad.txt") == 2
    assert failed(workspace, third) == [("bad.txt", "crashed")]
    assert (third.state, third.counters.items_failed, third.counters.items_fetched) == ("partial", 1, 0)
    assert third.errors_total == 1
    assert "quarantine" in third.errors[0].message
    assert "--failed-only" in third.errors[0].hint
    assert third.counters.descriptors_listed == third.counters.listed_accounted_for
    story = explain(workspace.workspace, "bad.txt")
    assert "in quarantine" in story.verdict
    assert "'ingest-tui errors retry --source docs' tries it again" in story.hint
    assert look_for_work(workspace.workspace, workspace.workspace.sources.get("docs")) == (False, 0)


def test_a_retry_of_the_failed_tries_it_again(workspace: WorkspaceHandle) -> None:
    """A person who asks gets another try; when it succeeds, the next sync finds it unchanged."""
    kill_twice(workspace)
    third = workspace.sync("docs")
    Parsers.killed_by = staticmethod(lambda _text: "")
    retried = retry_job(workspace.workspace, third.job_id, failed_only=True)
    ended = follow_job(workspace.workspace, retried.job_id, lambda _manifest: None, run_here=True)
    assert (ended.state, ended.counters.items_ingested) == ("succeeded", 1)
    assert workspace.sync("docs").counters.items_skipped_incremental == 3
    assert not workspace.workspace.catalogue.execute("SELECT * FROM kills")


def test_a_changed_file_is_tried_again(workspace: WorkspaceHandle, tmp_path: Path) -> None:
    """Another content is another document as far as its parser is concerned, and has two tries of its own."""
    kill_twice(workspace)
    (tmp_path / "docs" / "bad.txt").write_text("bad in another way")
    workspace.sync("docs")
    workspace.sync("docs")
    assert Parsers.parsed.count("bad.txt") == 4
    workspace.sync("docs")
    assert Parsers.parsed.count("bad.txt") == 4


def test_another_version_of_a_backend_tries_it_again(
    workspace: WorkspaceHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upgrade of what reads the documents is reason enough."""
    kill_twice(workspace)
    monkeypatch.setattr(plan_rules, "versions", lambda: "plain-99")
    workspace.sync("docs")
    assert Parsers.parsed.count("bad.txt") == 3


def test_force_tries_it_again(workspace: WorkspaceHandle) -> None:
    """So does --force."""
    kill_twice(workspace)
    workspace.sync("docs", force=True)
    assert Parsers.parsed.count("bad.txt") == 3


@pytest.mark.parametrize("reason", ["timeout", "memory"])
def test_every_way_to_kill_counts(workspace: WorkspaceHandle, reason: str) -> None:
    """Hanging and eating memory are counted together with crashing."""
    workspace.sync("docs")
    Parsers.killed_by = staticmethod(lambda text: reason if "bad" in text else "")
    workspace.sync("docs")
    third = workspace.sync("docs")
    assert Parsers.parsed.count("bad.txt") == 2
    assert failed(workspace, third) == [("bad.txt", reason)]


def test_other_failures_are_never_in_quarantine(workspace: WorkspaceHandle) -> None:
    """What merely cannot be read killed nobody: what may pass is tried by every sync, malformed bytes only once."""
    for reason, tries in (("no_backend", 4), ("malformed", 5)):
        Parsers.killed_by = staticmethod(lambda text, reason=reason: reason if "bad" in text else "")
        for _ in range(4):
            assert not workspace.sync("docs").counters.items_rejected
        assert Parsers.parsed.count("bad.txt") == tries


def test_a_file_that_is_gone_leaves_nothing(workspace: WorkspaceHandle, tmp_path: Path) -> None:
    """Its quarantine is forgotten with it."""
    kill_twice(workspace)
    (tmp_path / "docs" / "bad.txt").unlink()
    workspace.sync("docs")
    assert not workspace.workspace.catalogue.execute("SELECT * FROM kills")
