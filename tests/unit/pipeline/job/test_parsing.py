"""What is being parsed right now, as the manifest of a running job has it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from ingest_tui import open_workspace
from ingest_tui.model.clock import posix_seconds
from ingest_tui.model.extraction import AtWork
from ingest_tui.model.job import Manifest
from ingest_tui.pipeline.job.parsing import ParsingItems
from ingest_tui.store.jobs import JobStore


class Parsers:
    """Says what is at work, and does nothing."""

    failure = None

    def __init__(self, *at_work: AtWork) -> None:
        self.at_work = at_work

    def submit(self, task: Any, on_result: Any) -> None:
        raise NotImplementedError

    def cancel(self, which: Any, *, wait: bool = False) -> None:
        raise NotImplementedError

    def close(self, *, cancel: bool = False) -> None:
        raise NotImplementedError


def test_items_at_work_are_named_with_the_longest_first() -> None:
    """Only items of this job that have no result yet, with their process, and since when by the clock on the wall."""
    now = time.monotonic()
    parsers = Parsers(AtWork("a/1", 11, now - 2), AtWork("other/1", 12, now - 99), AtWork("a/2", 13, now - 60))
    items = ParsingItems(parsers)
    items.begin("a/1", "docs/one.pdf")
    items.begin("a/2", "docs/two.pdf")
    assert [(one.key, one.pid) for one in items.now()] == [("docs/two.pdf", 13), ("docs/one.pdf", 11)]
    assert 59 < items.now()[0].seconds(posix_seconds()) < 90
    items.end("a/2")
    assert [one.key for one in items.now()] == ["docs/one.pdf"]


def test_manifest_names_what_is_parsed_until_the_job_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a document is parsed the manifest on disk names it and a process; that of a job that has ended nothing."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "long.txt").write_text("words")
    seen: list[tuple[str, int]] = []
    save = JobStore.save

    def noting(self: JobStore, manifest: Manifest, *, durable: bool = True) -> None:
        save(self, manifest, durable=durable)
        seen.extend((one.key, one.pid) for one in self.load(manifest.job_id).parsing)

    monkeypatch.setattr(JobStore, "save", noting)
    monkeypatch.setattr("ingest_tui.execution.local.ParserPool", _until_seen(seen))
    with open_workspace(tmp_path / "ws") as handle:
        handle.add_source("docs", path=str(tmp_path / "docs"))
        manifest = handle.sync("docs")
        assert manifest.state == "succeeded"
        assert handle.workspace.jobs.load(manifest.job_id).parsing == []
    assert set(seen) == {("long.txt", 4711)}


def _until_seen(seen: list[tuple[str, int]]) -> Any:
    """Return a pool that gives a result once the manifest has named what it parses."""
    from threading import Thread

    from tests.faults.crash_lab import InlinePool
    from tests.waiting import wait_until

    class Slow(InlinePool):
        at_work: tuple[AtWork, ...] = ()

        def submit(self, task: Any, on_result: Any) -> None:
            def parse() -> None:
                self.at_work = (AtWork(task.task_id, 4711, time.monotonic()),)
                wait_until(lambda: bool(seen))
                self.at_work = ()
                InlinePool.submit(self, task, on_result)

            Thread(target=parse, daemon=True).start()

    return Slow
