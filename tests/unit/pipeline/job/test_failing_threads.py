"""Threads of a job that fail: what they do is done by others, or the job ends with the reason."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from ingest_tui import open_workspace
from ingest_tui.extraction.pool.dispatcher import Dispatcher
from ingest_tui.extraction.pool.process import ParserProcess
from ingest_tui.pipeline.job.progress import ProgressMeter
from tests.waiting import wait_until


def test_parsers_that_cannot_be_started_fail_the_job_and_not_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pool of parsers that has failed ends its job with the reason instead of keeping it for ever."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("rain")

    def refusing(*_arguments: Any, **_options: Any) -> None:
        raise OSError(12, "Cannot allocate memory")

    with open_workspace(tmp_path / "ws") as workspace:
        workspace.add_source("docs", path=str(tmp_path / "docs"))
        with monkeypatch.context() as broken_for_a_while:
            broken_for_a_while.setattr(Dispatcher, "_start", refusing)
            failed = workspace.sync("docs")
        assert failed.state == "failed"
        assert "parser" in failed.errors[-1].message
        assert workspace.sync("docs").state == "succeeded"


def test_ticker_goes_on_after_an_error_that_nobody_foresaw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failing tick is logged, and requests are answered by the next one."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("rain")
    ticks: list[str] = []
    genuine = ProgressMeter.tick

    def failing_first(meter: ProgressMeter, **options: Any) -> None:
        ticks.append(threading.current_thread().name)
        if len(ticks) == 1:
            raise RuntimeError
        genuine(meter, **options)

    monkeypatch.setattr(ProgressMeter, "tick", failing_first)
    start = Dispatcher._start

    def once_there_were_two(dispatcher: Dispatcher) -> ParserProcess:
        wait_until(lambda: len(ticks) >= 2)
        return start(dispatcher)

    monkeypatch.setattr(Dispatcher, "_start", once_there_were_two)
    with open_workspace(tmp_path / "ws") as workspace:
        workspace.add_source("docs", path=str(tmp_path / "docs"))
        manifest = workspace.sync("docs")
        log = workspace.workspace.jobs.paths(manifest.job_id).log.read_text()
    assert manifest.state == "succeeded"
    assert len(ticks) >= 2
    assert '"kind":"RuntimeError"' in log
