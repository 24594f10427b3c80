"""The overview: the first screen, what it shows of a workspace, and that each of its rows leads on."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.model.errors import StoreError
from ingest_tui.model.job import HeldDeletions
from ingest_tui.model.source import Source
from ingest_tui.services.client import Client
from ingest_tui.services.sources.health import SourceSummary
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.tui.terminal.characters import draws_lines
from ingest_tui.tui.views.jobs.job_screen import JobScreen
from ingest_tui.tui.views.jobs.jobs_model import JobRow
from ingest_tui.tui.views.overview.activity import DAY, HOUR, activity
from ingest_tui.tui.views.overview.overview_columns import last_states, next_words, unfinished
from ingest_tui.tui.views.sources.source_screen import SourceScreen
from ingest_tui.tui.widgets.board import Board
from ingest_tui.tui.widgets.glyphs import Glyphs
from ingest_tui.tui.widgets.line import Line
from tests.tui.stories import HOSTILE_NAMES, NOW, add_job, let_answer, run_story, said, screen_text, until

pytestmark = pytest.mark.usefixtures("overview_first")
HELD = "20261121-115000-policies-7k3q"


def add_source(root: Path, source_id: str, **values: Any) -> None:
    """Put a source on disk."""
    with closing(open_workspace_at(root)) as workspace:
        workspace.sources.add(Source(source_id=source_id, name=source_id, source_type="local", **values))


def busy(root: Path) -> None:
    """A source with held deletions, one that is well, one that was never synced, and a job that waits."""
    add_source(root, "handbook", source_config={})
    add_source(root, "new", source_config={})
    add_job(root, HELD, "partial", source_id="policies", listed=3310, at="2026-11-21T11:50:00.000Z",
            held=HeldDeletions(documents=214, known=3310, reason="mass_deletion"))  # fmt: skip
    add_job(root, "20261121-115500-handbook-8h2m", "succeeded", source_id="handbook", listed=1204,
            at="2026-11-21T11:55:00.000Z")  # fmt: skip
    add_job(
        root,
        "20261121-115930-handbook-3n8p",
        "queued",
        source_id="handbook",
        at="2026-11-21T11:59:30.000Z",
        percent=0.0,
    )


def test_the_day_is_that_of_all_jobs(root: Path) -> None:
    """Also where it was drawn once before the jobs were read, as at every start."""
    busy(root)

    async def story(app: Any, pilot: Any) -> None:
        day = app.screen.query_one("#activity-3", Line)
        await until(pilot, lambda: "docs/min" in str(day.said) and not str(day.said).endswith(" 0 max"))

    run_story(root, story, size=(120, 35))


def test_the_program_begins_here(root: Path) -> None:
    """An empty workspace leads by the hand: nothing needs anybody, and how a source is added."""

    async def story(app: Any, pilot: Any) -> None:
        assert app.current_mode == "overview"
        await until(pilot, lambda: "Nothing needs you." in screen_text(app))
        assert "Press 2, then a to add one." in screen_text(app)
        assert "Nothing runs, nothing waits." in screen_text(app)
        assert "No worker" in screen_text(app) or "no worker" in said(app, "header")

    run_story(root, story)


@pytest.mark.parametrize("size", [(80, 24), (120, 30), (200, 50)])
def test_it_shows_what_needs_a_person_first(root: Path, size: tuple[int, int]) -> None:
    """Problems with what to do, the sources with what is wrong first, and what waits; numbers in the titles."""
    busy(root)

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: len(app.screen.board("sources").rows) == 3)
        shown = screen_text(app)
        needs = app.screen.board("attention").rows
        assert {"deletions_held", "source_never_synced"} <= {item.code for item in needs}
        assert f"Needs you {len(needs)}" in shown
        assert "214 deletions of 3,310" in shown
        assert shown.index("policies") < shown.index("handbook")
        assert "Sources 3" in shown
        assert "Running 1" in shown
        assert ". queued" in shown
        assert ("Throughput" in shown) == (size[0] >= 110)
        assert "job approve" in said(app, "hint") or "job items" in said(app, "hint")

    run_story(root, story, size=size)


def test_each_row_leads_on_and_escape_comes_back(root: Path) -> None:
    """A hold opens its job, a source its page; Esc shows the overview again, as it was."""
    busy(root)

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: len(app.screen.board("sources").rows) == 3)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, JobScreen) and app.screen.pane.job_id == HELD)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.view == "overview")
        await pilot.press("j", "j", "j")  # beyond the last row of the first panel: into the next one
        await until(pilot, lambda: app.focused is app.screen.board("sources"))
        chosen = app.screen.board("sources").current_key
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SourceScreen) and app.screen.source_id == chosen)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.view == "overview")
        assert app.focused is app.screen.board("sources")

    run_story(root, story)


def test_escape_does_not_go_back_where_one_went_by_oneself(root: Path) -> None:
    """A view that was chosen by its key stays: Esc goes back only where a row has led from."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2")
        await until(pilot, lambda: app.current_mode == "sources")
        await pilot.press("escape")
        await pilot.pause()
        assert app.current_mode == "sources"

    run_story(root, story)


def test_the_rest_is_one_key_away_in_a_small_terminal(root: Path) -> None:
    """``m`` shows throughput and collections in place of the sources, and these again."""

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: "Nothing needs you." in screen_text(app))
        await pilot.press("m")
        await until(pilot, lambda: "docs/min" in screen_text(app))
        assert "default" in screen_text(app)
        assert "free" in screen_text(app)
        await pilot.press("m")
        await until(pilot, lambda: "docs/min" not in screen_text(app))

    run_story(root, story)


def test_a_workspace_that_cannot_be_read_says_so(root: Path) -> None:
    """The panel holds the error, escaped, and what to do, not "reading …" for ever."""
    client = Client(root)

    def fail() -> None:
        raise StoreError("the catalogue is damaged \x1b[31m", hint="'ingest-tui rebuild' makes it again")

    let_answer(client.maintenance, overview=fail)

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: r"! the catalogue is damaged \x1b[31m" in screen_text(app))
        assert "ingest-tui rebuild" in said(app, "hint")

    run_story(root, story, client=client)


def test_names_that_act_on_a_terminal_are_text(root: Path) -> None:
    """Sources and messages with control characters and markup are shown, escaped."""
    for number, name in enumerate(HOSTILE_NAMES):
        add_job(root, f"20261121-0000{number:02}-h-aaaa", "queued", source_id=name.replace("\udc80", "?"))

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: "Running 14" in screen_text(app))
        assert not [letter for letter in screen_text(app) if ord(letter) < 32 and letter != "\n"]

    run_story(root, story)


def test_nothing_is_drawn_again_for_each_slice_of_jobs_that_is_read(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of jobs come in slices: the panels wait until all are known, and an empty one stays as it is."""
    for number in range(1100):
        add_job(root, f"20261120-{number:06}-docs-{number:04}", listed=5)
    drawn: list[str] = []
    show = Board.show

    def counted(board: Board[Any], rows: Any, **how: Any) -> None:
        drawn.append(f"{board.id} {len(rows)} {how['empty'][0]}")
        show(board, rows, **how)

    monkeypatch.setattr(Board, "show", counted)

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: "Nothing needs you." in screen_text(app))
        assert app.model.number("succeeded") == 1100
        running = [one for one in drawn if one.startswith("overview-running 0")]
        assert running[-1] == "overview-running 0 Nothing runs, nothing waits."
        assert len(running) == len(set(running))

    run_story(root, story)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (110, 22)])
def test_every_panel_has_room_for_rows(root: Path, size: tuple[int, int]) -> None:
    """However much needs a person, sources and jobs are in sight."""
    busy(root)
    for number in range(9):
        add_source(root, f"more-{number}", source_config={})

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: len(app.screen.board("sources").rows) == 12)
        await until(pilot, lambda: all(board.size.height >= 2 for board in app.screen.boards()))

    run_story(root, story, size=size)


def test_a_terminal_without_unicode_gets_ascii(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Borders, bars and histories are made of what every terminal has."""
    monkeypatch.setenv("LC_ALL", "en_US.ISO-8859-1")
    busy(root)

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: len(app.screen.board("sources").rows) == 3)
        shown = screen_text(app)
        assert "+- Needs you" in shown
        assert not set(shown) & set("╭╮╰╯│─━▁▂▃▄▅▆▇█")

    run_story(root, story, size=(120, 40))


@pytest.mark.parametrize(
    ("environment", "drawn"),
    [
        ({}, True),
        ({"LANG": "C.UTF-8", "TERM": "xterm-256color"}, True),
        ({"LC_ALL": "de_DE.utf8", "LANG": "C"}, True),
        ({"LANG": "en_US.ISO-8859-1"}, False),
        ({"LC_CTYPE": "en_US.ISO-8859-1", "LANG": "en_US.UTF-8"}, False),
        ({"TERM": "linux", "LANG": "C.UTF-8"}, False),
        ({"TERM": "vt100"}, False),
    ],
)
def test_lines_are_drawn_where_the_terminal_has_them(environment: dict[str, str], drawn: bool) -> None:
    """The locale decides, the one for characters first; the console of the kernel has too few of them."""
    assert draws_lines(environment) == drawn
    assert not draws_lines(environment, encoding="ascii")


# Pure


def row(job_id: str, state: str, **values: Any) -> JobRow:
    return JobRow(job_id, state, "docs", **values)


def test_what_a_job_did_counts_over_the_time_it_took() -> None:
    """60 documents in the last two minutes are 30 a minute; what ended before the span is left out."""
    rows = [
        row("a", "succeeded", started_at="2026-11-21T11:58:00.000Z", finished_at="2026-11-21T12:00:00.000Z",
            created_at="2026-11-21T11:56:00.000Z", done=60, bytes=6000),
        row("b", "succeeded", started_at="2026-11-20T10:00:00.000Z", finished_at="2026-11-20T11:00:00.000Z",
            created_at="2026-11-20T10:00:00.000Z", done=600, bytes=6000),
    ]  # fmt: skip
    seen = activity(rows, NOW, span=HOUR, parts=60)
    assert seen.documents == [0.0] * 58 + [30.0, 30.0]
    assert seen.bytes[-1] == 3000.0
    assert seen.queue == [0.0] * 56 + [1.0, 1.0, 0.0, 0.0]
    assert sum(activity(rows, NOW, span=DAY * 2, parts=48).documents) == pytest.approx(11.0)


def test_a_job_that_waits_is_in_the_queue_until_now() -> None:
    """And one without times, or with odd ones, counts for nothing."""
    waits = row("a", "queued", created_at="2026-11-21T11:58:30.000Z")
    odd = [row("b", "queued", created_at="yesterday"), row("c", "succeeded", started_at="x", done=3)]
    assert activity([waits, *odd], NOW, span=HOUR, parts=60).queue[-3:] == [0.0, 0.5, 1.0]


def test_the_last_jobs_of_a_source_are_bars() -> None:
    """High for what succeeded, low for what failed, the newest on the right; in ASCII each has a sign of its own."""
    rows = [row(f"20261121-00000{number}-docs-aaaa", state) for number, state in enumerate(("failed", "succeeded"))]
    states = last_states(reversed(rows))["docs"]
    assert states == ["failed", "succeeded"]
    assert Glyphs().health(states) == "▁█"
    assert Glyphs(ascii_only=True).health(states) == "!+"
    assert Glyphs(ascii_only=True).sparkline([0, 1, 2], 2) == "=#"
    assert Glyphs().bar(0.5, 4) == "━━──"


def test_jobs_that_run_come_before_those_that_wait() -> None:
    """Then in the order in which they will run; ended and unreadable ones are left out."""
    rows = [row("20261121-1-d-a", "queued", priority=5), row("20261121-2-d-a", "queued", priority=1),
            row("20261121-3-d-a", "running"), row("20261121-4-d-a", "failed"), JobRow("x", "unreadable")]  # fmt: skip
    assert [one.job_id[9] for one in unfinished(rows)] == ["3", "2", "1"]


def test_when_a_source_is_synced_next() -> None:
    """A schedule in how long, a watched one in words."""
    source = Source(source_id="docs", name="docs", source_type="local", source_config={})
    summary = SourceSummary(source, 0, None, None, next_run="on change")
    assert next_words(summary, NOW) == "on change"
    summary.next_run_at = "2026-11-21T12:19:00.000Z"
    assert next_words(summary, NOW) == "in 19m00s"
    summary.next_run_at = "2026-11-21T11:19:00.000Z"
    assert next_words(summary, NOW) == "now"


def test_a_timeline_shows_what_ended_last(root: Path) -> None:
    """The newest first, with when and for how long; Enter opens the job, and what ends later comes on top."""
    for number, (state, minutes) in enumerate((("succeeded", 5), ("failed", 40), ("partial", 59))):
        add_job(root, f"20261121-11{number:02}00-docs-aaaa", state, listed=7, failed=int(state != "succeeded"),
                at=f"2026-11-21T11:{minutes:02}:00.000Z", source_id=f"source{number}")  # fmt: skip

    async def story(app: Any, pilot: Any) -> None:
        timeline = app.screen.board("timeline")
        await until(pilot, lambda: [row.source_id for row in timeline.rows] == ["source2", "source1", "source0"])
        assert "LAST 6 HOURS" in screen_text(app)
        add_job(root, "20261121-120000-docs-bbbb", at="2026-11-21T12:00:00.000Z", source_id="newest")
        await until(pilot, lambda: timeline.rows[0].source_id == "newest")
        timeline.focus()
        await pilot.press("g", "enter")
        await until(pilot, lambda: isinstance(app.screen, JobScreen))
        assert app.screen.job_id == "20261121-120000-docs-bbbb"

    run_story(root, story, size=(200, 50))


@pytest.mark.parametrize(
    ("first", "last", "drawn"),
    [(0.0, 1.0, "━━━━"), (0.5, 0.6, "  ━ "), (-3.0, 0.25, "━   "), (0.99, 1.0, "   ━"), (-2.0, -1.0, "‹   ")],
)
def test_a_part_of_a_line_is_filled(first: float, last: float, drawn: str) -> None:
    """At least one cell, as far as it is within the line; what is before it is a mark at its beginning."""
    assert Glyphs().span(first, last, 4) == drawn
    assert Glyphs(ascii_only=True).span(first, last, 4) == drawn.replace("━", "#").replace("‹", "<")


def test_nothing_runs_only_once_all_jobs_are_read(root: Path) -> None:
    """Until then the panel says that they are being read."""

    async def story(app: Any, pilot: Any) -> None:
        running = app.screen.board("running")
        await until(pilot, lambda: running.empty == ["Nothing runs, nothing waits."])
        app.model.complete = False
        app.screen.catch_up()
        await until(pilot, lambda: running.empty == ["reading …"])
        app.model.complete = True
        app.screen.catch_up()
        await until(pilot, lambda: running.empty == ["Nothing runs, nothing waits."])

    run_story(root, story)
