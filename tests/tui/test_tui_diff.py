"""What changed between two versions: the words that differ, two columns where there is room, and finding in them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.model.textdiff import diff_texts
from ingest_tui.services.client import Client
from ingest_tui.tui.views.documents.diff_rows import DiffRow, diff_rows, paired_lines, unified_lines
from ingest_tui.tui.views.documents.document_screen import DocumentScreen
from ingest_tui.tui.widgets.text_lines import BETWEEN, Row, Span, TonedLine, beside, line_of, rows_of, toned_parts
from tests.tui.stories import HOSTILE_NAMES, let_answer, run_story, said, screen_text, until

OLD = "# Rain\n\nThe gauge is read at noon.\nIt is emptied then.\nend\n"
NEW = "# Rain\n\nThe gauge is read at dawn.\nBirds are counted.\nend\n"


def rows(old: str, new: str) -> list[DiffRow]:
    """Return the rows of what changed between two texts."""
    return diff_rows(diff_texts(old, new, names=("v1", "v2")))


def marked(text: str | None, spans: tuple[Span, ...]) -> list[str]:
    """Return the parts of a text that are marked."""
    return [(text or "")[span.start : span.end] for span in spans]


def plain(line: object) -> str:
    """Return the text of a line."""
    return line if isinstance(line, str) else line[0]  # type: ignore[index]


def test_a_line_that_changed_is_next_to_what_it_was_with_its_words_marked() -> None:
    """Lines with most words in common belong together; what has nothing in common stands alone."""
    changed = [row for row in rows(OLD, NEW) if row.is_changed]
    assert [(row.older, row.newer) for row in changed] == [
        ("The gauge is read at noon.", "The gauge is read at dawn."),
        ("It is emptied then.", None),
        (None, "Birds are counted."),
    ]
    assert marked(changed[0].older, changed[0].older_words) == ["noon"]
    assert marked(changed[0].newer, changed[0].newer_words) == ["dawn"]


def test_lines_of_both_columns_have_their_numbers() -> None:
    """Each counts its own lines, from where a place of the diff says; where a text has no line there is no number."""
    old = "".join(f"line {number}\n" for number in range(1, 13))
    found = rows(old, old.replace("line 6\n", "").replace("line 9\n", "line 9 here\nmore\n"))
    assert [(row.older_number, row.newer_number) for row in found if row.is_changed] == [(6, 6), (9, 8), (10, 9)]
    shown = [plain(line) for line in paired_lines(found)]
    assert " 6 -line 6\n   " in shown
    assert " 9 -line 9\n 8 +line 9 here" in shown
    assert "   \n 9 +more" in shown
    assert "10  line 10\n10  line 10" in shown


def test_a_line_that_came_in_leaves_the_others_together() -> None:
    """Lines are not compared by their place alone."""
    changed = [
        row for row in rows("one two three\nfour five six\n", "new here\none two 3\nfour 5 six\n") if row.is_changed
    ]
    assert [(row.older, row.newer) for row in changed] == [
        (None, "new here"),
        ("one two three", "one two 3"),
        ("four five six", "four 5 six"),
    ]


@pytest.mark.parametrize(("old", "new"), [(OLD, NEW), ("-- a\n++ b\n", "-- c\n"), ("", "x\ty\n"), ("a" * 9, "")])
def test_a_narrow_screen_has_the_lines_of_the_diff(old: str, new: str) -> None:
    """The same lines as the command line has, in the same order, tabs as they are shown."""
    lines = diff_texts(old, new, names=("v1", "v2"))
    assert [plain(line) for line in unified_lines(diff_rows(lines))] == [
        line.replace("\t", "    ")[: len(line) + 9] for line in lines
    ] or "\t" in new


def test_the_same_texts_say_so() -> None:
    """In one column and in two."""
    assert unified_lines([]) == paired_lines([]) == [("the texts are the same", "quiet")]


def test_what_was_left_out_is_said_in_both() -> None:
    """The last line of a diff that was cut."""
    found = diff_rows(["--- v1", "+++ v2", "@@ -1,1 +1,1 @@", "-a", "+b", "… the texts differ in too much"])
    assert plain(unified_lines(found)[-1]) == plain(paired_lines(found)[-1]) == "… the texts differ in too much"


def test_hostile_text_is_made_safe_in_both_columns() -> None:
    """Nothing of it acts on a terminal, and no line feed of it begins a column."""
    old, new = "\n".join(HOSTILE_NAMES), "\n".join(f"{name} more" for name in HOSTILE_NAMES)
    for line in (*unified_lines(rows(old, new)), *paired_lines(rows(old, new))):
        shown = line_of(line)
        assert shown == line_of(shown)
        assert not set(shown.text) & {"\x1b", "\x07", "\x9b", "\r", "\u202e"}
        assert shown.text.count("\n") == bool(shown.second)


def test_comparing_words_takes_bounded_time() -> None:
    """Thousands of long lines, all of them changed: what is too much is shown without marks."""
    old = "\n".join(" ".join(f"w{number}x{word}" for word in range(300)) for number in range(600))
    began = time.thread_time()
    found = rows(old, old.replace("x7 ", "y "))
    assert time.thread_time() - began < 30  # processor seconds; without a bound it would be minutes
    assert len([row for row in found if row.is_changed]) == 600
    assert any(row.older_words for row in found)
    assert not all(row.older_words for row in found if row.is_changed)


def test_each_column_wraps_by_itself() -> None:
    """Rows of a line are as many as the longer of its texts needs; each knows where in the line it is."""
    line = beside(TonedLine("one two three", "bad"), TonedLine("four", "good", (Span(0, 4, "changed"),)))
    assert line.spans == (Span(0, 13, "bad"), Span(14, 18, "good"), Span(14, 18, "changed"))
    found = rows_of(5, line, 2 * 8 + len(BETWEEN))
    assert [(row.start, row.text) for row in found] == [(0, "one two "), (8, "three")]
    assert [row.beside for row in found] == [Row(5, 14, "four"), Row(5, 18, "")]
    assert [row.text for row in rows_of(5, line, 0)] == ["one two three"]


def test_marks_end_with_the_text_of_a_row() -> None:
    """What pads a row has no tone of what comes later in its line."""
    row = Row(0, 0, "ab")
    assert list(toned_parts(row, "ab      ", [Span(0, 5, "bad"), Span(3, 5, "good")])) == [
        ("ab", ["bad"]),
        ("      ", []),
    ]


VERSIONS = [{"version": 2, "current": True}, {"version": 1, "current": False}]


@pytest.mark.slow
def test_a_diff_has_two_columns_where_there_is_room(root: Path) -> None:
    """Another size shows it the other way; what is looked for is found in both columns, by n and N."""
    client = Client(root)
    diff = diff_texts(OLD, NEW, names=("v1", "v2"))
    let_answer(client.documents, versions=lambda _id: VERSIONS, diff=lambda *_which: diff, text=lambda _id: "text",
               remarks=lambda _id: ())  # fmt: skip

    async def story(app: Any, pilot: Any) -> None:
        app.push_screen(DocumentScreen(client, "d1", "rain.md"))
        await until(pilot, lambda: app.screen.view == "document" and app.screen.text.plain == "text")
        await pilot.press("d")  # two versions: there is nothing to choose
        await until(
            pilot,
            lambda: "read at noon.  " in screen_text(app) and "│ 3 +The gauge is read at dawn." in screen_text(app),
        )
        text = app.screen.text
        await pilot.press("slash", *"gauge", "enter")
        await until(pilot, lambda: "found: 1 of 1 line" in said(app, "info"))
        reversed_parts = [part for strip in app.screen._compositor.render_strips() for part in strip
                          if part.style and part.style.reverse and part.text == "gauge"]  # fmt: skip
        assert len(reversed_parts) == 2
        await pilot.press("escape")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "-The gauge is read at noon.\n-It is" in text.plain)
        await pilot.resize_terminal(160, 40)
        await until(pilot, lambda: "3 -The gauge is read at noon.\n3 +The gauge" in text.plain)
        await pilot.press("escape")
        await until(pilot, lambda: text.plain == "text")

    run_story(root, story, size=(120, 35), client=client)
