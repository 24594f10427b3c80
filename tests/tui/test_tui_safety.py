"""Foreign data and the terminal."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.segment import ControlType, Segment
from textual.color import Color

from ingest_tui.model.errors import RefusedError
from ingest_tui.tui.terminal import clipboard
from ingest_tui.tui.terminal.driver import TolerantDriver
from ingest_tui.tui.terminal.safety import ActingCharacters, crash_report, strip_acting
from ingest_tui.tui.widgets.columns import fit
from ingest_tui.tui.widgets.text_lines import wrap_words
from tests.tui.stories import HOSTILE_NAMES

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_no_acting_character_passes_the_filter(name: str) -> None:
    """What leaves the filter holds no control, no bidirectional mark and no lone surrogate."""
    cleaned = "".join(segment.text for segment in ActingCharacters().apply([Segment(name)], Color(0, 0, 0)))
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in cleaned)
    assert not any(0x202A <= ord(character) <= 0x202E or 0x2066 <= ord(character) <= 0x2069 for character in cleaned)
    cleaned.encode()


def test_the_filter_leaves_clean_lines_and_control_segments_alone() -> None:
    """Clean lines are not copied, and Textual's own controls pass."""
    clean = [Segment("plain text"), Segment("ünïcode 日本")]
    assert ActingCharacters().apply(clean, Color(0, 0, 0)) is clean
    control = Segment("\x1b[2J", None, [(ControlType.CLEAR,)])
    assert ActingCharacters().apply([control, Segment("\x07")], Color(0, 0, 0))[0] is control


def test_stripping_keeps_what_is_only_foreign() -> None:
    """Foreign letters and markup are no danger here."""
    assert strip_acting("b[/].pdf äöü 日本") == "b[/].pdf äöü 日本"


def test_a_crash_report_shows_no_values() -> None:
    """Neither the message nor a local variable of the failure is reported."""
    password = "hunter2-secret"
    with pytest.raises(ValueError, match="hunter2") as caught:
        raise ValueError(password)
    report = "\n".join(crash_report(caught.value))
    assert password not in report
    assert "ValueError" in report
    assert "test_tui_safety.py" in report


def test_an_error_of_ours_is_reported_with_its_hint() -> None:
    """Errors made for people are shown to them, escaped."""
    assert crash_report(RefusedError("no\x1b[31m", hint="chmod")) == ["error: no\\x1b[31m", "hint: chmod"]


def test_the_clipboard_sequence_is_wrapped_for_tmux_and_bounded() -> None:
    """tmux gets it for itself and, the escape doubled, for its terminal; too much is not sent at all."""
    plain = "\x1b]52;c;aGk=\a"
    assert clipboard.sequence("hi", in_tmux=False) == plain
    assert clipboard.sequence("hi", in_tmux=True) == plain + "\x1bPtmux;\x1b\x1b]52;c;aGk=\a\x1b\\"
    assert clipboard.sequence("x" * 100_000) == ""


@pytest.mark.parametrize(("text", "shown"), [("abc", "abc  "), ("abcdef", "abcd…"), ("日本語", "日本…"), ("", "     ")])
def test_cells_are_filled_exactly(text: str, shown: str) -> None:
    """A cell is as wide as its column, also with wide characters."""
    assert fit(text, 5) == shown


def test_wrapping_loses_no_character() -> None:
    """The pieces of a wrapped line make up the line, and none is too wide."""
    text = "a word and a verylongwordwithoutanyspace 日本語日本語 end"
    pieces = wrap_words(text, 10)
    assert "".join(pieces) == text
    assert all(len(piece) <= 10 for piece in pieces)


def test_a_terminal_that_is_given_away_and_taken_back_is_watched_again() -> None:
    """An editor that ran meanwhile ends the watch; a new one begins with the screen."""

    class Watch:
        stopped = False

        def stop(self) -> None:
            self.stopped = True

    driver, watch = TolerantDriver.__new__(TolerantDriver), Watch()
    driver._writer_thread = None
    driver._terminal_watch = watch  # type: ignore[assignment]
    driver.close()
    assert watch.stopped
    assert not hasattr(driver, "_terminal_watch")


@pytest.mark.parametrize(
    ("path", "width", "shown"),
    [
        ("docs/2026/november/rain-gauge.md", 24, "docs/2026…/rain-gauge.md"),
        ("rain-gauge.md", 24, "rain-gauge.md           "),
        ("a/very-long-name-that-has-no-room-at-all.markdown", 16, "a/ver…l.markdown"),
        ("日本/語/日本語日本語日本語.txt", 14, ""),
        ("docs/rain.md", 8, "docs/ra…"),  # too little room for two pieces
    ],
)
def test_a_path_is_cut_in_its_middle(path: str, width: int, shown: str) -> None:
    """The name at the end stays, and the width is that of the column whatever the letters are."""
    cut = fit(path, width, is_path=True)
    assert cell_len(cut) == width
    assert not shown or cut == shown
