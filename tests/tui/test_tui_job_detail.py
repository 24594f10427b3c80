"""A job in detail: its words, its outcomes by kind and reason, its log, and what can be done with it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input

from ingest_tui.model.job import HeldDeletions, JobError, Manifest, ParsingItem
from ingest_tui.model.job_counters import Counters
from ingest_tui.model.outcome import OUTCOME_NAMES
from ingest_tui.model.reasons import Reasons
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.tui.app import IngestApp
from ingest_tui.tui.background.messages import WorkspaceChanged
from ingest_tui.tui.client.feed import FeedUpdate
from ingest_tui.tui.dialogs.ask import Ask
from ingest_tui.tui.dialogs.dialogs import Choose, Confirm
from ingest_tui.tui.dialogs.help import Help
from ingest_tui.tui.dialogs.report import RecordReport, Report
from ingest_tui.tui.views.jobs import job_words
from ingest_tui.tui.views.jobs.held_screen import Held
from ingest_tui.tui.views.jobs.job_items import MOST_OUTCOMES, JobItems, Only, arrange
from ingest_tui.tui.views.jobs.job_screen import JobScreen
from ingest_tui.tui.views.jobs.jobs_model import RATES_KEPT, JobRow, JobsModel
from ingest_tui.tui.views.jobs.jobs_screen import JobsScreen
from ingest_tui.tui.widgets.sparkline import sparkline
from tests.tui.stories import (
    NOW,
    NOW_TEXT,
    add_folder,
    add_job,
    add_outcomes,
    let_answer,
    new_workspace,
    outcome,
    run_story,
    said,
    screen_text,
    stretches,
    sync_by_hand,
    until,
    write_manifest,
)
from tests.tui.test_tui_navigation import notices

pytestmark = pytest.mark.slow

JOB = "20261121-000001-docs-aaaa"


# Words


def test_a_bar_is_full_from_a_number_on() -> None:
    """Next to nothing does not look like a lot; what is more than that number is measured by the highest."""
    assert sparkline([0, 0.04], 5, full_from=1) == "▁▁"
    assert sparkline([0, 0.5, 1], 5, full_from=1) == "▁▅█"
    assert sparkline([1, 10], 5, full_from=1) == "▂█"
    assert sparkline([0, 0], 5, full_from=1) == "▁▁"


@pytest.mark.parametrize(
    ("values", "cells", "drawn"),
    [([], 5, ""), ([0, 0], 5, "▁▁"), ([0, 5, 10], 5, "▁▅█"), ([9, 1, 2, 4], 2, "▅█"), ([1], 0, ""), ([-3, 3], 2, "▁█")],
)
def test_a_sparkline_shows_the_newest_values(values: list[float], cells: int, drawn: str) -> None:
    """One bar for each value, between nothing and the highest that is shown."""
    assert sparkline(values, cells) == drawn


def test_counters_read_as_a_sum() -> None:
    """What is listed equals its parts; while a job runs the rest is to come, afterwards it was not done."""
    counters = Counters(descriptors_listed=10, items_ingested=3, items_skipped_incremental=4, items_failed=1,
                        items_retired=2, chunks_written=9)  # fmt: skip
    running = job_words.counters_line(counters, ended=False)
    assert running == " 10 listed = 3 ingested + 4 unchanged + 1 failed + 2 to come   and 2 items retired  9 chunks"
    assert "2 not done" in job_words.counters_line(counters, ended=True)
    whole = Counters(descriptors_listed=1, items_ingested=1)
    assert job_words.counters_line(whole, ended=True) == " 1 listed = 1 ingested + 0 failed"


def test_every_counter_of_an_outcome_is_a_part_of_the_sum() -> None:
    """No outcome is left out, so that the sum is right whatever a job does; retired ones are not listed."""
    for name in OUTCOME_NAMES:
        counters = Counters(descriptors_listed=5)
        counters.count(name, 5)
        line = job_words.counters_line(counters, ended=True)
        assert ("not done" in line) == (name == "retired"), (name, line)


def test_reasons_are_counted_once_and_errors_of_the_job_come_first() -> None:
    """Errors that name an item are in the journal; those of the job are taken from the manifest, again each time."""
    of_job = JobError(code="source_access", message="no way in", hint="open it", at=NOW_TEXT)
    of_item = JobError(code="timeout", message="slow", uri="file:///a", at=NOW_TEXT)
    reasons = Reasons([of_job, of_item])
    for one in (outcome("a", "failed", "timeout"), outcome("b", "failed", "timeout", hint="wait"), outcome("c")):
        reasons.add(one)
    reasons.take_job_errors([of_job, of_job])
    assert [(one.outcome, one.reason, one.number) for one in reasons.groups()] == [
        ("job", "source_access", 2),
        ("failed", "timeout", 2),
    ]
    assert reasons.groups()[1].hint == "wait"


def test_outcomes_are_chosen_by_kind_reason_and_words() -> None:
    """Each narrows, and the order holds problems first."""
    items = JobItems()
    items.add(
        [outcome("a"), outcome("b", "failed", "timeout"), outcome("c", "failed", "memory"), outcome("d", "empty")]
    )

    def keys(only: Only, words: str = "", sort: str = "problems first", *, backwards: bool = False) -> list[str]:
        passes = (lambda text: words in text) if words else None
        rows = arrange(items.rows, only, passes=passes, sort=sort, backwards=backwards)
        return [row.outcome.key for row in rows]

    assert keys(Only()) == ["b", "c", "d", "a"]
    assert keys(Only("failed")) == ["b", "c"]
    assert keys(Only("failed", "memory")) == ["c"]
    assert keys(Only(), "empty") == ["d"]
    assert keys(Only(), sort="name", backwards=True) == ["d", "c", "b", "a"]
    assert [name for name, _text in items.choices()] == ["", "ingested", "empty", "failed"]


def test_a_job_of_many_outcomes_keeps_every_problem() -> None:
    """Of those that went well only so many are kept; what is left out is counted."""
    items = JobItems()
    items.add(outcome(str(number)) for number in range(MOST_OUTCOMES + 10))
    items.add([outcome("late", "failed", "timeout")])
    assert (len(items.rows), items.left_out) == (MOST_OUTCOMES + 1, 10)
    started = time.process_time()
    arrange(items.rows, Only(), passes=None, sort="problems first", backwards=False)
    assert time.process_time() - started < 2


def test_rates_are_kept_for_running_jobs_within_bounds() -> None:
    """The history of a job grows by its updates, up to a bound; that of old jobs makes way."""
    model = JobsModel()
    for number in range(RATES_KEPT + 20):
        model.merge([JobRow("a", "running", rate=float(number))], [])
    model.merge([JobRow("b", "queued", rate=5.0)], [])
    assert (len(model.rates["a"]), model.rates["a"][-1]) == (RATES_KEPT, RATES_KEPT + 19)
    assert "b" not in model.rates
    for number in range(100):
        model.merge([JobRow(f"job{number}", "running", rate=1.0)], [])
    assert len(model.rates) == 50


def test_places_in_the_queue_follow_priority_and_change_with_the_queue() -> None:
    """Lower priority first, then age; what leaves moves the others up, at no cost for each row."""
    model = JobsModel()
    model.merge([JobRow(f"job{number:05}", "queued", created_at=f"{number:05}") for number in range(10_000)], [])
    started = time.process_time()
    assert [model.queue_position(f"job{number:05}") for number in range(0, 10_000, 5)][-1] == 9996
    assert time.process_time() - started < 1
    model.merge([JobRow("job00000", "running")], [])
    assert model.queue_position("job00000") is None
    assert model.queue_position("job00001") == 1
    model.merge([JobRow("job09999", "queued", priority=1, created_at="09999")], ["job00001"])
    assert (model.queue_position("job09999"), model.queue_position("job00002")) == (1, 2)


# The screen


def broken_job(root: Path, **values: Any) -> None:
    """Put a job with outcomes of several kinds on disk."""
    add_job(root, JOB, "partial", listed=5, failed=3, ingested=2, errors=["too slow"], **values)
    add_outcomes(
        root,
        JOB,
        [
            outcome("good.md"),
            outcome("fine.md"),
            outcome("slow.pdf", "failed", "timeout", detail="too slow", hint="give it more time"),
            outcome("slower.pdf", "failed", "timeout", detail="too slow", hint="give it more time"),
            outcome("big.pdf", "failed", "memory", detail="too big"),
        ],
    )


def keys_shown(app: Any) -> list[str]:
    """Return the keys of the outcomes that are shown."""
    return [row.outcome.key for row in app.screen.pane.items.rows]


async def opened(app: Any, pilot: Any, number: int) -> None:
    """Open the first job and wait for its outcomes."""
    await until(pilot, lambda: app.screen.table.rows)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, JobScreen) and len(app.screen.pane.items.rows) == number)


def test_errors_by_reason_open_to_their_documents(root: Path) -> None:
    """``b`` shows reasons with counts and hints, Enter their documents, Enter again the story, Esc goes back."""
    broken_job(root)

    async def story(app: Any, pilot: Any) -> None:
        await opened(app, pilot, 5)
        await pilot.press("b")
        await until(pilot, lambda: "failed: timeout" in screen_text(app) and "give it more time" in screen_text(app))
        assert [group.number for group in app.screen.pane.reasons.rows] == [2, 1]
        await pilot.press("enter")
        await until(pilot, lambda: keys_shown(app) == ["slow.pdf", "slower.pdf"])
        assert "only failed (timeout)" in said(app, "info")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Report))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: len(keys_shown(app)) == 5)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, JobsScreen))

    run_story(root, story)


def test_one_outcome_is_chosen_with_its_number(root: Path) -> None:
    """``c`` offers the outcomes there are, with how many, and shows only the chosen one."""
    broken_job(root)

    async def story(app: Any, pilot: Any) -> None:
        await opened(app, pilot, 5)
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, Choose) and "+ ingested  2" in screen_text(app))
        await pilot.press("down", "enter")
        await until(pilot, lambda: keys_shown(app) == ["good.md", "fine.md"])

    run_story(root, story)


def test_words_are_found_in_the_log_of_a_job(root: Path) -> None:
    """``/`` there finds while one types, ``n`` and ``N`` go on around the ends, Esc ends it; ``N`` never refuses."""
    add_job(root, JOB, "partial", held=HeldDeletions(documents=3, known=9, reason="mass_deletion"))
    line = '{{"at":"2026-11-21T11:59:00.000Z","level":"info","message":"{}"}}\n'
    words = ["begins", "rain one", "sun", "Rain two", "ends"]
    (root / "jobs" / JOB / "log.jsonl").write_text("".join(map(line.format, words)))

    async def story(app: Any, pilot: Any) -> None:
        app.open_job(JOB)
        await until(pilot, lambda: isinstance(app.screen, JobScreen) and app.screen.is_whole)
        log = app.screen.pane.log_lines
        await until(pilot, lambda: len(log.lines) == 5)
        await pilot.press("l")
        await until(pilot, lambda: log.has_focus)
        await pilot.press("slash", *"rain", "enter")
        await until(pilot, lambda: log.has_focus and "found: " in app.screen.pane.log_said)
        assert "2 lines" in app.screen.pane.log_said
        here = log.cursor
        assert here in {1, 3}
        await pilot.press("n")
        await until(pilot, lambda: log.cursor == 4 - here)
        await pilot.press("N")
        await until(pilot, lambda: log.cursor == here)
        assert isinstance(app.screen, JobScreen)
        await pilot.press("escape")
        await until(pilot, lambda: "found" not in app.screen.pane.log_said and log.has_focus)
        await pilot.press("N")
        await until(pilot, lambda: "nothing is looked for" in notices(app))
        assert isinstance(app.screen, JobScreen)
        await pilot.press("l")
        await until(pilot, lambda: app.screen.pane.items.has_focus)
        await pilot.press("slash", *"nothing of it")
        await until(pilot, lambda: app.screen.words == "nothing of it")

    run_story(root, story)


def test_the_keys_of_the_log_are_named_while_it_has_the_focus(root: Path) -> None:
    """Footer and help: those of the log, no filter of the outcomes; and Enter is about the line, not about a row."""
    add_job(root, JOB, "succeeded", listed=1)
    add_outcomes(root, JOB, [outcome("a.md")])
    line = '{{"at":"2026-11-21T11:59:00.000Z","level":"info","message":"{}"{}}}\n'
    lines = line.format("begins", "") + line.format("ends", ',"document":"file:///b.md"')
    (root / "jobs" / JOB / "log.jsonl").write_text(lines)

    async def story(app: Any, pilot: Any) -> None:
        app.open_job(JOB)
        await until(pilot, lambda: isinstance(app.screen, JobScreen) and app.screen.is_whole)
        page = app.screen
        log = page.pane.log_lines
        await until(pilot, lambda: len(log.lines) == 2 and keys_shown(app) == ["a.md"])
        assert "filter" in said(app, "keys")
        await pilot.press("l")
        await until(pilot, lambda: log.has_focus and "find" in said(app, "keys"))
        assert "filter" not in said(app, "keys")
        assert page.copies()["line"].endswith("ends document=file:///b.md")
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, Help) and "Help for job log" in screen_text(app))
        offered = {action.id for action in app.screen.rows}
        assert {"find", "follow", "wrap", "log.level", "job.cancel", "help"} <= offered
        assert not {"filter", "sort", "mark", "job.outcome"} & offered
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is page)
        explained: list[str] = []
        let_answer(app, explain=explained.append)
        await pilot.press("enter")
        await until(pilot, lambda: explained == ["file:///b.md"])
        await pilot.press("g", "enter")
        await until(pilot, lambda: any("about no document" in one.message for one in app._notifications))
        await pilot.press("l")
        await until(pilot, lambda: page.pane.items.has_focus and "filter" in said(app, "keys"))

    run_story(root, story)


def test_the_log_has_levels_and_shows_what_is_below(root: Path) -> None:
    """Scrolling up pauses following and counts what comes; ``L`` leaves out what is less."""
    manifest = add_job(root, JOB, "running", listed=3)
    path = root / "jobs" / JOB / "log.jsonl"
    line = '{{"at":"2026-11-21T11:00:00.000Z","level":"{}","message":"line {}"}}\n'
    path.write_text("".join(line.format("info", number) for number in range(60)))
    lock = FileLock(root / "jobs" / JOB / "lock")
    assert lock.try_acquire()

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: app.screen.table.rows)
        await pilot.press("l")
        await until(pilot, lambda: "line 59" in screen_text(app))
        assert "following" in app.screen.pane.log_said
        await pilot.press("k", "k")
        with path.open("a") as log:
            log.write(line.format("warning", 60) + line.format("error", 61))
        write_manifest(root, manifest.model_copy(update={"rev": 2}))
        await until(pilot, lambda: "2 new below" in app.screen.pane.log_said)
        await pilot.press("f")
        await until(pilot, lambda: "following" in app.screen.pane.log_said and "line 61" in screen_text(app))
        await pilot.press("L")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: "line 59" not in screen_text(app) and "WARNING line 60" in screen_text(app))
        await pilot.press("t")
        await until(pilot, lambda: "11:00:00" not in screen_text(app))

    try:
        run_story(root, story)
    finally:
        lock.release()


def test_a_hundred_thousand_outcomes_do_not_freeze_the_screen(root: Path) -> None:
    """While they are read and afterwards keys are answered at once."""
    add_job(root, JOB, "succeeded", listed=100_000)
    add_outcomes(root, JOB, [outcome(f"{number:06}.txt", milliseconds=number % 50) for number in range(100_000)])

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: app.screen.table.rows)
        async with stretches() as measured:
            await pilot.press("enter")
            await until(pilot, lambda: len(app.screen.pane.items.rows) == 100_000, 60)
            await pilot.press("G", "g", "j", "o", "end", "enter")
            await until(pilot, lambda: app.screen.sort == "slowest")
        assert max(measured) < 1, max(measured)
        await pilot.press("slash", *"099999", "enter")
        await until(pilot, lambda: keys_shown(app) == ["099999.txt"])

    run_story(root, story)


def test_a_wide_screen_has_three_panes(root: Path) -> None:
    """From 140 columns outcomes, reasons and log are side by side; keys go from one to the other."""
    broken_job(root)
    (root / "jobs" / JOB / "log.jsonl").write_text('{"at":"x","level":"info","message":"hello log"}\n')

    async def story(app: Any, pilot: Any) -> None:
        await opened(app, pilot, 5)
        await until(pilot, lambda: all(word in screen_text(app) for word in ("good.md", "failed: memory", "hello log")))
        await pilot.press("b")
        assert app.screen.pane.reasons.has_focus
        await pilot.press("j", "enter")
        await until(pilot, lambda: keys_shown(app) == ["big.pdf"])
        await pilot.press("l")
        assert app.screen.pane.log_lines.has_focus

    run_story(root, story, size=(160, 48))


def test_rate_throttling_and_queue_are_reported(root: Path) -> None:
    """A running job shows its rate as bars and what it lost; a waiting one its place and its priority."""
    manifest = add_job(root, JOB, "running", listed=100, ingested=10, percent=10)
    manifest.progress.throttled_seconds = 75
    write_manifest(root, manifest)
    add_job(root, "20261121-000002-docs-bbbb", "queued", at="2026-11-21T11:59:00.000Z")
    lock = FileLock(root / "jobs" / JOB / "lock")
    assert lock.try_acquire()

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: len(app.screen.table.rows) == 2)
        assert ". queued 1" in screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: "number 1 in the queue  priority 100" in screen_text(app))
        await pilot.press("escape", "j", "enter")
        await until(pilot, lambda: "█ 14/s" in screen_text(app) and "1m15s lost to throttling" in screen_text(app))

    try:
        run_story(root, story)
    finally:
        lock.release()


def test_priority_is_asked_for_and_set(root: Path) -> None:
    """``P`` asks for a number, refuses others, and the job is moved in the queue."""
    add_job(root, JOB, "queued")
    (root / "queue" / JOB).touch()

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: app.screen.table.rows)
        await pilot.press("P")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        app.screen.query_one("#answer", Input).value = "many"
        await pilot.press("enter")
        await until(pilot, lambda: "a whole number" in screen_text(app))
        app.screen.query_one("#answer", Input).value = "7"
        await pilot.press("enter")
        await until(pilot, lambda: app.model.rows[JOB].priority == 7)

    run_story(root, story)


def test_the_manifest_is_shown_as_json(root: Path) -> None:
    """``m`` shows the manifest, indented, to read."""
    broken_job(root)

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: app.screen.table.rows)
        await pilot.press("m")
        await until(
            pilot, lambda: isinstance(app.screen, RecordReport) and '"state": "partial"' in app.screen.lines.plain
        )
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, JobsScreen))

    run_story(root, story)


@pytest.fixture
def holding(root: Path, tmp_path: Path) -> Path:
    """A workspace whose last job holds twelve deletions."""
    folder = tmp_path / "docs"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.txt").write_text(f"text {number}\n")
    add_folder(root, folder, "docs")
    sync_by_hand(root, "docs")
    for path in folder.iterdir():
        path.unlink()
    sync_by_hand(root, "docs")
    return root


def test_held_deletions_are_listed_and_refused(holding: Path) -> None:
    """``H`` lists what would go with the focus on deciding later; a refusal keeps all of it and asks no more."""

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: "12 deletions wait for a person; H lists them" in said(app, "hint"))
        jobs = app.screen
        await pilot.press("H")
        await until(pilot, lambda: isinstance(app.screen, Held) and "11.txt" in screen_text(app))
        assert app.focused.id == "later"
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is jobs)
        await pilot.press("N")
        await until(
            pilot, lambda: isinstance(app.screen, Held) and not app.screen.query_one("#refuse", Button).disabled
        )
        app.screen.query_one("#refuse", Button).focus()
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is jobs and "wait for a person" not in said(app, "hint"))
        await pilot.press("A")
        await until(pilot, lambda: any("no deletions are held here" in one.message for one in app._notifications))

    run_story(holding, story)


def test_many_held_deletions_want_their_number_typed(holding: Path) -> None:
    """Approving twelve needs the number; then a job that carries them out is queued."""

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: "12 deletions" in said(app, "hint"))
        await pilot.press("A")
        await until(pilot, lambda: isinstance(app.screen, Held) and "To approve, type 12." in screen_text(app))
        assert app.screen.query_one("#approve", Button).disabled
        app.screen.query_one("#typed", Input).focus()
        await pilot.press("1", "2")
        await until(pilot, lambda: not app.screen.query_one("#approve", Button).disabled)
        app.screen.query_one("#approve", Button).focus()
        await pilot.press("enter")
        await until(pilot, lambda: app.model.number("queued") == 1)

    run_story(holding, story)


def test_held_deletions_of_several_jobs_are_answered_after_one_question(root: Path) -> None:
    """Marked jobs are named with their numbers, frozen, and answered one after another."""
    for number in range(2):
        held = HeldDeletions(documents=3, known=9, reason="mass_deletion")
        add_job(root, f"20261121-00000{number}-docs-aaa{number}", "partial", held=held)

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: len(app.screen.table.rows) == 2)
        jobs = app.screen
        await pilot.press("asterisk", "N")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and "Keep 6 documents?" in screen_text(app))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: app.screen is jobs and all(not row.held for row in app.model.rows.values()))

    run_story(root, story)


def test_ten_thousand_jobs_do_not_make_a_pause(root: Path) -> None:
    """Updates, a filter, an order and moving take the loop a fraction of a second at most."""

    async def story(app: Any, pilot: Any) -> None:
        rows = [
            JobRow(f"20261121-{number:06}-docs-aaaa", ["succeeded", "queued", "failed"][number % 3], "docs",
                   created_at=f"{number:06}", updated_at=NOW_TEXT, errors_total=number % 7)
            for number in range(10_000)
        ]  # fmt: skip
        async with stretches() as measured:
            app.post_message(WorkspaceChanged(FeedUpdate(tuple(rows))))
            await until(pilot, lambda: len(app.screen.table.rows) == 10_000)
            await pilot.press("G", "g", "slash", *"failed", "enter", "escape", "o", "end", "enter")
            await until(pilot, lambda: app.screen.sort == "errors")
            for number in range(20):
                row = JobRow(f"20261121-{number:06}-docs-aaaa", "running", "docs", rate=float(number))
                app.post_message(WorkspaceChanged(FeedUpdate((row,))))
                await until(pilot, lambda: app.model.rows[row.job_id].rate == row.rate)  # noqa: B023
        assert max(measured) < 1, max(measured)

    run_story(root, story)


@pytest.mark.parametrize(("size", "where"), [((80, 24), "parsing  a/big.pdf for 1m"), ((200, 50), "Parsing now")])
def test_running_job_names_what_is_parsed(tmp_path: Path, size: tuple[int, int], where: str) -> None:
    """The item that is parsed for longest in a line, with its process; where there is room all of them in a panel."""
    root = new_workspace(tmp_path / "ws")
    parsing = [
        ParsingItem(key="a/big.pdf", pid=4711, since="2026-11-21T11:59:00.000Z"),
        ParsingItem(key="a/\x1b[31mred.pdf", pid=4712, since="2026-11-21T11:59:58.000Z"),
    ]
    manifest = add_job(root, JOB, "running", listed=5, parsing=parsing)
    lock = FileLock(root / "jobs" / manifest.job_id / "lock")
    lock.acquire(1.0, what="the job")

    async def story(app: IngestApp, pilot: Pilot[int]) -> None:
        app.open_job(JOB)
        await until(pilot, lambda: where in screen_text(app))
        seen = screen_text(app)
        assert "4711" in seen
        assert "and 1 more" in seen or "4712" in seen

    try:
        run_story(root, story, size=size)
    finally:
        lock.release()


def test_line_of_what_is_parsed_fits_whatever_the_name() -> None:
    """The path is cut in its middle, so that its name, the process and how many others there are stay."""
    manifest = Manifest(job_id=JOB, source_id="docs", collection_id="c", created_at="", updated_at="")
    assert job_words.parsing_line(manifest, NOW, 80) is None
    manifest.parsing = [ParsingItem(key=f"{'日' * 90}/big.pdf", pid=4711, since=NOW_TEXT)] * 3
    line = job_words.parsing_line(manifest, NOW + 7, 80)
    assert line is not None
    assert line.cell_length <= 80
    assert line.plain.endswith("/big.pdf for 7s  pid 4711  and 2 more")


def test_bars_of_phases_have_the_width_that_there_is(root: Path) -> None:
    """Drawn before there was any room, or for another size, they are drawn again, also of a job that has ended."""
    add_job(root, "20261121-000001-docs-aaaa", listed=3)

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: len(app.screen.table.rows) == 1)
        await pilot.press("enter")
        await until(pilot, lambda: "list    + done    " + "━" * 12 + " " in screen_text(app))
        await pilot.resize_terminal(120, 35)
        await until(pilot, lambda: "list    + done    " + "━" * 30 in screen_text(app))

    run_story(root, story, size=(60, 24))
