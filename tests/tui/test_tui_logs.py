"""The views Logs and Audit."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.tui.dialogs.ask import Ask
from ingest_tui.tui.dialogs.report import LinesReport, Story
from ingest_tui.tui.views.audit.audit_screen import AuditScreen
from ingest_tui.tui.views.jobs.job_screen import JobScreen
from ingest_tui.tui.views.logs.logs_screen import MOST_RECORDS, LogsScreen
from tests.tui.stories import HOSTILE_NAMES, add_job, at_rest, run_story, said, screen_text, send_together, until
from tests.tui.test_tui_navigation import notices

pytestmark = pytest.mark.slow

ACTING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
JOB = "20261121-000001-docs-aaaa"


def say(root: Path, *messages: str, level: str = "info", job: str = JOB, **more: str) -> None:
    """Append lines to the log of a job."""
    folder = root / "jobs" / job
    if not folder.exists():
        add_job(root, job)
    with (folder / "log.jsonl").open("a") as log:
        for message in messages:
            record = {
                "at": "2026-11-21T11:00:00.000Z",
                "level": level,
                "message": message,
                "job": job,
                "source": "docs",
            }
            log.write(json.dumps(record | more) + "\n")


def audit(root: Path, *actions: str, target: str = "docs", outcome: str = "done") -> None:
    """Add lines to the audit."""
    workspace = open_workspace_at(root)
    for action in actions:
        workspace.audit.add(at="2026-11-21T11:00:00.000Z", by="ann@a", action=action, target=target, outcome=outcome)
    workspace.close()


async def at_logs(app: Any, pilot: Any, lines: int) -> Any:
    """Go to the logs, and wait for so many lines."""
    await pilot.press("5")
    await until(pilot, lambda: isinstance(app.screen, LogsScreen) and len(app.screen._shown) == lines)
    return app.screen


# Logs


def test_without_logs_the_view_says_where_lines_come_from(root: Path) -> None:
    """An empty view leads to the sources."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("5")
        await until(pilot, lambda: "2 shows the sources" in screen_text(app))
        await pilot.press("enter", "i", "f", "v", "t", "k")
        await until(pilot, lambda: "about no document" in notices(app))
        say(root, "the first")
        await until(pilot, lambda: "the first" in screen_text(app) and "No lines yet" not in screen_text(app))
        assert app.screen.current["message"] == "the first"

    run_story(root, story)


def test_lines_are_followed_until_a_person_looks_up(root: Path) -> None:
    """New lines pull the view along; with the cursor above they are counted; G or f follows again."""
    say(root, *(f"line {number}" for number in range(50)))

    async def story(app: Any, pilot: Any) -> None:
        screen = await at_logs(app, pilot, 50)
        assert "following" in said(app, "info")
        say(root, "one more")
        await until(pilot, lambda: "one more" in screen_text(app))
        await pilot.press("k", "k", "pageup")
        say(root, "unseen a", "unseen b")
        await until(pilot, lambda: "2 new below" in said(app, "info"))
        assert "unseen" not in screen_text(app)
        await pilot.press("f")
        await until(pilot, lambda: "unseen b" in screen_text(app) and "following" in said(app, "info"))
        await pilot.press("f")
        say(root, "held")
        await until(pilot, lambda: len(screen._shown) == 54)
        assert "held" not in screen_text(app)

    run_story(root, story)


def test_levels_words_and_times(root: Path) -> None:
    """L chooses the level, / the words, t the times; what is shown says so, and is remembered."""
    say(root, "quiet", level="debug")
    say(root, "fine")
    say(root, "broken", level="error")

    async def story(app: Any, pilot: Any) -> None:
        await at_logs(app, pilot, 2)
        await pilot.press("L", "enter")
        await until(pilot, lambda: "quiet" in screen_text(app))
        assert "11-21 11:00:00 ERROR" in screen_text(app)
        await pilot.press("t", "ampersand", *"!fine", "enter")
        await until(pilot, lambda: "fine" not in screen_text(app).replace("&!fine", "").replace("> !fine", ""))
        assert "11:00:00" not in screen_text(app)
        await pilot.press("colon")
        await until(pilot, lambda: app.focused.id == "command")
        await pilot.press(*"level error", "enter")
        await until(pilot, lambda: "error and above" in said(app, "info") and len(app.screen._shown) == 1)
        await pilot.press("q")

    async def again(app: Any, pilot: Any) -> None:
        screen = await at_logs(app, pilot, 1)
        assert (screen.level, screen.timestamps, screen.words) == ("error", False, "!fine")

    run_story(root, story)
    run_story(root, again)


def test_enter_goes_to_the_job_or_the_document(root: Path) -> None:
    """A line of a job opens the job over the logs, a line of a document says what became of it."""
    say(root, "about the job")
    say(root, "about a document", level="warning", document="file:///docs/a.pdf")

    async def story(app: Any, pilot: Any) -> None:
        screen = await at_logs(app, pilot, 2)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Story))
        await pilot.press("escape", "k", "enter")
        await until(pilot, lambda: isinstance(app.screen, JobScreen) and app.screen.job_id == JOB)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        assert screen.lines.cursor == 0

    run_story(root, story)


def test_wrapping_keeps_the_cursor_on_its_line(root: Path) -> None:
    """A long line takes several lines of the screen and is one step of the cursor."""
    say(root, "first", "long " * 60 + "end", "last")

    async def story(app: Any, pilot: Any) -> None:
        screen = await at_logs(app, pilot, 3)
        await pilot.press("k")
        assert screen.lines.cursor == 1
        assert "end" in screen_text(app)
        await pilot.press("v")
        assert "end" not in screen_text(app)
        assert screen.lines.cursor == 1
        await pilot.press("k")
        assert screen.current["message"] == "first"

    run_story(root, story)


def test_lines_are_found_and_filtered(root: Path) -> None:
    """`/` finds among the lines that are shown, `n` and `N` go on, also while more come; `&` filters; Esc ends each."""
    say(root, *(f"rain {number}" if number % 10 == 3 else f"sun {number}" for number in range(50)))

    async def story(app: Any, pilot: Any) -> None:
        screen = await at_logs(app, pilot, 50)
        send_together(app, "g", "/", *"rain", "enter", "n", "n")
        await until(pilot, lambda: bool(app.input_queue.is_quiet) and screen.current["message"] == "rain 23")
        assert "found: 3 of 5 lines" in said(app, "info")
        say(root, "rain again")
        await until(pilot, lambda: "of 6 lines" in said(app, "info"))
        send_together(app, "N", "N", "N")
        await until(pilot, lambda: screen.current["message"] == "rain again")
        send_together(app, "&", *"!sun", "enter")
        await until(pilot, lambda: len(screen._shown) == 6 and "&!sun" in said(app, "info"))
        assert "found" in said(app, "info")
        send_together(app, "escape")
        await until(pilot, lambda: bool(app.input_queue.is_quiet) and "found" not in said(app, "info"))
        assert len(screen._shown) == 6
        send_together(app, "/", "escape")
        await until(pilot, lambda: bool(app.input_queue.is_quiet))
        assert len(screen._shown) == 6
        send_together(app, "escape")
        await until(pilot, lambda: len(screen._shown) == 51)

    run_story(root, story)


def test_memory_is_bounded_however_much_is_said(root: Path) -> None:
    """The newest lines are held, and the cursor goes on standing on its record."""
    say(root, "begin")

    async def story(app: Any, pilot: Any) -> None:
        screen = await at_logs(app, pilot, 1)
        for batch in range(4):
            say(root, *(f"{batch} {number}" for number in range(2000)))
            await until(pilot, lambda b=batch: screen._shown[-1]["message"] == f"{b} 1999")  # type: ignore[misc]
        assert MOST_RECORDS <= len(screen._shown) <= MOST_RECORDS + 1000
        assert len(screen.lines.lines) == len(screen._shown)
        await pilot.press("k")
        assert screen.current["message"] == "3 1998"
        assert "3 1998" in screen_text(app)

    run_story(root, story)


def test_hostile_lines_and_targets_act_on_nothing(root: Path) -> None:
    """No name acts on the terminal or on markup in the logs and the audit, wherever it stands."""
    clean = [name.encode("utf-8", "replace").decode() for name in HOSTILE_NAMES]
    for name in clean:
        say(root, name, level="error", document=name, odd=name)
    (root / "worker.log").write_bytes(b"\x1b]0;owned\x07 \xff\n" + "\n".join(clean).encode() + b"\n")
    for name in clean:
        audit(root, "source.add", target=name, outcome=name[:20])

    async def story(app: Any, pilot: Any) -> None:
        for view, keys in (("5", "G k k k enter escape y escape v t"), ("7", "j j j j enter escape y escape o escape")):
            await pilot.press(view)
            await at_rest(pilot)
            for key in keys.split():
                await pilot.press(key)
                await at_rest(pilot)
                assert not ACTING.search(screen_text(app).replace("\n", ""))
            for _ in clean:
                await pilot.press("k" if view == "5" else "j")
                assert not ACTING.search(screen_text(app).replace("\n", ""))

    run_story(root, story, size=(160, 40))


# Audit


def test_the_audit_shows_who_did_what(root: Path) -> None:
    """Newest first, outcomes as sign and word, words filter, Enter shows the record; new lines come by themselves."""
    audit(root, "source.add", "job.cancel")
    audit(root, "source.remove", outcome="refused")

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("7")
        await until(pilot, lambda: isinstance(app.screen, AuditScreen) and len(app.screen.table.rows) == 3)
        assert [row.text("action") for row in app.screen.table.rows] == ["source.remove", "job.cancel", "source.add"]
        assert "! refused" in screen_text(app)
        audit(root, "doc.restore")
        await until(pilot, lambda: len(app.screen.table.rows) == 4)
        await pilot.press("slash", *"source !add", "enter")
        await until(pilot, lambda: len(app.screen.table.rows) == 1)
        await pilot.press("enter")
        await until(
            pilot, lambda: isinstance(app.screen, LinesReport) and '"action": "source.remove"' in screen_text(app)
        )
        await pilot.press("escape", "escape")
        await until(pilot, lambda: len(app.screen.table.rows) == 4)

    run_story(root, story)


def test_the_audit_is_exported_as_it_is_filtered(root: Path, tmp_path: Path) -> None:
    """X asks for a file and writes all lines that pass the filter; the export is a line itself."""
    audit(root, "source.add", "job.cancel")
    target = tmp_path / "audit.csv"

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("7")
        await until(pilot, lambda: isinstance(app.screen, AuditScreen) and len(app.screen.table.rows) == 2)
        await pilot.press("slash", *"cancel", "enter", "X")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        app.focused.value = str(target)
        await pilot.press("enter")
        await until(pilot, lambda: "1 line written" in notices(app))
        assert "job.cancel" in target.read_text()
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.table.rows[0].text("action") == "audit.export")

    run_story(root, story)


def test_an_empty_audit_says_so(root: Path) -> None:
    """Nothing done yet, and nothing to open or export wrongly."""
    (root / "audit.jsonl").unlink(missing_ok=True)

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("7")
        await until(pilot, lambda: "Nothing has been done yet" in screen_text(app))
        await pilot.press("enter", "y", "escape")

    run_story(root, story)


def test_a_long_audit_is_held_in_part(root: Path, monkeypatch: Any) -> None:
    """Of very many lines the newest are held."""
    monkeypatch.setattr("ingest_tui.services.jobs.audit_trail.TAIL_BYTES", 20_000)
    audit(root, *(f"action.{number}" for number in range(400)))

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("7")
        await until(pilot, lambda: isinstance(app.screen, AuditScreen) and bool(app.screen.table.rows))
        assert 50 < len(app.screen.table.rows) < 200
        assert app.screen.table.rows[0].text("action") == "action.399"

    run_story(root, story)
