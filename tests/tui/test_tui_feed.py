"""The feed, without Textual."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from ingest_tui.model.job import JobState
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.tui import wording
from ingest_tui.tui.client.feed import FIRST_SLICE, Feed, FeedUpdate
from ingest_tui.tui.views.jobs.jobs_model import JobRow, JobsModel, parse_row
from tests.tui.stories import add_job, write_manifest
from tests.waiting import wait_until


def quiet_feed(root: Path) -> Feed:
    """Return a feed that tells nobody, for looking by hand."""
    return Feed(root, lambda _update: None)


def looked(feed: Feed) -> list[FeedUpdate]:
    """Look once."""
    return list(feed.updates())


def test_a_first_look_yields_the_newest_jobs_first_in_slices(root: Path) -> None:
    """The first update holds the newest hundred jobs, and the last one says that all are known."""
    for number in range(FIRST_SLICE + 20):
        add_job(root, f"20261121-{number:06d}-docs-aaaa")
    updates = looked(quiet_feed(root))
    assert [len(update.changed) for update in updates] == [FIRST_SLICE, 20]
    assert updates[0].changed[0].job_id == f"20261121-{FIRST_SLICE + 19:06d}-docs-aaaa"
    assert [update.complete for update in updates] == [False, True]


def test_a_second_look_without_changes_has_no_news(root: Path) -> None:
    """Nothing changed, nothing told."""
    add_job(root, "20261121-000001-docs-aaaa")
    feed = quiet_feed(root)
    looked(feed)
    assert looked(feed) == []


def test_a_replaced_manifest_is_news_even_with_the_same_size_and_time(root: Path) -> None:
    """The inode distinguishes a replaced file when size and time are equal."""
    manifest = add_job(root, "20261121-000001-docs-aaaa", "queued", listed=10)
    path = root / "jobs" / manifest.job_id / "manifest.json"
    feed = quiet_feed(root)
    looked(feed)
    before = path.stat()
    manifest.counters.descriptors_listed = 90
    write_manifest(root, manifest)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert [row.total for update in looked(feed) for row in update.changed] == [90]


def test_waiting_jobs_have_their_place_in_the_queue() -> None:
    """Lower priority goes first, the older of equals before the younger; what does not wait has no place."""
    rows = {
        "b": ("queued", 100, "2"), "a": ("queued", 100, "1"), "c": ("queued", 5, "3"), "d": ("running", 1, "0"),
    }  # fmt: skip
    model = JobsModel()
    model.merge((JobRow(name, state, created_at=at, priority=first) for name, (state, first, at) in rows.items()), ())
    assert [model.queue_position(name) for name in ("c", "a", "b", "d", "unknown")] == [1, 2, 3, None, None]


def test_new_and_removed_jobs_are_reported(root: Path) -> None:
    """A new folder is a new job, a folder that is gone is a removed one."""
    feed = quiet_feed(root)
    looked(feed)
    manifest = add_job(root, "20261121-000001-docs-aaaa")
    assert [row.job_id for update in looked(feed) for row in update.changed] == [manifest.job_id]
    folder = root / "jobs" / manifest.job_id
    (folder / "manifest.json").unlink()
    folder.rmdir()
    assert [job_id for update in looked(feed) for job_id in update.removed] == [manifest.job_id]


def test_a_running_job_without_an_owner_is_shown_as_interrupted(root: Path) -> None:
    """A dead worker rewrites no manifest, so the lock is asked."""
    manifest = add_job(root, "20261121-000001-docs-aaaa", "running", listed=10)
    lock = FileLock(root / "jobs" / manifest.job_id / "lock")
    assert lock.try_acquire()
    feed = quiet_feed(root)
    assert looked(feed)[0].changed[0].state == "running"
    lock.release()
    assert [row.state for update in looked(feed) for row in update.changed] == ["interrupted"]


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b'{"state": {}}', b'{"state": "running", "counters": 3}'])
def test_a_damaged_manifest_becomes_a_row_that_says_so(data: bytes) -> None:
    """No damage raises."""
    row = parse_row("20261121-000001-docs-aaaa", data)
    assert row.state == "unreadable" or row.total == 0


def test_foreign_folders_are_no_jobs(root: Path) -> None:
    """A folder whose name is no identifier is passed over."""
    (root / "jobs" / "NOT a job \x1b[31m").mkdir()
    add_job(root, "20261121-000001-docs-aaaa")
    assert [row.job_id for update in looked(quiet_feed(root)) for row in update.changed] == [
        "20261121-000001-docs-aaaa"
    ]


def test_sources_and_catalogue_changes_are_reported(root: Path) -> None:
    """Another source file or another catalogue is news, but not at the first look."""
    feed = quiet_feed(root)
    assert not any(update.sources_changed or update.documents_changed for update in looked(feed))
    (root / "sources" / "docs.json").write_text("{}")
    (root / "catalogue.db").write_bytes(b"x")
    updates = looked(feed)
    assert any(update.sources_changed for update in updates)
    assert any(update.documents_changed for update in updates)


def test_the_thread_reports_the_last_change_and_at_most_four_times_a_second(root: Path) -> None:
    """However many changes there are, six updates take longer than a second, and the last state arrives."""
    manifest = add_job(root, "20261121-000001-docs-aaaa", "queued", listed=1_000_000)
    reported: list[FeedUpdate] = []
    feed = Feed(root, reported.append, interval=0.25, rescan=1.0)
    feed.start()
    try:
        wait_until(lambda: reported)
        began, first = time.monotonic(), len(reported)
        while len(reported) - first < 6:
            manifest.counters.items_ingested += 1
            write_manifest(root, manifest)
        # The second of them is of a look that began after the first was reported, and so after `began`.
        assert time.monotonic() - began >= 4 * 0.25
        written = manifest.counters.items_ingested
        wait_until(lambda: any(row.done == written for update in reported for row in update.changed))
    finally:
        feed.stop()
    assert written > len(reported)


def test_the_feed_stops_promptly(root: Path) -> None:
    """Stopping does not wait for the next look."""
    looked = threading.Event()
    feed = Feed(root, lambda _update: looked.set(), rescan=60.0)
    feed.start()
    assert looked.wait(20)
    feed.stop(wait=20)
    assert feed._thread is not None
    assert not feed._thread.is_alive()


def test_workers_are_reported_once_and_again_when_they_change(root: Path) -> None:
    """The same workers are no news."""
    workers = ["one"]
    feed = Feed(root, lambda _update: None, workers=lambda: list(workers))
    assert [update.workers for update in looked(feed)][-1] == ("one",)
    assert looked(feed) == []
    workers.append("two")
    assert looked(feed)[-1].workers == ("one", "two")


def test_the_model_counts_states_as_rows_come_and_go() -> None:
    """A row that changes its state leaves the old count."""
    model = JobsModel()
    model.merge([parse_row("a", b'{"state": "running"}'), parse_row("b", b'{"state": "failed"}')], [])
    model.merge([parse_row("a", b'{"state": "succeeded"}')], ["b"])
    assert (model.number("running"), model.number("failed"), model.number("succeeded")) == (0, 0, 1)


def test_the_words_of_the_states_are_those_of_the_model() -> None:
    """The wording repeats the states so that it loads fast; it must not drift from the model."""
    from ingest_tui.model.job import ENDED_STATES
    from ingest_tui.model.outcome import OUTCOME_NAMES

    assert set(wording.STATE_GLYPHS) == {state.value for state in JobState}
    assert {state.value for state in ENDED_STATES} == wording.ENDED
    assert set(wording.OUTCOME_GLYPHS) == set(OUTCOME_NAMES)
    assert len(set(wording.STATE_GLYPHS.values())) == len(wording.STATE_GLYPHS)


@pytest.mark.parametrize(
    ("seconds", "shown"), [(None, "-"), (7, "7s"), (125, "2m05s"), (11_400, "3h10m"), (400_000, "4d")]
)
def test_durations_read_in_two_units(seconds: float | None, shown: str) -> None:
    """Durations stay short."""
    assert wording.duration(seconds) == shown


@pytest.mark.parametrize("failure", [OSError(5, "Input/output error"), RuntimeError(), MemoryError()])
def test_feed_says_that_it_fails_and_goes_on(root: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    """A look that fails in an unforeseen way is reported, and with the next one everything is reported again."""
    add_job(root, "20261121-000001-docs-aaaa", "succeeded")
    told: list[FeedUpdate] = []
    is_told = threading.Condition()

    def listen(update: FeedUpdate) -> None:
        with is_told:
            told.append(update)
            is_told.notify_all()

    feed = Feed(root, listen, interval=0.01, rescan=0.02)
    genuine, looks = feed._look_at_folder, []

    def failing_second() -> list[str]:
        looks.append(1)
        if len(looks) == 2:
            raise failure
        return genuine()

    monkeypatch.setattr(feed, "_look_at_folder", failing_second)
    feed.start()
    with is_told:
        assert is_told.wait_for(lambda: [u.failure for u in told if u.failure is not None] != [], 20)
        assert is_told.wait_for(lambda: [u.failure for u in told if u.failure is not None][-1] == "", 20)
    feed.stop()
    assert [u.failure for u in told if u.failure is not None] == [type(failure).__name__, ""]
    assert sum(len(update.changed) for update in told) == 2
