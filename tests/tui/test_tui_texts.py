"""Texts: found words, positions, wrapping, numbers, Markdown as it is meant, code with its syntax set off."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Input

from ingest_tui.tui.dialogs.report import RecordReport
from ingest_tui.tui.passage import Passage
from ingest_tui.tui.views.documents.document_screen import DocumentScreen
from ingest_tui.tui.widgets.code_lines import code_lines, knows
from ingest_tui.tui.widgets.markdown_lines import rendered_lines, written_lines
from ingest_tui.tui.widgets.text import MOST_LINES, TextLines
from ingest_tui.tui.widgets.text_lines import (
    Row,
    Span,
    TonedLine,
    best_line,
    pattern_of,
    rows_of,
    toned_parts,
    wrap_words,
)
from tests.tui.stories import add_folder, add_job, run_story, screen_text, send_together, sync_by_hand, until

HOSTILE = "\x1b[31mred\x1b[0m \u202eevil \x00 \x9b5n"


# Without a screen


def test_a_very_long_line_is_wrapped_at_once() -> None:
    """The time grows with the line, not with its square."""

    def seconds(length: int) -> float:
        line, began = "日本語 word " * (length // 9), time.perf_counter()
        pieces = wrap_words(line, 40)
        assert "".join(pieces) == line
        return time.perf_counter() - began

    seconds(9_000)
    assert seconds(900_000) < 100 * max(seconds(90_000), 0.01)


def test_rows_know_where_in_their_line_they_begin() -> None:
    """So that what is set off in a line is set off in its rows, across the place where it is wrapped."""
    line = TonedLine("one two three four", "", (Span(4, 13, "bold"),))
    rows = rows_of(7, line, 8)
    assert rows == [Row(7, 0, "one two "), Row(7, 8, "three "), Row(7, 14, "four")]
    assert list(toned_parts(rows[0], rows[0].text, line.spans)) == [("one ", []), ("two ", ["bold"])]
    assert list(toned_parts(rows[1], rows[1].text, line.spans)) == [("three", ["bold"]), (" ", [])]
    assert list(toned_parts(rows[2], rows[2].text, line.spans)) == [("four", [])]


def test_what_is_typed_is_found_as_it_is() -> None:
    """Whatever it means elsewhere, in both cases; blanks alone are nothing to look for."""
    pattern = pattern_of(["a.b(", "İ"])
    assert pattern is not None
    assert [match.span() for match in pattern.finditer("xA.B( aXb(")] == [(1, 5)]
    assert pattern_of(["", "  "]) is None


def test_markdown_is_shown_as_it_is_meant() -> None:
    """Headings, emphasis, lists, quotes, tables, rules and links without their marks; where links lead is shown."""
    text = (
        "# Rain *now*\n\nA **bold** `code`\nword, [here](https://x.example/).\n\n- one\n- two\n  1. deep\n\n> said\n\n"
        "| a | much |\n|---|---|\n| **1** | 2 |\n\n---\n\n    plain\n\n<b>html</b>\n\n![pic](p.png)\nend\\\nlast"
    )
    lines = rendered_lines(text)
    assert [line.text for line in lines] == [
        "Rain now", "", "A bold code word, here <https://x.example/>.", "", "• one", "• two", "  1. deep", "",
        "│ said", "│", "a │ much", "──┼─────", "1 │ 2   ", "", "─" * 40, "", "  plain", "", "<b>html</b>", "",
        "[image: pic <p.png>] end", "last",
    ]  # fmt: skip
    assert (lines[0].tone, lines[0].spans) == ("head", (Span(5, 8, "italic"),))
    assert {Span(2, 6, "bold"), Span(7, 11, "code"), Span(18, 22, "head")} <= set(lines[2].spans)


def test_code_has_its_syntax_set_off_between_fences() -> None:
    """Of a known language, and never another text than the one that is there."""
    lines = list(written_lines("```python\ndef f():\n\treturn 'x'\n```\nafter"))
    assert [line.text for line in lines] == ["```python", "def f():", "    return 'x'", "```", "after"]
    assert Span(0, 3, "head") in lines[1].spans
    assert any(span.tone == "good" for span in lines[2].spans)
    assert not lines[4].spans
    assert not knows("brainfuck")
    assert [line.spans for line in code_lines("a = 1", "brainfuck")] == [()]
    assert [line.text for line in written_lines("~~~ json\n{}")] == ["~~~ json", "{}"]


@pytest.mark.parametrize("language", ["python", "json", "markdown", "unknown"])
def test_a_hostile_text_is_shown_whole_and_harmless(language: str) -> None:
    """Nothing that acts on a terminal, whichever way it is shown, and every line is there."""
    code = f"```{language}\n{HOSTILE}\n\u2028 a\x0b b\n{{'x': 1}}\n```"
    text = f"# {HOSTILE}\n\n{code}\n[{HOSTILE}](<{HOSTILE}>) **{HOSTILE}**"
    for lines in (list(written_lines(text)), rendered_lines(text)):
        shown = "\n".join(line.text for line in lines)
        assert shown.count("red") >= 4
        assert not {"\x1b", "\u202e", "\x00", "\x9b", "\x0b"} & set(shown)
        for line in lines:
            assert all(0 <= span.start <= span.end <= len(line.text) for span in line.spans)
    assert len(list(written_lines(text))) == text.count("\n") + 1


class Shown(App[None]):
    """Nothing but a text."""

    def compose(self) -> ComposeResult:
        """The text."""
        yield TextLines(numbers=True)


def test_a_text_is_whole_however_many_lines_it_has() -> None:
    """Only what grows at its end is cut off at its beginning."""

    async def check() -> None:
        async with Shown().run_test(size=(40, 10)) as pilot:
            text = pilot.app.query_one(TextLines)
            text.show([f"line {number}" for number in range(MOST_LINES + 5)])
            assert text.lines[0].text == "line 0"
            text.move_to_end(first=False)
            assert text.position == f"line {MOST_LINES - 4:,} of {MOST_LINES + 5:,} · 100 %"
            text.follow = True
            text.append(["one more"])
            assert (len(text.lines), text.lines[-1].text) == (MOST_LINES, "one more")

    asyncio.run(check())


def test_finding_goes_around_and_survives_wrapping() -> None:
    """`n` after the last is the first; what was found stays set off when the width or the wrapping changes."""

    async def check() -> None:
        async with Shown().run_test(size=(40, 10)) as pilot:
            text = pilot.app.query_one(TextLines)
            text.show(
                [f"{number:03d} {'rain ' if number % 40 == 7 else 'sun '}{'word ' * 20}" for number in range(100)]
            )
            text.find(["RAIN"])
            assert "found: 1 of 3 lines" in text.position
            assert [text.find_again(1), text.find_again(1), "3 of 3" in text.position] == [True, True, True]
            text.find_again(1)
            assert "1 of 3" in text.position
            text.find_again(-1)
            assert "3 of 3" in text.position
            line = text.current_line
            text.toggle_wrap()
            text.toggle_numbers()
            await pilot.resize_terminal(60, 12)
            await pilot.pause()
            assert abs(text.current_line - line) < 8
            found = [segment for y in range(12) for segment in text.render_line(y) if segment.text == "rain"]
            assert found
            assert all(segment.style is not None and segment.style.reverse for segment in found)
            text.find(["nowhere"])
            assert not text.find_again(1)
            assert "not found" in text.position
            text.find([])
            assert "found" not in text.position

    asyncio.run(check())


# On the screens


@pytest.fixture
def long_text(root: Path, folder: Path) -> Path:
    """A workspace with a long document that names the anemometer twice, the second time in a passage of its own."""
    lines = [f"Note {number} of the day.\n" for number in range(400)]
    lines[30] = "The **anemometer** was mentioned.\n"
    lines[310] = "Greasing the anemometer takes an hour and a ladder.\n"
    (folder / "log.md").write_text("# Log\n\n" + "\n".join(lines))
    (folder / "script.py").write_text("def rain():\n    return 'wet'\n")
    add_folder(root, folder)
    sync_by_hand(root, "handbook")
    return root


@pytest.mark.slow
def test_a_hit_opens_at_its_passage(long_text: Path) -> None:
    """What was searched is set off, `n` goes on, and one Esc goes back to the hits."""

    async def story(app: Any, pilot: Any) -> None:
        send_together(app, "3", "s", *"greasing anemometer", "enter")
        await until(pilot, lambda: app.input_queue.is_quiet and bool(app.screen.table.rows) and app.screen._shows_hits)
        send_together(app, "enter")
        await until(pilot, lambda: isinstance(app.screen, DocumentScreen) and "Greasing" in screen_text(app))
        text = app.screen.text
        assert "Greasing" in text.lines[text._found[text._found_at]].text
        send_together(app, "N")
        await until(pilot, lambda: "was mentioned" in screen_text(app))
        send_together(app, "escape")
        await until(pilot, lambda: app.screen.view == "documents" and app.screen.query_text == "greasing anemometer")

    run_story(long_text, story)


def test_the_line_of_a_passage() -> None:
    """It has a word and is of the passage; else it has a word; else, without any, it is the first of the passage."""
    lines = [TonedLine(text) for text in ("# Rain", "", "It rains.", "", "  Water falls.", "It rains again.")]
    assert best_line(lines, ["rain"], near=["Water falls.", "It rains again."]) == 5
    assert best_line(lines, ["rain"], near=["Snow falls."]) == 0
    assert best_line(lines, [], near=["", "Water falls.", "It rains again."]) == 4
    assert best_line(lines, ["hail"], near=["Water falls."]) == 4
    assert best_line(lines, [], near=[""]) is None


@pytest.mark.slow
def test_a_hit_without_words_in_its_text_opens_at_its_passage(long_text: Path) -> None:
    """A passage that was found by its title or headings is in sight, though nothing of it is set off."""

    async def story(app: Any, pilot: Any) -> None:
        send_together(app, "3")
        await until(pilot, lambda: any(line.name == "log.md" for line in app.screen.table.rows))
        [log] = [line for line in app.screen.table.rows if line.name == "log.md"]
        app.open_document(log.document_id, log.name, Passage((), ("Note 250 of the day.",)))
        await until(pilot, lambda: isinstance(app.screen, DocumentScreen) and "Note 250 of" in screen_text(app))
        assert "found" not in app.screen.text.position

    run_story(long_text, story)


@pytest.mark.slow
def test_a_text_is_read_as_with_less(long_text: Path) -> None:
    """`/` finds while one types, `n` and `N` go on, `r` renders, `v` wraps, `#` numbers, the border says where."""

    async def story(app: Any, pilot: Any) -> None:
        send_together(app, "3", "enter")
        await until(pilot, lambda: isinstance(app.screen, DocumentScreen) and "Note 0 of" in screen_text(app))
        screen = app.screen
        assert "line 1 of 802 · 2 %" in screen_text(app)
        assert " 1 # Log" in screen_text(app)
        send_together(app, "/", *"anemo", "enter", "n")
        await until(pilot, lambda: "Greasing" in screen_text(app) and "found: 2 of 2 lines" in screen_text(app))
        send_together(app, "question_mark", "escape")
        await until(pilot, lambda: app.input_queue.is_quiet and app.screen is screen)
        await until(pilot, lambda: not screen._unanswered)
        assert "Greasing" in screen_text(app), "a dialog over a text loses the place"
        send_together(app, "N")
        await until(pilot, lambda: "The **anemometer** was" in screen_text(app))
        send_together(app, "escape", "r")
        await until(pilot, lambda: "text rendered" in screen_text(app) and "\n│ Log" in screen_text(app))
        assert screen.text.plain.count("The anemometer was mentioned.") == 1
        send_together(app, "r", "#", "v")
        await until(pilot, lambda: "│ # Log" in screen_text(app) and not screen.text.wrap)
        send_together(app, "q")
        await until(pilot, lambda: app.screen.view == "documents")

    run_story(long_text, story)


@pytest.mark.slow
def test_a_report_is_searched_too(root: Path) -> None:
    """The manifest: `/` finds, `n` goes on, Esc ends that and then closes; `q` is a letter while one types."""
    add_job(root, "20261121-063100-docs-aaaa", "failed", errors=[f"reason {number}" for number in range(30)])

    async def story(app: Any, pilot: Any) -> None:
        send_together(app, "m")
        await until(pilot, lambda: isinstance(app.screen, RecordReport) and bool(app.screen.lines.lines))
        report = app.screen
        send_together(app, "/", *"queued reason 2", *["backspace"] * 8, *["home"], *["delete"] * 7, "enter")
        await until(pilot, lambda: app.input_queue.is_quiet and not report.has_class("-finding"))
        assert report.query_one("#report-find", Input).value == ""
        send_together(app, "/", *"reason 2", "enter", "n", "n")
        await until(pilot, lambda: app.input_queue.is_quiet and "found: 3 of 11 lines" in screen_text(app))
        send_together(app, "escape")
        await until(pilot, lambda: app.input_queue.is_quiet and "found" not in screen_text(app))
        assert app.screen is report
        send_together(app, "escape")
        await until(pilot, lambda: app.screen.view == "jobs")

    run_story(root, story)
