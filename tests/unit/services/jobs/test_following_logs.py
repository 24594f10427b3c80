"""The logs of all jobs as one: their ends, what is added, and what is in the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.model.errors import UsageError
from ingest_tui.services.jobs.logs import FOLLOWED_JOBS, TAIL_BYTES, LogFollower, LogQuery, follow_logs
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.job_log import JobLog
from ingest_tui.store.records.rotated_log import LogLimit
from ingest_tui.store.workspace import init_workspace


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """An empty workspace."""
    workspace, _ = init_workspace(tmp_path / "ws")
    assert follow_logs(workspace).read() == []
    return workspace.layout


def say(layout: Layout, job: str, *messages: str, level: str = "info", at: str = "2026-11-21T10:00:00.000Z") -> None:
    """Append lines to the log of a job, or to that of the worker."""
    path = layout.worker_log if job == "worker" else layout.jobs / job / "log.jsonl"
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as log:
        for message in messages:
            log.write(json.dumps({"at": at, "level": level, "message": message, "job": job}) + "\n")


def messages(records: list[dict[str, Any]]) -> list[str]:
    """Return what the lines say."""
    return [record["message"] for record in records]


def test_lines_of_all_logs_come_in_the_order_of_their_times(layout: Layout) -> None:
    """Two jobs and the worker speak by turns."""
    say(layout, "j2", "second", at="2026-11-21T10:00:02.000Z")
    say(layout, "j1", "first", at="2026-11-21T10:00:01.000Z")
    say(layout, "worker", "third", at="2026-11-21T10:00:03.000Z")
    assert messages(LogFollower(layout).read()) == ["first", "second", "third"]


def test_each_look_returns_only_what_is_new(layout: Layout) -> None:
    """Nothing twice, nothing left out: also the log of a job that has just come, and a line that is half written."""
    follower = LogFollower(layout)
    say(layout, "j1", "a")
    assert messages(follower.read()) == ["a"]
    assert follower.read() == []
    say(layout, "j1", "b")
    say(layout, "j2", *(f"new {number}" for number in range(2000)))
    assert len(follower.read()) == 2001
    path = layout.jobs / "j1" / "log.jsonl"
    with path.open("a") as log:
        log.write('{"at": "x", "level": "info", "mess')
        log.flush()
        assert follower.read() == []
        log.write('age": "whole"}\n')
    assert messages(follower.read()) == ["whole"]


def test_a_first_look_reads_only_the_ends(layout: Layout) -> None:
    """Of a long log the last lines are read, the first of them whole; of very many jobs the newest."""
    say(layout, "long", *(f"{number:05d} {'x' * 100}" for number in range(5000)))
    read = LogFollower(layout).read()
    assert messages(read)[-1].startswith("04999")
    assert TAIL_BYTES / 300 < len(read) < TAIL_BYTES / 100
    for number in range(FOLLOWED_JOBS + 5):
        say(layout, f"z{number:04d}", "here")
    assert sum(message == "here" for message in messages(LogFollower(layout).read())) == FOLLOWED_JOBS


def test_an_old_job_that_goes_on_is_followed(layout: Layout) -> None:
    """What waits or runs is followed however many newer jobs there are."""
    say(layout, "a-old", "still here")
    (layout.queue / "a-old").touch()
    for number in range(FOLLOWED_JOBS):
        say(layout, f"z{number:04d}", "other")
    assert "still here" in messages(LogFollower(layout).read())


def test_damage_costs_a_line_and_no_more(layout: Layout) -> None:
    """Foreign bytes in the log of a job are passed over; those in the worker's are shown, as its last words."""
    say(layout, "j1", "good")
    with (layout.jobs / "j1" / "log.jsonl").open("ab") as log:
        log.write(b"\xff\xfe nonsense\n[]\n")
    say(layout, "j1", "better", at="2026-11-21T10:00:05.000Z")
    layout.worker_log.write_bytes(b"Fatal Python error \xff\n\n")
    assert messages(LogFollower(layout).read()) == ["Fatal Python error �", "good", "better"]


def test_a_log_that_was_cut_is_read_again(layout: Layout) -> None:
    """Somebody may empty worker.log while it is followed."""
    say(layout, "worker", "one", "two")
    follower = LogFollower(layout)
    follower.read()
    layout.worker_log.write_text("")
    assert follower.read() == []
    say(layout, "worker", "three")
    assert messages(follower.read()) == ["three"]


def test_only_lines_of_a_level_are_returned(layout: Layout) -> None:
    """A level and above, and lines that have none."""
    say(layout, "j1", "quiet", level="debug")
    say(layout, "j1", "loud", level="error")
    layout.worker_log.write_text("odd\n")
    assert messages(LogFollower(layout).read(level="warning")) == ["odd", "loud"]


def test_following_survives_that_a_log_is_put_aside(layout: Layout) -> None:
    """Whatever is put aside between two looks, each line comes once."""
    (layout.jobs / "j1").mkdir()
    log = JobLog(layout.jobs / "j1" / "log.jsonl", LogLimit(300, 100), job="j1")
    follower, seen = LogFollower(layout), []
    for number in range(100):
        log.event("info", f"line {number}")
        if number % 7 == 0:
            seen += messages(follower.read())
    seen += messages(follower.read())
    log.close()
    assert [message for message in seen if message.startswith("line ")] == [f"line {number}" for number in range(100)]


def test_lines_are_chosen_by_what_they_are_about() -> None:
    """By level, source, document and time, and by all of them together."""
    line = {"at": "2026-11-21T06:30:00.000Z", "level": "warning", "source": "notes", "document": "file:///a/b.md"}
    assert LogQuery().takes({})
    assert LogQuery("warning", "notes", "b.md", "2026-11-21").takes(line)
    for query in (
        LogQuery(level="error"),
        LogQuery(source="others"),
        LogQuery(document="c.md"),
        LogQuery(since="2026-11-22"),
    ):
        assert not query.takes(line)
    with pytest.raises(UsageError):
        LogQuery(since="yesterday")


def test_start_and_end_of_a_job_are_one_line(layout: Layout) -> None:
    """Job and worker both log them, at any time and in any order; what only one of them says stays."""
    follower = LogFollower(layout)
    tell(layout, "j1", "job started")
    assert messages(follower.read()) == ["job started"]
    say(layout, "j1", "job started", "listing", "job failed")
    assert messages(follower.read()) == ["listing", "job failed"]
    tell(layout, "j1", "job failed", "job left for the next worker", "job started")
    assert messages(follower.read()) == ["job left for the next worker", "job started"]
    tell(layout, "j2", "job started")
    assert messages(follower.read()) == ["job started"]
    assert messages(LogFollower(layout).read()).count("job started") == 3


def tell(layout: Layout, job: str, *lines: str) -> None:
    """Append lines about a job to the log of the worker."""
    with layout.worker_log.open("a") as log:
        for line in lines:
            log.write(
                json.dumps({"at": "2026-11-21T10:00:00.000Z", "level": "info", "message": line, "job": job}) + "\n"
            )
